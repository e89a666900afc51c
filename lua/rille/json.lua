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

-- What stands behind a backslash, and what it means.
local UNESCAPED = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

--- A value as JSON text, keys in order.  An empty table is `[]` unless M.object or decode marked it.
---@param value any       rille.null is null
---@param where? string   what messages begin with: "meta"
---@return string
function M.encode(value, where) return core.json(value, where or "json") end

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
