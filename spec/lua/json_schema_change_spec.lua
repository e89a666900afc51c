--- json_schema_change_spec: a changed JSON Schema is told, applied where no row loses anything, and refused elsewhere.
local world = require "spec.support.world"
local rille, null, refused, untouched = world.rille, world.null, world.refused, world.untouched
local Json = require "rille.json"

local function schema_of(properties, more)
  local schema = { title = "t", type = "object", required = { "name" }, properties = {
    id = { type = "integer", ["x-primary-key"] = true, ["x-auto-increment"] = true }, name = { type = "string" },
    size = { type = "integer", minimum = 0, ["x-index"] = true },
  } }
  for name, property in pairs(properties or {}) do
    if property == false then property = nil end
    schema.properties[name] = property
  end
  for name, value in pairs(more or {}) do schema[name] = value end
  return schema
end

describe("create_table of a table that is there", function()
  local db
  before_each(function()
    db = world.fresh()
    db:create_table(schema_of())
    for i = 1, 7 do db:create("t", { name = "n" .. i, size = i }) end
  end)

  local function changes(schema) return db:create_table(schema, { diff = true }).changes end
  local function apply(schema, options)
    options = options or {}
    options.apply = true
    return db:create_table(schema, options)
  end

  it("does nothing for the same schema", function()
    local before = world.picture()
    assert.same({ table = "t", created = false, changed = false, changes = {} }, db:create_table(schema_of()))
    assert.same({}, changes(schema_of()))
    assert.equal(before, world.picture())
  end)

  it("raises what another schema changes, and does nothing", function()
    local other = schema_of({ size = false, name = { type = "string", maxLength = 9 }, note = { type = "string" } })
    local e = untouched("migration", db.create_table, db, other)
    assert.equal('create_table: there is a table "t" already, and it is not this one: ' .. table.concat(e.changes,
      "; "),
      e.message)
    assert.same({
      'the index "t_size_index" over "size" is removed', 'the column "size" is removed',
      'the column "name" is changed (check: none -> length("name") <= 9)', 'the column "note" is added (TEXT)',
    }, { table.unpack(e.changes, 1, 4) })
    assert.same(e.changes, changes(other))
    assert.truthy(tostring(e):find("{ apply = true }", 1, true))
  end)

  it("tells of rules that the database does not see", function()
    assert.same({ '#/properties/name/pattern is new: "^n"' }, changes(schema_of { name = { type = "string",
      pattern = "^n" } }))
    refused("migration", db.create_table, db, schema_of { name = { type = "string", pattern = "^n" } })
    assert.same({ "#/required is [\"name\",\"size\"] instead of [\"name\"]" },
      { select(-1, table.unpack(changes(schema_of({}, { required = { "name", "size" } })))) })
  end)

  it("adds columns, checks, keys, indexes and rules, and keeps all rows", function()
    db:create_table { title = "owners", properties = { id = { type = "integer", ["x-primary-key"] = true } } }
    local other = schema_of({
      name = { type = "string", maxLength = 9, pattern = "^n", ["x-unique"] = true }, note = { type = "string",
        default = "-" },
      size = { type = "number", minimum = 0 }, owner = { type = "integer", ["x-references"] = { table = "owners" } },
    }, { ["x-index"] = { "name", "size" } })
    assert.is_true(apply(other).changed)
    assert.equal(Json.encode(Json.decode(Json.encode(other))), Json.encode(db:json_schema "t"))
    assert.same({}, changes(other))
    assert.equal(7, db:table("t"):count())
    assert.same({ id = 3, name = "n3", size = 3.0, note = "-" }, db:find_by_id("t", 3))
    assert.same({ name = { "has the wrong form" } }, select(2, db:create("t", { name = "x" })).fields)
    assert.same({ name = { "is already taken" } }, select(2, db:create("t", { name = "n1" })).fields)
    assert.same({ owner = { "refers to nothing that exists" } }, select(2, db:create("t", { name = "n",
      owner = 5 })).fields)
    assert.equal(8, db:create("t", { name = "n8" }).id)
    apply(schema_of(), { lossy = true })
    assert.equal(8, db:table("t"):count())
    assert.same({}, changes(schema_of()))
  end)

  it("drops a column without values, and names the rows that would lose one", function()
    db:create_table(schema_of { note = { type = "string" } }, { apply = true })
    assert.is_true(apply(schema_of()).changed)
    local e = untouched("migration", apply, schema_of { size = false })
    assert.equal('create_table: t: 7 rows (id 1; 2; 3; 4; 5; …) hold a value in "size", which would be lost',
      e.message)
    apply(schema_of { size = false }, { lossy = true })
    assert.same({ id = 2, name = "n2" }, db:find_by_id("t", 2))
    assert.equal("create_table: lossy says how far apply may go, and apply is not said",
      refused("invalid_argument", db.create_table, db, schema_of(), { lossy = true }).message)
  end)

  it("refuses what rows do not fit, even when they might be lost, and names them", function()
    for message, schema in pairs {
      ['create_table: t: 3 rows (id 5; 6; 7) do not fit "size" <= 4'] =
        schema_of { size = { type = "integer", minimum = 0, maximum = 4, ["x-index"] = true } },
      ["create_table: t: 6 rows would not be valid: 2: name has the wrong form; 3: name has the wrong form; 4: name "
        .. "has the wrong form; 5: name has the wrong form; 6: name has the wrong form; …"] =
        schema_of { name = { type = "string", pattern = "1" } },
      ['7 rows of "t" hold no integer in "name" (the first: id 1: "n1")'] = schema_of { name = { type = "integer" } },
    } do
      assert.equal(message, untouched("migration", apply, schema, { lossy = true }).message)
    end
    db:create("t", { name = "x", size = null })
    local e = untouched("migration", apply, schema_of({}, { required = { "name", "size" } }))
    assert.equal('1 row of "t" holds NULL in "size" (id 8)', e.message)
    local more = schema_of({ note = { type = "string" } }, { required = { "name", "note" } })
    assert.truthy(untouched("migration", apply, more).message:find("not nullable and has no default", 1, true))
  end)

  it("changes the primary key, and refuses to make a counter of a column", function()
    db:create_table({ title = "k", properties = { a = { type = "integer" }, b = { type = "integer" } } })
    db:create("k", { a = 1, b = 2 })
    local two = { title = "k", ["x-primary-key"] = { "a", "b" }, properties = { a = { type = "integer" },
      b = { type = "integer" } } }
    apply(two)
    assert.same({ "a", "b" }, db:describe("k").primary)
    assert.same({ a = 1, b = 2 }, db:find_by_id("k", 1, 2))
    local counted = { title = "k", properties = { b = { type = "integer" },
      a = { type = "integer", ["x-primary-key"] = true, ["x-auto-increment"] = true } } }
    untouched("unsupported", apply, counted)
  end)

  it("adopts a table that other means made, when asked", function()
    rille.schema():create("posts", function(t)
      t:id()
      t:string("title", 20)
      t:decimal("price", 8, 2):default(1.5)
      t:integer("views"):default(0):index()
      t:json("meta"):nullable()
    end)
    local derived = db:json_schema "posts"
    refused("migration", db.create_table, db, derived)
    assert.is_true(apply(derived).changed)
    assert.is_false(db:create_table(derived).changed)
    assert.same({ "must have at most 20 characters" },
      select(2, db:create("posts", { title = ("x"):rep(21) })).fields.title)
  end)
end)

