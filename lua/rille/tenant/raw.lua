--- tenant.raw: which SQL of one's own a tenant may run where the database itself keeps tenants apart.
-- What reads and writes rows it holds to their tenant.  What changes tables, empties them, copies rows into new ones or
-- sets what it goes by, it does not; that is told by words, for it is mistakes that are caught here, and no attacker.
local Error = require "rille.error"
local Memo = require "rille.memo"
local Sql = require "rille.sql"

local M = {}

local KEPT_TEXTS <const> = 256

local HELD <const> = { select = true, with = true, values = true, table = true, insert = true, update = true,
  delete = true, merge = true, show = true }

-- What `explain` may run beside these.
local RUNS <const> = { create = true, execute = true, declare = true, refresh = true }

-- Words before an `into` that makes no table.
local FILLS <const> = { insert = true, merge = true }

--- The word that says what is done; of `explain` it stands behind options.
local function verb_of(words)
  if words[1] ~= "explain" then return words[1] end
  for i = 2, #words do
    if HELD[words[i]] or RUNS[words[i]] then return words[i] end
  end
end

local is_held = Memo.new(KEPT_TEXTS, function(sql)
  local words, lower = Sql.words(sql, "postgres"), sql:lower()
  if lower:find 'rille["%s]*%.["%s]*tenant' or lower:find 'rille["%s]*%.["%s]*everybody' then return false end
  for i, word in ipairs(words) do
    if word == "into" and not FILLS[words[i - 1]] then return false end
  end
  return HELD[verb_of(words)] == true
end)

--- Raise for SQL that no policy holds.
---@param word string  the method
---@param sql string
function M.check(word, sql)
  if type(sql) ~= "string" or is_held(sql) then return end            -- whoever reads it says what else it is
  Error.raise("tenant_required", ("%s: this SQL is not limited to the tenant, by no policy either"):format(word), {
    sql = sql, hint = "{ all_tenants = true } behind the values says that everybody's rows are meant",
  })
end

return M
