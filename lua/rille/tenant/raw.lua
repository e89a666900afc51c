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

local function is_held(words, sql)
  local lower = sql:lower()
  if lower:find 'rille["%s]*%.["%s]*tenant' or lower:find 'rille["%s]*%.["%s]*everybody' then return false end
  for i, word in ipairs(words) do
    if word == "into" and not FILLS[words[i - 1]] then return false end
  end
  return HELD[verb_of(words)] == true
end

--- text -> the names that may stand in it, or false: it is no reading and writing of rows.
local names_of = Memo.new(KEPT_TEXTS, function(sql)
  local words = Sql.words(sql, "postgres")
  if not is_held(words, sql) then return false end
  for i, word in ipairs(words) do
    local quoted = word:match '^"(.*)"$'
    if quoted then words[i] = quoted:gsub('""', '"') end
  end
  return words
end)

local function refuse(word, sql, why)
  Error.raise("tenant_required", ("%s: %s"):format(word, why), {
    sql = sql, hint = "{ all_tenants = true } behind the values says that everybody's rows are meant",
  })
end

--- Raise for SQL that no policy holds.
---@param word string  the method
---@param handle rille.Handle
---@param sql string
function M.check(word, handle, sql)
  if type(sql) ~= "string" then return end                            -- whoever reads it says so
  local names = names_of(sql)
  if not names then return refuse(word, sql, "this SQL is not limited to the tenant, by no policy either") end
  local unwalled = require "rille.tenant.behind".unwalled(handle)
  for _, name in ipairs(names) do
    if unwalled[name] then
      refuse(word, sql, ("%s shows rows of tenants, and no policy keeps them apart there"):format(Error.quote(name)))
    end
  end
end

return M
