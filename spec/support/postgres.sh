#!/bin/sh
# postgres.sh VERB DIR [ARG…] - a PostgreSQL of the specs' own: a primary and any number of streaming replicas in DIR.
#
#   start DIR [REPLICAS] [OWNER]  makes and starts it, or what of it is down; prints what `env` prints.  OWNER is the
#                                 id of a process, by default the caller's: it is destroyed when all owners have ended
#   env DIR                       PG_URL='…' (the primary), PG_REPLICA1_URL='…' …
#   destroy DIR                   ends the servers and removes DIR
#   kill DIR NODE                 SIGKILL; node 0 is the primary, 1… are the replicas
#   stop DIR NODE, begin DIR NODE ends a node in good order; begins one that is down
#   pause DIR NODE, resume DIR NODE   a replica repeats nothing until it is resumed
#   delay DIR NODE TIME           a replica repeats everything TIME ("200ms", "0") late
#   cut DIR NODE, join DIR NODE   a replica hears nothing of its primary until it joins again
#   promote DIR NODE              a replica becomes a primary, and the other replicas follow it
#
# Nothing listens on the network: the nodes are reached through sockets in DIR.  Role `rille`, no superuser, owns the
# database `rille`; `postgres` may do all; `guarded` must say its password, "open sesame".  No fsync: kill -9 does no
# harm, a power cut would.
set -eu
export LC_ALL=C

VERSIONS='17 16 15 14'           # of Debian's packages, the first that is there
PATIENCE=300                     # tenths of a second that anything may take
FIRST_PORT=5400

fail() {
  echo "postgres.sh: $*" >&2
  exit 1
}

[ $# -ge 2 ] || { sed -n '2,20s/^# \{0,1\}//p' "$0" >&2; exit 2; }
verb=$1 dir=$2
shift 2
script=$(cd "$(dirname "$0")" && pwd)/postgres.sh

find_programs() {
  for version in $VERSIONS; do
    bin=/usr/lib/postgresql/$version/bin
    [ ! -x "$bin/initdb" ] || return 0
  done
  bin=$(pg_config --bindir 2>/dev/null || true)
  [ -x "$bin/initdb" ] || fail "no PostgreSQL server is installed (Debian: postgresql-15)"
}

# As the servers' user: they refuse to run as root.
as_server() {
  if [ "$(id -u)" = 0 ]; then
    (cd "$dir" && exec runuser -u postgres -- env HOME="$dir" "$@" 9>&-)
  else
    (cd "$dir" && exec env HOME="$dir" "$@" 9>&-)
  fi
}

url() { echo "postgresql://${2:-rille}@/${3:-rille}?host=$dir/s&port=$((FIRST_PORT + $1))"; }
sql() { as_server "$bin/psql" -X -qAt -v ON_ERROR_STOP=1 -d "$(url "$1" postgres postgres)" -c "$2"; }
nodes() { find "$dir" -maxdepth 1 -name 'n[0-9]' | sort | sed 's/.*n//'; }
is_replica() { [ -f "$dir/n$1/standby.signal" ]; }

node() {
  case ${1:-} in [0-9]) ;; *) fail "$verb: which node? 0 is the primary" ;; esac
  [ -d "$dir/n$1" ] || fail "there is no node $1 in $dir"
}

# The process of a node, or nothing: the id of one that is gone may be another one's by now.
process_of() {
  process=$(sed -n 1p "$dir/n$1/postmaster.pid" 2>/dev/null) || return 0
  [ -n "$process" ] || return 0
  ! { tr '\0' ' ' <"/proc/$process/cmdline"; } 2>/dev/null | grep -qF -- "$dir/n$1" || echo "$process"
}

# wait_until WHAT COMMAND… - as long as it takes, but not for ever.
wait_until() {
  what=$1 tries=0
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt $PATIENCE ] || { tail -n 5 "$dir"/n*.log >&2; fail "waited too long: $what"; }
    sleep 0.1
  done
}

is_set() { [ "$(sql "$1" "$2")" = "$3" ]; }

make_node() {                    # a cluster that has just been made and not been started can be copied as it is
  if [ "$1" = 0 ]; then
    as_server "$bin/initdb" -D "$dir/n0" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions \
      >"$dir/initdb.log" 2>&1 || { tail -n 20 "$dir/initdb.log" >&2; fail "initdb failed"; }
    as_server sh -c 'cat >>"$0/postgresql.conf"; mv "$0/pg_hba.conf" "$0/open"
      { echo "local all guarded scram-sha-256"; cat "$0/open"; } >"$0/pg_hba.conf"' "$dir/n0" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir/s'
max_connections = 100
dynamic_shared_memory_type = mmap
shared_buffers = 32MB
fsync = off
wal_level = replica
max_wal_senders = 20
max_wal_size = 256MB
wal_keep_size = 64MB
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 200ms
max_standby_streaming_delay = 5s
log_line_prefix = '%m [%p] %a '
include 'node.conf'
CONF
  else
    as_server cp -a "$dir/n0" "$dir/n$1"
    as_server touch "$dir/n$1/standby.signal"
  fi
  point_node "$1" 0
}

point_node() {                   # node $1 is a replica of node $2 whenever it is one
  as_server sh -c 'cat >"$0/node.conf"' "$dir/n$1" <<CONF
port = $((FIRST_PORT + $1))
primary_conninfo = 'host=$dir/s port=$((FIRST_PORT + $2)) user=postgres application_name=n$1'
CONF
}

# Begins it again where what was killed before was still there.
answers() {
  [ -n "$(process_of "$1")" ] || as_server "$bin/pg_ctl" -D "$dir/n$1" -l "$dir/n$1.log" -W start
  sql "$1" 'select 1'
}

