--- types.testing: what `require "rille.testing"` gives, and what luassert learns of it, as an editor reads them.
local M = {}

-- Assertions: what they are called, each with all its forms, and what they take.
local ASSERTIONS = {
  { { "statements", "is_not_statements" }, "count: integer, fn: function" },
  { { "max_statements", "is_not_max_statements" }, "count: integer, fn: function" },
  { { "row", "has_row", "has_no_row" }, "model_or_table: rille.Model|string, match?: table<string, any>" },
  { { "soft_deleted", "is_soft_deleted", "is_not_soft_deleted" }, "record: rille.Record" },
  { { "invalid", "is_invalid", "is_not_invalid" }, "field: string, result: any, err?: rille.Error" },
}

local TEXT = [[

---@class rille.testing
---@field transaction fun(...: string)  each test of the block in a transaction that is rolled back
---@field rolled_back fun(fn: (fun(...: any): any), ...: any): any
---a database of its own, in memory, for each test of the block
---@field fresh_database fun(options?: { migrate: boolean?, seed: boolean? })
---@field freeze fun(moment?: string|number|osdate): string  stop the clock
---@field travel fun(seconds: number): string  move it
---@field unfreeze fun()
---@field now fun(): string
---@field count fun(fn: function, ...: any): integer, { sql: string, params: any[], ms: number, rows: integer }[]
local testing = {}

---@class luassert.internal
]]

--- The text of the file.
---@param head string  the line that says whose file it is
---@return string
function M.text(head)
  local lines = { "---@meta rille.testing", head }
  for line in TEXT:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  for _, each in ipairs(ASSERTIONS) do
    for _, name in ipairs(each[1]) do lines[#lines + 1] = ("---@field %s fun(%s)"):format(name, each[2]) end
  end
  return table.concat(lines, "\n") .. "\n\nreturn testing\n"
end

return M