describe("json_schema", function()
  local db
  before_each(function() db = world.fresh() end)

  it("tells all of a table that other means made, and what create_table cannot make is refused", function()
    db:execute [[create table p (a integer not null, b text, primary key (a, b)) without rowid]]
    db:execute [[create table t (id integer primary key, name NVARCHAR(9) collate nocase
      default (lower('X')) check (name <> 'q'),
      up integer references t on delete cascade deferrable initially deferred, g integer as (id + 1) stored,
      a integer, b text, unique (a), check (a < 5 or b is null), foreign key (a, b) references p)]]
    db:execute "create index ix on t (lower(name))"
    db:execute "create index iw on t (a desc) where a > 1"
    local schema = db:json_schema "t"
    assert.equal('{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":'
      .. '{"a":{"type":["integer","null"],"x-unique":true},"b":{"type":["string","null"]},'
      .. '"g":{"type":["integer","null"],"x-generated-raw":"as (id + 1) stored"},'
      .. '"id":{"type":"integer","x-primary-key":true},'
      .. '"name":{"type":["string","null"],"x-check-raw":["name <> \'q\'"],"x-collate":"nocase",'
      .. '"x-declared":"NVARCHAR(9)","x-default-raw":"lower(\'X\')"},'
      .. '"up":{"type":["integer","null"],"x-references":{"column":"id","onDelete":"cascade","table":"t",'
      .. '"x-deferrable":true}}},'
      .. '"title":"t","type":"object","x-check-raw":["a < 5 or b is null"],'
      .. '"x-columns":["id","name","up","g","a","b"],"x-expression-raw":["create index ix on t (lower(name))"],'
      .. '"x-index":[{"columns":[{"column":"a","order":"desc"}],"name":"iw","where-raw":"a > 1"}],'
      .. '"x-references":[{"columns":["a","b"],"references":["a","b"],"table":"p"}]}',
      Json.encode(schema):gsub("CREATE INDEX", "create index") .. "")
    refused("unsupported", db.create_table, db, schema, "other", { raw = true })
    db:execute "create table plain (id integer primary key, a text)"
    assert.is_true(db:create_table(db:json_schema "plain", { apply = true }).changed)
    assert.same({ id = 1, a = "x" }, db:create("plain", { a = "x" }))
    assert.is_true(db:json_schema("p")["x-without-rowid"])
  end)

  it("knows the nearest name of a table that is not there", function()
    db:execute "create table posts (a integer)"
    assert.truthy(tostring(refused("no_such_table", db.json_schema, db, "post")):find('"posts"', 1, true))
    refused("invalid_argument", db.json_schema, db)
  end)

  it("keeps to the table when a migration changes, renames or drops it", function()
    local schema = { title = "t", required = { "a" }, properties = { a = { type = "string", pattern = "^x",
      title = "A" },
      b = { type = "string", format = "email" } } }
    db:create_table(schema)
    local words = rille.schema()
    words:table("t", function(t) t:string("b", 99):nullable():change() t:integer("c"):nullable() end)
    local now = db:json_schema "t"
    assert.same({ type = "string", pattern = "^x", title = "A" }, now.properties.a)
    assert.same({ type = { "string", "null" }, maxLength = 99, ["x-type"] = "string" }, now.properties.b)
    assert.same({ type = { "integer", "null" } }, now.properties.c)
    assert.same({ a = { "has the wrong form" } }, select(2, db:create("t", { a = "y", b = "free" })).fields)
    assert.equal("free", db:create("t", { a = "x", b = "free" }).b)
    words:rename("t", "u")
    assert.same({ a = { "has the wrong form" } }, select(2, db:create("u", { a = "y" })).fields)
    words:drop "u"
    assert.same({}, db:query "select * from rille_json_schemas")
    words:create("u", function(t) t:text "a" end)
    assert.equal("y", db:create("u", { a = "y" }).a)
  end)

  it("is not kept of a table whose making was rolled back", function()
    pcall(db.transaction, db, function()
      db:create_table { title = "t", properties = { a = { type = "integer", maximum = 1 } } }
      error "no"
    end)
    assert.same({}, db:tables())
    rille.schema():create("t", function(t) t:integer "a" end)
    assert.equal(5, db:create("t", { a = 5 }).a)
  end)

  it("is left alone by migrations that are verified", function()
    local Snapshot = require "rille.migrator.snapshot"
    local before = Snapshot.take(db)
    db:create_table { title = "t", properties = { a = { type = "integer" } } }
    rille.schema():drop "t"
    assert.same({}, Snapshot.compare(before, Snapshot.take(db)))
  end)
end)
