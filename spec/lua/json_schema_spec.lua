--- json_schema_spec: tables made from JSON Schemas, the rows they take, and what is refused, with its place.
local world = require "spec.support.world"
local rille, null, refused = world.rille, world.null, world.refused
local Json = require "rille.json"

local USERS <const> = [[{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.org/schemas/users.schema.json",
  "title": "A user", "type": "object", "required": ["email", "name", "age"],
  "properties": {
    "id": { "type": "integer", "x-primary-key": true, "x-auto-increment": true },
    "email": { "type": "string", "format": "email", "maxLength": 40, "x-unique": true },
    "name": { "type": "string", "minLength": 2, "default": "O'Brien; drop table \"users\"; --" },
    "age": { "type": "integer", "minimum": 0, "maximum": 150, "description": "in years" },
    "score": { "type": ["number", "null"], "exclusiveMinimum": 0.5, "multipleOf": 0.25 },
    "state": { "enum": ["draft", "it's"], "default": "draft" },
    "zip": { "type": "string", "pattern": "^[0-9]{5}$" },
    "born": { "type": "string", "format": "date" },
    "seen": { "type": "string", "format": "date-time" },
    "live": { "type": "boolean", "default": true },
    "tags": { "type": "array", "items": { "type": "string" }, "uniqueItems": true, "default": [] },
    "meta": { "type": "object", "properties": { "lang": { "$ref": "#/$defs/lang" } }, "required": ["lang"] },
    "boss": { "type": "integer", "x-index": "by_boss", "x-references": { "table": "users", "onDelete": "set null" } }
  },
  "$defs": { "lang": { "type": "string", "minLength": 2 } }
}]]

--- A schema of one property, and what is wrong with it.
local function said_of(property, ...)
  local schema = { title = "t", type = "object", properties = { a = property }, ... }
  local ok, e = pcall(function() return rille.db():create_table(schema) end)
  return ok and "nothing" or e.message
end

local function with(fields)
  local schema = { title = "t", type = "object", properties = { a = { type = "integer" }, b = { type = "string" } } }
  for name, value in pairs(fields) do schema[name] = value end
  return schema
end

local function ddl(name) return rille.db():query("select sql from sqlite_schema where name = ?", name)[1].sql end

