--- derive: a table as a JSON Schema, from what the database says of it; `x-` words say what JSON Schema has none for.
local core = require "rille.core"
local Json = require "rille.json"
local Name = require "rille.schema.name"
local Read = require "rille.json_schema.read"
local Ddl = require "rille.schema.sqlite.ddl"

local M = {}

local DRAFT <const> = "https://json-schema.org/draft/2020-12/schema"

-- Declared type -> what a property says, and the column word whose own check is no news.
local TYPES = {
  INTEGER = { "integer" }, BIGINT = { "integer", x_type = "bigint" }, DOUBLE = { "number" },
  BOOLEAN = { "boolean", word = "boolean" }, ["DATE TEXT"] = { "string", format = "date" },
  ["DATETIME TEXT"] = { "string", format = "date-time" }, ["UUID TEXT"] = { "string", format = "uuid" },
  ["JSON TEXT"] = { nil, word = "json", x_type = "json" }, TEXT = { "string" }, BLOB = { "string", x_type = "blob" },
}

-- Type of the core -> type of JSON, for columns that were declared in other words.
local OF_CORE = { integer = "integer", real = "number", boolean = "boolean", text = "string", date = "string",
  datetime = "string", uuid = "string", blob = "string", decimal = "string" }

-- -- SQL literals ----------------------------------------------------------------------------------------------------

--- A literal of SQL at the beginning of a text: its value, and the rest.  nil when there is none.
local function literal(text)
  local quoted, rest = text:match "^('[^']*')(.*)$"
  if quoted then
    while rest:sub(1, 1) == "'" do
      local more, behind = rest:match "^('[^']*')(.*)$"
      if not more then return nil end
      quoted, rest = quoted .. more, behind
    end
    return quoted:sub(2, -2):gsub("''", "'"), rest
  end
  local number, behind = text:match "^(-?[%d.]+[eE]?[+-]?%d*)(.*)$"
  if number and tonumber(number) then return tonumber(number), behind end
  if text:lower():find "^null" then return core.null, text:sub(5) end
end

local function whole_literal(text)
  local value, rest = literal(text)
  if value ~= nil and rest == "" then return value end
end

