--- relation.write: a relation of one record, as a query that can write too: post:relation("tags"):attach(3).
-- What is written is written whole or not at all, and the relation is read anew afterwards.
local core = require "rille.core"
local Error = require "rille.error"
local Link = require "rille.relation.link"
local Match = require "rille.match"
local Pivot = require "rille.relation.pivot"
local Query = require "rille.query"
local Rows = require "rille.relation.rows"

local value_of, relate, is_record = core.record_value, core.record_relate, core.is_record
local M = {}

local HAS = { has_one = true, has_many = true, morph_one = true, morph_many = true }
local TO = { belongs_to = true, morph_to = true }
local MANY_TO_MANY = { belongs_to_many = true, morph_to_many = true, morphed_by_many = true }

--- A record of a tenant is written and read from only as that tenant's.
local function check_tenant(record)
  local class = record._class
  local of_tenant = class._def.guard or class._def.infos
  if of_tenant and core.record_exists(record) then require "rille.guard".check_parents(class, { record }) end
end

-- -- the query ------------------------------------------------------------------------------------------------------

--- The model that a relation of this record leads to; nil when a morph says none.
local function target_of(link, record)
  if link.kind ~= "morph_to" then return link.related end
  local kind = value_of(record, link.type_column)
  return kind and Link.morph(link, kind) or nil
end

--- The first node of a relation's query.
local function root_of(link, record, class)
  require "rille.model".info(class)
  local of = class._def.root
  return Query.root(setmetatable({
    of[1], meta = M.meta(class), relation = { link = link, record = record },
    marked = link.middle ~= nil and link.middle.pivot ~= nil or nil,
  }, { __index = of }))
end

--- The relation of a record, as a query of its rows with the methods below.
---@param record rille.Record
---@param name string
---@return rille.Query
function M.query(record, name)
  local link = Link.of(record._class, name)
  local class = target_of(link, record)
  check_tenant(record)
  if not class then                         -- a morph that is not set: nothing is found, but it can be associated
    return Query.node(root_of(link, record, record._class), core.op.constant, 0, false)
  end
  if link.kind == "morph_to" then link = Link.toward(link, class) end
  local values, complete = {}, true
  for i, column in ipairs(link.near) do
    values[i] = value_of(record, column)
    complete = complete and values[i] ~= nil
  end
  local query = Rows.all(link, class, root_of(link, record, class)):sealed(function(q)
    if not complete then return Query.node(q, core.op.constant, 0, false) end
    for i, key in ipairs(Rows.keys(link, class)) do q = q:where(key, values[i]) end
    return q
  end)
  return Rows.ordered(link, Query.node(query, core.op.unfiltered))     -- a relation is a condition
end

-- -- what a record must be ------------------------------------------------------------------------------------------

local function parts(query)
  local relation = query[1].relation
  return relation.link, relation.record
end

--- The relation is of a kind that the method writes.
local function check_kind(query, word, kinds)
  local link, record = parts(query)
  if kinds[link.kind] then return link, record end
  local known = require "rille.keys"(kinds)
  Link.fail(link, "unsupported", ("%s writes %s, and this one is %s"):format(word, table.concat(known, ", "),
    link.kind), { hint = link.middle and link.middle.class
      and ("write the %s themselves"):format(link.middle.table) or nil })
end

local function check_saved(link, record, word)
  if not core.record_exists(record) then
    Link.fail(link, "invalid_argument", ("%s: the %s has not been saved, so nothing can refer to it"):format(word,
      record._class._def.name), { hint = "save it first" })
  end
  return record
end

local function check_related(link, class, word, value)
  if not is_record(value) or value._class ~= class then
    Link.fail(link, "invalid_argument", ("%s wants a %s, got %s"):format(word, class and class._def.name or "record",
      is_record(value) and "a " .. value._class._def.name or Error.show(value)), {
      hint = TO[link.kind] and not is_record(value)
        and ("a key is assigned to %s"):format(table.concat(link.near, ", ")) or nil,
    })
  end
  check_tenant(value)
  return value
end

-- -- has_one, has_many, morph_one, morph_many ------------------------------------------------------------------------

local function adopt(link, record, child)
  for i, column in ipairs(link.near) do child[link.far[i]] = value_of(record, column) end
  for column, value in next, link.fixed do child[column] = value end
  return child
end

-- -- belongs_to, morph_to -------------------------------------------------------------------------------------------

--- Make the record refer to another one, or with nil to none; it is written when the record is saved.
local function associate(link, record, other)
  local far = link.far
  if other ~= nil then
    if link.kind == "belongs_to" then
      check_related(link, link.related, "associate", other)
    elseif is_record(other) then
      check_tenant(other)
    else
      check_related(link, nil, "associate", other)
    end
    check_saved(link, other, "associate")
    far = far or Link.toward(link, other._class).far
  end
  for i, column in ipairs(link.near) do
    local value = core.null
    if other ~= nil then value = value_of(other, far[i]) end
    record[column] = value
  end
  if link.type_column then
    record[link.type_column] = other ~= nil and Link.morph_name(other._class) or core.null
  end
  relate(record, link.name, other or false)
  return record
end

--- post.author = user
---@param record rille.Record
---@param class rille.Model
---@param name string
---@param value rille.Record|nil
function M.assign(record, class, name, value)
  local link = Link.of(class, name)
  if not TO[link.kind] then
    Link.fail(link, "invalid_argument", ("a %s cannot be assigned"):format(link.kind), {
      hint = ('record:relation(%q) writes it'):format(name),
    })
  end
  if value == core.null then value = nil end
  associate(link, record, value)
end

-- -- the methods ----------------------------------------------------------------------------------------------------

local Methods = {}

