--- read: a JSON Schema as the plan of a table: its columns, keys and indexes.  What would be lost is refused.
local core = require "rille.core"
local Column = require "rille.json_schema.column"
local Error = require "rille.error"
local Name = require "rille.schema.name"
local Place = require "rille.json_schema.place"
local Property = require "rille.json_schema.property"
local Test = require "rille.json_schema.test"

local M = {}

local at, refuse, wants = Place.at, Place.refuse, Place.wants

local MAX_BYTES <const> = 1024 * 1024     -- of the text of a schema
local MAX_COLUMNS <const> = 2000          -- of a table of SQLite
local OWN_PREFIX <const> = "^rille_"      -- tables that rille keeps for itself

---@class rille.SchemaPlan
---@field table string
---@field text string                     the schema as JSON, its keys in order
---@field columns rille.PropertyColumn[]  in the order of the table
---@field by_name table<string, rille.PropertyColumn>
---@field primary string[]
---@field indexes { columns: { [1]: string, [2]: string? }[], unique: boolean, name: string?, where: string? }[]
---@field foreign table[]                 { columns, table, references, on_delete?, on_update? }
---@field checks string[]                 SQL

local DRAFTS = { ["2020-12"] = true, ["2019-09"] = true, ["draft-07"] = true, ["draft-06"] = true }

-- Keywords of a table.
local KNOWN = { ["$schema"] = true, ["$id"] = true, ["$ref"] = true, type = true, properties = true, required = true,
  additionalProperties = true, unevaluatedProperties = true, ["$defs"] = true, definitions = true, title = true,
  description = true, examples = true, ["$comment"] = true, deprecated = true, readOnly = true, writeOnly = true,
  ["x-primary-key"] = true, ["x-unique"] = true, ["x-index"] = true, ["x-references"] = true, ["x-columns"] = true,
  ["x-check-raw"] = true }
local DORM = { ["x-dorm-primary-key"] = "x-primary-key", ["x-dorm-unique"] = "x-unique", ["x-dorm-index"] = "x-index",
  ["x-dorm-references"] = "x-references" }
local KNOWN_NAMES = require "rille.keys"(KNOWN)

