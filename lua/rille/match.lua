--- match: a record that fits, or a new one; several new ones: what models and relations share of these.
-- Two at once make one row: the look that decides to create happens inside of a transaction, which SQLite begins with
-- the lock of all writers.  PostgreSQL has no such lock: there a unique constraint is what stops the second one, which
-- then looks again.  A record that is there already is found without a transaction.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

--- Raise unless these are what to look for, and what else a new record gets.
---@param word string
---@param match any
---@param values any
function M.check(word, match, values)
  if type(match) ~= "table" or next(match) == nil then Error.argument(word, "a table to look for", match) end
  if values ~= nil and type(values) ~= "table" then Error.argument(word, "a table of attributes", values) end
end

--- What a new record is made of.
---@param match table
---@param values? table  has the last word
---@return table
function M.merged(match, values)
  local all = {}
  for key, value in next, match do all[key] = value end
  for key, value in next, values or {} do all[key] = value end
  return all
end

--- Does the error say that a row with these values is there already?
local function is_taken(e)
  if Error.is(e, "unique_violation") then return true end
  for _, failure in ipairs(Error.is(e, "validation") and e.failures or {}) do
    if failure.rule == "unique" then return true end
  end
  return false
end

--- What `fn` gives; once more where somebody else made the row in between, and `fn` may find it now.
local function with_second_look(handle, fn)
  if not handle:engine().locks_rows then return handle:transaction(fn) end
  local ok, record, err = pcall(handle.transaction, handle, fn)
  if ok and record or not is_taken(ok and err or record) then
    if not ok then Error.again(record) end
    return record, err
  end
  return handle:transaction(fn)
end

--- The same; where a record in the trash, which `fn` does not see, has the place, the error says so.
---@param trashed? fun(): rille.Record?  finds that one; nil where nothing goes to a trash
local function or_say_where(handle, trashed, fn)
  if not trashed then return with_second_look(handle, fn) end
  local ok, record, err = pcall(with_second_look, handle, fn)
  local refused = ok and err or record
  if ok and record or not is_taken(refused) then
    if not ok then Error.again(record) end
    return record, err
  end
  local looked, gone = pcall(trashed)                      -- in a transaction that failed there is nothing to see
  if looked and gone then
    refused.message = refused.message .. ": the one that fits is in the trash"
    refused.hint = "with_trashed() finds it; restore() brings it back, force_delete() makes room for a new one"
  end
  if not ok then Error.again(refused) end
  return nil, refused
end

--- What `look` finds, or what `create` gives.
---@param handle rille.Handle
---@param look fun(): rille.Record?
---@param create fun(): rille.Record?, rille.Error?
---@param trashed? fun(): rille.Record?
---@return rille.Record|nil
---@return rille.Error? err
function M.first_or_create(handle, look, create, trashed)
  local found = look()
  if found then return found end
  return or_say_where(handle, trashed, function()
    found = look()
    if found then return found end
    return create()
  end)
end

--- What `look` finds, updated, or what `create` gives.
---@param handle rille.Handle
---@param look fun(): rille.Record?
---@param values? table
---@param create fun(): rille.Record?, rille.Error?
---@param trashed? fun(): rille.Record?
---@return rille.Record|nil
---@return rille.Error? err
function M.update_or_create(handle, look, values, create, trashed)
  return or_say_where(handle, trashed, function()
    local found = look()
    if found then return found:update(values or {}) end
    return create()
  end)
end

--- Raise unless it is a list without holes or other keys.
---@param where string
---@param what string  for the message
---@param list any
---@return any[] list
function M.check_list(where, what, list)
  if type(list) ~= "table" or core.is_record(list) then Error.argument(where, what, list) end
  local count = rawlen(list)
  for i in next, list do
    if math.type(i) ~= "integer" or i < 1 or i > count then
      Error.argument(where, what .. " without holes or names", i)
    end
  end
  for i = 1, count do
    if rawget(list, i) == nil then Error.argument(where, what .. " without holes", nil) end
  end
  return list
end

--- A record for each element of a list, all or none.
---@param handle rille.Handle
---@param word string  for the message of the one that was refused
---@param list any[]
---@param save fun(each: any, i: integer): rille.Record?, rille.Error?
---@return rille.List|nil
---@return rille.Error? err  of the first that was refused; its `index` says which one it is
function M.all_or_none(handle, word, list, save)
  local tx <close> = handle:begin()
  local records = {}
  for i, each in ipairs(list) do
    local record, err = save(each, i)
    if not record then
      tx:rollback()
      err.index, err.message = i, ("%s: record %d: %s"):format(word, i, err.message)
      return nil, err
    end
    records[i] = record
  end
  tx:commit()
  return require "rille.list".wrap(records)
end

return M
