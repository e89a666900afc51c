--- relation: what a model may say about others: `author = rille.belongs_to("User", { … })`.
-- A declaration only keeps what was said.  Which tables and columns it means is found when it is first used
-- (relation/link.lua), so that files may refer to each other.
local Error = require "rille.error"

local M = {}

-- Kind -> the options it takes; `related` says what stands before them.
local COMMON = { "foreign_key", "local_key", "order_by", "where" }
local PIVOT = { "pivot", "foreign_key", "local_key", "related_key", "owner_key", "with_pivot", "timestamps", "order_by",
  "where" }
local THROUGH = { "first_key", "second_key", "local_key", "second_local_key", "order_by", "where" }

local KINDS = {
  belongs_to = { "model", many = false, options = { "foreign_key", "owner_key", "where" } },
  has_one = { "model", many = false, options = COMMON },
  has_many = { "model", many = true, options = COMMON },
  belongs_to_many = { "model", many = true, options = PIVOT },
  has_one_through = { "model", "through", many = false, options = THROUGH },
  has_many_through = { "model", "through", many = true, options = THROUGH },
  morph_to = { many = false, options = { "name", "where" } },
  morph_one = { "model", "name", many = false, options = { "local_key", "order_by", "where" } },
  morph_many = { "model", "name", many = true, options = { "local_key", "order_by", "where" } },
  morph_to_many = { "model", "name", many = true, options = PIVOT },
  morphed_by_many = { "model", "name", many = true, options = PIVOT },
}

local WHAT = {
  model = "the name of a model", through = "the name of the model between", name = "the name of the morph",
}
local LISTS = { foreign_key = true, local_key = true, owner_key = true, related_key = true, first_key = true,
  second_key = true, second_local_key = true }

---@class rille.RelationDeclaration
---@field kind string
---@field many boolean
---@field model? string    the related one
---@field through? string  the model between
---@field name? string     of a morph
---@field options table
---@field place string     the file and line that says it
local Declaration = { __name = "rille.Relation" }
Declaration.__index = Declaration

local HOME <const> = debug.getinfo(1, "S").source:match "^(.*)relation%.lua$" or "@?"

--- Where the caller of `rille.has_many` stands, or of `Post:has_many`.
local function place()
  for level = 3, 30 do
    local info = debug.getinfo(level, "Sl")
    if not info then break end
    if info.currentline > 0 and not info.source:find "^=" and info.source:sub(1, #HOME) ~= HOME then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
  end
  return "?"
end

--- A name, or the class itself.
local function name_of(where, what, value)
  local def = type(value) == "table" and rawget(value, "_def")
  if def then return def.name end
  if type(value) ~= "string" or value == "" then Error.argument(where, what, value) end
  return value
end

local function check_key(where, option, value)
  if type(value) == "string" and value ~= "" then return { value } end
  if type(value) ~= "table" or #value == 0 then
    Error.argument(("%s: %s"):format(where, option), "the name of a column, or a list of them", value)
  end
  for _, name in ipairs(value) do
    if type(name) ~= "string" then Error.argument(("%s: %s"):format(where, option), "names of columns", name) end
  end
  return table.move(value, 1, #value, 1, {})
end

local DIRECTIONS = { asc = true, desc = true }

local function check_order(where, value)
  local list = type(value) == "string" and { value } or value
  if type(list) ~= "table" or type(list[1]) ~= "string" or list[2] ~= nil and not DIRECTIONS[list[2]]
    or #list > 2 then
    Error.argument(where .. ": order_by", '"column" or { "column", "desc" }', value)
  end
  return { list[1], list[2] or "asc" }
end

local CHECKS = {
  where = function(where, value)
    if type(value) ~= "function" and type(value) ~= "table" then
      Error.argument(where .. ": where", "a table of column = value, or a function of the query", value)
    end
    return value
  end,
  with_pivot = function(where, value)
    if value == true then return {} end                        -- the keys alone
    return check_key(where, "with_pivot", value)
  end,
  timestamps = function(where, value)
    if type(value) ~= "boolean" then Error.argument(where .. ": timestamps", "true or false", value) end
    return value
  end,
  pivot = function(where, value) return name_of(where .. ": pivot", "the name of a table", value) end,
  name = function(where, value) return name_of(where .. ": name", "the name of the morph", value) end,
  order_by = check_order,
}

local function declare(kind, ...)
  local rules = KINDS[kind]
  local self = setmetatable({ kind = kind, many = rules.many, options = {}, place = place() }, Declaration)
  for i, field in ipairs(rules) do self[field] = name_of(kind, WHAT[field], (select(i, ...))) end
  local options = select(#rules + 1, ...)
  if type(options) == "string" then
    Error.argument(kind, "a table of options", options,
      kind == "morph_to" and "a name of its own is { name = … }" or nil)
  end
  for option, value in next, Error.options(kind, options, rules.options) do
    if CHECKS[option] then
      self.options[option] = CHECKS[option](kind, value)
    elseif LISTS[option] then
      self.options[option] = check_key(kind, option, value)
    end
  end
  return self
end

--- Kind -> what declares one of it.
M.constructors = {}
for kind in next, KINDS do
  M[kind] = function(...) return declare(kind, ...) end
  M.constructors[kind] = M[kind]
end

--- A declaration?
---@param value any
---@return boolean
function M.is(value) return getmetatable(value) == Declaration end

return M
