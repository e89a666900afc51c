--- nested: the keywords of JSON Schema about lists and objects, and those that put schemas together.
local Error = require "rille.error"
local Keyword = require "rille.json_schema.keyword"
local Place = require "rille.json_schema.place"
local Scalar = require "rille.json_schema.scalar"

local MAX_HOPS <const> = 1000             -- references that are open at once while a value is judged

local at, refuse, wants = Place.at, Place.refuse, Place.wants
local keyword, compile, canonical = Keyword.define, Keyword.compile, Keyword.canonical
local count, regex = Scalar.count, Scalar.regex
local is_array, is_object = Keyword.is_array, Keyword.is_object

-- -- lists -----------------------------------------------------------------------------------------------------------

--- The judgement of a member, with where it is.
local function inside(test, name, value)
  local message, path = test(value)
  if message then return message, at("", name) .. (path or "") end
end

local function compile_list(context, list, pointer)
  local tests = {}
  for i, each in ipairs(list) do tests[i] = compile(context, each, at(pointer, i - 1)) end
  return tests
end

keyword("prefixItems", "array", function(context, option, pointer)
  local tests = compile_list(context, Place.list(pointer, option, true), pointer)
  return function(value)
    if not is_array(value) then return end
    for i = 1, math.min(#tests, #value) do
      local message, path = inside(tests[i], i - 1, value[i])
      if message then return message, path end
    end
  end
end)

keyword("items", "array", function(context, option, pointer, schema)
  if is_array(option) and #option > 0 then
    refuse(pointer, "a list of schemas is called prefixItems since Draft 2020-12", 'call it "prefixItems", and what '
      .. 'follows it "items"')
  end
  local test = compile(context, option, pointer)
  local first = type(schema.prefixItems) == "table" and #schema.prefixItems or 0
  return function(value)
    if not is_array(value) then return end
    for i = first + 1, #value do
      local message, path = inside(test, i - 1, value[i])
      if message then return message, path end
    end
  end
end)

keyword("contains", "array", function(context, option, pointer, schema)
  local test, least, most = compile(context, option, pointer), schema.minContains, schema.maxContains
  least, most = least == nil and 1 or count(pointer, least), most and count(pointer, most)
  return function(value)
    if not is_array(value) then return end
    local found = 0
    for i = 1, #value do found = found + (test(value[i]) and 0 or 1) end
    if found < least then return "has too few entries of the kind that it must contain" end
    if most and found > most then return "has too many entries of the kind that it must contain" end
  end
end)

keyword("uniqueItems", "array", function(_, option, pointer)
  if type(option) ~= "boolean" then wants(pointer, "true or false", option) end
  return option and function(value)
    local seen = {}
    for i, each in ipairs(is_array(value) and value or {}) do
      local key = canonical(each)
      if seen[key] then return "must not have the same entry twice", at("", i - 1) end
      seen[key] = true
    end
  end or nil
end)

-- -- objects ---------------------------------------------------------------------------------------------------------

local function compile_map(context, map, pointer)
  local tests = {}
  for name, each in next, Place.object(pointer, map) do tests[name] = compile(context, each, at(pointer, name)) end
  return tests
end

--- Judge members in the order of their names, so that the same value gives the same message.
local function each_member(value, test_of)
  for _, name in ipairs(require "rille.keys"(value)) do
    for _, test in ipairs(test_of(name)) do
      local message, path = inside(test, name, value[name])
      if message then return message, path end
    end
  end
end

keyword("required", "object", function(_, option, pointer)
  local names = Place.texts(pointer, option)
  return function(value)
    if not is_object(value) then return end
    for _, name in ipairs(names) do
      if value[name] == nil then return "must be given", at("", name) end
    end
  end
end)

keyword("properties", "object", function(context, option, pointer)
  local tests = compile_map(context, option, pointer)
  return function(value)
    if is_object(value) then return each_member(value, function(name) return { tests[name] } end) end
  end
end)

local function patterns_of(context, option, pointer)
  local found = {}
  for _, pattern in ipairs(require "rille.keys"(Place.object(pointer, option))) do
    local here = at(pointer, pattern)
    found[#found + 1] = { regex(here, pattern), compile(context, option[pattern], here) }
  end
  return found
end

keyword("patternProperties", "object", function(context, option, pointer)
  local patterns = patterns_of(context, option, pointer)
  local function tests_of(name)
    local tests = {}
    for _, each in ipairs(patterns) do
      if each[1]:finds(name) then tests[#tests + 1] = each[2] end
    end
    return tests
  end
  return function(value)
    if is_object(value) then return each_member(value, tests_of) end
  end
end)

keyword("additionalProperties", "object", function(context, option, pointer, schema)
  local test, known = compile(context, option, pointer), schema.properties or {}
  local patterns = schema.patternProperties
  patterns = patterns and patterns_of(context, patterns, pointer:gsub("[^/]*$", "") .. "patternProperties") or {}
  local function tests_of(name)
    local is_known = known[name] ~= nil
    for _, each in ipairs(patterns) do is_known = is_known or each[1]:finds(name) end
    return is_known and {} or { test }
  end
  return function(value)
    if is_object(value) then return each_member(value, tests_of) end
  end
end)

keyword("propertyNames", "object", function(context, option, pointer)
  local test = compile(context, option, pointer)
  return function(value)
    for _, name in ipairs(is_object(value) and require "rille.keys"(value) or {}) do
      local message = test(name)
      if message then return "has a name that " .. message, at("", name) end
    end
  end
end)

keyword("dependentRequired", "object", function(_, option, pointer)
  for name, needed in next, Place.object(pointer, option) do Place.texts(at(pointer, name), needed) end
  return function(value)
    for _, name in ipairs(is_object(value) and require "rille.keys"(option) or {}) do
      for _, needed in ipairs(value[name] ~= nil and option[name] or {}) do
        if value[needed] == nil then return ("must be given with %s"):format(name), at("", needed) end
      end
    end
  end
end)

-- -- schemas of schemas ----------------------------------------------------------------------------------------------

keyword("allOf", nil, function(context, option, pointer)
  local tests = compile_list(context, Place.list(pointer, option, true), pointer)
  return function(value)
    for i = 1, #tests do
      local message, path = tests[i](value)
      if message then return message, path end
    end
  end
end)

local function matching(tests, value)
  local found, first = 0, nil
  for i = 1, #tests do
    local message, path = tests[i](value)
    if not message then found = found + 1 else first = first or { message, path } end
  end
  return found, first
end

keyword("anyOf", nil, function(context, option, pointer)
  local tests = compile_list(context, Place.list(pointer, option, true), pointer)
  return function(value)
    local found, first = matching(tests, value)
    if found == 0 then return table.unpack(first, 1, 2) end
  end
end)

keyword("oneOf", nil, function(context, option, pointer)
  local tests = compile_list(context, Place.list(pointer, option, true), pointer)
  return function(value)
    local found, first = matching(tests, value)
    if found == 0 then return table.unpack(first, 1, 2) end
    if found > 1 then return ("fits %d of the forms of which it must fit one"):format(found) end
  end
end)

keyword("not", nil, function(context, option, pointer)
  local test = compile(context, option, pointer)
  return function(value)
    if not test(value) then return "has a form that is not allowed" end
  end
end)

keyword("if", nil, function(context, option, pointer, schema)
  local parent, branch = pointer:gsub("/if$", ""), {}
  for _, name in ipairs { "then", "else" } do
    branch[name] = schema[name] ~= nil and compile(context, schema[name], at(parent, name)) or nil
  end
  local test = compile(context, option, pointer)
  return function(value)
    local follow = branch[test(value) and "else" or "then"]
    if follow then return follow(value) end
  end
end)

--- A reference is compiled when it is first needed, so that a schema may refer to itself.
keyword("$ref", nil, function(context, option, pointer)
  local target, place = Place.resolve(context.root, pointer, option)
  Place.follow(context.root, target, place)
  local compiled = context.compiled
  if not compiled[place] then
    compiled[place] = function(value) return compiled[place](value) end      -- while it is being compiled
    compiled[place] = compile(context, target, place)
  end
  return function(value)
    context.hops = (context.hops or 0) + 1
    if context.hops > MAX_HOPS then
      context.hops = 0
      Error.raise("invalid_argument", ("the schema %s refers to itself without end"):format(place))
    end
    local message, path = compiled[place](value)
    context.hops = math.max(0, context.hops - 1)
    return message, path
  end
end)