describe("create_table", function()
  local db
  before_each(function() db = world.fresh() end)

  it("makes columns, keys, checks, defaults and indexes", function()
    local made = db:create_table(USERS)
    assert.same({ table = "users", created = true, changed = false, changes = {} }, made)
    local sql = ddl "users"
    for _, part in ipairs {
      [["id" integer primary key autoincrement not null]],
      [["email" TEXT not null constraint "users_email_check" check (length("email") <= 40)]],
      [["name" TEXT not null default 'O''Brien; drop table "users"; --']],
      [["age" INTEGER not null]], [[check ("age" >= 0)]], [[check ("age" <= 150)]], [[check ("score" > 0.5)]],
      [[check ("state" in ('draft', 'it''s'))]], [["born" DATE TEXT]], [["seen" DATETIME TEXT]],
        [["live" BOOLEAN default 1]],
      [[check (json_type("tags") = 'array')]], [[references "users" ("id") on delete set null]],
    } do
      assert.truthy(sql:find(part, 1, true), part)
    end
    assert.equal('CREATE UNIQUE INDEX "users_email_unique" on "users" ("email")', ddl "users_email_unique")
    assert.equal('CREATE INDEX "by_boss" on "users" ("boss")', ddl "by_boss")
  end)

  it("comes back equal from json_schema", function()
    db:create_table(USERS)
    assert.equal(Json.encode(Json.decode(USERS)), Json.encode(db:json_schema "users"))
  end)

  it("takes a table of Lua, a name of its own, and $id or title for a name", function()
    db:create_table({ title = "x", properties = { a = { type = "integer" } } }, "other")
    db:create_table { ["$id"] = "plain", title = "x", properties = { a = { type = "integer" } } }
    db:create_table { title = "A title", properties = { a = { type = "integer" } } }
    assert.same({ "A title", "other", "plain", "rille_json_schemas" }, db:tables())
  end)

  it("orders the columns: the key, what is required, all others by name; or as x-columns says", function()
    local function names(schema)
      db:create_table(schema)
      return table.concat(world.of_each(db:describe(schema.title).columns, "name"), " ")
    end
    local one = { type = "integer" }
    local properties = { d = one, c = one, b = one, a = one }
    assert.equal("c d b a", names { title = "t1", properties = properties, required = { "d", "b" },
      ["x-primary-key"] = { "c" } })
    assert.equal("b d a c", names { title = "t2", properties = properties, ["x-columns"] = { "b", "d", "a", "c" } })
  end)

  it("knows keys, indexes and references of several columns", function()
    db:create_table { title = "orgs", properties = { a = { type = "integer" }, b = { type = "string" } },
      ["x-primary-key"] = { "b", "a" } }
    db:create_table { title = "t", ["x-primary-key"] = { "a", "b" }, ["x-unique"] = { { "c", "a" }, { "c", "b" } },
      ["x-index"] = { columns = { { column = "c", order = "desc" }, "b" }, name = "by_c" },
      ["x-references"] = { { columns = { "b", "a" }, table = "orgs", references = { "b", "a" },
        onDelete = "cascade" } },
      properties = { a = { type = "integer" }, b = { type = "string" }, c = { type = "number" } } }
    assert.same({ "a", "b" }, db:describe("t").primary)
    assert.truthy(ddl("t"):find('foreign key ("b", "a") references "orgs" ("b", "a") on delete cascade', 1, true))
    assert.equal('CREATE UNIQUE INDEX "t_c_a_unique" on "t" ("c", "a")', ddl "t_c_a_unique")
    assert.equal('CREATE INDEX "by_c" on "t" ("c" desc, "b")', ddl "by_c")
  end)

  it("takes the words of DORM", function()
    db:create_table { ["$id"] = "t", required = { "name" }, properties = {
      id = { type = "integer", ["x-dorm-primary-key"] = true, ["x-dorm-auto-increment"] = true },
      name = { type = "string", ["x-dorm-unique"] = true, ["x-dorm-default"] = "it's" },
      up = { type = { "integer", "null" }, ["x-dorm-index"] = "t_up",
        ["x-dorm-references"] = { table = "t", column = "id", onDelete = "CASCADE", onUpdate = "restrict" } },
    } }
    local sql = ddl "t"
    assert.truthy(sql:find("default 'it''s'", 1, true))
    assert.truthy(sql:find('references "t" ("id") on delete cascade on update restrict', 1, true))
    assert.truthy(ddl "t_up" and ddl "t_name_unique")
  end)

  it("follows references inside the schema, allOf, and anyOf with null", function()
    db:create_table { ["$ref"] = "#/definitions/User", ["$schema"] = "http://json-schema.org/draft-07/schema#",
      definitions = {
        User = { title = "u", type = "object", required = { "a" }, properties = {
          a = { ["$ref"] = "#/definitions/Small" }, b = { allOf = { { ["$ref"] = "#/definitions/Small" } },
            maximum = 5 },
          c = { anyOf = { { type = "null" }, { type = "string", maxLength = 3 } } },
        } },
        Small = { type = "integer", minimum = 1 },
      } }
    local sql = ddl "u"
    assert.truthy(sql:find([["a" INTEGER not null constraint "u_a_check" check ("a" >= 1)]], 1, true))
    assert.truthy(sql:find([[check ("b" >= 1) constraint "u_b_check_2" check ("b" <= 5)]], 1, true))
    assert.truthy(sql:find([["c" TEXT constraint "u_c_check" check (length("c") <= 3)]], 1, true))
  end)

  it("chooses another column word by x-type", function()
    db:create_table { title = "t", properties = {
      a = { type = "integer", ["x-type"] = "bigint" }, b = { type = "string", ["x-type"] = "decimal(10,2)",
        minimum = 0 },
      c = { type = "string", ["x-type"] = "string", maxLength = 9 }, d = { type = "string", ["x-type"] = "blob" },
      e = { ["x-type"] = "json" },
    } }
    for _, part in ipairs { '"a" BIGINT', '"b" DECIMAL(10,2)', 'check ("b" >= 0)', '"c" VARCHAR(9),', '"d" BLOB',
      '"e" JSON TEXT' } do
      assert.truthy(ddl("t"):find(part, 1, true), part)
    end
    assert.same({ e = "text", b = "0.50" }, db:create("t", { e = "text", b = 0.5 }))
    assert.same({ b = { "must be at least 0" } }, select(2, db:create("t", { b = "-0.01" })).fields)
  end)

  it("refuses SQL text unless the schema is trusted", function()
    local schema = { title = "t", properties = { a = { type = "integer", ["x-check-raw"] = "a <> 5",
      ["x-default-raw"] = "1 + 1" } }, ["x-index"] = { columns = { "a" }, ["where-raw"] = "a > 1" } }
    local e = refused("invalid_argument", db.create_table, db, schema)
    assert.equal("create_table: #/properties/a/x-check-raw: this would become SQL as it is", e.message)
    db:create_table(schema, { raw = true })
    assert.equal(2, db:create("t", {}).a)
    assert.same({ a = { "is not valid" } }, select(2, db:create("t", { a = 5 })).fields)
  end)
end)

