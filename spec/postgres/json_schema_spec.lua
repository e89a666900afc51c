--- postgres/json_schema_spec: tables made from JSON Schemas on PostgreSQL; RILLE_SPEC_URL names a server.
local Database = require "spec.support.database"
local Json = require "rille.json"
local rille = require "rille"

local THINGS <const> = [[{ "$id": "things", "type": "object", "required": ["name"], "properties": {
  "id": { "type": "integer", "x-primary-key": true, "x-auto-increment": true },
  "name": { "type": "string", "minLength": 2, "maxLength": 20, "x-unique": true },
  "count": { "type": "integer", "minimum": 3, "multipleOf": 3 },
  "meta": { "type": "object" }, "state": { "enum": ["a", "it's"] }, "day": { "type": "string", "format": "date" },
  "score": { "type": ["number", "null"], "exclusiveMinimum": 0.5 } } }]]

describe("on PostgreSQL create_table", function()
  local db
  before_each(function() db = Database.fresh() end)
  after_each(function() rille.close() end)

  it("makes a table once, whose rows are judged, and gives its schema back", function()
    assert.is_true(db:create_table(THINGS).created)
    assert.same({ table = "things", created = false, changed = false, changes = {} }, db:create_table(THINGS))
    local row = db:create("things", { name = "xx", count = 6, meta = { a = 1 }, state = "it's" })
    assert.same({ 6, 1 }, { row.count, row.meta.a })
    local none, err = db:insert("things", { name = "x", count = 1 })
    assert.is_nil(none)
    assert.same({ name = { "must have at least 2 characters" }, count = { "must be at least 3" } }, err.fields)
    local _, taken = db:create("things", { name = "xx" })
    assert.same({ name = { "is already taken" } }, taken.fields)
    db:transaction(function()
      _, taken = db:insert("things", { name = "xx" })
      assert.same({ name = { "is already taken" } }, taken.fields)
      db:insert("things", { name = "zz" })
    end)
    assert.equal(2, db:table("things"):count())
    for _, values in ipairs { "'x', 3", "'yy', 2", "'yy', 4" } do
      local ok, e = pcall(db.execute, db, ("insert into things (name, count) values (%s)"):format(values))
      assert.is_false(ok)
      assert.equal("check_violation", e.kind)
    end
    assert.equal(Json.encode(Json.decode(THINGS)), Json.encode(db:json_schema "things"))
  end)

  it("changes a table without losing a row, and refuses what rows do not fit", function()
    db:create_table(THINGS)
    db:insert("things", { { name = "xx", count = 6 }, { name = "yy", count = 9 } })
    local narrower, wider = THINGS:gsub('"minimum": 3', '"minimum": 7'), THINGS:gsub('"minimum": 3', '"minimum": 0')
    local ok, e = pcall(db.create_table, db, narrower, { apply = true })
    assert.is_false(ok)
    assert.matches("1 row (id 1) do not fit (count >= 7)", e.message, 1, true)
    ok, e = pcall(db.create_table, db, wider)
    assert.is_false(ok)
    assert.truthy(#e.changes > 0)
    assert.is_true(db:create_table(wider, { apply = true }).changed)
    assert.is_false(db:create_table(wider).changed)
    assert.equal(1, db:insert("things", { name = "zz", count = 0 }))
    rille.schema():rename("things", "others")
    assert.is_nil((db:insert("others", { name = "x" })))
  end)

  it("keeps to the columns that are still what the schema made", function()
    db:create_table(THINGS)
    rille.schema():table("things", function(t) t:text("name"):change() t:bigint("more"):default(1) end)
    assert.equal(1, db:insert("things", { name = "x" }))
    assert.is_nil((db:insert("things", { name = "x", count = 1 })))
    local told = db:json_schema "things"
    assert.same({ "integer", 1 }, { told.properties.more.type, told.properties.more.default })
    assert.equal(3, told.properties.count.minimum)
    assert.is_nil(told.properties.name.minLength)
  end)

  it("judges rows without the right to make anything", function()
    db:create_table(THINGS)
    db:execute "set default_transaction_read_only = on"      -- a picture is read, and none is made
    local kept = require "rille.json_schema.kept".of(db, "things")
    db:execute "set default_transaction_read_only = off"
    assert.is_true(kept.whole)
  end)
end)
