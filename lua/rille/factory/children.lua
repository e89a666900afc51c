--- factory.children: related records for those of a run, one relation after the other, and each for all of them.
local core = require "rille.core"
local Error = require "rille.error"
local Factory = require "rille.factory"
local Link = require "rille.relation.link"
local List = require "rille.list"
local Pivot = require "rille.relation.pivot"
local sorted_keys = require "rille.keys"

local NOTHING <const> = {}
local value_of = core.record_value

local M = {}

local HAS = { has_one = true, has_many = true, morph_one = true, morph_many = true }
local MANY_TO_MANY = { belongs_to_many = true, morph_to_many = true, morphed_by_many = true }

--- Can `has` make records of that kind of relation?
local function check_kind(link, entry)
  if MANY_TO_MANY[link.kind] then return end
  if not HAS[link.kind] then
    Link.fail(link, "unsupported", ("has() makes no records of a %s"):format(link.kind), {
      hint = link.middle and ("a factory of the %s that has some, in its turn"):format(link.middle.table)
        or ("belonging_to(record, %q) says what each belongs to"):format(link.name),
    })
  elseif entry.records then
    Link.fail(link, "invalid_argument", ("has() attaches records that are there to many-to-many relations; a %s "
      .. "wants a number or a factory"):format(link.kind))
  elseif entry.pivot then
    Link.fail(link, "invalid_argument", ("a %s has no table in the middle, and no pivot"):format(link.kind))
  end
end

local function factory_of(link, entry)
  local name, factory = link.related._def.name, entry.factory
  if factory and factory._name ~= name then
    Link.fail(link, "invalid_argument", ("has() wants a factory of %s, got one of %s"):format(name, factory._name))
  end
  factory = factory or Factory.define(name)
  return entry.state and factory:state(entry.state) or factory
end

local function same_names(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return false end
  end
  return true
end

--- The relation by which the children belong to their parent, where they have one: then they know it without a read.
local function inverse_of(link)
  local def, kind = link.related._def, next(link.fixed) and "morph_to" or "belongs_to"
  for _, name in ipairs(sorted_keys(def.relations)) do
    local declared = def.relations[name]
    if declared.kind == kind and (kind == "morph_to" or declared.model == link.parent._def.name) then
      local back = Link.of(link.related, name)
      local same = same_names(back.near, link.far) and (kind == "morph_to" or same_names(back.far, link.near))
      if same then return name end
    end
  end
end

--- What the parent decides of its child.
local function keys_of(link, parent)
  local keys = {}
  for i, column in ipairs(link.near) do keys[link.far[i]] = value_of(parent, column) end
  for column, value in next, link.fixed do keys[column] = value end
  return keys
end

--- What a run must know of the parents of its records; nothing where they decide nothing of them.
local function parents_for(run, link, parents, each)
  local function parent_of(n) return parents[(n - 1) // each + 1] end
  local fields = { saves = run.saves, recycled = run.recycled, via = link.name,
    turn = function(n) return (n - 1) % each + 1 end }
  if not HAS[link.kind] then return fields end
  local inverse = inverse_of(link)
  if run.saves then
    fields.inverse, fields.parent = inverse, parent_of
    fields.keys = function(n) return keys_of(link, parent_of(n)) end
  elseif inverse then                    -- a parent that has no key yet is referred to in memory
    fields.keys = function(n) return { [inverse] = parent_of(n) } end
  end
  return fields
end

local function share_of(children, place, each)
  return List.wrap(table.move(children, (place - 1) * each + 1, place * each, 1, {}))
end

--- Columns of the table in the middle for the n-th record of a parent.
local function pivot_of(link, entry, n)
  local pivot = entry.pivot
  if type(pivot) == "function" then pivot = pivot(n) end
  if pivot ~= nil and type(pivot) ~= "table" then
    Link.fail(link, "invalid_argument", ("has(): the function for the pivot returned no table but %s"):format(
      Error.show(pivot)))
  end
  return pivot or NOTHING
end

--- Rows of the table in the middle, for all parents at once.
local function attach(link, parents, entry, share)
  local wanted = {}
  for place, parent in ipairs(parents) do
    local list = {}
    for i, child in ipairs(share(place)) do
      local item = { child }
      for name, value in next, pivot_of(link, entry, i) do item[name] = value end
      list[i] = item
    end
    wanted[place] = { parent, list }
  end
  Pivot.attach_each(link, wanted)
end

--- Whatever was read of the relation before is read anew.
local function forget(link, parents)
  for _, parent in ipairs(parents) do
    if core.record_related(parent, link.name) ~= nil then Pivot.changed(link, parent) end
  end
end

--- Make what an entry of `has` says, for all records of the run.
---@param run rille.FactoryRun
---@param parents rille.Record[]
---@param entry table       of Factory:has
---@param make function     maker.run
---@return boolean|nil
---@return rille.Error? err
function M.make(run, parents, entry, make)
  local link = Link.of(run.class, entry.relation)
  check_kind(link, entry)
  local children, each, err
  if entry.records then
    children = entry.records
  else
    local factory = factory_of(link, entry)
    each = entry.count or factory._count or 1
    if each > 1 and not link.many then
      Link.fail(link, "invalid_argument", ("a %s is one record, not %d"):format(link.kind, each))
    end
    children, err = make(factory, #parents * each, parents_for(run, link, parents, each))
    if not children then return nil, err end
  end
  local function share(place)
    if entry.records then return share_of(children, 1, #children) end
    return share_of(children, place, each)
  end
  if not run.saves then
    for place, parent in ipairs(parents) do
      local list = share(place)
      core.record_relate(parent, link.name, link.many and list or list[1] or false)
    end
    return true
  end
  if MANY_TO_MANY[link.kind] then attach(link, parents, entry, share) end
  forget(link, parents)
  return true
end

return M