describe("a schema that cannot be a table", function()
  before_each(function() world.fresh() end)

  for title, case in pairs {
    ["whose type is unknown"] = { { type = "int" }, '#/properties/a/type: there is no type "int"' },
    ["with several types"] = { { type = { "integer", "string" } },
      "#/properties/a/type: one column holds one type, not integer or string" },
    ["without a type"] = { { description = "?" }, "#/properties/a: says no type" },
    ["with an unknown keyword"] = { { type = "string", minLenght = 2 },
      '#/properties/a/minLenght: the keyword "minLenght" is not known here, and what it says would be lost' },
    ["with an unknown x-word"] = { { type = "string", ["x-uniqe"] = true },
      '#/properties/a/x-uniqe: the keyword "x-uniqe" is not known here, and what it says would be lost' },
    ["with a keyword of another type"] = { { type = "integer", minLength = 2 },
      "#/properties/a/minLength: minLength is about values of the type string, and these are integer" },
    ["with an unknown format"] = { { type = "string", format = "emial" },
      '#/properties/a/format: the format "emial" is not known' },
    ["with a pattern that wants backtracking"] = { { type = "string", pattern = "(a)\\1" },
      '#/properties/a/pattern: "(a)\\1": references back to a group are not supported (character 5)' },
    ["with a default that it does not allow"] = { { type = "string", minLength = 2, default = "x" },
      "#/properties/a/default: the default is not allowed: it must have at least 2 characters" },
    ["with a default of another type"] = { { type = "integer", default = "1" },
      "#/properties/a/default: the default is not allowed: it must be an integer" },
    ["that counts up texts"] = { { type = "string", ["x-primary-key"] = true, ["x-auto-increment"] = true },
      "#/properties/a/x-auto-increment: only an integer can be counted up" },
    ["that counts up what is no key"] = { { type = "integer", ["x-auto-increment"] = true },
      "#/properties/a/x-auto-increment: only a primary key is counted up" },
    ["with an enum of another type"] = { { type = "integer", enum = { 1, "2" } },
      "#/properties/a/enum/1: is no value of the type integer" },
    ["with a reference to nothing"] = { { ["$ref"] = "#/$defs/none" },
      '#/properties/a/$ref: "#/$defs/none" leads nowhere' },
    ["with a reference to elsewhere"] = { { ["$ref"] = "https://example.org/x" },
      '#/properties/a/$ref: "https://example.org/x" is not in this schema' },
    ["that refers to itself"] = { { ["$ref"] = "#/properties/a" }, "#/properties/a: its references lead back to it" },
    ["that is never valid"] = { false, "#/properties/a: false allows no value, so no column can hold one" },
    ["with an action that there is none"] = { { type = "integer", ["x-references"] = { table = "t",
      onDelete = "drop" } },
      '#/properties/a/x-references/onDelete: wants one of cascade, set null, set default, restrict, no action, got '
      .. '"drop" (string)' },
    ["with a key in the reference that is not read"] = { { type = "integer", ["x-references"] = { tabel = "t" } },
      "#/properties/a/x-references/tabel: is not known here" },
    ["with what only other means make"] = { { type = "string", ["x-collate"] = "nocase" },
      "#/properties/a/x-collate: create_table cannot make that" },
    ["with remarks of the wrong kind"] = { "string", '#/properties/a: wants an object, got "string" (string)' },
    ["whose values contradict"] = { { allOf = { { type = "integer", minimum = 1 }, { minimum = 2 } } },
      "#/properties/a/allOf/1/minimum: says something else than #/properties/a/allOf/0/minimum" },
    ["whose list hides a wrong schema"] = { { type = "array", items = { type = "strin" } },
      '#/properties/a/items/type: there is no type "strin"' },
  } do
    it(title .. " says where", function() assert.equal("create_table: " .. case[2], said_of(case[1])) end)
  end

  for title, case in pairs {
    ["without a name"] = { { title = false }, "create_table: #/title" },
    ["with a name like a path"] = { { ["$id"] = "../x" }, 'create_table: #/$id: "../x" names no table' },
    ["with a file for a name"] = { { ["$id"] = "file:///etc/passwd#x/../" }, "create_table: #/$id" },
    ["with a name of ours"] = { { ["$id"] = "rille_json_schemas" }, "create_table: #/$id: wants a name that does not" },
    ["with a name of SQLite"] = { { ["$id"] = "sqlite_x" }, "create_table: #/$id: wants a name that does not" },
    ["with a NUL in its name"] = { { ["$id"] = "a\0b" }, "$id holds a NUL byte" },
    ["that is no object"] = { { type = "array" }, '#/type: wants the type "object", whose properties are columns' },
    ["with room for more"] = { { additionalProperties = true }, "#/additionalProperties: a table has columns for its" },
    ["with conditions"] = { { oneOf = {} }, '#/oneOf: the keyword "oneOf" is not known here' },
    ["of an old draft"] = { { ["$schema"] = "http://json-schema.org/draft-04/schema#" }, "#/$schema: " },
    ["that requires what is not there"] = { { required = { "c" } }, '#/required/0: there is no property "c"' },
    ["with a key that is not there"] = { { ["x-primary-key"] = { "c" } },
      '#/x-primary-key/0: there is no property "c"' },
    ["with an index over nothing"] = { { ["x-index"] = { { "a", "x" } } }, '#/x-index/0/1: there is no property "x"' },
    ["with no properties"] = { { properties = {} }, "#/properties: a table without columns cannot be made" },
    ["with an order that forgets one"] = { { ["x-columns"] = { "a" } }, '#/x-columns: the property "b" is missing' },
    ["with names that are one to the database"] = { { properties = { A = { type = "integer" },
      a = { type = "integer" } } },
      '#/properties/a: the database takes it for the same name as "A"' },
    ["with a name too long"] = { { properties = { [("x"):rep(64)] = { type = "integer" } } },
      "wants a name of at most 63" },
    ["with an empty name"] = { { properties = { [""] = { type = "integer" } } }, "#/properties/: wants a name" },
  } do
    it(title .. " says where", function()
      local ok, e = pcall(rille.db().create_table, rille.db(), with(case[1]))
      assert.is_false(ok)
      assert.truthy(rille.is_error(e), tostring(e))
      assert.truthy(e.message:find(case[2], 1, true), e.message)
    end)
  end

  it("is refused when it has neither $id nor title", function()
    local e = refused("invalid_argument", rille.db().create_table, rille.db(),
      '{"properties":{"a":{"type":"integer"}}}')
    assert.equal("create_table: the schema names no table: it has neither $id nor title", e.message)
  end)

  it("is refused when it is huge, deep, cyclic or no JSON", function()
    local db = rille.db()
    local cyclic = with {}
    cyclic.properties.a.examples = cyclic
    assert.truthy(refused("invalid_argument", db.create_table, db, cyclic).message:find("create_table: json_schema", 1,
      true))
    local deep = ('{"a":'):rep(200) .. "1" .. ("}"):rep(200)
    assert.truthy(refused("invalid_argument", db.create_table, db, deep).message:find("nested more than", 1, true))
    local huge = '{"title":"' .. ("x"):rep(1024 * 1024) .. '"}'
    assert.truthy(refused("invalid_argument", db.create_table, db, huge).message:find("bytes", 1, true))
    refused("invalid_argument", db.create_table, db, "{")
    refused("invalid_argument", db.create_table, db, "[]")
    refused("invalid_argument", db.create_table, db, "[1]")
    refused("invalid_argument", db.create_table, db, null)
    refused("invalid_argument", db.create_table, db, with {}, nil, { aply = true })
    local many = { title = "many", properties = {} }
    for i = 1, 2001 do many.properties["c" .. i] = { type = "integer" } end
    assert.truthy(refused("invalid_argument", db.create_table, db, many).message:find("at most 2000 columns", 1, true))
    assert.same({}, db:tables())
  end)

  it("may have names of any kind", function()
    local db = rille.db()
    local names = { 'a "b"', "select", "c'd", "e f", "; drop table x", "ü", "a/b~c" }
    local schema = { title = 'order "by"', properties = {}, required = names }
    for _, name in ipairs(names) do
      schema.properties[name] = { type = "string", minLength = 1, ["x-index"] = true, default = name }
    end
    db:create_table(schema)
    local row = db:create('order "by"', {})
    for _, name in ipairs(names) do assert.equal(name, row[name]) end
    local _, err = db:create('order "by"', { ["a/b~c"] = "" })
    assert.same({ "must have at least 1 character" }, err.fields["a/b~c"])
  end)
end)

