--- lint_spec: each check finds what it is for; a check that cannot fail checks nothing.

--- A source as spec/lint/check.lua hands it to a check.
local function file(path, text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return { path = path, lines = lines }
end

local function found(check, ...)
  return require("spec.lint." .. check) { ... }
end

describe("includes", function()
  it("lets a folder include itself and what is left of it", function()
    assert.same({}, found("includes",
      file("core/run/connection.c", '#include "core/run/connection.h"\n#include "core/driver/driver.h"'),
      file("core/driver/sqlite.c", '#include <sqlite3.h>'),
      file("core/bind/tree.c", '#include "core/query/tree.h"\n#include <lua.h>'),
      file("host/main.c", '#include "rille.h"\n#include "core/base/stop.h"')))
  end)

  local refused = {
    { "query", "meet driver", "core/query/compile.c", '#include "core/driver/driver.h"', "core/query may not include" },
    { "base", "know run", "core/base/arena.c", '#include "core/run/cursor.h"', "core/base may not include" },
    { "run", "know Lua", "core/run/cursor.c", "#include <lauxlib.h>", "may not include lauxlib.h" },
    { "run", "know SQLite", "core/run/cursor.c", "#include <sqlite3.h>", "may not include sqlite3.h" },
    { "host", "go round bind", "host/value.c", '#include "core/base/cell.h"', "host may not include" },
    { "a file", "hide where a header is", "core/run/cursor.c", '#include "cursor.h"', "say the path" },
  }
  for _, case in ipairs(refused) do
    it(("does not let %s %s"):format(case[1], case[2]), function()
      local problems = found("includes", file(case[3], "\n" .. case[4]))
      assert.equal(1, #problems)
      assert.truthy(problems[1]:find(case[3] .. ":2: ", 1, true))
      assert.truthy(problems[1]:find(case[5], 1, true), problems[1])
    end)
  end

  it("does not let the library require the program, not even inside a function", function()
    local problems = found("includes", file("lua/rille/query.lua", 'function f()\n  require "rille.cli.run"\nend'))
    assert.equal(1, #problems)
    assert.truthy(problems[1]:find("lua/rille/query.lua:2: ", 1, true))
  end)

  it("finds modules that load each other, but lets them meet inside functions", function()
    local a = file("lua/rille/a.lua", 'local b = require "rille.b"')
    local lazy = file("lua/rille/b.lua", 'local function a() return require "rille.a" end')
    local eager = file("lua/rille/b.lua", 'local a = require("rille.a")')
    assert.same({}, found("includes", a, lazy))
    assert.same({ "lua: modules load each other: rille.a -> rille.b -> rille.a" }, found("includes", a, eager))
  end)
end)

describe("contracts", function()
  it("takes a comment above the function, above its group, or after it", function()
    assert.same({}, found("contracts", file("core/base/a.h", [[
/* core/base/a.h - a header. */
#ifndef A_H
#define A_H

typedef struct a { int (*hook)(void); } a;

/* Makes an a, or NULL without memory. */
a *a_new(void);
void a_free(a *it);

int a_size(const a *it);   /* in bytes, never negative */

static inline int a_twice(int n) { return 2 * n; }
#endif
]])))
  end)

  it("names the function without one, wherever its declaration breaks", function()
    local problems = found("contracts", file("core/base/a.h", [[
/* core/base/a.h - a header. */
#include <stddef.h>
int a_size(void);

/* Says enough about the next function. */
int a_told(void);

const char *a_name(const void *it,
                   size_t n);
]]))
    assert.equal(2, #problems)
    assert.truthy(problems[1]:find("core/base/a.h:3: a_size() has no contract", 1, true))
    assert.truthy(problems[2]:find("core/base/a.h:8: a_name() has no contract", 1, true))
  end)

  it("does not take two words for a contract", function()
    assert.equal(1, #found("contracts", file("core/base/a.h", "#include <a.h>\n\n/* the size */\nint a_size(void);\n")))
  end)
end)

describe("form", function()
  it("accepts a file that says what it is for", function()
    assert.same({}, found("form", file("lua/rille/list.lua", "--- list: a result.\nreturn {}"),
      file("core/base/a.c", "/* core/base/a.c - a. */"), file("spec/run.sh", "#!/bin/sh\n# run.sh - all tests.")))
  end)

  it("finds a missing purpose, a long file, a long line, a tab, trailing space and what is left open", function()
    local function one(path, text, what)
      local problems = found("form", file(path, text))
      assert.equal(1, #problems, table.concat(problems, "\n"))
      assert.truthy(problems[1]:find(what, 1, true), problems[1])
    end
    one("lua/rille/list.lua", "local x = 1", "the first line should be")
    one("core/base/a.c", "/* a.c */", "the first line should be")
    one("lua/rille/list.lua", "--- list: a result.\n" .. ("x()\n"):rep(500), "look for the seam")
    one("lua/rille/list.lua", "--- list: a result.\n" .. ("x"):rep(121), "longer than 120")
    one("lua/rille/list.lua", "--- list: a result.\n\tx()", "a tab")
    one("lua/rille/list.lua", "--- list: a result.\nx() ", "white space at the end")
    one("lua/rille/list.lua", "--- list: a result.\n-- TO" .. "DO: more", "left open")
  end)

  it("counts characters and not bytes", function()
    assert.same({}, found("form", file("lua/rille/list.lua", "--- list: a result.\n" .. ("é"):rep(120))))
  end)
end)
