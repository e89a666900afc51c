--- json: Lua values as JSON and back, without losing or inventing anything.
-- Keys come in order, so the same value is the same text; what JSON cannot say is refused with the place where it
-- stands; what is read must be JSON to the letter.  Values and marks are those of dkjson, so either writes the other's.
local core = require "rille.core"
local Error = require "rille.error"
local Grammar = require "rille.grammar"

local M = {}

local MAX_DEPTH = 100
local PLAIN_DEPTH = 60            -- up to here the captures of LPeg nest

local Array, Object = { __jsontype = "array" }, { __jsontype = "object" }

--- Mark a table as a JSON array: what makes `[]` of an empty one.
---@param list? table
---@return table
function M.array(list) return setmetatable(list or {}, Array) end

--- Mark a table as a JSON object: what makes `{}` of an empty one.
---@param object? table
---@return table
function M.object(object) return setmetatable(object or {}, Object) end

-- Characters that a JSON text escapes by a letter, and back.
local ESCAPED = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }
local UNESCAPED = { ["/"] = "/" }
for char, escaped in pairs(ESCAPED) do UNESCAPED[escaped:sub(2)] = char end

local encode_value

--- State of one encoding: where it is for messages, what it wrote, which tables it is inside of.
local Writer = {}
Writer.__index = Writer

local function refuse(self, problem, hint)
  local path = table.concat(self.path)
  local place = path == "" and self.where or ("%s: %s"):format(self.where, (path:gsub("^%.", "")))
  Error.raise("invalid_argument", ("%s %s"):format(place, problem), { hint = hint })
end

local function add(self, text)
  self.size = self.size + 1
  self.out[self.size] = text
end

