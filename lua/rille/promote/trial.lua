--- promote.trial: puts the rows into tables that are taken back, so that a dry run finds what checks and unique indexes
-- of the target refuse.  SQLite cannot be asked for that: `like` and collations mean something else there.
-- COPY ends at the first row that is refused: of each table there is one.
local Error = require "rille.error"
local Finish = require "rille.promote.finish"
local Name = require "rille.schema.name"
local Rows = require "rille.promote.rows"

local M = {}

local REFUSALS <const> = { unique_violation = true, check_violation = true, not_null_violation = true,
  invalid_argument = true }

--- Is it about a row that the table does not take?
---@param e any
---@return boolean
function M.is_refusal(e) return Error.is(e) and REFUSALS[e.kind] == true end

local function try_one(job, plan, on_progress)
  local tx <close> = job.to:begin()                                            -- luacheck: ignore 211
  Finish.plain(job.run, plan.name, function() return Rows.copy(job.from, job.to, plan, on_progress) end)
end

--- Try all tables whose values fit.  The handle of the target leads to tables that are taken back, see rehearsal.lua.
---@param job table  of promote.lua
---@param step_of fun(number: integer): fun(rows: integer)
---@return rille.Misfit[]
function M.run(job, step_of)
  local names, found, misfits = {}, {}, {}
  for i, plan in ipairs(job.plans) do names[i] = plan.name end
  for _, each in ipairs(job.result.misfits) do misfits[each.table] = true end
  if #names == 0 then return found end
  Finish.drop_keys(job.run, names)
  job.run:execute("truncate " .. Name.quote_all(names))                        -- what migrations put into them
  for i, plan in ipairs(job.plans) do
    local ok, e = true, nil
    if not misfits[plan.name] then ok, e = pcall(try_one, job, plan, step_of(i)) end
    if not ok and not M.is_refusal(e) then Error.again(e) end
    if not ok then
      found[#found + 1] = { table = plan.name, row = "a row", column = e.column,
        why = e.hint and ("%s; %s"):format(e.message, e.hint) or e.message }
    end
  end
  return found
end

return M
