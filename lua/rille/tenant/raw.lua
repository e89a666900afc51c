--- tenant.raw: which SQL of one's own a tenant may run where the database itself keeps tenants apart.
-- What reads and writes rows it holds to their tenant.  What changes tables, empties them, or sets what it goes by, it
-- does not; that is told by its first word and by names, for it is mistakes that are caught here, and no attacker.
local Error = require "rille.error"

local M = {}

local HELD <const> = { select = true, with = true, values = true, table = true, insert = true, update = true,
  delete = true, merge = true, explain = true, show = true }

--- Raise for SQL that no policy holds.
---@param word string  the method
---@param sql string
function M.check(word, sql)
  if type(sql) ~= "string" then return end                           -- whoever reads it says so
  local lower = sql:lower()
  local sets = lower:find 'rille["%s]*%.["%s]*tenant' or lower:find 'rille["%s]*%.["%s]*everybody'
  if HELD[require "rille.sql".first_word(sql)] and not sets then return end
  Error.raise("tenant_required", ("%s: this SQL is not limited to the tenant, by no policy either"):format(word), {
    sql = sql, hint = "{ all_tenants = true } behind the values says that everybody's rows are meant",
  })
end

return M
