--- query.write: inserts, updates and deletes by query.  They run no hooks and know no single record.
local core = require "rille.core"
local Cast = require "rille.cast"
local Error = require "rille.error"
local Ends = require "rille.query.ends"
local fetch = require "rille.fetch"

local M = {}

-- -- rows -----------------------------------------------------------------------------------------------------------

--- One row or a list of rows -> a list, and whether it was one.
local function list_of(word, rows)
  if type(rows) ~= "table" then Error.argument(word, "a row or a list of rows", rows) end
  if next(rows) == nil or rows[1] ~= nil then return rows end
  if math.type((next(rows))) == "integer" then Error.argument(word, "a list of rows without holes", rows) end
  return { rows }
end

--- Rows with the values that casts of Lua keep.
local function dumped(root, rows)
  local casts = root.casts
  if not casts then return rows end
  local out = {}
  for i, row in ipairs(rows) do
    local copy = {}
    for name, value in next, row do copy[name] = casts[name] and Cast.dump(casts[name], value) or value end
    out[i] = copy
  end
  return out
end

--- created_at and updated_at for rows that leave them out.
local function stamps(root)
  local info = root.info
  if not info or not (info.created_at or info.updated_at) then return nil end
  local now, fill = core.now(), {}
  if info.created_at then fill[info.created_at] = now end
  if info.updated_at then fill[info.updated_at] = now end
  return fill
end

local function refuse_clauses(query, word)
  if query[2] then
    Error.raise("invalid_argument", word .. ": rows are inserted into a table, not into a query with conditions", {
      hint = "call it on the model or on db:table(name)",
    })
  end
end

local function insert(query, word, rows, conflict)
  refuse_clauses(query, word)
  local root = Ends.ready(query)
  local list = list_of(word, rows)
  if #list == 0 then return 0 end
  return (fetch.call(root.handle, "insert", root[1], dumped(root, list), stamps(root), conflict))
end

--- Insert a row or a list of rows, all or none.  Each stands for itself: a key that is missing takes the column's default.
---@return integer rows
function M.insert(query, rows) return insert(query, "insert", rows) end

--- The same; rows that a unique constraint refuses are left out, other errors are raised.
---@return integer rows  that were inserted
function M.insert_or_ignore(query, rows) return insert(query, "insert_or_ignore", rows, { ignore = true }) end

local function names_of(word, given, what)
  local list = type(given) == "string" and { given } or given
  if type(list) ~= "table" then Error.argument(word, what, given) end
  for _, name in ipairs(list) do
    if type(name) ~= "string" then Error.argument(word, what, name) end
  end
  return list
end

--- Every column that one of the rows gives, but those of the key and created_at.
local function columns_to_update(root, rows, by)
  local leave, set, names = {}, {}, {}
  for _, name in ipairs(by) do leave[name] = true end
  if root.info and root.info.created_at then leave[root.info.created_at] = true end
  for _, row in ipairs(rows) do
    for name in next, row do
      if not leave[name] and not set[name] then
        set[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names, set
end

--- Insert rows; where a row with the same `unique_by` is there already, update it.
---@param rows table             a row or a list of rows
---@param unique_by string|string[]  columns of a unique index
---@param update? string[]       columns to update; all that the rows give when absent, none when empty
---@return integer rows
function M.upsert(query, rows, unique_by, update)
  refuse_clauses(query, "upsert")
  local root = Ends.ready(query)
  local list = list_of("upsert", rows)
  local by = names_of("upsert: unique_by", unique_by, "columns of a unique index")
  if #by == 0 then Error.argument("upsert: unique_by", "columns of a unique index", unique_by) end
  if #list == 0 then return 0 end
  local names, set
  if update == nil then
    names, set = columns_to_update(root, list, by)
  else
    names, set = table.move(names_of("upsert: update", update, "columns to update"), 1, #update, 1, {}), {}
    for _, name in ipairs(names) do set[name] = true end
  end
  local updated_at = root.info and root.info.updated_at
  if #names > 0 and updated_at and not set[updated_at] then names[#names + 1] = updated_at end
  return (fetch.call(root.handle, "insert", root[1], dumped(root, list), stamps(root), { by = by, update = names }))
end

-- -- by query -------------------------------------------------------------------------------------------------------

--- { column = value } -> { { column, value }, … } in the order of the names, with updated_at.
local function assignments(root, word, changes)
  local names, sets, casts = {}, {}, root.casts
  for name in next, changes do
    if type(name) ~= "string" then Error.argument(word, "a table of column = value", changes) end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = changes[name]
    if casts and casts[name] then value = Cast.dump(casts[name], value) end
    sets[i] = { name, value }
  end
  local updated_at = root.info and root.info.updated_at
  if updated_at and changes[updated_at] == nil then sets[#sets + 1] = { updated_at, core.now() } end
  return sets
end

--- Change the rows of the query.
---@param changes table<string, any>
---@return integer rows
function M.update(query, changes)
  if type(changes) ~= "table" or next(changes) == nil then
    Error.argument("update", "a table of column = value", changes)
  end
  return (Ends.run(query, "update", assignments(Ends.ready(query), "update", changes)))
end

local function add(query, word, column, by, extra, sign)
  if type(column) ~= "string" then Error.argument(word, "the name of a column", column) end
  if by == nil then by = 1 end
  if type(by) ~= "number" or by ~= by or by == math.huge or by == -math.huge then Error.argument(word, "a number", by) end
  if extra ~= nil and type(extra) ~= "table" then Error.argument(word, "a table of column = value", extra) end
  local sets = assignments(Ends.ready(query), word, extra or {})
  table.insert(sets, 1, { column, by, sign })
  return (Ends.run(query, "update", sets))
end

--- Add to a column of each row, in the database.
---@param column string
---@param by? number   1 when absent
---@param extra? table<string, any>  further changes
---@return integer rows
function M.increment(query, column, by, extra) return add(query, "increment", column, by, extra, "+") end

--- Take from it.
function M.decrement(query, column, by, extra) return add(query, "decrement", column, by, extra, "-") end

local function soft_column(query) return query[1].class and query[1].class._def.soft_deletes end

--- Delete the rows of the query; a model with soft_deletes marks them instead.
---@return integer rows
function M.delete(query)
  local column = soft_column(query)
  if column then return M.update(query, { [column] = core.now() }) end
  return (Ends.run(query, "delete"))
end

--- Delete the rows of the query for good, soft-deleted ones too.
---@return integer rows
function M.force_delete(query)
  if soft_column(query) then query = query:with_trashed() end
  return (Ends.run(query, "delete"))
end

--- Take soft deletions back.
---@return integer rows
function M.restore(query)
  local column = soft_column(query)
  if not column then Error.raise("unsupported", "restore: this model does not delete softly") end
  return M.update(query:with_trashed():where_not_null(column), { [column] = core.null })
end

return M
