#!/bin/sh
# file.sh BUILD FILE COUNTS - runs one file of specs in a process of its own; appends "PASSED FAILED NAME" to COUNTS.
#
# With RILLE_SPEC_URL it runs on that database; the name says so.
# A file that crashes, leaks, hangs or says nothing counts as one failure, and takes no other file with it.
# Lines that a spec prints with "-- " in front are meant to be seen and are shown when all went well.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 file=$2 counts=$3

TIMEOUT_S=900                                  # the slowest file takes a small part of this
log=$(mktemp)
trap 'rm -f "$log"' EXIT

set --
if [ -n "${RILLE_SPEC_URL:-}" ]; then           # on PostgreSQL what is said of SQLite alone is left out
  lua5.4 spec/postgres/alone.lua "$file" >"$log"
  while IFS= read -r pattern; do set -- "$@" "--filter-out=$pattern"; done <"$log"
fi
timeout "$TIMEOUT_S" sh spec/busted.sh "$build" "$@" "$file" >"$log" 2>&1
status=$?
# "12 successes / 0 failures / 0 errors / 0 pending : 0.02 seconds"
summary=$(grep -aE '^[0-9]+ success(es)? / [0-9]+ failures? / [0-9]+ errors? / [0-9]+ pending' "$log" | tail -n 1)
# shellcheck disable=SC2086  # the words of the summary are what is wanted
set -- $summary
passed=${1:-0} failed=$((${4:-0} + ${7:-0})) pending=${10:-0}
if [ "$failed" = 0 ] && { [ "$status" != 0 ] || [ "$passed" = 0 ]; }; then failed=1; fi

label=$file${RILLE_SPEC_URL:+ on PostgreSQL}

echo "$passed $failed $build $label" >>"$counts"
{
  printf '%5d passed %3d failed  %s' "$passed" "$failed" "$label"
  [ "$pending" = 0 ] && echo || echo "  ($pending pending)"
  if [ "$failed" = 0 ]; then
    grep -a '^-- ' "$log"
  else
    printf -- '---- exit status %d; the end of what it said:\n' "$status"
    tail -n 80 "$log"
    echo '----'
  fi
} >"$log.shown"
cat "$log.shown"                               # at once, or the lines of two files would mix
rm -f "$log.shown"
