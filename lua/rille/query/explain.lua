--- query.explain: how the database would run a query, as a tree with notes on what may be slow.
local Ends = require "rille.query.ends"
local fetch = require "rille.fetch"

local M = {}

---@class rille.Plan
---@field sql string
---@field params any[]
---@field steps { detail: string, depth: integer }[]
---@field notes string[]  full scans, sorts without an index

local Plan = {
  __name = "rille.Plan",
  __tostring = function(plan)
    local lines = { plan.sql }
    for _, step in ipairs(plan.steps) do lines[#lines + 1] = ("%s- %s"):format(("  "):rep(step.depth), step.detail) end
    for _, note in ipairs(plan.notes) do lines[#lines + 1] = "  note: " .. note end
    return table.concat(lines, "\n")
  end,
}

local function note_of(detail)
  local scanned = detail:match "^SCAN (%S+)"
  if scanned and not detail:find("USING", 1, true) and not detail:find("CONSTANT", 1, true) then
    return ("every row of %s is read; an index on the columns of the condition would help"):format(scanned)
  end
  local sorted = detail:match "^USE TEMP B%-TREE FOR (.+)$"
  if sorted then return ("rows are sorted for %s; an index in that order would help"):format(sorted:lower()) end
  local automatic = detail:match "AUTOMATIC .-INDEX"
  if automatic then return "an index is made for this one query; one in the schema would help" end
end

--- The plan of the database for this query.
---@param query rille.Query
---@return rille.Plan
function M.explain(query)
  local sql, params = query:to_sql()
  local handle = Ends.ready(query).handle
  params.n = #params
  local rows = fetch.call(handle, "query", "explain query plan " .. sql, params)
  params.n = nil
  local plan, depth = { sql = sql, params = params, steps = {}, notes = {} }, { [0] = 0 }
  for i, row in ipairs(rows) do
    depth[row.id] = (depth[row.parent] or 0) + 1
    plan.steps[i] = { detail = row.detail, depth = depth[row.id] }
    plan.notes[#plan.notes + 1] = note_of(row.detail)
  end
  return setmetatable(plan, Plan)
end

return M
