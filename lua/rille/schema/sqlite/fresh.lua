--- sqlite.fresh: drops everything that a database holds, in one transaction or not at all.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

-- Views first; what a virtual table keeps its data in goes with it.
local HELD = [[select name, type from pragma_table_list where schema = 'main' and type in ('view', 'virtual', 'table')
  and name not like 'sqlite\_%' escape '\' order by type = 'view' desc, type = 'virtual' desc, name]]

--- The names of what holds rows.
---@param run rille.SqliteRunner
---@return string[]
function M.holding(run)
  local names = {}
  for _, row in ipairs(run:rows(HELD)) do
    if row.type ~= "view" then names[#names + 1] = row.name end
  end
  return names
end

--- Drop all views and tables; raises, with everything still there, when one of them cannot be dropped.
---@param run rille.SqliteRunner
---@return string[] dropped  their names
function M.drop_all(run)
  return run:without_foreign_keys(function()
    local dropped = {}
    for i, row in ipairs(run:rows(HELD)) do
      local statement = ("drop %s %s"):format(row.type == "view" and "view" or "table", Name.quote(row.name))
      local ok, e = pcall(run.execute, run, statement)
      if not ok then
        if not Error.is(e) or e.kind == "interrupted" then error(e, 0) end
        Error.raise("migration", ("%q cannot be dropped: %s"):format(row.name, e.message), {
          table = row.name, sql = statement, code = e.code, cause = e, hint = "nothing was dropped",
        })
      end
      dropped[i] = row.name
    end
    return dropped
  end)
end

return M
