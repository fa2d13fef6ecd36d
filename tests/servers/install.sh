#!/bin/sh
# Installs the servers that tests start, where this user may; else says what is missing and why.
# Tests that need a missing one are skipped with that reason; where CI is set nothing may be missing.
set -u
wanted="postfix swaks prometheus chromium"
commands="postfix:postfix swaks:swaks promtool:prometheus chromium:chromium"
missing=""
PATH="$PATH:/usr/sbin:/sbin"
for pair in $commands; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null 2>&1
  # The packages' own services are not wanted: tests start servers with folders and ports of theirs.
  if apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; then
    exit 0
  fi
fi
echo "tests that need these Debian packages will be skipped, they cannot be installed here:$missing"
[ "${CI:-}" = "true" ] && exit 1
exit 0