--- Create a related record; with a table in the middle it is attached.
---@param attributes? table
---@param pivot? table   columns of the table in the middle
---@return rille.Record|nil
---@return rille.Error? err
function Methods:create(attributes, pivot)
  local link, record = parts(self)
  if MANY_TO_MANY[link.kind] then
    check_saved(link, record, "create")
    return Pivot.with_new(link, record, link.related:new(attributes), pivot)
  end
  check_kind(self, "create", HAS)
  check_saved(link, record, "create")
  local child, err = adopt(link, record, link.related:new(attributes)):save()
  if not child then return nil, err end
  Pivot.changed(link, record)
  return child
end

--- Save a record as a related one.
---@param child rille.Record
---@param pivot? table
---@return rille.Record|nil
---@return rille.Error? err
function Methods:save(child, pivot)
  local link, record = parts(self)
  check_related(link, link.related, "save", child)
  if MANY_TO_MANY[link.kind] then
    check_saved(link, record, "save")
    return Pivot.with_new(link, record, child, pivot)
  end
  check_kind(self, "save", HAS)
  check_saved(link, record, "save")
  local saved, err = adopt(link, record, child):save()
  if not saved then return nil, err end
  Pivot.changed(link, record)
  return saved
end

--- Save several, all or none.
---@param children rille.Record[]
---@return rille.List|nil
---@return rille.Error? err
function Methods:save_many(children)
  Match.check_list("save_many", "a list of records", children)
  return Match.all_or_none(parts(self).handle, "save_many", children, function(child)
    return Methods.save(self, child)
  end)
end

--- Create several related records, all or none.
---@param list table[]    attributes
---@param pivots? table[]  columns of the table in the middle, for each
---@return rille.List|nil
---@return rille.Error? err  of the first that was refused; its `index` says which one it is
function Methods:create_many(list, pivots)
  Match.check_list("create_many", "a list of tables", list)
  if pivots ~= nil then Match.check_list("create_many", "a list of tables for the pivot", pivots) end
  return Match.all_or_none(parts(self).handle, "create_many", list, function(attributes, i)
    return Methods.create(self, attributes, pivots and pivots[i])
  end)
end

--- A related record that is not saved.  With a table in the middle it is not attached either: `save` does both.
---@param attributes? table
---@return rille.Record
function Methods:new(attributes)
  local link, record = parts(self)
  if MANY_TO_MANY[link.kind] then return link.related:new(attributes) end
  check_kind(self, "new", HAS)
  check_saved(link, record, "new")
  return adopt(link, record, link.related:new(attributes))
end

--- Raise unless the relation can look for a record and create it.
local function check_match(self, word, match, values)
  local link, record = parts(self)
  if not MANY_TO_MANY[link.kind] then check_kind(self, word, HAS) end
  check_saved(link, record, word)
  Match.check(word, match, values)
  return link, record
end

--- The first related record that fits, or a new one that is not saved.
---@return rille.Record
function Methods:first_or_new(match, values)
  check_match(self, "first_or_new", match, values)
  return self:where(match):first() or Methods.new(self, Match.merged(match, values))
end

--- Look for a related record, and what to do where there is none: with a table in the middle one that is not related
--- yet is attached.
local function matching(self, word, match, values, pivot)
  local link, record = check_match(self, word, match, values)
  local function look() return self:where(match):first() end
  local function create()
    local other = MANY_TO_MANY[link.kind] and link.related:where(match):first()
    if not other then return Methods.create(self, Match.merged(match, values), pivot) end
    if word == "update_or_create" then
      local updated, err = other:update(values or {})
      if not updated then return nil, err end
    end
    Pivot.attach(link, record, other, pivot)
    return other
  end
  local trashed = link.related._def.soft_deletes and function() return self:only_trashed():where(match):first() end
  return link.handle, look, create, trashed or nil
end

--- The first related record that fits, or one that is created; two at once create one.
---@param match table
---@param values? table
---@param pivot? table  columns of the table in the middle, for one that is attached
---@return rille.Record|nil
---@return rille.Error? err
function Methods:first_or_create(match, values, pivot)
  return Match.first_or_create(matching(self, "first_or_create", match, values, pivot))
end

--- Update the first related record that fits, or create one; two at once create one.
---@param match table
---@param values? table
---@param pivot? table  columns of the table in the middle, for one that is attached
---@return rille.Record|nil
---@return rille.Error? err
function Methods:update_or_create(match, values, pivot)
  local handle, look, create, trashed = matching(self, "update_or_create", match, values, pivot)
  return Match.update_or_create(handle, look, values, create, trashed)
end

--- Refer to another record; written when the record is saved.
---@param other rille.Record
---@return rille.Record record
function Methods:associate(other)
  local link, record = check_kind(self, "associate", TO)
  if other == nil then Error.argument("associate", "a record", nil, "dissociate() refers to none") end
  return associate(link, record, other)
end

--- Refer to none; written when the record is saved.
---@return rille.Record record
function Methods:dissociate()
  local link, record = check_kind(self, "dissociate", TO)
  return associate(link, record, nil)
end

for _, word in ipairs { "attach", "detach", "sync", "toggle", "update_existing_pivot" } do
  Methods[word] = function(self, ...)
    local link, record = check_kind(self, word, MANY_TO_MANY)
    check_saved(link, record, word)
    return Pivot[word](link, record, ...)
  end
end

local metas = setmetatable({}, { __mode = "k" })       -- by the metatable of the model's queries, for scopes may come

--- The metatable of relations to a model: its queries' methods, and those above.
---@param class rille.Model
---@return table
function M.meta(class)
  local def = class._def
  local meta = metas[def.root.meta]
  if not meta then
    meta = Query.meta(def.scopes, def.name)
    for name, method in next, Methods do meta.__index[name] = method end
    metas[def.root.meta] = meta
  end
  return meta
end

return M
