--- config_spec: what may be said about connections, and which of two sayings counts.
local recording = require "spec.support.recording"
local config = require "rille.config"
local database = require "rille.database"

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("invalid_argument", e.kind)
  return tostring(e)
end

--- Write a file that is gone after the spec.
local files = {}
local function file(text)
  local path = os.tmpname()
  local out = assert(io.open(path, "wb"))
  out:write(text)
  out:close()
  files[#files + 1] = path
  return path
end

describe("config", function()
  local environment
  local getenv = os.getenv

  before_each(function()
    recording()
    config.clear()
    environment = {}
    os.getenv = function(name) return environment[name] end        -- luacheck: ignore 122
  end)
  after_each(function()
    os.getenv = getenv                                             -- luacheck: ignore 122
    for _, path in ipairs(files) do os.remove(path) end
    files = {}
  end)

  local function main() return config.current().connections[config.current().default] end

  describe("connect", function()
    it("takes a path, memory, or a URL", function()
      for where, settings in pairs {
        ["app.db"] = { driver = "sqlite", database = "app.db" },
        ["/a b/c.db"] = { driver = "sqlite", database = "/a b/c.db" },
        [":memory:"] = { driver = "sqlite", database = ":memory:" },
        ["sqlite:app.db"] = { driver = "sqlite", database = "app.db" },
        ["sqlite::memory:"] = { driver = "sqlite", database = ":memory:" },
        ["sqlite:///var/app.db"] = { driver = "sqlite", database = "/var/app.db" },
        ["c:app.db"] = { driver = "sqlite", database = "c:app.db" },
        ["postgresql://me@host/app"] = { driver = "postgres", url = "postgresql://me@host/app" },
      } do
        config.connect(where)
        assert.same(settings, main())
      end
    end)

    it("takes settings beside the place", function()
      config.connect("app.db", { synchronous = "normal", pragmas = { temp_store = 2 } })
      assert.same({ driver = "sqlite", database = "app.db", synchronous = "normal", pragmas = { temp_store = 2 } },
        main())
      assert.equal('connect has no option "synchronus"\n  hint: did you mean "synchronous"?',
        refused(config.connect, "app.db", { synchronus = "normal" }))
    end)

    it("opens nothing, and gives the handle that will", function()
      local db = config.connect "app.db"
      assert.equal(0, #recording().core.opened)
      assert.equal("main", db.name)
    end)

    it("refuses what names no database", function()
      assert.equal("connect: wants a table or a URL, got nil", refused(config.connect, nil))
      assert.equal('connect: wants a path or URL of a database, got "" (string)', refused(config.connect, ""))
      assert.equal("connect: says no database\n  hint: database = \"app.db\"", refused(config.connect, {}))
      assert.equal('connect: the scheme "sqlit" is not known\n  hint: did you mean "sqlite"?',
        refused(config.connect, "sqlit:app.db"))
      assert.equal('connect: the scheme "mysql" is not known\n  hint: a path, sqlite:PATH or postgresql://…',
        refused(config.connect, "mysql://host/app"))
    end)

    it("replaces what was connected before, and closes it", function()
      local first = recording({ {} }).handle
      first:query "select 1"
      local opened = recording().core.opened
      config.connect "second.db"
      assert.equal("second.db", main().database)
      for _, db in ipairs(opened) do assert.is_true(db.closed) end
      assert.equal('connection "main" was closed\n  hint: rille.db() gives the handle of what is connected now',
        refused(first.query, first, "select 1"))
    end)
  end)

  describe("configure", function()
    it("fills in what was not said", function()
      config.configure { connections = { main = "app.db" }, models = "app/models" }
      local current = config.current()
      assert.equal("main", current.default)
      assert.equal("app/models", current.models)
      assert.equal("migrations", current.migrations)
      assert.equal("migrations/seeds", current.seeds)
      assert.equal("models/factories", current.factories)
    end)

    it("takes the only connection for the default one, and wants to be told among several", function()
      config.configure { connections = { app = "app.db" } }
      assert.equal("app", config.current().default)
      assert.equal("app", database.get().name)
      local message = refused(config.configure, { connections = { a = "a.db", b = "b.db" } })
      assert.equal('configure has no connection "main"\n  hint: default = "a" says which one is meant', message)
      message = refused(config.configure, { default = "mian", connections = { main = "a.db", other = "b.db" } })
      assert.equal('configure has no connection "mian"\n  hint: did you mean "main"?', message)
    end)

    it("refuses an unknown key at every level, with the nearest known one", function()
      for message, given in pairs {
        ['configure has no option "conections"\n  hint: did you mean "connections"?'] = { conections = {} },
        ['configure.connections.main has no option "databse"\n  hint: did you mean "database"?'] =
          { connections = { main = { databse = "a.db" } } },
        ['configure.connections.main has no option "replicas"'] =
          { connections = { main = { database = "a.db", replicas = {} } } },
        ['configure.connections.w.pool has no option "maxx"\n  hint: did you mean "max"?'] =
          { connections = { w = { driver = "postgres", pool = { maxx = 1 } } } },
        ["configure.connections.w.pool.max: wants a number of connections from 1 to 16, got 17 (integer)"] =
          { connections = { w = { driver = "postgres", pool = { max = 17 } } } },
        ['configure.connections.w.pool has no option "idle_ms"'] =
          { connections = { w = { driver = "postgres", pool = { idle_ms = 1 } } } },
        ['configure.tenancy has no option "stratgy"\n  hint: did you mean "strategy"?'] =
          { tenancy = { stratgy = "row" } },
        ['configure.tenancy.pool has no option "capacity"'] = { tenancy = { pool = { capacity = 1 } } },
        ['configure.session has no option "enable"\n  hint: did you mean "enabled"?'] = { session = { enable = true } },
      } do
        assert.equal(message, refused(config.configure, given))
      end
    end)

    it("refuses a value that its key does not take", function()
      for message, given in pairs {
        ['configure.connections.main.synchronous: wants one of "full", "normal", got "ful" (string)'
          .. '\n  hint: did you mean "full"?'] =
          { connections = { main = { database = "a.db", synchronous = "ful" } } },
        ["configure.connections.main.busy_timeout_ms: wants a whole number, got -1 (integer)"] =
          { connections = { main = { database = "a.db", busy_timeout_ms = -1 } } },
        ['configure.connections.main.driver: wants one of "sqlite", "postgres", got "mysql" (string)'] =
          { connections = { main = { driver = "mysql", database = "a.db" } } },
        ["configure.connections.main.database: wants a text, got 1 (integer)"] =
          { connections = { main = { database = 1 } } },
        ['configure.connections.main.pragmas: wants names of pragmas, got "x; drop" (string)'] =
          { connections = { main = { database = "a.db", pragmas = { ["x; drop"] = 1 } } } },
        ["configure.connections.main: wants a table or a URL, got true (boolean)"] = { connections = { main = true } },
        ["configure.connections: wants a table, got 1 (integer)"] = { connections = 1 },
        ["configure.tenancy.resolve: wants a function, got 1 (integer)"] = { tenancy = { resolve = 1 } },
        ['configure.tenancy.strategy: wants one of "row", "database", "schema", got "rows" (string)'
          .. '\n  hint: did you mean "row"?'] =
          { tenancy = { strategy = "rows" } },
        ["configure.slow_query_ms: wants a number of milliseconds, got \"1\" (string)"] = { slow_query_ms = "1" },
        ['configure.models: wants a text, got "" (string)'] = { models = "" },
      } do
        assert.equal(message, refused(config.configure, given))
      end
      assert.equal("configure: wants a table or the path of a file, got nil", refused(config.configure, nil))
    end)

    it("leaves everything as it was when it refuses", function()
      config.connect "before.db"
      refused(config.configure, { connections = { main = { database = "after.db", typo = 1 } } })
      assert.equal("before.db", main().database)
    end)

    it("keeps tenancy and session for those who read them", function()
      local resolve = function() end
      config.configure {
        connections = { main = "a.db" },
        session = { enabled = true },
        tenancy = { strategy = "database", pattern = "t/{slug}.db", fallback = "main", resolve = resolve,
          pool = { max = 5 } },
      }
      assert.equal(resolve, config.current().tenancy.resolve)
      assert.equal(5, config.current().tenancy.pool.max)
      assert.is_true(config.current().session.enabled)
    end)
  end)

  describe("a config file", function()
    it("is read, by load_file and by configure", function()
      for _, read in ipairs { config.load_file, config.configure } do
        read(file 'return { connections = { main = { database = "file.db" } } }')
        assert.equal("file.db", main().database)
      end
    end)

    it("says which file is missing, broken or returns nothing", function()
      local ok, e = pcall(config.load_file, "/nowhere/rille.config.lua")
      assert.is_false(ok)
      assert.equal("not_found", e.kind)
      assert.is_truthy(e.message:find("/nowhere/rille.config.lua", 1, true))

      local path = file "return {"
      ok, e = pcall(config.load_file, path)
      assert.is_false(ok)
      assert.equal("script", e.kind)
      assert.is_truthy(e.message:find(path .. ":1:", 1, true))

      path = file "local config = {}"
      e = select(2, pcall(config.load_file, path))
      assert.equal(path .. ": wants to return a table, returned nil", e.message)

      path = file "return { databse = 1 }"
      assert.equal(path .. ' has no option "databse"', refused(config.load_file, path):match "^[^\n]*")
    end)

    it("is overridden by DATABASE_URL, which says where, not how", function()
      environment.DATABASE_URL = "other.db"
      config.load_file(file [[return { default = "main", connections = {
        main = { database = "file.db", synchronous = "normal" }, warehouse = "w.db" } }]])
      assert.same({ driver = "sqlite", database = "other.db", synchronous = "normal" }, main())
      assert.equal("w.db", config.current().connections.warehouse.database)
      environment.DATABASE_URL = "postgresql://host/app"
      config.load_file(file 'return { connections = { main = { database = "file.db", synchronous = "normal" } } }')
      assert.same({ driver = "postgres", url = "postgresql://host/app" }, main())
    end)

    it("gives way to connect for its default connection, to configure altogether", function()
      environment.DATABASE_URL = "environment.db"
      config.load_file(file 'return { models = "m", default = "a", connections = { a = "a.db", b = "b.db" } }')
      config.connect "said.db"
      assert.same({ driver = "sqlite", database = "said.db" }, main())
      assert.equal("b.db", config.current().connections.b.database)
      assert.equal("m", config.current().models)
      config.configure { connections = { main = "whole.db" } }
      assert.equal("whole.db", main().database)
      assert.is_nil(config.current().connections.b)
      assert.equal("models", config.current().models)
      config.connect "again.db"
      assert.equal("again.db", main().database)
      assert.equal("m", config.current().models)
    end)
  end)

  describe("of the current directory", function()
    local open = io.open
    local text

    before_each(function()
      text = 'return { connections = { main = "here.db" }, models = "m" }'
      io.open = function(path, mode)                                 -- luacheck: ignore 122
        if path ~= "rille.config.lua" then return open(path, mode) end
        if text then return open(file(text), mode) end
        return nil, path .. ": No such file or directory"
      end
      config.clear(true)
    end)
    after_each(function()
      io.open = open                                                 -- luacheck: ignore 122
      config.clear()
    end)

    it("is read when no other was named", function()
      assert.equal("here.db", main().database)
      assert.equal("m", config.current().models)
      environment.DATABASE_URL = "there.db"
      config.clear(true)
      assert.equal("there.db", main().database)
    end)

    it("stays below connect, and gives way to configure and to a file that is named", function()
      config.connect "mine.db"
      assert.same({ "mine.db", "m" }, { main().database, config.current().models })
      config.clear(true)
      config.configure { connections = { main = "mine.db" } }
      assert.same({ "mine.db", "models" }, { main().database, config.current().models })
      config.clear(true)
      config.load_file(file 'return { connections = { main = "named.db" } }')
      assert.same({ "named.db", "models" }, { main().database, config.current().models })
    end)

    it("raises what is wrong in it, each time it is asked for, and may ask for what is said itself", function()
      text = "return { conections = {} }"
      for _ = 1, 2 do assert.is_truthy(refused(config.current):find('did you mean "connections"?', 1, true)) end
      text = 'return { models = require "rille.config".current().models .. "/own" }'
      assert.equal("models/own", config.current().models)
    end)

    it("need not be there", function()
      text = nil
      assert.is_truthy(refused(database.get):find("no database is configured", 1, true))
    end)
  end)

  it("takes DATABASE_URL alone, and says so when nothing at all was said", function()
    assert.equal('no database is configured\n  hint: rille.connect "app.db", rille.configure "rille.config.lua", '
      .. "or DATABASE_URL says which one", refused(database.get))
    environment.DATABASE_URL = "app.db"
    config.clear()
    assert.equal("app.db", database.get().settings.database)
    environment.DATABASE_URL = "mysql://host"
    config.clear()
    assert.is_truthy(refused(database.get):find('DATABASE_URL: the scheme "mysql" is not known', 1, true))
  end)
end)
