--- repl_spec: the REPL: what it understands, prints, completes and remembers; without a database.
local Repl = require "rille.repl"
local Term = require "rille.cli.term"
local complete = require "rille.repl.complete"
local core = require "rille.core"
local files = require "rille.cli.files"
local grid = require "rille.repl.grid"
local pretty = require "rille.repl.pretty"
local printer = require "rille.repl.printer"
local recorder = require "spec.support.recorder"
local terminal = require "rille.repl.terminal"

local function plain(_, text) return text end

--- A session whose streams are kept, and lines fed to it.
local function session_with(lines)
  local out, err = recorder(), recorder()
  local env = setmetatable({}, { __index = _G })
  local session = Repl.new(Term.new { out = out, err = err, tty = false }, env)
  for _, line in ipairs(lines or {}) do session:feed(line) end
  return session, out, err
end

--- What the lines print.
local function said(...)
  local _, out, err = session_with { ... }
  return out.text, err.text
end

describe("a line", function()
  it("is an expression first", function()
    assert.equal("3\n", (said "1 + 2"))
    assert.equal("1\n2\nnil\n", (said "1, 2, nil"))
    assert.equal('"text"\n', (said "'text'"))
  end)

  it("is a statement else, and prints nothing", function()
    assert.equal("", (said "x = 5"))
    assert.equal("5\n", (said("x = 5", "x")))
  end)

  it("keeps its first result in _", function()
    assert.equal("7\n14\n", (said("7", "_ * 2")))
    assert.equal("7\n7\n", (said("7", "x = 1", "_")))
  end)

  it("waits for more lines when it is not complete", function()
    local session, out = session_with()
    assert.equal("more", session:feed "for i = 1, 2 do")
    assert.equal("more", session:feed "  print_me = i")
    assert.equal("done", session:feed "end")
    session:feed "print_me"
    assert.equal("2\n", out.text)
    assert.equal("more", session:feed "{ 1,")
    assert.equal("done", session:feed "2 }")
    assert.equal("more", session:feed "(1 +")
    assert.equal("more", session:feed "")
    assert.equal("done", session:feed "2)")
    assert.equal("2\n{ 1, 2 }\n3\n", out.text)
  end)

  it("that cannot be completed is an error at once", function()
    local session, _, err = session_with()
    assert.equal("done", session:feed "1 2")
    assert.equal("error: repl:1: <eof> expected near '2'\n", err.text)
    assert.is_true(session.failed)
  end)

  it("of blanks is nothing", function()
    local session, out, err = session_with { "", "   " }
    assert.equal("", out.text .. err.text)
    assert.is_false(session.failed)
  end)
end)

