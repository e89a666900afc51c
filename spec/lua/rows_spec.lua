--- rows_spec: the words of a handle about rows of a named table, on a real database.
local config = require "rille.config"
local rille = require "rille"

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  return e
end

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
