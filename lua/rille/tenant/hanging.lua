--- tenant.hanging: rows that hang on a tenant's by what the models say alone, where no column and no foreign key says
-- it to the database: a move does not know them, and would leave them behind.
local Error = require "rille.error"
local Link = require "rille.relation.link"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"

local M = {}

-- Kinds of relations by which others refer to a model's rows.
local HANG <const> = { has_one = true, has_many = true, morph_one = true, morph_many = true, belongs_to_many = true,
  morph_to_many = true, morphed_by_many = true }

--- The relation, or nil for one that cannot be read, as where its tables are not there: no rows hang on that.
local function link_of(class, name)
  local ok, link = pcall(Link.of, class, name)
  if ok then return link end
  if not Error.is(link) then Error.again(link) end
end

--- The table whose rows hang on those of the model, its columns that say on which, and what they say besides.
local function holder_of(link)
  local middle = link.middle
  if middle then return middle.table, middle.near, middle.fixed end
  return link.related._def.table, link.far, link.fixed
end

--- SQL, with values: the row c is one that the relation finds for the row p.
local function found_by(link, columns, fixed)
  local parts, values = { Moved.matches("c", columns, "p", link.near) }, {}
  for name, value in next, fixed do
    parts[#parts + 1] = ("c.%s = ?"):format(Name.quote(name))
    values[#values + 1] = value
  end
  return table.concat(parts, " and "), values
end

local function count(plan, side, i, link)
  local holder, columns, fixed = holder_of(link)
  local at = plan.at[holder:lower()]
  if at and plan[at].column or not side.db:describe(holder) then return 0, holder end
  local condition, values = found_by(link, columns, fixed)
  local sql = ("select count(*) as n from %s as c where exists (select 1 from %s as p where %s and %s)%s"):format(
    side:place(holder), side:place(plan[i].name), condition, side:meant(i, "p"),
    at and (" and not (%s)"):format(side:meant(at, "c")) or "")
  return side.db:_query(sql, table.unpack(values))[1].n, holder
end

--- How many rows of which tables would be left behind by those that are marked.
---@param plan rille.MovedTable[]
---@param side rille.MoveSide
---@return rille.Reference[]
function M.left_behind(plan, side)
  local list, seen = {}, {}
  for _, class in next, require "rille.model".declared do
    local def = class._def
    local i = plan.at[def.table:lower()]
    for _, name in ipairs(i and require "rille.keys"(def.relations) or {}) do
      local link = HANG[def.relations[name].kind] and link_of(class, name)
      local rows, holder = 0, nil
      if link then rows, holder = count(plan, side, i, link) end
      local place = holder and holder .. "\0" .. plan[i].name
      if rows > 0 and not seen[place] then
        list[#list + 1], seen[place] = { table = holder, parent = plan[i].name, rows = rows }, true
      end
    end
  end
  table.sort(list, function(a, b) return a.table .. a.parent < b.table .. b.parent end)
  return list
end

return M
