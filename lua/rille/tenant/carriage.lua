--- tenant.carriage: the rows of each table that a move brings: the tenant's, and those of everybody's that they refer
-- to.  How they are brought and compared is in the folder of this name: attached.lua where one connection has both
-- sides, staged.lua where no SQL sees both.
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"

local M = {}

local quote = Name.quote

---@class rille.Carriage
---@field name string
---@field columns { name: string }[]
---@field references? string[]  of everybody's: the key that the tenant's rows refer to
---@field seen? rille.Carried   what the source had when look() was called
---@field stage? fun(self)      brings the rows to where they wait in the target
---@field look fun(self)        adds up the source's rows
---@field sum fun(self): rille.Carried    of the target's rows
---@field differences fun(self): string[]  what only one side has, or both differently, in words
---@field coming fun(self): string  SQL: the rows to come, as the target sees them

--- A carriage for each table that moves, and for each foreign key to one of everybody's.
---@param plan rille.MovedTable[]
---@param from rille.MoveSide
---@param to rille.MoveSide
---@return rille.Carriage[] own
---@return rille.Carriage[] others
function M.load(plan, from, to)
  local own, others = {}, {}
  local new = require("rille.tenant.carriage." .. (from.db == to.db and "attached" or "staged")).new
  for i, each in ipairs(plan) do
    own[i] = new(from, to, each.name, "rille_stage_" .. i, from:meant(i, quote(each.name)),
      to:meant(i, quote(each.name)))
    for _, key in ipairs(each.shared) do
      local target = quote(key.table)
      local other = new(from, to, key.table, "rille_shared_" .. #others + 1,
        ("exists (select 1 from %s as c where %s and %s)"):format(from:place(each.name), from:meant(i, "c"),
          Moved.matches("c", key.columns, target, key.references)))
      other.references = key.references
      others[#others + 1] = other
    end
  end
  return own, others
end

--- Those of everybody's in an order in which they refer to those before them.
---@param others rille.Carriage[]
---@param to rille.MoveSide
---@return rille.Carriage[] ordered
---@return boolean circles  see Side:order
function M.in_order(others, to)
  local list, by_name = { at = {} }, {}
  for _, each in ipairs(others) do
    local name = each.name:lower()
    if not by_name[name] then
      list[#list + 1], by_name[name] = { name = each.name }, {}
      list.at[name] = #list
    end
    table.insert(by_name[name], each)
  end
  local order, circles = to:order(list, true)
  local ordered = {}
  for _, i in ipairs(order) do
    local same = by_name[list[i].name:lower()]
    table.move(same, 1, #same, #ordered + 1, ordered)
  end
  return ordered, circles
end

--- Has the target, of whatever is marked there, what was seen in the source?
---@param own rille.Carriage[]
---@return boolean
---@return rille.Carriage? other  the first of which it has other rows
function M.are_same(own)
  for _, each in ipairs(own) do
    local there = each:sum()
    if there.rows ~= each.seen.rows or there.digest ~= each.seen.digest then return false, each end
  end
  return true
end

--- Of sums of all tables, as one text.
---@param sums rille.Carried[]
---@return string
function M.digest(sums)
  local parts = {}
  for i, sum in ipairs(sums) do parts[i] = ("%d:%s"):format(sum.rows, sum.digest) end
  return table.concat(parts, " ")
end

return M
