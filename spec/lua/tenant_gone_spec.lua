--- tenant_gone_spec: databases of tenants that other processes remove, replace or make while this one goes on.
local world = require "spec.support.world"
local Folder = require "spec.support.migration_folder"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local LOOK_SECONDS <const> = 1.1        -- a little longer than a file that is gone may go on to be used

local folder, root

--- What another process needs to know, as Lua.
local function setting(journal, connections)
  return ([[
    local rille, core = require "rille", require "rille.core"
    rille.configure { connections = { main = { database = ":memory:", journal_mode = %q } }, migrations = %q,
      tenancy = { strategy = "database", pattern = %q, pool = { max = %d, idle_ms = 60000 } } }
  ]]):format(journal or "wal", folder.root .. "/migrations", root .. "/{slug}.db", connections or 500)
end

local function elsewhere(script, journal)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(setting(journal), script)
  file:close()
  local ok = os.execute(('"$RILLE" run \'%s\''):format(path))
  os.remove(path)
  assert.is_true(ok)
end

local function configure(journal) assert(load(setting(journal)))() end

--- The connection of the tenant is closed for another one.
local function take_seat(slug)
  core.pool_configure { max = 1, wait_ms = 50, idle_ms = 60000 }
  require "rille.tenant.place".handle(slug):query "select 1"
end

local function names() return table.concat(core.list_directory(root), " ") end

describe("a tenant's database", function()
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
    core.pool_configure { max = 500, wait_ms = 5000, idle_ms = 60000 }
  end)

  it("that another process dropped is that of no tenant, and of one again when it was made anew", function()
    local Note = rille.model "Note" {}
    local acme, db = { id = 1, slug = "acme" }, rille.tenant.create "acme"
    rille.tenant.create "other"
    rille.tenant.run(acme, function() Note:create { name = "old" } end)
    take_seat "other"
    elsewhere [[rille.tenant.drop "acme"]]
    local e = refused("tenant_unknown", function() return db:query "select * from notes" end)
    assert.matches('there is no tenant "acme"', e.message, 1, true)
    refused("tenant_unknown", rille.tenant.run, acme, function() return Note:count() end)
    refused("tenant_unknown", rille.tenant.run, acme, function() return rille.transaction(function() end) end)
    assert.is_nil(names():find "acme")
    elsewhere [[rille.tenant.create "acme":create("notes", { name = "new" })]]
    assert.equal("new", rille.tenant.run(acme, function() return Note:sole().name end))
  end)

  it("that was dropped while it was open is seen to be gone, or to be another one", function()
    configure "delete"                                     -- in which nothing is locked while nothing is done
    local db = rille.tenant.create "acme"
    db:create("notes", { name = "old" })
    elsewhere([[rille.tenant.drop "acme"]], "delete")
    os.execute("sleep " .. LOOK_SECONDS)
    refused("tenant_unknown", function() return db:query "select * from notes" end)
    rille.tenant.create "acme":create("notes", { name = "second" })
    assert.equal("second", db:query "select name from notes"[1].name)
    elsewhere([[rille.tenant.drop "acme" rille.tenant.create "acme":create("notes", { name = "third" })]], "delete")
    os.execute("sleep " .. LOOK_SECONDS)
    assert.equal("third", db:query "select name from notes"[1].name)
    assert.equal(1, core.pool_stats().open)
  end)

  it("whose file is gone is not read on, though it is used all the time", function()
    local db = rille.tenant.create "acme"
    db:create("notes", { name = "old" })
    os.execute(("rm '%s'/acme.db*"):format(root))
    local started, ok, e = core.monotonic_ms(), true, nil
    while ok and core.monotonic_ms() - started < 3000 do
      core.pause(20)
      ok, e = pcall(db.query, db, "select * from notes")
    end
    assert.is_false(ok)
    assert.equal("tenant_unknown", e.kind)
    assert.is_nil(names():find "acme")
  end)

  it("takes over nothing that an earlier one of its name left beside itself", function()
    local db = rille.tenant.create "acme"
    for _ = 1, 50 do db:create("notes", { name = "of old times" }) end
    os.execute(("cd '%s' && cp acme.db-wal kept"):format(root))
    rille.tenant.drop "acme"
    for _, ending in ipairs { "wal", "journal" } do
      os.execute(("cd '%s' && cp kept acme.db-%s"):format(root, ending))
      local new = rille.tenant.create "acme"
      assert.same({}, (new:query "select * from notes"))
      assert.equal("ok", new:query "pragma integrity_check"[1].integrity_check)
      rille.tenant.drop "acme"
    end
  end)

  it("is whole or not there for whoever opens it while another process drops and makes it", function()
    local script = setting("wal", 1) .. [[
      local Place, visits, started = require "rille.tenant.place", 0, core.monotonic_ms()
      local expected = { tenant_unknown = true, busy = true, locked = true, not_unique = true, timeout = true }
      local function try(fn, ...)
        local ok, e = pcall(fn, ...)
        if ok or rille.is_error(e) and expected[e.kind] then return ok end
        io.stderr:write(tostring(e), "\n")
        os.exit(1)
      end
      local function visit()
        local db = Place.handle "acme"
        db:create("notes", { name = "x" })
      end
      local function look_at_other() Place.handle "other":query "select 1" end     -- and have acme closed
      local function keep_trying(fn)
        while not try(fn, "acme") do
          assert(core.monotonic_ms() - started < 60000, "it never succeeded")
          look_at_other()
        end
      end
      if ROLE == "keep" then
        for turn = 1, 40 do
          keep_trying(rille.tenant.create)
          look_at_other()
          core.pause(turn % 4 * 10)
          keep_trying(rille.tenant.drop)
        end
        assert(io.open(STOP, "wb")):close()
      end
      while not core.file_size(STOP) do
        if try(visit) then visits = visits + 1 end
        look_at_other()
        core.pause(visits % 10)
      end
      assert(visits > 0 or ROLE == "keep")
    ]]
    rille.tenant.create "other"
    local paths = {}
    for i, role in ipairs { "visit", "visit", "keep" } do
      paths[i] = os.tmpname()
      local file = assert(io.open(paths[i], "wb"))
      file:write(("local ROLE, STOP = %q, %q\n"):format(role, folder.root .. "/stop"), script)
      file:close()
    end
    local ok = os.execute(([["$RILLE" run '%s' & a=$!; "$RILLE" run '%s' & b=$!; "$RILLE" run '%s' || exit 1
      wait $a || exit 1; wait $b]]):format(table.unpack(paths)))
    for _, path in ipairs(paths) do os.remove(path) end
    assert.is_true(ok)
    pcall(rille.tenant.drop, "acme")
    assert.is_nil(names():find "acme", names())
  end)
end)
