--- tenant_stock_spec: tenants with databases of their own are made whole, listed, copied, migrated and dropped.
local world = require "spec.support.world"
local Folder = require "spec.support.migration_folder"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local folder, root

local function configure(more)
  local tenancy = { strategy = "database", pattern = root .. "/tenants/{hash}/{slug}.db" }
  for key, value in pairs(more or {}) do tenancy[key] = value end
  rille.configure { connections = { main = { database = ":memory:" } }, tenancy = tenancy,
    migrations = folder.root .. "/migrations" }
end

local function slugs()
  local found = {}
  for i, each in ipairs(rille.tenant.list()) do found[i] = each.slug end
  return table.concat(found, " ")
end

local function all_files()
  local found = {}
  local pipe = assert(io.popen("find '" .. root .. "' -type f | sort"))
  for line in pipe:lines() do found[#found + 1] = line:sub(#root + 2) end
  pipe:close()
  return found
end

describe("tenants with databases of their own", function()
  before_each(function()
    folder = Folder.new()
    root = folder.root .. "/data"
    assert(core.make_directory(root))
    folder:write("0001_notes.lua", Folder.creation "notes")
    configure()
  end)
  after_each(function()
    rille.close()
    os.execute("rm -rf '" .. root .. "'")
    folder:close()
    require "rille.config".clear()
  end)

  it("are made with all migrations", function()
    local db = rille.tenant.create "acme"
    db:create("notes", { name = "one" })
    rille.tenant.create "globex"
    assert.equal(1, #db:query "select * from notes")
    assert.equal("acme globex", slugs())
    assert.same({ "notes", "rille_migrations" }, db:tables())
    assert.equal("wal", db:health().journal_mode)
  end)

  it("are made where there are no migrations", function()
    os.remove(folder.root .. "/migrations/0001_notes.lua")
    assert.same({}, rille.tenant.create "acme":tables())
    assert.equal("acme", slugs())
  end)

  it("are copies of one template, made anew when there is another migration", function()
    rille.tenant.create "a"
    rille.tenant.create "b"
    local function templates()
      local count = 0
      for _, name in ipairs(core.list_directory(root .. "/tenants")) do
        if name:find "^%.template" then count = count + 1 end
      end
      return count
    end
    assert.equal(1, templates())
    folder:write("0002_tags.lua", Folder.creation "tags")
    assert.same({ "notes", "rille_migrations", "tags" }, rille.tenant.create "c":tables())
    assert.equal(1, templates())
  end)

  it("are not made twice, and leave nothing when they cannot be made", function()
    rille.tenant.create "acme"
    local before = all_files()
    local e = refused("not_unique", rille.tenant.create, "acme")
    assert.equal('the tenant "acme" is there already', e.message)
    refused("invalid_argument", rille.tenant.create, "../x")
    refused("invalid_argument", rille.tenant.create, "Acme")
    configure { create = function(db)
      db:create("notes", { name = "x" })
      error "no"
    end }
    assert.is_false(pcall(rille.tenant.create, "globex"))
    folder:write("0002_broken.up.sql", "create table")
    folder:write("0002_broken.down.sql", "select 1")
    assert.is_false(pcall(rille.tenant.create, "initech"))
    assert.equal("acme", slugs())
    assert.equal(#before, #all_files())
  end)

  it("get what tenancy.create puts into them", function()
    configure { create = function(db, tenant) db:create("notes", { name = "of " .. tenant.slug }) end }
    assert.equal("of acme", rille.tenant.create { id = 5, slug = "acme" }:query "select name from notes"[1].name)
  end)

  it("are made once though many processes come at once", function()
    local file = os.tmpname()
    local output = assert(io.open(file, "wb"))
    output:write(([[
      local rille = require "rille"
      rille.configure { connections = { main = { database = ":memory:" } }, migrations = %q,
        tenancy = { strategy = "database", pattern = %q } }
      local ok, e = pcall(rille.tenant.create, "acme")
      if not ok and not rille.is_error(e, "not_unique") then error(e) end
      if ok then rille.tenant.run({ id = 1, slug = "acme" }, function()
        require "rille.tenant.place".handle("acme"):create("notes", { name = "the one" })
      end) end
    ]]):format(folder.root .. "/migrations", root .. "/tenants/{slug}.db"))
    output:close()
    local ok = os.execute(([[
      for i in 1 2 3 4 5 6; do "$RILLE" run '%s' & all="$all $!"; done
      for each in $all; do wait "$each" || exit 1; done]]):format(file))
    os.remove(file)
    assert.is_true(ok)
    configure { pattern = root .. "/tenants/{slug}.db" }
    local db = require "rille.tenant.place".handle "acme"
    assert.equal(1, #db:query "select * from notes")
  end)

  it("are dropped with all they hold, unless somebody works with them", function()
    local db = rille.tenant.create "acme"
    rille.tenant.create "globex"
    db:transaction(function() refused("busy", rille.tenant.drop, "acme") end)
    rille.tenant.drop "acme"
    refused("invalid_argument", db.query, db, "select 1")
    assert.equal("globex", slugs())
    refused("tenant_unknown", rille.tenant.drop, "acme")
    refused("tenant_unknown", require "rille.tenant.place".handle, "acme")
    assert.same({}, (rille.tenant.create "acme":query "select * from notes"))
  end)

  it("are not dropped under another process", function()
    rille.tenant.create "acme"
    local other <close> = core.open { database = rille.tenant.list()[1].path }
    refused("busy", rille.tenant.drop, "acme")
    assert.equal("acme", slugs())
    other:query "select * from notes"
  end)

  it("are copied", function()
    rille.tenant.create "acme":create("notes", { name = "x" })
    local copy = rille.tenant.copy("acme", "twin")
    assert.equal("x", copy:query "select name from notes"[1].name)
    refused("not_unique", rille.tenant.copy, "acme", "twin")
    refused("tenant_unknown", rille.tenant.copy, "nobody", "third")
    refused("invalid_argument", rille.tenant.copy, "acme", "../x")
    assert.equal("acme twin", slugs())
  end)

  it("are listed for any pattern, and nothing else is", function()
    for _, pattern in ipairs { "/t/{slug}.db", "/u/{hash}/{slug}.db", "/v/{slug}/data.db", "/w/x-{slug}.db" } do
      configure { pattern = root .. pattern }
      assert.equal("", slugs())
      for _, slug in ipairs { "b", "a-b", "a_b" } do rille.tenant.create(slug) end
      local path = require "rille.tenant.place".path "b"
      for _, name in ipairs { "Upper.db", "b.db-journal", "b.txt", ("a"):rep(70) .. ".db", "..db", "$.db" } do
        assert(io.open(path:match "^(.*)/" .. "/" .. name, "wb")):close()
      end
      assert.equal("a-b a_b b", slugs())
    end
    configure { pattern = function(tenant) return root .. "/" .. tenant.slug .. ".db" end }
    rille.tenant.create "acme"
    assert.matches("tenancy.list = function", refused("unsupported", rille.tenant.list).hint)
  end)

  it("are those that a function names, where another one says where they are", function()
    local named = { "globex", "acme", "gone" }
    configure { pattern = function(tenant) return root .. "/" .. tenant.slug .. ".db" end,
      list = function() return named end }
    rille.tenant.create "globex"
    rille.tenant.create "acme"
    rille.tenant.create "unnamed"
    local list = rille.tenant.list()
    assert.equal("acme globex gone", slugs())
    assert.equal(root .. "/acme.db", list[1].path)
    assert.is_true(list[1].size_bytes > 0)
    assert.same({ nil, true, 0 }, { list[1].missing, list[3].missing, list[3].size_bytes })
    folder:write("0002_tags.lua", Folder.creation "tags")
    local states = {}
    for i, each in ipairs(rille.tenant.migrate().tenants) do states[i] = each.state end
    assert.same({ "migrated", "migrated", "failed" }, states)

    for _, wrong in ipairs { "acme", { "../x" }, { "acme", "acme" }, { {} } } do
      named = wrong
      refused("invalid_argument", rille.tenant.list)
    end
    assert.matches("strategy = \"database\"",
      refused("invalid_argument", configure, { strategy = "row", list = function() return {} end }).message)
  end)

  it("are migrated one after the other, and one that fails stops no other", function()
    for _, slug in ipairs { "a", "b", "c" } do rille.tenant.create(slug) end
    require "rille.tenant.place".handle("b"):execute "create table tags (n integer)"
    folder:write("0002_tags.lua", Folder.creation "tags")
    local told = {}
    local result = rille.tenant.migrate(nil, function(each) told[#told + 1] = each.slug .. " " .. each.state end)
    assert.same({ "a running", "a migrated", "b running", "b failed", "c running", "c migrated" }, told)
    assert.equal(1, result.failed)
    assert.same({ "0002_tags" }, result.tenants[1].applied)
    assert.is_true(rille.is_error(result.tenants[2].error))
    require "rille.tenant.place".handle("b"):execute "drop table tags"
    local states = {}
    for i, each in ipairs(rille.tenant.migrate().tenants) do states[i] = each.state end
    assert.same({ "current", "migrated", "current" }, states)
    assert.equal("current", rille.tenant.migrate "a".tenants[1].state)
    refused("tenant_unknown", rille.tenant.migrate, "nobody")
  end)

  it("are no part of a configuration that keeps them in rows", function()
    configure { strategy = "row" }
    for _, word in ipairs { "create", "drop", "list", "migrate" } do
      refused("unsupported", rille.tenant[word], word ~= "migrate" and "acme" or nil)
    end
  end)
end)
