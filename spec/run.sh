#!/bin/sh
# run.sh [release] [dev] [lint] - all tests: installs what they need, builds, runs them; the last line is the sum.
#
# Without arguments: everything.  The last line is `N passed, M failed`; the exit status is 0 when M is 0.
# A build that fails and a suite that crashes, hangs or says nothing count as failed.
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- release dev lint

TEST_TIMEOUT_S=300                             # for one C program; they take seconds
jobs=$(nproc)
work=$(mktemp -d)
server=${TMPDIR:-/tmp}/rille-specs.$$            # the servers' user must reach it
trap 'sh spec/support/postgres.sh destroy "$server" >/dev/null 2>&1; rm -rf "$work"' EXIT
counts=$work/counts                            # a line "PASSED FAILED SUITE" for each suite
: >"$counts"

step() { printf '\n== %s\n' "$*"; }

# Runs a command whose output only matters when it fails; then that is one failure.
must() {
  if ! "$@" >"$work/must.log" 2>&1; then
    tail -n 60 "$work/must.log"
    echo "0 1 $*" >>"$counts"
    return 1
  fi
}

build() {
  step "Build: $1"
  must cmake --preset "$1" && must cmake --build --preset "$1" --parallel "$jobs" && echo "build/$1"
}

# cmocka says how many cases of each program passed; a program that fails without saying so counts as one failure.
c_tests() {
  step "C tests: $1"
  ctest --test-dir "build/$1" --no-tests=error --parallel "$jobs" --timeout "$TEST_TIMEOUT_S" -V >"$work/ctest.log" 2>&1
  awk -v suite="ctest $1" '
    /^[0-9]+: \[  (PASSED|FAILED)  \] [0-9]+ test\(s\)/ {
      id = $1 + 0
      if ($3 == "PASSED") passed[id] += $5; else failed[id] += $5
    }
    / Test +#[0-9]+: / {
      id = $0; sub(/.*Test +#/, "", id); id += 0
      good = / Passed /
      if (good && !(id in passed)) passed[id] = 1
      if (!good && !(failed[id] > 0)) failed[id] = 1
      p += passed[id]; f += failed[id]; programs++
    }
    END { print p + 0, programs ? f + 0 : 1, suite }' "$work/ctest.log" >"$work/ctest.count"
  cat "$work/ctest.count" >>"$counts"
  read -r passed failed name <"$work/ctest.count"
  printf '%5d passed %3d failed  %s\n' "$passed" "$failed" "$name"
  [ "$failed" = 0 ] || grep -aE '^[0-9]+: |Test +#' "$work/ctest.log" | grep -avE '\[       OK \]|\[ RUN      \]'
}

# What takes minutes under the sanitizers, and of which the parts are tried there: it runs in release.
LONG='spec/story/debian_spec.lua spec/hostile/session_spec.lua'

specs() {
  step "Specs: $1"
  find spec -path spec/postgres -prune -o -name '*_spec.lua' -print | sort >"$work/specs"
  if [ "$1" = dev ]; then
    echo "in release only: $LONG"
    for long in $LONG; do sed -i "\\|^$long\$|d" "$work/specs"; done
  fi
  cat "$work/specs" \
    | xargs -P "$jobs" -I FILE sh spec/file.sh "$1" FILE "$counts"
}

# On a server of their own, which ends with this script.
postgres_specs() {
  step "Specs on PostgreSQL: $1"
  must sh spec/support/postgres.sh start "$server" 0 $$ || return
  url=$(sh spec/support/postgres.sh env "$server" | sed -n "s/^PG_URL='\(.*\)'$/\1/p")
  { find spec/postgres -name '*_spec.lua' | sort; grep -v '^#' spec/postgres/shared; } \
    | RILLE_SPEC_URL=$url xargs -P "$jobs" -I FILE sh spec/file.sh "$1" FILE "$counts"
}

lint() {
  step "Lint"
  sh spec/lint/lint.sh | tee "$work/lint.log"
  awk '/^ok /{ p++ } /^not ok /{ f++ } END { print p + 0, p ? f + 0 : 1, "lint" }' "$work/lint.log" >>"$counts"
}

step "Packages"
if must sh host/install-dependencies.sh build test; then
  echo "all there"
  for what; do
    case $what in
      release | dev) build "$what" && { c_tests "$what"; specs "$what"; postgres_specs "$what"; } ;;
      lint)          lint ;;
      *)             echo "0 1 run.sh knows release, dev and lint, not \"$what\"" >>"$counts" ;;
    esac
  done
fi

step "Sum"
awk '$2 > 0 { f = $2; sub(/^[0-9]+ [0-9]+ /, ""); print "failed: " $0 " (" f ")" }' "$counts"
awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f; exit (f > 0) }' "$counts"
