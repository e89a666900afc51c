--- postgres.outside: statements that PostgreSQL runs only outside of a transaction, known by their first words.
local M = {}

-- What stands before and behind the word that asks for it, in lower case.
local CONCURRENTLY <const> = {
  "^%s*create%s+index%s+()concurrently%s+()", "^%s*create%s+unique%s+index%s+()concurrently%s+()",
  "^%s*drop%s+index%s+()concurrently%s+()", "^%s*reindex%s+%a+%s+()concurrently%s+()",
  "^%s*refresh%s+materialized%s+view%s+()concurrently%s+()",
}
local OTHERS <const> = { "^%s*vacuum%f[%W]", "^%s*alter%s+system%s", "^%s*create%s+database%s",
  "^%s*drop%s+database%s" }

--- The statement without `concurrently`, which a transaction can run; nil when it does not say that.
---@param sql string
---@return string?
function M.plain(sql)
  local words = sql:lower()
  for _, pattern in ipairs(CONCURRENTLY) do
    local from, behind = words:match(pattern)
    if from then return sql:sub(1, from - 1) .. sql:sub(behind) end
  end
end

--- Must it run outside of a transaction?
---@param sql string
---@return boolean
function M.wants(sql)
  if M.plain(sql) and not sql:lower():find "^%s*refresh" then return true end
  for _, pattern in ipairs(OTHERS) do
    if sql:lower():find(pattern) then return true end
  end
  return false
end

return M
