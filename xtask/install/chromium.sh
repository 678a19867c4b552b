#!/bin/sh
# Installs the browser that crates/demo/tests/browser.rs starts, and its driver.
exec "$(dirname "$0")/debian.sh" chromium chromium-driver
