--- relation.pivot: writes the rows of the table between two models: attach, detach, sync and their like.
local core = require "rille.core"
local clock = require "rille.clock"
local Error = require "rille.error"
local Link = require "rille.relation.link"
local Scope = require "rille.scope"
local Undo = require "rille.record.undo"
local innermost = require "rille.transaction".innermost

local value_of, relate, is_record = core.record_value, core.record_relate, core.is_record
local M = {}

---@class rille.PivotEntry
---@field key any[]        the values of the columns that refer to the related record
---@field id any           the same as one value, or the list
---@field columns table    what else the row shall hold

--- A query of all rows of a model that the tenant has, whatever scopes hide.
local function every(class)
  local query = class:query()
  for _, name in ipairs(class._def.global_scope_names) do query = query:without_global_scope(name) end
  return class._def.soft_deletes and query:with_trashed() or query
end

--- Rows of the middle that lead to rows of the current tenant: where only the related rows say whose they are.
local function of_tenant(link, query)
  local related, far, middle = link.related, link.far, link.middle
  if not related._def.guard or require "rille.guard".of(link.handle, middle.table) then return query end
  if #far == 1 then return query:where_in(middle.far[1], every(related):select(far[1])) end
  local own = every(related)
  for i, column in ipairs(far) do
    own = own:where_column(related._def.table .. "." .. column, middle.table .. "." .. middle.far[i])
  end
  return query:where_exists(own)
end

--- The rows of the table in the middle that belong to the record, as the relation reads them.
local function rows_of(link, record)
  local middle = link.middle
  local query = Scope.put_on(require "rille.query".for_table(link.handle, middle.table),
    Scope.model_of(link.related._def.root, "relation " .. link.name, middle.table))
  for i, column in ipairs(middle.near) do query = query:where(column, value_of(record, link.near[i])) end
  if next(middle.fixed) then query = query:where(middle.fixed) end
  return of_tenant(link, query)
end

local function with_key(link, query, key)
  for i, column in ipairs(link.middle.far) do query = query:where(column, key[i]) end
  return query
end

--- Is it a column of the middle that the relation itself fills?
local function is_key(link, name)
  local middle = link.middle
  if middle.fixed[name] then return true end
  for _, columns in ipairs { middle.near, middle.far } do
    for _, column in ipairs(columns) do
      if column == name then return true end
    end
  end
  return false
end

--- Columns that a caller may give a row of the middle.
local function check_columns(link, word, columns)
  for name in next, columns do
    if is_key(link, name) then
      Link.fail(link, "invalid_argument", ("%s: %s.%s is filled by the relation, and cannot be given"):format(word,
        link.middle.table, name))
    elseif not link.middle.has[name] then
      Error.unknown("no_such_column", "column", name, require "rille.keys"(link.middle.has), link.middle.table, {
        table = link.middle.table, column = name,
      })
    end
  end
  return columns
end

