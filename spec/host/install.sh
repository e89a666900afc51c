#!/bin/sh
# install.sh BUILD - installs a build into a temporary prefix and uses it from outside, in every way there is.
#
# The C example of the README through pkg-config and through find_package (shared and static), the program, and the
# module for a stock lua5.4.  Says what it tried; exit status 0 if all of it worked.
set -eu
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() {
  echo "install: $*" >&2
  exit 1
}

# expect WHAT WANTED GIVEN
expect() {
  [ "$2" = "$3" ] || fail "$1 gave
$3
instead of
$2"
  echo "ok $1"
}

cmake --install "$build" --prefix "$prefix" >"$work/log" || fail "$(cat "$work/log")"
libdir=$(dirname "$(find "$prefix" -name librille.so)")
export PKG_CONFIG_PATH="$libdir/pkgconfig" LD_LIBRARY_PATH="$libdir"
PATH=$prefix/bin:$PATH

# Whoever links a sanitized library has to be sanitized too.
flags='-Wall -Wextra -Werror'
if nm -D "$libdir/librille.so" | grep -q __asan_init; then
  flags="$flags -fsanitize=address,undefined"
  sanitized=yes
fi

# --- an application

mkdir -p "$work/app/models" "$work/app/migrations"
cd "$work/app"
cat >rille.config.lua <<'LUA'
return { connections = { main = { driver = "sqlite", database = "app.db" } } }
LUA
cat >migrations/0001_posts.lua <<'LUA'
return {
  up = function(schema) schema:create("posts", function(t) t:id(); t:string("title"); t:string("status") end) end,
  down = function(schema) schema:drop("posts") end,
}
LUA
cat >models/post.lua <<'LUA'
local rille = require "rille"
return rille.model "Post" {
  scopes = {
    recent = function(query, status, n) return query:where("status", status):order_by_desc("id"):limit(n) end,
  },
}
LUA
cat >fill.lua <<'LUA'
for i = 1, 12 do Post:create { title = "Post " .. i, status = i % 2 == 0 and "published" or "draft" } end
LUA
cat >example.c <<'C'
#include <rille.h>
#include <stdio.h>

int
main(void)
{
  rille_error err = { 0 };
  rille_host *host = rille_open(&(rille_options){ .config = "rille.config.lua" }, &err);
  rille_value args[] = { rille_text("published"), rille_int(3) };
  rille_value *posts = rille_call(host, "Post:recent", args, 2, &err);

  for (size_t i = 0; i < rille_length(posts); i++)
    puts(rille_as_text(rille_get(rille_at(posts, i), "title")));
  if (posts == NULL)
    printf("%s: %s\n%s\n", err.kind, err.message, err.traceback);
  rille_free(posts);

  if (rille_call(host, "Post:recnt", NULL, 0, &err) == NULL)
    printf("%s (%s)\n", err.kind, err.hint);
  rille_field title = { "title", rille_text("From C") }, status = { "status", rille_text("draft") };
  rille_value post = rille_table((rille_field[]){ title, status }, 2);
  rille_value *made = rille_call(host, "Post:create", &post, 1, &err);
  printf("%lld %s\n", (long long)rille_as_int(rille_get(made, "id")), rille_as_text(rille_get(made, "title")));
  rille_free(made);
  rille_close(host);
  return 0;
}
C
wanted='Post 12
Post 10
Post 8
invalid_argument (did you mean "recent"?)'

rille migrate >"$work/log" 2>&1 || fail "$(cat "$work/log")"
rille run fill.lua >"$work/log" 2>&1 || fail "$(cat "$work/log")"
echo "ok the program, installed"

# --- pkg-config

# shellcheck disable=SC2046,SC2086
cc -std=c11 $flags example.c -o example $(pkg-config --cflags --libs rille) || fail "the example does not compile"
expect "pkg-config, shared" "$wanted
13 From C" "$(./example)"

# --- find_package

mkdir "$work/consumer"
cat >"$work/consumer/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
find_package(rille 0.1 REQUIRED)
foreach(kind rille static)
  add_executable(with_${kind} ${APP}/example.c)
  target_link_libraries(with_${kind} PRIVATE rille::${kind})
endforeach()
CMAKE
cmake -S "$work/consumer" -B "$work/consumer/build" -DCMAKE_PREFIX_PATH="$prefix" -DAPP="$work/app" \
  -DCMAKE_C_FLAGS="$flags" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cmake --build "$work/consumer/build" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
expect "find_package, shared" "$wanted
14 From C" "$("$work/consumer/build/with_rille")"
expect "find_package, static" "$wanted
15 From C" "$("$work/consumer/build/with_static")"

# --- a stock Lua, which is not sanitized

eval "$(rille env)"
cat >count.lua <<'LUA'
local rille = require "rille"
print(rille.connect "app.db":query("select count(*) as n from posts")[1].n)
LUA
[ -z "${sanitized:-}" ] || export LD_PRELOAD="$(cc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0
expect "a stock lua5.4" 15 "$(lua5.4 count.lua)"

# --- in the folders of LuaRocks: the module and the program alone

rock=$work/rock
for component in module program; do
  cmake --install "$build" --prefix "$rock" --component "$component" >"$work/log" || fail "$(cat "$work/log")"
done
expect "the components of a rock" "core.so rille rille.lua" \
  "$(cd "$rock" && find . -type f -name 'rille.h' -o -type f -name 'librille*' -o -type f -name core.so \
    -o -type f -name rille -o -type f -name rille.lua | sed 's|.*/||' | sort | tr '\n' ' ' | sed 's/ $//')"
eval "$(unset LUA_PATH LUA_CPATH; "$rock/bin/rille" env)"
expect "a stock lua5.4, with the rock" 15 "$(lua5.4 count.lua)"
