--- property: what a property of a JSON Schema says, put together from references, `allOf` and `anyOf` with null.
local core = require "rille.core"
local Place = require "rille.json_schema.place"
local Test = require "rille.json_schema.test"

local M = {}

local at, refuse = Place.at, Place.refuse

-- Words about the column itself; DORM's names mean the same.
local X_WORDS = { "x-primary-key", "x-auto-increment", "x-unique", "x-index", "x-references", "x-default", "x-type",
  "x-comment", "x-check-raw", "x-default-raw" }
local IS_X = {}
for _, name in ipairs(X_WORDS) do IS_X[name] = name end
for _, name in ipairs { "primary-key", "auto-increment", "unique", "index", "references", "default" } do
  IS_X["x-dorm-" .. name] = "x-" .. name
end
M.words = X_WORDS
M.is_x = IS_X

-- What json_schema says of tables that other means have made, and create_table cannot make.
M.foreign = { ["x-declared"] = true, ["x-collate"] = true, ["x-generated-raw"] = true, ["x-deferrable"] = true,
  ["x-strict"] = true, ["x-without-rowid"] = true, ["x-expression-raw"] = true }

-- -- putting a property together -------------------------------------------------------------------------------------

local merge

local function merge_branches(context, out, name, list, pointer, seen)
  local other, null = nil, false
  for i, branch in ipairs(Place.list(pointer, list, true)) do
    local is_null = type(branch) == "table" and branch ~= core.null and branch.type == "null"
    if is_null then null = true end
    if not is_null and other then other = false end
    if not is_null and other == nil then other = i end
  end
  if null and other then                    -- the usual way to say that something may be null
    out.may_be_null = true
    merge(context, out, list[other], at(pointer, other - 1), seen)
  elseif out.schema[name] ~= nil then
    refuse(pointer, "is said twice")
  else
    out.schema[name], out.places[name] = list, pointer
  end
end

local function put(out, name, value, pointer)
  local before = out.schema[name]
  local may_differ = Test.annotations[name] or IS_X[name]
  if before ~= nil and not may_differ and Test.canonical(before) ~= Test.canonical(value) then
    refuse(pointer, ("says something else than %s"):format(out.places[name]), "both hold: leave one of them out")
  end
  out.schema[name], out.places[name] = value, pointer
end

--- Put what a schema says, with all it refers to, into `out`.
---@param context table  { root }: of read.lua
---@param out { schema: table, places: table<string, string>, may_be_null: boolean }  places: keyword -> its pointer
---@param schema any
---@param pointer string
---@param seen table<string, true>  references that are being followed
function merge(context, out, schema, pointer, seen)
  if schema == true then return end
  if schema == false then refuse(pointer, "false allows no value, so no column can hold one") end
  Place.object(pointer, schema)
  if schema["$ref"] ~= nil then
    local target, place = Place.resolve(context.root, at(pointer, "$ref"), schema["$ref"])
    if seen[place] then refuse(pointer, "its references lead back to it") end
    seen[place] = true
    merge(context, out, target, place, seen)
    seen[place] = nil
  end
  for i, each in ipairs(schema.allOf ~= nil and Place.list(at(pointer, "allOf"), schema.allOf, true) or {}) do
    merge(context, out, each, at(at(pointer, "allOf"), i - 1), seen)
  end
  for _, name in ipairs(require "rille.keys"(schema)) do
    local here = at(pointer, name)
    if name == "anyOf" or name == "oneOf" then
      merge_branches(context, out, name, schema[name], here, seen)
    elseif name ~= "$ref" and name ~= "allOf" then
      local known = IS_X[name] or name
      if known ~= name and schema[known] ~= nil then refuse(here, ("is said by %s, too"):format(known)) end
      if M.foreign[name] then
        refuse(here, "create_table cannot make that", "schema:raw(sql) can", "unsupported")
      elseif not IS_X[name] and not Test.keywords[name] and not Test.annotations[name] then
        Test.refuse_keyword(name, here, X_WORDS)
      end
      put(out, known, schema[name], here)
    end
  end
end

--- All that a schema says.
---@param context table
---@param schema any
---@param pointer string
---@return { schema: table, places: table<string, string>, may_be_null: boolean }
function M.read(context, schema, pointer)
  local out = { schema = {}, places = {}, may_be_null = false }
  merge(context, out, schema, pointer, {})
  return out
end

return M
