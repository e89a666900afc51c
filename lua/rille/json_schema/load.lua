--- load: a kept JSON Schema and its table -> what holds for the rows of the table.
-- A rule holds while its column is what the schema made of it; one that a migration changed is the migration's.
local Cast = require "rille.cast"
local Diff = require "rille.schema.diff"
local Engine = require "rille.schema.engine"
local Json = require "rille.json"

local M = {}

--- A runner that nobody who listens to statements hears: nobody asked for what it reads.
local function quiet_runner(handle)
  local db = handle:_connect()
  return require "rille.schema.runner".new {
    driver = handle.driver, _query = function(_, sql, ...)
      local text, params = require "rille.sql".placeholders("query", handle.driver, sql, ...)
      return (db:query(text, params))
    end,
  }
end

--- What a schema would make.
---@param run rille.SchemaRunner
---@param plan rille.SchemaPlan
---@return rille.Picture
function M.picture(run, plan)
  local engine = Engine.of(run.handle)
  local blueprint = require "rille.schema.table".describe(plan.table, require "rille.json_schema.words".all(plan,
    engine))
  return engine.pictures_of(run, { blueprint })[plan.table]
end

--- Columns that are what the schema made of them, and whether all else is, too.
local function compare(handle, plan, made)
  local run = quiet_runner(handle)
  local wanted = made and Json.decode(made) or M.picture(run, plan)
  local found = Engine.of(handle).picture(run, plan.table)
  local same = {}
  for _, column in ipairs(wanted.columns) do
    for _, other in ipairs(found.columns) do
      if column.name == other.name then same[column.name] = Diff.column(other, column) == nil end
    end
  end
  return same, #Diff.of(found, wanted) == 0
end

local function json_cast(plan, column)
  local cast = Cast.resolve(plan.table .. "." .. column.name, "json")
  local only_object = column.kinds.object and not next(column.kinds, next(column.kinds))
  if not only_object then return cast end
  local dump = cast.dump
  return { load = cast.load, text = cast.text, dump = function(value)
    if type(value) == "table" and getmetatable(value) == nil and next(value) == nil then value = Json.object() end
    return dump(value)
  end }
end

--- The test of a value as it is stored: JSON is a text there.
local function stored_test(column)
  local test, is_json = column.test, column.word == "json"
  return function(stored)
    if is_json then
      local ok, decoded = pcall(Json.decode, stored)
      if not ok then return "must be JSON" end
      stored = decoded
    end
    local message, path = test(stored)
    if message and path and path ~= "" then message = ("at %s %s"):format(path, message) end
    return message
  end
end

--- Column -> how it is unique, as `validates` says it; of several columns the first tells.
local function unique_of(plan)
  local found = {}
  for _, index in ipairs(plan.indexes) do
    local first = index.columns[1][1]
    if index.unique and not index.where and not found[first] then
      local within = {}
      for i = 2, #index.columns do within[i - 1] = index.columns[i][1] end
      found[first] = #within == 0 or { within = within }
    end
  end
  return found
end

--- Read what is kept of a table, and compare it with the table.
---@param handle rille.Handle
---@param name string
---@param text string   the schema
---@param made? string  what it made, where that is kept, too
---@return rille.Kept
function M.kept(handle, name, text, made)
  local plan = require "rille.json_schema.read".read(text, name, { raw = true })
  local same, whole = compare(handle, plan, made)
  local kept = { handle = handle, table = name, plan = plan, columns = {}, by_name = {}, whole = whole }
  local unique = whole and unique_of(plan) or {}
  for _, column in ipairs(plan.columns) do
    if same[column.name] then
      -- SQLite itself fills in a key that is an integer.
      local numbered = column.auto or column.primary and #plan.primary == 1 and column.word == "integer"
      local each = {
        name = column.name, json = column.word == "json", not_null = not column.nullable and not numbered,
        required = (column.required or column.primary and not numbered or false) and not column.has_default
          and not column.auto,
        test = stored_test(column), unique = unique[column.name], references = column.references ~= nil or nil,
      }
      kept.columns[#kept.columns + 1], kept.by_name[each.name] = each, each
      if each.json then
        kept.casts = kept.casts or {}
        kept.casts[each.name] = json_cast(plan, column)
      end
    end
  end
  return kept
end

return M
