#!/bin/sh
# Installs the program with which `cargo xtask bench` counts instructions.
exec "$(dirname "$0")/debian.sh" valgrind