--- "1, 'a'" -> { 1, "a" }; nil when it is something else.
local function literals(text)
  local values = Json.array {}
  repeat
    local value, rest = literal(text)
    if value == nil or value == core.null then return nil end
    values[#values + 1] = value
    text = rest:match "^, (.*)$" or rest
    if rest ~= "" and text == rest then return nil end
  until rest == ""
  return values
end

-- -- checks ----------------------------------------------------------------------------------------------------------

-- What stands behind the name of a column -> keyword, and whether the rest is a number.
local CONDITIONS = {
  { "^(.*) >= (%S+)$", "minimum" }, { "^(.*) <= (%S+)$", "maximum" }, { "^(.*) > (%S+)$", "exclusiveMinimum" },
  { "^(.*) < (%S+)$", "exclusiveMaximum" },
}

--- What a condition says in a keyword: name and value; nil when it is none of ours.
local function keyword_of(sql, quoted)
  for _, each in ipairs(CONDITIONS) do
    local left, right = sql:match(each[1])
    local limit = right and whole_literal(right)
    if math.type(limit) then
      if left == quoted then return each[2], limit end
      if left == ("length(%s)"):format(quoted) and math.type(limit) == "integer" then
        local keyword = ({ minimum = "minLength", maximum = "maxLength" })[each[2]]
        if keyword then return keyword, limit end
      end
    end
  end
  local plain = quoted:gsub("%W", "%%%0")
  local step = sql:match("^" .. plain .. " %% (%d+) = 0$")
  if step then return "multipleOf", math.tointeger(tonumber(step)) end
  local one = sql:match("^json_type%(" .. plain .. "%) = '(%a+)'$")
  if one == "object" or one == "array" then return "type", one end
  if sql == ("json_type(%s) in ('object', 'array')"):format(quoted) then
    return "type", Json.array { "object", "array" }
  end
  local list = sql:match("^" .. plain .. " in %((.*)%)$")
  local values = list and literals(list)
  if values then return "enum", values end
end

--- Does a keyword, as it was read out of a check, become this same check again?
local function comes_back(property, keyword)
  local is_number = property.type == "integer" or property.type == "number"
  if keyword == "minLength" or keyword == "maxLength" then
    return property.type == "string" and not property.format and not property["x-type"]
  elseif keyword == "type" then
    return property["x-type"] == "json"
  elseif keyword == "enum" then
    return is_number or property.type == "string" and not property.format and not property["x-type"]
  elseif keyword == "multipleOf" then
    return property.type == "integer"
  end
  return is_number
end

local function add_checks(property, column, word)
  local quoted, raw = Name.quote(column.name), Json.array {}
  local own = word and Ddl.type_check { word = word, name = column.name, nullable = column.nullable }
  for _, sql in ipairs(column.checks) do
    local keyword, value = keyword_of(sql, quoted)
    if sql == own then
      own = nil
    elseif keyword and comes_back(property, keyword) and (property[keyword] == nil or keyword == "type") then
      property[keyword] = value
      if keyword == "type" then property["x-type"] = nil end
    else
      raw[#raw + 1] = sql
    end
  end
  if #raw > 0 then property["x-check-raw"] = raw end
end

-- -- columns ---------------------------------------------------------------------------------------------------------

local function add_default(property, column)
  local sql = column.default
  if not sql then return end
  local value = whole_literal(sql)
  local kind = property.type
  if property["x-type"] == "json" or kind == "object" or kind == "array" or type(kind) == "table" then
    local ok, decoded = pcall(Json.decode, value)
    value = ok and decoded or nil
  elseif kind == "boolean" then
    if value == 0 or value == 1 then value = value == 1 else value = nil end
  elseif (property["x-type"] or ""):find "^decimal" then
    value = value == core.null and value or sql:match "^'?(-?%d+%.?%d*)'?$"      -- its digits, as they are
  elseif kind == "string" and value ~= core.null and type(value) ~= "string" or property["x-type"] == "blob" then
    value = nil
  elseif (kind == "integer" or kind == "number") and type(value) == "string" then
    value = nil
  end
  if value ~= nil then
    property.default = value
  else
    property["x-default-raw"] = sql:match "^%((.*)%)$" or sql
  end
end

--- What a declared type says.
local function typed(column, core_type)
  local declared = column.type:upper()
  local known, property = TYPES[declared], Json.object {}
  local length = declared:match "^VARCHAR%((%d+)%)$"
  local digits = declared:match "^DECIMAL(%(%d+,%d+%))$" or declared:match "^DECIMAL_TEXT(%(%d+,%d+%))$"
  if length then
    property.type, property.maxLength, property["x-type"] = "string", math.tointeger(tonumber(length)), "string"
  elseif digits then
    property.type, property["x-type"] = "string", "decimal" .. digits
  elseif known then
    property.type, property.format, property["x-type"] = known[1], known.format, known.x_type
  else
    property.type, property["x-declared"] = OF_CORE[core_type], column.type
  end
  return property, known and known.word
end

local function add_index(property, index)
  local word = index.unique and "x-unique" or "x-index"
  if property[word] ~= nil then return false end
  if index.where then
    property[word] = Json.object { name = index.name, ["where-raw"] = index.where }
  else
    property[word] = (index.constraint or index.is_derived) and true or index.name
  end
  return true
end

local function reference(key)
  return Json.object { table = key.table, column = key.references[1], onDelete = key.on_delete,
    onUpdate = key.on_update, ["x-deferrable"] = key.deferrable or nil }
end

local function property_of(picture, column, core_type)
  local property, word = typed(column, core_type)
  local is_key = #picture.primary == 1 and Name.same(picture.primary[1], column.name)
  add_checks(property, column, word)
  if is_key then property["x-primary-key"] = true end
  if column.auto then property["x-auto-increment"] = true end
  add_default(property, column)
  if column.reference then property["x-references"] = reference(column.reference) end
  property["x-collate"], property["x-generated-raw"] = column.collate, column.generated
  property["x-comment"] = column.remark
  if column.nullable and type(property.type) == "string" then
    property.type = Json.array { property.type, "null" }
    if property.enum then table.insert(property.enum, core.null) end
  elseif column.nullable and property.type then
    table.insert(property.type, "null")
  end
  return property
end

-- -- the table -------------------------------------------------------------------------------------------------------

local function add_to(schema, word, value)
  schema[word] = schema[word] or Json.array {}
  table.insert(schema[word], value)
end

local function index_value(index)
  local columns = Json.array {}
  for i, part in ipairs(index.columns) do
    columns[i] = part[2] == "desc" and Json.object { column = part[1], order = "desc" } or part[1]
  end
  if (index.is_derived or index.constraint) and not index.where then return columns end
  local name = not index.constraint and index.name or nil
  return Json.object { columns = columns, name = name, ["where-raw"] = index.where }
end

local function add_indexes(schema, picture, by_lower)
  for _, index in ipairs(picture.indexes) do
    local names = {}
    for i, part in ipairs(index.columns) do names[i] = part[1] end
    index.is_derived = not index.where
      and index.name == Name.derived(picture.name, names, index.unique and "unique" or "index")
    local property = #names == 1 and not index.columns[1][2] and by_lower[names[1]:lower()]
    if index.sql then
      add_to(schema, "x-expression-raw", index.sql)
    elseif not property or not add_index(property, index) then
      add_to(schema, index.unique and "x-unique" or "x-index", index_value(index))
    end
  end
end

local function same_order(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return #a == #b
end

--- The schema of a table.
---@param picture rille.Picture
---@param core_types table<string, string>  column -> what the core makes of its declared type
---@return table schema
function M.schema(picture, core_types)
  local schema = Json.object {
    ["$schema"] = DRAFT, title = picture.name, type = "object", properties = Json.object {}, required = Json.array {},
  }
  local by_lower, order, several = {}, Json.array {}, #picture.primary > 1
  for i, column in ipairs(picture.columns) do
    local property = property_of(picture, column, core_types[column.name])
    schema.properties[column.name], by_lower[column.name:lower()], order[i] = property, property, column.name
    if not column.nullable and not column.rowid then table.insert(schema.required, column.name) end
  end
  if several then schema["x-primary-key"] = Json.array(table.move(picture.primary, 1, #picture.primary, 1, {})) end
  add_indexes(schema, picture, by_lower)
  for _, key in ipairs(picture.foreign) do
    add_to(schema, "x-references", Json.object {
      columns = Json.array(key.columns), table = key.table, references = Json.array(key.references),
      onDelete = key.on_delete, onUpdate = key.on_update, ["x-deferrable"] = key.deferrable or nil,
    })
  end
  for _, check in ipairs(picture.checks) do add_to(schema, "x-check-raw", check.sql) end
  if picture.tail:find "strict" then schema["x-strict"] = true end
  if picture.tail:find "without%s+rowid" then schema["x-without-rowid"] = true end
  if #schema.required == 0 then schema.required = nil end
  if not same_order(order, Read.order(picture.primary, schema.required or {}, schema.properties)) then
    schema["x-columns"] = order
  end
  return schema
end

return M