describe("rows of such a table", function()
  local db
  before_each(function()
    db = world.fresh()
    db:create_table(USERS)
  end)

  it("come back as JSON means them", function()
    local row = db:create("users", { email = "a@b.org", age = 3, tags = { "x", "y" }, meta = { lang = "en" } })
    assert.same({ id = 1, email = "a@b.org", age = 3, tags = { "x", "y" }, meta = { lang = "en" }, live = true,
      name = "O'Brien; drop table \"users\"; --", state = "draft" }, row)
    assert.same({ lang = "en" }, db:table("users"):first().meta)
    assert.same({ "x", "y" }, db:find_by_id("users", 1).tags)
    assert.same({ "x", "y" }, db:table("users"):value "tags")
    for each in db:table("users"):cursor() do assert.equal("en", each.meta.lang) end
    assert.same({ "x", "y" }, db:select("users", { id = 1 }, { columns = { "tags" } })[1].tags)
  end)

  it("that are not allowed come back as validation, with all that is wrong", function()
    local row, err = db:create("users", { email = "bad", name = "x", age = -1, score = 0.5, state = "gone",
      zip = "1234",
      born = "2026-02-30", seen = "noon", live = 1, tags = { "a", "a" }, meta = { lang = "e" } })
    assert.is_nil(row)
    assert.equal("validation", err.kind)
    assert.same({
      email = { "must be an e-mail address" }, name = { "must have at least 2 characters" },
      age = { "must be at least 0" }, score = { "must be more than 0.5" }, state = { "must be draft or it's" },
      zip = { "has the wrong form" }, born = { "must be a date (YYYY-MM-DD)" },
      seen = { "must be a moment (2026-11-20T12:00:00Z)" }, live = { "must be true or false" },
      tags = { "at /1 must not have the same entry twice" }, meta = { "at /lang must have at least 2 characters" },
    }, err.fields)
    assert.equal(0, db:table("users"):count())
  end)

  it("must give what is required and has no default", function()
    local _, err = db:create("users", { email = null })
    assert.same({ email = { "must be given" }, age = { "must be given" } }, err.fields)
  end)

  it("are judged by every way of writing", function()
    local good = { email = "a@b.org", age = 1 }
    local function kind(...) return (select(1, ...)) == nil and (select(2, ...)).kind or "written" end
    assert.equal(1, db:insert("users", good))
    local bad = { email = "b@b.org", age = 151 }
    assert.equal("validation", kind(db:insert("users", bad)))
    assert.equal("validation", kind(db:bulk_insert("users", { { email = "c@b.org", age = 1 }, bad })))
    assert.equal("validation", kind(db:update("users", { id = 1 }, { age = 151 })))
    assert.equal("validation", kind(db:table("users"):where("id", 1):update { zip = "x" }))
    assert.equal("validation", kind(db:table("users"):insert(bad)))
    assert.equal("validation", kind(db:table("users"):insert_or_ignore(bad)))
    assert.equal("validation", kind(db:table("users"):upsert(bad, "email")))
    assert.equal("validation", kind(db:table("users"):upsert({ good, { email = "d@b.org", age = 2, zip = "x" } },
      "email")))
    assert.equal("validation", kind(db:table("users"):where("id", 1):increment("age", 150)))
    assert.equal("validation", kind(db:bulk_update("users", {
      { where = { id = 1 }, data = { age = 2 } }, { where = { id = 1 }, data = { age = -2 } } })))
    assert.equal("validation", kind(rille.repository("users"):create(bad)))
    assert.equal("validation", kind(rille.repository("users"):update(1, { age = -1 })))
    assert.same({ 1 }, db:table("users"):pluck "age")
    assert.equal(1, db:table("users"):where("id", 1):increment("age", 149))
  end)

  it("tell what the database refused by field", function()
    db:create("users", { email = "a@b.org", age = 1 })
    local _, taken = db:create("users", { email = "a@b.org", age = 1 })
    assert.same({ email = { "is already taken" } }, taken.fields)
    local _, nobody = db:create("users", { email = "b@b.org", age = 1, boss = 77 })
    assert.same({ boss = { "refers to nothing that exists" } }, nobody.fields)
    local _, second = db:bulk_insert("users", { { email = "c@b.org", age = 1 }, { email = "x", age = 1 } })
    assert.equal(2, second.index)
  end)

  it("are guarded by the database where SQL is written by hand", function()
    for _, values in ipairs { "'a@b.org', -1", "'a@b.org', null", "'" .. ("x"):rep(41) .. "', 1" } do
      local ok, e = pcall(db.execute, db, ("insert into users (email, age) values (%s)"):format(values))
      assert.is_false(ok)
      assert.truthy(e.kind == "check_violation" or e.kind == "not_null_violation", e.kind)
    end
  end)

  it("of a model are judged, too, beside its own rules", function()
    local User = rille.model("User", { validates = { name = { max = 5 } } })
    local none, err = User:create { email = "bad", age = 1, name = "longer", meta = { lang = "" } }
    assert.is_nil(none)
    assert.same({ email = { "must be an e-mail address" }, name = { "must have at most 5 characters" },
      meta = { "at /lang must have at least 2 characters" } }, err.fields)
    local user = User:create { email = "a@b.org", age = 1, name = "Ada", meta = { lang = "en" } }
    assert.equal("en", user.meta.lang)
    local _, taken = User:create { email = "a@b.org", age = 1, name = "Eve" }
    assert.same({ email = { "is already taken" } }, taken.fields)
    assert.equal("User", taken.model)
    user.age = 200
    assert.same({ "must be at most 150" }, select(2, user:save()).fields.age)
    assert.equal("validation", select(2, User:insert { email = "x", age = 1 }).kind)
    assert.equal("validation", select(2, User:where("id", 1):update { age = -1 }).kind)
  end)

  it("of a pivot raise what is not allowed, and nothing is attached", function()
    db:execute "create table tags (id integer primary key)"
    db:create_table { title = "tag_user", required = { "user_id", "tag_id" }, properties = {
      user_id = { type = "integer" }, tag_id = { type = "integer" }, role = { type = "string",
        pattern = "^[a-z]+$" } } }
    rille.model("Tag", {})
    local user = rille.model("User", { relations = { marks = rille.belongs_to_many("Tag") } }):create {
      email = "a@b.org", age = 1 }
    db:insert("tags", { id = 1 })
    local tags = user:relation "marks"
    local e = refused("validation", function() tags:attach { { 1, role = "X" } } end)
    assert.same({ "has the wrong form" }, e.fields.role)
    assert.equal(0, db:table("tag_user"):count())
    tags:attach { { 1, role = "x" } }
    refused("validation", tags.update_existing_pivot, tags, 1, { role = "Y" })
    assert.equal("x", db:table("tag_user"):value "role")
  end)

  it("take an empty object where one is allowed", function()
    db:create_table { title = "t", properties = { o = { type = "object" }, l = { type = "array" } } }
    assert.equal('{"l":[],"o":{}}', Json.encode(db:create("t", { o = {}, l = {} })))
    assert.same({ o = { "must be an object" } }, select(2, db:create("t", { o = { 1 } })).fields)
  end)
end)
