--- tenant_apart_spec: a tenant's column by which different ids are equal is refused, wherever it would be compared.
local world = require "spec.support.world"
local Extract = require "rille.tenant.extract"
local rille, refused = world.rille, world.refused

local UPPER <const>, LOWER <const> = { id = "ACME", slug = "upper" }, { id = "acme", slug = "lower" }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a tenant's column by which different ids are equal", function()
  local db, Post

  --- Posts whose column is of a type, with a row of each of two tenants, by a model that casts it or not.
  local function posts(column, casts)
    db = world.fresh(("create table posts (id integer primary key, org_id %s not null, title TEXT)"):format(column),
      "insert into posts (id, org_id) values (1, 'ACME'), (2, 'acme')",
      "create view shown as select * from posts")
    Post = rille.model "Post" { tenant_column = "org_id", casts = casts }
  end
  after_each(function() rille.close() end)

  local function check_refused(alike, fn, ...)
    local e = as(UPPER, refused, "unsupported", fn, ...)
    assert.equal("org_id", e.column)
    assert.matches(alike, e.message)
    assert.matches("two tenants would be one", e.message)
    assert.matches("collate binary", e.hint)
    return e
  end

  it("is refused by models, and queries of the plain table", function()
    for column, alike in next, { ["text collate nocase"] = "nocase", ["VARCHAR(20) collate RTRIM"] = "RTRIM",
      ["collate NoCase"] = "NoCase" } do
      posts(column)
      local e = check_refused(alike, Post.count, Post)
      assert.same({ "Post", "posts" }, { e.model, e.table })
      assert.matches("model Post: posts%.org_id", e.message)
      check_refused(alike, Post.create, Post, { title = "x" })
      check_refused(alike, function() return db:table("posts"):count() end)
      assert.equal(2, db:query("select count(*) as n from posts")[1].n)
    end
  end)

  it("is refused by moves, on either side", function()
    for _, collations in ipairs { { "nocase", "binary" }, { "binary", "rtrim" } } do
      local one, two, sides = os.tmpname(), os.tmpname(), {}
      require "rille.model".forget_all()
      rille.configure { default = "one", connections = { one = { database = one }, two = { database = two } } }
      for i, collation in ipairs(collations) do
        sides[i] = rille.db(i == 1 and "one" or "two")
        sides[i]:execute(("create table posts (id integer primary key, org_id text collate %s)"):format(collation))
      end
      rille.model "Post" { tenant_column = "org_id" }
      sides[1]:execute "insert into posts (org_id) values ('ACME'), ('acme')"
      for _, options in ipairs { { dry_run = true }, {} } do
        local e = refused("unsupported", Extract.run, sides[1], sides[2], LOWER, options)
        assert.matches("by the collation %l+ different ids are equal", e.message)
      end
      assert.equal(2, sides[1]:query("select count(*) as n from posts")[1].n)
      rille.close()
      for _, path in ipairs { one, two } do
        for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
      end
    end
  end)

  it("is refused of a view, of which the database does not say it", function()
    for collation, alike in next, { nocase = "NOCASE", rtrim = "RTRIM" } do
      posts("text collate " .. collation)
      local Shown = rille.model "Shown" { table = "shown", primary_key = "id", tenant_column = "org_id" }
      check_refused(alike, Shown.count, Shown)
    end
    posts "text"
    local Shown = rille.model "Shown" { table = "shown", primary_key = "id", tenant_column = "org_id" }
    assert.equal(1, as(UPPER, Shown.count, Shown))
  end)

  it("is refused where the database makes numbers of its texts", function()
    for _, type in ipairs { "STRING", "NUMERIC", "number", "decimal(10,2)", "json", "REAL", "ANY" } do
      posts(type)
      check_refused("by its type " .. type:gsub("%p", "%%%0") .. ", which makes numbers of texts", Post.count, Post)
    end
    posts("BIGINT collate nocase", { org_id = "text" })
    check_refused("by its type BIGINT", Post.count, Post)
    local Shown = rille.model "Shown" { table = "shown", primary_key = "id", tenant_column = "org_id",
      casts = { org_id = "text" } }
    check_refused("by its type BIGINT", Shown.count, Shown)
  end)

  it("is none where it is compared by its bytes, or has no texts", function()
    for _, column in ipairs { "text", "text collate binary", "VARCHAR(20)" } do
      posts(column)
      assert.equal(1, as(UPPER, Post.count, Post))
      assert.equal(1, as(LOWER, function() return db:table("posts"):count() end))
    end
    posts "integer collate nocase"
    assert.equal(0, as({ id = 1 }, Post.count, Post))
    posts "UUID TEXT collate nocase"
    assert.equal(0, as({ id = "00000000-0000-4000-8000-000000000000" }, Post.count, Post))
  end)
end)
