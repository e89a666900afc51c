--- tenancy.level: random steps inside transactions and savepoints, which end in each way there is.
local World = require "spec.support.tenancy.world"
local rille = require "rille"

local M = {}

local INSIDE <const> = { "read", "read", "change", "insert", "create", "record", "record", "handle", "repository" }
local UNDO <const> = {}

--- Some steps inside a transaction, each with what came of it; perhaps some of them in a savepoint.
local function steps_inside(chain, step, kinds, depth, results)
  local draw = chain.draw
  for _ = 1, draw(3) do
    results.steps = results.steps + 1
    table.insert(chain.trace, "\n  ")
    local got
    if depth > 0 and draw:chance(30) then
      local undone = draw:chance(40)
      got = table.pack(pcall(rille.transaction, function()
        steps_inside(chain, step, kinds, depth - 1, results)
        if undone then error(UNDO, 0) end
      end))
    elseif draw:chance(10) then
      got = table.pack(pcall(rille.tenant.run, World.tenant(chain.world, 1 + draw(2)), function() end))
      if got[1] then error("another tenant was set inside the transaction", 0) end
    else
      got = table.pack(pcall(kinds[draw:pick(INSIDE)], chain, step * 10 + results.steps))
    end
    for i = 2, got.n do
      if not got[1] and got[i] ~= UNDO and not rille.is_error(got[i]) then error(got[i], 0) end
      results[#results + 1] = got[i] ~= UNDO and got[i] or nil
    end
  end
end

--- A transaction that ends in each way there is, by function or by handle.
---@param chain tenancy.Chain
---@param step integer
---@param kinds table<string, function>  what can be done inside
---@return any ...                       what came of it
function M.run(chain, step, kinds)
  local draw, results = chain.draw, { steps = 0 }
  local way = draw(5)
  table.insert(chain.trace, "way " .. way)
  if way <= 2 then
    local ok, e = pcall(rille.transaction, function()
      steps_inside(chain, step, kinds, 2, results)
      if way == 2 then error(UNDO, 0) end
    end)
    if not ok and e ~= UNDO then error(e, 0) end
  else
    local tx <close> = rille.begin()
    steps_inside(chain, step, kinds, 2, results)
    if way == 3 then tx:commit() elseif way == 4 then tx:rollback() end
  end
  return table.unpack(results)
end

return M
