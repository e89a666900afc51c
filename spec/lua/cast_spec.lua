--- cast_spec: stored value <-> Lua value: what is written, kept, read and compared, for each type and cast.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, untouched = world.refused, world.untouched

--- Everything that one column of a type takes: { written, kept, read }.
local TYPES = {
  { "INTEGER", takes = { { 0, 0, 0 }, { 3.0, 3, 3 }, { math.maxinteger, math.maxinteger, math.maxinteger },
    { math.mininteger, math.mininteger, math.mininteger }, { 2 ^ 53 + 1, 9007199254740992, 9007199254740992 } },
    refuses = { 1.5, "1", " 7", "0x1F", "12abc", true, 2 ^ 63, -2 ^ 64, 0 / 0, math.huge, {} } },
  { "DOUBLE", takes = { { 1, 1.0, 1.0 }, { -0.5, -0.5, -0.5 }, { 1e308, 1e308, 1e308 }, { 2 ^ 53, 2 ^ 53, 2.0 ^ 53 },
    { 5e-324, 5e-324, 5e-324 } },
    refuses = { "1.5", true, 0 / 0, math.huge, -math.huge, 9007199254740993, math.maxinteger, {} } },
  { "TEXT", takes = { { "", "", "" }, { "x' OR 1=1 --", "x' OR 1=1 --", "x' OR 1=1 --" },
    { "\\'; --", "\\'; --", "\\'; --" },
    { "$$E'\\x27'", "$$E'\\x27'", "$$E'\\x27'" }, { "ünï \u{1F600}\n\t\1", "ünï \u{1F600}\n\t\1",
      "ünï \u{1F600}\n\t\1" } },
    refuses = { 1, 1.5, true, "a\0b", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", {} } },
  { "VARCHAR(3)", takes = { { "abc", "abc", "abc" } }, refuses = { 1, "\xff" } },
  { "BOOLEAN", takes = { { true, 1, true }, { false, 0, false }, { 1, 1, true }, { 0, 0, false } },
    refuses = { "true", 2, -1, 1.5, "", "1", {} } },
  { "DECIMAL(10,2)", takes = { { "1.5", 1.5, "1.50" }, { 1.25, 1.25, "1.25" }, { -3, -3, "-3.00" },
    { "0.10", 0.1, "0.10" },
    { "+7", 7, "7.00" }, { "007.10", 7.1, "7.10" }, { "-0.00", 0, "0.00" },
      { "99999999.99", 99999999.99, "99999999.99" } },
    refuses = { "1.234", 1.234, 0.1 + 0.7, "1e3", "1,5", "", ".5", "5.", "0x10", " 1", "1 ", "123456789", "1e-400",
      "1e1000000",
      ("9"):rep(10000), true, 0 / 0, "NaN", {} } },
  { "DECIMAL_TEXT(30,4)", takes = { { "12345678901234567890.1234", "12345678901234567890.1234",
    "12345678901234567890.1234" },
    { 2, "2.0000", "2.0000" } }, refuses = { "1.23456", "x", ("9"):rep(27) } },
  { "DATETIME TEXT", takes = {
    { "2026-11-20T12:00:00Z", "2026-11-20T12:00:00.000000Z", "2026-11-20T12:00:00.000000Z" },
    { "2026-11-20 12:00:00", "2026-11-20T12:00:00.000000Z", "2026-11-20T12:00:00.000000Z" },
    { "2026-11-20T12:00:00.123456789+02:00", "2026-11-20T10:00:00.123456Z", "2026-11-20T10:00:00.123456Z" },
    { "2026-11-20", "2026-11-20T00:00:00.000000Z", "2026-11-20T00:00:00.000000Z" },
    { 0, "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z" },
    { -1, "1969-12-31T23:59:59.000000Z", "1969-12-31T23:59:59.000000Z" },
    { 1.5, "1970-01-01T00:00:01.500000Z", "1970-01-01T00:00:01.500000Z" },
    { 4102444800, "2100-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z" },
    { "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z", "2024-02-29T23:59:59.000000Z" } },
    refuses = { "2024-02-30", "2023-02-29", "2026-13-01", "2026-00-01", "2026-01-32", "10000-01-01",
      "2026-01-01T24:00:00Z",
      "2026-01-01T23:59:60Z", "2026-01-01T00:00:00+99:99", "now", "now(); --", "", "2026", "2026-1-1", "yesterday",
        true,
      1e300, math.maxinteger, 0 / 0, { year = 2026 }, { month = 1, day = 1 }, { 2026, 1, 1 } } },
  { "DATE TEXT", takes = { { "2026-11-20", "2026-11-20", "2026-11-20" },
    { "2026-11-20T23:00:00-02:00", "2026-11-21", "2026-11-21" }, { 86400, "1970-01-02", "1970-01-02" } },
    refuses = { "2026-02-30", "20.11.2026", "2026-11", true, "" } },
  { "UUID TEXT", takes = {
    { "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
      "6ba7b810-9dad-11d1-80b4-00c04fd430c8" } },
    refuses = { "6ba7b810", "6ba7b810-9dad-11d1-80b4-00c04fd430cg", "6ba7b8109-dad-11d1-80b4-00c04fd430c8", 1, "" } },
  { "BLOB", takes = { { "\0\xff\1", "\0\xff\1", "\0\xff\1" }, { "", "", "" } }, refuses = { 1, true, {} } },
  { "ANYTHING", takes = { { 1, 1, 1 }, { 1.5, 1.5, 1.5 }, { "x", "x", "x" }, { true, 1, 1 } },
    refuses = { "\xff", "a\0b", 0 / 0, {} } },
}

describe("a column", function()
  for _, case in ipairs(TYPES) do
    local declared = case[1]

    describe("of type " .. declared, function()
      local Thing, db
      before_each(function()
        db = world.fresh(('create table things (id integer primary key, v %s)'):format(declared))
        Thing = rille.model "Thing" {}
      end)

      it("keeps what it takes, gives it back and finds it", function()
        for _, value in ipairs(case.takes) do
          local written, kept, read = value[1], value[2], value[3]
          local thing = Thing:create { v = written }
          assert.equal(read, thing.v)
          assert.equal(math.type(read), math.type(thing.v))
          assert.equal(kept, db:query("select v from things where id = ?", thing.id)[1].v)
          assert.equal(read, Thing:find(thing.id).v)
          assert.equal(read, Thing:where("v", written):order_by_desc("id"):value("v"))
          assert.equal(read, Thing:where_in("v", { written }):order_by_desc("id"):value("v"))
          assert.is_false(Thing:find(thing.id):set("v", written):is_dirty())
          Thing:insert { id = 1000 + thing.id, v = written }
          assert.equal(read, Thing:find(1000 + thing.id).v)
          Thing:where("id", thing.id):update { v = null }
          assert.is_nil(Thing:find(thing.id).v)
          Thing:where("id", thing.id):update { v = written }
          assert.equal(read, Thing:find(thing.id).v)
        end
      end)

      it("refuses what it does not take, wherever it is said", function()
        local thing = Thing:create { v = case.takes[1][1] }
        for _, bad in ipairs(case.refuses) do
          untouched("invalid_argument", Thing.create, Thing, { v = bad })
          untouched("invalid_argument", Thing.insert, Thing, { v = bad })
          local query = Thing:where("id", 1)
          untouched("invalid_argument", query.update, query, { v = bad })
          untouched("invalid_argument", function() return Thing:where("v", bad):all() end)
          untouched("invalid_argument", function() return Thing:where_in("v", { bad }):all() end)
          local e = untouched("invalid_argument", function() thing.v = bad end)
          assert.matches("things%.v", e.message)
          assert.is_false(thing:is_dirty())
        end
      end)

      it("passes NULL both ways", function()
        local thing = Thing:create { v = null }
        assert.is_nil(thing.v)
        assert.is_nil(Thing:find(thing.id).v)
        assert.equal(1, Thing:where("v", null):count())
        thing.v = case.takes[1][1]
        assert.is_true(thing:save():is_dirty() == false and thing.v ~= nil)
        thing.v = nil
        assert.is_nil(thing:save().v)
        assert.is_nil(Thing:find(thing.id).v)
      end)
    end)
  end

  it("takes an os.date table as a moment", function()
    world.fresh "create table things (id integer primary key, v DATETIME TEXT, d DATE TEXT)"
    local Thing = rille.model "Thing" {}
    local at = os.time { year = 2026, month = 7, day = 14, hour = 15, min = 16, sec = 17 }
    local thing = Thing:create { v = os.date("*t", at), d = os.date("*t", at) }
    assert.equal(os.date("!%Y-%m-%dT%H:%M:%S.000000Z", at), thing.v)
    assert.equal(os.date("!%Y-%m-%d", at), thing.d)
    assert.equal(1, Thing:where("v", os.date("*t", at)):count())
    assert.equal(1, Thing:where { v = os.date("*t", at) }:count())
    assert.equal(1, Thing:where_between("v", os.date("*t", at - 1), os.date("*t", at + 1)):count())
  end)

  it("says when it holds what it should not", function()
    local db = world.fresh "create table things (id integer primary key, v DATETIME TEXT, b BOOLEAN, j JSON TEXT)"
    local Thing = rille.model "Thing" {}
    db:execute "insert into things values (1, 'tomorrow', 'maybe', '{')"
    for _, name in ipairs { "v", "b" } do
      local e = refused("corrupt", function() return Thing:find(1)[name] end)
      assert.matches("things%." .. name, e.message)
      assert.matches("raw", e.hint)
    end
    assert.matches("things%.j", refused("invalid_argument", function() return Thing:find(1).j end).message)
    assert.equal("tomorrow", Thing:find(1):raw "v")
    assert.equal("{", Thing:find(1):raw "j")
  end)
end)

describe("a cast", function()
  local db
  local function model(casts, columns)
    db = world.fresh(("create table things (id integer primary key, %s)"):format(columns))
    return rille.model "Thing" { casts = casts }
  end

  it("of the core stands in for the type of the column", function()
    local Thing = model({ flag = "boolean", made = "datetime", n = "integer", price = "decimal:3", at = "timestamp",
      day = "date",
      ratio = "real", key = "uuid", raw = "blob", word = "text" },
      "flag INTEGER, made INTEGER, n, price TEXT, at INTEGER, day TEXT, ratio, key TEXT, raw TEXT, word")
    local thing = Thing:find(Thing:create { flag = true, made = 0, n = 3.0, price = 1.5, at = "2026-01-01", day = 0,
      ratio = 1,
      key = "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", raw = "\0\1", word = "x" }.id)
    assert.same({ true, "1970-01-01T00:00:00.000000Z", 3, "1.500", 1767225600, "1970-01-01", 1.0, "\0\1", "x" },
      { thing.flag, thing.made, thing.n, thing.price, thing.at, thing.day, thing.ratio, thing.raw, thing.word })
    assert.equal("6ba7b810-9dad-11d1-80b4-00c04fd430c8", thing.key)
    refused("invalid_argument", function() thing.n = "x" end)
    refused("invalid_argument", function() thing.word = 1 end)
    assert.equal(1, Thing:where("flag", true):where("at", "<", "2026-01-02"):count())
    thing.at = os.time { year = 2026, month = 1, day = 2, hour = 12 }
    assert.equal("integer", math.type(thing:save().at))
  end)

  it("may be called by its other names", function()
    local Thing = model({ a = "bool", b = "int", c = "float", d = "string", e = "decimal", f = "any" },
      "a, b, c, d, e, f INTEGER")
    local thing = Thing:create { a = true, b = 2, c = 3, d = "x", e = "1.5", f = "free" }
    assert.same({ true, 2, 3.0, "x", "1.50", "free" }, { thing.a, thing.b, thing.c, thing.d, thing.e, thing.f })
  end)

  it("has a name that is known, on a column that there is", function()
    assert.equal('did you mean "boolean"?', refused("invalid_argument", function()
      return model({ a = "boolaen" }, "a"):count()
    end).hint)
    local e = refused("no_such_column", function() return model({ flagg = "boolean" }, "flag"):count() end)
    assert.equal('did you mean "flag"?', e.hint)
    refused("invalid_argument", function() return model({ a = 1 }, "a"):count() end)
    refused("invalid_argument", function() return model({ a = { get = print } }, "a"):count() end)
    assert.equal('did you mean "set"?', refused("invalid_argument", function()
      return model({ a = { get = print, sett = print } }, "a"):count()
    end).hint)
  end)

  describe("to JSON", function()
    local Thing
    before_each(function() Thing = model({ list = "array" }, "doc JSON TEXT, list TEXT") end)

    it("gives tables, and all that JSON knows", function()
      for _, value in ipairs { { a = 1, b = { 1, 2, { c = "x" } } }, { 1, 2.5, "x", true, false }, {}, "text", 5,
        true, false,
        { big = math.maxinteger, small = math.mininteger, half = 0.5 }, { [""] = 1, ["ü\n\"\\"] = "\1" } } do
        local thing = Thing:create { doc = value }
        assert.same(value, thing.doc)
        assert.same(value, Thing:find(thing.id).doc)
      end
      assert.equal(null, Thing:find(Thing:create { doc = { a = null } }.id).doc.a)
      assert.equal("[]", Thing:create { doc = rille.model and require "rille.json".array {} }:raw "doc")
      assert.equal("integer", math.type(Thing:find(Thing:create { doc = { n = math.maxinteger } }.id).doc.n))
    end)

    it("sees a change inside of a table, and none where there is none", function()
      local thing = Thing:find(Thing:create { doc = { a = { b = 1 } }, list = { 1 } }.id)
      assert.equal(1, thing.doc.a.b)
      assert.is_false(thing:is_dirty())
      thing.doc.a.b = 2
      assert.is_true(thing:is_dirty())
      assert.is_true(thing:is_dirty "doc")
      assert.is_false(thing:is_dirty "list")
      assert.same({ doc = { { a = { b = 1 } }, { a = { b = 2 } } } }, thing:changes())
      assert.same({ a = { b = 1 } }, thing:get_original "doc")
      assert.equal('{"a":{"b":2}}', thing:raw "doc")
      thing:save()
      assert.is_false(thing:is_dirty())
      assert.is_true(thing:was_changed "doc")
      assert.same({ a = { b = 2 } }, Thing:find(thing.id).doc)
      thing.doc.a.b = 3
      thing.doc.a.b = 2
      assert.is_false(thing:is_dirty())
      assert.same({}, world.statements(thing.save, thing))
      table.insert(thing.list, 2)
      thing.doc.a = nil
      thing:save()
      assert.same({ 1, 2 }, Thing:find(thing.id).list)
      assert.same({}, Thing:find(thing.id).doc)
    end)

    it("keeps the table that was assigned", function()
      local doc = { a = 1 }
      local thing = Thing:create { doc = doc }
      assert.equal(doc, thing.doc)
      doc.a = 2
      assert.is_true(thing:is_dirty "doc")
      assert.equal(2, Thing:find(thing:save().id).doc.a)
    end)

    it("does not write a text again that only looks different", function()
      db:execute [[insert into things (doc) values ('{ "b" : 1,  "a" : [ 1, 2 ] }')]]
      local thing = Thing:find(1)
      assert.same({ 1, 2 }, thing.doc.a)
      assert.is_false(thing:is_dirty())
      assert.same({}, world.statements(thing.save, thing))
      assert.equal('{ "b" : 1,  "a" : [ 1, 2 ] }', thing:raw "doc")
    end)

    it("is forgotten by refresh", function()
      local thing = Thing:create { doc = { a = 1 } }
      thing.doc.a = 2
      assert.equal(1, thing:refresh().doc.a)
      assert.is_false(thing:is_dirty())
    end)

    it("refuses what JSON does not know, and keeps the record as it was", function()
      local cyclic = {}
      cyclic.self = cyclic
      local deep = {}
      local inner = deep
      for _ = 1, 10000 do
        inner.x = {}
        inner = inner.x
      end
      local thing = Thing:create { doc = { a = 1 } }
      for _, bad in ipairs { cyclic, deep, print, { print }, { [1] = 1, x = 2 }, { [1.5] = 1 }, { 0 / 0 },
        { math.huge }, "\xff", "a\0b", { ["\0"] = 1 },
        { [true] = 1 }, coroutine.create(print) } do
        local e = untouched("invalid_argument", Thing.create, Thing, { doc = bad })
        assert.matches("^things%.doc", e.message)
        untouched("invalid_argument", function() thing.doc = bad end)
        untouched("invalid_argument", Thing.insert, Thing, { doc = bad })
      end
      thing.doc.a = print
      untouched("invalid_argument", thing.save, thing)
      untouched("invalid_argument", thing.is_dirty, thing)
      thing:refresh()
      assert.equal(1, thing.doc.a)
    end)

    it("of an array takes lists alone", function()
      assert.same({}, Thing:create { list = {} }.list)
      assert.equal("[]", Thing:create { list = {} }:raw "list")
      for _, bad in ipairs { { a = 1 }, { 1, nil, 3 }, "x", 1, { [0] = 1 } } do
        untouched("invalid_argument", Thing.create, Thing, { list = bad })
      end
      db:execute "insert into things (id, list) values (99, '5')"
      assert.matches("JSON array", refused("corrupt", function() return Thing:find(99).list end).message)
    end)

    it("compares by what is kept", function()
      Thing:create { doc = { a = 1 } }
      Thing:create { doc = "x" }
      assert.equal(1, Thing:where("doc", { a = 1 }):count())
      assert.equal(1, Thing:where { doc = { a = 1 } }:count())
      assert.equal(1, Thing:where("things.doc", { a = 1 }):count())
      assert.equal(2, Thing:where_in("doc", { { a = 1 }, "x" }):count())
      assert.equal(1, Thing:where("doc", "!=", "x"):count())
    end)
  end)

  describe("of one's own", function()
    local Colour, calls
    before_each(function()
      calls = {}
      Colour = model({ v = {
        get = function(raw)
          calls[#calls + 1] = "get"
          local r, g, b = raw:match "^#(%x%x)(%x%x)(%x%x)$"
          return { r = tonumber(r, 16), g = tonumber(g, 16), b = tonumber(b, 16) }
        end,
        set = function(value)
          calls[#calls + 1] = "set"
          if type(value) ~= "table" then error "no colour" end
          return ("#%02x%02x%02x"):format(value.r, value.g, value.b)
        end,
      } }, "v TEXT, w TEXT")
    end)

    it("works both ways, once for each read value", function()
      local colour = Colour:create { v = { r = 255, g = 0, b = 16 } }
      assert.equal("#ff0010", colour:raw "v")
      colour = Colour:find(colour.id)
      calls = {}
      assert.equal(255, colour.v.r)
      assert.equal(16, colour.v.b)
      assert.equal(colour.v, colour.v)
      assert.same({ "get" }, calls)
      assert.equal(1, Colour:where("v", { r = 255, g = 0, b = 16 }):count())
      assert.same({ r = 255, g = 0, b = 16 }, Colour:value "v")
      assert.same({ { r = 255, g = 0, b = 16 } }, Colour:pluck "v")
    end)

    it("is not asked about NULL", function()
      local colour = Colour:create { v = null, w = "x" }
      colour.v = nil
      assert.is_nil(colour.v)
      assert.is_nil(Colour:find(colour.id).v)
      assert.equal(1, Colour:where("v", null):count())
      assert.same({}, calls)
    end)

    it("sees a change inside of its value", function()
      local colour = Colour:create { v = { r = 1, g = 2, b = 3 } }
      colour.v.r = 9
      assert.same({ v = { { r = 1, g = 2, b = 3 }, { r = 9, g = 2, b = 3 } } }, colour:changes())
      assert.equal("#090203", Colour:find(colour:save().id):raw "v")
    end)

    it("passes its error on and leaves the record as it was", function()
      local colour = Colour:create { v = { r = 1, g = 2, b = 3 } }
      local ok, e = pcall(function() colour.v = "red" end)
      assert.is_false(ok)
      assert.matches("no colour", e)
      assert.is_false(colour:is_dirty())
      assert.equal(1, colour.v.r)
      assert.is_false((pcall(Colour.create, Colour, { v = "red" })))
      assert.equal(1, Colour:count())
    end)

    it("may turn a value into nothing and back", function()
      local Thing = model({ v = { get = function(raw) return raw ~= "-" and raw or nil end,
        set = function(value) return value ~= "" and value or nil end } }, "v TEXT")
      assert.is_nil(Thing:create { v = "" }:raw "v")
      assert.is_nil(Thing:create { v = "-" }.v)
      assert.equal("x", Thing:create { v = "x" }.v)
    end)

    it("of a key finds, walks and saves", function()
      db = world.fresh "create table things (id TEXT primary key not null, n INTEGER not null)"
      local Thing = rille.model "Thing" { casts = { id = { get = function(raw) return tonumber(raw:sub(2)) end,
        set = function(value) return "k" .. value end } } }
      for i = 1, 9 do Thing:create { id = i, n = i % 3 } end
      assert.equal("k4", db:query("select id from things where n = 1 order by id")[2].id)
      local thing = Thing:find(4)
      assert.equal(4, thing.id)
      assert.equal(4, thing:key())
      thing:update { n = 7 }
      assert.equal(7, Thing:find(4).n)
      assert.equal(7, thing:refresh().n)
      assert.equal(8, thing:increment("n").n)
      assert.equal(4, thing:fresh().id)
      local seen = {}
      Thing:order_by("n"):chunk(2, function(rows)
        for _, row in ipairs(rows) do seen[row.id] = (seen[row.id] or 0) + 1 end
      end)
      Thing:chunk_by_id(2, function(rows)
        for _, row in ipairs(rows) do seen[row.id] = seen[row.id] + 1 end
      end)
      assert.same({ 2, 2, 2, 2, 2, 2, 2, 2, 2 }, seen)
      local page = Thing:order_by("id"):cursor_paginate { per_page = 4 }
      page = Thing:order_by("id"):cursor_paginate { per_page = 4, cursor = page.next_cursor }
      assert.same({ 5, 6, 7, 8 }, world.of_each(page.data))
      thing:delete()
      assert.is_nil(Thing:find(4))
      assert.equal(1, Thing:destroy(5))
    end)
  end)
end)
