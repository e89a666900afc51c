--- key: the words of a foreign key that every database takes.
local Name = require "rille.schema.name"

local M = {}

--- What a foreign key refers to, and what becomes of it: `references "users" ("id") on delete cascade`.
---@param key { table: string, on_delete: string?, on_update: string? }
---@param columns string[]  of that table
---@return string sql
function M.references(key, columns)
  return ("references %s (%s)%s%s"):format(Name.quote(key.table), Name.quote_all(columns),
    key.on_delete and " on delete " .. key.on_delete or "", key.on_update and " on update " .. key.on_update or "")
end

return M