describe("an error", function()
  it("shows message, hint and the frames of the user, not ours", function()
    local session, _, err = session_with { "function f() g() return 1 end", "function g()",
      "  require 'rille.error'.raise('script', 'broken', { hint = 'mend it' })", "  return 1", "end", "f()" }
    assert.is_true(session.failed)
    assert.truthy(err.text:find("error: broken\n  hint: mend it\nstack traceback:\n  repl:2: in", 1, true), err.text)
    assert.falsy(err.text:find("rille/repl", 1, true))
    assert.falsy(err.text:find("[C]", 1, true))
  end)

  it("may be any value", function()
    local _, err = said("error { message = 'a table' }", "error(nil)", "error 'text'", "error(setmetatable({}, {",
      "  __tostring = function() return 'mine' end }))")
    assert.truthy(err:find("error: a table\n", 1, true))
    assert.truthy(err:find("error: nil\n", 1, true))
    assert.truthy(err:find("error: repl:1: text\n", 1, true))
    assert.truthy(err:find("error: mine\n", 1, true))
  end)

  it("cannot send escape sequences to the terminal", function()
    local _, err = said "error '\\27[31mred'"
    assert.falsy(err:find "\27")
  end)

  it("of an endless recursion ends", function()
    local session, _, err = session_with { "function f() return 1 + f() end", "f()", "1" }
    assert.truthy(err.text:find("stack overflow", 1, true))
    assert.truthy(#err.text < 2000)
    assert.equal("done", session:feed "1")
  end)

  it("of Ctrl-C is one word", function()
    local _, err = said "error('interrupted', 0)"
    assert.equal("interrupted\n", err)
  end)

  it("in a __tostring does not end the session", function()
    local out = said("setmetatable({}, { __tostring = function() error 'no' end })", "1")
    assert.equal("<table whose __tostring fails>\n1\n", out)
  end)
end)

describe("a pipe", function()
  local function piped(text)
    local session, out, err = session_with()
    local lines = text:gmatch "[^\n]+"
    local status = session:pipe { lines = function() return lines end }
    return status, out.text, err.text
  end

  it("gives results only and status 0", function()
    local status, out, err = piped "1\nx = 2\nx"
    assert.same({ 0, "1\n2\n", "" }, { status, out, err })
  end)

  it("goes on after a failure, and tells it in the status", function()
    local status, out = piped "error 'x'\n2"
    assert.same({ 1, "2\n" }, { status, out })
  end)

  it("that ends too soon is a failure", function()
    local status, _, err = piped "for i = 1, 2 do"
    assert.equal(1, status)
    assert.truthy(err:find("'end' expected near <eof>", 1, true))
  end)

  it("ends at .quit", function()
    assert.same({ 0, "1\n", "" }, { piped "1\n.quit\n2" })
  end)
end)

describe("dot commands", function()
  it("are listed by .help", function()
    local out = said ".help"
    for _, name in ipairs(require "rille.repl.commands".names()) do assert.truthy(out:find(name, 1, true)) end
  end)

  it("that nobody knows name the nearest", function()
    local _, err = said ".shema posts"
    assert.equal('error: there is no command ".shema"\n  hint: did you mean ".schema"?\n', err)
  end)

  it("echo statements with values and time, until they are told not to", function()
    local hook = require "rille.hook"
    local session, _, err = session_with { ".sql on" }
    local function statement()
      hook.query { sql = 'select * from "posts" where "id" = ?', params = { 7, n = 1 }, ms = 0.123, rows = 1,
        connection = "main" }
    end
    err.text = ""
    statement()
    assert.equal('select * from "posts" where "id" = ?  [7]  0.12 ms, 1 row\n', err.text)
    session:feed ".sql off"
    err.text = ""
    statement()
    assert.equal("", err.text)
    assert.is_nil(hook.listening.query)
  end)
end)

describe("plain values", function()
  it("are written as Lua, keys sorted", function()
    assert.equal('{ 1, "two", [4] = 4, a = true, ["b c"] = {}, ["end"] = 1.5 }',
      pretty.format { 1, "two", [4] = 4, a = true, ["b c"] = {}, ["end"] = 1.5 })
  end)

  it("break into lines when one is too long, nested ones too", function()
    assert.equal('{\n  name = "a long text that needs room",\n  nested = { 1, 2, 3 }\n}',
      pretty.format({ name = "a long text that needs room", nested = { 1, 2, 3 } }, 40))
  end)

  it("end where there is too much", function()
    local many = {}
    for i = 1, 60 do many[i] = i end
    assert.truthy(pretty.format(many):find("50, … 10 more }", 1, true))
    local deep = {}
    for _ = 1, 9 do deep = { deep } end
    assert.equal("{ { { { { {…} } } } } }", pretty.format(deep))
    local round = {}
    round.self = round
    assert.equal("{ self = <the same table again> }", pretty.format(round))
    assert.truthy(#pretty.format(("x"):rep(1000000)) < 3000)
  end)

  it("show control characters, quotes and broken UTF-8", function()
    assert.equal([["a\n\x1B[0m \"q\" \\ \xFF é"]], pretty.format "a\n\27[0m \"q\" \\ \xff é")
  end)

  it("do not cut a character in two", function()
    local start, cut = pretty.clip(("é"):rep(10), 5)
    assert.equal("éé", start)
    assert.is_true(cut)
  end)
end)

describe("rows", function()
  local options = { width = math.huge, paint = plain }

  it("are a table: columns aligned, NULL and empty text told apart", function()
    assert.equal([[
┌────┬──────────┬───────┐
│ id │ title    │ views │
├────┼──────────┼───────┤
│  1 │ première │    10 │
│  2 │ ""       │ null  │
│  3 │ "null"   │   2.5 │
└────┴──────────┴───────┘
3 rows]], printer.format({
      { id = 1, title = "première", views = 10 }, { id = 2, title = "", views = core.null },
      { id = 3, title = "null", views = 2.5 },
    }, options))
  end)

  it("keep the order of the columns that a statement gave", function()
    local out = said "(function() return { { b = 1, a = 2 } }, { 'b', 'a' } end)()"
    assert.equal("┌───┬───┐\n│ b │ a │\n├───┼───┤\n│ 1 │ 2 │\n└───┴───┘\n1 row\n", out)
  end)

  it("show what a terminal would obey, and bytes that are no text", function()
    local shown = printer.format({ { a = "\27[31m", b = "\0\1\xff" } }, options)
    assert.truthy(shown:find("\\x1B[31m", 1, true))
    assert.truthy(shown:find("x'0001FF' (3 bytes)", 1, true))
  end)

  it("fit the terminal: long columns are cut, the last ones left out and named", function()
    local row = { id = 1 }
    for i = 1, 6 do row["column" .. i] = ("text "):rep(20) end
    local shown = printer.format({ row }, { width = 40, paint = plain })
    for line in shown:gmatch "[^\n]+" do
      if not line:find "^%d+ row" then assert.equal(40, utf8.len(line), line) end
    end
    assert.truthy(shown:find("…", 1, true))
    assert.truthy(shown:find("no room for column4, column5, column6, id", 1, true))
  end)

  it("never get wider than the terminal, however narrow", function()
    for width = 5, 60 do
      local cells = { { text = "12345678901", right = true }, { text = ("x"):rep(30) }, { text = "é" } }
      local box = grid.draw({ "one", "two", "three" }, { cells }, width, plain)
      for line in box:gmatch "[^\n]+" do assert.truthy(utf8.len(line) <= width, width .. line) end
    end
  end)

  it("of a long list are counted, not all shown", function()
    local rows = {}
    for i = 1, 250 do rows[i] = { id = i } end
    local shown = printer.format(rows, options)
    assert.truthy(shown:find("250 rows; the first 100 shown", 1, true))
    assert.falsy(shown:find("101", 1, true))
  end)

  it("are not seen where there are none", function()
    assert.equal("{ { 1, 2 }, { 3 } }", printer.format({ { 1, 2 }, { 3 } }, options))
    assert.equal("{}", printer.format({}, options))
    assert.equal("{ {} }", printer.format({ {} }, options))
  end)
end)

describe("Tab", function()
  local env

  before_each(function()
    env = setmetatable({ shop = { stock = { apples = 1, apricots = 2 }, open = print } }, { __index = _G })
  end)

  local function offers(line)
    return (complete.candidates(env, line))
  end

  it("offers globals and keywords", function()
    assert.same({ "shop" }, offers "sho")
    assert.same({ "local" }, offers "loc")
    assert.same({ "string" }, offers "x = stri")
  end)

  it("offers what a table holds", function()
    assert.same({ "open", "stock" }, offers "shop.")
    assert.same({ "apples", "apricots" }, offers "print(shop.stock.ap")
    assert.same({ "format" }, offers "string.form")
  end)

  it("offers nothing on an empty line, after .., in a text that is no argument of a model", function()
    assert.same({}, offers "")
    assert.same({}, offers "'a' .. ")
    assert.same({}, offers "x = 'sho")
  end)

  it("runs nothing", function()
    env.trap = setmetatable({}, { __index = function() error "ran" end })
    assert.same({}, offers "trap.a.b")
    assert.same({}, offers "trap.")
    assert.same({}, offers "unheard_of.x")
  end)
end)

describe("a terminal", function()
  local getenv, folder = os.getenv, nil

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    os.getenv = function(name)                                        -- luacheck: ignore 122
      if name == "XDG_STATE_HOME" then return folder end
      return getenv(name)
    end
  end)
  after_each(function()
    os.getenv = getenv                                                -- luacheck: ignore 122
    os.execute("rm -rf " .. folder)
  end)

  --- Talks to a session: each entry is a line, or false for Ctrl-C; then the input ends.
  local function talk(lines)
    local seen = { prompts = {}, history = {}, kept = {} }
    local session, out, err = session_with()
    local at = 0
    local console = {
      readline = function(prompt)
        seen.prompts[#seen.prompts + 1] = prompt
        at = at + 1
        if lines[at] == false then return nil, "interrupted" end
        return lines[at]
      end,
      add_history = function(line) seen.history[#seen.history + 1] = line end,
      load_history = function(path) seen.path = path end,
      append_history = function(path, line)
        assert.equal(seen.path, path)
        seen.kept[#seen.kept + 1] = line
      end,
      set_completer = function(fn) seen.complete = fn end,
    }
    seen.status = terminal.run(session, console, "hello")
    seen.out, seen.err = out.text, err.text
    return seen
  end

  it("greets, prompts, and ends with the input", function()
    local seen = talk { "1", "2" }
    assert.equal(0, seen.status)
    assert.equal("1\n2\n", seen.out)
    assert.equal("hello\n\n", seen.err)
    assert.same({ "rille> ", "rille> ", "rille> " }, seen.prompts)
  end)

  it("has another prompt inside a chunk; Ctrl-C leaves the chunk, not the session", function()
    local seen = talk { "{", "1,", false, "2", ".quit", "3" }
    assert.same({ "rille> ", "   ..> ", "   ..> ", "rille> ", "rille> " }, seen.prompts)
    assert.equal("2\n", seen.out)
  end)

  it("keeps what was typed, before it runs, but for lines that begin with a blank", function()
    local seen = talk { "x = 1", " secret = 2", "error 'x'", ".help", "", "{", "  1", "}" }
    assert.same({ "x = 1", "error 'x'", ".help", "{ 1 }" }, seen.kept)
    assert.same(seen.kept, seen.history)
    assert.equal(folder .. "/rille/history", seen.path)
    assert.is_true(files.is_directory(folder .. "/rille"))
  end)

  it("keeps a chunk in one piece where that means the same", function()
    assert.same({ "f { 1 }" }, terminal.entries { "f {", "  1", "}" })
    local comment = { "f { -- why", "1 }" }
    assert.same(comment, terminal.entries(comment))
    local long = { "x = [[", "  1]]" }
    assert.same(long, terminal.entries(long))
  end)

  it("completes whatever the editor takes for a word", function()
    local seen = talk {}
    assert.same({ "string" }, seen.complete("stri", "x = stri", 4, 8))
    assert.same({ "string.format" }, seen.complete("string.form", "string.form", 0, 11))
    assert.same({ "format" }, seen.complete("form", "string.form", 7, 11))
  end)
end)
