--- preload: relations of many records, each in one statement: those a query says with `with`, and those that are read.
-- Records that came together are loaded together.  What was loaded is kept with the record, nothing and the empty list
-- too; see core/bind/record_relation.c.
local core = require "rille.core"
local Error = require "rille.error"
local Event = require "rille.record.event"
local Link = require "rille.relation.link"
local List = require "rille.list"
local Read = require "rille.relation.read"

local relate, related, is_record = core.record_relate, core.record_related, core.is_record
local BATCH <const>, CHILDREN <const> = 3, 4        -- of a record's origin, see core/bind/record.h

local M = {}

-- -- what to load ---------------------------------------------------------------------------------------------------

---@alias rille.Wanted table<string, { fn: function?, inner: rille.Wanted }>

local function want(wanted, path, fn)
  local first, rest = path:match "^([^.]+)%.?(.*)$"
  if not first then Error.argument("with", 'the name of a relation, or a path such as "comments.author"', path) end
  local entry = wanted[first]
  if not entry then
    entry = { inner = {} }
    wanted[first] = entry
    wanted[#wanted + 1] = first
  end
  if rest ~= "" then return want(entry.inner, rest, fn) end
  if fn then entry.fn = fn end
end

--- Relations by name from what `with` was given: names, paths, and tables of name = function of the query.
---@param wanted rille.Wanted  gets them
---@param ... any
---@return rille.Wanted
function M.want(wanted, ...)
  for i = 1, select("#", ...) do
    local said = (select(i, ...))
    if type(said) == "string" then
      want(wanted, said)
    elseif type(said) == "table" and getmetatable(said) == nil then
      local names = {}
      for key, value in next, said do
        if math.type(key) == "integer" and type(value) == "string" then
          want(wanted, value)
        elseif type(key) == "string" and type(value) == "function" then
          names[#names + 1] = key
        else
          Error.argument("with", "names of relations, and name = function of its query", value)
        end
      end
      table.sort(names)
      for _, name in ipairs(names) do want(wanted, name, said[name]) end
    else
      Error.argument("with", "the name of a relation", said)
    end
  end
  return wanted
end

-- -- loading --------------------------------------------------------------------------------------------------------

--- Keep the rows of all parents as long as one of these lives, so that the rows know each other.
local function keep_children(parents, name, rows)
  local origin = core.record_origin(parents[1])
  if not origin then return end
  origin[CHILDREN] = origin[CHILDREN] or {}
  origin[CHILDREN][name] = rows
end

--- Records that belong to no tenant are shared by all: what a relation gave them is one tenant's view.
local function mark_of(parent)
  if parent == nil or next(core.tenants) == nil or parent._class._def.guard then return nil end
  return require "rille.tenant".mark()
end

--- A relation that is to be read of some records.
---@class rille.Asked
---@field link rille.Link
---@field class rille.Model        whose rows it gives
---@field parents rille.Record[]
---@field kept_as string           the name under which the rows know each other
---@field inner? rille.Wanted      what is to be loaded of the rows
---@field lenient? boolean         ... as far as their model has it

--- One relation, by its keys; nothing is read where no parent has one.
local function ask(asked, link, class, parents, entry, kept_as, lenient)
  local folds = Link.folds(link, class)
  local keys, values = Read.keys_of(parents, link.near, folds)
  local each = { link = link, class = class, parents = parents, keys = keys, folds = folds, kept_as = kept_as,
    inner = entry.inner, lenient = lenient }
  if #values[1] > 0 then each.read, each.query = Read.ask(link, class, values, entry.fn) end
  asked[#asked + 1] = each
end

--- What morphs to several models: a statement for each of these.
local function ask_morphs(asked, link, parents, entry)
  local groups, order = {}, {}
  for _, parent in ipairs(parents) do
    local kind = core.record_value(parent, link.type_column)
    if kind and not groups[kind] then
      groups[kind] = {}
      order[#order + 1] = kind
    end
    if kind then table.insert(groups[kind], parent) else relate(parent, link.name, false, mark_of(parent)) end
  end
  for _, kind in ipairs(order) do
    local class = Link.morph(link, kind)
    ask(asked, Link.toward(link, class), class, groups[kind], entry, link.name .. ":" .. kind, true)
  end
end

local function ask_one(asked, parents, class, name, entry)
  local link = Link.of(class, name)
  if class._def.guard or class._def.infos then require "rille.guard".check_parents(class, parents) end
  if link.kind == "morph_to" then return ask_morphs(asked, link, parents, entry) end
  ask(asked, link, link.related, parents, entry, name)
end

--- Is this the last that is read: does nothing hang on what comes, and hears nobody of it?
local function is_last(asked)
  local wanted_of = require "rille.query.ends".wanted_of
  for _, each in ipairs(asked) do
    if each.inner and #each.inner > 0 or each.query and wanted_of(each.query) or Event.any(each.class._def) then
      return false
    end
  end
  return true
end

--- Read what was asked for, and give it to the parents.
local function take(asked, closing)
  local reads = {}
  for _, each in ipairs(asked) do reads[#reads + 1] = each.read end
  local results, at = require "rille.query.run".together(reads, closing and is_last(asked) and closing or nil), 0
  for _, each in ipairs(asked) do
    local row_keys = {}
    each.rows = {}
    if each.read then
      at = at + 1
      each.rows, row_keys = Read.take(each.link, each.class, results[at], each.folds)
    end
    core.record_deal(each.parents, each.keys, each.rows, row_keys, each.link.name, each.link.many and List or nil,
      mark_of(each.parents[1]))
    keep_children(each.parents, each.kept_as, each.rows)
  end
end

--- Each record once, for rows that are shared stand in a list several times.
local function distinct(records)
  local seen, list = {}, {}
  for _, record in ipairs(records) do
    if not seen[record] then
      seen[record] = true
      list[#list + 1] = record
    end
  end
  return list
end

--- What is to be loaded of the rows that came: what their query says, and what stood behind the relation's name.
local function behind(asked)
  local level, wanted_of = {}, require "rille.query.ends".wanted_of
  for _, each in ipairs(asked) do
    local said = each.query and wanted_of(each.query)
    local once = not (each.read and each.read[3].shared)
    if said then level[#level + 1] = { records = each.rows, class = each.class, wanted = said, once = once } end
    if each.inner then
      level[#level + 1] = { records = each.rows, class = each.class, wanted = each.inner, lenient = each.lenient,
        once = once }
    end
  end
  return level
end

--- Records of one model, and what is to be loaded of them.
---@class rille.Level
---@field records rille.Record[]
---@field class rille.Model
---@field wanted rille.Wanted
---@field lenient? boolean  the records stand behind a morph: relations that their model lacks are left out
---@field once? boolean     no record stands there twice

--- Load relations, and what these lead to: those of a level do not know of each other, and are read together.
---@param level rille.Level[]
---@param closing? rille.Handle  whose transaction was begun for this, and ends with it
local function load_level(level, closing)
  local asked = {}
  for _, each in ipairs(level) do
    local records = #each.wanted == 0 and {} or each.once and each.records or distinct(each.records)
    for _, name in ipairs(#records > 0 and each.wanted or {}) do
      if not (each.lenient and not each.class._def.relations[name]) then
        ask_one(asked, records, each.class, name, each.wanted[name])
      end
    end
  end
  if #asked == 0 then return end
  take(asked, closing)
  return load_level(behind(asked), closing)
end

--- Load relations of records of one model, as one query gave them, and what these lead to.
---@param records rille.Record[]  each once
---@param class rille.Model
---@param wanted rille.Wanted
---@param closing? rille.Handle  as of load_level
function M.load_wanted(records, class, wanted, closing)
  load_level({ { records = records, class = class, wanted = wanted, once = true } }, closing)
end

--- Load a relation of records of one model.
---@param parents rille.Record[]
---@param class rille.Model
---@param name string
---@param fn? function  of its query
function M.load_one(parents, class, name, fn)
  local asked = {}
  ask_one(asked, parents, class, name, { fn = fn })
  take(asked)
  load_level(behind(asked))
end

-- -- what is checked before -----------------------------------------------------------------------------------------

--- Behind a morph a relation is loaded where a model has it, and one must.
local function check_behind_morph(link, inner)
  local known = {}
  for _, class in ipairs(#inner > 0 and require "rille.autoload".load_all() or {}) do
    for name in next, class._def.relations do known[name] = true end
  end
  for _, name in ipairs(inner) do
    if not known[name] then
      Link.fail(link, "no_such_relation", ("no model has a relation %q"):format(name), {
        hint = Error.did_you_mean(name, require "rille.keys"(known)),
      })
    end
  end
end

--- Raise for names that are no relations, before anything is read.
---@param class rille.Model
---@param wanted rille.Wanted
function M.check(class, wanted)
  for _, name in ipairs(wanted) do
    local link = Link.of(class, name)
    if link.related then
      M.check(link.related, wanted[name].inner)
    else
      check_behind_morph(link, wanted[name].inner)
    end
  end
end

-- -- lists ----------------------------------------------------------------------------------------------------------

--- Records by their models, in order.
local function by_class(where, records)
  local groups, order = {}, {}
  for i = 1, #records do
    local record = records[i]
    if not is_record(record) then
      Error.raise("invalid_argument", ("%s: element %d is no record"):format(where, i), {
        hint = "plain rows have no relations",
      })
    end
    local class = record._class
    if not groups[class] then
      groups[class] = {}
      order[#order + 1] = class
    end
    table.insert(groups[class], record)
  end
  return groups, order
end

--- Load relations of a list, again if they had been loaded.
---@param list rille.Record[]
---@param ... any  as `with` takes them
function M.load(list, ...)
  local wanted = M.want({}, ...)
  local groups, order = by_class("load", list)
  local level = {}
  for i, class in ipairs(order) do
    M.check(class, wanted)
    level[i] = { records = groups[class], class = class, wanted = wanted }
  end
  load_level(level)
end

--- Load relations of a list where they have not been loaded.
---@param list rille.Record[]
---@param ... any  as `with` takes them
function M.load_missing(list, ...)
  local function load(records, wanted)
    local groups, order = by_class("load_missing", records)
    for _, class in ipairs(order) do
      for _, name in ipairs(wanted) do
        local lacking, entry = {}, wanted[name]
        Link.of(class, name)
        for _, record in ipairs(groups[class]) do
          if related(record, name) == nil then lacking[#lacking + 1] = record end
        end
        if #lacking > 0 then M.load_one(distinct(lacking), class, name, entry.fn) end
        local inner = {}
        for _, record in ipairs(groups[class]) do
          local value = related(record, name)
          if is_record(value) then inner[#inner + 1] = value end
          if getmetatable(value) == List then table.move(value, 1, #value, #inner + 1, inner) end
        end
        if #entry.inner > 0 and #inner > 0 then load(distinct(inner), entry.inner) end
      end
    end
  end
  load(list, M.want({}, ...))
end

-- -- reading a relation that was not loaded -------------------------------------------------------------------------

local MODES = { batch = true, single = true, error = true }
local mode = "batch"

--- What reading a relation does that was not loaded: load it for all records that came together ("batch"), for this one
--- alone ("single"), or raise ("error").  Without an argument only says which it is.
---@param wanted? "batch"|"single"|"error"
---@return string before
function M.lazy_loading(wanted)
  local before = mode
  if wanted ~= nil then
    if not MODES[wanted] then
      Error.argument("lazy_loading", '"batch", "single" or "error"', wanted, Error.did_you_mean(wanted, { "batch",
        "single", "error" }))
    end
    mode = wanted
  end
  return before
end

--- The records that came with this one and lack the relation, this one among them.
local function company(record, class, name)
  local origin = mode == "batch" and core.record_origin(record)
  local batch = origin and origin[BATCH]
  local list, found = {}, false
  for i = 1, batch and batch.n or 0 do
    local each = batch[i]                            -- nil: nobody holds it any more
    if each and each._class == class and related(each, name) == nil then
      list[#list + 1] = each
      found = found or each == record
    end
  end
  if not found then return { record } end
  return distinct(list)
end

--- What a relation gives that has not been loaded.
---@param record rille.Record
---@param class rille.Model
---@param name string
---@return any  nil for none
function M.lazy(record, class, name)
  if mode == "error" then
    Error.raise("missing_attribute", ("%s.%s has not been loaded, and loading when read is switched off"):format(
      class._def.name, name), {
      model = class._def.name, hint = ('with("%s"), or record:load("%s")'):format(name, name),
    })
  end
  M.load_one(company(record, class, name), class, name)
  return related(record, name) or nil
end

return M
