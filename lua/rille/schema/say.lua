--- say: a blueprint as the source text of words: `t:string("title", 200):nullable()`.
local core = require "rille.core"

local M = {}

local STRING_CHARS <const> = 255

local function float_text(value)
  local text = ("%.15g"):format(value)
  if tonumber(text) ~= value then text = ("%.17g"):format(value) end
  return text:find "[.eE]" and text or text .. ".0"
end

local function literal(value)
  if value == core.null then return "rille.null" end
  if math.type(value) == "float" then return float_text(value) end
  if type(value) ~= "string" then return tostring(value) end
  local text = ("%q"):format(value):gsub("\\\n", "\\n")
  if utf8.len(value) then return text end
  return (text:gsub("[\128-\255]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function list(names)
  local out = {}
  for i, name in ipairs(names) do out[i] = literal(name) end
  return "{ " .. table.concat(out, ", ") .. " }"
end

--- Is there an index over just this column, covering all rows, under the name that is made up for it?
---@param blueprint rille.Blueprint
---@param name string
---@param unique boolean
---@return rille.BlueprintIndex?
function M.own_index(blueprint, name, unique)
  for _, index in ipairs(blueprint.indexes) do
    if #index.columns == 1 and index.columns[1][1] == name and not index.columns[1][2] and not index.where
      and not index.trashed and index.unique == unique and not index.named and not index.said then
      return index
    end
  end
end

--- The word itself with its arguments; says whether it is `references`, which makes an index along.
local function word_of(column, blueprint)
  local name, key = column.name, column.references
  if column.word == "id" then return ("t:id(%s)"):format(name ~= "id" and literal(name) or "") end
  local stem = name:match "^(.+)_id$"
  if key and stem and column.type == "integer" and key.column == "id" and not stem:find "_id$"
    and M.own_index(blueprint, name, false) then
    local target = key.table ~= require "rille.inflect".pluralize(stem) and ", " .. literal(key.table) or ""
    return ("t:references(%s%s)"):format(literal(stem), target), true
  end
  local arguments = { literal(name) }
  if column.word == "string" and column.length ~= STRING_CHARS then
    arguments[2] = column.length
  elseif column.word == "decimal" then
    arguments[2], arguments[3] = column.precision, column.scale
  elseif column.word == "enum" then
    arguments[2] = list(column.values)
  end
  return ("t:%s(%s)"):format(column.word, table.concat(arguments, ", "))
end

--- One column with all that stands behind it.  Its own index is said along, and marked as `said`.
---@param column rille.BlueprintColumn
---@param blueprint rille.Blueprint  that it belongs to
---@param options? { change: boolean?, primary: boolean? }  primary: say that it is the key
---@return string
function M.column(column, blueprint, options)
  options = options or {}
  local word, is_reference = word_of(column, blueprint)
  local out = { word }
  local function add(text, ...) out[#out + 1] = text:format(...) end
  if column.word == "id" then return word end
  if column.primary and options.primary then add ":primary()" end
  if column.nullable then add ":nullable()" end
  if column.default ~= nil then add(":default(%s)", literal(column.default)) end
  if column.default_now then add ":default_now()" end
  if column.default_sql then add(":default_raw(%s)", literal(column.default_sql)) end
  for _, sql in ipairs(column.checks) do add(":check(%s)", literal(sql)) end
  local key = column.references
  if key then
    if not is_reference then
      add(":references(%s%s)", literal(key.table), key.column ~= "id" and ", " .. literal(key.column) or "")
    end
    if key.on_delete then add(":on_delete(%s)", literal(key.on_delete)) end
    if key.on_update then add(":on_update(%s)", literal(key.on_update)) end
  end
  if column.global then add ":global()" end
  if options.change then
    add ":change()"
  else
    local unique = M.own_index(blueprint, column.name, true)
    if unique then
      add ":unique()"
      unique.said = true
    end
    local index = M.own_index(blueprint, column.name, false)
    if index then
      if not is_reference then add ":index()" end
      index.said = true
    end
  end
  if column.comment then add(":comment(%s)", literal(column.comment)) end
  return table.concat(out)
end

---@param index rille.BlueprintIndex
---@return string
function M.index(index)
  local parts = {}
  for i, part in ipairs(index.columns) do
    parts[i] = part[2] == "desc" and ("{ %s, \"desc\" }"):format(literal(part[1])) or literal(part[1])
  end
  if index.named then parts[#parts + 1] = "name = " .. literal(index.name) end
  if type(index.where) == "string" then parts[#parts + 1] = "where = " .. literal(index.where) end
  return ("t:%s { %s }"):format(index.unique and "unique" or "index", table.concat(parts, ", "))
end

---@param key table  of a blueprint
---@return string
function M.foreign(key)
  local out = { ("t:foreign(%s):references(%s, %s)"):format(list(key.columns), literal(key.table),
    list(key.references)) }
  if key.on_delete then out[#out + 1] = (":on_delete(%s)"):format(literal(key.on_delete)) end
  if key.on_update then out[#out + 1] = (":on_update(%s)"):format(literal(key.on_update)) end
  return table.concat(out)
end

---@param check { sql: string, name: string? }
---@return string
function M.check(check)
  return ("t:check(%s%s)"):format(literal(check.sql), check.name and ", " .. literal(check.name) or "")
end

local function is_plain_moment(column, name)
  return column and column.name == name and column.word == "datetime" and column.nullable and column.default == nil
    and not column.default_now and not column.default_sql and #column.checks == 0 and not column.comment
    and not column.unique
end

local function has_index(blueprint, name)
  for _, index in ipairs(blueprint.indexes) do
    if #index.columns == 1 and index.columns[1][1] == name then return true end
  end
  return false
end

--- All words of a table, one a line.
---@param blueprint rille.Blueprint
---@return string[]
function M.table(blueprint)
  local lines, columns, i = {}, blueprint.columns, 1
  while i <= #columns do
    local column = columns[i]
    local created = is_plain_moment(column, "created_at") and is_plain_moment(columns[i + 1], "updated_at")
    if created and not has_index(blueprint, "created_at") and not has_index(blueprint, "updated_at") then
      lines[#lines + 1] = "t:timestamps()"
      i = i + 1
    elseif is_plain_moment(column, "deleted_at") and not has_index(blueprint, "deleted_at") then
      lines[#lines + 1] = "t:soft_deletes()"
    elseif column.word == "uuid" and column.primary and #blueprint.primary == 1 and column.default == nil
      and not column.default_sql then
      lines[#lines + 1] = ("t:uuid_id(%s)"):format(column.name ~= "id" and literal(column.name) or "")
    else
      lines[#lines + 1] = M.column(column, blueprint, { primary = #blueprint.primary == 1 })
    end
    i = i + 1
  end
  if #blueprint.primary > 1 then lines[#lines + 1] = ("t:primary %s"):format(list(blueprint.primary)) end
  for _, index in ipairs(blueprint.indexes) do
    if not index.said then lines[#lines + 1] = M.index(index) end
  end
  for _, key in ipairs(blueprint.foreign) do lines[#lines + 1] = M.foreign(key) end
  for _, check in ipairs(blueprint.checks) do lines[#lines + 1] = M.check(check) end
  return lines
end

--- The text of a literal of Lua, and of a list of names.
M.literal, M.list = literal, list

--- Names of a blueprint's columns.
---@param blueprint rille.Blueprint
---@return string[]
function M.names(blueprint)
  local names = {}
  for i, column in ipairs(blueprint.columns) do names[i] = column.name end
  return names
end

return M
