--- query.write: inserts, updates and deletes by query.  They know no single record, so they run no hooks and none of
-- the rules of `validates`; the constraints of the database hold for them as for all.
local core = require "rille.core"
local clock = require "rille.clock"
local Cast = require "rille.cast"
local Error = require "rille.error"
local Root = require "rille.query.root"
local Run = require "rille.query.run"
local Scope = require "rille.scope"
local Unique = require "rille.schema.unique"
local fetch = require "rille.fetch"
local Kept = require "rille.json_schema.kept"

local M = {}

-- -- rows -----------------------------------------------------------------------------------------------------------

--- One row or a list of rows -> a list without holes or other keys.
local function list_of(word, rows)
  if type(rows) ~= "table" then Error.argument(word, "a row or a list of rows", rows) end
  if next(rows) == nil then return rows end
  local count = rawlen(rows)
  if count == 0 and math.type((next(rows))) ~= "integer" then return { rows } end
  for key in next, rows do
    if math.type(key) ~= "integer" or key < 1 or key > count then
      Error.argument(word, "a list of rows without holes or names", key)
    end
  end
  return rows
end

--- Rows with the values that casts of Lua keep.
local function dumped(root, rows)
  local casts = root.casts
  if not casts then return rows end
  local out = {}
  for i = 1, #rows do
    local row, copy = rows[i], {}
    if type(row) ~= "table" then return rows end           -- the core says which one it is
    for name, value in next, row do
      if casts[name] then value = Cast.dump(casts[name], value) end
      copy[name] = value
    end
    out[i] = copy
  end
  return out
end

--- The column that counts the changes of a row, where its model locks by one.
local function lock_of(root) return root.lock_column or root.class and root.class._def.lock_column end

--- What rows that leave it out get: created_at, updated_at, and the first value of a lock without a default.
local function stamps(root)
  local info, lock = root.info, lock_of(root)
  if lock and info.has[lock].default then lock = nil end
  if not info or not (info.created_at or info.updated_at or lock) then return nil end
  local now, fill = clock.now(), {}
  if info.created_at then fill[info.created_at] = now end
  if info.updated_at then fill[info.updated_at] = now end
  if lock then fill[lock] = 1 end
  return fill
end

local function refuse_clauses(query, word)
  if query[2] then
    Error.raise("invalid_argument", word .. ": rows are inserted into a table, not into a query with conditions", {
      hint = "call it on the model or on db:table(name)",
    })
  end
end

--- Send rows as they are stored; of a table that was made from a JSON Schema only those that it allows.
---@return integer? rows
---@return rille.Error? err
local function write_rows(root, rows, conflict)
  local fill, kept = stamps(root), root.kept
  if not kept then return (fetch.write(root.handle, root.class, "insert", root[1], rows, fill, conflict)) end
  return Kept.write(kept, Kept.check_rows(kept, rows, fill), function()
    return (fetch.write(root.handle, root.class, "insert", root[1], rows, fill, conflict))
  end)
end

local function insert(query, word, rows, conflict)
  refuse_clauses(query, word)
  local root = Root.ready(query)
  local list = list_of(word, rows)
  if #list == 0 then return 0 end
  return write_rows(root, dumped(root, list), conflict)
end

--- Insert a row or a list of rows, all or none.  Each stands for itself: a key that is missing takes the column's
--- default.
---@return integer? rows
---@return rille.Error? err  of the kind validation: what the JSON Schema that made the table does not allow
function M.insert(query, rows) return insert(query, "insert", rows) end

--- The same for one row; `into` gets the values of columns that the database may have made.
---@param columns string[]
---@param into table<string, any>
---@return integer? rows
---@return rille.Error? err
function M.insert_returning(query, rows, columns, into)
  return insert(query, "insert", rows, { returning = columns, into = into })
end

--- The same; rows that a unique constraint refuses are left out, other errors are raised.
---@return integer? rows  that were inserted
---@return rille.Error? err
function M.insert_or_ignore(query, rows) return insert(query, "insert_or_ignore", rows, { ignore = true }) end

local function names_of(word, given, what)
  local list = type(given) == "string" and { given } or given
  if type(list) ~= "table" then Error.argument(word, what, given) end
  for _, name in ipairs(list) do
    if type(name) ~= "string" then Error.argument(word, what, name) end
  end
  return list
end

