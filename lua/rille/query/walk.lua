--- query.walk: what chunks and cursors share: the order to walk in, where a row stands in it, and the rows behind.
-- The order is that of the query plus the primary key, so every row has a place of its own.  NULL is the smallest
-- value.
local core = require "rille.core"
local Error = require "rille.error"
local Root = require "rille.query.root"
local Query = require "rille.query"

local M = {}

local op <const> = core.op

---@class rille.WalkTerm
---@field column string    as the query says it
---@field name string      the column alone, as a row has it
---@field own boolean      is it of the query's own table, as far as the text says?
---@field descending boolean

--- The last node of a kind in a query, or nil.
function M.has_node(query, kind)
  while query do
    if query[3] == kind then return query end
    query = query[2]
  end
end
local has_node = M.has_node

-- Clauses that put columns of others, or none of the table's own, under a name of the table's.
local MIXES <const> = { [op.join] = true, [op.select_raw] = true, [op.select_query] = true, [op.union] = true }

--- Can the query give what is not in the table's own columns?
---@param query rille.Query
---@return boolean
function M.mixes(query)
  while query do
    if MIXES[query[3]] then return true end
    query = query[2]
  end
  return false
end

-- Of what stands inside of a query.
local function asks_tenants(inner)
  local root = Root.ready(inner)
  local class = root.class
  if class and (class._def.guard or class._def.infos) then return true end
  return not class and require "rille.guard".of(root.handle, root.table) ~= nil or M.asks_tenants(inner)
end

--- Does a condition of the query look at rows that belong to tenants, as where_has and where_in(column, query) may?
---@param query rille.Query
---@return boolean
function M.asks_tenants(query)
  while query do
    for i = 4, #query do
      if Query.is_query(query[i]) and asks_tenants(query[i]) then return true end
    end
    query = query[2]
  end
  return false
end

--- The columns of the primary key, and the name of the table.
local function primary_of(query, word)
  local root = Root.ready(query)
  local primary, table_name = root.class and root.info.primary, root[1]:name()
  primary = primary or root.handle:described(root.table).primary
  if #primary == 0 then
    Error.raise("unsupported", ("%s: walks by the primary key, and %s has none"):format(word, table_name))
  end
  return primary, table_name
end

