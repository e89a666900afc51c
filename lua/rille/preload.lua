--- preload: relations of many records, each in one statement: those a query says with `with`, and those that are read.
-- Records that came together are loaded together.  What was loaded is kept with the record, nothing and the empty list
-- too; see record_relate in core/bind/record_api.c.
local core = require "rille.core"
local Error = require "rille.error"
local Link = require "rille.relation.link"
local List = require "rille.list"
local Rows = require "rille.relation.rows"

local null, op = core.null, core.op
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

-- -- matching -------------------------------------------------------------------------------------------------------

-- A key of several columns as one text: each part says its length, so that no two keys are alike.
local function joined_key(values)
  local parts = {}
  for i, value in ipairs(values) do
    local text = tostring(value)
    parts[i] = #text .. (type(value) == "string" and "s" or "n") .. text
  end
  return table.concat(parts)
end

--- The key of each parent in the order of the parents (false: a part is NULL), and the values that are to be found.
local function keys_of(parents, columns)
  local read, keys, values, seen = core.record_value, {}, {}, {}
  for i = 1, #columns do values[i] = {} end
  if #columns == 1 then
    local column, list = columns[1], values[1]
    for i = 1, #parents do
      local value = read(parents[i], column)
      keys[i] = value or false
      if value and not seen[value] then
        seen[value] = true
        list[#list + 1] = value
      end
    end
    return keys, values
  end
  for i = 1, #parents do
    local key = {}
    for c, column in ipairs(columns) do key[c] = read(parents[i], column) or nil end
    local complete = #key == #columns
    for c = 1, complete and #columns or 0 do
      seen[c] = seen[c] or {}
      if not seen[c][key[c]] then
        seen[c][key[c]] = true
        values[c][#values[c] + 1] = key[c]
      end
    end
    keys[i] = complete and joined_key(key) or false
  end
  return keys, values
end

--- The key of each row from the lists of its parts.
local function keys_of_rows(count, lists)
  if #lists == 1 then return lists[1] end
  local keys, key = {}, {}
  for i = 1, count do
    for c = 1, #lists do key[c] = lists[c][i] end
    keys[i] = joined_key(key)
  end
  return keys
end

-- -- statements -----------------------------------------------------------------------------------------------------

local function says(query, ...)
  while query do
    for i = 1, select("#", ...) do
      if query[3] == (select(i, ...)) then return true end
    end
    query = query[2]
  end
  return false
end

--- The caller's part of the query.
local function constrained(link, query, fn)
  if not fn then return query end
  local made = fn(query)
  if made == nil then made = query end
  if not require "rille.query".is_query(made) or made[1] ~= query[1] then
    Error.argument(("with: %s"):format(link.name), "a function that returns the query it was given", made,
      "is a `return` missing?")
  end
  return made
end

--- One row for each parent where one is wanted, and limits that count for each parent.
local function limited(link, query, keys, class)
  local one = not link.many and link.kind ~= "belongs_to" and link.kind ~= "morph_to"
  local ordered = says(query, op.order, op.order_raw, op.order_random)
  if one and ordered and not says(query, op.limit) then query = query:limit(1) end
  if not says(query, op.limit, op.offset) then return query end
  local Query = require "rille.query"
  for _, name in ipairs(class._info.primary) do query = query:order_by(class._def.table .. "." .. name) end
  return Query.node(query, op.per, keys)
end

--- Ask for the columns that say whose a row is; how many outputs that adds.
local function with_keys(link, query, keys)
  local names, outputs = {}, {}
  if not link.middle and not says(query, op.select, op.add_select, op.select_raw, op.select_query) then
    for i, column in ipairs(link.far) do names[i] = column end
    return query, names, 0
  end
  if not says(query, op.select) then query = query:select(link.related._def.table .. ".*") end
  for i, key in ipairs(keys) do
    names[i] = "rille_key_" .. i
    outputs[i] = key .. " as " .. names[i]
  end
  for _, column in ipairs(link.middle and link.middle.pivot or {}) do
    names[#names + 1] = "rille_pivot_" .. column
    outputs[#outputs + 1] = Rows.middle_column(link, column) .. " as " .. names[#names]
  end
  return query:add_select(outputs), names, #outputs
end

--- The name of the output by which rows of a relation with a table in the middle are known again; nil where each is
--- met once, or is another one by its pivot.
local function shared_output(link, query)
  if not link.middle or link.middle.pivot then return nil end
  local primary = link.related._info.primary
  if #primary ~= 1 or says(query, op.select, op.select_raw, op.add_select, op.select_query, op.group_by) then
    return nil
  end
  return primary[1]
end

--- Give each record what its pivot says.
local function add_pivots(link, rows, lists)
  local pivot = link.middle and link.middle.pivot
  if not pivot then return end
  local near = link.middle.near
  local first = #near
  for i, row in ipairs(rows) do
    local values = {}
    for k = 1, first do values[near[k]] = lists[k][i] end
    for p, column in ipairs(pivot) do
      local value = lists[first + p][i]
      if value ~= null then values[column] = value end
    end
    relate(row, "pivot", values)
  end
end

--- The rows of a relation for some keys: the list of records, and the key of each.
local function fetch(link, class, values, fn)
  local keys = Rows.keys(link, class)
  local query = Rows.all(link, class):sealed(function(q)
    for i, key in ipairs(keys) do q = q:where_in(key, values[i]) end
    return q
  end)
  query = constrained(link, query, fn)
  if not says(query, op.order, op.order_raw, op.order_random, op.reorder) then query = Rows.ordered(link, query) end
  local shared = shared_output(link, query:unlimited())
  query = limited(link, query, keys, class)
  local asked, names, extra = with_keys(link, query, keys)
  names.shared = shared
  local Ends = require "rille.query.ends"
  local results = table.pack(Ends.run(asked, "related", names, extra))
  local rows, lists = results[1], table.move(results, 2, #keys + 1, 1, {})
  add_pivots(link, rows, table.move(results, 2, results.n, 1, {}))
  Ends.preload(query, rows)
  return rows, keys_of_rows(#rows, lists)
end

-- -- loading --------------------------------------------------------------------------------------------------------

--- Keep the rows of all parents as long as one of these lives, so that the rows know each other.
local function keep_children(parents, name, rows)
  local origin = core.record_origin(parents[1])
  if not origin then return end
  origin[CHILDREN] = origin[CHILDREN] or {}
  origin[CHILDREN][name] = rows
end

local function assign(link, parents, keys, rows, row_keys)
  local by_key, name = {}, link.name
  if link.many then
    for i = 1, #rows do
      local list = by_key[row_keys[i]]
      if list then list[#list + 1] = rows[i] else by_key[row_keys[i]] = List.wrap { rows[i] } end
    end
    for i = 1, #parents do relate(parents[i], name, by_key[keys[i]] or List.wrap {}) end
  else
    for i = 1, #rows do
      if by_key[row_keys[i]] == nil then by_key[row_keys[i]] = rows[i] end
    end
    for i = 1, #parents do relate(parents[i], name, by_key[keys[i]] or false) end
  end
end

--- Load what morphs to several models, a statement for each of these.
local function load_morphs(link, parents, entry)
  local groups, order = {}, {}
  for _, parent in ipairs(parents) do
    local kind = core.record_value(parent, link.type_column)
    if kind and not groups[kind] then
      groups[kind] = {}
      order[#order + 1] = kind
    end
    if kind then table.insert(groups[kind], parent) else relate(parent, link.name, false) end
  end
  for _, kind in ipairs(order) do
    local class, members = Link.morph(link, kind), groups[kind]
    local target = setmetatable({ related = class, far = require "rille.model".info(class).primary }, {
      __index = link,
    })
    local keys, values = keys_of(members, link.near)
    local rows, row_keys = fetch(target, class, values, entry and entry.fn)
    assign(target, members, keys, rows, row_keys)
    keep_children(members, link.name .. ":" .. kind, rows)
    if entry then M.load_wanted(rows, class, entry.inner, true) end
  end
end

--- Load a relation of records of one model.
---@param parents rille.Record[]
---@param class rille.Model
---@param name string
---@param entry? { fn: function?, inner: rille.Wanted }
function M.load_one(parents, class, name, entry)
  local link = Link.of(class, name)
  if link.kind == "morph_to" then return load_morphs(link, parents, entry) end
  local keys, values = keys_of(parents, link.near)
  local rows, row_keys = {}, {}
  if #values[1] > 0 then rows, row_keys = fetch(link, link.related, values, entry and entry.fn) end
  assign(link, parents, keys, rows, row_keys)
  keep_children(parents, name, rows)
  if entry then M.load_wanted(rows, link.related, entry.inner) end
end

--- Raise for names that are no relations, before anything is read.
---@param class rille.Model
---@param wanted rille.Wanted
function M.check(class, wanted)
  for _, name in ipairs(wanted) do
    local link = Link.of(class, name)
    if link.related then M.check(link.related, wanted[name].inner) end
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

--- Load relations of records of one model, and what these lead to.
---@param records rille.Record[]
---@param class rille.Model
---@param wanted rille.Wanted
---@param lenient? boolean  records behind a morph: leave out relations that their model lacks
function M.load_wanted(records, class, wanted, lenient)
  if #wanted == 0 or #records == 0 then return end
  records = distinct(records)
  for _, name in ipairs(wanted) do
    if not (lenient and not class._def.relations[name]) then M.load_one(records, class, name, wanted[name]) end
  end
end

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
  for _, class in ipairs(order) do
    M.check(class, wanted)
    M.load_wanted(groups[class], class, wanted)
  end
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
        if #lacking > 0 then M.load_one(distinct(lacking), class, name, { fn = entry.fn, inner = {} }) end
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
  local batch = origin and origin[BATCH] and origin[BATCH][1]
  local list, found = {}, false
  for i = 1, batch and #batch or 0 do
    local each = batch[i]
    if is_record(each) and each._class == class and related(each, name) == nil then
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
