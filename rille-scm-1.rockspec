rockspec_format = "3.0"
package = "rille"
version = "scm-1"
source = { url = "git+file://." }        -- a checkout: `luarocks make` in the root of the project
description = {
  summary = "Models, queries and migrations in Lua on a core in C",
  license = "MIT",
}
dependencies = { "lua ~> 5.4", "lpeg >= 1.0", "dkjson >= 2.5", "argparse >= 0.7" }
external_dependencies = { SQLITE = { header = "sqlite3.h" } }
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "RelWithDebInfo",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    BUILD_TESTING = "OFF",
  },
}
