--- rehearsal: runs something on an empty copy of a database, in the place of the database itself.
-- For as long as it lasts the handle leads to a database in memory with the same tables, so models and plain statements
-- go there too.  Nothing that runs meanwhile can reach the real one through this handle.
local core = require "rille.core"
local Error = require "rille.error"
local hook = require "rille.hook"
local Transaction = require "rille.transaction"

local M = {}

local NO_ENTRY <const> = 2        -- errno of a file that is not there

local Restore = {
  __close = function(self)
    local handle, scratch = self.handle, self.scratch
    handle.core, handle.settings = self.core, self.settings
    handle:forget()
    scratch:close()
  end,
}

-- In the order in which they can be made.  What a virtual table keeps its data in comes with it.
local COPIED = [[select m.sql as sql, m.name as name from sqlite_schema as m
  left join pragma_table_list as l on l.schema = 'main' and l.name = m.name and m.type in ('table', 'view')
  where m.sql is not null and m.name not like 'sqlite\_%' escape '\' and coalesce(l.type, '') <> 'shadow'
  order by m.type = 'table' desc, m.type = 'index' desc, m.rowid]]

--- Is the database there, or wrong in a way that opening it will tell?  To ask a missing one for its tables would make
--- it.
---@param handle rille.Handle
---@return boolean
function M.exists(handle)
  if handle.core or handle.settings.database == ":memory:" then return true end
  local path = handle.settings.database
  local file <close>, _, code = io.open(path, "rb")
  local folder = path:match "^(.*)/[^/]*$" or "."
  local may_be_made = code == NO_ENTRY and core.list_directory(folder == "" and "/" or folder) ~= nil
  return file ~= nil or not may_be_made            -- where it cannot be made, opening it says why
end

--- Run `fn` while the handle leads to a copy of the database without rows.  A database that is not there yet stays so.
---@param handle rille.Handle
---@param options { empty: boolean?, foreign_keys: boolean? }  empty: without any table
---@param fn fun(): any
---@return any
function M.run(handle, options, fn)
  if Transaction.innermost(handle) then
    Error.raise("invalid_argument", "a rehearsal cannot begin inside a transaction")
  end
  local made = {}
  if not options.empty and M.exists(handle) then
    made = handle:connect():query(COPIED)
  end
  local settings = setmetatable({ database = ":memory:" }, { __index = handle.settings })
  local scratch = core.open {
    driver = "sqlite", database = ":memory:", name = handle.name, foreign_keys = options.foreign_keys,
  }
  local restore <close> = setmetatable({                                       -- luacheck: ignore 211
    handle = handle, scratch = scratch, core = handle.core, settings = handle.settings,
  }, Restore)
  handle.core, handle.settings = scratch, settings
  handle:forget()
  for _, row in ipairs(made) do scratch:execute(row.sql) end
  return fn()
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
    statements[#statements + 1] = info.sql .. shown(info.params)
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
