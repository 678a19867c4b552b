"""Measures the sessions of Django in files, as src/bin/files.rs measures stores."""

import json
import os
import subprocess
import sys
import time

import django
from django.conf import settings

USAGE = """usage: files_django.py VALUES operations DIR BATCHES COUNT | files_django.py VALUES sweep DIR COUNT
     | files_django.py VALUES calls STORE OPERATION DIR COUNT"""
WARM_UP = 4
NAME = f"Django {django.VERSION[0]}.{django.VERSION[1]} file"


def main(args):
    match args:
        case [values, "operations", directory, batches, count]:
            start(directory)
            operations(json.loads(values), int(batches), int(count))
        case [values, "sweep", directory, count]:
            start(directory)
            sweep(json.loads(values), directory, int(count))
        case [values, "calls", store_name, operation, directory, count] if store_name == NAME:
            start(directory)
            calls(operation, json.loads(values), int(count))
        case _:
            sys.exit(USAGE)


def start(directory):
    settings.configure(SESSION_FILE_PATH=directory, SECRET_KEY=os.urandom(32).hex())
    django.setup()


def store(key=None):
    from django.contrib.sessions.backends.file import SessionStore

    return SessionStore(key)


def create(values):
    session = store()
    session.update(values)
    session.create()
    return session.session_key


def change(key):
    session = store(key)
    session["visits"] += 1
    session.save()


def run(operation, values, keys, count):
    for number in range(count):
        match operation:
            case "create":
                keys.append(create(values))
            case "load":
                assert store(keys[number])["visits"] == values["visits"], "a session is not what was created"
            case "load, change, save":
                change(keys[number])


def operations(values, batches, count):
    for batch in range(WARM_UP + batches):
        keys = []
        for operation in ["create", "load", "load, change, save"]:
            begun = time.perf_counter_ns()
            run(operation, values, keys, count)
            each = (time.perf_counter_ns() - begun) // count
            if batch >= WARM_UP:
                print(NAME, operation, each, sep="\t")
            if operation == "create":
                subprocess.run(["sync"], check=True)
        assert {store(key)["visits"] for key in keys} == {values["visits"] + 1}, "what was saved is not there"


def calls(operation, values, count):
    """Does operations while another program watches the system calls of this process."""
    keys = [create(values) for _ in range(count)] if operation != "create" else []
    change(create(values))
    os.path.exists("/begin")
    run(operation, values, keys, count)
    os.path.exists("/end")


def sweep(values, directory, count):
    long_ago = time.time() - 2 * settings.SESSION_COOKIE_AGE
    for number in range(count):
        key = create(values)
        if number % 2 == 0:
            os.utime(os.path.join(directory, settings.SESSION_COOKIE_NAME + key), (long_ago, long_ago))
    subprocess.run(["sync"], check=True)
    begun = time.perf_counter_ns()
    type(store()).clear_expired()
    took = time.perf_counter_ns() - begun
    assert len(os.listdir(directory)) == count // 2, "half of the sessions are to be left"
    print(NAME, "sweep", took, sep="\t")


main(sys.argv[1:])
