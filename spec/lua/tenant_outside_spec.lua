--- tenant_outside_spec: ways out of a tenant, each of which is told; and what a transaction is of.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1, slug = "acme" }, { id = 2, slug = "globex" }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a tenant's way out", function()
  local Post, told, stop

  before_each(function()
    world.fresh "create table posts (id integer primary key autoincrement, org_id INTEGER not null, title TEXT)"
    Post = rille.model "Post" { tenant_column = "org_id" }
    for _, tenant in ipairs { A, B } do as(tenant, function() Post:create { title = "of " .. tenant.id } end) end
    told = {}
    stop = rille.on("tenant:bypass", function(event) told[#told + 1] = event end)
  end)
  after_each(function()
    stop()
    rille.close()
  end)

  local function titles() return rille.db():query "select title from posts order by id":pluck "title":to_table() end

  it("is rille.tenant.outside, which is told where there is a tenant", function()
    assert.equal(2, #rille.tenant.outside(titles))
    assert.equal(0, #told)
    as(A, function()
      refused("tenant_required", titles)
      assert.equal(2, #rille.tenant.outside(titles))
      refused("tenant_required", titles)
    end)
    assert.equal(1, #told)
    assert.equal("outside", told[1].method)
    assert.same(A, told[1].tenant)
    assert.matches("tenant_outside_spec.lua:%d+$", told[1].place)
    refused("invalid_argument", rille.tenant.outside, "titles")
  end)

  it("is not what rille asks outside of tenants by itself", function()
    rille.configure { connections = { main = ":memory:" }, tenancy = {
      resolve = function(slug) return not rille.tenant.current() and { id = #slug } or nil end,
    } }
    as("acme", as, "globex", function() assert.equal(6, rille.tenant.current().id) end)
    assert.equal(0, #told)
  end)

  it("is no word of rille's own", function()
    for _, word in ipairs { "lift", "everybody" } do assert.is_nil(rille.tenant[word]) end
    for _, word in ipairs { "connect", "core" } do assert.is_nil(rille.db()[word]) end
  end)

  describe("is not the schema, which is everybody's:", function()
    it("its words are refused, and change nothing", function()
      local schema = rille.schema()
      for word, fn in pairs {
        create = function() schema:create("more", function(t) t:id() end) end,
        table = function() schema:table("posts", function(t) t:text "more":nullable() end) end,
        rename = function() schema:rename("posts", "more") end,
        drop = function() schema:drop "posts" end,
        drop_if_exists = function() schema:drop_if_exists "posts" end,
      } do
        local e = world.untouched("tenant_required", as, A, fn)
        assert.equal(("schema:%s: the tables are everybody's, and not the tenant \"acme\"'s to change"):format(word),
          e.message)
        assert.matches("rille.tenant.outside", e.hint, 1, true)
      end
      assert.is_true(as(A, schema.has_table, schema, "posts"))
      told = {}
      as(A, rille.tenant.outside, function() schema:create("more", function(t) t:id() end) end)
      assert.equal("outside", told[1].method)
      assert.is_true(schema:has_table "more")
      schema:drop "more"
    end)

    it("raw is as execute is", function()
      local schema = rille.schema()
      as(A, function()
        local e = refused("tenant_required", schema.raw, schema, "delete from posts")
        assert.equal('raw: SQL of your own is not limited to the tenant "acme"', e.message)
        refused("tenant_required", schema.raw, schema, "delete from posts where id > ?", 0, { all_tenants = false })
        assert.equal(0, #told)
        assert.equal(2, schema:raw("update posts set title = ? where id > ?", "x", 0, { all_tenants = true }).changes)
        assert.equal("raw", told[1].method)
      end)
      assert.equal(2, schema:raw("delete from posts").changes)
    end)

    it("nor are migrations and tables made from JSON Schemas its own", function()
      local folder = os.tmpname()
      os.remove(folder)
      assert(os.execute("mkdir " .. folder))
      local migrate = require "rille.migrator".migrate
      as(A, world.refused, "tenant_required", migrate, { fresh = true, path = folder })
      as(A, world.refused, "tenant_required", require "rille.migrator".rollback, { path = folder })
      os.execute("rmdir " .. folder)
      local plan = { title = "more", type = "object", properties = { a = { type = "integer" } } }
      as(A, world.refused, "tenant_required", rille.db().create_table, rille.db(), plan)
      assert.equal(1, #as(A, function() return rille.db():create_table(plan, { diff = true }) end).changes)
      assert.is_nil(rille.db():describe "more")
    end)
  end)

  describe("is no transaction", function()
    local function changes(from, to, fn, ...)
      local e = refused("tenant_mismatch", fn, ...)
      assert.equal(('the tenant cannot change from "%s" to "%s" inside a transaction'):format(from, to), e.message)
    end

    it("that was begun without a tenant", function()
      rille.transaction(function()
        as(A, function() Post:create { title = "one" } end)
        as(A, function() assert.equal(2, Post:count()) end)
        changes(1, 2, as, B, function() Post:create { title = "two" } end)
        changes(1, 2, rille.transaction, function() as(B, Post.count, Post) end)
        rille.tenant.set(A)
        changes(1, 2, rille.tenant.set, B)
      end)
      rille.tenant.clear()
      as(B, function() assert.equal(1, Post:count()) end)
      rille.transaction(function() as(B, function() assert.equal(1, Post:count()) end) end)
    end)

    it("that a tenant began, outside of which another one comes", function()
      as(A, rille.transaction, function()
        rille.tenant.outside(function()
          as(A, function() assert.equal(1, Post:count()) end)
          changes(1, 2, as, B, function() Post:create { title = "two" } end)
        end)
      end)
      as(B, function() assert.equal(1, Post:count()) end)
    end)
  end)

  it("is not asked for by a seed or a migration, which may be for several", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute(("mkdir -p %s/seeds %s/migrations"):format(folder, folder)))
    local function write(name, body)
      local file <close> = assert(io.open(("%s/%s.lua"):format(folder, name), "w"))
      file:write(body)
    end
    local each = [[local rille = require "rille"
      for id = 1, 2 do
        rille.tenant.run({ id = id }, function() require "rille.model".declared.Post:create { title = "sown" } end)
      end]]
    write("seeds/posts", "return function() " .. each .. " end")
    write("migrations/0001_posts", "return { up = function() " .. each .. " end, down = function() end }")
    rille.configure { connections = { main = ":memory:" }, seeds = folder .. "/seeds",
      migrations = folder .. "/migrations" }
    rille.db():execute "create table posts (id integer primary key autoincrement, org_id INTEGER, title TEXT)"
    rille.db():forget()
    require "rille.migrator".migrate()
    require "rille.migrator".seed()
    for _, tenant in ipairs { A, B } do as(tenant, function() assert.equal(2, Post:count()) end) end
    os.execute("rm -r " .. folder)
  end)
end)
