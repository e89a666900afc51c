--- column: a property of a JSON Schema as a column: its word, its constraints, and the test of its values.
local core = require "rille.core"
local Error = require "rille.error"
local Json = require "rille.json"
local Format = require "rille.json_schema.format"
local Name = require "rille.schema.name"
local Place = require "rille.json_schema.place"
local Property = require "rille.json_schema.property"
local Test = require "rille.json_schema.test"
local Value = require "rille.schema.value"
local Words = require "rille.schema.column"

local M = {}

local at, kind_of, refuse, wants = Place.at, Place.kind_of, Place.refuse, Place.wants

local NUMERIC_DIGITS <const> = 15         -- a decimal with more is kept as a text, which SQLite does not compare

---@class rille.PropertyColumn
---@field name string
---@field pointer string
---@field word string             of schema/table.lua
---@field args any[]              of the word, behind the name
---@field type string             the type of the column, as in a blueprint
---@field required boolean        the schema lists it so
---@field nullable boolean        the column may be NULL
---@field takes_null boolean      the schema says so of its values
---@field primary? boolean
---@field auto? boolean
---@field has_default boolean
---@field default? any            a literal for the word `default`
---@field default_sql? string
---@field checks string[]         SQL
---@field references? table       { table, column, on_delete?, on_update? }
---@field comment? string
---@field unique? table[]         { name?, where?, pointer }
---@field index? table[]
---@field test fun(value: any): string?, string?
---@field kinds? table<string, true>  of a JSON column: what it holds

-- -- its type --------------------------------------------------------------------------------------------------------

--- What a schema without `type` is about, as far as its other keywords tell.
local function guess(schema)
  local found = {}
  local values = schema.enum or schema.const ~= nil and { schema.const } or {}
  for _, value in ipairs(type(values) == "table" and values or {}) do found[kind_of(value)] = true end
  if next(found) == nil then
    for name in next, schema do
      local about = Test.keywords[name] and Test.keywords[name].about
      if about then found[about] = true end
    end
  end
  return require "rille.keys"(found)
end

