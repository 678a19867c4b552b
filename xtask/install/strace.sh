#!/bin/sh
# Installs the program that `cargo xtask bench` counts system calls with.
exec "$(dirname "$0")/debian.sh" strace
