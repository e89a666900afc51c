--- sqlite.scratch: a database in memory with the same tables and no rows, in the place of a database.
local core = require "rille.core"

local M = {}

local NO_ENTRY <const> = 2        -- errno of a file that is not there

local Restore = {
  __close = function(self)
    local handle, scratch = self.handle, self.scratch
    handle._core, handle.settings = self.core, self.settings
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
  if handle._core or handle.settings.database == ":memory:" then return true end
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
  local made = {}
  if not options.empty and M.exists(handle) then
    made = handle:_connect():query(COPIED)
  end
  local settings = setmetatable({ database = ":memory:" }, { __index = handle.settings })
  local scratch = core.open {
    driver = "sqlite", database = ":memory:", name = handle.name, foreign_keys = options.foreign_keys,
  }
  local restore <close> = setmetatable({                                       -- luacheck: ignore 211
    handle = handle, scratch = scratch, core = handle._core, settings = handle.settings,
  }, Restore)
  handle._core, handle.settings = scratch, settings
  handle:forget()
  for _, row in ipairs(made) do scratch:execute(row.sql) end
  return fn()
end

return M
