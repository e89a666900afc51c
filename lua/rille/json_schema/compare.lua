--- compare: how the text of one JSON Schema differs from another one's, in words.
local Json = require "rille.json"
local Place = require "rille.json_schema.place"
local Test = require "rille.json_schema.test"

local M = {}

local MAX_WORDS <const> = 20

local function shown(value)
  local text = Json.encode(value)
  return #text <= 60 and text or require "rille.core".shown(text, 60)
end

local function compare(words, old, new, pointer)
  if Test.canonical(old) == Test.canonical(new) then return end
  if Place.kind_of(old) ~= "object" or Place.kind_of(new) ~= "object" then
    words[#words + 1] = ("%s is %s instead of %s"):format(pointer, shown(new), shown(old))
    return
  end
  local names = {}
  for _, each in ipairs { old, new } do
    for name in next, each do names[name] = true end
  end
  for _, name in ipairs(require "rille.keys"(names)) do
    local here = Place.at(pointer, name)
    if old[name] == nil then
      words[#words + 1] = ("%s is new: %s"):format(here, shown(new[name]))
    elseif new[name] == nil then
      words[#words + 1] = ("%s is gone: %s"):format(here, shown(old[name]))
    else
      compare(words, old[name], new[name], here)
    end
  end
end

--- What differs, as pointers with both values; none when both say the same.
---@param old string  JSON
---@param new string
---@return string[]
function M.words(old, new)
  local words = {}
  compare(words, Json.decode(old), Json.decode(new), "#")
  if #words > MAX_WORDS then
    words[MAX_WORDS] = ("and %d more"):format(#words - MAX_WORDS + 1)
    words = table.move(words, 1, MAX_WORDS, 1, {})
  end
  return words
end

return M