--- The types of a property without null, and whether null is among them.
local function types_of(out, pointer)
  local schema, types, null = out.schema, {}, out.may_be_null or false
  local said = schema.type ~= nil and Test.types_of(out.places.type, schema.type) or guess(schema)
  local has = {}
  for _, name in ipairs(said) do
    if name == "null" then null = true else has[name] = true end
  end
  if has.number then has.integer = nil end                -- every integer is a number
  for _, name in ipairs(Test.types) do
    if has[name] then types[#types + 1] = name end
  end
  if #types == 0 and #said > 0 then
    refuse(out.places.type or pointer, "a column that can only be null holds nothing", "leave it out")
  end
  return types, null
end

-- Word of a column -> the types of JSON that it holds, and the type of the column where that is not the word itself.
local HOLDS = {
  string = { "string", type = "text" }, text = { "string" }, integer = { "integer" },
  bigint = { "integer", type = "integer" }, float = { "number", type = "real" }, decimal = { "string", "number" },
  boolean = { "boolean" }, date = { "string" }, datetime = { "string" }, uuid = { "string" }, blob = { "string" },
  json = { "object", "array", "string", "integer", "number", "boolean" },
}
local X_TYPES = require "rille.keys"(HOLDS)

local BY_FORMAT = { date = "date", ["date-time"] = "datetime", uuid = "uuid" }
local BY_TYPE = { integer = "integer", number = "float", boolean = "boolean", string = "text", object = "json",
  array = "json" }

local function refuse_types(out, pointer, types)
  local here = out.places.type or pointer
  if #types == 0 then
    refuse(here, "says no type", 'add "type"; "x-type": "json" holds any value', "unsupported")
  end
  refuse(here, ("one column holds one type, not %s"):format(table.concat(types, " or ")),
    '"x-type": "json" holds values of any type', "unsupported")
end

--- "decimal(10,2)" -> decimal, { 10, 2 }
local function read_x_type(pointer, said)
  local word, digits = tostring(said):match "^(%l+)(.*)$"
  if type(said) ~= "string" or not HOLDS[word] then
    wants(pointer, "one of " .. table.concat(X_TYPES, ", "), said, Error.did_you_mean(said, X_TYPES))
  end
  local args = {}
  if word == "decimal" then
    local precision, scale = digits:match "^%((%d+),(%d+)%)$"
    args = { tonumber(precision), tonumber(scale) }
    if not precision or args[1] < 1 or args[1] > 38 or args[2] > args[1] or args[2] > 18 then
      wants(pointer, "decimal(DIGITS,BEHIND THE POINT), up to (38,18)", said)
    end
  elseif digits ~= "" then
    wants(pointer, "one of " .. table.concat(X_TYPES, ", "), said)
  end
  return word, args
end

local function choose_word(out, column, types)
  local schema, places = out.schema, out.places
  if schema["x-type"] ~= nil then
    column.word, column.args = read_x_type(places["x-type"], schema["x-type"])
    for _, name in ipairs(types) do
      local held = false
      for _, each in ipairs(HOLDS[column.word]) do held = held or each == name end
      if not held then refuse(places["x-type"], ("%s holds no value of the type %s"):format(column.word, name)) end
    end
    local one = #types == 1 or column.word == "json" or #types == 2 and column.word == "decimal"
    if not one then refuse_types(out, column.pointer, types) end
  else
    local is_json = types[1] ~= nil
    for _, name in ipairs(types) do is_json = is_json and BY_TYPE[name] == "json" end
    if #types ~= 1 and not is_json then refuse_types(out, column.pointer, types) end
    column.word = types[1] == "string" and BY_FORMAT[schema.format] or BY_TYPE[types[1]]
  end
  if column.word == "string" then
    local length = schema.maxLength
    if math.type(length) ~= "integer" or length < 1 or length > 65535 then
      wants(places.maxLength or column.pointer, "maxLength from 1 to 65535 beside \"x-type\": \"string\"", length)
    end
    column.args = { length }
  end
  column.type = HOLDS[column.word].type or column.word
end

--- Every keyword must say something about the values there are.
local function check_about(out, types, word)
  for name, place in next, out.places do
    local about = Test.keywords[name] and Test.keywords[name].about
    local fits = not about or word == "json" or word == "decimal" and about == "number"
    for _, each in ipairs(types) do fits = fits or each == about or about == "number" and each == "integer" end
    if not fits then
      refuse(place, ("%s is about values of the type %s, and these are %s"):format(name, about,
        table.concat(types, " or ")), "leave it out")
    end
  end
end

-- -- its values ------------------------------------------------------------------------------------------------------

--- A moment written with less than RFC 3339 wants, as columns take it.
local function is_moment(text)
  local whole = text:gsub("^([%d-]+) ", "%1T")
  if whole:find "^%d+%-%d+%-%d+$" then whole = whole .. "T00:00:00" end
  if not whole:find "[Zz]$" and not whole:find "T.*[+-]" then whole = whole .. "Z" end
  return Format.kinds["date-time"][2](whole)
end

-- Columns that take more than the texts of JSON: what the test of their values leaves to the column.
local LENIENT = { date = true, datetime = true, uuid = true, decimal = true, blob = true }

local function compile_test(context, out, column)
  local schema = Json.object()
  for name, value in next, out.schema do
    if not Property.is_x[name] and name ~= "default" then schema[name] = value end
  end
  if schema.type ~= nil and out.may_be_null or LENIENT[column.word] then schema.type = nil end
  if column.word == "datetime" then schema.format = nil end
  local test = Test.compile(context, schema, column.pointer, out.places)
  if column.word == "decimal" then
    return function(value) return test(tonumber(value) or value) end
  elseif column.word == "datetime" then
    return function(value)
      if type(value) == "string" and not is_moment(value) then return "must be " .. Format.kinds["date-time"][1] end
      return test(value)
    end
  end
  return test
end

--- The test of one type, for the values that a schema itself gives.
local function fits(context, types, value)
  return #types == 0 or Test.compile(context, Json.object { type = Json.array(types) }, "#")(value) == nil
end

--- The values of enum or const, without null; nil where there is neither.
local function enum_of(context, out, column, types)
  local name = out.schema.enum ~= nil and "enum" or out.schema.const ~= nil and "const" or nil
  if not name then return nil end
  local place = out.places[name]
  local given = name == "const" and { out.schema.const } or Place.list(place, out.schema.enum, true)
  local values, seen, has_null = {}, {}, false
  for i, value in ipairs(given) do
    local here, key = name == "enum" and at(place, i - 1) or place, Test.canonical(value)
    if seen[key] then refuse(here, "comes twice") end
    seen[key] = true
    if value == core.null then
      has_null = true
    elseif not fits(context, types, value) then
      refuse(here, "is no value of the type " .. table.concat(types, " or "))
    else
      values[#values + 1] = value
    end
  end
  column.takes_null = column.takes_null and has_null
  if #values == 0 then refuse(place, "a column that can only be null holds nothing", "leave it out") end
  return values
end

local function in_list(column, values, place)
  local literals = {}
  for i, value in ipairs(values) do
    local stored = Value.check("create_table: " .. place, column, value)
    literals[i] = Value.literal(stored, column.word == "blob")
  end
  return ("%s in (%s)"):format(Name.quote(column.name), table.concat(literals, ", "))
end

local BOUNDS <const> = { { "minimum", ">=" }, { "exclusiveMinimum", ">" }, { "maximum", "<=" },
  { "exclusiveMaximum", "<" } }

local function is_numeric(column)
  return column.type == "integer" or column.type == "real"
    or column.word == "decimal" and column.args[1] <= NUMERIC_DIGITS
end

--- What the database itself can check, as SQL; the rest is checked on the way in.
local function add_checks(out, column, types, values)
  local schema, quoted, checks = out.schema, Name.quote(column.name), column.checks
  local function add(text, ...) checks[#checks + 1] = text:format(quoted, ...) end
  if is_numeric(column) then
    for _, each in ipairs(BOUNDS) do
      local limit = schema[each[1]]
      if limit ~= nil then add("%s %s %s", each[2], Value.literal(limit)) end
    end
    local step = math.tointeger(schema.multipleOf)
    if column.type == "integer" and step then add("%s %% %d = 0", step) end
  elseif column.type == "text" then
    local least, most = math.tointeger(schema.minLength), math.tointeger(schema.maxLength)
    if least and least > 0 then add("length(%s) >= %d", least) end
    if most and column.word ~= "string" then add("length(%s) <= %d", most) end
  elseif column.word == "json" then
    local only_json = #types > 0
    for _, name in ipairs(types) do only_json = only_json and BY_TYPE[name] == "json" end
    if only_json and #types == 1 then add("json_type(%s) = '%s'", types[1]) end
    if only_json and #types == 2 then add "json_type(%s) in ('object', 'array')" end
  end
  local place = out.places.enum or out.places.const
  local said_by_word = column.word == "enum" or column.word == "json"
  if values and not said_by_word and (column.word ~= "decimal" or is_numeric(column)) then
    checks[#checks + 1] = in_list(column, values, place)
  end
end

--- The default: from `default` or `x-default`, checked against all that the schema says.
local function take_default(out, column)
  local schema, places = out.schema, out.places
  local name = schema.default ~= nil and "default" or schema["x-default"] ~= nil and "x-default" or nil
  if not name then return end
  local value, place = schema[name], places[name]
  local other = schema["x-default"]
  if other ~= nil and Test.canonical(other) ~= Test.canonical(value) then
    refuse(places["x-default"], "says something else than default")
  end
  if column.auto then refuse(place, "the database numbers this column itself") end
  column.has_default = true
  if value == core.null then
    if not column.nullable then refuse(place, "null is not allowed in a property that is required") end
    column.default = value
    return
  end
  if column.kinds and column.kinds.object and not column.kinds.array and next(value) == nil then
    value = Json.object {}
  end
  local message = column.test(value)
  if message then refuse(place, "the default is not allowed: it " .. message) end
  if column.word == "json" then value = Json.encode(value) end
  column.default = Value.check("create_table: " .. place, column, value)
end

-- -- its keys --------------------------------------------------------------------------------------------------------

local function flag(out, name)
  local value = out.schema[name]
  if value ~= nil and type(value) ~= "boolean" then wants(out.places[name], "true or false", value) end
  return value or false
end

--- What `x-unique` or `x-index` says of one column: true, a name, or { name, where-raw }.
local function own_index(context, out, name)
  local said, place = out.schema[name], out.places[name]
  if said == nil or said == false then return nil end
  local index = { pointer = place }
  if type(said) == "string" then
    index.name = Name.check_table("create_table: " .. place, said)
  elseif said ~= true then
    for key in next, Place.object(place, said) do
      if key ~= "name" and key ~= "where-raw" then refuse(at(place, key), "is not known here", "name, where-raw") end
    end
    if said.name ~= nil then index.name = Name.check_table("create_table: " .. at(place, "name"), said.name) end
    index.where = context.raw(at(place, "where-raw"), said["where-raw"])
  end
  return index
end

--- A foreign key: { table, column, onDelete, onUpdate }.
---@param place string
---@param said any
---@param names string[]  the keys that it may have
---@return table key      { table, on_delete, on_update }
function M.reference(place, said, names)
  for name in next, Place.object(place, said) do
    local known = false
    for _, each in ipairs(names) do known = known or each == name end
    if not known then
      refuse(at(place, name), "is not known here", Error.did_you_mean(name, names) or table.concat(names, ", "))
    end
  end
  local key = { table = Name.check_table("create_table: " .. at(place, "table"), said.table) }
  for name, as in next, { onDelete = "on_delete", onUpdate = "on_update" } do
    if said[name] ~= nil then key[as] = Words.action("create_table: " .. at(place, name), said[name]) end
  end
  return key
end

local function take_reference(out, column)
  local said, place = out.schema["x-references"], out.places["x-references"]
  if said == nil then return end
  local key = M.reference(place, said, { "table", "column", "onDelete", "onUpdate" })
  key.column = Name.check("create_table: " .. at(place, "column"), said.column == nil and "id" or said.column)
  if not column.nullable and (key.on_delete == "set null" or key.on_update == "set null") then
    refuse(place, "a property that is required cannot be set to null", 'take it out of "required"')
  end
  column.references = key
end

local function take_auto(out, column, types)
  if not flag(out, "x-auto-increment") then return end
  local place = out.places["x-auto-increment"]
  if types[1] ~= "integer" or #types > 1 or out.schema["x-type"] ~= nil then
    refuse(place, "only an integer can be counted up", 'say "type": "integer", or leave it out')
  end
  if not column.primary then refuse(place, "only a primary key is counted up", 'add "x-primary-key": true') end
  column.word, column.auto = "id", true
end

--- Read a property.
---@param context table  { root, compiled, raw }: of read.lua
---@param name string
---@param schema any
---@param pointer string
---@param is_required boolean
---@param is_primary boolean  the schema of the table says so
---@return rille.PropertyColumn
function M.read(context, name, schema, pointer, is_required, is_primary)
  Name.check("create_table: " .. core.shown(pointer), name)
  local out = Property.read(context, schema, pointer)
  local column = { name = name, pointer = pointer, args = {}, checks = {}, required = is_required, has_default = false }
  local types, null = types_of(out, pointer)
  column.takes_null = null
  choose_word(out, column, types)
  check_about(out, types, column.word)
  column.primary = flag(out, "x-primary-key") or is_primary
  take_auto(out, column, types)
  local values = enum_of(context, out, column, types)
  column.nullable = not column.primary and (not is_required or column.takes_null)
  if column.word == "json" then
    column.kinds = {}
    for _, each in ipairs(types) do column.kinds[each] = true end
  end
  if column.word == "decimal" then column.precision, column.scale = column.args[1], column.args[2] end
  if column.word == "string" then column.length = column.args[1] end
  column.test = compile_test(context, out, column)
  if values and column.word == "text" then
    column.word, column.args = "enum", { values }
  end
  add_checks(out, column, types, values)
  take_default(out, column)
  local raw = out.schema["x-check-raw"]
  for _, sql in ipairs(raw ~= nil and (type(raw) == "string" and { raw }
      or Place.texts(out.places["x-check-raw"], raw, true)) or {}) do
    column.checks[#column.checks + 1] = context.raw(out.places["x-check-raw"], sql)
  end
  column.default_sql = context.raw(out.places["x-default-raw"], out.schema["x-default-raw"])
  if column.default_sql and column.has_default then
    refuse(out.places["x-default-raw"], "there is a default already")
  end
  column.has_default = column.has_default or column.default_sql ~= nil
  take_reference(out, column)
  column.unique, column.index = own_index(context, out, "x-unique"), own_index(context, out, "x-index")
  local comment = out.schema["x-comment"]
  if comment ~= nil and (type(comment) ~= "string" or comment:find "[%z]" or comment:find("*/", 1, true)) then
    wants(out.places["x-comment"], "a text without NUL bytes and */", comment)
  end
  column.comment = comment
  return column
end

return M
