--- tenant_place_spec: which database is a tenant's; nothing that is no slug becomes a path, nobody is made by a visit.
local Root = require "spec.support.root"
local world = require "spec.support.world"
local core = require "rille.core"
local place = require "rille.tenant.place"
local rille, refused = world.rille, world.refused

local root

local function configure(more)
  local tenancy = { strategy = "database", pattern = root .. "/{slug}.db" }
  for key, value in pairs(more or {}) do tenancy[key] = value end
  rille.configure { connections = { main = { database = ":memory:" } }, tenancy = tenancy }
end

local function make(slug)
  local db <close> = core.open { database = place.path(slug) }
  db:execute "create table t (n integer)"
end

describe("a tenant's place", function()
  before_each(function()
    root = Root.new()
    assert(core.make_directory(root))
    configure()
  end)
  after_each(function() Root.leave(root) end)

  it("is a database of its own", function()
    make "acme"
    make "globex"
    place.handle("acme"):execute "insert into t values (1)"
    place.handle({ id = 7, slug = "globex" }):execute "insert into t values (2), (3)"
    assert.equal(1, place.handle("acme"):query "select count(*) as n from t"[1].n)
    assert.equal(2, place.handle("globex"):query "select count(*) as n from t"[1].n)
  end)

  it("has one handle", function()
    make "acme"
    assert.equal(place.handle "acme", place.handle { id = 1, slug = "acme" })
    local before = place.handle "acme"
    before:close()
    assert.not_equal(before, place.handle "acme")
  end)

  it("is not made by being visited", function()
    local e = refused("tenant_unknown", place.handle, "nobody")
    assert.equal('there is no tenant "nobody"', e.message)
    assert.same({}, core.list_directory(root))
  end)

  it("never comes from what is no slug", function()
    for _, slug in ipairs { "", "../main", "a/b", "a\\b", "Acme", "ACME", ".hidden", "-a", "_a", "a.b", "a b", "a\0b",
      "a\n", "аcme", "acmé", "{slug}", "%s", ("a"):rep(64), ("a"):rep(300), "a\u{200b}b", "~root", "$HOME" } do
      refused("invalid_argument", place.handle, slug)
      refused("invalid_argument", place.handle, { id = 1, slug = slug })
    end
    for _, slug in pairs { 1, true, print } do refused("invalid_argument", place.handle, slug) end
    refused("invalid_argument", place.handle, { id = 1 })
    assert.same({}, core.list_directory(root))
  end)

  it("differs where slugs differ", function()
    local seen = {}
    for _, slug in ipairs { "a-b", "a_b", "ab", "a--b", "a-b-", "a1", ("a"):rep(63) } do
      local path = place.path(slug)
      assert.is_nil(seen[path])
      seen[path] = true
    end
  end)

  it("may be spread over folders", function()
    configure { pattern = root .. "/{hash}/{slug}.db" }
    assert.equal(("%s/%s/acme.db"):format(root, core.checksum "acme":sub(1, 2)), place.path "acme")
  end)

  it("may be said by a function", function()
    configure { pattern = function(tenant)
      return tenant.slug ~= "none" and root .. "/of-" .. tenant.id .. ".db" or nil
    end }
    assert.equal(root .. "/of-7.db", place.path { id = 7, slug = "acme" })
    local e = refused("tenant_unknown", place.handle, { id = 7, slug = "none" })
    assert.equal("tenancy.pattern says of no database that it is this tenant's", e.hint)
  end)

  it("stays while a transaction is open there, whichever coroutine asks", function()
    local real, ahead, now = core.monotonic_ms, 0, root .. "/a.db"
    core.monotonic_ms = function() return real() + ahead end
    configure { pattern = function() return now end }
    for _, name in ipairs { "a", "b" } do
      local db <close> = core.open { database = ("%s/%s.db"):format(root, name) }
      db:execute "create table t (n integer)"
    end
    local co = coroutine.create(function()
      place.handle("acme"):transaction(function()
        place.handle("acme"):execute "insert into t values (1)"
        coroutine.yield()
        place.handle("acme"):execute "insert into t values (2)"
      end)
    end)
    assert.is_true(coroutine.resume(co))
    now, ahead = root .. "/b.db", place.ASK_MS + 1
    assert.equal(0, place.handle("acme"):query "select count(*) as n from t"[1].n)
    assert.is_true(coroutine.resume(co))
    local old <close> = core.open { database = root .. "/a.db" }
    assert.equal(2, old:query "select count(*) as n from t"[1].n)
    assert.equal(0, place.handle("acme"):query "select count(*) as n from t"[1].n)
    core.monotonic_ms = real
  end)

  it("is refused where the pattern would put all tenants into one", function()
    for _, pattern in ipairs { "all.db", "{hash}.db", "{slug}/{other}.db", "mysql://host/{slug}",
      "postgresql://host/all" } do
      configure { pattern = pattern }
      refused("invalid_argument", place.handle, "acme")
    end
    configure { strategy = "row" }
    refused("unsupported", place.handle, "acme")
  end)

  it("is not the database of a connection, by whichever way that is reached", function()
    local function both(shared, pattern)
      rille.configure { connections = { main = ":memory:", shared = shared },
        default = "main", tenancy = { strategy = "database", pattern = pattern } }
    end
    make "shared"
    make "acme"
    os.execute(("ln -s shared.db '%s/other.db' && ln '%s/shared.db' '%s/third.db'"):format(root, root, root))
    both(root .. "/./shared.db", root .. "/{slug}.db")
    for _, slug in ipairs { "shared", "other", "third" } do
      for _, e in ipairs { refused("tenant_unknown", place.handle, slug), refused("tenant_unknown", place.path, slug),
        refused("tenant_unknown", rille.tenant.drop, slug), refused("invalid_argument", rille.tenant.create, slug),
        refused("invalid_argument", rille.tenant.copy, "acme", slug) } do
        assert.equal(('the database of the tenant "%s" would be called as that of the connection "shared" is'):format(
          slug), e.message)
      end
      assert.is_false(place.exists(slug))
    end
    local list = rille.tenant.list()
    assert.same({ 1, "acme" }, { #list, list[1].slug })
    assert.is_truthy(core.file_size(root .. "/shared.db"))
    both(root .. "/new.db", function(tenant)
      return ("%s/../%s/%s.db"):format(root, root:match "[^/]+$", tenant.slug)
    end)
    refused("tenant_unknown", place.path, "new")
    assert.is_string(place.path "acme")
  end)

  it("is not the database of a connection to a server", function()
    local url = "postgresql://app@localhost/{slug}"
    local function both(shared, pattern)
      rille.configure { connections = { main = ":memory:", shared = shared },
        default = "main", tenancy = { strategy = "database", pattern = pattern } }
    end
    for _, shared in ipairs { "postgresql://other@127.0.0.1:5432/everybody",
      "postgresql://localhost/?dbname=every%62ody",
      { driver = "postgres", host = "/run/postgresql", database = "everybody" } } do
      both(shared, url)
      refused("tenant_unknown", place.server, "everybody")
      assert.equal("postgresql://app@localhost/acme", place.server("acme").url)
      both(shared, function(tenant) return { driver = "postgres", host = "localhost", database = tenant.slug } end)
      refused("tenant_unknown", place.server, "everybody")
      assert.equal("acme", place.server("acme").database)
    end
    both("postgresql://localhost:5433/everybody", url)
    assert.is_table(place.server "everybody")
  end)

  it("is not what rille.open makes", function()
    for _, databases in ipairs { root .. "/open", root .. "/./open/" } do
      rille.configure { connections = { main = ":memory:" }, databases = databases,
        tenancy = { strategy = "database", pattern = root .. "/open/{hash}/{slug}.db" } }
      rille.open "acme"
      refused("tenant_unknown", place.handle, "acme")
      refused("invalid_argument", rille.tenant.create, "globex")
      assert.same({}, rille.tenant.list())
      configure { pattern = root .. "/open/{hash}-{slug}.db" }
      assert.is_string(place.path "acme")
    end
  end)

  it("is not what SQLite keeps beside the database of another one", function()
    assert(core.make_directory(root .. "/migrations"))
    local function at(pattern)
      rille.configure { connections = { main = ":memory:" }, migrations = root .. "/migrations",
        tenancy = { strategy = "database", pattern = pattern } }
    end
    at(root .. "/{slug}")
    for _, slug in ipairs { "a-wal", "a-shm", "a-journal" } do
      local e = refused("invalid_argument", rille.tenant.create, slug)
      assert.equal('a pattern with an ending of its own: "tenants/{slug}.db"', e.hint)
    end
    rille.tenant.create "a"
    rille.tenant.run("a", function() rille.db():execute "create table t (n)" end)
    assert.is_truthy(core.file_size(root .. "/a-wal"))
    local list = rille.tenant.list()
    assert.same({ 1, "a" }, { #list, list[1].slug })
    at(function(tenant) return root .. "/" .. tenant.slug end)
    refused("tenant_unknown", place.path, "b-wal")
    at(root .. "/{slug}.db")
    rille.tenant.create "a-wal"
    rille.tenant.drop "a-wal"
  end)

  it("is another one after the configuration changed", function()
    make "acme"
    local before = place.handle "acme"
    configure { pattern = root .. "/other-{slug}.db" }
    refused("tenant_unknown", place.handle, "acme")
    assert.is_true(before.closed)
  end)

  it("is closed by rille.close", function()
    make "acme"
    local handle = place.handle "acme"
    handle:query "select 1"
    rille.close()
    refused("invalid_argument", handle.query, handle, "select 1")
    assert.equal(0, core.pool_stats().open)
  end)

  it("serves any number of tenants within the bound", function()
    configure { pool = { max = 5 } }
    for i = 1, 40 do make("t" .. i) end
    for turn = 1, 3 do
      for i = 1, 40 do place.handle("t" .. i):execute("insert into t values (?)", turn) end
    end
    for i = 1, 40 do assert.equal(3, place.handle("t" .. i):query "select count(*) as n from t"[1].n) end
    assert.is_true(core.pool_stats().open <= 5)
  end)
end)
