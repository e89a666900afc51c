--- rows_spec: the words of a handle about rows of a named table, on a real database.
local config = require "rille.config"
local refused = require "spec.support.refused"
local rille = require "rille"

describe("rows of a table", function()
  local db
  before_each(function()
    db = rille.connect ":memory:"
    db:execute [[create table users (id integer primary key, name VARCHAR(20) not null unique, age INTEGER default 18,
      live BOOLEAN not null default 1)]]
    db:execute "create table seats (hall TEXT, number INTEGER, taken INTEGER, primary key (hall, number)) without rowid"
    db:execute "create table notes (text TEXT)"
  end)
  after_each(function()
    rille.close()
    config.clear()
  end)

  local function names(where, options) return table.concat(db:select("users", where, options):pluck "name", " ") end
  local function three()
    db:insert("users", { { name = "a", age = 1 }, { name = "b", age = 2 }, { name = "c", age = 3 } })
  end

  it("are created and read back with what the database filled in", function()
    assert.same({ id = 1, name = "a", age = 18, live = true }, db:create("users", { name = "a" }))
    assert.same({ id = 7, name = "b", live = false },
      db:create("users", { id = 7, name = "b", age = rille.null, live = false }))
    assert.same({ hall = "x", number = 1 }, db:create("seats", { hall = "x", number = 1 }))
    assert.same({ text = "n" }, db:create("notes", { text = "n" }))
    assert.same({}, db:create("notes", {}))
    assert.equal(2, db:table("notes"):count())
    assert.equal("unique_violation", refused(db.create, db, "users", { name = "a" }).kind)
    assert.equal(2, #db:select "users")
  end)

  it("are inserted, one or many", function()
    assert.equal(1, db:insert("users", { name = "a" }))
    assert.equal(2, db:insert("users", { { name = "b" }, { name = "c" } }))
    assert.equal("a b c", names())
    assert.equal("insert: wants a table of column = value, got nil", refused(db.insert, db, "users").message)
    assert.equal(0, db:insert("notes", {}))                 -- a list of no rows
    assert.equal(1, db:insert("notes", { {} }))
    assert.equal(1, db:table("notes"):count())
    assert.equal('insert has no option "skip"', refused(db.insert, db, "users", {}, { skip = true }).message)
  end)

  it("are found by key", function()
    three()
    assert.same({ id = 2, name = "b", age = 2, live = true }, db:find_by_id("users", 2))
    assert.is_nil(db:find_by_id("users", 99))
    assert.equal("invalid_argument", refused(db.find_by_id, db, "users", nil).kind)
    db:insert("seats", { hall = "x", number = 1, taken = 5 })
    assert.equal(5, db:find_by_id("seats", "x", 1).taken)
  end)

  describe("of a model, with relations,", function()
    local Hall, Seat

    before_each(function()
      require "rille.model".forget_all()
      db:execute "create table halls (id integer primary key, name TEXT)"
      db:execute "create table places (hall_id integer, number INTEGER, taken INTEGER, primary key (hall_id, number))"
      Hall = rille.model("Hall", { relations = { places = rille.has_many("Place", { order_by = "number" }) } })
      Seat = rille.model("Place", { primary_key = { "hall_id", "number" },
        relations = { hall = rille.belongs_to "Hall" } })
      db:insert("halls", { { id = 1, name = "big" }, { id = 2, name = "small" }, { id = 3, name = "none" } })
      db:insert("places", { { hall_id = 1, number = 2, taken = 1 }, { hall_id = 1, number = 1, taken = 0 },
        { hall_id = 2, number = 1, taken = 0 } })
    end)

    local function heard(fn, ...)
      local count = 0
      local stop = rille.on("query", function() count = count + 1 end)
      local result = fn(...)
      stop()
      return count, result
    end

    it("are found by key", function()
      local statements, hall = heard(db.find_by_id_with, db, Hall, 1, "places")
      assert.equal(2, statements)
      assert.same({ 0, { 1, 2 } }, { heard(function() return hall.places:pluck "number" end) })
      assert.is_nil(db:find_by_id_with("Hall", 99, { "places" }))
      assert.equal("small", db:find_by_id_with(Seat, { 2, 1 }, { hall = true }).hall.name)
      assert.equal("invalid_argument", refused(db.find_by_id_with, db, Hall, nil, "places").kind)
    end)

    it("are found by a condition, one or all, in order, a part", function()
      local taken = { places = function(q) return q:where("taken", 1) end }
      local statements, hall = heard(db.find_one_with, db, "Hall", { name = "big" }, taken)
      assert.same({ 2, { 2 } }, { statements, { table.unpack(hall.places:pluck "number") } })
      assert.equal("small", db:find_one_with(Hall, function(q) return q:where("id", "<", 3) end, "places",
        { order_by = { "id", "desc" } }).name)
      assert.is_nil(db:find_one_with(Hall, { name = "?" }, "places"))
      local halls
      statements, halls = heard(db.find_all_with, db, Hall, function(q) return q:where("id", "<", 3) end,
        { places = true })
      assert.equal(2, statements)
      assert.same({ 2, 1 }, { #halls[1].places, #halls[2].places })
      halls = db:find_all_with(Hall, nil, { "places.hall" }, { order_by = "name", limit = 2, offset = 1 })
      assert.same({ "none", "small" }, { table.unpack(halls:pluck "name") })
      assert.equal("small", halls[2].places[1].hall.name)
    end)

    it("are not found by what says nothing, or is no model, relation or option", function()
      assert.equal("find_one_with: the condition is nil\n  hint: Hall:unfiltered() means every row",
        tostring(refused(db.find_one_with, db, Hall, nil, "places")))
      assert.equal("find_all_with: the condition is empty", refused(db.find_all_with, db, Hall, {}, "places").message)
      assert.equal('did you mean "Hall"?', refused(db.find_all_with, db, "Hal", nil, "places").hint)
      assert.equal('find_all_with: wants a model, or the name of one, got 7 (integer)',
        refused(db.find_all_with, db, 7, nil, "places").message)
      assert.equal("no_such_relation", refused(db.find_one_with, db, Hall, { id = 1 }, { "seats" }).kind)
      assert.equal("invalid_argument", refused(db.find_by_id_with, db, Hall, 1, nil).kind)
      assert.equal('find_one_with has no option "limit"',
        refused(db.find_one_with, db, Hall, { id = 1 }, "places", { limit = 1 }).message)
    end)

    it("are read where the model is, and asked for there", function()
      rille.configure { connections = { main = ":memory:", other = ":memory:" } }
      rille.db():execute "create table halls (id integer primary key)"
      rille.db("other"):execute "create table halls (id integer primary key)"
      assert.equal('find_by_id_with: the model Hall is of the connection "main", and this one is "other"',
        refused(rille.db "other".find_by_id_with, rille.db "other", Hall, 1, "places").message)
    end)
  end)

  it("are selected by a condition, in order, some columns, a part", function()
    three()
    assert.equal("a b c", names())
    assert.equal("b", names { age = 2 })
    assert.equal("b c", names(function(q) return q:where("age", ">", 1) end))
    assert.equal("c b", names(nil, { order_by = { "age", "desc" }, limit = 2 }))
    assert.equal("b", names(nil, { order_by = "age", limit = 1, offset = 1 }))
    assert.same({ { name = "a" } }, db:select("users", { id = 1 }, { columns = { "name" } }))
    assert.same({}, db:select("users", { name = "z" }))
  end)

  it("are not selected by a condition that says nothing", function()
    three()
    assert.equal("select: the condition is empty", refused(db.select, db, "users", {}).message)
    assert.equal("select: the condition is nil", refused(db.select, db, "users", nil).message)
    assert.equal('select has no option "limt"\n  hint: did you mean "limit"?',
      tostring(refused(db.select, db, "users", nil, { limt = 1 })))
    assert.equal("select: wants a table of column = value, or a function of the query, got \"id = 1\" (string)",
      refused(db.select, db, "users", "id = 1").message)
    assert.equal("select.columns: wants a list, got \"name\" (string)",
      refused(db.select, db, "users", { id = 1 }, { columns = "name" }).message)
  end)

  it("are updated where a condition fits", function()
    three()
    assert.equal(1, db:update("users", { name = "a" }, { age = 50 }))
    assert.equal(0, db:update("users", { name = "z" }, { age = 50 }))
    assert.equal(50, db:find_by_id("users", 1).age)
    for _, where in ipairs { {}, false } do
      local e = refused(db.update, db, "users", where or nil, { age = 0 })
      assert.equal("unsafe_mutation", e.kind)
      assert.equal("users", e.table)
    end
    assert.equal("update: wants a table of column = value, got nil",
      refused(db.update, db, "users", { id = 1 }).message)
    assert.equal(50, db:find_by_id("users", 1).age)
  end)

  it("are deleted where a condition fits, by either word", function()
    three()
    assert.equal(1, db:delete("users", { name = "a" }))
    assert.equal(1, db:remove("users", function(q) return q:where("age", 3) end))
    assert.equal("b", names())
    assert.equal("unsafe_mutation", refused(db.delete, db, "users", {}).kind)
    assert.equal("unsafe_mutation", refused(db.remove, db, "users").kind)
    assert.equal("b", names())
  end)

  describe("in bulk", function()
    it("are written all or none", function()
      assert.equal(2, db:bulk_insert("users", { { name = "a" }, { name = "b" } }))
      assert.equal("unique_violation", refused(db.bulk_insert, db, "users", { { name = "c" }, { name = "a" } }).kind)
      assert.equal("a b", names())

      assert.equal(2, db:bulk_update("users", { { where = { name = "a" }, data = { age = 1 } },
        { where = { name = "b" }, data = { age = 2 } } }))
      assert.equal("unique_violation", refused(db.bulk_update, db, "users", {
        { where = { name = "a" }, data = { age = 9 } }, { where = { name = "b" }, data = { name = "a" } } }).kind)
      assert.equal(1, db:find_by_id("users", 1).age)

      assert.equal("unsafe_mutation", refused(db.bulk_delete, db, "users", { { name = "a" }, {} }).kind)
      assert.equal("a b", names())
      assert.equal(2, db:bulk_delete("users", { { name = "a" }, { name = "b" } }))
      assert.equal("", names())
    end)

    it("say which element is wrong", function()
      assert.equal("bulk_update: element 2: the condition is empty", refused(db.bulk_update, db, "users", {
        { where = { name = "a" }, data = { age = 1 } }, { where = {}, data = { age = 1 } } }).message)
      assert.equal('bulk_update: element 1 has no option "dat"\n  hint: did you mean "data"?',
        tostring(refused(db.bulk_update, db, "users", { { where = { id = 1 }, dat = {} } })))
      assert.equal("bulk_delete: wants a list without holes, got a table",
        refused(db.bulk_delete, db, "users", { { id = 1 }, nil, { id = 3 } }).message)
      assert.equal("bulk_insert: wants a list, got nil", refused(db.bulk_insert, db, "users").message)
    end)
  end)

  it("are told from a table and a column that do not exist", function()
    assert.equal('did you mean "users"?', refused(db.select, db, "user").hint)
    assert.equal("no_such_column", refused(db.select, db, "users", { nmae = "a" }).kind)
    assert.equal("no_such_column", refused(db.create, db, "users", { nmae = "a" }).kind)
  end)

  it("have conditions of their keys", function()
    assert.same({ id = 5 }, db:key_of("users", 5))
    assert.same({ hall = "x", number = 2 }, db:key_of("seats", { "x", 2 }))
    assert.equal('key_of: wants 2 values (hall, number), got "x" (string)',
      refused(db.key_of, db, "seats", "x").message)
    assert.equal("key_of: wants 1 value (id), got nil", refused(db.key_of, db, "users", nil).message)
    assert.equal("key_of: the table notes has no primary key", refused(db.key_of, db, "notes", 1).message)
  end)
end)
