--- testing.isolation: databases in which a test leaves nothing behind: a transaction around it, or one of its own.
local Config = require "rille.config"
local Database = require "rille.database"
local Error = require "rille.error"
local Handle = require "rille.handle"
local Time = require "rille.testing.time"
local Transaction = require "rille.transaction"

local M = {}

-- -- what a test left open ------------------------------------------------------------------------------------------

local function open_cursors()
  local count = 0
  for _, handle in ipairs(Database.opened()) do count = count + handle:_connect():stats().cursors end
  return count
end

--- What is open before a test.
local function what_is_open() return { transactions = #Transaction.open(), cursors = open_cursors() } end

--- An error that says what is open and was not before; nil when nothing is.
local function left_open(before)
  local transactions, cursors = #Transaction.open() - before.transactions, open_cursors() - before.cursors
  if cursors > 0 then
    collectgarbage()                      -- one that nobody can reach any more was not left open
    cursors = open_cursors() - before.cursors
  end
  if transactions > 0 then
    return Error.new("transaction_aborted", ("the test left %s open: what it did was taken back"):format(
      transactions == 1 and "a transaction" or transactions .. " transactions"), {
      hint = "write `local tx <close> = rille.begin()`, or rille.transaction(fn)",
    })
  elseif cursors > 0 then
    return Error.new("script", ("the test left %s open"):format(cursors == 1 and "a cursor" or cursors .. " cursors"), {
      hint = "leave a loop over a cursor with `return` or `goto`; one that is kept holds its rows",
    })
  end
end

-- -- what a test is in --------------------------------------------------------------------------------------------

--- The tenant before a test; false for none.
local function tenant_now()
  local tenant = package.loaded["rille.tenant"]           -- not loaded: nobody is one
  return tenant and tenant.current() or false
end

--- The clock goes, and the tenant is who it was.
local function put_back_context(before)
  Time.unfreeze()
  local tenant = package.loaded["rille.tenant"]
  if not tenant or before == nil then return end
  if before then tenant.set(before) else tenant.clear() end
end

-- -- a transaction around a test ------------------------------------------------------------------------------------

local function connection_names(...)
  if ... ~= nil then return { ... } end
  local names = require "rille.keys"(Config.current().connections)
  return #names > 0 and names or { Config.current().default }
end

local Around = {}
Around.__index = Around

--- Take back what was done since; nothing keeps it from being taken back on the other databases, too.
function Around:finish()
  for i = #self, 1, -1 do
    local transaction = self[i]
    if transaction.state == "open" then
      local ok, e = pcall(transaction.rollback, transaction)
      if not ok and not transaction.handle.closed then self.failed = self.failed or e end
    end
    if not transaction.handle.closed then transaction.db:exclusive(self.exclusive[i]) end
    self[i] = nil
  end
  if self.failed then Error.again(self.failed) end
end

function Around:__close(e)
  local left = e == nil and left_open(self.before)
  self:finish()
  if left then error(left, 0) end
end

--- Begin a transaction on each of the databases.
local function begin_around(...)
  local around = setmetatable({ before = what_is_open(), exclusive = {} }, Around)
  for i, name in ipairs(connection_names(...)) do
    local ok, e = pcall(function()
      around[i] = Transaction.begin_test(Database.get(name))
      around.exclusive[i] = around[i].db:exclusive(true)
    end)
    if not ok then
      around:finish()
      Error.again(e)
    end
  end
  return around
end

function M.rolled_back(fn, ...)
  local around <close> = begin_around()                                     -- luacheck: ignore 211
  return fn(...)
end

---@param block table  words of busted
---@param ... string   names of connections
function M.transaction_in(block, ...)
  local names, around = table.pack(...), nil
  for i = 1, names.n do
    if type(names[i]) ~= "string" then Error.argument("testing.transaction", "names of connections", names[i]) end
  end
  local tenant
  block.before_each(function()
    tenant = tenant_now()
    around = begin_around(table.unpack(names, 1, names.n))
  end)
  block.after_each(function()
    local left = around and left_open(around.before)
    if around then around:finish() end
    put_back_context(tenant)
    around = nil
    if left then error(left, 0) end
  end)
end

-- -- a database for each test ---------------------------------------------------------------------------------------

--- The configured connections, each in memory.
local function in_memory()
  local config, connections = Config.current(), {}
  for name, settings in next, config.connections do
    if settings.driver ~= "sqlite" then
      Error.raise("unsupported", ("testing.fresh_database: the connection %q is not SQLite's: a test would write where "
        .. "it leads"):format(name), { hint = "testing.transaction takes back what a test did there" })
    end
    connections[name] = { driver = "sqlite", database = ":memory:", foreign_keys = settings.foreign_keys,
      pragmas = settings.pragmas }
  end
  connections[config.default] = connections[config.default] or { driver = "sqlite", database = ":memory:" }
  return connections
end

local function is_in_memory(handle) return handle.settings.database == ":memory:" end

--- Copies of the databases as they are now.
---@return table<string, rille.Handle>  by the names of their connections
local function take_templates()
  local templates = {}
  for _, handle in ipairs(Database.opened()) do
    if is_in_memory(handle) then
      local template = Handle.new(handle.name, handle.settings)
      template:_connect():copy(handle:_connect())
      templates[handle.name] = template
    end
  end
  return templates
end

---@param block table  words of busted
---@param options { migrate: boolean?, seed: boolean? }
function M.fresh_in(block, options)
  local templates, put_back, tenant
  block.setup(function()
    put_back = Config.stand_in(in_memory())
    if options.migrate ~= false then require "rille.migrator".migrate { seed = options.seed } end
  end)
  block.before_each(function()
    tenant = tenant_now()
    templates = templates or take_templates()
    Database.reset()
    for name, template in next, templates do Database.get(name):_connect():copy(template:_connect()) end
  end)
  block.after_each(function()
    local left = left_open { transactions = 0, cursors = 0 }
    Database.reset()
    Transaction.forget_closed()
    put_back_context(tenant)
    if left then error(left, 0) end
  end)
  block.teardown(function()
    for _, template in next, templates or {} do template:close() end
    if put_back then put_back() end
    templates, put_back = nil, nil
  end)
end

return M
