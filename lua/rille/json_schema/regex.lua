--- regex: the regular expressions of `pattern` (ECMA 262), matched in time that is linear in the text.
-- A pattern becomes a small program, and all its threads walk over the text together (Thompson), so no text and no
-- pattern can make it slow.  What only a backtracking matcher can do (\1, look-around) is refused by name.
local M = {}

local MAX_STEPS <const> = 4000            -- of a program: `(a{9}){9}` grows
local MAX_DEPTH <const> = 100             -- groups in groups
local LAST <const> = 0x10FFFF

---@class rille.Regex
---@field private kinds string[]          what each step does: set, split, jump, start, finish, edge, inside, done
---@field private built integer         nodes that became part of it
---@field private args any[]              ranges of a set, or where a split or a jump leads
local Regex = {}
Regex.__index = Regex

-- Ranges of code points: { from, to, from, to, … } in order.
local DIGIT <const> = { 48, 57 }
local WORD <const> = { 48, 57, 65, 90, 95, 95, 97, 122 }
local SPACE <const> = { 9, 13, 32, 32, 160, 160, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F,
  0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF }
local NEWLINE <const> = { 10, 10, 13, 13, 0x2028, 0x2029 }

local function inverted(ranges)
  local out, from = {}, 0
  for i = 1, #ranges, 2 do
    if ranges[i] > from then out[#out + 1], out[#out + 2] = from, ranges[i] - 1 end
    from = ranges[i + 1] + 1
  end
  if from <= LAST then out[#out + 1], out[#out + 2] = from, LAST end
  return out
end

local CLASSES <const> = { d = DIGIT, D = inverted(DIGIT), w = WORD, W = inverted(WORD), s = SPACE, S = inverted(SPACE) }
local CONTROLS <const> = { t = 9, n = 10, v = 11, f = 12, r = 13 }

--- Ranges in any order -> in order, those that touch made one.
local function merged(ranges)
  local pairs_of = {}
  for i = 1, #ranges, 2 do pairs_of[#pairs_of + 1] = { ranges[i], ranges[i + 1] } end
  table.sort(pairs_of, function(a, b) return a[1] < b[1] end)
  local out = {}
  for _, range in ipairs(pairs_of) do
    if #out > 0 and range[1] <= out[#out] + 1 then
      out[#out] = math.max(out[#out], range[2])
    else
      out[#out + 1], out[#out + 2] = range[1], range[2]
    end
  end
  return out
end

local function contains(ranges, code)
  for i = 1, #ranges, 2 do
    if code < ranges[i] then return false end
    if code <= ranges[i + 1] then return true end
  end
  return false
end

-- -- reading ---------------------------------------------------------------------------------------------------------
-- A node is { kind, … }: set ranges | list nodes | either nodes | many node least most | start finish edge inside.

local Reader = {}
Reader.__index = Reader

local function fail(reader, what) error({ problem = what, at = reader.at }, 0) end

function Reader:peek(ahead) return self.chars[self.at + (ahead or 0)] end

function Reader:take(char)
  if self:peek() ~= char then return false end
  self.at = self.at + 1
  return true
end

function Reader:next()
  local char = self:peek()
  self.at = self.at + 1
  return char
end

--- A number of hexadecimal digits, exactly so many.
function Reader:hex(count)
  local text = table.concat(self.chars, "", self.at, math.min(self.at + count - 1, #self.chars))
  if #text ~= count or text:find "%X" then fail(self, ("%d hexadecimal digits are missing"):format(count)) end
  self.at = self.at + count
  return tonumber(text, 16)
end

local function unicode_escape(reader)
  if reader:take "{" then
    local digits = {}
    while reader:peek() and reader:peek() ~= "}" do digits[#digits + 1] = reader:next() end
    local code = tonumber(table.concat(digits), 16)
    if not reader:take "}" or not code or code > LAST then fail(reader, "\\u{…} is no character") end
    return code
  end
  local high = reader:hex(4)
  if high < 0xD800 or high > 0xDBFF or reader:peek() ~= "\\" or reader:peek(1) ~= "u" then return high end
  reader.at = reader.at + 2
  local low = reader:hex(4)
  if low < 0xDC00 or low > 0xDFFF then fail(reader, "half of a surrogate pair") end
  return 0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00
end

--- What follows a backslash: ranges of a class, or nil and a code point.
local function escape(reader)
  local char = reader:next()
  if char == nil then fail(reader, "it ends with a backslash") end
  if CLASSES[char] then return CLASSES[char] end
  if CONTROLS[char] then return nil, CONTROLS[char] end
  if char == "u" then return nil, unicode_escape(reader) end
  if char == "x" then return nil, reader:hex(2) end
  if char == "c" then
    local letter = reader:next() or ""
    if not letter:find "^%a$" then fail(reader, "\\c wants a letter") end
    return nil, letter:byte() % 32
  end
  if char == "0" and not (reader:peek() or ""):find "^%d$" then return nil, 0 end
  if char:find "^%d$" or char == "k" then fail(reader, "references back to a group are not supported") end
  if char:find "^%a$" then fail(reader, ("\\%s is not supported"):format(char)) end
  return nil, utf8.codepoint(char)
end

--- One end of a range in brackets, or a class: ranges, or nil and a code point.
local function class_atom(reader)
  local char = reader:next()
  if char == nil then fail(reader, "a set does not end: ] is missing") end
  if char ~= "\\" then return nil, utf8.codepoint(char) end
  if reader:take "b" then return nil, 8 end
  return escape(reader)
end

local function read_class(reader)
  local negative, ranges = reader:take "^", {}
  while not reader:take "]" do
    local class, from = class_atom(reader)
    if class then
      table.move(class, 1, #class, #ranges + 1, ranges)
    elseif reader:peek() == "-" and reader:peek(1) ~= "]" and reader:peek(1) ~= nil then
      reader:next()
      local _, to = class_atom(reader)
      if not to or to < from then fail(reader, "a range in brackets is in the wrong order") end
      ranges[#ranges + 1], ranges[#ranges + 2] = from, to
    else
      ranges[#ranges + 1], ranges[#ranges + 2] = from, from
    end
  end
  ranges = merged(ranges)
  return { "set", negative and inverted(ranges) or ranges }
end

local read_either

local function read_group(reader)
  if reader:take "?" then
    if reader:take "<" then
      if reader:peek() == "=" or reader:peek() == "!" then fail(reader, "look-behind is not supported") end
      while reader:peek() and reader:peek() ~= ">" do reader:next() end
      reader:next()
    elseif not reader:take ":" then
      local ahead = reader:peek() == "=" or reader:peek() == "!"
      fail(reader, ahead and "look-ahead is not supported" or "(? begins nothing that is known")
    end
  end
  reader.depth = reader.depth + 1
  if reader.depth > MAX_DEPTH then fail(reader, "groups are nested too deep") end
  local node = read_either(reader)
  reader.depth = reader.depth - 1
  if not reader:take ")" then fail(reader, "a group does not end: ) is missing") end
  return node
end

local function read_atom(reader)
  local char = reader:next()
  if char == "(" then return read_group(reader) end
  if char == "[" then return read_class(reader) end
  if char == "." then return { "set", inverted(NEWLINE) } end
  if char == "^" then return { "start" } end
  if char == "$" then return { "finish" } end
  if char == "\\" then
    if reader:take "b" then return { "edge" } end
    if reader:take "B" then return { "inside" } end
    local class, code = escape(reader)
    return { "set", class or { code, code } }
  end
  if char:find "^[*+?{}%]]$" then fail(reader, ("%s stands alone; \\%s is the character"):format(char, char)) end
  local code = utf8.codepoint(char)
  return { "set", { code, code } }
end

--- How often: least and most (nil: any number), or nothing.
local function read_count(reader)
  if reader:take "*" then return 0, nil end
  if reader:take "+" then return 1, nil end
  if reader:take "?" then return 0, 1 end
  if not reader:take "{" then return end
  local text = {}
  while reader:peek() and reader:peek() ~= "}" do text[#text + 1] = reader:next() end
  local least, comma, most = table.concat(text):match "^(%d+)(,?)(%d*)$"
  if not reader:take "}" or not least or comma == "" and most ~= "" then fail(reader, "{…} is no count") end
  least, most = tonumber(least), comma == "" and tonumber(least) or tonumber(most)
  if least > MAX_STEPS or most and most > MAX_STEPS then fail(reader, "a count is too large") end
  if most and most < least then fail(reader, "a count is in the wrong order") end
  return least, most
end

local function read_list(reader)
  local nodes = { "list" }
  while reader:peek() and reader:peek() ~= "|" and reader:peek() ~= ")" do
    local node = read_atom(reader)
    local least, most = read_count(reader)
    if least then
      reader:take "?"                       -- as few as possible: the same texts match
      node = { "many", node, least, most }
    end
    nodes[#nodes + 1] = node
  end
  return nodes
end

function read_either(reader)
  local nodes = { "either", read_list(reader) }
  while reader:take "|" do nodes[#nodes + 1] = read_list(reader) end
  return #nodes == 2 and nodes[2] or nodes
end

-- -- the program -----------------------------------------------------------------------------------------------------

local function emit(program, kind, argument)
  local at = #program.kinds + 1
  if at > MAX_STEPS then error({ problem = "it is too large", at = 1 }, 0) end
  program.kinds[at], program.args[at] = kind, argument or false
  return at
end

local build

local BUILD = {
  list = function(program, node)
    for i = 2, #node do build(program, node[i]) end
  end,
  either = function(program, node)
    local jumps = {}
    for i = 2, #node do
      local split = i < #node and emit(program, "split")
      build(program, node[i])
      if split then
        jumps[#jumps + 1] = emit(program, "jump")
        program.args[split] = #program.kinds + 1
      end
    end
    for _, jump in ipairs(jumps) do program.args[jump] = #program.kinds + 1 end
  end,
  many = function(program, node)
    local inner, least, most = node[2], node[3], node[4]
    for _ = 1, least do build(program, inner) end
    if not most then
      local split = emit(program, "split")
      build(program, inner)
      emit(program, "jump", split)
      program.args[split] = #program.kinds + 1
      return
    end
    local splits = {}
    for i = 1, most - least do
      splits[i] = emit(program, "split")
      build(program, inner)
    end
    for _, split in ipairs(splits) do program.args[split] = #program.kinds + 1 end
  end,
}

function build(program, node)
  program.built = program.built + 1                       -- counts repeat even what becomes no step
  if program.built > MAX_STEPS then error({ problem = "it is too large", at = 1 }, 0) end
  local make = BUILD[node[1]]
  if make then return make(program, node) end
  emit(program, node[1], node[2])
end

--- Compile a pattern.
---@param pattern string  UTF-8
---@return rille.Regex?
---@return string? problem  what is wrong with it, and where
function M.compile(pattern)
  local chars = {}
  for _, code in utf8.codes(pattern) do chars[#chars + 1] = utf8.char(code) end
  local reader = setmetatable({ chars = chars, at = 1, depth = 0 }, Reader)
  local program = setmetatable({ kinds = {}, args = {}, built = 0 }, Regex)
  local ok, e = pcall(function()
    local node = read_either(reader)
    if reader:peek() then fail(reader, "a group ends that did not begin") end
    build(program, node)
    emit(program, "done")
  end)
  if ok then return program end
  if type(e) ~= "table" or not e.problem then error(e, 0) end
  return nil, ("%s (character %d)"):format(e.problem, math.max(1, math.min(e.at - 1, #chars)))
end

-- -- matching --------------------------------------------------------------------------------------------------------

local function is_word(code) return code ~= nil and contains(WORD, code) end

-- Whether a step that reads nothing lets a thread pass between two characters.
local PASSES = {
  start = function(_, at) return at == 1 end,
  finish = function(codes, at) return at == #codes + 1 end,
  edge = function(codes, at) return is_word(codes[at - 1]) ~= is_word(codes[at]) end,
  inside = function(codes, at) return is_word(codes[at - 1]) == is_word(codes[at]) end,
}

--- Let a thread begin at a step and go as far as it can without reading; true when it is done.
local function enter(self, threads, seen, codes, at, step)
  local kinds, args, waiting = self.kinds, self.args, { step }
  while #waiting > 0 do
    step = table.remove(waiting)
    if seen[step] ~= at then
      seen[step] = at
      local kind = kinds[step]
      if kind == "done" then return true end
      if kind == "set" then
        threads[#threads + 1] = step
      elseif kind == "jump" then
        waiting[#waiting + 1] = args[step]
      elseif kind == "split" then
        waiting[#waiting + 1] = step + 1
        waiting[#waiting + 1] = args[step]
      elseif PASSES[kind](codes, at) then
        waiting[#waiting + 1] = step + 1
      end
    end
  end
  return false
end

--- Is there a match anywhere in the text?
---@param text string  UTF-8; what is not matches nothing
---@return boolean
function Regex:finds(text)
  if not utf8.len(text) then return false end
  local codes = {}
  for _, code in utf8.codes(text) do codes[#codes + 1] = code end
  local threads, seen = {}, {}
  for at = 1, #codes + 1 do
    local code, following = codes[at], {}
    if enter(self, threads, seen, codes, at, 1) then return true end
    for _, step in ipairs(threads) do
      if code and contains(self.args[step], code) and enter(self, following, seen, codes, at + 1, step + 1) then
        return true
      end
    end
    threads = following
  end
  return false
end

return M
