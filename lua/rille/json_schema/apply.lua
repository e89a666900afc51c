--- apply: changes a table to what a JSON Schema says, as long as no row loses anything.
local Diff = require "rille.schema.diff"
local Engine = require "rille.schema.engine"
local Error = require "rille.error"
local Kept = require "rille.json_schema.kept"
local Load = require "rille.json_schema.load"
local Name = require "rille.schema.name"
local Words = require "rille.json_schema.words"

local M = {}

local SHOWN_ROWS <const> = 5              -- keys of rows that a message names

local function count(n, one, many) return ("%d %s"):format(n, n == 1 and one or many) end

--- The rows that fit a condition: how many, and the keys of the first in words.
local function rows_where(run, picture, condition)
  local place = Name.quote(picture.name)
  local n = run:value(("select count(*) as value from %s where %s"):format(place, condition))
  if n == 0 then return nil end
  local engine = Engine.of(run.handle)
  local key = #picture.primary > 0 and Name.quote_all(picture.primary) or engine.row_key
  if not key or #picture.primary == 0 and picture.tail:find "without" then return count(n, "row", "rows") end
  local shown = {}
  local keys = ("select %s as key from %s where %s order by %s limit %d"):format(engine.json_array:format(key), place,
    condition, key, SHOWN_ROWS)
  for i, row in ipairs(run:rows(keys)) do
    shown[i] = row.key:sub(2, -2)
  end
  return ("%s (%s %s%s)"):format(count(n, "row", "rows"), #picture.primary > 0 and table.concat(picture.primary, ", ")
    or key, table.concat(shown, "; "), n > #shown and "; …" or "")
end

--- What rows would lose: sentences.
local function losses(run, picture, changes)
  local found = {}
  for _, change in ipairs(changes) do
    if change.kind == "drop_column" then
      local rows = rows_where(run, picture, Name.quote(change.column) .. " is not null")
      if rows then found[#found + 1] = ("%s hold a value in %s"):format(rows, Name.quote(change.column)) end
    end
  end
  return found
end

--- Rows that a new condition would refuse: sentences.
local function misfits(run, picture, changes)
  local found = {}
  for _, change in ipairs(changes) do
    local before = {}
    for _, sql in ipairs(change.kind == "change_column" and change.was.checks or {}) do before[sql] = true end
    for _, sql in ipairs(change.kind == "change_column" and change.now.checks or {}) do
      local rows = not before[sql] and rows_where(run, picture, ("not (%s)"):format(sql))
      if rows then found[#found + 1] = ("%s do not fit %s"):format(rows, sql) end
    end
  end
  return found
end

local function refuse(picture, what, sentences, hint)
  Error.raise("migration", ("create_table: %s: %s"):format(picture.name, what:format(table.concat(sentences, "; "))), {
    table = picture.name, hint = hint,
  })
end

-- -- saying the changes ----------------------------------------------------------------------------------------------

local function unsupported(change, hint)
  Error.raise("unsupported", ("create_table: %s: this cannot be done to a table that is there"):format(change.words), {
    hint = hint or "make another table, and copy the rows",
  })
end

-- Kind of change -> the words for it; they get t, the change and the plan.
local SAY = {
  add_column = function(t, change, plan, engine) Words.column(t, plan.by_name[change.column], engine) end,
  drop_column = function(t, change) t:drop(change.column) end,
  change_column = function(t, change, plan, engine)
    local column = plan.by_name[change.column]
    if not column or change.was.auto or change.now.auto then unsupported(change) end
    if change.was.reference then t:drop_foreign { change.was.name } end
    Words.column(t, column, engine):change()
  end,
  primary = function(t, change)
    if #change.was > 0 then t:drop_primary() end
    if #change.now > 0 then t:primary(change.now) end
  end,
  add_index = function(t, change) Words.index(t, change.now) end,
  drop_index = function(t, change)
    local index = change.was
    if index.constraint then
      local columns = {}
      for i, part in ipairs(index.columns) do columns[i] = part[1] end
      t:drop_unique(columns)
    else
      t:drop_index { name = index.name }
    end
  end,
  add_foreign = function(t, change) Words.foreign(t, change.now) end,
  drop_foreign = function(t, change) t:drop_foreign(change.was.columns) end,
  add_check = function(t, change) t:check(change.now.sql) end,
  drop_check = function(t, change)
    if not change.was.name then unsupported(change) end
    t:drop_check(change.was.name)
  end,
  tail = function(_, change) unsupported(change) end,
}

--- Rows that are there and that the new rules refuse; reads every row.
local function judge_rows(handle, plan, picture)
  local kept = Kept.of(handle, plan.table)
  local found, keys = 0, {}
  for row in handle:table(plan.table):cursor() do
    for _, column in ipairs(kept.columns) do
      local value = row[column.name]
      if value ~= nil and kept.casts and kept.casts[column.name] then value = kept.casts[column.name].dump(value) end
      local message = value ~= nil and column.test(value)
      if message then
        found = found + 1
        if #keys < SHOWN_ROWS then
          local key = {}
          for i, name in ipairs(picture.primary) do key[i] = tostring(row[name]) end
          keys[#keys + 1] = ("%s%s %s"):format(#key > 0 and table.concat(key, ", ") .. ": " or "", column.name, message)
        end
        break
      end
    end
  end
  if found > 0 then
    refuse(picture, "%s", { ("%s would not be valid: %s%s"):format(count(found, "row", "rows"),
      table.concat(keys, "; "), found > #keys and "; …" or "") }, "change these rows first; nothing was changed")
  end
end
M.judge_rows = judge_rows

--- Carry changes out, in the caller's transaction.  Raises before a row would lose anything.
---@param schema rille.Schema
---@param run rille.SchemaRunner
---@param plan rille.SchemaPlan
---@param picture rille.Picture   the table as it is
---@param changes rille.Change[]
---@param lossy boolean           values of columns that go may go
function M.run(schema, run, plan, picture, changes, lossy)
  local lost, unfit = losses(run, picture, changes), misfits(run, picture, changes)
  if #unfit > 0 then refuse(picture, "%s", unfit, "change these rows first; nothing was changed") end
  if #lost > 0 and not lossy then
    refuse(picture, "%s, which would be lost", lost, "{ apply = true, lossy = true } drops them")
  end
  if #changes == 0 then return end
  local engine = Engine.of(run.handle)
  schema:table(plan.table, function(t)
    for _, change in ipairs(changes) do SAY[change.kind](t, change, plan, engine) end
  end)
  local left = Diff.of(M.picture_of(run, plan.table), Load.picture(run, plan))
  if #left > 0 then unsupported(left[1], "schema:table(name, fn) says it in other words") end
end

--- The picture of a table that is there.
---@param run rille.SchemaRunner
---@param name string
---@return rille.Picture
function M.picture_of(run, name)
  return Engine.of(run.handle).picture(run, name)
end

return M
