--- tenant.needed: what a tenant's rows need of everybody's when they move: the rows that they refer to, and those that
-- these refer to.
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"

local M = {}

-- A table of everybody's of which rows are referred to, by those that move or by others of everybody's.
---@class rille.SharedTable
---@field name string
---@field identity string[]      columns by which its rows are told apart
---@field references string[][]  columns by which others refer to it
---@field from { key: rille.MovedKey, moved: integer?, shared: integer? }[]  who refers to it: a table of the plan, or
---  another one of everybody's

local function refer(others, side, key, from)
  local at = others.at[key.table:lower()]
  if not at then
    local description = side.db:describe(key.table)
    if not description then return end                       -- SQLite lets a key lead to no table
    at = #others + 1
    others[at] = { name = description.name, references = {}, from = {},
      identity = #description.primary > 0 and description.primary or key.references }
    others.at[key.table:lower()] = at
  end
  from.key = key
  table.insert(others[at].from, from)
  others[at].references = Moved.all_keys(others[at].references, { key.references })
end

--- Everybody's tables that those of a plan refer to, and those that these refer to; `at` finds one by its name.
---@param plan table  as Moved.plan gives it
---@param side rille.MoveSide
---@return rille.SharedTable[]
function M.tables(plan, side)
  local others = { at = {} }
  for i, each in ipairs(plan) do
    for _, key in ipairs(each.shared) do refer(others, side, key, { moved = i }) end
  end
  local k = 1
  while others[k] do
    for _, key in ipairs(plan.keys_of[others[k].name] or {}) do refer(others, side, key, { shared = k }) end
    k = k + 1
  end
  return others
end

local function set_of(k) return "rille_needed_" .. k end

--- SQL: a row of everybody's table number k is one that is needed, as M.mark found out.
---@param plan table    its `others` are those of M.tables
---@param k integer
---@param alias string  what the row is called
---@return string
function M.is_meant(plan, k, alias)
  local identity = plan.others[k].identity
  return ("exists (select 1 from %s as n where %s)"):format(set_of(k), Moved.matches("n", identity, alias, identity))
end

--- Add the rows to a set that one reference leads to; how many there are.
local function take(plan, side, k, from)
  local each, key = plan.others[k], from.key
  local identity, source = Name.quote_all(each.identity), from.moved and plan[from.moved] or plan.others[from.shared]
  local is_reason = from.moved and side:meant(from.moved, "c") or M.is_meant(plan, from.shared, "c")
  return side.db:_execute(([[insert into %s (%s) select %s from %s as p where exists (select 1 from %s as c
    where %s and %s) and not %s]]):format(set_of(k), identity, identity, side:place(each.name),
    side:place(source.name), Moved.matches("c", key.columns, "p", key.references), is_reason,
    M.is_meant(plan, k, "p"))).changes
end

--- Find those rows, in a transaction in which the tenant's are marked.
---@param plan table
---@param side rille.MoveSide
function M.mark(plan, side)
  for k, each in ipairs(plan.others) do
    local set, identity = set_of(k), Name.quote_all(each.identity)
    side.db:_execute(("create temp table if not exists %s%s as select %s from %s limit 0"):format(set,
      side.SHORT_LIVED, identity, side:place(each.name)))
    side.db:_execute(("create unique index if not exists %s on %s (%s)"):format(set .. "_key", set, identity))
    side.db:_execute("delete from " .. set)
  end
  local more
  repeat
    more = 0
    for k, each in ipairs(plan.others) do
      for _, from in ipairs(each.from) do more = more + take(plan, side, k, from) end
    end
  until more == 0
end

-- SQL: the row that the row c refers to will be in the target; nil where the source's database sees to it.
local function is_there(side, key)
  local matches = Moved.matches("c", key.columns, "p", key.references)
  if key.to then
    matches = ("%s and %s"):format(matches, side:meant(key.to, "p"))
  elseif side.db.driver ~= "sqlite" then
    return nil
  elseif not side.db:describe(key.table) then
    return "false"
  end
  return ("exists (select 1 from %s as p where %s)"):format(side:place(key.table), matches)
end

--- Which of the marked rows, and of those that they need, refer to rows that will not be there: for there are none, or
--- they stay.
---@param plan table
---@param side rille.MoveSide
---@return rille.Reference[]
function M.missing(plan, side)
  local list = {}
  local function look(name, is_meant)
    for _, key in ipairs(plan.keys_of[name] or {}) do
      local parts, found = { is_meant }, is_there(side, key)
      for i, column in ipairs(key.columns) do parts[i + 1] = ("c.%s is not null"):format(Name.quote(column)) end
      local rows = found and side.db:_query(("select count(*) as n from %s as c where %s and not %s"):format(
        side:place(name), table.concat(parts, " and "), found))[1].n or 0
      if rows > 0 then list[#list + 1] = { table = name, parent = key.table, rows = rows } end
    end
  end
  for i, each in ipairs(plan) do look(each.name, side:meant(i, "c")) end
  for k, each in ipairs(plan.others) do look(each.name, M.is_meant(plan, k, "c")) end
  return list
end

return M
