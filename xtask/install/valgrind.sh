#!/bin/sh
# Installs the program that `cargo xtask bench` counts instructions with.
exec "$(dirname "$0")/debian.sh" valgrind
