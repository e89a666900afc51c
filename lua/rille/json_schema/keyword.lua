--- keyword: the keywords of JSON Schema that judge values, and the compiler that puts their tests together.
-- A test gets a value as `decode` gives it and returns nothing when that is right, else what is wrong with it (the rest
-- of a sentence that begins with the field) and where, as a JSON pointer into the value.
local core = require "rille.core"
local Error = require "rille.error"
local Place = require "rille.json_schema.place"

local M = {}

local MAX_DEPTH <const> = 200             -- of schemas in schemas

local at, kind_of, refuse = Place.at, Place.kind_of, Place.refuse

-- What says nothing about values and is kept with the schema.
M.annotations = { title = true, description = true, examples = true, ["$comment"] = true, deprecated = true,
  readOnly = true, writeOnly = true, contentMediaType = true, contentEncoding = true, default = true,
  ["$defs"] = true, definitions = true, ["then"] = true, ["else"] = true, minContains = true, maxContains = true }

--- A text that two values share when they are the same to JSON: 1 and 1.0 are.
---@param value any
---@return string
local function canonical(value)
  local kind = kind_of(value)
  if kind == "string" then return ("s%d:%s"):format(#value, value) end
  if kind == "integer" or kind == "number" then return tostring(math.tointeger(value) or value) end
  if kind ~= "array" and kind ~= "object" then return kind == "null" and kind or tostring(value) end
  local out = {}
  if kind == "array" then
    for i, each in ipairs(value) do out[i] = canonical(each) end
    return "[" .. table.concat(out, ",") .. "]"
  end
  for i, key in ipairs(require "rille.keys"(value)) do out[i] = canonical(key) .. canonical(value[key]) end
  return "{" .. table.concat(out, ",") .. "}"
end
M.canonical = canonical

function M.is_number(value) return type(value) == "number" end
function M.is_text(value) return type(value) == "string" end
function M.is_array(value) return type(value) == "table" and value ~= core.null and kind_of(value) == "array" end
function M.is_object(value) return type(value) == "table" and value ~= core.null and kind_of(value) == "object" end

-- Keyword -> { make, about }: what makes its test out of (context, option, pointer, schema), and for which types it is.
local KEYWORDS = {}
M.keywords = KEYWORDS
local ORDER = {}

--- Define a keyword.
---@param name string
---@param about string?  the type of the values that it is about; nil: any
---@param make fun(context: table, option: any, pointer: string, schema: table): function?
function M.define(name, about, make)
  ORDER[#ORDER + 1] = name
  KEYWORDS[name] = { make = make, about = about }
end

-- -- compiling -------------------------------------------------------------------------------------------------------

--- Raise that a keyword is not known.
---@param name string
---@param pointer string
---@param further? string[]  keywords that would have been known there, too
function M.refuse_keyword(name, pointer, further)
  local known = table.move(ORDER, 1, #ORDER, #(further or {}) + 1, { table.unpack(further or {}) })
  for each in next, M.annotations do known[#known + 1] = each end
  local near = Error.did_you_mean(name, known)
  refuse(pointer, ("the keyword %s is not known here, and what it says would be lost"):format(Error.quote(name)),
    near or 'leave it out; remarks may stand in "$comment"', "unsupported")
end

--- Compile a schema.
---@param context { root: table, compiled: table, depth: integer? }  of new
---@param schema any
---@param pointer string
---@param places? table<string, string>  keyword -> its pointer, where a schema was put together from several
---@return fun(value: any): string?, string?
local function compile(context, schema, pointer, places)
  if schema == true then return function() end end
  if schema == false then return function() return "must not be given" end end
  Place.object(pointer, schema)
  context.depth = (context.depth or 0) + 1
  if context.depth > MAX_DEPTH then refuse(pointer, "schemas are nested too deep") end
  local tests = {}
  for name in next, schema do
    if not KEYWORDS[name] and not M.annotations[name] then M.refuse_keyword(name, at(pointer, name)) end
  end
  for _, name in ipairs(ORDER) do
    local option = schema[name]
    if option ~= nil then
      local here = places and places[name] or at(pointer, name)
      tests[#tests + 1] = KEYWORDS[name].make(context, option, here, schema)
    end
  end
  context.depth = context.depth - 1
  return function(value)
    for i = 1, #tests do
      local message, path = tests[i](value)
      if message then return message, path end
    end
  end
end

M.compile = compile

--- What compile works in: one for a whole schema.
---@param root table
---@return table context
function M.new(root) return { root = root, compiled = {} } end

return M
