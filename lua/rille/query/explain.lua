--- query.explain: how the database would run a query, as a tree with notes on what may be slow.
local Root = require "rille.query.root"
local fetch = require "rille.fetch"

local M = {}

---@class rille.Step
---@field detail string    in the database's words
---@field depth integer    1 for the outermost
---@field kind "scan"|"index"|"sort"|"group"|"join"|"other"  scan: every row is read; index: those that one finds
---@field table? string    that is read
---@field index? string    along which

---@class rille.Plan
---@field sql string
---@field params any[]
---@field steps rille.Step[]
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

--- The plan of the database for this query.
---@param query rille.Query
---@return rille.Plan
function M.explain(query)
  local sql, params = query:to_sql()
  local handle = Root.ready(query).handle
  params.n = #params
  local engine = handle:engine()
  local rows = fetch.call(handle, "query", engine.explain .. sql, params)
  params.n = nil
  local steps, notes = engine.plan(rows)
  return setmetatable({ sql = sql, params = params, steps = steps, notes = notes }, Plan)
end

return M
