--- pretty: any Lua value as text: keys sorted, nested tables indented, depth and number of items limited.
local text = require "rille.cli.text"

local M = {}

M.MAX_DEPTH, M.MAX_ITEMS, M.MAX_BYTES = 5, 50, 2000

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do KEYWORDS[word] = true end

--- First bytes of a text, not cut inside a character.
---@param value string
---@param bytes integer
---@return string start
---@return boolean cut
function M.clip(value, bytes)
  if #value <= bytes then return value, false end
  local last = bytes
  while last > 0 and (value:byte(last + 1) & 0xC0) == 0x80 and bytes - last < 4 do last = last - 1 end
  return value:sub(1, last), true
end

--- A text in double quotes, with everything a terminal would obey escaped.
---@param value string
---@return string
function M.quoted(value)
  local start, cut = M.clip(value, M.MAX_BYTES)
  local shown = text.escape((start:gsub('[\\"]', "\\%0")))
  return '"' .. shown .. (cut and ('…" (%d bytes)'):format(#value) or '"')
end

local RANK = { boolean = 2, number = 1, string = 3 }

local function before(a, b)
  local x, y = RANK[type(a)] or 4, RANK[type(b)] or 4
  if x ~= y then return x < y end
  if x == 1 or x == 3 then return a < b end
  return tostring(a) < tostring(b)
end

--- Keys in the order they are shown: numbers, then names.
local function sorted_keys(value, length)
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  return keys
end

local format

local function format_key(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not KEYWORDS[key] then return key end
  return "[" .. format(key, 1, {}, math.huge) .. "]"
end

--- The items of a table as texts, at most MAX_ITEMS of them.
local function items_of(value, depth, seen, width)
  local out, length = {}, rawlen(value)
  local keys = sorted_keys(value, length)
  for i = 1, math.min(length, M.MAX_ITEMS) do
    out[i] = format(rawget(value, i), depth + 1, seen, width)
  end
  for i = 1, math.min(#keys, M.MAX_ITEMS - #out) do
    out[#out + 1] = format_key(keys[i]) .. " = " .. format(rawget(value, keys[i]), depth + 1, seen, width)
  end
  local more = length + #keys - #out
  if more > 0 then out[#out + 1] = ("… %d more"):format(more) end
  return out
end

local function format_table(value, depth, seen, width)
  if seen[value] then return "<the same table again>" end
  if next(value) == nil then return "{}" end
  if depth > M.MAX_DEPTH then return "{…}" end
  seen[value] = true
  local items = items_of(value, depth, seen, width - 2)
  seen[value] = nil
  local line = "{ " .. table.concat(items, ", ") .. " }"
  if width == math.huge or (text.width(line) <= width and not line:find "\n") then return line end
  local indent = ("  "):rep(depth)
  return "{\n" .. indent .. table.concat(items, ",\n" .. indent) .. "\n" .. ("  "):rep(depth - 1) .. "}"
end

local function format_function(value)
  local info = debug.getinfo(value, "S")
  if info.what == "C" then return "<built-in function>" end
  return text.escape(("<function %s:%d>"):format(info.short_src, info.linedefined))
end

--- The value's own idea of its text, which may fail as any code of a user may.
local function format_own(value)
  local ok, own = pcall(tostring, value)
  return ok and text.escape(own, true) or "<" .. type(value) .. " whose __tostring fails>"
end

function format(value, depth, seen, width)
  local kind = type(value)
  if kind == "string" then return M.quoted(value) end
  if kind == "function" then return format_function(value) end
  if kind == "table" then
    local meta = getmetatable(value)
    if type(meta) ~= "table" or rawget(meta, "__tostring") == nil then
      return format_table(value, depth, seen, width)
    end
  end
  if kind == "table" or kind == "userdata" or kind == "thread" then return format_own(value) end
  return tostring(value)
end

--- The value as text; several lines when one of `width` columns is not enough.
---@param value any
---@param width? number  one line when absent
---@return string
function M.format(value, width)
  return format(value, 1, {}, width or math.huge)
end

return M
