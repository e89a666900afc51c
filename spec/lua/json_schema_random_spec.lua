--- json_schema_random_spec: tables of random JSON Schemas come back from the database's own words as the same tables.
local world = require "spec.support.world"
local Json = require "rille.json"

local ROUNDS <const> = world.engine == "postgres" and 20 or 60
local NAMES <const> = { "id", "name", "order", 'a "b"', "c'd", "e/f~g", "Ünï", "group by", "x1", "x2" }
local TEXTS <const> = { "", "it's", 'say "x"', "a, b", "1", "null", "-- no", "é" }

local function pick(list) return list[math.random(#list)] end
local function maybe(value) if math.random(3) == 1 then return value end end
local function number() return math.random(2) == 1 and math.random(-9, 9) or math.random(-90, 90) / 8 end

local function some(make, most)
  local list, seen = Json.array {}, {}
  for _ = 1, math.random(most) do
    local value = make()
    if not seen[value] then list[#list + 1], seen[value] = value, true end
  end
  return list
end

local function integer(property)
  property.minimum, property.exclusiveMaximum = maybe(math.random(-9, 0)), maybe(math.random(10, 99))
  property.multipleOf, property["x-type"] = maybe(math.random(1, 3)), maybe "bigint"
  property.enum = maybe(some(function() return math.random(-9, 9) end, 4))
end

-- What makes a property of each type.
local KINDS <const> = {
  integer,
  function(property)
    property.type, property.maximum, property.exclusiveMinimum = "number", maybe(number() + 20), maybe(number() - 20)
    property.default = maybe(1.5)
    if property.exclusiveMinimum and property.exclusiveMinimum >= 1.5 then property.default = nil end
    if property.maximum and property.maximum < 1.5 then property.default = nil end
  end,
  function(property)
    property.type = "string"
    if math.random(2) == 1 then
      property.enum = some(function() return pick(TEXTS) end, 5)
      property.default = maybe(pick(property.enum))
    else
      property.minLength, property.maxLength = maybe(math.random(0, 3)), maybe(math.random(4, 99))
      property.default = maybe(("é'\""):rep(1))
    end
  end,
  function(property) property.type, property.default = "boolean", maybe(math.random(2) == 1) end,
  function(property) property.type, property.format, property.default = "string", "date", maybe "2026-02-28" end,
  function(property)
    property.type, property.format, property.default = "string", "date-time", maybe "2026-02-28T10:00:00Z"
  end,
  function(property) property.type, property.format = "string", "uuid" end,
  function(property) property.type, property.default = "object", maybe(Json.object { a = pick(TEXTS), b = 1 }) end,
  function(property) property.type, property.default = "array", maybe(Json.array { 1, pick(TEXTS) }) end,
  function(property) property.type = Json.array { "array", "object" } end,
  function(property) property["x-type"] = "json" end,
  function(property) property.type, property["x-type"], property.default = "string", "decimal(8,2)", maybe "1.50" end,
  function(property) property.type, property["x-type"], property.default = "string", "decimal(20,4)", maybe "1.5" end,
  function(property) property.type, property["x-type"], property.maxLength = "string", "string", math.random(5, 50) end,
  function(property) property.type, property["x-type"] = "string", "blob" end,
}

local function property_of(types)
  local property = Json.object { type = "integer" }
  local kind = math.random(#KINDS)
  KINDS[kind](property)
  if types and property.type then types[property.type] = true end
  if type(property.type) == "string" and math.random(4) == 1 then
    property.type = Json.array { property.type, "null" }
    if property.enum then table.insert(property.enum, world.null) end
  end
  property["x-index"] = maybe(math.random(2) == 1 or "an index " .. math.random(1000000))
  property["x-unique"] = maybe(true)
  property["x-comment"] = maybe "a remark, it's one"
  return property
end

local function schema_of()
  local schema = Json.object { title = pick { "t", 'the "table"', "select" }, type = "object",
    properties = Json.object {}, required = Json.array {} }
  local names = {}
  for _, name in ipairs(NAMES) do
    if math.random(2) == 1 then
      names[#names + 1], schema.properties[name] = name, property_of()
      if math.random(2) == 1 then table.insert(schema.required, name) end
    end
  end
  if #names == 0 then return schema_of() end
  local key = pick(names)
  if math.random(3) == 1 then
    schema.properties[key] = Json.object { type = "integer", ["x-primary-key"] = true, ["x-auto-increment"] = true }
  elseif math.random(2) == 1 then
    schema["x-primary-key"] = Json.array { key, #names > 1 and names[key == names[1] and 2 or 1] or nil }
  end
  if #names > 2 then
    schema["x-unique"] = maybe(Json.array { Json.array { names[1], names[3] } })
    schema["x-index"] = maybe(Json.object { columns = Json.array { Json.object { column = names[2], order = "desc" },
      names[1] } })
  end
  local other = pick(names)
  local may_refer = schema.properties[other].type == "integer" and schema.properties[other]["x-type"] ~= "json"
  if may_refer and math.random(2) == 1 then
    schema.properties[other]["x-references"] = Json.object { table = "other", column = "id",
      onDelete = maybe "cascade" }
  end
  if #schema.required == 0 then schema.required = nil end
  return schema
end

--- All that was made, but what rille keeps beside it.
local function made(db)
  local texts = {}
  if world.engine == "postgres" then
    for what, text in pairs(require "rille.migrator.snapshot".take(db)) do
      if not what:find "^function" then texts[#texts + 1] = what .. " " .. text end      -- those are the specs' own
    end
    table.sort(texts)
    return table.concat(texts, ";\n")
  end
  for i, row in ipairs(db:query [[select name, sql from sqlite_schema where sql is not null
      and tbl_name not like 'rille%' and tbl_name not like 'sqlite%' order by type desc, name]]) do
    texts[i] = row.sql
  end
  return table.concat(texts, ";\n")
end

--- A new database; on PostgreSQL what is referred to has to be there.
local function fresh()
  local db = world.fresh()
  if world.engine == "postgres" then world.rille.schema():create("other", function(t) t:id() end) end
  return db
end

describe("a random JSON Schema", function()
  it("comes back equal; and what the database tells of its table makes the same table", function()
    local seed = world.seed()
    for round = 1, ROUNDS do
      local schema, place = schema_of(), ("seed %d, round %d"):format(seed, round)
      local db = fresh()
      db:create_table(schema)
      local name, before = schema.title, made(db)
      assert.equal(Json.encode(schema), Json.encode(db:json_schema(name)), place)
      assert.is_false(db:create_table(schema).changed, place)
      db:execute "delete from rille_json_schemas"
      db:forget()
      local derived = db:json_schema(name)
      assert.is_nil(Json.encode(derived):find("-raw", 1, true), place .. "\n" .. Json.encode(derived))
      local adopted = db:create_table(derived, { diff = true }).changes
      assert.same({ "the table was made by other means, and would keep this schema from now on" }, adopted, place)
      local again = fresh()
      again:create_table(derived)
      assert.equal(before, made(again), place)
    end
  end)
end)
