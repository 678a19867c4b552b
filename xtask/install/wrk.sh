#!/bin/sh
# Installs the program that `cargo xtask bench http` makes requests with.
exec "$(dirname "$0")/debian.sh" wrk