local function quoted(self, text)
  if not utf8.len(text) then refuse(self, "is no UTF-8 text, which JSON cannot say", "base64 carries bytes") end
  if text:find("\0", 1, true) then refuse(self, "holds a NUL byte") end
  return '"' .. text:gsub('[%c"\\]', function(char)
    return ESCAPED[char] or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

local function number(self, value)
  if math.type(value) == "integer" then return tostring(value) end
  if value ~= value or value == math.huge or value == -math.huge then
    refuse(self, ("is %s, which JSON cannot say"):format(value ~= value and "NaN" or "infinite"))
  end
  local text = ("%.15g"):format(value)
  if tonumber(text) ~= value then text = ("%.17g"):format(value) end
  text = text:gsub(",", ".")                        -- a locale may write a decimal comma
  return text:find "[.e]" and text or text .. ".0"  -- a float stays one
end

--- Does the table become an array?  Its length, when it does; a table that is neither is refused.
local function array_length(self, value, declared)
  local count, names = 0, 0
  for key in next, value do
    if math.type(key) == "integer" then
      count = count + 1
    elseif type(key) == "string" then
      names = names + 1
    else
      refuse(self, ("has a key that is %s; JSON has texts"):format(Error.show(key)))
    end
  end
  if declared == "object" or names > 0 then
    if count > 0 then
      refuse(self, "has keys that are numbers; an object has texts", "tostring(key) makes one of a number")
    end
    if declared == "array" then refuse(self, "is marked as an array but has names") end
    return nil
  end
  for i = 1, count do
    if value[i] == nil then refuse(self, ("has no element %d but later ones"):format(i), "rille.null fills a hole") end
  end
  return count
end

local function descend(self, step, value)
  local depth = #self.path + 1
  if depth > MAX_DEPTH then refuse(self, ("is nested more than %d deep"):format(MAX_DEPTH)) end
  self.path[depth] = step
  encode_value(self, value)
  self.path[depth] = nil
end

local function encode_table(self, value, declared)
  if self.inside[value] then refuse(self, "contains itself") end
  self.inside[value] = true
  local length = array_length(self, value, declared)
  if length then
    add(self, "[")
    for i = 1, length do
      if i > 1 then add(self, ",") end
      descend(self, "[" .. i .. "]", value[i])
    end
    add(self, "]")
  else
    local keys = {}
    for key in next, value do keys[#keys + 1] = key end
    table.sort(keys)
    add(self, "{")
    for i, key in ipairs(keys) do
      if i > 1 then add(self, ",") end
      add(self, quoted(self, key))
      add(self, ":")
      descend(self, "." .. key, value[key])
    end
    add(self, "}")
  end
  self.inside[value] = nil
end

function encode_value(self, value)
  local kind = type(value)
  if kind == "string" then return add(self, quoted(self, value)) end
  if kind == "number" then return add(self, number(self, value)) end
  if kind == "boolean" then return add(self, tostring(value)) end
  if value == core.null then return add(self, "null") end
  local meta = getmetatable(value)
  local own = type(meta) == "table" and rawget(meta, "__tojson")
  if own then
    local text = own(value, self)
    if type(text) ~= "string" then refuse(self, "has a __tojson that returns no text") end
    return add(self, text)
  end
  if kind == "table" then return encode_table(self, value, type(meta) == "table" and rawget(meta, "__jsontype")) end
  refuse(self, ("is %s, which JSON cannot say"):format(Error.show(value)), value == nil and "rille.null is null" or nil)
end

--- A value as JSON text, keys in order.  An empty table is `[]` unless M.object or decode marked it.
---@param value any       rille.null is null
---@param where? string   what messages begin with: "meta"
---@return string
function M.encode(value, where)
  local writer = setmetatable({ where = where or "json", out = {}, size = 0, path = {}, inside = {} }, Writer)
  encode_value(writer, value)
  return table.concat(writer.out)
end

--- Keys and values in turn -> an object.
local function to_object(list)
  local object = {}
  for i = 1, #list, 2 do object[list[i]] = list[i + 1] end
  return setmetatable(object, Object)
end

local function to_array(list) return setmetatable(list, Array) end

--- The grammar of JSON.
---@param deep boolean    LPeg nests captures 200 deep; those that are made while matching do not count
---@param reached? fun(position: integer)  called for each place that the text is JSON up to
local function build(deep, reached)
  local lpeg = require "lpeg"
  local P, S, R, V, C, Cc, Cs, Ct, Cmt = lpeg.P, lpeg.S, lpeg.R, lpeg.V, lpeg.C, lpeg.Cc, lpeg.Cs, lpeg.Ct, lpeg.Cmt

  local here = reached and P(function(_, position) reached(position) return true end) or P(true)
  local space = S " \t\r\n" ^ 0 * here
  local hex = R("09", "af", "AF")
  local unit = P "\\u" * C(hex * hex * hex * hex) / function(digits) return tonumber(digits, 16) end
  local character = Cmt(unit, function(_, _, code)
    return (code < 0xD800 or code > 0xDFFF), utf8.char(code)
  end)
  local surrogates = Cmt(unit * unit, function(_, _, high, low)
    local fits = high >= 0xD800 and high <= 0xDBFF and low >= 0xDC00 and low <= 0xDFFF
    return fits, fits and utf8.char(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)
  end)
  local escape = P "\\" * C(S '"\\/bfnrt') / UNESCAPED + character + surrogates
  local text = P '"' * Cs(((1 - S '"\\' - R "\0\31") ^ 1 * here + escape * here) ^ 0) * '"'

  local digits = R "09" ^ 1
  local whole = P "-" ^ -1 * (P "0" + R "19" * R "09" ^ 0)
  local numeral = whole * (P "." * digits) ^ -1 * (S "eE" * S "+-" ^ -1 * digits) ^ -1
  local word = P "true" * Cc(true) + P "false" * Cc(false) + P "null" * Cc(core.null)

  local function made(pattern, make)
    return deep and Cmt(pattern, function(_, _, list) return true, make(list) end) or pattern / make
  end
  local function several(element) return Ct(element * (P "," * element) ^ 0) + space * Ct "" end

  return P {
    V "value" * -P(1),
    value = space * (text + numeral / tonumber + word + V "array" + V "object") * space,
    array = P "[" * made(several(V "value"), to_array) * "]",
    object = P "{" * made(several(space * text * space * ":" * V "value"), to_object) * "}",
  }
end

local grammar, deep_grammar

local function refuse_text(where, problem)
  Error.raise("invalid_argument", ("%s: is no JSON: %s"):format(where, problem))
end

--- Read the text again, this time noting how far it is JSON.
local function refuse_from(where, text)
  local furthest = 1
  build(false, function(position) furthest = math.max(furthest, position) end):match(text)
  local found = text:match("^" .. utf8.charpattern, furthest)
  refuse_text(where, found and ("byte %d, %s"):format(furthest, Error.show(found)) or "it ends too soon")
end

--- Brackets that are open at once, those inside texts not counted.
local function depth_of(text)
  local depth, most = 0, 0
  for bracket in text:gsub('\\.', ""):gsub('"[^"]*"', ""):gmatch "[%[%]{}]" do
    depth = depth + ((bracket == "[" or bracket == "{") and 1 or -1)
    most = math.max(most, depth)
  end
  return most
end

--- The value of a JSON text: null is rille.null, tables remember whether they were array or object, whole numbers are
--- integers, and of two equal keys the last one counts.
---@param text string
---@param where? string  what messages begin with
---@return any
function M.decode(text, where)
  where = where or "json"
  if type(text) ~= "string" then Error.argument(where, "JSON text", text) end
  if not utf8.len(text) then refuse_text(where, "it is not UTF-8") end
  local _, brackets = text:gsub("[%[{]", "")
  local depth = brackets > PLAIN_DEPTH and depth_of(text) or 0
  if depth > MAX_DEPTH then refuse_text(where, ("it is nested more than %d deep"):format(MAX_DEPTH)) end
  local value
  if depth > PLAIN_DEPTH then
    deep_grammar = deep_grammar or Grammar.compile(build(true))
    value = deep_grammar:match(text)
  else
    grammar = grammar or Grammar.compile(build(false))
    value = grammar:match(text)
  end
  if value == nil then refuse_from(where, text) end
  return value
end

return M