--- The schema as text and as a value: whatever came, this is JSON without cycles that nobody else holds.
local function normal(source)
  local text = source
  if type(source) == "table" and source ~= core.null then
    text = require "rille.json".encode(source, "create_table: json_schema")
  elseif type(source) ~= "string" then
    Error.argument("create_table", "a JSON Schema as a table or as JSON text", source)
  end
  if #text > MAX_BYTES then
    Error.raise("invalid_argument", ("create_table: the schema has %d bytes; %d are allowed"):format(#text, MAX_BYTES))
  end
  local root = require "rille.json".decode(text, "create_table: json_schema")
  Place.object("#", root)
  return require "rille.json".encode(root), root
end

--- The draft that `$schema` names must be one of those that mean what is read here.
local function check_draft(root)
  local said = root["$schema"]
  if said == nil then return end
  local draft = type(said) == "string" and (said:match "json%-schema%.org/draft/(%d+%-%d+)/schema"
    or said:match "json%-schema%.org/(draft%-%d+)/schema")
  if not DRAFTS[draft] then
    refuse("#/$schema", ("%s is not a draft that is known"):format(Error.show(said)),
      "https://json-schema.org/draft/2020-12/schema is", "unsupported")
  end
end

--- What the root says, or the definition that it refers to; with the pointer where that stands.
local function root_of(root)
  local top, pointer = Place.follow(root, root, "#")
  Place.object(pointer, top)
  for _, each in ipairs { { root, "#" }, { top, pointer } } do
    for name in next, each[1] do
      if Property.foreign[name] then
        refuse(at(each[2], name), "create_table cannot make that", "schema:raw(sql) can", "unsupported")
      elseif not KNOWN[name] and not DORM[name] then
        refuse(at(each[2], name), ("the keyword %s is not known here, and what it says would be lost"):format(
          Error.quote(name)), Error.did_you_mean(name, KNOWN_NAMES) or 'leave it out; remarks may stand in "$comment"',
          "unsupported")
      end
    end
  end
  local merged = {}
  for _, each in ipairs { top, root } do
    for name, value in next, each do merged[DORM[name] or name] = value end
  end
  return merged, pointer
end

--- A name for a table out of `$id`: itself, or the last part of a URI without ".json".
local function name_of_id(id)
  if type(id) ~= "string" then wants("#/$id", "a text", id) end
  local last = id:match "^%a[%w+.-]*://[^?#]*/([^/?#]+)[?#]?[^/]*$" or id:match "^urn:.*:([^:/?#]+)$"
  local name = (last or id):gsub("%.json$", ""):gsub("%.schema$", "")
  if name == "" or name:find "[/\\?#%%]" or name:find "^%." or not last and name:find "^%a+:" then
    refuse("#/$id", ("%s names no table"):format(Error.quote(id)), "give the name: db:create_table(schema, \"name\")")
  end
  return name
end

local function table_name(top, name)
  local place = "create_table: name"
  if name == nil and top["$id"] ~= nil then
    name, place = name_of_id(top["$id"]), "create_table: #/$id"
  elseif name == nil then
    name, place = top.title, "create_table: #/title"
  end
  if name == nil then
    Error.raise("invalid_argument", "create_table: the schema names no table: it has neither $id nor title", {
      hint = "db:create_table(schema, \"name\")",
    })
  end
  Name.check_table(place, name)
  if name:lower():find(OWN_PREFIX) then
    Error.argument(place, "a name that does not begin with rille_", name, "rille keeps these for itself")
  end
  return name
end

local function check_top(top, pointer)
  if top.type ~= nil and top.type ~= "object" then
    wants(at(pointer, "type"), 'the type "object", whose properties are columns', top.type)
  end
  for _, name in ipairs { "additionalProperties", "unevaluatedProperties" } do
    if top[name] ~= nil and top[name] ~= false then
      refuse(at(pointer, name), "a table has columns for its properties and room for no others",
        'leave it out, or keep the others in a property of the type "object"', "unsupported")
    end
  end
  for _, name in ipairs { "$defs", "definitions" } do
    if top[name] ~= nil then Place.object(at(pointer, name), top[name]) end
  end
end

--- Refuse names that are no properties.
local function check_names(pointer, names, properties)
  for i, name in ipairs(names) do
    if properties[name] == nil then
      refuse(at(pointer, i - 1), ("there is no property %s"):format(Error.quote(name)),
        Error.did_you_mean(name, require "rille.keys"(properties)))
    end
  end
  return names
end

-- -- order -----------------------------------------------------------------------------------------------------------

local function set_of(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end

--- JSON objects have no order, so a table's columns are: its key, what is required, as it is listed, then all others by
--- name.  `x-columns` says another order.
---@param primary string[]
---@param required string[]
---@param properties table<string, any>
---@return string[]
function M.order(primary, required, properties)
  local order, seen = {}, {}
  for _, list in ipairs { primary, required, require "rille.keys"(properties) } do
    for _, name in ipairs(list) do
      if not seen[name] then order[#order + 1], seen[name] = name, true end
    end
  end
  return order
end

local function said_order(top, pointer, properties)
  if top["x-columns"] == nil then return nil end
  local here = at(pointer, "x-columns")
  local names = check_names(here, Place.texts(here, top["x-columns"], true), properties)
  for _, name in ipairs(require "rille.keys"(properties)) do
    if not set_of(names)[name] then refuse(here, ("the property %s is missing"):format(Error.quote(name))) end
  end
  return names
end

-- -- keys of several columns -----------------------------------------------------------------------------------------

local function index_parts(place, list, properties)
  local parts, names = {}, {}
  for i, each in ipairs(Place.list(place, list, true)) do
    local here = at(place, i - 1)
    if type(each) == "table" and each ~= core.null then
      Place.object(here, each)
      for key in next, each do
        if key ~= "column" and key ~= "order" then refuse(at(here, key), "is not known here", "column, order") end
      end
      if each.order ~= nil and each.order ~= "asc" and each.order ~= "desc" then
        wants(at(here, "order"), '"asc" or "desc"', each.order)
      end
      parts[i] = { each.column, each.order == "desc" and "desc" or nil }
    else
      parts[i] = { each }
    end
    names[i] = parts[i][1]
    if type(names[i]) ~= "string" then wants(here, "the name of a property", names[i]) end
  end
  Place.texts(place, require "rille.json".array(names))
  check_names(place, names, properties)
  return parts
end

local INDEX_KEYS <const> = { "columns", "name", "where-raw" }

--- `x-unique` or `x-index` of a table: a list of columns, { columns =, name = }, or a list of these.
local function table_indexes(context, top, pointer, name, properties)
  local said, here, found = top[name], at(pointer, name), {}
  if said == nil then return found end
  local several = Place.kind_of(said) == "array" and type(said[1]) == "table"
    and (Place.kind_of(said[1]) == "array" or said[1].column == nil)
  for i, each in ipairs(several and said or { said }) do
    local place = several and at(here, i - 1) or here
    local index = { unique = name == "x-unique", pointer = place }
    if Place.kind_of(each) == "array" then
      index.columns = index_parts(place, each, properties)
    else
      for key in next, Place.object(place, each) do
        if not set_of(INDEX_KEYS)[key] then
          refuse(at(place, key), "is not known here", table.concat(INDEX_KEYS, ", "))
        end
      end
      index.columns = index_parts(at(place, "columns"), each.columns, properties)
      if each.name ~= nil then index.name = Name.check_table("create_table: " .. at(place, "name"), each.name) end
      index.where = context.raw(at(place, "where-raw"), each["where-raw"])
    end
    found[#found + 1] = index
  end
  return found
end

local FOREIGN_KEYS <const> = { "columns", "table", "references", "onDelete", "onUpdate" }

local function table_references(top, pointer, properties)
  local said, here, found = top["x-references"], at(pointer, "x-references"), {}
  for i, each in ipairs(said ~= nil and Place.list(here, said, true) or {}) do
    local place = at(here, i - 1)
    local key = Column.reference(place, each, FOREIGN_KEYS)
    key.columns = check_names(at(place, "columns"), Place.texts(at(place, "columns"), each.columns, true), properties)
    key.references = Place.texts(at(place, "references"), each.references, true)
    if #key.references ~= #key.columns then
      refuse(place, ("%d columns cannot reference %d"):format(#key.columns, #key.references))
    end
    found[i] = key
  end
  return found
end

--- The key of the table: `x-primary-key` of the table or of its properties, in the order of the columns.
local function primary_of(top, pointer, properties)
  if top["x-primary-key"] == nil then return nil end
  local here = at(pointer, "x-primary-key")
  return check_names(here, Place.texts(here, top["x-primary-key"], true), properties)
end

local function own_indexes(column)
  local found = {}
  for _, kind in ipairs { "unique", "index" } do
    local said = column[kind]
    if said then
      found[#found + 1] = { columns = { { column.name } }, unique = kind == "unique", name = said.name,
        where = said.where, pointer = said.pointer }
    end
  end
  return found
end

-- -- the whole -------------------------------------------------------------------------------------------------------

local function read_columns(context, top, pointer, properties)
  local required = check_names(at(pointer, "required"),
    top.required == nil and {} or Place.texts(at(pointer, "required"), top.required), properties)
  local is_required, here, by_name, marked = set_of(required), at(pointer, "properties"), {}, {}
  local primary = primary_of(top, pointer, properties)
  local is_primary = set_of(primary or {})
  for _, name in ipairs(require "rille.keys"(properties)) do
    local column = Column.read(context, name, properties[name], at(here, name), is_required[name] or false,
      is_primary[name] or false)
    by_name[name] = column
    if column.primary then marked[#marked + 1] = name end
  end
  if primary and #marked > #primary then
    refuse(at(pointer, "x-primary-key"), "a property says x-primary-key, too, and is not in the list")
  end
  local order = said_order(top, pointer, properties) or M.order(primary or marked, required, properties)
  if not primary then
    primary = {}
    for _, name in ipairs(order) do
      if by_name[name].primary then primary[#primary + 1] = name end
    end
  end
  return order, by_name, primary
end

local function check_twins(plan, pointer)
  local seen, names = {}, {}
  for _, column in ipairs(plan.columns) do
    local key = column.name:lower()
    if seen[key] then
      refuse(column.pointer, ("the database takes it for the same name as %s"):format(Error.quote(seen[key])))
    end
    seen[key] = column.name
    if column.auto and #plan.primary > 1 then
      refuse(at(column.pointer, "x-auto-increment"), "one of several key columns cannot be counted up")
    end
  end
  for _, index in ipairs(plan.indexes) do
    local parts = {}
    for i, part in ipairs(index.columns) do parts[i] = part[1] end
    index.name = index.name or Name.derived(plan.table, parts, index.unique and "unique" or "index")
    local key = index.name:lower()
    if names[key] then
      refuse(index.pointer, ("another index is called %s, too"):format(Error.quote(index.name)), "give it a name")
    end
    names[key] = true
  end
  if #plan.columns > MAX_COLUMNS then
    refuse(at(pointer, "properties"), ("a table has at most %d columns, these are %d"):format(MAX_COLUMNS,
      #plan.columns))
  end
end

--- Words of SQL text are only taken from whoever says that the schema is trusted.
local function raw_reader(options)
  return function(place, sql)
    if sql == nil then return nil end
    if type(sql) ~= "string" or sql == "" then wants(place, "SQL text", sql) end
    if not options.raw then
      refuse(place, "this would become SQL as it is", "{ raw = true } says that the schema is trusted")
    end
    return sql
  end
end

--- Read a schema.
---@param source table|string  the schema, or its JSON text
---@param name? string         of the table; from `$id` or `title` when absent
---@param options? { raw: boolean? }
---@return rille.SchemaPlan
function M.read(source, name, options)
  local text, root = normal(source)
  check_draft(root)
  local top, pointer = root_of(root)
  local plan = { table = table_name(top, name), text = text, columns = {}, indexes = {}, checks = {} }
  check_top(top, pointer)
  local properties = top.properties
  if properties == nil then refuse(pointer, 'there are no "properties", and these are the columns') end
  local context = Test.new(root)
  context.raw = raw_reader(options or {})
  if next(Place.object(at(pointer, "properties"), properties)) == nil then
    refuse(at(pointer, "properties"), "a table without columns cannot be made")
  end
  local order
  order, plan.by_name, plan.primary = read_columns(context, top, pointer, properties)
  for i, each in ipairs(order) do
    plan.columns[i] = plan.by_name[each]
    local own = own_indexes(plan.columns[i])
    table.move(own, 1, #own, #plan.indexes + 1, plan.indexes)
  end
  for _, kind in ipairs { "x-unique", "x-index" } do
    local found = table_indexes(context, top, pointer, kind, properties)
    table.move(found, 1, #found, #plan.indexes + 1, plan.indexes)
  end
  plan.foreign = table_references(top, pointer, properties)
  local checks = top["x-check-raw"]
  for _, sql in ipairs(checks ~= nil and (type(checks) == "string" and { checks }
      or Place.texts(at(pointer, "x-check-raw"), checks, true)) or {}) do
    plan.checks[#plan.checks + 1] = context.raw(at(pointer, "x-check-raw"), sql)
  end
  check_twins(plan, pointer)
  return plan
end

return M
