//! The interface of the demo, from outside.
#![allow(clippy::unwrap_used)]

#[macro_use]
#[path = "../program/mod.rs"]
mod program;

mod ended;
mod numbers;
mod same_answers;
mod users;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;

use program::{Browser, Framework, Program, sessions, wait_until};
use rustix::process::Signal;

/// Lets a program log every event.
const LOG_ALL: (&str, &str) = ("RUST_LOG", "nexios=trace");

on_both! {
    the_interface_row_by_row
    signed_cookies_row_by_row
    no_two_parallel_increments_are_given_the_same_number
    a_logout_during_a_slow_request_stays_logged_out
    sessions_survive_a_restart
    a_program_that_is_told_to_stop_finishes_what_it_is_doing
    any_bytes_in_the_cookie_header_give_an_answer
    a_store_outage_never_looks_like_an_empty_session
    the_memory_store_can_be_chosen
    expired_sessions_are_swept_while_the_program_runs
}

fn the_interface_row_by_row(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);

    let page = visitor.get("/");
    assert_eq!((page.status, page.set_cookie.len()), (200, 0));
    assert!(page.content_type.unwrap().starts_with("text/html") && page.body.contains("Log out everywhere"));
    assert_eq!(visitor.get("/healthz").status, 200);

    let empty = visitor.get("/session");
    assert_eq!((empty.status, &*empty.body, empty.content_type.as_deref()), (200, "{}", Some("application/json")));
    assert_eq!(visitor.get("/session/a").status, 404);
    let removed = visitor.delete("/session/a");
    assert_eq!((removed.status, removed.set_cookie.len()), (200, 0), "removing makes no session");

    let value = r#"{"list":[1,-2,3.5,null,true],"text":"grüße"}"#;
    assert_eq!(visitor.post("/session/a%2Fb", value).status, 200);
    assert_eq!(visitor.get("/session/a%2Fb").body, value);
    assert_eq!(visitor.get("/session").body, format!(r#"{{"a/b":{value}}}"#));
    assert_eq!(visitor.delete("/session/a%2Fb").status, 200);
    assert_eq!(visitor.post("/session/a", "{").status, 400);
    assert_eq!(visitor.post("/session/%ff", "1").status, 400);
    assert_eq!(visitor.post("/session/a", &"1".repeat(64 * 1024 + 1)).status, 413);

    for (path, number) in [("/increment/n", "1"), ("/increment/n", "2")] {
        let answer = visitor.post(path, "");
        assert_eq!((answer.status, &*answer.body), (200, number));
    }
    for not_an_integer in ["\"text\"", "1.5", "9223372036854775807", "9223372036854775808", "null", "[1]"] {
        visitor.post("/session/m", not_an_integer);
        assert_eq!(visitor.post("/increment/m", "").status, 409, "{not_an_integer}");
        assert_eq!(visitor.get("/session/m").body, not_an_integer);
    }

    let before = visitor.cookie.clone();
    assert_eq!(visitor.post("/login", r#"{"user": "ada"}"#).status, 200);
    assert_ne!(visitor.cookie, before, "a login changes the id");
    assert_eq!(visitor.get("/session/user").body, "\"ada\"");
    assert_eq!(visitor.get("/session/n").body, "2", "and keeps the values");
    for bad in ["", "{}", r#"{"user": 7}"#, r#"{"user": ""}"#] {
        assert_eq!(visitor.post("/login", bad).status, 400, "{bad}");
    }
    visitor.post("/login", r#"{"user": "bob"}"#);
    assert_eq!(visitor.get("/session").body, r#"{"user":"bob"}"#, "but not another user's");

    assert_eq!(visitor.get("/fail").status, 500);
    assert_eq!(visitor.get("/session/fail").status, 404);
    assert_eq!(visitor.get("/slow?ms=1").status, 200);
    assert_eq!(visitor.get("/session/slow").body, "true");
    for bad in ["/slow", "/slow?ms=", "/slow?ms=10001", "/slow?ms=-1", "/slow?ms=x"] {
        assert_eq!(visitor.get(bad).status, 400, "{bad}");
    }

    let logout = visitor.post("/logout", "");
    assert_eq!((logout.status, logout.set_cookie.len(), &visitor.cookie), (200, 1, &None));
    let logout = visitor.post("/logout", "");
    assert_eq!((logout.status, logout.set_cookie.len()), (200, 0), "no cookie was sent, so none is removed");

    assert_eq!(visitor.post("/logout-everywhere", "").status, 401);
    assert_eq!(visitor.get("/sessions").status, 401);
}

fn signed_cookies_row_by_row(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    assert_eq!(visitor.get("/signed-cookie/theme").status, 404);
    let answer = visitor.post("/signed-cookie/theme", "dark; grüße");
    assert_eq!((answer.status, answer.set_cookie.len()), (200, 1));
    let answer = visitor.get("/signed-cookie/theme");
    assert_eq!((answer.status, &*answer.body), (200, "dark; grüße"));
    assert_eq!(visitor.post("/signed-cookie/theme", &"x".repeat(4000)).status, 413);
    for bad in ["sessionid", "a%20b", "a;b", "%C3%BC"] {
        assert_eq!(visitor.post(&format!("/signed-cookie/{bad}"), "x").status, 400, "{bad}");
    }
    let forged = visitor.signed_cookie.take().map(|cookie| cookie.replace("theme=", "theme=A"));
    visitor.signed_cookie = forged;
    assert_eq!(visitor.get("/signed-cookie/theme").status, 400);
    assert_eq!(walk(&dir), 0, "and no session was made");
}

fn no_two_parallel_increments_are_given_the_same_number(framework: Framework) {
    let (_parent, dir) = sessions();
    // Two processes share one directory.
    let programs = [Program::start(framework, &dir, &[]), Program::start(framework, &dir, &[])];
    let mut visitor = Browser::new(&programs[0]);
    visitor.post("/session/n", "0");
    let barrier = Arc::new(Barrier::new(64));
    let threads: Vec<_> = (0..64)
        .map(|number| {
            let (mut visitor, barrier) = (visitor.at(&programs[number % 2]), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                let answer = visitor.post("/increment/n", "");
                assert_eq!(answer.status, 200, "{answer:?}");
                answer.body.parse::<u32>().unwrap()
            })
        })
        .collect();
    let mut numbers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=64).collect::<Vec<_>>());
    assert_eq!(visitor.get("/session/n").body, "64");
}

fn a_logout_during_a_slow_request_stays_logged_out(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[LOG_ALL]);
    let mut visitor = Browser::new(&program);
    visitor.post("/login", r#"{"user": "ada"}"#);
    let mut slow = visitor.clone();
    let stolen = visitor.clone();
    let thread = thread::spawn(move || slow.get("/slow?ms=700"));
    program.wait_for("session_resumed", 1);
    assert_eq!(visitor.post("/logout", "").status, 200);
    let answer = thread.join().unwrap();
    assert_eq!((answer.status, answer.set_cookie.len()), (200, 0));
    assert_eq!(stolen.clone().get("/session").body, "{}");
}

fn sessions_survive_a_restart(framework: Framework) {
    let (_parent, dir) = sessions();
    let first = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&first);
    visitor.post("/session/a", "1");
    first.signal(Signal::KILL);
    first.wait();
    let second = Program::start(framework, &dir, &[]);
    assert_eq!(visitor.at(&second).get("/session/a").body, "1", "even after a kill");
}

fn a_program_that_is_told_to_stop_finishes_what_it_is_doing(framework: Framework) {
    for signal in [Signal::TERM, Signal::INT] {
        let (_parent, dir) = sessions();
        let program = Program::start(framework, &dir, &[LOG_ALL]);
        let mut visitor = Browser::new(&program);
        visitor.post("/session/a", "1");
        let mut slow = visitor.clone();
        let thread = thread::spawn(move || slow.get("/slow?ms=700"));
        program.wait_for("session_resumed", 1);
        program.signal(signal);
        assert_eq!(thread.join().unwrap().status, 200, "{signal:?}");
        let address = program.address;
        assert_eq!(program.wait().code(), Some(0), "{signal:?}");
        assert!(TcpStream::connect(address).is_err());
        let again = Program::start(framework, &dir, &[]);
        assert_eq!(visitor.at(&again).get("/session/slow").body, "true", "{signal:?}: and saves it");
    }
}

fn any_bytes_in_the_cookie_header_give_an_answer(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    visitor.post("/session/a", "1");
    let good = visitor.cookie.unwrap().into_bytes();
    let mut headers: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"sessionid=../../../../etc/passwd".to_vec(),
        b"sessionid=%2e%2e%2f".to_vec(),
        vec![0x80; 200],
        [b"sessionid=", &[b'a'; 10_000][..]].concat(),
        b"sessionid=a; ".repeat(1_000),
        b"=;;==;\"".to_vec(),
    ];
    for position in 0..good.len() {
        let mut forged = good.clone();
        forged[position] = if forged[position] == b'0' { b'1' } else { b'0' };
        headers.push(forged);
    }
    for byte in 0..=255 {
        headers.push([b"sessionid=", &[byte; 76][..]].concat());
    }
    for header in headers {
        let mut stream = TcpStream::connect(program.address).unwrap();
        let head = [b"GET /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ", &header[..], b"\r\n\r\n"];
        stream.write_all(&head.concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let status = answer.get(9..12).unwrap_or_default();
        let shown = String::from_utf8_lossy(&header[..header.len().min(100)]).into_owned();
        // The server itself answers 400 to bytes that a header may not contain, and 431 to a header that is too long.
        assert!([b"200", b"400", b"431"].contains(&status.try_into().unwrap()), "{shown:?}: {status:?}");
        if status == b"200" && !header.is_empty() {
            assert!(answer.ends_with(b"{}"), "{shown:?} opens nothing");
        }
    }
    let records = walk(&dir);
    assert_eq!(records, 1, "and nothing was made");
}

fn a_store_outage_never_looks_like_an_empty_session(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    visitor.post("/session/a", "1");
    std::fs::remove_dir_all(&dir).unwrap();
    for answer in [visitor.get("/session/a"), visitor.post("/session/b", "2"), visitor.post("/logout", "")] {
        assert_eq!((answer.status, &*answer.body, answer.set_cookie.len()), (503, "", 0));
    }
    assert_eq!((visitor.get("/").status, visitor.get("/healthz").status), (200, 200));
}

fn the_memory_store_can_be_chosen(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[("SESSION_STORE", "memory")]);
    let mut visitor = Browser::new(&program);
    visitor.post("/increment/n", "");
    assert_eq!(visitor.post("/increment/n", "").body, "2");
    assert!(!dir.exists());
}

