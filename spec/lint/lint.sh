#!/bin/sh
# lint.sh [NAME…] - the checks of the sources; for each a line "ok NAME (SECONDS)" or, below what it found, "not ok".
#
# Without names: all.  clang-format and clang-tidy are asked where they are installed (they are in CI) and configured.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- luacheck includes contracts form shell analyzer format tidy

LINES_SHOWN=60                   # of what one check has found
jobs=$(nproc)
failed=0

# The files in some folders, the longest first: one that began last would keep the other processors waiting.
sources() { find "$@" -name '*.c' -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2; }

# gcc's own path-sensitive look at each file of the core: leaks, use after free, double free, unchecked malloc.  It sees
# one file at a time and so cannot know that a function of another one which returns RILLE_OK has set its out-parameter.
analyzer() {
  # shellcheck disable=SC2046  # several flags are several words
  sources core | xargs -P "$jobs" -I FILE gcc -std=gnu11 -I. \
    $(pkg-config --cflags lua5.4 sqlite3 libpq) -O1 -fanalyzer -fanalyzer-verbosity=0 \
    -Wno-analyzer-null-dereference -Werror -c -o /dev/null FILE
}

tidy() {
  [ -f build/release/compile_commands.json ] || cmake --preset release >/dev/null || return 1
  # shellcheck disable=SC2016  # FILE is xargs' word
  sources core host | xargs -P "$jobs" -I FILE sh -c 'found=$(clang-tidy --quiet -p build/release FILE 2>&1) ||
    { printf "%s\n" "$found" | grep -v "warnings\{0,1\} generated\.$"; exit 1; }'
}

run() {
  case $1 in
    luacheck) luacheck --quiet --no-color lua models migrations docs host spec ./*.lua ;;
    includes | contracts | form) lua5.4 spec/lint/check.lua "$1" ;;
    shell) find host spec -name '*.sh' | while read -r file; do sh -n "$file" || return 1; done && sh -n .ci/run ;;
    analyzer) analyzer ;;
    format) find core host spec -name '*.[ch]' | xargs -P "$jobs" -n 50 clang-format --dry-run -Werror ;;
    tidy) tidy ;;
    *) echo "lint.sh knows no \"$1\""; return 1 ;;
  esac
}

for name; do
  case $name in format | tidy)
    command -v "clang-$name" >/dev/null 2>&1 || { echo "-- $name: no clang-$name here"; continue; }
    [ -f ".clang-$name" ] || { echo "-- $name: no .clang-$name"; continue; } ;;
  esac
  began=$(date +%s)
  if output=$(run "$name" 2>&1); then
    echo "ok $name ($(($(date +%s) - began)) s)"
  else
    printf '%s\n' "$output" | head -n "$LINES_SHOWN"
    echo "not ok $name"
    failed=1
  fi
done
exit $failed
