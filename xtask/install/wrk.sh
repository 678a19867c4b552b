#!/bin/sh
# Installs the program with which `cargo xtask bench http` makes requests.
exec "$(dirname "$0")/debian.sh" wrk
