--- tenant_limit_spec: many tenants with databases of their own in a process that may open few files, or no more.
local world = require "spec.support.world"
local Folder = require "spec.support.migration_folder"
local core = require "rille.core"

local FILES <const>, TENANTS <const> = 100, 60

local folder, root

--- Run Lua in a process that may have a hundred files open.
local function limited(script)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(([[
    local rille, core = require "rille", require "rille.core"
    local TENANTS, ROOT = %d, %q
    rille.configure { connections = { main = { database = ":memory:" } }, migrations = %q, models = ROOT .. "/models",
      tenancy = { strategy = "database", pattern = ROOT .. "/{slug}.db" } }
    local Note = rille.model "Note" {}
    local function as(slug, fn, ...) return rille.tenant.run({ id = 1, slug = slug }, fn, ...) end
    local function add(slug) return as(slug, function() Note:create { name = slug } return Note:count() end) end
    local function names() return table.concat(core.list_directory(ROOT), " ") end

    -- Take all files that are left, so that nothing can be opened; gives what gives them back.
    local function take_files()
      local taken = {}
      repeat
        local file = io.open("/dev/null", "rb")
        taken[#taken + 1] = file
      until not file
      return function() for _, each in ipairs(taken) do each:close() end end
    end
  ]]):format(TENANTS, root, folder.root .. "/migrations"), script)
  file:close()
  local ok = os.execute(('ulimit -n %d; "$RILLE" run \'%s\''):format(FILES, path))
  os.remove(path)
  assert.is_true(ok)
end

describe("many tenants in a process that may open few files", function()
  before_each(function()
    folder = Folder.new()
    root = folder.root .. "/data"
    assert(core.make_directory(root))
    folder:write("0001_notes.lua", Folder.creation "notes")
  end)
  after_each(function()
    world.rille.close()
    os.execute("rm -rf '" .. root .. "'")
    folder:close()
  end)

  it("are all there, in turn", function()
    limited [[
      for i = 1, TENANTS do rille.tenant.create("t" .. i) end
      for turn = 1, 2 do
        for i = 1, TENANTS do assert(add("t" .. i) == turn) end
      end
      local stats = core.pool_stats()
      assert(stats.open <= stats.limit and stats.limit <= 25, stats.limit)
      assert(rille.tenant.migrate().failed == 0 and #rille.tenant.list() == TENANTS)
    ]]
  end)

  it("are refused with a reason while transactions hold what may be open", function()
    limited [[
      for i = 1, TENANTS do rille.tenant.create("t" .. i) end
      local held, e = {}, nil
      for i = 1, TENANTS do
        local co = coroutine.wrap(function()
          as("t" .. i, function()
            rille.transaction(function()
              Note:create { name = "held" }
              coroutine.yield "open"
            end)
          end)
          return "ended"
        end)
        local ok, said = pcall(co)
        if not ok then e = said break end
        held[i] = co
      end
      assert(e.kind == "busy" and e.message:find "pool exhausted" and e.hint:find "ulimit", tostring(e))
      for _, co in ipairs(held) do assert(co() == "ended") end
      for i = 1, TENANTS do assert(add("t" .. i) == (held[i] and 2 or 1)) end
    ]]
  end)

  it("keep what they have while none can be opened, and go on afterwards", function()
    limited [[
      for i = 1, 3 do rille.tenant.create("t" .. i) end
      assert(add "t1" == 1 and add "t2" == 1)
      require "rille.pooled".reset()                         -- so that each is opened again
      local before, give_back = names(), take_files()
      local function refused(fn, ...)
        local ok, e = pcall(fn, ...)
        assert(not ok, "it was done")
        assert(rille.is_error(e) and e.message:find "[Oo]pen" and not rille.is_error(e, "tenant_unknown"), tostring(e))
      end
      refused(add, "t1")
      refused(rille.tenant.create, "t4")
      refused(rille.tenant.drop, "t1")
      refused(rille.tenant.list)
      refused(rille.tenant.migrate)
      refused(require "rille.autoload".load_once)
      give_back()
      assert(names() == before, names())
      assert(add "t1" == 2 and add "t2" == 2 and add "t3" == 1 and #rille.tenant.list() == 3)
      rille.tenant.create "t4"
      rille.tenant.drop "t1"
      assert(#rille.tenant.list() == 3)
    ]]
  end)
end)
