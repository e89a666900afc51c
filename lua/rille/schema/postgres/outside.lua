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

--- The end of a name, quoted or not, that begins at a place; nil when there is none.
local function end_of_name(sql, at)
  if sql:sub(at, at) ~= '"' then return select(2, sql:find("^[%a_\128-\255][%w_$\128-\255]*", at)) end
  local last = sql:find('"', at + 1, true)
  while last and sql:sub(last + 1, last + 1) == '"' do last = sql:find('"', last + 2, true) end
  return last
end

--- The index that a statement makes concurrently, as SQL names it; nil for any other statement.
---@param sql string
---@return string?
function M.index_of(sql)
  local words, at = sql:lower(), nil
  for i = 1, 2 do at = at or select(2, words:match(CONCURRENTLY[i])) end
  if not at then return nil end
  at = words:match("^if%s+not%s+exists%s+()", at) or at
  local last = end_of_name(sql, at)
  if last and sql:sub(last + 1, last + 1) == "." then last = end_of_name(sql, last + 2) end
  local name = last and sql:sub(at, last)
  return name and name:lower() ~= "on" and name or nil        -- `create index concurrently on …` makes a name up
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
