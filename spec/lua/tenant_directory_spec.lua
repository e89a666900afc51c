--- tenant_directory_spec: tenants that share tables, in one of several databases each, as a function says.
local world = require "spec.support.world"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local URL <const> = os.getenv "RILLE_SPEC_URL"
local NAMES <const> = { "main", "a", "b", "audit" }

local A <const>, B <const> = { id = 1, slug = "acme" }, { id = 2, slug = "globex" }

describe("tenants in one of several databases", function()
  local folder, where, asked, real
  local Memo, Tag, Entry

  local function settings(name)
    if not URL then return { database = ("%s/%s.db"):format(folder, name) } end
    return { driver = "postgres", url = ("%s%soptions=-csearch_path%%3Dspec_directory_%s"):format(URL,
      URL:find("?", 1, true) and "&" or "?", name) }
  end

  local function configure(more)
    local connections, tenancy = {}, { directory = function(tenant)
      asked[#asked + 1] = tenant.id
      return where[tenant.id]
    end }
    for _, name in ipairs(NAMES) do connections[name] = settings(name) end
    for key, value in pairs(more or {}) do tenancy[key] = value end
    rille.configure { default = "main", connections = connections, tenancy = tenancy, models = folder .. "/none" }
  end

  local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end
  local function count(name, table_name)
    return rille.db(name):_query(("select count(*) as n from %s"):format(table_name or "memos"))[1].n
  end

  before_each(function()
    require "rille.model".forget_all()
    folder, where, asked, real = os.tmpname(), { [1] = "a", [2] = "b" }, {}, core.monotonic_ms
    os.remove(folder)
    assert(core.make_directory(folder))
    configure()
    for _, name in ipairs(NAMES) do
      if URL then
        rille.db(name):execute(("drop schema if exists spec_directory_%s cascade"):format(name))
        rille.db(name):execute(("create schema spec_directory_%s"):format(name))
      end
      local schema = rille.schema(name)
      schema:create("tags", function(t) t:id() t:string "name" end)
      schema:create("memos", function(t)
        t:id()
        t:integer "org_id":tenant()
        t:string("title"):unique()
        t:references("tag"):nullable()
      end)
      schema:create("labels", function(t)
        t:references("memo", "memos")
        t:references("tag", "tags")
      end)
      schema:create("entries", function(t) t:id() t:string "text" end)
      rille.db(name):insert("tags", { name = "of " .. name })
    end
    Memo = rille.model "Memo" { tenant_column = "org_id", relations = { tag = rille.belongs_to "Tag",
      labels = rille.belongs_to_many("Tag", { pivot = "labels" }) } }
    Tag = rille.model "Tag" { relations = { memos = rille.has_many "Memo" } }
    Entry = rille.model "Entry" { connection = "audit" }
  end)
  after_each(function()
    core.monotonic_ms = real
    rille.tenant.clear()
    rille.close()
    os.execute("rm -rf '" .. folder .. "'")
  end)

  it("have their rows there, and what models without a connection read beside them", function()
    local first = as(A, function() return Memo:create { title = "x", tag_id = 1 } end)
    as(B, function() Memo:create_many { { title = "x" }, { title = "y" } } end)
    assert.same({ 0, 1, 2 }, { count "main", count "a", count "b" })
    as(A, function()
      assert.same({ 1, "of a" }, { Memo:count(), Memo:with("tag"):first().tag.name })
      assert.equal(1, Tag:where_has("memos"):count())
      assert.equal(first.id, Memo:find(first.id).id)
      Memo:where("title", "x"):update { title = "z" }
      assert.equal("a", rille.db().name)
      assert.equal(1, rille.db():table("memos"):count())
    end)
    as(B, function()
      assert.same({ 2, 0 }, { Memo:count(), Memo:where("title", "z"):count() })
      assert.equal("of b", Tag:first().name)
      rille.transaction(function()
        Memo:create { title = "in it" }
        assert.equal(3, Memo:count())
      end)
      pcall(rille.transaction, function()
        Memo:create { title = "taken back" }
        error "no"
      end)
    end)
    assert.same({ 0, 1, 3 }, { count "main", count "a", count "b" })
  end)

  it("have rows between two tables there, too", function()
    for _, tenant in ipairs { A, B, A } do
      as(tenant, function()
        local memo = Memo:create { title = "x" .. Memo:count() }
        memo:relation("labels"):attach(1)
        memo:relation("labels"):create { name = "more" }
        assert.same({ 2, 2 }, { #memo.labels, #Memo:with("labels"):find(memo.id).labels })
      end)
    end
    assert.same({ 0, 4, 2 }, { count("main", "labels"), count("a", "labels"), count("b", "labels") })
  end)

  it("are apart where one database has several of them", function()
    where[2] = "a"
    for _, tenant in ipairs { A, B } do as(tenant, function() Memo:create { title = "x" } end) end
    assert.equal(2, count "a")
    local of_a = as(A, function() return Memo:first() end)
    as(B, function()
      assert.equal(1, Memo:count())
      assert.is_nil(Memo:find(of_a.id))
      of_a.title = "y"
      refused("tenant_mismatch", of_a.save, of_a)
      refused("tenant_required", function() rille.db():query "select * from memos" end)
      refused("tenant_required", function() rille.db "b":query "select * from memos" end)
      assert.equal(1, rille.db():table("memos"):count())
      assert.equal(0, rille.db "b":table("memos"):count())
      assert.equal(2, Memo:without_tenant_scope(function() return Memo:count() end))
    end)
  end)

  it("must be set, and known", function()
    refused("tenant_required", Memo.count, Memo)
    refused("tenant_required", Tag.count, Tag)
    refused("tenant_required", rille.transaction, function() end)
    where[3], where[4] = "nowhere", 7
    refused("tenant_unknown", as, { id = 9 }, Memo.count, Memo)
    local e = refused("invalid_argument", as, { id = 3 }, Memo.count, Memo)
    assert.matches("nowhere", e.message)
    refused("invalid_argument", as, { id = 4 }, Memo.count, Memo)
    for _, name in ipairs(NAMES) do refused("tenant_required", function() rille.db(name):table("memos"):count() end) end
    configure { fallback = "main" }
    refused("tenant_required", Memo.count, Memo)
    assert.equal("of main", Tag:first().name)
    refused("tenant_unknown", as, { id = 9 }, Memo.count, Memo)
  end)

  it("leave models with a connection of their own where they are", function()
    local entry = as(A, function() return Entry:create { text = "one" } end)
    as(B, function()
      Entry:create { text = "two" }
      entry.text = "changed"
      entry:save()
      Entry:new { text = "three" }:save()
    end)
    assert.equal(3, Entry:count())
    assert.same({ 3, 0, 0 }, { count("audit", "entries"), count("a", "entries"), count("b", "entries") })
  end)

  it("do not write with rows that were read elsewhere", function()
    local tag = as(A, Tag.first, Tag)
    as(B, function()
      tag.name = "changed"
      local e = refused("tenant_mismatch", tag.save, tag)
      assert.matches('"a"', e.message)
      for _, word in ipairs { "save", "delete", "refresh", "fresh" } do refused("tenant_mismatch", tag[word], tag) end
      refused("tenant_mismatch", function() return tag.memos end)
    end)
    assert.equal("of a", as(A, Tag.first, Tag).name)
  end)

  it("do not change within a transaction, nor write beside one", function()
    as(A, Memo.count, Memo)
    as(B, Memo.count, Memo)
    as(A, function()
      rille.transaction(function() refused("tenant_mismatch", as, B, Memo.count, Memo) end)
      rille.db "b":transaction(function()
        local e = refused("tenant_mismatch", Memo.create, Memo, { title = "beside" })
        assert.matches("rille.transaction", e.hint)
        refused("tenant_mismatch", rille.transaction, function() end)
      end)
      rille.transaction(function()
        rille.db "b":transaction(function() Memo:create { title = "within" } end)
      end)
      rille.db "audit":transaction(function() Memo:create { title = "of another kind" } end)
    end)
    assert.same({ 2, 0 }, { count "a", count "b" })
    rille.db "a":transaction(function() refused("tenant_mismatch", as, A, Memo.count, Memo) end)
    configure { fallback = "main" }                        -- of which nobody knows yet where anybody is
    for _, name in ipairs { "main", "b" } do
      as(A, function()
        rille.db(name):transaction(function() refused("tenant_mismatch", Memo.create, Memo, { title = "beside" }) end)
      end)
    end
  end)

  it("are asked for again after a while, and followed", function()
    local memo = as(A, function() return Memo:create { title = "x" } end)
    as(A, function() for _ = 1, 10 do Memo:count() end end)
    assert.same({ 1 }, asked)
    where[1] = "b"
    assert.equal(1, as(A, Memo.count, Memo))
    as(A, function()
      rille.transaction(function()
        core.monotonic_ms = function() return real() + 6000 end
        assert.equal(1, Memo:count())                    -- it stays to the end
      end)
      assert.equal(0, Memo:count())
      memo.title = "y"
      refused("tenant_mismatch", memo.save, memo)
    end)
    assert.same({ 1, 1 }, asked)
    where[1] = nil
    core.monotonic_ms = function() return real() + 12000 end
    refused("tenant_unknown", as, A, Memo.count, Memo)
  end)

  it("stay where a transaction began, though another coroutine asks again meanwhile", function()
    local step = coroutine.wrap(function()
      as(A, function()
        rille.transaction(function()
          coroutine.yield()
          Memo:create { title = "x" }
          rille.transaction(function() Memo:create { title = "y" } end)
          assert.equal("a", rille.db().name)
        end)
        assert.same({ 0, "b" }, { Memo:count(), rille.db().name })
      end)
    end)
    step()
    where[1] = "b"
    core.monotonic_ms = function() return real() + 6000 end
    assert.equal(0, as(A, Memo.count, Memo))
    step()
    assert.same({ 2, 0 }, { count "a", count "b" })
  end)

  it("are asked for where a transaction begins on a handle that was kept", function()
    local kept = as(A, function() return rille.db() end)
    core.monotonic_ms = function() return real() + 6000 end
    where[1] = "b"
    as(A, function()
      kept:transaction(function() refused("tenant_mismatch", Memo.create, Memo, { title = "x" }) end)
    end)
    assert.same({ 0, 0 }, { count "a", count "b" })
  end)

  it("do not change under a cursor, whatever it reads", function()
    rille.db "a":insert("tags", { name = "more" })
    as(A, function()
      for _, query in ipairs { Tag:query(), Tag:with "memos", Tag:query():plain() } do
        refused("tenant_mismatch", function()
          for _ in query:cursor() do rille.tenant.set(B) end
        end)
        rille.tenant.set(A)
      end
    end)
  end)

  it("are in the sessions of all these databases", function()
    local first = rille.session.start()
    first:run(function()
      for _, tenant in ipairs { A, B } do as(tenant, function() Memo:create { title = "x" } end) end
    end)
    local second = rille.session.start { token = first:token() }
    second:run(function()
      for _, tenant in ipairs { A, B } do assert.equal(1, as(tenant, Memo.count, Memo)) end
    end)
    assert.is_false(second.lost)
  end)

  it("are said where tenants share tables, by a function", function()
    refused("invalid_argument", configure, { directory = "a" })
    refused("invalid_argument", configure, { strategy = "database" })
    refused("invalid_argument", configure, { strategy = "schema" })
    configure { strategy = "row" }
    assert.equal(0, as(A, Memo.count, Memo))
    refused("unsupported", rille.tenant.list)
  end)
end)
