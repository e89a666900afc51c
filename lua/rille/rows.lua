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
local ALL_OPTIONS = { "limit", "offset", "order_by" }
local ONE_OPTIONS = { "offset", "order_by" }
local WRITE_OPTIONS = { "skip_mirror" }

--- A query of a table or model, with a condition.  Raises `kind` when that says nothing.
local function narrowed(query, word, where, kind)
  local class, name = query[1].class, query[1].table
  if type(where) == "function" then return query:where(where) end
  if where ~= nil and type(where) ~= "table" then
    Error.argument(word, "a table of column = value, or a function of the query", where)
  end
  if where == nil or next(where) == nil then
    Error.raise(kind, ("%s: the condition is %s"):format(word, where == nil and "nil" or "empty"), {
      table = name, hint = ("%s:unfiltered() means every row"):format(class and class._def.name
        or ('db:table("%s")'):format(name)),
    })
  end
  return query:where(where)
end

--- The query of the rows of a table that a condition means.
local function matching(self, word, name, where, kind) return narrowed(self:table(name), word, where, kind) end

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

--- A query in the order, and of the part, that options say.
local function arranged(query, word, options)
  local order = options.order_by
  if type(order) == "string" then
    query = query:order_by(order)
  elseif order ~= nil then
    check_list(word .. ".order_by", order)
    query = query:order_by(table.unpack(order))
  end
  if options.limit ~= nil then query = query:limit(options.limit) end
  if options.offset ~= nil then query = query:offset(options.offset) end
  return query
end

--- The same word without the options that stand behind its arguments, done as they say.
local function with_options(self, word, options, ...)
  Error.options(word, options, WRITE_OPTIONS)
  if options.skip_mirror == nil then return self[word](self, ...) end
  return require "rille.mirror".skipping(self, options, self[word], self, ...)
end

--- The columns of the primary key, or an error.
local function primary_of(self, word, name)
  local known = self:described(name)
  if not known then Error.unknown("no_such_table", "table", name, self:tables(), nil, { table = name }) end
  if #known.primary == 0 then
    Error.raise("invalid_argument", ("%s: the table %s has no primary key"):format(word, name), { table = name })
  end
  return known.primary
end

--- The same where there may be none of either: the insert says so.
local function primary_of_any(self, name)
  local known = self:described(name)
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
---@param rows table  column = value, or a list of such tables; an empty one is a list of no rows: a row of defaults
---  alone is { {} }
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
  return arranged(query, "select", options):all()
end

--- A query of a model with relations, which has to be of this database.
---@param with any  as the model's `with` takes them; `name = true` is the same as the name
---@return rille.Query
local function with_relations(self, word, model, with)
  local Model = require "rille.model"
  local class = type(model) == "string" and require "rille.autoload".model(model) or model
  if not Model.is_class(class) then Error.argument(word, "a model, or the name of one", model) end
  local handle = Model.info(class).handle
  if handle ~= self then
    Error.raise("invalid_argument", ("%s: the model %s is of the connection %q, and this one is %q"):format(word,
      class._def.name, handle.name, self.name), { model = class._def.name })
  end
  if type(with) ~= "table" or getmetatable(with) ~= nil then return class:query():with(with) end
  local wanted, names = {}, {}
  for key, value in next, with do
    if value == true and type(key) == "string" then names[#names + 1] = key else wanted[key] = value end
  end
  return class:query():with(wanted, table.unpack(names))
end

--- The record with that key, and relations of it.
---@param model rille.Model|string
---@param id any    the key; a list of values when it is composite
---@param with any  as the model's `with` takes it: a name, or a table of names and name = function; name = true too
---@return rille.Record?
function Rows:find_by_id_with(model, id, with)
  local query = with_relations(self, "find_by_id_with", model, with)
  if type(id) == "table" then return query:find(table.unpack(id)) end
  return query:find(id)
end

--- The first record that fits, and relations of it.
---@param model rille.Model|string
---@param where table|function  as in select
---@param with any              as in find_by_id_with
---@param options? { order_by: string|table?, offset: integer? }
---@return rille.Record?
function Rows:find_one_with(model, where, with, options)
  options = Error.options("find_one_with", options, ONE_OPTIONS)
  local query = narrowed(with_relations(self, "find_one_with", model, with), "find_one_with", where, "invalid_argument")
  return arranged(query, "find_one_with", options):first()
end

--- The records that fit, and relations of them; every record where the condition is nil.
---@param model rille.Model|string
---@param where? table|function
---@param with any
---@param options? { limit: integer?, offset: integer?, order_by: string|table? }
---@return rille.List
function Rows:find_all_with(model, where, with, options)
  options = Error.options("find_all_with", options, ALL_OPTIONS)
  local query = with_relations(self, "find_all_with", model, with)
  if where ~= nil then query = narrowed(query, "find_all_with", where, "invalid_argument") end
  return arranged(query, "find_all_with", options):all()
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
