--- clock: what time it is where a time is written into rows, as timestamps and soft deletions are.
-- A test may stop or move it.
local core = require "rille.core"

local M = {}

--- This moment in UTC, "2026-11-20T12:00:00.000000Z".  To be looked up at each call, for it may be another one by then.
---@type fun(): string
M.now = core.now

--- Read the time from somewhere else.
---@param now? fun(): string  in the form of `now`; the system's clock when absent
function M.use(now) M.now = now or core.now end

return M
