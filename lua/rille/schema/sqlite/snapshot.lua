--- sqlite.snapshot: the schema of a database as texts that can be compared.
local Definition = require "rille.schema.sqlite.definition"
local Ledger = require "rille.migrator.ledger"
local Store = require "rille.json_schema.store"

local M = {}

local function squeezed(sql) return (sql:gsub("%s+", " ")) end

--- A table's columns in the order of their names: a column that was dropped comes back as the last one.
local function table_text(sql)
  if sql:lower():find "^create%s+virtual" then return squeezed(sql) end
  local definition = Definition.parse(sql)
  table.sort(definition.columns, function(a, b) return a.name < b.name end)
  return squeezed(Definition.render(definition):lower())
end

--- "table posts" -> its normal text, less the tables that rille keeps for itself.
---@param db rille.Handle
---@return table<string, string>
function M.take(db)
  local taken = {}
  for _, row in ipairs((db:_query [[select type, name, sql from sqlite_schema
      where sql is not null and name not like 'sqlite\_%' escape '\']])) do
    if row.name ~= Ledger.TABLE and row.name ~= Store.TABLE then
      taken[row.type .. " " .. row.name] = row.type == "table" and table_text(row.sql) or squeezed(row.sql)
    end
  end
  return taken
end

return M
