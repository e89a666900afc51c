--- repository: rows in and out as plain tables; whoever calls it never sees a model.
local core = require "rille.core"
local Error = require "rille.error"
local List = require "rille.list"
local copy = require "rille.copy"

local M = {}

---@class rille.Repository
local Repository = {}

--- What a model gives, as plain tables: a record, a list, a page of them.  Anything else as it is.
local function plain(value)
  if core.is_record(value) then return value:to_table() end
  if type(value) ~= "table" then return value end
  local meta = getmetatable(value)
  if meta == List then return value:to_table() end
  if meta == nil and getmetatable(value.data) == List then
    return copy(value, { data = value.data:to_table() })
  end
  return value
end

local function plain_all(...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = plain(values[i]) end
  return table.unpack(values, 1, values.n)
end

--- A query of all rows; what it gives is for the repository's own methods, whose results become plain.
---@return rille.Query
function Repository:query() return self._source() end

--- The row with that key; nil when there is none.
---@param ... any  the key; several values when it is composite
---@return table?
function Repository:find(...) return plain(self:query():find(...)) end

--- The first row that fits.
---@param ... any  as query:where takes it
---@return table?
function Repository:find_by(...) return plain(self:query():where(...):first()) end

--- The rows that fit; all without a condition.
---@param ... any  as query:where takes it
---@return table[]
function Repository:all(...)
  local query = self:query()
  if select("#", ...) > 0 then query = query:where(...) end
  return plain(query:all())
end

--- Add a row.
---@param row table
---@return table|nil row  as it is stored
---@return rille.Error? err  when validation or a hook refused it
function Repository:create(row) return plain_all(self._create(row)) end

--- Change the row with that key.
---@param key any  a list of values when it is composite
---@param changes table
---@return table|nil row  as it is stored
---@return rille.Error? err  when validation or a hook refused it
function Repository:update(key, changes) return plain_all(self._update(key, changes)) end

--- Delete the row with that key.
---@param key any  a list of values when it is composite
---@return boolean|nil deleted  false when there was none
---@return rille.Error? err     when a hook refused it
function Repository:delete(key) return self._delete(key) end

--- One value, or the values of a composite key.
local function key_values(key)
  if type(key) == "table" then return table.unpack(key) end
  return key
end

local function missing(what, key)
  return Error.new("not_found", ("%s: there is no row %s"):format(what,
    type(key) == "table" and table.concat(key, ", ") or Error.show(key)))
end

local function of_model(model)
  return {
    _source = function() return model:query() end,
    _create = function(row) return model:create(row) end,
    _update = function(key, changes)
      local record = model:query():find(key_values(key))
      if not record then return nil, missing("update", key) end
      return record:update(changes)
    end,
    _delete = function(key)
      local record = model:query():find(key_values(key))
      if not record then return false end
      return record:delete()
    end,
  }
end

local function of_table(name)
  local function db() return require "rille.database".get() end
  return {
    _source = function() return db():table(name) end,
    _create = function(row) return db():create(name, row) end,
    _update = function(key, changes)
      return db():transaction(function(handle)
        local where = handle:key_of(name, key)
        local count, invalid = handle:update(name, where, changes)
        if not count then return nil, invalid end
        if count == 0 then return nil, missing("update", key) end
        return handle:find_by_id(name, key)
      end)
    end,
    _delete = function(key) return db():delete(name, db():key_of(name, key)) > 0 end,
  }
end

--- A repository of a model or a table, with methods of its own; these get it as `self`.
---@param source rille.Model|string  a class, or the name of a table of the default connection
---@param methods? table<string, function>
---@return rille.Repository
function M.new(source, methods)
  if type(source) ~= "string" and not require "rille.model".is_class(source) then
    Error.argument("repository", "a model or the name of a table", source)
  end
  local self = type(source) == "string" and of_table(source) or of_model(source)
  if methods ~= nil and type(methods) ~= "table" then Error.argument("repository", "a table of methods", methods) end
  for name, fn in next, methods or {} do
    if type(fn) ~= "function" then Error.argument("repository." .. tostring(name), "a function", fn) end
    self[name] = function(...) return plain_all(fn(...)) end
  end
  return setmetatable(self, { __index = Repository, __name = "rille.Repository" })
end

return M
