--- rows: the words of a handle about rows of a named table, each a thin one over handle:table(name).
-- A handle finds its methods here when the first of them is used.  Where nothing was said, nothing is meant: a `where`
-- that is nil or empty is refused.
local core = require "rille.core"
local Error = require "rille.error"

---@class rille.WriteOptions
---@field skip_mirror? boolean  the change is not mirrored, but counted as skipped

---@class rille.Handle
local Rows = {}

local SELECT_OPTIONS = { "limit", "offset", "order_by", "columns" }
local WRITE_OPTIONS = { "skip_mirror" }

--- The query of the rows that a condition means.  Raises `kind` when it says nothing.
local function matching(self, word, name, where, kind)
  local query = self:table(name)
  if type(where) == "function" then return query:where(where) end
  if where ~= nil and type(where) ~= "table" then
    Error.argument(word, "a table of column = value, or a function of the query", where)
  end
  if where == nil or next(where) == nil then
    Error.raise(kind, ("%s: the condition is %s"):format(word, where == nil and "nil" or "empty"), {
      table = name, hint = ('db:table("%s"):unfiltered() means every row'):format(name),
    })
  end
  return query:where(where)
end

local function check_row(word, row)
  if type(row) ~= "table" then Error.argument(word, "a table of column = value", row) end
end

local function check_list(word, list)
  if type(list) ~= "table" then Error.argument(word, "a list", list) end
  local count = 0
  for _ in next, list do count = count + 1 end
  for i = 1, count do
    if list[i] == nil then Error.argument(word, "a list without holes", list) end
  end
end

--- The same word without the options that stand behind its arguments, done as they say.
local function with_options(self, word, options, ...)
  Error.options(word, options, WRITE_OPTIONS)
  if options.skip_mirror == nil then return self[word](self, ...) end
  return require "rille.mirror".skipping(self, options, self[word], self, ...)
end

--- The columns of the primary key, or an error.
local function primary_of(self, word, name)
  local known = self:describe(name)
  if not known then Error.unknown("no_such_table", "table", name, self:tables(), nil, { table = name }) end
  if #known.primary == 0 then
    Error.raise("invalid_argument", ("%s: the table %s has no primary key"):format(word, name), { table = name })
  end
  return known.primary
end

--- The same where there may be none of either: the insert says so.
local function primary_of_any(self, name)
  local known = self:describe(name)
  return known and known.primary or {}
end

--- The condition for a key: one value, or a list of them for a composite key.
---@param name string
---@param key any
---@return table<string, any> where
function Rows:key_of(name, key)
  local primary = primary_of(self, "key_of", name)
  local values = type(key) == "table" and key or { key }
  local where = {}
  for i, column in ipairs(primary) do where[column] = values[i] end
  if #values ~= #primary or key == nil then
    Error.argument("key_of", ("%d value%s (%s)"):format(#primary, #primary == 1 and "" or "s",
      table.concat(primary, ", ")), key)
  end
  return where
end

--- Add a row and read it back, with what the database filled in.
---@param name string
---@param row table<string, any>
---@param options? rille.WriteOptions
---@return table? row
---@return rille.Error? err  of the kind validation: what the JSON Schema that made the table does not allow
function Rows:create(name, row, options)
  if options ~= nil then return with_options(self, "create", options, name, row) end
  check_row("create", row)
  return self:transaction(function()
    local primary, where = primary_of_any(self, name), {}
    for _, column in ipairs(primary) do
      if row[column] == nil or row[column] == core.null then where = nil break end
      where[column] = row[column]
    end
    if not where or not next(where) then return self:engine().insert_and_read(self, name, row) end
    local count, invalid = self:table(name):insert { row }
    if not count then return nil, invalid end
    return self:table(name):where(where):first()
  end)
end

--- Add one row or a list of rows.
---@param name string
---@param rows table  column = value, or a list of such tables
---@param options? rille.WriteOptions
---@return integer? rows
---@return rille.Error? err  as of create
function Rows:insert(name, rows, options)
  if options ~= nil then return with_options(self, "insert", options, name, rows) end
  check_row("insert", rows)
  return self:table(name):insert(rows)