fn expired_sessions_are_swept_while_the_program_runs(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[("SESSION_IDLE_TIMEOUT", "1"), ("SESSION_CLEANUP_INTERVAL", "1s")]);
    let mut visitor = Browser::new(&program);
    visitor.post("/session/a", "1");
    assert_eq!(walk(&dir), 1);
    wait_until("the session was swept", || walk(&dir) == 0);
    assert_eq!(visitor.get("/session").body, "{}");
}

#[test]
fn both_programs_serve_the_same_sessions_at_the_same_time() {
    let (_parent, dir) = sessions();
    let axum = Program::start(Framework::Axum, &dir, &[]);
    let actix = Program::start(Framework::Actix, &dir, &[]);
    let mut visitor = Browser::new(&axum);
    visitor.post("/login", r#"{"user": "ada"}"#);
    let barrier = Arc::new(Barrier::new(32));
    let threads: Vec<_> = (0..32)
        .map(|number| {
            let mut visitor = visitor.at(if number % 2 == 0 { &axum } else { &actix });
            let barrier = barrier.clone();
            thread::spawn(move || {
                barrier.wait();
                visitor.post("/increment/n", "").body.parse::<u32>().unwrap()
            })
        })
        .collect();
    let mut numbers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=32).collect::<Vec<_>>());
    visitor.post("/signed-cookie/theme", "dark");
    let mut elsewhere = visitor.at(&actix);
    assert_eq!(elsewhere.get("/signed-cookie/theme").body, "dark");
    assert_eq!(elsewhere.get("/session").body, r#"{"n":32,"user":"ada"}"#);
    assert_eq!(elsewhere.post("/logout", "").status, 200);
    assert_eq!(visitor.get("/session").body, "{}");
}

/// The number of records in a session directory.
fn walk(dir: &Path) -> usize {
    let folders = std::fs::read_dir(dir).unwrap().map(|folder| folder.unwrap().path());
    folders
        .filter(|folder| folder.file_name().unwrap().len() == 2)
        .map(|folder| std::fs::read_dir(folder).unwrap().count())
        .sum()
}
