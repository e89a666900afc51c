#!/bin/sh
# file.sh BUILD FILE COUNTS - runs one file of specs in a process of its own; appends a line to COUNTS:
# "PASSED FAILED SECONDS NAME", and to COUNTS.failed what it said when it failed.
#
# It says how long that took, and how much of it processors worked: the rest was waiting, for time or for others.
# With RILLE_SPEC_URL it runs on that database; the name says so.
# A file that crashes, leaks, hangs or says nothing counts as one failure, and takes no other file with it.
# Lines that a spec prints with "-- " in front are meant to be seen and are shown when all went well.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 file=$2 counts=$3

TIMEOUT_S=900                                  # the slowest file takes a small part of this
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log

set --
if [ -n "${RILLE_SPEC_URL:-}" ]; then           # on PostgreSQL what is said of SQLite alone is left out
  lua5.4 spec/postgres/alone.lua "$file" >"$log"
  while IFS= read -r pattern; do set -- "$@" "--filter-out=$pattern"; done <"$log"
fi
began=$(date +%s.%N)
timeout "$TIMEOUT_S" sh spec/busted.sh "$build" "$@" "$file" >"$log" 2>&1
status=$?
times >"$work/times"                           # not in a subshell, which has none of its own
# The last line of `times`: "1m2.345s 0m0.678s", in the program and in the kernel, of what has ended.
took=$(date +%s.%N | awk -v began="$began" -v times="$work/times" '{
    took = $1 - began
    while ((getline <times) > 0) { split($1 "m" $2, part, /m/) }
    printf "%.1f %.1f", took, part[1] * 60 + part[2] + part[3] * 60 + part[4]
  }')
seconds=${took% *} worked=${took#* }
# "12 successes / 0 failures / 0 errors / 0 pending : 0.02 seconds"
summary=$(grep -aE '^[0-9]+ success(es)? / [0-9]+ failures? / [0-9]+ errors? / [0-9]+ pending' "$log" | tail -n 1)
# shellcheck disable=SC2086  # the words of the summary are what is wanted
set -- $summary
passed=${1:-0} failed=$((${4:-0} + ${7:-0})) pending=${10:-0}
if [ "$failed" = 0 ] && { [ "$status" != 0 ] || [ "$passed" = 0 ]; }; then failed=1; fi

label=$file${RILLE_SPEC_URL:+ on PostgreSQL}

echo "$passed $failed $seconds $build $label" >>"$counts"
{
  printf '%5d passed %3d failed %6s s (%5s of work)  %s' "$passed" "$failed" "$seconds" "$worked" "$label"
  [ "$pending" = 0 ] && echo || echo "  ($pending pending)"
  if [ "$failed" = 0 ]; then
    grep -a '^-- ' "$log"
  else
    printf -- '---- exit status %d; the end of what it said:\n' "$status"
    tail -n 80 "$log"
    echo '----'
  fi
} >"$work/shown"
[ "$failed" = 0 ] || cat "$work/shown" >>"$counts.failed"
cat "$work/shown"                              # at once, or the lines of two files would mix
