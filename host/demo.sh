#!/bin/sh
# demo.sh - from a bare Debian to rille at work: installs what is missing, builds, migrates, fills, shows a short tour.
#
# Runs from any directory, as root or with sudo, as often as you like; only the first run takes minutes.
# DATABASE_URL names another database than build/demo.db.
set -eu
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

fail() {
  echo "demo: $*" >&2
  exit 1
}

# Runs a command whose output only matters when it fails.
quietly() {
  if ! "$@" >build/demo.log 2>&1; then
    tail -n 40 build/demo.log >&2
    fail "\"$*\" failed; all it said is in build/demo.log"
  fi
}

mkdir -p build
step "Packages"
sh host/install-dependencies.sh build
echo "all there"

step "Build"
quietly cmake --preset release
quietly cmake --build --preset release --parallel "$(nproc)"
rille=build/release/rille
[ -x "$rille" ] || fail "the build made no $rille"
"$rille" --version

step "Migrate"
"$rille" migrate

step "Fill and look"
"$rille" run host/demo.lua

step "Go on"
cat <<TEXT
The same data at a prompt, in $(pwd):

    $rille repl

and there, for example:

    Post:published():where("views", ">", 100000):newest():limit(5):all()
    .sql on
    .help
TEXT
