#!/bin/sh
# Installs the packages that its arguments name, on Debian and its like.
set -eu

if ! command -v apt-get >/dev/null; then
    echo "$0: there is no apt-get here; install what Debian calls $* with your system's package manager" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "$0: only root can install packages; run: sudo apt-get install $*" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
