--- config: which databases there are and where the program's files lie; checked when said, opened when used.
-- Two layers: a config file (whose default connection DATABASE_URL overrides), and above it what the program itself
-- said last: `configure` in the place of the file, `connect` in the place of its default connection.  A script that
-- names no file gets the one of the current directory, in a stock Lua as under `rille run`.
local Error = require "rille.error"
local copy = require "rille.copy"

local M = {}

local DEFAULT = "main"
local HERE = "rille.config.lua"
local SLOW_QUERY_MS = 100
local CONNECTIONS_MAX = 16              -- of one database: each transaction of a coroutine has one

local POOL = { "max", "wait_ms", "idle_ms" }
local KEYS = {
  top = { "default", "connections", "tenancy", "session", "models", "migrations", "seeds", "factories",
    "databases", "slow_query_ms", "mirror_background" },
  sqlite = { "driver", "database", "readonly", "synchronous", "journal_mode", "foreign_keys", "busy_timeout_ms",
    "mmap_bytes", "cache_kib", "pragmas", "mirror" },
  postgres = { "driver", "url", "database", "host", "port", "user", "password", "replicas", "pool", "readonly",
    "busy_timeout_ms", "statement_timeout_ms", "connect_timeout_ms" },
  tenancy = { "strategy", "pattern", "fallback", "resolve", "create", "pool", "rls", "directory", "list" },
  session = { "enabled", "mode", "wait_ms", "on_lag" },
}
local OF_ROWS <const> = { "rls", "directory" }       -- of tenancy
local PRAGMA_VALUE = { string = true, number = true, boolean = true }
local DIRECTORIES = { models = "models", migrations = "migrations", seeds = "migrations/seeds",
  factories = "models/factories", databases = "databases" }

local function one_of(...)
  local choices = { ... }
  return function(value)
    for _, choice in ipairs(choices) do
      if value == choice then return true end
    end
    return false, choices
  end
end
local function is_type(name) return function(value) return type(value) == name end end
local function is_count(value) return math.type(value) == "integer" and value >= 0 end
local function is_text(value) return type(value) == "string" and value ~= "" end

-- Key -> what it takes, in words, and the test; keys of one name mean the same everywhere.
local RULES = {
  driver = { 'one of "sqlite", "postgres"', one_of("sqlite", "postgres") },
  synchronous = { 'one of "full", "normal"', one_of("full", "normal") },
  journal_mode = { "the name of a journal mode", one_of("wal", "delete", "truncate", "persist", "memory", "off") },
  mode = { 'one of "first-primary", "first-unconstrained"', one_of("first-primary", "first-unconstrained") },
  on_lag = { 'one of "primary", "error"', one_of("primary", "error") },
  strategy = { 'one of "row", "database", "schema"', one_of("row", "database", "schema") },
  readonly = { "true or false", is_type "boolean" },
  foreign_keys = { "true or false", is_type "boolean" },
  enabled = { "true or false", is_type "boolean" },
  rls = { "true or false", is_type "boolean" },
  mirror_background = { "true or false", is_type "boolean" },
  resolve = { "a function", is_type "function" },
  create = { "a function", is_type "function" },
  list = { "a function that returns slugs", is_type "function" },
  directory = { "a function", is_type "function" },
  pattern = { 'a text such as "tenants/{slug}.db", or a function', function(value)
    return is_text(value) or type(value) == "function"
  end },
  mirror = { "the name of a database, or a table of them", function(value)
    return is_text(value) or type(value) == "table"
  end },
  slow_query_ms = { "a number of milliseconds", function(value) return type(value) == "number" and value >= 0 end },
}
for _, key in ipairs { "busy_timeout_ms", "statement_timeout_ms", "connect_timeout_ms", "wait_ms", "idle_ms",
  "mmap_bytes", "cache_kib", "port", "max" } do
  RULES[key] = { "a whole number", is_count }
end
for _, key in ipairs { "pragmas", "replicas", "pool", "connections", "tenancy", "session" } do
  RULES[key] = { "a table", is_type "table" }
end

