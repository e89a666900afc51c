--- security: row-level security for the tables of models with a tenant's column, where the configuration wants it, as
-- part of what leads from a database to the models.
local Say = require "rille.schema.say"

local M = {}

-- Which of the tables that are there have the policy already.
local SECURED <const> = [[select c.relname::text as "name", p.oid is not null as "secured"
  from pg_catalog.pg_class c left join pg_catalog.pg_policy p on p.polrelid = c.oid and p.polname = 'rille_tenant'
  where c.relkind in ('r', 'p') and pg_catalog.pg_table_is_visible(c.oid)]]

local function difference_of(list, name)
  for _, each in ipairs(list) do
    if each.table == name then return each end
  end
end

local function has_word(lines)
  for _, line in ipairs(lines) do
    if line:find "^t:row_security" then return true end
  end
  return false
end

--- Add what is missing to differences: to one that is there already for the table, or as one of its own.
---@param run rille.SchemaRunner
---@param list rille.Difference[]
function M.add(run, list)
  local Wall = require "rille.tenant.wall"
  if not Wall.is_at(run.handle) then return end
  local secured = {}
  for _, row in ipairs(run:rows(SECURED)) do secured[row.name] = row.secured end
  for _, guard in ipairs(Wall.guards(run.handle.name)) do
    local name, difference = guard.table, difference_of(list, guard.table)
    local word = ("t:row_security(%s)"):format(Say.literal(guard.column))
    if difference and difference.create then
      if not has_word(difference.create) then table.insert(difference.create, word) end
    elseif secured[name] == false then
      if not difference then
        difference = { table = name, up = {}, down = {}, changes = {}, lost = {}, came = {}, unsaid = {}, needs = {} }
        list[#list + 1] = difference
      end
      table.insert(difference.up, word)
      table.insert(difference.down, 1, "t:drop_row_security()")
      table.insert(difference.changes, "its rows are shown to their tenant alone")
    end
  end
end

return M
