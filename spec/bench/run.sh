#!/bin/sh
# spec/bench/run.sh - measures rille against raw C on the same SQLite library and says whether it is fast enough.
# Usage: sh spec/bench/run.sh [--rounds N] [--only WORK]... [--tuned] [--json] [--patient SECONDS]
#   --rounds N   alternating rounds of each work (5); the start of the process has three times as many
#   --only WORK  find all query create insert save cursor start graph lazy json hooked factory; of tenants visit full
#                hot stock hit row_find row_query row_create wander; mirror_insert mirror_update mirror_apply
#   --tuned      measures raw C with the choices that rille makes for its users, too: no mutexes, SQLite's archive
#   --json       prints the results as JSON instead of a table
#   --postgres   measures rille on PostgreSQL against libpq instead: postgres.sh, which has works of its own
#   --patient S  before each run waits, S seconds at most, until nothing else is at work on the machine
# RILLE names the program (build/release/rille), BENCH_DIR where the data is kept (a directory in TMPDIR);
# BENCH_SYNCHRONOUS, BENCH_MMAP and BENCH_CACHE_KIB change a setting for both sides.  Raw C is what one writes by hand:
# opened by sqlite3_open with its own flags, linked by -lsqlite3; JSON it writes with jansson, which is installed when
# it is missing (host/install-dependencies.sh bench).
# Exit status: 0 all reached, 1 not, 2 misused, 3 a run failed or the sides did not do the same.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
rille=${RILLE:-$here/../../build/release/rille}
home=${BENCH_DIR:-${TMPDIR:-/tmp}/rille-bench-$(id -u)}
rounds=5 only='' tuned='' form=table patient=0

for option in "$@"; do
  [ "$option" != --postgres ] || exec sh "$here/postgres.sh" "$@"
done

misused() {
  echo "bench: $1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --rounds | --only | --patient)
      [ $# -gt 1 ] || misused "$1 wants a value"
      case $1 in
        --rounds) rounds=$2 ;;
        --only) only="$only $2" ;;
        --patient) patient=$2 ;;
      esac
      shift
      ;;
    --tuned) tuned=yes ;;
    --json) form=json ;;
    --help) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) misused "unknown option $1 (--help tells the known ones)" ;;
  esac
  shift
done
case $rounds in '' | *[!0-9]* | 0) misused "--rounds wants a number of at least 1" ;; esac
case $patient in '' | *[!0-9]*) misused "--patient wants a number of seconds" ;; esac
for work in $only; do
  case $work in
    find | all | query | create | insert | save | cursor | start | graph | lazy | json | hooked) ;;
    factory | visit | full | hot | stock | hit | row_find | row_query | row_create | wander) ;;
    mirror_insert | mirror_update | mirror_apply) ;;
    *) misused "no work is called $work" ;;
  esac
done
[ -x "$rille" ] || misused "$rille is missing: cmake --preset release && cmake --build --preset release"

progress() { [ ! -t 2 ] || printf '\r\033[K%s' "$1" >&2; }

mkdir -p "$home"
tmp=$(mktemp -d "$home/run.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# --- programs and data: the data is made anew only when what makes it has changed

libraries=-lsqlite3
compile() {
  program=$1
  shift
  # shellcheck disable=SC2086  # $libraries is several words
  (cd "$here" && ${CC:-cc} -std=c11 -O2 -Wall -Wextra -o "$tmp/$program" "$@" common.c $libraries)
}
sh "$here/../../host/install-dependencies.sh" bench >&2 || misused "raw C wants jansson to write JSON with"
progress "building"
libraries="-lsqlite3 -ljansson"
compile raw raw.c second.c third.c works.c post.c user.c json.c
if [ -n "$tuned" ]; then
  ldd "$rille" | grep -q libsqlite3 || libraries="-l:libsqlite3.a -ljansson -lm -ldl -lpthread"
  compile tuned raw.c second.c third.c works.c post.c user.c json.c
fi
libraries=-lsqlite3
compile check check.c
compile first first.c
compile start start.c

stamp=$(cd "$here" && cat data.c common.h common.c | cksum | cut -d ' ' -f 1)
data=$home/data-$stamp
if [ ! -d "$data" ]; then
  progress "making the data"
  compile data data.c
  mkdir "$tmp/made"
  "$tmp/data" "$tmp/made/posts.db" "$tmp/made/events.db" "$tmp/made/graph.db"
  sync "$tmp/made/posts.db" "$tmp/made/events.db" "$tmp/made/graph.db"
  rm -rf "$home"/data-*
  mv "$tmp/made" "$data"
fi
cp "$data/posts.db" "$tmp/posts.db"                  # reads leave -wal and -shm files beside the database
cp "$data/events.db" "$tmp/events.db"
cp "$data/graph.db" "$tmp/graph.db"
BENCH_MANY=$tmp/many                                 # small databases
export BENCH_MANY
mkdir "$BENCH_MANY"

# --- both sides must stand on the same library with the same settings

settings=$("$tmp/raw" settings "$tmp/posts.db")             # the second line tells how the library was compiled
other=$("$rille" run "$here/rille.lua" settings "$tmp/posts.db")
if [ "$settings" != "$other" ]; then
  echo "bench: the settings differ, so no ratio would mean anything" >&2
  printf '  raw C: %s\n  rille: %s\n' "$settings" "$other" >&2
  exit 3
fi

# --- the works

idle_ticks() { awk '/^cpu /{ print $5 }' /proc/stat; }

# wait_for_quiet: until the cores were idle for a whole second (but for a twentieth), or patience ends
wait_for_quiet() {
  left=$patient
  while [ "$left" -gt 0 ]; do
    before=$(idle_ticks)
    sleep 1
    [ $((($(idle_ticks) - before) * 100)) -lt $((ticks * cores * 95)) ] || break
    left=$((left - 1))
  done
}

# run WORK SIDE DB: one run of one side, its outcome printed as "key=value …"
run() {
  wait_for_quiet
  case $2 in
    raw) "$tmp/raw" "$1" "$3" ;;
    tuned) BENCH_OPEN=nomutex "$tmp/tuned" "$1" "$3" ;;
    bare) "$tmp/raw" "${1}_bare" "$3" ;;
    rille) "$rille" run "$here/rille.lua" "$1" "$3" ;;
    snapshot | plain | hand | none) "$rille" run "$here/rille.lua" "$1" "$3" "$2" ;;
    flat) BENCH_MMAP=0 "$rille" run "$here/rille.lua" "$1" "$3" ;;
  esac
}

