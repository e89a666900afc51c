--- postgres/tenant_apart_spec: types and collations of PostgreSQL by which different ids of tenants are equal.
local world = require "spec.support.world"
local Apart = require "rille.tenant.apart"
local rille, refused = world.rille, world.refused

local UPPER <const>, LOWER <const> = { id = "ACME" }, { id = "acme" }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a tenant's column of PostgreSQL", function()
  local db, Post

  --- Posts whose column is of a type, and a view of them; `say` goes before.
  local function posts(type, say)
    db = world.fresh()
    for _, sql in ipairs(say or {}) do db:execute(sql) end
    db:execute(("do $$ begin create table posts (id bigint primary key, org_id %s not null); end $$"):format(type))
    db:execute "create view shown as select * from posts"
    Post = rille.model "Post" { tenant_column = "org_id" }
  end
  after_each(function() rille.close() end)

  local NO_CASE <const> = "create collation no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"

  it("is refused where different ids are equal by it, of a view, too", function()
    for _, each in ipairs {
      { "text collate no_case", "by the collation no_case", { NO_CASE } },
      { "varchar(20) collate no_case", "by the collation no_case", { NO_CASE } },
      { "folded", "by the collation no_case", { NO_CASE, "create domain folded as text collate no_case" } },
      { "char(9)", "by the type character" }, { 'char(9) collate "C"', "by the type character" },
      { "padded", "by the type character", { "create domain fixed as char(9)", "create domain padded as fixed" } },
      { "numeric", "by the type numeric" }, { "jsonb", "by the type jsonb" }, { "bytea", "by the type bytea" },
      { "inet", "by the type inet" }, { '"char"', 'by the type "char"' },
    } do
      posts(each[1], each[3])
      local Shown = rille.model "Shown" { table = "shown", primary_key = "id", tenant_column = "org_id" }
      for _, fn in ipairs { function() return Post:count() end, function() return db:table("posts"):count() end,
        function() return Shown:count() end } do
        local e = as(UPPER, refused, "unsupported", fn)
        assert.equal("org_id", e.column)
        assert.matches(each[2] .. " different ids are equal, and two tenants would be one", e.message)
        assert.matches('collate "C" on PostgreSQL', e.hint)
      end
    end
  end)

  it("is refused where a cast takes texts for numbers or uuids, which can be written in many ways", function()
    for _, type in ipairs { "bigint", "uuid" } do
      posts(type)
      Post = rille.model "Cast" { table = "posts", tenant_column = "org_id", casts = { org_id = "text" } }
      assert.matches("by the type " .. type, as({ id = "01" }, refused, "unsupported", Post.count, Post).message)
    end
  end)

  it("is refused of the extension citext, where the server has it", function()
    db = world.fresh()
    if not db:query("select exists (select from pg_available_extensions where name = 'citext') as has")[1].has then
      return
    end
    Post = rille.model "Post" { tenant_column = "org_id" }
    local e
    pcall(db.transaction, db, function()      -- a database has it once: what others make of it meanwhile has to wait
      db:execute "create extension citext"
      db:execute "do $$ begin create table posts (id bigint primary key, org_id citext not null); end $$"
      e = as(UPPER, refused, "unsupported", Post.count, Post)
      error "take it back"
    end)
    assert.matches("by the type .*citext", e.message)
  end)

  it("is one of any collation by which equal is of the same bytes, and one without texts", function()
    for _, each in ipairs {
      { "text" }, { 'text collate "C"' }, { 'varchar(20) collate "en-x-icu"' }, { "name" },
      { "named", { 'create domain named as text collate "en-x-icu"' } },
      { "word", { "create type word as enum ('ACME', 'acme')" } },
    } do
      posts(each[1], each[2])
      db:execute "insert into posts values (1, 'ACME'), (2, 'acme')"
      for _, tenant in ipairs { UPPER, LOWER } do assert.equal(1, as(tenant, Post.count, Post)) end
    end
    for type, id in next, { bigint = 1, integer = 1, uuid = "00000000-0000-4000-8000-000000000000" } do
      posts(type)
      assert.equal(0, as({ id = id }, Post.count, Post))
    end
  end)

  it("costs no question where the catalog has said it", function()
    posts 'text collate "C"'
    local description = db:describe "posts"
    assert.same({}, world.statements(Apart.check, db, description, "org_id"))
  end)

  it("makes no wall by row-level security", function()
    local Wall = require "rille.tenant.wall"
    posts "char(9)"
    local told
    for _, fault in ipairs(Wall.faults(db:_connect(), Wall.guards(db.name))) do
      told = fault.table == "posts" and fault or told
    end
    assert.matches("posts has the column org_id, which cannot say whose a row is: by the type character", told.message)
    assert.matches('collate "C"', told.hint)
  end)
end)
