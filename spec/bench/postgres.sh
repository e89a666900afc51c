#!/bin/sh
# spec/bench/postgres.sh - the works on PostgreSQL: rille against libpq by hand, on a server of the benchmark's own.
# Usage: sh spec/bench/run.sh --postgres [--rounds N] [--only WORK]... [--json]
#   --only WORK  pg_find pg_all pg_query pg_create pg_insert pg_cursor pg_graph pg_token pg_replica
# Both sides prepare each statement once and take results in binary; the server has no fsync, which would hide the rest.
# Exit status: 0 all reached, 1 not, 2 misused, 3 a run failed or the sides did not do the same.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
rille=${RILLE:-$here/../../build/release/rille}
all='pg_find pg_all pg_query pg_create pg_insert pg_cursor pg_graph pg_token pg_replica'
rounds=5 only='' form=table

misused() {
  echo "bench: $1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --rounds | --only)
      [ $# -gt 1 ] || misused "$1 wants a value"
      case $1 in --rounds) rounds=$2 ;; --only) only="$only $2" ;; esac
      shift
      ;;
    --json) form=json ;;
    --postgres) ;;
    --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) misused "unknown option $1 (--help tells the known ones)" ;;
  esac
  shift
done
case $rounds in '' | *[!0-9]* | 0) misused "--rounds wants a number of at least 1" ;; esac
for work in $only; do
  case " $all " in *" $work "*) ;; *) misused "no work is called $work" ;; esac
done
[ -x "$rille" ] || misused "$rille is missing: cmake --preset release && cmake --build --preset release"

tmp=$(mktemp -d)
trap 'sh "$here/../support/postgres.sh" destroy "$tmp/server" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
progress() { [ ! -t 2 ] || printf '\r\033[K%s' "$1" >&2; }

progress "starting a server"
chmod 755 "$tmp"                                       # the servers' user looks into it
sh "$here/../support/postgres.sh" start "$tmp/server" 1 $$ >"$tmp/urls"
. "$tmp/urls"
(cd "$here" && ${CC:-cc} -std=c11 -O2 -Wall -Wextra -D_GNU_SOURCE -I"$(pg_config --includedir)" -o "$tmp/raw" \
  postgres.c postgres_common.c postgres_graph.c postgres_data.c -lpq)
progress "making the data"
"$tmp/raw" data "$PG_URL"

# measure WORK SIDE: a run, noted, and what it wrote as the server sees it
measure() {
  progress "$1: $2"
  case $2 in
    raw) result=$("$tmp/raw" "$1" "$PG_URL") || return 1 ;;
    *) result=$("$rille" run "$here/postgres.lua" "$1" "$PG_URL" "$2" "$PG_REPLICA1_URL") || return 1 ;;
  esac
  check=''
  case $1 in
    pg_create | pg_insert) check=$("$tmp/raw" check "$PG_URL") && "$tmp/raw" clean "$PG_URL" || return 1 ;;
    pg_token) "$tmp/raw" clean "$PG_URL" || return 1 ;;
  esac
  echo "work=$1 side=$2 $result $check" >>"$tmp/results"
}

round() {
  case $1 in
    pg_token | pg_replica) measure "$1" rille && measure "$1" hand ;;
    *) measure "$1" raw && measure "$1" rille ;;
  esac
}

machine="$(nproc) cores, load average $(cut -d ' ' -f 1 /proc/loadavg) when it began"
: >"$tmp/results"
failed=''
for work in ${only:-$all}; do
  done=0
  while [ "$done" -lt "$rounds" ]; do
    round "$work" || { failed="$failed $work"; break; }
    done=$((done + 1))
  done
done
progress ''

status=0
"${LUA:-lua5.4}" "$here/report.lua" "$form" "$tmp/results" "PostgreSQL, $("$rille" run "$here/postgres.lua" version \
  "$PG_URL")" "$machine" || status=$?
for work in $failed; do
  echo "bench: $work: a run failed, so it does not count as reached" >&2
  status=3
done
exit "$status"