--- The order to walk in, and the columns of the primary key with their table.
---@param query rille.Query
---@param word string  the method, for messages
---@return rille.WalkTerm[] order
---@return rille.WalkTerm[] key
function M.order(query, word)
  for _, kind in ipairs { "union", "group_by", "distinct" } do
    if has_node(query, op[kind]) then
      Error.raise("unsupported", ("%s: walks by key, which %s does not give"):format(word, kind))
    end
  end
  local primary, table_name = primary_of(query, word)
  local order, key, seen, each = {}, {}, {}, query
  while each and each[3] ~= op.reorder do
    local kind = each[3]
    if kind == op.order_raw or kind == op.order_random then
      Error.raise("unsupported", word .. ": walks by key, which raw or random orders do not give")
    elseif kind == op.order then
      local prefix, name = each[4]:match "^(.-)%.?([^.]+)$"
      local own = prefix == nil or prefix == "" or prefix == table_name
      name = name or each[4]                             -- no name at all: the core will say so
      table.insert(order, 1, { column = each[4], descending = each[5], name = name, own = own })
      seen[name] = seen[name] or own
    end
    each = each[2]
  end
  local descending = order[#order] ~= nil and order[#order].descending
  for i, name in ipairs(primary) do
    key[i] = { column = table_name .. "." .. name, descending = descending, name = name, own = true }
    if not seen[name] then order[#order + 1] = key[i] end
  end
  return order, key
end

--- The query in that order, or against it.
---@param backwards boolean
function M.ordered(query, order, backwards)
  query = query:reorder()
  for _, term in ipairs(order) do
    query = query:order_by(term.column, (term.descending ~= backwards) and "desc" or "asc")
  end
  return query
end

--- A condition on a value as the column keeps it: casts of Lua have no part in it.
local function compare(q, term, operator, value)
  return Query.node(q, op.compare, 0, term.column, operator, value)
end

--- Behind `value` in the order of a term.  Behind NULL there is nothing when the order descends.
local function behind(q, term, backwards, value)
  if term.descending ~= backwards then
    return q:where(function(either) return compare(either, term, "<", value):or_where_null(term.column) end)
  elseif value == core.null then
    return q:where_not_null(term.column)
  end
  return compare(q, term, ">", value)
end

--- The rows behind the one that stands there.
---@param values any[]  as M.place gives them
function M.seek(query, order, backwards, values)
  return query:sealed(function(any)
    local some = false
    for i, term in ipairs(order) do
      if values[i] ~= core.null or term.descending == backwards then
        some, any = true, any:or_where(function(all)
          for j = 1, i - 1 do all = compare(all, order[j], "=", values[j]) end
          return behind(all, term, backwards, values[i])
        end)
      end
    end
    return some and any or any:where_in(order[1].column, {})
  end)
end

--- The rows with these keys, each a list with a value for each column of the key.
---@param key rille.WalkTerm[]
---@param keys any[][]
function M.with_keys(query, key, keys)
  if #key == 1 then
    local list = {}
    for i = 1, #keys do list[i] = keys[i][1] end
    return query:sealed(function(q) return Query.node(q, op["in"], 0, key[1].column, list) end)
  end
  return query:sealed(function(any)
    for i = 1, #keys do
      any = any:or_where(function(all)
        for j, term in ipairs(key) do all = compare(all, term, "=", keys[i][j]) end
        return all
      end)
    end
    return any
  end)
end

--- The names that the query gives its outputs: a set of those that are known, and a list of those behind `as`.  nil
--- where it selects nothing of its own, and so every column of its table.
---@return table<string, true>? outputs
---@return string[] aliases
---@return boolean all  are all of them known?  Raw SQL may name more.
function M.outputs(query)
  local outputs, aliases, some, all = {}, {}, false, true
  while query do
    local kind = query[3]
    if kind == op.select_raw then
      some, all = true, false
      for alias in query[6]:gmatch "%Z+" do
        outputs[alias], aliases[#aliases + 1] = true, alias
      end
    elseif kind == op.select_query then
      some = true
      outputs[query[7]], aliases[#aliases + 1] = true, query[7]
    elseif kind == op.select or kind == op.add_select then
      some = true
      for _, text in ipairs(query[4]) do
        local column, alias = text:match "^(.-) as (.*)$"
        if alias and column:match "[^.]+$" ~= alias then aliases[#aliases + 1] = alias end
        outputs[alias or text:match "[^.]+$"] = true
        all = all and text:sub(-1) ~= "*"
      end
      if kind == op.select then break end
    end
    query = query[2]
  end
  return some and outputs or nil, aliases, all
end

local function not_selected(word, name)
  Error.raise("missing_attribute", ("%s: the query does not select %q, which it walks by"):format(word, name), {
    column = name,
  })
end

--- Raise where it is plain that rows of the query will not say where they stand.
function M.check_selected(query, terms, word)
  local outputs, _, all = M.outputs(query)
  for _, term in ipairs(terms) do
    if outputs and all and not outputs[term.name] then not_selected(word, term.name) end
  end
end

--- Where a row stands: its values of the terms' columns, as they are kept; rille.null for NULL.
---@param row rille.Record|table
---@param terms rille.WalkTerm[]
---@param word string
---@param outputs? table<string, true>  as M.outputs gives them
function M.place(row, terms, word, outputs)
  local values, is_record = {}, core.is_record(row)
  for i, term in ipairs(terms) do
    local value, has
    if is_record then
      value, has = core.record_output(row, term.name)
    else
      value = row[term.name]
      has = value ~= nil or outputs == nil or outputs[term.name] or outputs["*"]
    end
    if not has then not_selected(word, term.name) end
    if value == nil then value = core.null end
    values[i] = value
  end
  return values
end

return M
