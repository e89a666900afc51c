--- kept: what holds for the rows of a table that was made from a JSON Schema: how JSON is read, which values it takes.
-- Every query of a table asks here, so what is only needed where there is such a schema is loaded there (load.lua).
local core = require "rille.core"
local Error = require "rille.error"
local Store = require "rille.json_schema.store"

local null = core.null

local M = {}

---@class rille.KeptColumn
---@field name string
---@field json boolean
---@field required boolean    a new row has to say it
---@field not_null boolean
---@field unique? true|{ within: string[] }
---@field references? true
---@field test fun(stored: any): string?   what is wrong with a value, as the column stores it

---@class rille.Kept
---@field handle rille.Handle
---@field table string
---@field plan rille.SchemaPlan
---@field columns rille.KeptColumn[]        those that are what the schema made of them
---@field by_name table<string, rille.KeptColumn>
---@field casts table<string, rille.Cast>?  of the columns that hold JSON
---@field whole boolean                     all of the table is what the schema made of it

-- Handle -> { version, none = there are no such tables, of = table -> rille.Kept or false }
local known = setmetatable({}, { __mode = "k" })

--- What is kept of a table; nil when it was not made from a JSON Schema.
---@param handle rille.Handle
---@param name string
---@return rille.Kept?
function M.of(handle, name)
  local tables = known[handle]
  if not tables or tables.version ~= handle.version then
    tables = { version = handle.version, of = {}, none = not handle:_connect():describe(Store.TABLE) }
    known[handle] = tables
  end
  if tables.none then return nil end
  local kept = tables.of[name]
  if kept == nil then
    local text, made = Store.read(handle, name)
    kept = text and require "rille.json_schema.load".kept(handle, name, text, made) or false
    tables.of[name] = kept
  end
  return kept or nil
end

-- -- rows ------------------------------------------------------------------------------------------------------------

local function add(failures, column, rule, message, value)
  failures = failures or {}
  failures[#failures + 1] = { field = column, rule = rule, message = message, value = value }
  return failures
end

local function judge(failures, column, value)
  if value == nil then return failures end
  if value == null then
    return column.not_null and add(failures, column.name, "required", "must be given", nil) or failures
  end
  local message = column.test(value)
  return message and add(failures, column.name, "json_schema", message, value) or failures
end

--- The error value of failures.
---@param kept rille.Kept
---@param failures table[]
---@param index? integer  which of several rows
---@return rille.Error
local function error_of(kept, failures, index)
  local fields, sentences = {}, {}
  for i, failure in ipairs(failures) do
    fields[failure.field] = fields[failure.field] or {}
    table.insert(fields[failure.field], failure.message)
    sentences[i] = failure.field .. " " .. failure.message
  end
  local which = index and ("row %d of %s"):format(index, kept.table) or ("this row of %s"):format(kept.table)
  return Error.new("validation", ("%s is not valid: %s"):format(which, table.concat(sentences, "; ")), {
    table = kept.table, fields = fields, failures = failures, index = index,
  })
end

--- Judge rows that are to be inserted, as they will be stored.
---@param kept rille.Kept
---@param rows table[]
---@param fill? table  columns that are filled in
---@return rille.Error?
function M.check_rows(kept, rows, fill)
  for i, row in ipairs(rows) do
    if type(row) ~= "table" then return nil end             -- the core says which one it is
    local failures
    for _, column in ipairs(kept.columns) do
      local value = row[column.name]
      if value == nil and column.required and not (fill and fill[column.name]) then
        failures = add(failures, column.name, "required", "must be given", nil)
      else
        failures = judge(failures, column, value)
      end
    end
    if failures then return error_of(kept, failures, #rows > 1 and i or nil) end
  end
end

--- Judge changes: a list of { column, value, sign }, where a sign stands for arithmetic, which the database judges.
---@param kept rille.Kept
---@param sets table[]
---@return rille.Error?
function M.check_changes(kept, sets)
  local failures
  for _, set in ipairs(sets) do
    local column = kept.by_name[set[1]]
    if column and not set[3] then failures = judge(failures, column, set[2]) end
  end
  return failures and error_of(kept, failures)
end

--- Columns that an error of the database is about, and what it says of them.
local function columns_of(kept, e)
  if e.kind == "unique_violation" then return e.columns or { e.column }, "unique", "is already taken" end
  if e.kind == "not_null_violation" then return { e.column }, "required", "must be given" end
  if e.kind == "foreign_key_violation" then
    return e.columns or { e.column }, "references", "refers to nothing that exists"
  end
  if e.kind ~= "check_violation" or not e.constraint then return {} end
  local Name = require "rille.schema.name"
  for _, column in ipairs(kept.columns) do
    local name = Name.derived(kept.table, { column.name }, "check")
    if e.constraint == name or e.constraint:match "^(.*)_%d+$" == name then
      return { column.name }, "check", "is not valid"
    end
  end
  return {}
end

--- Where a statement that fails would end the transaction around it, it gets a savepoint: what it says is an answer.
local function isolated(handle, write)
  if not handle:engine().fails_whole or not require "rille.transaction".innermost(handle) then return write() end
  local savepoint <close> = handle:begin()
  local result = write()
  savepoint:commit()
  return result
end

--- Write, and tell what the database refuses as validation, where it is about a column.
---@param kept rille.Kept
---@param invalid rille.Error?  what was found before
---@param write fun(): any
---@return any result  nil when it was refused
---@return rille.Error? err
function M.write(kept, invalid, write)
  if invalid then return nil, invalid end
  local ok, result = xpcall(isolated, Error.keep_trace, kept.handle, write)
  if ok then return result end
  if not Error.is(result) or result.table and result.table ~= kept.table then Error.again(result) end
  local columns, rule, message = columns_of(kept, result)
  local failures
  for _, name in ipairs(columns) do
    if kept.by_name[name] then failures = add(failures, name, rule, message, nil) end
  end
  if not failures then Error.again(result) end
  local e = error_of(kept, failures)
  e.constraint, e.code, e.sql = result.constraint, result.code, result.sql
  return nil, e
end

--- Rows as they are read: the texts of JSON columns become values.
---@param kept rille.Kept
---@param rows table[]
---@return table[] rows  the same
function M.load(kept, rows)
  for name, cast in next, kept.casts or {} do
    for i = 1, #rows do
      local stored = rows[i][name]
      if stored ~= nil then rows[i][name] = cast.load(stored) end
    end
  end
  return rows
end

return M
