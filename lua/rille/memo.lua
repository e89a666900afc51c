--- memo: remembers what was computed from a text, for a bounded number of texts.
-- Two generations: when the young one is full it becomes the old one and the old one is dropped, so what is used stays.

local M = {}

local TEXT_BYTES = 16 * 1024      -- a longer text is computed each time: it would cost more to keep than to read again

--- A function that gives `compute(text)`, kept for the texts used last: at least `bound`, at most twice as many.
---@param bound integer
---@param compute fun(text: string): any  a result that is never nil and never changed; what it raises is not kept
---@return fun(text: string): any
function M.new(bound, compute)
  local young, old, count = {}, {}, 0
  return function(text)
    local value = young[text]
    if value ~= nil then return value end
    value = old[text]
    if value == nil then value = compute(text) end
    if #text <= TEXT_BYTES then
      if count == bound then young, old, count = {}, young, 0 end
      young[text], count = value, count + 1
    end
    return value
  end
end

return M
