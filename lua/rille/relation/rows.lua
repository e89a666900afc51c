--- relation.rows: the query of the rows that a relation leads to, before it is said of whom.
-- What belongs to the relation is sealed: no or_where that a caller adds lets other rows in.
local core = require "rille.core"
local Error = require "rille.error"
local Query = require "rille.query"
local Scope = require "rille.scope"

local op <const> = core.op
local M = {}

--- The name under which the table in the middle is joined.
local function middle_name(link)
  local name = link.middle.table
  return name == link.related._def.table and name .. "_between" or name
end

--- The columns, with their table, that say whose a row is.
---@param link rille.Link
---@param class? rille.Model  of morph_to
---@return string[]
function M.keys(link, class)
  local columns, name = link.far, (class or link.related)._def.table
  if link.middle then columns, name = link.middle.near, middle_name(link) end
  local list = {}
  for i, column in ipairs(columns) do list[i] = name .. "." .. column end
  return list
end

--- A column of the table in the middle, with its name in the query.
---@param link rille.Link
---@param column string
---@return string
function M.middle_column(link, column) return middle_name(link) .. "." .. column end

local function with_fixed(query, table_name, fixed)
  for _, column in ipairs(require "rille.keys"(fixed)) do
    query = query:where(table_name .. "." .. column, fixed[column])
  end
  return query
end

--- Join the table in the middle; the scopes of its model hold for its rows.
local function join_middle(query, link)
  local middle, name, related = link.middle, middle_name(link), link.related._def.table
  local source = require "rille.query.root".source_of_table(query, middle.table)
  local class = middle.class or Scope.model_of(query[1], "relation " .. link.name, middle.table)
  query = Query.node(query:select(related .. ".*"), op.join, false, source, name ~= middle.table and name,
    name .. "." .. middle.far[1], "=", related .. "." .. link.far[1], class or false)
  Scope.note_join(query[1], name)
  if #middle.far == 1 and next(middle.fixed) == nil then return query end
  return query:sealed(function(q)
    for i = 2, #middle.far do q = q:where_column(name .. "." .. middle.far[i], related .. "." .. link.far[i]) end
    return with_fixed(q, name, middle.fixed)
  end)
end

--- All rows that the relation can lead to.
---@param link rille.Link
---@param class? rille.Model  of morph_to
---@param start? rille.Query  a query of that model to begin with
---@return rille.Query
function M.all(link, class, start)
  class = class or link.related
  local query, where = start or class:query(), link.where
  if link.middle then query = join_middle(query, link) end
  if next(link.fixed) then
    query = query:sealed(function(q) return with_fixed(q, class._def.table, link.fixed) end)
  end
  if type(where) == "table" then
    query = query:sealed(function(q) return q:where(where) end)
  elseif where then
    query = query:sealed(function(q)
      return Query.grouped(q, 0, ("relation %s.%s (%s): where"):format(link.parent._def.name, link.name,
        link.declared.place), where)
    end)
  end
  return query
end

--- In the order that the relation says.
---@param link rille.Link
---@param query rille.Query
---@return rille.Query
function M.ordered(link, query)
  local order = link.order
  if not order then return query end
  local column = order[1]:find(".", 1, true) and order[1] or link.related._def.table .. "." .. order[1]
  return query:order_by(column, order[2])
end

--- Does one query go on where the other ends?
local function continues(query, start)
  while query and query ~= start do query = query[2] end
  return query == start
end

--- What a caller's function makes of the rows.  It must go on from them: another query of the same model would have
--- lost which rows are related.
---@param word string      the method that took it, for messages
---@param query rille.Query
---@param fn? fun(query: rille.Query): rille.Query
---@return rille.Query
function M.constrained(word, query, fn)
  if fn == nil then return query end
  if type(fn) ~= "function" then Error.argument(word, "a function of the query", fn) end
  local made = fn(query)
  if not Query.is_query(made) or not continues(made, query) then
    Error.argument(word, "a function that returns the query it was given", made, "is a `return` missing?")
  end
  return made
end

--- The rows that are related to the row of the query around: for exists, and for counts.
---@param link rille.Link
---@return rille.Query
function M.of_outer(link)
  return M.all(link):sealed(function(q)
    for i, column in ipairs(M.keys(link)) do q = Query.node(q, op.outer, 0, column, link.near[i]) end
    return q
  end)
end

return M
