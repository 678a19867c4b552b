#!/bin/sh
# Installs the client that crates/demo/tests/curl.rs starts.
exec "$(dirname "$0")/debian.sh" curl
