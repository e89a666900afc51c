--- fake: made-up values: names, texts, addresses, numbers, moments; the same ones for the same seed, on any day.
-- The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
-- a counter whose every value is mixed into 64 bits.  It has a state of its own, so that math.random is neither read
-- nor disturbed.  Each record that a factory makes begins at a place that follows from the seed, the factory and the
-- record's number: what one record gets does not depend on which others were made before it.
local core = require "rille.core"
local Error = require "rille.error"
local Moment = require "rille.fake.moment"
local Words = require "rille.fake.words"

local M = {}

local STEP <const>, A <const>, B <const> = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
local TRIES <const> = 10000           -- of unique(), before it says that there is nothing new
local FROM <const>, TO <const> = "2015-01-01", "2024-12-31"          -- where dates lie when nothing else is said

local WORDS <const>, CAPITAL <const> = Words.words, Words.capital

---@class rille.Fake
---@field _state integer     of the generator
---@field _seed integer      what rille.seed said, or what was drawn
---@field _scope string      whose record is being made: the name of a factory, or ""
---@field _number integer|false   which of its records
---@field _emails integer    how many were made outside of records
---@field _made table<string, integer>   factory -> how many records it has made
---@field _seen table<string, table<any, true>>   what unique() gave
local Fake = {}

setmetatable(Fake, { __index = function(_, name)
  Error.unknown("invalid_argument", "method", name, require "rille.keys"(Fake), "fake")
end })

local meta = { __name = "rille.Fake", __index = Fake }

-- -- the generator --------------------------------------------------------------------------------------------------

local function mixed(z)
  z = (z ~ (z >> 30)) * A
  z = (z ~ (z >> 27)) * B
  return z ~ (z >> 31)
end

local function bits(self)
  local state = self._state + STEP
  self._state = state
  return mixed(state)
end

--- A whole number from 0 to `most`, both included; `most` counts as unsigned.
local function up_to(self, most)
  if most >= 0 and most < 0xFFFFFFFF then return (bits(self) >> 32) * (most + 1) >> 32 end
  local mask = most
  for _, shift in ipairs { 1, 2, 4, 8, 16, 32 } do mask = mask | mask >> shift end
  while true do
    local drawn = bits(self) & mask
    if not math.ult(most, drawn) then return drawn end
  end
end

