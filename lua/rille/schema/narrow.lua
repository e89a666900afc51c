--- schema.narrow: rows that would lose what they hold when a column becomes narrower are counted, and told of.
-- Which do is a matter of the engine: sqlite/narrow.lua, postgres/narrow.lua.
local Error = require "rille.error"

local M = {}

---@class rille.NarrowTest
---@field column string  what it is called then
---@field words string   what a row holds that does not fit
---@field sql string     a condition: the row holds that

--- SQL: the outputs that count the rows of each test, for refuse().
---@param tests rille.NarrowTest[]
---@return string
function M.counts(tests)
  local counts = {}
  for i, test in ipairs(tests) do counts[i] = ("count(*) filter (where %s) as n%d"):format(test.sql, i) end
  return table.concat(counts, ", ")
end

--- Raise for the first test that counted a row.
---@param table_name string
---@param tests rille.NarrowTest[]
---@param row table<string, integer>  what counts() gave
function M.refuse(table_name, tests, row)
  for i, test in ipairs(tests) do
    local count = row["n" .. i]
    if count > 0 then
      Error.raise("migration", ("%d row%s of %q hold%s %s in %q"):format(count, count == 1 and "" or "s", table_name,
        count == 1 and "s" or "", test.words, test.column), {
        table = table_name, column = test.column, hint = "change these rows first; nothing was changed",
      })
    end
  end
end

return M
