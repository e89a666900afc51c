--- postgres.find: what an operation means in a table that is there, or why there is no such thing.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

--- Raise what keeps a change from being made.
---@param table_ rille.PostgresTable
---@param message string
---@param hint? string
---@param column? string
function M.refuse(table_, message, hint, column)
  Error.raise("migration", ("%s: %s"):format(table_.name, message), { hint = hint, table = table_.name,
    column = column })
end

---@param table_ rille.PostgresTable
---@param name string
---@return rille.PostgresColumn?
function M.column(table_, name)
  for _, column in ipairs(table_.columns) do
    if column.name == name then return column end
  end
end

--- A column that must be there.
---@param table_ rille.PostgresTable
---@param name string
---@return rille.PostgresColumn
function M.known(table_, name)
  local column = M.column(table_, name)
  if column then return column end
  local names = {}
  for i, each in ipairs(table_.columns) do names[i] = each.name end
  Error.unknown("no_such_column", "column", name, names, table_.name, { table = table_.name, column = name })
end

---@param table_ rille.PostgresTable
---@return rille.PostgresConstraint?
function M.primary(table_)
  for _, each in ipairs(table_.constraints) do
    if each.kind == "primary" then return each end
  end
end

--- How many rows there are; counts only where there are some.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@return integer
function M.rows(run, table_)
  return run:value("select count(*) as value from " .. Name.quote(table_.name))
end

--- Is it a condition that was said behind a column?  These are called after it.
---@param table_ rille.PostgresTable
---@param constraint rille.PostgresConstraint
---@param column string
---@return string? ending  "check", "check_2" …
function M.own_check(table_, constraint, column)
  if constraint.kind ~= "check" then return nil end
  local ending, count = "check", 1
  repeat
    if constraint.name == Name.derived(table_.name, { column }, ending) then return ending end
    count = count + 1
    ending = "check_" .. count
  until count > #table_.constraints + 1
end

return M