--- Raise unless every key is known and every value is what its key takes.
local function check(where, given, known)
  if type(given) ~= "table" then Error.argument(where, "a table", given) end
  Error.options(where, given, known)
  for key, value in next, given do
    local rule = RULES[key] or { "a text", is_text }
    local ok, choices = rule[2](value)
    if not ok then
      Error.argument(where .. "." .. key, rule[1], value, choices and Error.did_you_mean(value, choices))
    end
  end
end

--- A place as one text -> the connection it means.
local function from_url(where, url)
  if not is_text(url) then Error.argument(where, "a path or URL of a database", url) end
  local scheme, rest = url:match "^(%a[%w+.-]+):(.*)$"
  if not scheme or #scheme == 1 then return { driver = "sqlite", database = url } end     -- one letter is a drive
  if scheme == "postgresql" or scheme == "postgres" then return { driver = "postgres", url = url } end
  if scheme ~= "sqlite" and scheme ~= "sqlite3" then
    Error.raise("invalid_argument", ("%s: the scheme %s is not known"):format(where, Error.quote(scheme)), {
      hint = Error.did_you_mean(scheme, { "sqlite", "postgresql" }) or "a path, sqlite:PATH or postgresql://…",
    })
  end
  rest = rest:gsub("^//", "")
  if rest == "" then Error.argument(where, "a path after sqlite:", url) end
  return { driver = "sqlite", database = rest }
end

local function connection(where, given)
  if type(given) == "string" then given = from_url(where, given) end
  if type(given) ~= "table" then Error.argument(where, "a table or a URL", given) end
  local settings = copy(given)
  if settings.driver == nil and settings.url ~= nil then
    local meant = from_url(where .. ".url", settings.url)
    settings.driver, settings.url, settings.database = meant.driver, meant.url, meant.database or settings.database
  end
  settings.driver = settings.driver or "sqlite"
  check(where, settings, KEYS[settings.driver] or KEYS.sqlite)
  if settings.driver == "sqlite" and not settings.database then
    Error.raise("invalid_argument", where .. ": says no database", { hint = 'database = "app.db"' })
  end
  if settings.pool then check(where .. ".pool", settings.pool, { "max" }) end
  local most = settings.pool and settings.pool.max
  if most and (most < 1 or most > CONNECTIONS_MAX) then
    Error.argument(where .. ".pool.max", ("a number of connections from 1 to %d"):format(CONNECTIONS_MAX), most)
  end
  for name, value in next, settings.pragmas or {} do
    local pragma = where .. ".pragmas"
    if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then Error.argument(pragma, "names of pragmas", name) end
    if not PRAGMA_VALUE[type(value)] then Error.argument(pragma .. "." .. name, "a text, number or boolean", value) end
  end
  return settings
end

--- Settings of a connection that the configuration does not name: a path, a URL or a table, checked and completed.
---@param where string  what messages begin with
---@param given string|table
---@return table
function M.settings(where, given) return connection(where, given) end