local function one_of(self, list) return list[up_to(self, #list - 1) + 1] end

local hashes = {}

--- FNV-1a, 64 bits.
local function hash(text)
  local value = hashes[text]
  if not value then
    value = 0xCBF29CE484222325
    for i = 1, #text do value = (value ~ text:byte(i)) * 0x100000001B3 end
    hashes[text] = value
  end
  return value
end

local function begin(self, seed)
  self._seed, self._state = seed, mixed(seed)
  self._scope, self._number, self._emails, self._made, self._seen = "", false, 0, {}, {}
end

--- A generator of its own.
---@param seed integer
---@return rille.Fake
function M.new(seed)
  if type(seed) ~= "number" or not math.tointeger(seed) then Error.argument("fake", "a whole number", seed) end
  local self = setmetatable({}, meta)
  begin(self, math.tointeger(seed))
  return self
end

-- A seed that nobody chose: different for each process, and short enough to be copied from a terminal.
local function drawn_seed()
  local text = core.now() .. core.monotonic_ms() .. tostring({})
  return math.tointeger(tonumber(core.checksum(text):sub(1, 8), 16))
end

--- The generator of factories and of rille.fake.
M.shared = M.new(drawn_seed())

--- Begin anew: from here on factories and rille.fake give what they gave after the same seed before.
---@param seed? integer  without it nothing is changed
---@return integer seed  that counts now
function M.seed(...)
  if select("#", ...) > 0 then
    local seed = ...
    if type(seed) ~= "number" or not math.tointeger(seed) then Error.argument("seed", "a whole number", seed) end
    begin(M.shared, math.tointeger(seed))
  end
  return M.shared._seed
end

-- -- for factories --------------------------------------------------------------------------------------------------

--- What is made up from here on is made up for the next record of a factory.
---@param scope string  the factory
---@return integer number  of the record, counted from 1 since the seed
function M.next_record(self, scope)
  local number = (self._made[scope] or 0) + 1
  self._made[scope] = number
  self._scope, self._number = scope, number
  self._state = mixed(mixed(self._seed) ~ hash(scope)) + mixed(number)
  return number
end

--- The records of a factory are counted from 1 again, for it is another one.
---@param scope string
function M.count_anew(scope) M.shared._made[scope] = nil end

--- Whose record is being made up, and how far it is: for `go_on`.
---@return table place
function M.place(self) return { self._state, self._scope, self._number } end

--- Go on where `place` was asked for.
---@param place table
function M.go_on(self, place) self._state, self._scope, self._number = place[1], place[2], place[3] end

-- -- arguments ------------------------------------------------------------------------------------------------------

local function whole(method, value, least)
  local number = type(value) == "number" and math.tointeger(value)
  if not number or least and number < least then
    Error.argument("fake:" .. method, least and ("a whole number from %d on"):format(least) or "a whole number", value)
  end
  return number
end

local function check_range(method, from, to)
  if to < from then
    Error.raise("invalid_argument", ("fake:%s: %s comes before %s"):format(method, tostring(to), tostring(from)), {
      hint = "the lower end comes first",
    })
  end
end

local function check_list(method, list)
  if type(list) ~= "table" then Error.argument("fake:" .. method, "a list", list) end
  return list
end

-- -- numbers and choices --------------------------------------------------------------------------------------------

--- A whole number, both ends included.
---@param from integer
---@param to integer
---@return integer
function Fake:integer(from, to)
  from, to = whole("integer", from), whole("integer", to)
  check_range("integer", from, to)
  return from + up_to(self, to - from)
end

--- A number, from `from` on and below `to`.
---@param from? number  0
---@param to? number    1
---@return number
function Fake:float(from, to)
  from, to = from or 0, to or 1
  if type(from) ~= "number" or type(to) ~= "number" then Error.argument("fake:float", "two numbers", to) end
  check_range("float", from, to)
  return from + (to - from) * ((bits(self) >> 11) * 0x1p-53)
end

--- A decimal as exact text, such as "12.50"; both ends included.
---@param from number
---@param to number
---@param scale? integer  digits behind the point, 2 when absent
---@return string
function Fake:decimal(from, to, scale)
  scale = whole("decimal", scale == nil and 2 or scale, 0)
  local unit, ends = 10 ^ scale, { from, to }
  for i = 1, 2 do
    local scaled = type(ends[i]) == "number" and ends[i] * unit
    if not scaled or scaled ~= scaled or math.abs(scaled) > 2 ^ 53 then
      Error.argument("fake:decimal", "numbers of at most 15 digits", ends[i])
    end
    ends[i] = math.tointeger(i == 1 and math.ceil(scaled - 1e-6) or math.floor(scaled + 1e-6))
  end
  check_range("decimal", ends[1], ends[2])
  local drawn = ends[1] + up_to(self, ends[2] - ends[1])
  local digits = ("%0" .. scale + 1 .. "d"):format(math.abs(drawn))
  local text = scale == 0 and digits or digits:sub(1, -scale - 1) .. "." .. digits:sub(-scale)
  return drawn < 0 and "-" .. text or text
end

--- true or false.
---@param chance? number  of true, from 0 to 1; one half when absent
---@return boolean
function Fake:boolean(chance)
  chance = chance == nil and 0.5 or chance
  if type(chance) ~= "number" or not (chance >= 0 and chance <= 1) then
    Error.argument("fake:boolean", "a chance from 0 to 1", chance)
  end
  return self:float() < chance
end

--- One element of a list.
---@param list any[]  not empty
---@return any
function Fake:pick(list)
  if #check_list("pick", list) == 0 then Error.argument("fake:pick", "a list that is not empty", list) end
  return one_of(self, list)
end

--- The elements in another order, as a new list.
---@param list any[]
---@return any[]
function Fake:shuffle(list)
  local out = table.move(check_list("shuffle", list), 1, #list, 1, {})
  for i = #out, 2, -1 do
    local j = up_to(self, i - 1) + 1
    out[i], out[j] = out[j], out[i]
  end
  return out
end

--- A UUID of version 4 in its form; nothing secret may rest on it, for whoever knows the seed knows it.
---@return string
function Fake:uuid()
  local high, low = bits(self), bits(self)
  return ("%08x-%04x-4%03x-%04x-%012x"):format(high >> 32, high >> 16 & 0xFFFF, high & 0xFFF,
    low >> 48 & 0x3FFF | 0x8000, low & 0xFFFFFFFFFFFF)
end

-- -- people and addresses -------------------------------------------------------------------------------------------

---@return string
function Fake:first_name() return one_of(self, Words.first_names) end

---@return string
function Fake:last_name() return one_of(self, Words.last_names) end

---@return string
function Fake:name() return self:first_name() .. " " .. self:last_name() end

--- An address that nobody has, for its host is kept free for ever; its number differs from record to record.
---@return string
function Fake:email()
  local number = self._number
  if not number then
    number = self._emails + 1
    self._emails = number
  end
  return ("%s.%s%d%03d@%s"):format(Words.plain[self:first_name()], Words.plain[self:last_name()], number,
    up_to(self, 999), one_of(self, Words.hosts))
end

--- A page of such a host.
---@return string
function Fake:url() return ("https://%s/%s"):format(one_of(self, Words.hosts), self:slug()) end

-- -- texts ----------------------------------------------------------------------------------------------------------

---@return string
function Fake:word() return one_of(self, WORDS) end

local pieces = {}                 -- of the text that is being put together; nothing outlives the call

local WORD_OF_BYTE <const> = table.move(WORDS, 1, #WORDS, 0, {})

--- Put words behind the first `from` pieces.  Eight of them come from each number that is drawn, for texts are most of
--- what is made up.
---@return integer to  the last piece
local function add_words(self, from, count)
  local list, words, state, drawn = pieces, WORD_OF_BYTE, self._state, 0
  local to = from + count
  for i = from + 1, to do
    if (i - from) & 7 == 1 then
      state = state + STEP
      drawn = mixed(state)
    end
    list[i] = words[drawn & 0xFF]
    drawn = drawn >> 8
  end
  self._state = state
  return to
end

local function add_sentence(self, from, count)
  local to = add_words(self, from, count or 4 + up_to(self, 5))
  pieces[from + 1] = CAPITAL[pieces[from + 1]]
  pieces[to] = pieces[to] .. "."
  return to
end

local function joined(to, separator) return table.concat(pieces, separator, 1, to) end

--- Several words.
---@param count? integer  3 when absent
---@return string
function Fake:words(count)
  return joined(add_words(self, 0, whole("words", count == nil and 3 or count, 1)), " ")
end

--- Words with hyphens between them.
---@param count? integer  3 when absent
---@return string
function Fake:slug(count)
  return joined(add_words(self, 0, whole("slug", count == nil and 3 or count, 1)), "-")
end

--- A capital, some words, a full stop.
---@param count? integer  words, from 4 to 9 when absent
---@return string
function Fake:sentence(count)
  return joined(add_sentence(self, 0, count ~= nil and whole("sentence", count, 1) or nil), " ")
end

--- Some sentences.
---@param count? integer  from 3 to 6 when absent
---@return string
function Fake:paragraph(count)
  local to = 0
  for _ = 1, whole("paragraph", count == nil and 3 + up_to(self, 3) or count, 1) do to = add_sentence(self, to) end
  return joined(to, " ")
end

--- Sentences, as many as there is room for; at least the beginning of one.
---@param most? integer  characters, 200 when absent
---@return string
function Fake:text(most)
  most = whole("text", most == nil and 200 or most, 1)
  local to, length = 0, -1
  repeat
    local before = to
    to = add_sentence(self, to)
    for i = before + 1, to do length = length + 1 + #pieces[i] end
    if length > most and before > 0 then return joined(before, " ") end
  until length > most
  local text = joined(to, " "):sub(1, most)
  return text:match "^(.*%w)%s%w*$" or text
end

-- -- days and moments -----------------------------------------------------------------------------------------------

local function seconds_between(self, method, from, to)
  local where = "fake:" .. method
  local first, last = Moment.seconds(where, from or FROM, false), Moment.seconds(where, to or TO, true)
  check_range(method, first, last)
  return first + up_to(self, last - first)
end

--- A day, both ends included.  Neither of them is today: what a seed gives is the same on any day.
---@param from? string|integer  a day, a moment in UTC or seconds since 1970; 2015-01-01 when absent
---@param to? string|integer    2024-12-31 when absent
---@return string  such as "2024-02-29"
function Fake:date(from, to) return Moment.date(seconds_between(self, "date", from, to)) end

--- A moment in UTC, both ends included; the ends as for `date`.
---@return string  such as "2024-02-29T12:00:00.000000Z"
function Fake:datetime(from, to) return Moment.datetime(seconds_between(self, "datetime", from, to)) end

-- -- what was not there before --------------------------------------------------------------------------------------

--- What tells apart the lists of what was given: whose record it is for, the method, and what limits it.
local function pool(self, method, ...)
  local parts = { self._scope, method }
  for i = 1, select("#", ...) do
    local argument = select(i, ...)
    parts[#parts + 1] = type(argument) == "table" and "" or tostring(argument)
  end
  local key = table.concat(parts, "\0")
  local seen = self._seen[key] or { count = 0, values = {} }
  self._seen[key] = seen
  return seen
end

local function fresh(self, method, ...)
  local seen = pool(self, method, ...)
  for _ = 1, TRIES do
    local value = Fake[method](self, ...)
    if not seen.values[value] then
      seen.values[value], seen.count = true, seen.count + 1
      return value
    end
  end
  Error.raise("invalid_argument", ("fake:unique():%s() found nothing new in %d tries, after %d different values")
    :format(method, TRIES, seen.count), { hint = "let it choose from more, or add the number of the record" })
end

local Unique = {
  __name = "rille.Fake",
  __index = function(proxy, method)
    local known = proxy._fake[method]                    -- raises for a method that is not there
    if method == "unique" or method == "shuffle" then
      Error.raise("invalid_argument", ("fake:unique() gives single values, and %s none"):format(method))
    end
    return known and function(self, ...) return fresh(self._fake, method, ...) end
  end,
}

--- The same methods, whose values this factory has not been given since the seed: fake:unique():slug().
---@return rille.Fake
function Fake:unique() return setmetatable({ _fake = self }, Unique) end

return M
