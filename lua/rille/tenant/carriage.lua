--- tenant.carriage: the rows of each table that a move brings: the tenant's, and those of everybody's that they
-- need.  How they are brought and compared is in the folder of this name: attached.lua where one connection has both
-- sides, staged.lua where no SQL sees both.
local Name = require "rille.schema.name"
local Needed = require "rille.tenant.needed"

local M = {}

local quote = Name.quote

---@class rille.Carriage
---@field name string
---@field columns { name: string }[]
---@field references? string[][]  of everybody's: the keys that others refer to
---@field identity? string[]    of everybody's: by which its rows are told apart
---@field seen? rille.Carried   what the source had when look() was called
---@field stage? fun(self)      brings the rows to where they wait in the target
---@field look fun(self)        adds up the source's rows
---@field sum fun(self): rille.Carried    of the target's rows
---@field differences fun(self): string[]  what only one side has, or both differently, in words
---@field coming fun(self): string  SQL: the rows to come, as the target sees them

--- A carriage for each table that moves, and for each one of everybody's of which rows are needed, in an order in which
--- these refer to those before them.
---@param plan rille.MovedTable[]
---@param from rille.MoveSide
---@param to rille.MoveSide
---@return rille.Carriage[] own
---@return rille.Carriage[] others
---@return boolean circles  see Side:order
function M.load(plan, from, to)
  local own, others = {}, {}
  local new = require("rille.tenant.carriage." .. (from.db == to.db and "attached" or "staged")).new
  for i, each in ipairs(plan) do
    own[i] = new(from, to, each.name, "rille_stage_" .. i, from:meant(i, quote(each.name)),
      to:meant(i, quote(each.name)))
  end
  local order, circles = to:order(plan.others, true)
  for at, k in ipairs(order) do
    local each = plan.others[k]
    others[at] = new(from, to, each.name, "rille_shared_" .. k, Needed.is_meant(plan, k, quote(each.name)))
    others[at].references, others[at].identity = each.references, each.identity
  end
  return own, others, circles
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