end

--- The row with that primary key.
---@param name string
---@param ... any  the key; several values when it is composite
---@return table? row
function Rows:find_by_id(name, ...)
  return self:table(name):find(...)
end

--- The rows that fit; every row when no condition is written at all: `db:select("users")`.
---@param name string
---@param where? table|function  column = value, or a function of the query
---@param options? { limit: integer?, offset: integer?, order_by: string|table?, columns: string[]? }
---@return rille.List
function Rows:select(name, ...)
  local count, where, options = select("#", ...), ...
  options = Error.options("select", options, SELECT_OPTIONS)
  local query = (count == 0 or count == 2 and where == nil) and self:table(name)
    or matching(self, "select", name, where, "invalid_argument")
  if options.columns then
    check_list("select.columns", options.columns)
    query = query:select(table.unpack(options.columns))
  end
  local order = options.order_by
  if type(order) == "string" then
    query = query:order_by(order)
  elseif order ~= nil then
    check_list("select.order_by", order)
    query = query:order_by(table.unpack(order))
  end
  if options.limit ~= nil then query = query:limit(options.limit) end
  if options.offset ~= nil then query = query:offset(options.offset) end
  return query:all()
end

--- Change the rows that fit.
---@param name string
---@param where table|function
---@param changes table<string, any>
---@param options? rille.WriteOptions
---@return integer? rows
---@return rille.Error? err  as of create
function Rows:update(name, where, changes, options)
  if options ~= nil then return with_options(self, "update", options, name, where, changes) end
  check_row("update", changes)
  return matching(self, "update", name, where, "unsafe_mutation"):update(changes)
end

--- Delete the rows that fit.
---@param name string
---@param where table|function
---@param options? rille.WriteOptions
---@return integer rows
function Rows:delete(name, where, options)
  if options ~= nil then return with_options(self, "delete", options, name, where) end
  return matching(self, "delete", name, where, "unsafe_mutation"):delete()
end

--- The same as delete.
Rows.remove = Rows.delete

--- Add many rows, all or none.
---@param name string
---@param rows table<string, any>[]
---@param options? rille.WriteOptions
---@return integer? rows
---@return rille.Error? err  as of create
function Rows:bulk_insert(name, rows, options)
  if options ~= nil then return with_options(self, "bulk_insert", options, name, rows) end
  check_list("bulk_insert", rows)
  return self:transaction(function() return self:table(name):insert(rows) end)
end

--- Do one thing for each element of a list, all or none; the sum of what it gives.
local function for_each(self, word, list, fn)
  check_list(word, list)
  return Error.expected("validation", self.transaction, self, function()
    local total = 0
    for i, element in ipairs(list) do total = total + Error.must(fn(element, ("%s: element %d"):format(word, i))) end
    return total
  end)
end

--- Change many sets of rows, all or none.
---@param name string
---@param changes { where: table|function, data: table<string, any> }[]
---@param options? rille.WriteOptions
---@return integer? rows
---@return rille.Error? err  as of create
function Rows:bulk_update(name, changes, options)
  if options ~= nil then return with_options(self, "bulk_update", options, name, changes) end
  return for_each(self, "bulk_update", changes, function(change, place)
    check_row(place, change)
    Error.options(place, change, { "where", "data" })
    check_row(place .. ".data", change.data)
    return matching(self, place, name, change.where, "unsafe_mutation"):update(change.data)
  end)
end

--- Delete many sets of rows, all or none.
---@param name string
---@param conditions (table|function)[]
---@param options? rille.WriteOptions
---@return integer rows
function Rows:bulk_delete(name, conditions, options)
  if options ~= nil then return with_options(self, "bulk_delete", options, name, conditions) end
  return for_each(self, "bulk_delete", conditions, function(where, place)
    return matching(self, place, name, where, "unsafe_mutation"):delete()
  end)
end

return Rows
