--- cast_form_spec: a cast says how a value reads; the column, in which form it is kept.
local world = require "spec.support.world"
local rille = world.rille
local refused = world.refused

local NOON <const> = 1795176000                -- 2026-11-20T12:00:00Z
local NOON_TEXT <const> = "2026-11-20T12:00:00.000000Z"

local function thing_of(columns, casts)
  local db = world.fresh(("create table things (id integer primary key, %s)"):format(columns))
  return rille.model("Thing", { casts = casts }), db
end

describe("the cast to timestamps", function()
  it("reads seconds from a column of ISO text and writes ISO text", function()
    for _, declared in ipairs { "DATETIME TEXT", "TEXT", "VARCHAR(40)", "TIMESTAMP" } do
      local Thing, db = thing_of("v " .. declared, { v = "timestamp" })
      db:execute "insert into things (id, v) values (1, '2026-11-20 12:00:00'), (2, '2026-11-20T12:00:00.750000Z')"
      assert.same({ NOON, NOON, "integer" }, { Thing:find(1).v, Thing:find(2).v, math.type(Thing:find(1).v) }, declared)
      for i, given in ipairs { NOON, NOON_TEXT, os.date("*t", NOON) } do
        local thing = Thing:create { id = 10 + i, v = given }
        assert.equal(NOON, thing.v)
        assert.equal(NOON, thing:fresh().v)
        assert.same({ v = NOON_TEXT, kind = "text" },
          db:query("select v, typeof(v) as kind from things where id = ?", thing.id)[1])
      end
      assert.equal(3, Thing:where("v", NOON):count())
      assert.equal(1, Thing:where("id", ">", 1):where("id", "<", 10):where("v", ">", NOON):count())
      assert.equal(1, Thing:where("id", 2):update { v = NOON + 1 })
      assert.equal("2026-11-20T12:00:01.000000Z", Thing:find(2):raw "v")
      assert.equal(NOON + 1, Thing:max "v")
      assert.same({ NOON + 1, NOON }, Thing:order_by_desc("v"):limit(2):pluck "v")
    end
  end)

  it("keeps whole seconds in a column of numbers", function()
    local Thing, db = thing_of("v INTEGER", { v = "timestamp" })
    Thing:create { v = "2026-11-20T12:00:00.900000Z" }
    assert.same({ v = NOON, kind = "integer" }, db:query("select v, typeof(v) as kind from things")[1])
    assert.equal(NOON, Thing:find(1).v)
  end)

  it("compares with a moment between two seconds as what it is", function()
    local Thing = thing_of("v INTEGER", { v = "timestamp" })
    Thing:insert { { v = NOON }, { v = NOON + 1 } }
    local between = "2026-11-20T12:00:00.500000Z"
    assert.equal(1, Thing:where("v", "<", between):count())
    assert.equal(0, Thing:where("v", between):count())
    assert.equal(1, Thing:where("v", ">", between):count())
    assert.equal(0, Thing:where_in("v", { between }):count())
  end)

  it("says when the text is no moment", function()
    local Thing, db = thing_of("v TEXT", { v = "timestamp" })
    db:execute "insert into things (v) values ('soon')"
    refused("corrupt", function() return Thing:find(1).v end)
    assert.equal("soon", Thing:find(1):raw "v")
  end)
end)

describe("the cast to moments", function()
  it("takes the second before 1970 as a table, too", function()
    local Thing = thing_of("v DATETIME TEXT", {})
    assert.equal("1969-12-31T23:59:59.000000Z", Thing:create({ v = os.date("*t", -1) }).v)
  end)

  it("reads ISO text from a column of seconds and writes seconds", function()
    for _, declared in ipairs { "INTEGER", "BIGINT" } do
      local Thing, db = thing_of("v " .. declared, { v = "datetime" })
      for i, given in ipairs { NOON, NOON_TEXT, "2026-11-20 14:00:00+02:00" } do
        local thing = Thing:create { id = i, v = given }
        assert.equal(NOON_TEXT, thing.v)
        assert.equal(NOON_TEXT, thing:fresh().v)
        assert.same({ v = NOON, kind = "integer" },
          db:query("select v, typeof(v) as kind from things where id = ?", i)[1])
      end
      assert.equal(3, Thing:where("v", NOON_TEXT):count())
      assert.equal(3, Thing:where("v", "<", "2026-11-20T12:00:00.000001Z"):count())
      assert.equal(0, Thing:where("v", ">", NOON_TEXT):count())
      assert.equal(NOON_TEXT, Thing:max "v")
    end
  end)

  it("gives days as their first second", function()
    local Thing, db = thing_of("v INTEGER", { v = "date" })
    Thing:insert { { v = "2026-11-20" }, { v = "1969-12-31T23:59:59Z" } }
    assert.same({ "2026-11-20", "1969-12-31" }, Thing:order_by("id"):pluck "v")
    local rows = db:query "select v from things order by id"
    assert.same({ NOON - 43200, -86400 }, { rows[1].v, rows[2].v })
    assert.equal(1, Thing:where("v", "2026-11-20"):count())
  end)

  it("serves for the timestamps of a model", function()
    local Thing, db = thing_of("n INTEGER, created_at INTEGER, updated_at INTEGER",
      { created_at = "datetime", updated_at = "datetime" })
    local thing = Thing:create { n = 1 }
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.000000Z$", thing.created_at)
    assert.equal(thing.created_at, thing:fresh().created_at)
    Thing:insert { n = 2 }
    for _, row in ipairs(db:query "select typeof(created_at) as a, typeof(updated_at) as b from things") do
      assert.same({ a = "integer", b = "integer" }, row)
    end
  end)
end)
