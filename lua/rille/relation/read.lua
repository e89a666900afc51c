--- relation.read: the statement that reads a relation for many parents at once, and which row belongs to which of them.
local core = require "rille.core"
local Rows = require "rille.relation.rows"

local null, op = core.null, core.op
local relate = core.record_relate

local M = {}

-- -- matching -------------------------------------------------------------------------------------------------------

-- A key as one value: of several columns a text, in which each part says its length, so that no two keys are alike.
local function one_key(values)
  if #values == 1 then return values[1] end
  local parts = {}
  for i, value in ipairs(values) do
    local text = tostring(value)
    parts[i] = #text .. (type(value) == "string" and "s" or "n") .. text
  end
  return table.concat(parts)
end

--- The value as it is compared.
local function folded(value, fold)
  if fold and type(value) == "string" then return fold(value) end
  return value
end

--- The key of each parent in the order of the parents (false: a part is NULL), and the values that are to be found.
---@param parents rille.Record[]
---@param columns string[]
---@param folds (false|function)[]  how the database compares them, as Link.folds gives them
---@return any[] keys
---@return any[][] values  of each column
function M.keys_of(parents, columns, folds)
  if #columns == 1 and not folds[1] then
    local keys, values = core.record_keys(parents, columns[1])
    return keys, { values }
  end
  local read, keys, values, seen = core.record_value, {}, {}, {}
  for i = 1, #columns do values[i] = {} end
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
    for c = 1, #key do key[c] = folded(key[c], folds[c]) end
    keys[i] = complete and one_key(key) or false
  end
  return keys, values
end

--- The key of each row from the lists of its parts.
local function keys_of_rows(count, lists, folds)
  if #lists == 1 and not folds[1] then return lists[1] end
  local keys, key = {}, {}
  for i = 1, count do
    for c = 1, #lists do key[c] = folded(lists[c][i], folds[c]) end
    keys[i] = one_key(key)
  end
  return keys
end

-- -- statements -----------------------------------------------------------------------------------------------------

--- Does the query say one of these, beyond `start`, with which it began?
local function says_beyond(query, start, ...)
  while query ~= start do
    for i = 1, select("#", ...) do
      if query[3] == (select(i, ...)) then return true end
    end
    query = query[2]
  end
  return false
end

local function says(query, ...) return says_beyond(query, false, ...) end

--- The column by which rows are put in order first, where it is one of their table.
local function first_order(query, table_name)
  local first
  while query do
    local kind = query[3]
    if kind == op.order_raw or kind == op.order_random then return nil end
    if kind == op.order then first = query[4] end
    if kind == op.reorder then break end
    query = query[2]
  end
  local of, name = (first or ""):match "^(.*)%.([^.]+)$"
  if of then return of == table_name and name or nil end
  return first
end

--- Has the related table an index by the key of the parents and then in that order?  The rows of each parent are read
--- along it then, and no more of them than are wanted.
local function has_index(link, class, column)
  local handle, kept = require "rille.model".info(class).handle, link.ordered_by
  if not column or link.middle or #link.far ~= 1 or not handle:engine().reads_laterally then return false end
  if not kept or kept.handle ~= handle or kept.version ~= handle.version then
    kept = { handle = handle, version = handle.version, columns = {} }
    for _, index in ipairs(handle:described(class._def.table).indexes) do
      local columns = index.columns
      if columns[1] == link.far[1] and columns[2] and not index.partial and not index.expressions then
        kept.columns[columns[2]] = true
      end
    end
    link.ordered_by = kept
  end
  return kept.columns[column] == true
end

--- One row for each parent where one is wanted, and limits that count for each parent.
local function limited(link, query, keys, class)
  local one = not link.many and link.kind ~= "belongs_to" and link.kind ~= "morph_to"
  local ordered = says(query, op.order, op.order_raw, op.order_random)
  if one and ordered and not says(query, op.limit) then query = query:limit(1) end
  if not says(query, op.limit, op.offset) then return query end
  local Query = require "rille.query"
  for _, name in ipairs(require "rille.model".info(class).primary) do
    query = query:order_by(class._def.table .. "." .. name)
  end
  return Query.node(query, op.per, keys, has_index(link, class, first_order(query, class._def.table)))
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
local function shared_output(link, query, start)
  if not link.middle or link.middle.pivot then return nil end
  local primary = require "rille.model".info(link.related).primary
  if #primary ~= 1 or says_beyond(query, start, op.select, op.select_raw, op.add_select, op.select_query,
    op.group_by) then
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

--- The read of the rows of a relation for some keys, as Run.together takes it.
---@param link rille.Link
---@param class rille.Model
---@param values any[][]   of each column of the key
---@param fn? function     the caller's part of the query
---@return table read
---@return rille.Query query  what is read, as the caller said it
function M.ask(link, class, values, fn)
  local keys = Rows.keys(link, class)
  local start = Rows.all(link, class):sealed(function(q)
    for i, key in ipairs(keys) do q = q:where_in(key, values[i]) end
    return q
  end)
  local query = Rows.constrained("with: " .. link.name, start, fn)
  if not says(query, op.order, op.order_raw, op.order_random, op.reorder) then query = Rows.ordered(link, query) end
  local shared = shared_output(link, query, start)
  query = limited(link, query, keys, class)
  local asked, names, extra = with_keys(link, query, keys)
  names.shared = shared
  return { asked, "related", names, extra }, query
end

--- The rows that such a read gave.
---@param link rille.Link
---@param class rille.Model
---@param results table   packed
---@param folds (false|function)[]
---@return rille.Record[]
---@return any[] keys      of each, as M.keys_of gives them
function M.take(link, class, results, folds)
  local rows, lists = results[1], table.move(results, 2, #Rows.keys(link, class) + 1, 1, {})
  add_pivots(link, rows, table.move(results, 2, results.n, 1, {}))
  return rows, keys_of_rows(#rows, lists, folds)
end

--- The rows of a query of a relation with a pivot: each shows its own.
---@param query rille.Query
---@param link rille.Link
---@return rille.Record[]
function M.rows_of(query, link)
  local Run = require "rille.query.run"
  if not (link.middle and link.middle.pivot) or says(query, op.union, op.group_by, op.distinct) then
    return Run.run(query, "all")
  end
  local asked, names, extra = with_keys(link, query, Rows.keys(link, link.related))
  local results = table.pack(Run.run(asked, "related", names, extra))
  add_pivots(link, results[1], table.move(results, 2, results.n, 1, {}))
  return results[1]
end

return M
