--- error_spec: the error value, the ways to raise and catch it, and the fields of `require "rille"`.
local recording = require "spec.support.recording"
local Error = require "rille.error"

describe("error", function()
  local core = recording().core

  it("carries kind, message and fields, and reads as message and hint", function()
    local e = Error.new("busy", "app.db is locked", { hint = "try again", code = 5 })
    assert.equal("busy", e.kind)
    assert.equal(5, e.code)
    assert.equal("app.db is locked\n  hint: try again", tostring(e))
  end)

  it("is told from other values, and its kind from other kinds", function()
    local e = Error.new("busy", "m")
    assert.is_true(Error.is(e))
    assert.is_true(Error.is(e, "busy"))
    assert.is_false(Error.is(e, "timeout"))
    assert.is_false(Error.is("busy"))
    assert.is_false(Error.is { kind = "busy", message = "m" })
    assert.is_false(Error.is(nil))
  end)

  it("refuses a kind that does not exist, where it is asked for", function()
    local ok, e = pcall(Error.is, Error.new("busy", "m"), "bussy")
    assert.is_false(ok)
    assert.equal('is_error has no kind "bussy"\n  hint: did you mean "busy"?', tostring(e))
  end)

  it("says where, what was wanted and what was given", function()
    local function message(given) return select(2, pcall(Error.argument, "find", "a key", given)).message end
    assert.equal("find: wants a key, got nil", message(nil))
    assert.equal("find: wants a key, got null", message(core.null))
    assert.equal('find: wants a key, got "x\\x00y" (string)', message "x\0y")
    assert.equal("find: wants a key, got 1.5 (float)", message(1.5))
    assert.equal("find: wants a key, got false (boolean)", message(false))
    assert.equal("find: wants a key, got a table", message { 1 })
    assert.equal("find: wants a key, got an empty table", message {})
  end)

  it("cuts a long text on a character's boundary", function()
    local shown = Error.show(("é"):rep(1000))
    assert.is_true(#shown < 100)
    assert.is_truthy(utf8.len(shown))
    assert.is_truthy(shown:find("…", 1, true))
  end)

  it("shows names, hints and whole messages so that a terminal obeys nothing in them", function()
    local name, near = "a\27[31m\n\xff", "a\27[31m\n\xfe"
    local e = select(2, pcall(Error.unknown, "no_such_column", "column", name, { near }, "posts"))
    assert.equal('posts has no column "a\\x1B[31m\\n\\xFF"', e.message)
    assert.equal('did you mean "a\\x1B[31m\\n\\xFE"?', e.hint)
    e = select(2, pcall(Error.unknown, "no_such_column", "column", ("x"):rep(1e5), { "x" }, "posts"))
    assert.is_true(#e.message < 100)
    assert.equal("a\\x1B[2J", Error.new("script", "a\27[2J").message)
    assert.equal("two\nlines\t", Error.new("script", "two\nlines\t").message)
    assert.equal("\\xFF", Error.new("script", "", { hint = "\xff" }).hint)
    assert.is_true(#Error.new("script", ("x"):rep(1e6)).message < 5000)
  end)

  it("names the nearest known name, with and without a place", function()
    local ok, e = pcall(Error.unknown, "no_such_column", "column", "titel", { "id", "title" }, "posts")
    assert.is_false(ok)
    assert.equal("no_such_column", e.kind)
    assert.equal('posts has no column "titel"', e.message)
    assert.equal('did you mean "title"?', e.hint)
    e = select(2, pcall(Error.unknown, "no_such_model", "model", "Xyzzy", { "Post" }, nil, { hint = "declare it" }))
    assert.equal('there is no model "Xyzzy"', e.message)
    assert.equal("declare it", e.hint)
  end)

  it("takes any value for an unknown name", function()
    local e = select(2, pcall(Error.unknown, "invalid_argument", "option", { 1 }, { "a" }, "connect"))
    assert.equal("connect has no option a table", e.message)
    assert.is_nil(e.hint)
  end)

  describe("options", function()
    it("are a table of known keys, or nothing", function()
      assert.same({}, Error.options("begin", nil, { "retries" }))
      local given = { retries = 1 }
      assert.equal(given, Error.options("begin", given, { "retries" }))
    end)

    it("are refused with the nearest known one", function()
      local e = select(2, pcall(Error.options, "begin", { retreis = 1 }, { "retries", "isolation" }))
      assert.equal('begin has no option "retreis"\n  hint: did you mean "retries"?', tostring(e))
      assert.equal("begin: wants a table of options, got 5 (integer)",
        select(2, pcall(Error.options, "begin", 5, {})).message)
    end)
  end)

  describe("try", function()
    it("passes arguments and results through, nil ones too", function()
      assert.same({ n = 3, nil, 2, nil }, table.pack(Error.try(function(...) return ... end, nil, 2, nil)))
    end)

    it("returns nil and an error of ours, with its traceback", function()
      local function culprit() Error.raise("busy", "m") end
      local value, e = Error.try(culprit)
      assert.is_nil(value)
      assert.is_true(Error.is(e, "busy"))
      assert.is_truthy(e.traceback:find("error_spec.lua", 1, true))
    end)

    it("keeps the first traceback of an error that is raised again", function()
      local function deep() Error.raise("busy", "m") end
      local _, e = Error.try(function()
        local _, inner = Error.try(deep)
        error(inner, 0)
      end)
      local first = e.traceback
      Error.try(function() error(e, 0) end)
      assert.equal(first, e.traceback)
    end)

    it("raises any other error as it is and remembers where it came from", function()
      local thrown = setmetatable({}, { __tostring = function() return "theirs" end })
      local ok, e = pcall(Error.try, function() error(thrown) end)
      assert.is_false(ok)
      assert.equal(thrown, e)
      assert.is_truthy(Error.traceback(e):find("error_spec.lua", 1, true))
      ok, e = pcall(Error.try, function() Error.try(error, "plain", 0) end)
      assert.is_false(ok)
      assert.equal("plain", e)
      assert.is_truthy(Error.traceback(e):find("error_spec.lua", 1, true))
    end)

    it("wants a function", function()
      assert.equal("try: wants a function, got nil", select(2, pcall(Error.try, nil)).message)
    end)

    it("lets the function yield", function()
      local run = coroutine.wrap(function() return Error.try(function() return coroutine.yield(1) + 1 end) end)
      assert.equal(1, run())
      assert.equal(42, run(41))
    end)
  end)
end)

describe("require \"rille\"", function()
  it("loads nothing but itself", function()
    local before = {}
    for name in pairs(package.loaded) do before[name] = true end
    package.loaded.rille = nil
    local rille = require "rille"
    for name in pairs(package.loaded) do
      assert.is_true(before[name] or name == "rille", name)
    end
    assert.equal(recording().core.null, rille.null)
  end)

  it("resolves a field once, and knows what it has not", function()
    local rille = require "rille"
    assert.equal(Error.try, rille.try)
    assert.equal(Error.try, rawget(rille, "try"))
    local ok, e = pcall(function() return rille.transcation end)
    assert.is_false(ok)
    assert.equal('rille has no field "transcation"\n  hint: did you mean "transaction"?', tostring(e))
  end)

  it("says plainly what this version lacks, and hides no error inside a module", function()
    local part = require "rille.part"
    local ok, e = pcall(part, "no_module_of_that_name", "rille.miracle")
    assert.is_false(ok)
    assert.equal("unsupported", e.kind)
    assert.equal("rille.miracle is not part of this version", e.message)
    package.preload["rille.broken_inside"] = function() error("inside", 0) end
    ok, e = pcall(part, "broken_inside", "rille.broken")
    package.preload["rille.broken_inside"] = nil
    assert.is_false(ok)
    assert.is_truthy(tostring(e):find("inside", 1, true))
    assert.is_false(Error.is(e))
  end)
end)
