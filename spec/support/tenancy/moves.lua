--- tenancy.moves: the shared database of tenants and the place of each tenant's own, by engine, for specs of moves
-- between them: "sqlite", "postgres", and of the own one "schema".
local core = require "rille.core"

local Moves = {}
Moves.__index = Moves

local URL <const> = os.getenv "RILLE_SPEC_URL"

--- The pairs that one server and one folder can make, but for the two files, which need no server.
Moves.PAIRS = { { "postgres", "sqlite" }, { "sqlite", "postgres" }, { "postgres", "postgres" },
  { "postgres", "schema" } }

--- The URL of another database at the server.
local function url(name) return (URL:gsub("/[%w_]+%f[?\0]", function() return "/" .. name end, 1)) end

--- Run statements at the server, or read the rows of the last one.
local function administer(sql, ...)
  local admin <close> = core.open { driver = "postgres", url = URL }
  return (admin:query(sql, { ... }))
end

--- A new folder; the shared database is empty, and no tenant has one of its own.
---@param shared "sqlite"|"postgres"
---@param own "sqlite"|"postgres"|"schema"
---@param path? string  the folder, where it is there already
function Moves.new(shared, own, path)
  local self = setmetatable({ shared = shared, own = own, path = path or os.tmpname() }, Moves)
  if not path then
    os.remove(self.path)
    for _, ending in ipairs { "", "/migrations" } do assert(core.make_directory(self.path .. ending)) end
  end
  self.prefix = "spec_" .. self.path:gsub("%W", ""):lower() .. "_"
  self:drop()
  if shared == "postgres" then administer(('create database "%smain"'):format(self.prefix)) end
  return self
end

--- What the configuration says.
function Moves:config()
  local main = self.shared == "postgres" and { url = url(self.prefix .. "main") }
    or { database = self.path .. "/main.db" }
  local tenancy = self.own == "schema" and { strategy = "schema", fallback = "main" }
    or { strategy = "database", fallback = "main", pattern = self.own == "postgres" and url(self.prefix .. "{slug}")
      or self.path .. "/tenants/{slug}.db" }
  return { connections = { main = main }, tenancy = tenancy, models = self.path .. "/none",
    migrations = self.path .. "/migrations" }
end

--- What an independent program says of the shared database, or of the one of a tenant; "" where that is not there.
---@param slug? string
---@param asked { sqlite: string, postgres: string }
function Moves:ask(slug, asked)
  local kind, command = slug and self.own or self.shared
  if kind == "sqlite" then
    local path = self.path .. (slug and ("/tenants/%s.db"):format(slug) or "/main.db")
    if not core.file_size(path) then return "" end
    command = ("sqlite3 -cmd '.timeout 5000' '%s' %q"):format(path, asked.sqlite)
  else
    local name = self.prefix .. (kind == "postgres" and slug or "main")
    if not administer("select 1 as one from pg_database where datname = $1", name)[1] then return "" end
    local path = kind == "schema" and ("set search_path to %s; "):format(slug) or ""
    command = ("unset LD_PRELOAD; psql '%s' -XqAt -v ON_ERROR_STOP=1 -c %q 2>&1"):format(url(name),
      path .. asked.postgres)
  end
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  local ended = pipe:close()
  if not ended and slug and text:find "does not exist" then return "" end
  assert(ended, text)
  return text
end

--- Drop its databases at the server.
function Moves:drop()
  if self.shared == "sqlite" and self.own == "sqlite" then return end
  for _, row in ipairs(administer("select datname::text as name from pg_database where starts_with(datname, $1)",
    self.prefix)) do
    administer(('drop database "%s" with (force)'):format(row.name))
  end
end

--- Take all of it away.
function Moves:remove()
  self:drop()
  os.execute("rm -rf '" .. self.path .. "'")
end

return Moves
