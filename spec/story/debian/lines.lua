--- lines: rows as the oracles print them, and a comparison that tells the first line that differs.
local assert = require "luassert"
local oracle = require "spec.story.debian.oracle"

local lines = {}

--- Rows of plain values as the oracles print them.
function lines.of(rows, ...)
  local columns, list = { ... }, {}
  for i, row in ipairs(rows) do
    local fields = {}
    for c, column in ipairs(columns) do
      local value = row[column]
      if value == true then value = 1 elseif value == false then value = 0 elseif value == nil then value = "" end
      fields[c] = tostring(value)
    end
    list[i] = table.concat(fields, "\t")
  end
  return list
end

--- Expects the same lines in the same order; tells the first that differs, not thousands.
---@param theirs string[]
---@param ours string[]
---@param what? string
function lines.expect(theirs, ours, what)
  for i = 1, math.max(#theirs, #ours) do
    if theirs[i] ~= ours[i] then
      assert.equal(theirs[i], ours[i], ("%sline %d of %d (%d)"):format(what and what .. ": " or "", i, #theirs, #ours))
    end
  end
  assert.equal(#theirs, #ours)
end

--- Expects that a file, once sorted, is that of the oracle, byte for byte; tells the first lines that differ.
---@param path string
---@param expected string    path
---@param write fun(file: file*)
function lines.expect_file(path, expected, write)
  local file = assert(io.open(path, "w"))
  write(file)
  file:close()
  oracle.shell(("sort -o %s %s"):format(path, path))
  assert.same({}, oracle.shell(("diff %s %s | head -n 20"):format(expected, path)))
end

return lines