begin_node() { wait_until "node $1 answers" answers "$1"; }
is_gone() { ! kill -0 "$1"; }

end_node() {                     # node mode
  process=$(process_of "$1")
  [ -n "$process" ] || return 0
  as_server "$bin/pg_ctl" -D "$dir/n$1" -m "$2" -t 20 -w stop >/dev/null 2>&1 || kill -9 "$process" 2>/dev/null || true
}

primary() {
  for each in $(nodes); do
    is_replica "$each" || [ -z "$(process_of "$each")" ] || last=$each
  done
  echo "${last:-0}"
}

show_env() {
  number=0 first=$(primary)
  echo "PG_URL='$(url "$first")'"
  for each in $(nodes); do
    [ "$each" != "$first" ] || continue
    number=$((number + 1))
    echo "PG_REPLICA${number}_URL='$(url "$each")'"
  done
}

make_roles() {
  [ -z "$(sql 0 "select 1 from pg_roles where rolname = 'rille'")" ] || return 0
  sql 0 "create role rille login createdb" && sql 0 "create role guarded login password 'open sesame'"
  sql 0 "grant pg_signal_backend to rille" && sql 0 "create database rille owner rille"
}

# Ends the cluster when the last of the processes that want it has ended.
watch_owners() {
  while [ -d "$dir/owners" ]; do
    alive=
    for each in "$dir"/owners/*; do
      if kill -0 "${each##*/}" 2>/dev/null; then alive=yes; else rm -f "$each"; fi
    done
    [ -n "$alive" ] || { sh "$script" destroy "$dir"; return 0; }
    sleep 1
  done
}

start() {
  replicas=${1:-0} owner=${2:-$PPID} fresh=
  case $replicas in [0-9]) ;; *) fail "start: 0 to 9 replicas" ;; esac
  [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 || fail "there is no user postgres (Debian: postgresql-15)"
  mkdir -p "$dir/owners"
  dir=$(cd "$dir" && pwd -P)
  [ ${#dir} -le 80 ] || fail "a socket's path may have 107 bytes: choose a shorter folder than $dir"
  exec 9>>"$dir/lock"
  flock -w 60 9 || fail "somebody else holds $dir"
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  : >"$dir/owners/$owner"
  if [ ! -f "$dir/made" ]; then
    fresh=yes
    rm -rf "$dir"/n[0-9] "$dir/s"
    as_server mkdir "$dir/s"
    for each in $(seq 0 "$replicas"); do make_node "$each"; done
    : >"$dir/made"
  fi
  for each in $(nodes); do begin_node "$each"; done
  make_roles
  wait_until "the replicas follow" is_set "$(primary)" \
    "select count(*) from pg_stat_replication where state = 'streaming'" "$(find "$dir" -name standby.signal | wc -l)"
  for each in $(nodes); do
    ! is_replica "$each" || wait_until "node $each has all" \
      is_set "$each" "select pg_last_wal_replay_lsn() >= '$(sql "$(primary)" 'select pg_current_wal_lsn()')'" t
  done
  if [ -n "$fresh" ]; then
    (exec 9>&- >/dev/null 2>&1 </dev/null; watch_owners &)
  fi
  show_env
}

find_programs
if [ "$verb" != start ]; then
  if [ ! -f "$dir/made" ]; then
    [ "$verb" != destroy ] || { rm -rf "$dir"; exit 0; }
    fail "there is no cluster in $dir"
  fi
  dir=$(cd "$dir" && pwd -P)
fi
case $verb in
  start) start "$@" ;;
  env) show_env ;;
  destroy)
    for each in $(nodes); do end_node "$each" immediate; done
    rm -rf "$dir" ;;
  kill)
    node "${1:-}"
    process=$(process_of "$1")
    [ -n "$process" ] || fail "node $1 does not run"
    kill -9 "$process"
    wait_until "node $1 is gone" is_gone "$process" ;;
  stop) node "${1:-}"; end_node "$1" fast ;;
  begin) node "${1:-}"; begin_node "$1" ;;
  pause)
    node "${1:-}"
    sql "$1" 'select pg_wal_replay_pause()' >/dev/null
    wait_until "node $1 pauses" is_set "$1" 'select pg_get_wal_replay_pause_state()' paused ;;
  resume) node "${1:-}"; sql "$1" 'select pg_wal_replay_resume()' >/dev/null ;;
  delay)
    node "${1:-}"
    sql "$1" "alter system set recovery_min_apply_delay = '${2:?postgres.sh: delay by how much?}'"
    sql "$1" 'select pg_reload_conf()' >/dev/null ;;
  cut)
    node "${1:-}"
    sql "$1" "alter system set primary_conninfo = 'host=$dir/nowhere'"
    sql "$1" 'select pg_reload_conf()' >/dev/null
    wait_until "node $1 is cut off" is_set "$1" 'select count(*) from pg_stat_wal_receiver' 0 ;;
  join)
    node "${1:-}"
    sql "$1" 'alter system reset primary_conninfo'
    sql "$1" 'select pg_reload_conf()' >/dev/null ;;
  promote)
    node "${1:-}"
    as_server "$bin/pg_ctl" -D "$dir/n$1" -t 60 -w promote >/dev/null || fail "node $1 was not promoted"
    for each in $(nodes); do
      if [ "$each" != "$1" ] && is_replica "$each" && [ -n "$(process_of "$each")" ]; then
        point_node "$each" "$1"
        sql "$each" 'alter system reset primary_conninfo'
        sql "$each" 'select pg_reload_conf()' >/dev/null
      fi
    done
    show_env ;;
  *) fail "knows no verb \"$verb\"" ;;
esac