--- What was written, checked, with every default filled in.  `where` is what messages begin with.
local function complete(where, given)
  check(where, given, KEYS.top)
  local config = { connections = {}, default = given.default, tenancy = given.tenancy, session = given.session,
    slow_query_ms = given.slow_query_ms or SLOW_QUERY_MS, mirror_background = given.mirror_background }
  for key, default in next, DIRECTORIES do config[key] = given[key] or default end
  local names = {}
  for name, settings in next, given.connections or {} do
    if not is_text(name) then Error.argument(where .. ".connections", "names of connections", name) end
    config.connections[name] = connection(("%s.connections.%s"):format(where, name), settings)
    names[#names + 1] = name
  end
  if given.tenancy then
    check(where .. ".tenancy", given.tenancy, KEYS.tenancy)
    if given.tenancy.pool then check(where .. ".tenancy.pool", given.tenancy.pool, POOL) end
    if given.tenancy.list and given.tenancy.strategy ~= "database" then
      Error.argument(where .. ".tenancy.list", 'nothing: it is for strategy = "database"', given.tenancy.list)
    end
    for _, key in ipairs((given.tenancy.strategy or "row") ~= "row" and OF_ROWS or {}) do
      if given.tenancy[key] then
        Error.argument(("%s.tenancy.%s"):format(where, key),
          'nothing: it is for strategy = "row", where tenants share tables', given.tenancy[key])
      end
    end
  end
  if given.session then check(where .. ".session", given.session, KEYS.session) end
  config.default = config.default or (#names == 1 and names[1]) or DEFAULT
  if #names > 0 and not config.connections[config.default] then
    table.sort(names)
    Error.unknown("invalid_argument", "connection", config.default, names, where, {
      hint = ("default = %q says which one is meant"):format(names[1]),
    })
  end
  return config
end

--- The same configuration with another default connection.
local function with_default(config, settings)
  return copy(config, { connections = copy(config.connections, { [config.default] = settings }) })
end

local file            ---@type table?  the config file, DATABASE_URL not yet applied
local said            ---@type table?  what `configure` said
local place           ---@type table?  the connection that `connect` named
local current         ---@type table?  all of it together
local alone = package.loaded["rille.embedded"] ~= nil      -- no file is looked for: a host says which one is meant

--- DATABASE_URL says where the database is; how a database of the same driver is opened stays as the file has it.
local function from_environment(config)
  local url = os.getenv "DATABASE_URL"
  if not url or url == "" then return config end
  local settings = from_url("DATABASE_URL", url)
  local before = config.connections[config.default]
  for key, value in next, before and before.driver == settings.driver and before or {} do
    if settings[key] == nil then settings[key] = value end
  end
  return with_default(config, settings)
end

--- What a config file says, checked and completed.
local function read_file(path)
  local input, why = io.open(path, "rb")
  if not input then Error.raise("not_found", "cannot read the config file " .. why) end
  local text = input:read "a"
  input:close()
  local chunk, wrong = load(text or "", "@" .. path, "t")
  if not chunk then Error.raise("script", wrong) end
  local given = chunk()
  if type(given) ~= "table" then
    Error.raise("script", ("%s: wants to return a table, returned %s"):format(path, Error.show(given)))
  end
  return complete(path, given)
end

local Looking = { __close = function() alone = false end }

--- The file of the current directory, where there is one.  While it runs it is not there for itself.
local function file_here()
  local found = not alone and io.open(HERE, "rb")
  if not found then return nil end
  found:close()
  alone = true
  local looking <close> = setmetatable({}, Looking)                  -- luacheck: ignore 211
  return read_file(HERE)
end

--- The configuration as it stands; `connections` is empty when nothing was said.
---@return table config  not to be changed
function M.current()
  if not current then
    if not said and not file then file = file_here() end
    current = said or from_environment(file or complete("rille", {}))
    if place then current = with_default(current, place) end
  end
  return current
end

local function changed()
  current = nil
  local database = package.loaded["rille.database"]       -- not loaded: there is nothing to close
  if database then database.reset() end
end

--- Name the default database by path or URL, or by a table of settings; nothing is opened yet.
---@param where string|table  "app.db", ":memory:", "sqlite:PATH", "postgresql://…", or { database = … }
---@param options? table      settings beside the place: { synchronous = "normal" }
---@return rille.Handle
function M.connect(where, options)
  local settings = connection("connect", where)
  if options ~= nil then
    if type(options) ~= "table" then Error.argument("connect", "a table of settings", options) end
    settings = connection("connect", copy(settings, options))
  end
  said, place = nil, settings
  changed()
  return require "rille.database".get()
end

--- Say everything, in a table or by naming a config file that returns it.
---@param config table|string
function M.configure(config)
  if type(config) == "string" then return M.load_file(config) end
  if type(config) ~= "table" then Error.argument("configure", "a table or the path of a file", config) end
  config = complete("configure", config)
  said, place = config, nil
  changed()
end

--- Read a config file: Lua that returns the table `configure` takes.  It replaces what was said before.
---@param path string
function M.load_file(path)
  file, said, place = read_file(path), nil, nil
  changed()
end

--- Put other connections in the place of those that are configured, whatever says where they are.
---@param connections table<string, table>  complete ones, of the same names
---@return fun() put_back  makes everything what it was
function M.stand_in(connections)
  local before = { file, said, place, alone }
  said, place = copy(M.current(), { connections = connections }), nil
  changed()
  return function()
    file, said, place, alone = table.unpack(before, 1, 4)
    changed()
  end
end

--- Forget all that was said, and close what was opened.
---@param here? boolean  a file of the current directory counts again; else none does until one is named
function M.clear(here)
  file, said, place, alone = nil, nil, nil, not here
  changed()
end

return M
