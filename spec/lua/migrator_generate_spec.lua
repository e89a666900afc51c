--- migrator_generate_spec: a migration written from what models describe, and models written from tables.
local Database = require "spec.support.database"
local Generate = require "rille.migrator.generate"
local Project = require "spec.support.project"
local Pull = require "rille.migrator.pull"
local rille = require "rille"

local function refused(kind, fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal(kind, rille.is_error(e) and e.kind or tostring(e))
  return e
end

describe("a migration that is generated", function()
  local db, schema

  before_each(function()
    require "rille.model".forget_all()
    db = Database.fresh { models = "/nowhere" }
    schema = rille.schema()
  end)
  after_each(function() rille.close() end)

  --- Definitions and rows, as a text.
  local function snapshot()
    local lines, rows = {}, db:query "select * from users"
    for what, text in pairs(require "rille.migrator.snapshot".take(db)) do lines[#lines + 1] = what .. text end
    table.sort(lines)
    return table.concat(lines, "\n") .. require "rille.json".encode(rows)
  end

  --- Apply a text and give the function that takes it back.
  local function apply(text)
    local migration = assert(load(text, "=generated", "t"))()
    migration.up(schema)
    return function() migration.down(schema) end
  end

  it("makes tables in the models' own words, each after those it refers to", function()
    rille.model("Post", { fields = function(t)
      t:id()
      t:references("user")
      t:string("title"):unique { name = "titles", where = { title = rille.null } }
      t:index { "title", { "id", "desc" }, name = "both" }
      t:float("score"):default(0.1)
    end })
    rille.model("User", { fields = function(t) t:id() t:text("name") t:timestamps() end })
    local generated = Generate.of(db)
    assert.same({ "users", "posts" }, generated.tables)
    assert.same({}, generated.not_undone)
    assert.equal([[--- Written by rille migrate:generate: what the models describe.
local rille = require "rille"

return {
  up = function(schema)
    schema:create("users", function(t)
      t:id()
      t:text("name")
      t:timestamps()
    end)
    schema:create("posts", function(t)
      t:id()
      t:references("user")
      t:string("title"):unique { name = "titles", where = { title = rille.null } }
      t:index { "title", { "id", "desc" }, name = "both" }
      t:float("score"):default(0.1)
    end)
  end,
  down = function(schema)
    schema:drop("posts")
    schema:drop("users")
  end,
}
]], generated.text)
    assert.same({}, db:tables())
    apply(generated.text)
    assert.is_nil(Generate.of(db).text)
  end)

  it("changes tables that are otherwise, and goes the same way back", function()
    schema:create("users", function(t)
      t:id()
      t:string("name")
      t:integer("age"):default(3):index()
      t:text("gone"):nullable()
      t:enum("state", { "a", "b" }):default "a"
      t:check("age < 200", "old")
    end)
    db:execute "insert into users (name) values ('x')"
    local before = snapshot()
    rille.model("User", { fields = function(t)
      t:id()
      t:string("name", 100):unique()
      t:integer("age"):nullable()
      t:enum("state", { "a", "b", "c" }):default "b"
      t:references("boss", "users"):nullable()
      t:timestamps()
      t:check("age < 100", "old")
    end })
    local generated = Generate.of(db)
    assert.equal(before, snapshot())
    assert.same({ { table = "users", column = "gone" } }, generated.lost)
    assert.same({ { table = "users", from = { "gone" }, to = { "boss_id", "created_at", "updated_at" } } },
      generated.maybe_renamed)
    assert.same({}, generated.not_undone)
    local take_back = apply(generated.text)
    assert.is_nil(Generate.of(db).text)
    assert.equal("x", db:query("select name from users where state = 'a'")[1].name)
    take_back()
    db:forget()
    local again = Generate.of(db)
    assert.same(generated.changes, again.changes)
  end)

  it("leaves tables alone that no model describes", function()
    schema:create("others", function(t) t:id() end)
    rille.model("Other", {})
    assert.same({}, Generate.of(db).changes)
  end)

  it("keeps the rows of tenants apart", function()
    rille.model("Org", { fields = function(t) t:id() end })
    rille.model("Page", { tenant_column = "org_id", fields = function(t)
      t:id()
      t:references("org", "orgs"):tenant()
      t:string("slug"):unique()
    end })
    apply(Generate.of(db).text)
    assert.is_nil(Generate.of(db).text)
    require "rille.model".forget_all()
    rille.model("Page", { tenant_column = "org_id", fields = function(t)
      t:id()
      t:references("org", "orgs"):tenant()
      t:string("slug"):unique()
      t:string("code"):unique()
      t:references("parent", "pages"):nullable()
    end })
    local generated = Generate.of(db)
    apply(generated.text)
    assert.is_nil(Generate.of(db).text)
    assert.same({}, generated.not_undone)
  end)

  it("is refused where words cannot say it, and where two models describe one table", function()
    schema:create("codes", function(t) t:id() end)
    schema:raw "alter table codes add column n numeric"
    rille.model("Code", { fields = function(t) t:id() end })
    local e = refused("unsupported", Generate.of, db)
    assert.matches('no word makes the column "n"', e.message, 1, true)
    rille.model("Coding", { table = "codes", fields = function(t) t:id() end })
    assert.matches("both describe the table", refused("invalid_argument", Generate.of, db).message)
  end)
end)

describe("models that are pulled", function()
  local db, schema

  before_each(function()
    require "rille.model".forget_all()
    db = Database.fresh { models = "/nowhere" }
    schema = rille.schema()
  end)
  after_each(function() rille.close() end)

  --- Table -> text of its model.
  local function pulled(only)
    local texts = {}
    for _, each in ipairs(Pull.of(db, only)) do texts[each.table] = each.text end
    return texts
  end

  it("describe the columns and keys of their tables", function()
    schema:create("users", function(t)
      t:id()
      t:string("name"):unique()
      t:references("boss", "users"):nullable()
      t:decimal("pay", 12, 2):default "1.50"
      t:blob("face"):default "\0\255'"
      t:soft_deletes()
    end)
    schema:create("profiles", function(t) t:uuid_id() t:references("user"):unique() t:timestamps() end)
    schema:create("roles", function(t) t:id() t:enum("name", { "it's", "b" }) end)
    schema:create("role_users", function(t)
      t:references "role"
      t:references "user"
      t:primary { "role_id", "user_id" }
    end)
    local texts = pulled()
    assert.equal([[--- User: a row of users.
local rille = require "rille"

return rille.model "User" {
  fields = function(t)
    t:id()
    t:string("name"):unique()
    t:references("boss", "users"):nullable()
    t:decimal("pay", 12, 2):default("1.50")
    t:blob("face"):default("\0\xff'")
    t:soft_deletes()
  end,
  soft_deletes = true,
  fillable = { "name", "boss_id", "pay", "face" },
  relations = {
    boss = rille.belongs_to("User"),
    profile = rille.has_one("Profile"),
    users = rille.has_many("User", { foreign_key = "boss_id" }),
    roles = rille.belongs_to_many("Role", { pivot = "role_users" }),
  },
}
]], texts.users)
    assert.is_nil(texts.role_users)
    for _, name in ipairs { "users", "profiles", "roles" } do assert(load(texts[name]))() end
    assert.is_nil(Generate.of(db).text)              -- what they describe is what is there
    assert.same({}, pulled())
    assert.truthy(pulled { "role_users" }.role_users:find('primary_key = { "role_id", "user_id" }', 1, true))
  end)

  it("say what they cannot describe", function()
    schema:raw [[create table "odd table" (a integer, b numeric, c integer generated always as (a + 1) stored)]]
    local found = Pull.of(db)[1]
    assert.equal("OddTable", found.model)
    assert.same({ 'the column "b": no word makes the type numeric', 'the column "c": it is generated' }, found.unsaid)
    assert.truthy(found.text:find('table = "odd table"', 1, true))
    assert.truthy(load(found.text))
    refused("no_such_table", Pull.of, db, { "od table" })
  end)
end)

describe("rille", function()
  it("writes migrations and models, and verifies", function()
    local project <close> = setmetatable({ of = Project.new {
      ["rille.config.lua"] = 'return { connections = { main = { database = "main.db" } } }',
      ["models/note.lua"] = 'return require "rille".model "Note" { fields = function(t) t:id() t:text "body" end }',
    } }, { __close = function(self) self.of:remove() end })
    local p = project.of
    local made = p:json "migrate:generate"
    assert.equal("migrations/0001_create_notes.lua", made.file)
    local status, out = p:run "migrate:generate"
    assert.equal(1, status)
    assert.matches("0001_create_notes is not applied yet", out, 1, true)
    assert.equal(0, (p:run "migrate"))
    assert.matches("the tables are what the models describe", select(2, p:run "migrate:generate"), 1, true)
    assert.equal(0, (p:run "migrate:verify"))
    p:write("rille_old.lua", "")
    assert.equal(0, (p:run [[run rille_old.lua]]))
    p:write("make.lua", 'rille.db():execute "create table old_things (id integer primary key, name text)"')
    assert.equal(0, (p:run "run make.lua"))
    assert.matches('rille.model "OldThing"', select(2, p:run "db:pull --pretend"), 1, true)
    assert.same("models/old_thing.lua", p:json("db:pull").models[1].file)
    assert.matches("every table has a model", select(2, p:run "db:pull"), 1, true)
    assert.equal(1, (p:run "db:pull old_things"))          -- the file is there
  end)
end)