--- The columns that a row gives, but those of the key and created_at, in order.
local function columns_to_update(root, row, by)
  local leave, names = {}, {}
  for _, name in ipairs(by) do leave[name] = true end
  if root.info and root.info.created_at then leave[root.info.created_at] = true end
  for name in next, row do
    if type(name) == "string" and not leave[name] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Rows in a row that are to update the same columns: a list of { rows, names }.  A row does not touch what it leaves
--- out.
local function by_columns(root, rows, by)
  local groups, last, last_key = {}, nil, nil
  for i = 1, #rows do
    if type(rows[i]) ~= "table" then Error.argument("upsert", "a table for each row", rows[i]) end
    local names = columns_to_update(root, rows[i], by)
    local key = table.concat(names, "\0")
    if key ~= last_key then
      last, last_key = { rows = {}, names = names }, key
      groups[#groups + 1] = last
    end
    last.rows[#last.rows + 1] = rows[i]
  end
  return groups
end

local function no_unique_index(root, table_name, by, description)
  for _, column in ipairs(by) do
    if not root[1]:type(column) then
      Error.unknown("no_such_column", "column", column, root[1]:names(), table_name, { table = table_name,
        column = column })
    end
  end
  local columns, known = table.concat(by, ", "), Unique.names(description)
  Error.raise("invalid_argument", ("upsert: %s has no unique index on (%s), which could say that a row is there")
    :format(table_name, columns), {
    table = table_name, column = #by == 1 and columns or nil,
    hint = ('t:unique { "%s" } in a migration makes one%s'):format(table.concat(by, '", "'),
      #known > 0 and "; there are those on (" .. table.concat(known, "), (") .. ")" or ""),
  })
end

--- The unique index that an upsert means by these columns; where rows belong to tenants, it may begin with theirs.
local function index_of(root, by, description)
  local index = Unique.index(description, by)
  if index then return index, by end
  local class = root.class
  local guard = class and class._def.guard or not class and require "rille.guard".of(root.handle, root.table)
  local whole = guard and table.move(by, 1, #by, 2, { guard.column })
  index = whole and Unique.index(description, whole)
  if not index then no_unique_index(root, root[1]:name(), by, description) end
  return index, whole
end

--- By which columns of a unique index an upsert goes, and the condition of that index, which the database wants said
--- again.  Kept with the handle.
---@return { by: string[], where: string? }
local function conflict_of(root, by)
  local handle, name = root.handle, root[1]:name()
  local kept, key = handle.conflicts, name .. "\0" .. table.concat(by, "\0")
  if not kept or kept.version ~= handle.version then
    kept = { version = handle.version, of = {} }
    handle.conflicts = kept
  end
  local conflict = kept.of[key]
  if not conflict then
    local index, columns = index_of(root, by, handle:described(name))
    conflict = { by = columns,
      where = index.partial and require "rille.schema.sqlite.definition".condition_of_index(index.sql) or nil }
    kept.of[key] = conflict
  end
  return conflict
end

local function upsert(root, rows, found, names)
  local updated_at, some = root.info and root.info.updated_at, #names > 0
  for _, name in ipairs(names) do
    if name == updated_at then updated_at = nil end
  end
  if some and updated_at then names = table.move(names, 1, #names, 1, { [#names + 1] = updated_at }) end
  local conflict = { by = found.by, where = found.where, update = names, count = some and lock_of(root) or nil }
  return write_rows(root, dumped(root, rows), conflict)
end

--- Insert rows; where a row with the same `unique_by` is there already, update it.
---@param rows table             a row or a list of rows
---@param unique_by string|string[]  columns of a unique index
---@param update? string[]       columns to update; those that the row gives when absent, none when empty
---@return integer? rows
---@return rille.Error? err
function M.upsert(query, rows, unique_by, update)
  refuse_clauses(query, "upsert")
  local root = Root.ready(query)
  local list = list_of("upsert", rows)
  local by = names_of("upsert: unique_by", unique_by, "columns of a unique index")
  if #by == 0 then Error.argument("upsert: unique_by", "columns of a unique index", unique_by) end
  if update ~= nil then update = names_of("upsert: update", update, "columns to update") end
  if #list == 0 then return 0 end
  local found = conflict_of(root, by)
  if update ~= nil then return upsert(root, list, found, update) end
  local groups = by_columns(root, list, found.by)
  if #groups == 1 then return upsert(root, list, found, groups[1].names) end
  return Error.expected("validation", root.handle.transaction, root.handle, function()
    local count = 0
    for _, group in ipairs(groups) do
      count = count + Error.must(upsert(root, group.rows, found, group.names))
    end
    return count
  end)
end

-- -- by query -------------------------------------------------------------------------------------------------------

--- { column = value } -> { { column, value }, … } in the order of the names, with updated_at and the lock's next value.
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
  if updated_at and changes[updated_at] == nil then sets[#sets + 1] = { updated_at, clock.now() } end
  local lock = lock_of(root)
  if lock and changes[lock] == nil then sets[#sets + 1] = { lock, 1, "+" } end
  return sets
end

--- Run an update; of a table that was made from a JSON Schema only one that it allows.
local function run_changes(query, root, sets)
  local kept = root.kept
  if not kept then return Run.write(query, "update", sets) end
  return Kept.write(kept, Kept.check_changes(kept, sets), function() return Run.write(query, "update", sets) end)
end

--- Change the rows of the query.
---@param changes table<string, any>
---@return integer? rows
---@return rille.Error? err  of the kind validation: what the JSON Schema that made the table does not allow
function M.update(query, changes)
  if type(changes) ~= "table" or next(changes) == nil then
    Error.argument("update", "a table of column = value", changes)
  end
  local root = Root.ready(query)
  return run_changes(query, root, assignments(root, "update", changes))
end

-- Types of columns to which something can be added.
local IS_NUMBER = { any = true, integer = true, real = true, decimal = true }

-- What arithmetic in the database fails with says nothing of the place.
local function placed(e, root, column)
  if Error.is(e, "invalid_argument") and e.code and not e.column then
    e.table, e.column = root[1]:name(), column
    e.message = ("%s.%s: %s"):format(e.table, column, e.message)
  end
  return e
end

local function add(query, word, column, by, extra, sign)
  if type(column) ~= "string" then Error.argument(word, "the name of a column", column) end
  if by == nil then by = 1 end
  if extra ~= nil and type(extra) ~= "table" then Error.argument(word, "a table of column = value", extra) end
  if extra and extra[column] ~= nil then
    Error.raise("invalid_argument", ("%s: %q is among the further changes too"):format(word, column),
      { column = column })
  end
  local root = Root.ready(query)
  local kind = root[1]:type(column)
  if kind and not IS_NUMBER[kind] then
    Error.raise("invalid_argument", ("%s: %s.%s holds no number but %s"):format(word, root[1]:name(), column, kind),
      { table = root[1]:name(), column = column })
  end
  if type(by) ~= "number" and not (kind == "decimal" and type(by) == "string") or by ~= by or by == math.huge
    or by == -math.huge then
    Error.argument(word, "a number", by, kind == "decimal" and "a decimal may be given as text too" or nil)
  end
  if column == lock_of(root) then
    Error.raise("invalid_argument", ("%s: %s.%s counts the changes of a row by itself"):format(word, root[1]:name(),
      column), { table = root[1]:name(), column = column })
  end
  local sets = assignments(root, word, extra or {})
  table.insert(sets, 1, { column, by, sign })
  local ok, changed, err = pcall(run_changes, query, root, sets)
  if ok then return changed, err end
  error(placed(changed, root, column), 0)
end

--- Add to a column of each row, in the database.
---@param column string
---@param by? number   1 when absent
---@param extra? table<string, any>  further changes
---@return integer rows
function M.increment(query, column, by, extra) return add(query, "increment", column, by, extra, "+") end

--- Take from it.
function M.decrement(query, column, by, extra) return add(query, "decrement", column, by, extra, "-") end

--- Run an update that the caller called something else, which is what a refusal shall say.
local function said_as(what, fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then return result end
  if Error.is(result, "unsafe_mutation") then result.message = result.message:gsub("^an update", what) end
  Error.again(result)
end

local function soft_column(query) return query[1].class and query[1].class._def.soft_deletes end

--- Delete the rows of the query; a model with soft_deletes marks them instead.
---@return integer rows
function M.delete(query)
  local column = soft_column(query)
  if column then return said_as("a delete", M.update, query, { [column] = clock.now() }) end
  return Run.write(query, "delete")
end

--- Delete the rows of the query for good, soft-deleted ones too; after only_trashed those alone.
---@return integer rows
function M.force_delete(query)
  if soft_column(query) and not Scope.says_trashed(query) then query = query:with_trashed() end
  return Run.write(query, "delete")
end

--- Take the soft deletions of the query's rows back; whoever means every row says unfiltered().
---@return integer rows
function M.restore(query)
  local column = soft_column(query)
  if not column then Error.raise("unsupported", "restore: this model does not delete softly") end
  query = query:with_trashed():sealed(function(q) return q:where_not_null(column) end)
  return said_as("a restore", M.update, query, { [column] = core.null })
end

return M