local function entry_of(link, word, item, columns)
  local key = {}
  if is_record(item) then
    if item._class ~= link.related then
      Link.fail(link, "invalid_argument", ("%s wants a %s, got a %s"):format(word, link.related._def.name,
        item._class._def.name))
    elseif not core.record_exists(item) then
      Link.fail(link, "invalid_argument", ("%s: a %s has not been saved, so nothing can refer to it"):format(word,
        link.related._def.name), { hint = "save it first" })
    end
    for i, column in ipairs(link.far) do key[i] = value_of(item, column) end
  elseif #link.far > 1 then
    Link.fail(link, "invalid_argument", word .. ": a composite key is given as a record")
  elseif item == nil or item == core.null or type(item) == "table" or type(item) == "boolean" then
    Link.fail(link, "invalid_argument", ("%s wants an id, a record, or { id, column = value }, got %s"):format(word,
      Error.show(item)))
  else
    key[1] = math.tointeger(item) or item              -- 3.0 is 3
  end
  columns = check_columns(link, word, columns or {})
  return { key = key, id = #key == 1 and key[1] or key, columns = columns }
end

--- { 3, position = 1 } -> 3, { position = 1 }
local function split(item)
  if type(item) ~= "table" or is_record(item) then return item, nil end
  local columns = {}
  for name, value in next, item do
    if type(name) == "string" then columns[name] = value end
  end
  return item[1], columns
end

local function has_names(list)
  for name in next, list do
    if type(name) == "string" then return true end
  end
  return false
end

--- What tells entries apart, as the database compares their keys.
local function name_of(link, entry)
  local parts, folds = {}, Link.folds_of_related(link)
  for i, value in ipairs(entry.key) do
    parts[i] = folds[i] and type(value) == "string" and folds[i](value) or tostring(value)
  end
  return table.concat(parts, "\0")
end

--- Which of the keys are those of rows that the tenant has: a set of their names.
local function known_of(link, entries)
  local query, known = every(link.related), {}
  if #link.far == 1 then
    local keys = {}
    for i, entry in ipairs(entries) do keys[i] = entry.key[1] end
    query = query:where_in(link.far[1], keys)
  else
    query = query:where(function(any)
      for _, entry in ipairs(entries) do
        any = any:or_where(function(one)
          for i, column in ipairs(link.far) do one = one:where(column, entry.key[i]) end
          return one
        end)
      end
      return any
    end)
  end
  for _, row in ipairs(query:select(link.far):plain():all()) do
    local key = {}
    for i, column in ipairs(link.far) do key[i] = row[column] end
    known[name_of(link, { key = key })] = true
  end
  return known
end

--- What is attached must be the current tenant's, where the related rows belong to tenants.
local function check_tenant(link, word, entries)
  if not link.related._def.guard or #entries == 0 then return end
  local known = known_of(link, entries)
  for _, entry in ipairs(entries) do
    local name = name_of(link, entry)
    if not known[name] then
      Link.fail(link, "tenant_mismatch", ("%s: there is no %s %s of the current tenant"):format(word,
        link.related._def.name, Error.quote((name:gsub("%z", ", ")))))
    end
  end
end

--- What is said of one row twice holds together, unless it differs: the row cannot hold both.  The later form of its
--- key counts.
local function merge(link, word, entry, again)
  for name, value in next, again.columns do
    local before = entry.columns[name]
    if before ~= nil and before ~= value then
      Link.fail(link, "invalid_argument", ("%s: %s is in the list twice, with %s = %s and %s"):format(word,
        Error.show(entry.id), name, Error.show(before), Error.show(value)), { column = name })
    end
    entry.columns[name] = value
  end
  entry.key, entry.id = again.key, again.id
end

--- An id, a record, one with columns of the pivot, or a list of these -> entries, each key once.
---@return rille.PivotEntry[]
local function entries_of(link, word, list)
  if list == nil then Error.argument(word, "an id, a record or a list of them", nil) end
  if type(list) ~= "table" or is_record(list) or has_names(list) then list = { list } end
  local entries, seen, count = {}, {}, rawlen(list)
  for key in next, list do
    if math.type(key) ~= "integer" or key < 1 or key > count then
      Error.argument(word, "a list without holes", key)
    end
  end
  for i = 1, count do
    local entry = entry_of(link, word, split(list[i]))
    local name = name_of(link, entry)
    if seen[name] then
      merge(link, word, entries[seen[name]], entry)
    else
      entries[#entries + 1], seen[name] = entry, #entries + 1
    end
  end
  return entries, seen
end

local function new_row(link, record, entry, now)
  local middle, row = link.middle, {}
  for name, value in next, entry.columns do row[name] = value end
  for i, column in ipairs(middle.near) do row[column] = value_of(record, link.near[i]) end
  for i, column in ipairs(middle.far) do row[column] = entry.key[i] end
  for column, value in next, middle.fixed do row[column] = value end
  if middle.stamped then row.created_at, row.updated_at = now, now end
  return row
end

local function insert(link, record, entries)
  if #entries == 0 then return 0 end
  local rows, now = {}, clock.now()
  for i, entry in ipairs(entries) do rows[i] = new_row(link, record, entry, now) end
  return Error.must(require "rille.query".for_table(link.handle, link.middle.table):insert(rows))
end

local function ids(entries)
  local list = {}
  for i, entry in ipairs(entries) do list[i] = entry.id end
  return list
end

--- The rows of the relation are others now: it is read anew, and once more when the transaction is taken back.
---@param link rille.Link
---@param record rille.Record
function M.changed(link, record)
  relate(record, link.name, nil)
  local level = innermost(link.handle)
  if level then Undo.related(level, record, link.name) end
end

--- Run in one transaction; afterwards the relation is read anew.
local function atomic(link, record, fn)
  local function finish(...)
    M.changed(link, record)
    return ...
  end
  return finish(link.handle:transaction(fn))
end

--- Relate to these, too.
---@param columns? table  of the pivot, for all of them
---@return integer rows
function M.attach(link, record, list, columns)
  local entries = entries_of(link, "attach", list)
  check_tenant(link, "attach", entries)
  if columns ~= nil then
    if type(columns) ~= "table" then Error.argument("attach", "a table of column = value for the pivot", columns) end
    for _, entry in ipairs(entries) do
      local all = {}
      for name, value in next, columns do all[name] = value end
      for name, value in next, entry.columns do all[name] = value end
      entry.columns = check_columns(link, "attach", all)
    end
  end
  return atomic(link, record, function() return insert(link, record, entries) end)
end

--- Relate each of several records to others, with one insert; the caller's transaction is around it.
---@param link rille.Link
---@param wanted { [1]: rille.Record, [2]: table }[]  a record, and what `attach` takes
function M.attach_each(link, wanted)
  local rows, now = {}, core.now()
  for _, pair in ipairs(wanted) do
    local entries = entries_of(link, "attach", pair[2])
    check_tenant(link, "attach", entries)
    for _, entry in ipairs(entries) do
      rows[#rows + 1] = new_row(link, pair[1], entry, now)
    end
  end
  Error.must(require "rille.query".for_table(link.handle, link.middle.table):insert(rows))
  for _, pair in ipairs(wanted) do M.changed(link, pair[1]) end
end

--- Relate to these no longer, or to none.
---@return integer rows
function M.detach(link, record, ...)
  local list = ...
  if select("#", ...) == 0 then
    return atomic(link, record, function() return rows_of(link, record):delete() end)
  end
  local entries = entries_of(link, "detach", list)
  return atomic(link, record, function()
    local count = 0
    for _, entry in ipairs(entries) do count = count + with_key(link, rows_of(link, record), entry.key):delete() end
    return count
  end)
end

--- The entries that are there, by name.
local function present(link, record)
  local found = {}
  for _, row in ipairs(rows_of(link, record):all()) do
    local key = {}
    for i, column in ipairs(link.middle.far) do key[i] = row[column] end
    local entry = { key = key, id = #key == 1 and key[1] or key, row = row }
    local name = name_of(link, entry)
    if not found[name] then found[#found + 1] = entry end
    found[name] = found[name] or entry
  end
  return found
end

local function change(link, record, entry)
  local columns = {}
  for name, value in next, entry.columns do columns[name] = value end
  if next(columns) == nil then return 0 end
  if link.middle.stamped then columns.updated_at = clock.now() end
  return Error.must(with_key(link, rows_of(link, record), entry.key):update(columns))
end

local function differs(entry, row)
  for name, value in next, entry.columns do
    if value == core.null then value = nil end
    if row[name] ~= value then return true end
  end
  return false
end

--- Relate to exactly these.
---@return { attached: any[], detached: any[], updated: any[] }  ids
function M.sync(link, record, list)
  local entries, wanted = entries_of(link, "sync", list)
  check_tenant(link, "sync", entries)
  return atomic(link, record, function()
    local there, attached, detached, updated = present(link, record), {}, {}, {}
    for _, entry in ipairs(there) do
      if not wanted[name_of(link, entry)] then
        with_key(link, rows_of(link, record), entry.key):delete()
        detached[#detached + 1] = entry
      end
    end
    for _, entry in ipairs(entries) do
      local before = there[name_of(link, entry)]
      if not before then
        attached[#attached + 1] = entry
      elseif differs(entry, before.row) then
        change(link, record, entry)
        updated[#updated + 1] = entry
      end
    end
    insert(link, record, attached)
    return { attached = ids(attached), detached = ids(detached), updated = ids(updated) }
  end)
end

--- Relate to those that were not related, and no longer to those that were.
---@return { attached: any[], detached: any[] }  ids
function M.toggle(link, record, list)
  local entries = entries_of(link, "toggle", list)
  check_tenant(link, "toggle", entries)
  return atomic(link, record, function()
    local there, attached, detached = present(link, record), {}, {}
    for _, entry in ipairs(entries) do
      if there[name_of(link, entry)] then
        with_key(link, rows_of(link, record), entry.key):delete()
        detached[#detached + 1] = entry
      else
        attached[#attached + 1] = entry
      end
    end
    insert(link, record, attached)
    return { attached = ids(attached), detached = ids(detached) }
  end)
end

--- Change columns of the pivot to one related record; 0 when it is not related.
---@return integer rows
function M.update_existing_pivot(link, record, id, columns)
  if type(columns) ~= "table" or next(columns) == nil then
    Error.argument("update_existing_pivot", "a table of column = value", columns)
  end
  local entry = entry_of(link, "update_existing_pivot", id, columns)
  return atomic(link, record, function() return change(link, record, entry) end)
end

--- Save a record and attach it, or neither.
---@return rille.Record|nil
---@return rille.Error? err
function M.with_new(link, record, other, columns)
  local tx <close> = link.handle:begin()
  local saved, err = other:save()
  if not saved then return nil, err end
  M.attach(link, record, other, columns)
  tx:commit()
  return saved
end

return M
