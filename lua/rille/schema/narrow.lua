--- schema.narrow: rows that would lose what they hold when a column becomes narrower are counted, and told of.
-- Which do is a matter of the engine: sqlite/narrow.lua, postgres/narrow.lua.
local core = require "rille.core"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

---@class rille.NarrowTest
---@field column string  what it is called then
---@field words string   what a row holds that does not fit
---@field sql string     a condition: the row holds that
---@field shown string   SQL: the value as text, NULL where none shows it

---@class rille.NarrowFinding
---@field test rille.NarrowTest
---@field count integer  of rows
---@field example string  the first of them in words: its key and its value, as far as there are any

--- The first row by its key, or by what it holds where it has none, for which the condition of a test is true.
local function example(run, place, test, key)
  local outputs, order = { test.shown .. " as shown" }, { "shown" }
  for i, name in ipairs(key) do
    outputs[i + 1], order[i] = ("%s as key_%d"):format(Name.quote(name), i), "key_" .. i
  end
  local row = run:rows(("select %s from %s where %s order by %s limit 1"):format(table.concat(outputs, ", "), place,
    test.sql, table.concat(order, ", ")))[1]
  local parts = {}
  for i, name in ipairs(key) do
    local value = row["key_" .. i]
    parts[i] = core.shown(name) .. " " .. (type(value) == "string" and Error.quote(value) or tostring(value))
  end
  local words = { parts[1] and table.concat(parts, ", ") }
  words[#words + 1] = row.shown and Error.quote(row.shown)
  return table.concat(words, ": ")
end

--- What the first test counted that counted a row; nil where none did.
---@param run rille.SchemaRunner
---@param place string              the table, as SQL names it
---@param tests rille.NarrowTest[]
---@param key string[]              columns of its primary key; maybe none
---@return rille.NarrowFinding?
function M.find(run, place, tests, key)
  if #tests == 0 then return nil end
  local counts = {}
  for i, test in ipairs(tests) do counts[i] = ("count(*) filter (where %s) as n%d"):format(test.sql, i) end
  local row = run:rows(("select %s from %s"):format(table.concat(counts, ", "), place))[1]
  for i, test in ipairs(tests) do
    local count = row["n" .. i]
    if count > 0 then return { test = test, count = count, example = example(run, place, test, key) } end
  end
end

--- Raise for what find() found.
---@param table_name string
---@param found rille.NarrowFinding?
function M.refuse(table_name, found)
  if not found then return end
  local test, one, which = found.test, found.count == 1, found.example
  if which ~= "" then which = (" (%s%s)"):format(one and "" or "the first: ", which) end
  Error.raise("migration", ("%d row%s of %q hold%s %s in %q%s"):format(found.count, one and "" or "s", table_name,
    one and "s" or "", test.words, test.column, which), {
    table = table_name, column = test.column, hint = "change these rows first; nothing was changed",
  })
end

return M
