#!/bin/sh
# run.sh [release] [dev] [lint] - all tests: installs what they need, builds, runs them; the last line is the sum.
#
# Without arguments: everything.  The last line is `N passed, M failed`; the exit status is 0 when M is 0.
# A build that fails and a suite that crashes, hangs or says nothing count as failed.
# It says what took longest and, in lines that begin with "-- ", what was tried in parts, and how to have it all.
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- release dev lint
once=release                                   # the build in which those run that run in one
case " $* " in *' dev '*) once=dev ;; esac

jobs=$(nproc)
crowd=$((jobs + 1))                            # of what also waits, for servers and for time: no processor is idle
work=$(mktemp -d)
# Where servers keep their data: in memory, where there is room for it.  Their user must reach it.
room_kib=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "${room_kib:-0}" -gt 4000000 ] && [ -w /dev/shm ]; then : "${RILLE_SPEC_SERVERS:=/dev/shm}"; fi
export RILLE_SPEC_SERVERS="${RILLE_SPEC_SERVERS:-${TMPDIR:-/tmp}}"
server=$RILLE_SPEC_SERVERS/rille-specs.$$
trap 'sh spec/support/postgres.sh destroy "$server" >/dev/null 2>&1; rm -rf "$work"' EXIT
counts=$work/counts                            # a line "PASSED FAILED SECONDS SUITE" for each suite
: >"$counts" >"$counts.failed"                 # what was said by those that failed, shown once more in the end
began=$(date +%s)

# Says what begins, how long all has taken so far, and how much of that processors worked, but for the servers'.
step() {
  times >"$work/times"                         # not in a subshell, which has none of its own
  printf '\n== %s (after %d s, %s s of work)\n' "$*" "$(($(date +%s) - began))" "$(awk '
    NR == 2 { split($1 "m" $2, part, /m/); printf "%.0f", part[1] * 60 + part[2] + part[3] * 60 + part[4] }
  ' "$work/times")"
}

# Runs a command whose output only matters when it fails; then that is one failure.
must() {
  if ! "$@" >"$work/must.log" 2>&1; then
    tail -n 60 "$work/must.log" | tee -a "$counts.failed"
    echo "0 1 0 $*" >>"$counts"
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
  ctest --test-dir "build/$1" --no-tests=error --parallel "$crowd" -V >"$work/ctest.log" 2>&1
  awk -v build="$1" '
    /^[0-9]+: \[  (PASSED|FAILED)  \] [0-9]+ test\(s\)/ {
      id = $1 + 0
      if ($3 == "PASSED") passed[id] += $5; else failed[id] += $5
    }
    / Test +#[0-9]+: / {
      id = $0; sub(/.*Test +#/, "", id); name = id; id += 0
      sub(/^[0-9]+: /, "", name); sub(/ .*/, "", name)
      good = / Passed /
      if (good && !(id in passed)) passed[id] = 1
      if (!good && !(failed[id] > 0)) failed[id] = 1
      print passed[id] + 0, failed[id] + 0, $(NF - 1), build, name
      programs++
    }
    END { if (!programs) print 0, 1, 0, build, "ctest" }' "$work/ctest.log" >"$work/ctest.counts"
  cat "$work/ctest.counts" >>"$counts"
  awk '{ p += $1; f += $2 } END { printf "%5d passed %3d failed  in %d programs\n", p, f, NR }' "$work/ctest.counts"
  sed -n 's/^[0-9]*: \(-- .*\)/\1/p' "$work/ctest.log" | sort -u
  # What the programs said that failed: ctest writes the number of each in front of its lines.
  awk '
    FNR == NR { if (/ Test +#[0-9]+: .*\*\*\*/) { sub(/.*Test +#/, ""); bad[$0 + 0] = 1 } next }
    /^[0-9]+: / && ($1 + 0 in bad) && !/\[       OK \]|\[ RUN      \]/
  ' "$work/ctest.log" "$work/ctest.log" | tee -a "$counts.failed"
}

# What takes minutes under the sanitizers, and of which the parts are tried there: it runs in release.
LONG='spec/story/debian_spec.lua spec/hostile/session_spec.lua spec/story/replicas_spec.lua
  spec/story/failover_spec.lua spec/postgres/promote_crash_spec.lua spec/postgres/tenant_crash_spec.lua'

# What a server does for most of its time is no different for a build: one of them runs it.
ONCE='spec/postgres/tenant_extract_spec.lua spec/postgres/tenant_table_spec.lua
  spec/postgres/tenant_database_spec.lua spec/postgres/promote_spec.lua'

# Names of specs, each on a line, without those that the build does not run.
of_build() {
  if [ "$1" = dev ]; then printf '%s\n' $LONG >"$work/left"; else : >"$work/left"; fi
  [ "$1" = $once ] || printf '%s\n' $ONCE >>"$work/left"
  grep -vxF -f "$work/left"
}

# Lines "ENGINE FILE" of all that a build runs.
all_specs() {
  find spec -path spec/postgres -prune -o -name '*_spec.lua' -print | of_build "$1" | sed 's/^/sqlite /'
  [ -z "${PG_URL:-}" ] || {
    find spec/postgres -name '*_spec.lua'
    [ "$1" != $once ] || grep -v '^#' spec/postgres/shared
  } | of_build "$1" | sed 's/^/postgres /'
}

# Those that spec/long names come first: one that began last would keep the others waiting.
long_first() { awk 'FNR == NR { if (!/^#/) rank[$0] = FNR; next } { print ($0 in rank) ? rank[$0] : 1000, $0 }' \
  spec/long - | sort -n | cut -d ' ' -f 2-; }

# Those on PostgreSQL run on a server of their own, which ends with this script.
specs() {
  step "Specs: $1"
  must sh spec/support/postgres.sh start "$server" 0 $$ && eval "$(sh spec/support/postgres.sh env "$server")"
  [ "$1" = release ] || echo "in release only:" $LONG
  [ "$1" = $once ] || echo "in $once only:" $ONCE
  # shellcheck disable=SC2016  # the words are those of the inner shell
  all_specs "$1" | long_first | RILLE_SPEC_URL=${PG_URL:-} \
    xargs -P "$crowd" -L 1 sh -c '[ "$3" = postgres ] || unset RILLE_SPEC_URL
      exec sh spec/file.sh "$1" "$4" "$2"' sh "$1" "$counts"
}

lint() {
  step "Lint"
  sh spec/lint/lint.sh | tee "$work/lint.log"
  awk '/^ok /{ p++ } /^not ok /{ f++ } END { print p + 0, p ? f + 0 : 1, 0, "lint" }' "$work/lint.log" >>"$counts"
}

step "Packages"
if must sh host/install-dependencies.sh build test; then
  echo "all there"
  for what; do
    case $what in
      release | dev) build "$what" && { c_tests "$what"; specs "$what"; } ;;
      lint)          lint ;;
      *)             echo "0 1 0 run.sh knows release, dev and lint, not \"$what\"" >>"$counts" ;;
    esac
  done
fi

step "What took longest, in seconds"
sort -k 3,3 -rn "$counts" | head -n 20 | awk '{ printf "%7.1f  ", $3; sub(/^[0-9]+ [0-9]+ [0-9.]+ /, ""); print }'

if [ -s "$counts.failed" ]; then
  step "What failed"
  cat "$counts.failed"
fi

step "Sum"
awk '$2 > 0 { f = $2; sub(/^[0-9]+ [0-9]+ [0-9.]+ /, ""); print "failed: " $0 " (" f ")" }' "$counts"
awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f; exit (f > 0) }' "$counts"
