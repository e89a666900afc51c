--- length_spec: a column of bounded length holds no longer text, however it is written.
local world = require "spec.support.world"
local rille = world.rille
local refused, untouched = world.refused, world.untouched

describe("a column of bounded length", function()
  local Thing, db
  before_each(function()
    db = world.fresh [[create table things (id integer primary key, v VARCHAR(3), w CHARACTER VARYING (2),
      doc CHAR(12), free TEXT)]]
    Thing = rille.model "Thing" { casts = { doc = "json" } }
  end)

  it("counts characters, not bytes", function()
    local thing = Thing:create { v = "\u{1F600}ü\u{20AC}", w = "ab" }
    assert.equal("\u{1F600}ü\u{20AC}", thing:fresh().v)
    assert.equal(1, Thing:insert { v = "äöü", w = "\u{1F600}\u{1F600}" })
    untouched("invalid_argument", Thing.create, Thing, { v = "äöü!" })
  end)

  it("refuses a longer text before any SQL, with words, wherever it is written", function()
    local thing = Thing:create { id = 1, v = "abc" }
    local long = Thing:new { v = "abcd" }
    for name, write in pairs {
      create = function() Thing:create { v = "abcd" } end,
      save = function() long:save() end,
      update = function() thing:update { v = "abcd" } end,
      insert = function() Thing:insert { v = "abcd" } end,
      many = function() Thing:insert { { v = "abc" }, { v = "abcd" } } end,
      upsert = function() Thing:upsert({ id = 1, v = "abcd" }, "id") end,
      query = function() Thing:where("id", 1):update { v = "abcd" } end,
      table_insert = function() db:table("things"):insert { v = "abcd" } end,
      bulk = function() db:bulk_insert("things", { { v = "abc" }, { v = "abcd" } }) end,
      bulk_update = function() db:bulk_update("things", { { where = { id = 1 }, data = { v = "abcd" } } }) end,
    } do
      local e = untouched("invalid_argument", write)
      assert.matches("things%.v holds at most 3 characters, not 4", e.message, name)
      assert.matches("declare the column longer", e.hint)
      assert.same({ "things", "v" }, { e.table, e.column })
      assert.is_nil(e.code, name)                       -- the database was not asked
      if not name:find "table" and not name:find "bulk" then assert.equal("Thing", e.model, name) end
      thing:refresh()
    end
    assert.same({ "abc" }, Thing:order_by("id"):pluck "v")
  end)

  it("bounds what a cast keeps in it", function()
    Thing:create { doc = { a = "1234" } }
    assert.matches("things%.doc holds at most 12 characters, not 13",
      untouched("invalid_argument", Thing.create, Thing, { doc = { a = "12345" } }).message)
  end)

  it("may be compared with any text, and other columns hold any", function()
    Thing:create { v = "abc", free = ("x"):rep(10000) }
    assert.equal(0, Thing:where("v", "abcd"):count())
    assert.equal(1, Thing:where("v", "<", "abcd"):where_like("v", "abc%%%%"):count())
    assert.equal(1, Thing:where_in("v", { "abc", "abcdefgh" }):count())
    assert.equal(1, Thing:where_between("v", "aaaaaaa", "bbbbbbb"):count())
  end)

  it("lets a record hold a longer text until it is saved", function()
    local thing = Thing:new { v = "abcd" }
    assert.equal("abcd", thing.v)
    refused("invalid_argument", thing.save, thing)
    thing.v = "abc"
    assert.equal("abc", thing:save():fresh().v)
  end)

  it("is as long as a migration says", function()
    rille.schema():create("notes", function(t) t:id() t:string("title", 5) end)
    local Note = rille.model "Note" {}
    assert.equal("12345", Note:create({ title = "12345" }).title)
    refused("invalid_argument", Note.create, Note, { title = "123456" })
  end)
end)
