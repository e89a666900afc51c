#!/bin/sh
# install-dependencies.sh [build] [test] [ci] [bench] - installs from Debian what the named work needs.
#
# Does nothing, and asks for no rights, when the machine lacks nothing.  Otherwise it runs apt-get as root or through
# sudo.
# With RILLE_NO_INSTALL=1 it only says what is missing.  Exit status 0: all there; 1: something is missing.
set -eu

BUILD='gcc libc6-dev make cmake pkg-config lua5.4 liblua5.4-dev libsqlite3-dev lua-lpeg lua-lpeg-dev libedit-dev
       lua-argparse lua-dkjson libpq-dev'
TEST='lua-busted lua-check libcmocka-dev sqlite3 postgresql-15 pgbouncer openssl iproute2'
CI='clang-tidy clang-format'
BENCH='libjansson-dev'

fail() {
  echo "install-dependencies: $*" >&2
  exit 1
}

wanted=
for work in "${@:-build}"; do
  case $work in
    build) wanted="$wanted $BUILD" ;;
    test)  wanted="$wanted $TEST" ;;
    ci)    wanted="$wanted $CI" ;;
    bench) wanted="$wanted $BENCH" ;;
    *)     fail "knows build, test, ci and bench, not \"$work\"" ;;
  esac
done

command -v dpkg-query >/dev/null 2>&1 ||
  fail "this is no Debian (there is no dpkg-query). Needed are, under their Debian names:" $wanted

missing=
for package in $wanted; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
    installed*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

[ "${RILLE_NO_INSTALL:-}" != 1 ] || fail "missing:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 ||
    fail "neither root nor sudo. Please run, as root:  apt-get install --no-install-recommends$missing"
  as_root='sudo'
fi

echo "Installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1
}
# An update may fail for a source that has nothing to do with us; whether it mattered shows when installing.
apt update || echo "install-dependencies: apt-get update had errors; going on with the lists that are there" >&2
if ! apt install --no-install-recommends $missing; then
  tail -n 15 "$log" >&2
  fail "apt-get could not install:$missing"
fi
