rockspec_format = "3.0"
package = "rille"
version = "scm-1"
source = { url = "git+file://." }        -- a checkout: `luarocks make` in the root of the project
description = {
  summary = "Models, queries and migrations in Lua on a core in C",
  detailed = "The module for lua5.4 and the program; librille and rille.h come with `cmake --install`.",
  license = "MIT",
}
dependencies = { "lua ~> 5.4", "lpeg >= 1.0", "dkjson >= 2.5", "argparse >= 0.7" }
external_dependencies = { SQLITE = { header = "sqlite3.h" } }
-- Not the build type "cmake": it would install librille among the modules.
build = {
  type = "command",
  build_command = "cmake -S . -B build/luarocks -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF"
    .. " -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DCMAKE_INSTALL_BINDIR=$(BINDIR)"
    .. " -DRILLE_INSTALL_LUA_DIR=$(LUADIR) -DRILLE_INSTALL_C_DIR=$(LIBDIR)"
    .. " && cmake --build build/luarocks --target rille rille_module",
  install_command = "cmake --install build/luarocks --component module"
    .. " && cmake --install build/luarocks --component program",
}
