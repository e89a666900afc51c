--- rehearsal: runs something on an empty copy of a database, in the place of the database itself.
-- For as long as it lasts the handle leads to the copy, so models and plain statements go there too.  Nothing that runs
-- meanwhile can reach the real one through this handle.
local core = require "rille.core"
local Engine = require "rille.schema.engine"
local Error = require "rille.error"
local hook = require "rille.hook"
local Transaction = require "rille.transaction"

local M = {}

--- Is the database there, or wrong in a way that opening it will tell?  To ask a missing one for its tables would make
--- it.
---@param handle rille.Handle
---@return boolean
function M.exists(handle) return Engine.of(handle).exists(handle) end

--- Run `fn` while the handle leads to a copy of the database without rows.  A database that is not there yet stays so.
---@param handle rille.Handle
---@param options { empty: boolean?, foreign_keys: boolean? }  empty: without any table
---@param fn fun(): any
---@return any
function M.run(handle, options, fn)
  if Transaction.innermost(handle) then
    Error.raise("invalid_argument", "a rehearsal cannot begin inside a transaction")
  end
  return Engine.of(handle).rehearse(handle, options, fn)
end

--- A statement as a rehearsal can run it: all of that is one transaction, in which nothing is done concurrently.
---@param handle rille.Handle
---@param sql string
---@return string
function M.plain(handle, sql)
  local originals = handle.rehearsal
  if not originals then return sql end
  local plain = require "rille.schema.postgres.outside".plain(sql)
  if not plain then return sql end
  originals[plain] = sql
  return plain
end

local function shown(params)
  local out = {}
  for i = 1, params and (params.n or #params) or 0 do
    local value = params[i]
    out[i] = type(value) == "string" and ("%q"):format(value) or tostring(value == nil and core.null or value)
  end
  return out[1] and " /* " .. table.concat(out, ", "):gsub("%*/", "* /") .. " */" or ""
end

local READING = { select = true, values = true, pragma = true, explain = true }

local function reads(sql)
  local words = sql:lower()
  local first = words:match "^%s*(%a*)"
  if first ~= "with" then return READING[first] end
  return not (words:find "%f[%w]insert%s+into" or words:find "%f[%w]update%f[%W]" or words:find "%f[%w]delete%s+from")
end

local Listening = { __close = function(self) self.stop() end }

--- Collect what changes the database while `fn` runs: statements that read are left out, values stand in a remark.
---@param handle rille.Handle
---@param fn fun(): any
---@return string[] statements
---@return any result  of fn
function M.record(handle, fn)
  local statements = {}
  local stop = hook.on("query", function(info)
    if info.connection ~= handle.name or reads(info.sql) then return end
    local sql = handle.rehearsal and handle.rehearsal[info.sql] or info.sql
    statements[#statements + 1] = sql .. shown(info.params)
  end)
  local listening <close> = setmetatable({ stop = stop }, Listening)           -- luacheck: ignore 211
  return statements, fn()
end

--- The statements that `fn` would run on the database, in order.  Foreign keys are off from the beginning, so that no
--- rebuild makes anything begin again.
---@param handle rille.Handle
---@param fn fun(): any
---@return string[]
function M.statements(handle, fn)
  return M.run(handle, { foreign_keys = false }, function() return (M.record(handle, fn)) end)
end

return M
