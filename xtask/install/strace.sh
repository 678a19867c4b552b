#!/bin/sh
# Installs the program with which `cargo xtask bench` counts system calls.
exec "$(dirname "$0")/debian.sh" strace