# measure WORK SIDE DB: a run, noted
measure() {
  progress "$1: $2"
  result=$(run "$1" "$2" "$3") || return 1
  echo "work=$1 side=$2 $result" >> "$tmp/results"
}

# measure_write WORK SIDE: a run on a copy of its own, which an independent program looks at afterwards
measure_write() {
  progress "$1: $2"
  rm -f "$tmp"/copy.db*
  cp "$data/posts.db" "$tmp/copy.db"
  sync "$tmp/copy.db"
  result=$(run "$1" "$2" "$tmp/copy.db") || return 1
  check=$("$tmp/check" "$tmp/copy.db") || return 1
  as=$2
  [ "$as" != plain ] || as=raw                         # what the mirrored one stands beside
  echo "work=$1 side=$as $result $check" >> "$tmp/results"
}

# measure_start: whole programs, in turn
measure_start() {
  progress "start"
  [ "$("$tmp/first" "$tmp/posts.db")" = "$("$rille" run "$here/first.lua" "$tmp/posts.db")" ] || return 1
  wait_for_quiet
  "$tmp/start" $((rounds * 3)) raw "$tmp/first" "$tmp/posts.db" \
    -- rille "$rille" run "$here/first.lua" "$tmp/posts.db" >> "$tmp/results"
}

# round WORK: each side once
round() {
  for side in raw rille ${tuned:+tuned} snapshot bare hand none; do
    case $1:$side in
      hit:rille | hit:hand | row_*:rille | row_*:hand | row_*:none | wander:rille)
        measure "$1" "$side" "$tmp/posts.db" || return 1
        ;;
      hit:* | row_*:* | wander:* | *:hand | *:none) ;;
      create:snapshot | insert:snapshot | save:snapshot | json:snapshot | hooked:snapshot) ;;   # it only reads
      mirror_apply:rille) measure_write mirror_apply rille || return 1 ;;
      mirror_apply:*) ;;
      mirror_*:raw) measure_write "$1" plain || return 1 ;;
      mirror_*:rille) measure_write "$1" rille || return 1 ;;
      mirror_*) ;;
      factory:rille) measure_write factory rille || return 1 ;;
      factory:*) ;;
      visit:snapshot | full:snapshot | hot:snapshot | stock:snapshot) ;;      # of one database
      cursor:*) measure "$1" "$side" "$tmp/events.db" || return 1 ;;
      *:bare) ;;
      graph:* | lazy:*) measure "$1" "$side" "$tmp/graph.db" || return 1 ;;
      create:* | insert:* | save:* | hooked:*) measure_write "$1" "$side" || return 1 ;;
      *) measure "$1" "$side" "$tmp/posts.db" || return 1 ;;
    esac
  done
}

# all_rounds WORK
all_rounds() {
  if [ "$1" = start ]; then
    measure_start
    return
  fi
  case $1 in visit | full | hot | stock | hit | wander) "$tmp/raw" many "$tmp/posts.db" >/dev/null || return 1 ;; esac
  done=0
  while [ "$done" -lt "$rounds" ]; do
    round "$1" || return 1
    done=$((done + 1))
  done
  [ "$1" != cursor ] || measure cursor flat "$tmp/events.db"
}

cores=$(nproc)
ticks=$(getconf CLK_TCK)
load=$(cut -d ' ' -f 1 /proc/loadavg)
: > "$tmp/results"
failed=''
all='find all query create insert save cursor start graph lazy json hooked factory'
all="$all visit full hot stock hit row_find row_query row_create wander mirror_insert mirror_update mirror_apply"
for work in ${only:-$all}; do
  all_rounds "$work" || failed="$failed $work"
done
progress ''

status=0
machine="$cores cores, load average $load when it began"
"${LUA:-lua5.4}" "$here/report.lua" "$form" "$tmp/results" "$(echo "$settings" | head -n 1)" "$machine" || status=$?
for work in $failed; do
  echo "bench: $work: a run failed, so it does not count as reached" >&2
  status=3
done
exit "$status"
