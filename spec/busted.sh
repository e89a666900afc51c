#!/bin/sh
# busted.sh BUILD [ARG…] - runs busted under Lua 5.4 against one build; `sh spec/busted.sh dev spec/lua/query_spec.lua`.
#
# BUILD is release or dev.  The arguments are busted's own.  Specs find the build in RILLE_BUILD, its program in RILLE.
# In dev the sanitizers' library must be there before Lua starts.  Child processes inherit it; leaks are looked for in
# Lua and in rille only, since a shell or an awk that leaves freeing to the kernel is none of our business.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:?busted.sh: which build? release or dev}
shift
busted=$(command -v busted) || { echo "busted.sh: busted is missing (Debian: lua-busted)" >&2; exit 1; }

export RILLE_BUILD="$root/build/$build" RILLE="$root/build/$build/rille"
export LUA_PATH="$root/lua/?.lua;$root/?.lua;;" LUA_CPATH="$RILLE_BUILD/lua/?.so;;"
cd "$root"

if [ "$build" = dev ]; then
  for program in lua5.4 rille; do
    echo 'detect_leaks=1' >"$RILLE_BUILD/$program.asan"
  done
  export ASAN_OPTIONS="detect_leaks=0:exitcode=99:include_if_exists=$RILLE_BUILD/%b.asan"
  export UBSAN_OPTIONS=exitcode=98:print_stacktrace=1
  LD_PRELOAD=$(gcc -print-file-name=libasan.so)
  export LD_PRELOAD
fi
exec lua5.4 "$busted" --ignore-lua --output=plainTerminal "$@"
