#!/bin/sh
# Installs the browser that crates/demo/tests/browser.rs starts, and the driver that it is driven by.
exec "$(dirname "$0")/debian.sh" chromium chromium-driver
