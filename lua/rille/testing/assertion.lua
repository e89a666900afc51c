--- testing.assertion: what luassert learns: how many statements, which rows, what was refused.
--
--   assert.statements(2, fn)               exactly so many; assert.max_statements(5, fn) at most
--   assert.has_row(Post, { title = "x" })  through the scopes and casts of a model; has_row("posts", …) in the table
--   assert.has_no_row("posts", { … })
--   assert.soft_deleted(post)              its row is there and marked
--   assert.invalid("title", post:save())   nothing came back but an error of validation about that field
local Error = require "rille.error"
local Model = require "rille.model"
local Shown = require "rille.testing.shown"
local Statements = require "rille.testing.statements"

local M = {}

local ROWS_SHOWN = 5

local function counted(count, what) return ("%d %s%s"):format(count, what, count == 1 and "" or "s") end

-- -- statements -----------------------------------------------------------------------------------------------------

local function statements_assertion(name, words, fits)
  return function(state, arguments)
    local wanted, fn = arguments[1], arguments[2]
    if math.type(wanted) ~= "integer" then Error.argument("assert." .. name, "a number of statements", wanted) end
    if type(fn) ~= "function" then Error.argument("assert." .. name, "a function", fn) end
    local heard = Statements.heard(fn)
    state.failure_message = ("%s %s expected, %s sent%s"):format(words, counted(wanted, "statement"),
      #heard == 0 and "none" or #heard, #heard > 0 and ":\n" .. Shown.statements(heard) or "")
    return fits(#heard, wanted)
  end
end

-- -- rows -----------------------------------------------------------------------------------------------------------

--- The query that is meant, without and with the condition, and its table's name.
local function query_of(where, source, match)
  local query, name
  if Model.is_class(source) then
    query, name = source:query(), source._def.table
  elseif type(source) == "string" then
    query, name = require "rille.database".get():table(source), source
  else
    Error.argument(where, "a model or the name of a table", source)
  end
  if match ~= nil and type(match) ~= "table" then Error.argument(where, "a table of column = value", match) end
  return query, match and query:where(match) or query, name
end

--- The first rows of a query, of each the columns that were asked for.
local function rows_text(query, match)
  local columns, lines = require "rille.keys"(match), {}
  for i, row in ipairs(query:limit(ROWS_SHOWN):all()) do lines[i] = "  " .. Shown.fields(row, columns) end
  return table.concat(lines, "\n")
end

local function row_assertion(state, arguments)
  local match = arguments[2]
  local query, matching, name = query_of("assert.has_row", arguments[1], match)
  local found = matching:count()
  local wanted = match and " with " .. Shown.fields(match) or ""
  if found > 0 then
    state.failure_message = ("%s has %s%s"):format(name, counted(found, "row"), wanted)
    return true
  end
  local all = query:count()
  state.failure_message = ("%s has no row%s; it has %s"):format(name, wanted,
    all == 0 and "none" or counted(all, "row"))
  if match and all > 0 then state.failure_message = state.failure_message .. ":\n" .. rows_text(query, match) end
  return false
end

-- -- records --------------------------------------------------------------------------------------------------------

local function soft_deleted_assertion(state, arguments)
  local record = arguments[1]
  if not require "rille.core".is_record(record) then Error.argument("assert.soft_deleted", "a record", record) end
  local row = record:fresh()
  local title = ("%s %s"):format(record._class._def.name, tostring(record:key()))
  if not row then
    Error.raise("not_found", ("assert.soft_deleted: the row of %s is gone: it was deleted for good"):format(title))
  end
  state.failure_message = ("%s is %s"):format(title, row:trashed() and "soft-deleted" or "not soft-deleted")
  return row:trashed()
end

local function invalid_assertion(state, arguments)
  local field, result, e = arguments[1], arguments[2], arguments[3]
  if type(field) ~= "string" then Error.argument("assert.invalid", "the name of a field first", field) end
  if result ~= nil or not Error.is(e) then
    state.failure_message = ("nothing was refused: got %s"):format(Error.show(result))
    return false
  end
  local about = e.kind == "validation" and (e.fields or {})[field] ~= nil
  state.failure_message = about and ("%s is invalid: %s"):format(field, table.concat(e.fields[field], "; "))
    or ("%s is valid; what was refused: %s"):format(field, tostring(e))
  return about
end

--- Register all of it.
---@param luassert table  the module
function M.register(luassert)
  luassert:register("assertion", "statements", statements_assertion("statements", "exactly",
    function(count, wanted) return count == wanted end))
  luassert:register("assertion", "max_statements", statements_assertion("max_statements", "at most",
    function(count, wanted) return count <= wanted end))
  luassert:register("assertion", "row", row_assertion)
  luassert:register("assertion", "soft_deleted", soft_deleted_assertion)
  luassert:register("assertion", "invalid", invalid_assertion)
end

return M
