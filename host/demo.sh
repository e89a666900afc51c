#!/bin/sh
# demo.sh - from a bare Debian to rille at work: installs what is missing, builds, migrates, fills, shows a short tour.
#
# Runs from any directory, as root or with sudo, as often as you like; only the first run takes minutes.
# DEMO_FOLDER names another folder than build for its databases.
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

mkdir -p build "${DEMO_FOLDER:-build}"
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
STRATEGY=row "$rille" run host/demo.lua

step "A database for one of the publishers: the same models, the same answers, and back again"
STRATEGY=database "$rille" tenants:extract northgate-courier
STRATEGY=database "$rille" run host/demo.lua tenants
STRATEGY=database "$rille" tenants:absorb northgate-courier

step "Go on"
cat <<TEXT
The same data at a prompt, in $(pwd):

    $rille repl

and there, for example:

    rille.tenant.set { id = 3 }
    Post:published():where("views", ">", 10000):newest():limit(5):all()
    .sql on
    .help
TEXT
