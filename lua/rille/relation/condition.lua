--- relation.condition: what a query may ask of rows that are related to its own: where_has, and counts of them.
local core = require "rille.core"
local Error = require "rille.error"
local Link = require "rille.relation.link"
local Query = require "rille.query"
local Rows = require "rille.relation.rows"

local op <const> = core.op
local M = {}

local function class_of(query, word)
  local class = query[1].class
  if not class then
    Error.raise("no_such_relation", ("%s: rows of the table %s have no relations"):format(word, query[1].table), {
      hint = "a model declares them",
    })
  end
  return class
end

local function link_of(query, word, name)
  if type(name) ~= "string" then Error.argument(word, "the name of a relation", name) end
  local link = Link.of(class_of(query, word), name)
  if link.kind == "morph_to" then
    Link.fail(link, "unsupported", word .. ": the rows behind a morph are of several tables", {
      hint = ("where_has_morph(%q, { models }, fn) says which; or ask by its columns: where(%q, …)"):format(name,
        link.type_column),
    })
  end
  return link
end

--- The related rows, as a query inside of `query`, with the caller's conditions.
---@param query rille.Query
---@param word string      the method, for messages
---@param link rille.Link
---@param fn? fun(query: rille.Query): rille.Query
---@return rille.Query
local function rows_of(query, word, link, fn)
  local rows = Rows.constrained(word, Rows.of_outer(link), fn)
  return require "rille.query.run".subquery(query, word, rows)
end

local COMPARES = {}
for _, operator in ipairs { "=", "!=", "<>", "<", "<=", ">", ">=" } do COMPARES[operator] = true end

--- (name), (name, fn), (name, op, n), (name, fn, op, n)
local function arguments(word, ...)
  local fn, operator, count = ...
  if type(fn) == "string" then fn, operator, count = nil, fn, operator end
  if operator == nil then return fn end
  if not COMPARES[operator] then Error.argument(word, "one of = != < <= > >=", operator) end
  if math.type(count) ~= "integer" then Error.argument(word, "a whole number to compare with", count) end
  return fn, operator, count
end

--- A condition: there are related rows, or so many of them.
---@param query rille.Query
---@param joined integer
---@param name string        a relation, or a path such as "comments.author"
---@param ... any            a function that adds conditions, an operator and a number
---@return rille.Query
function M.has(query, joined, name, ...)
  local fn, operator, count = arguments("where_has", ...)
  local first, rest = tostring(name):match "^([^.]+)%.(.+)$"
  if first then
    return M.has(query, joined, first, function(q) return M.has(q, 0, rest, fn, operator, count) end)
  end
  local rows = rows_of(query, "where_has", link_of(query, "where_has", name), fn)
  if not operator or operator == ">=" and count == 1 or operator == ">" and count == 0 then
    return Query.node(query, op.exists, joined, rows)
  end
  return Query.node(query, op.compare_query, joined, rows, "count", false, operator, count)
end

--- A condition on what morphs to one of several models, which are said: there is such a row.
---@param query rille.Query
---@param joined integer
---@param name string          a morph_to
---@param models (string|rille.Model)[]|string|rille.Model
---@param fn? fun(query: rille.Query, model: string): rille.Query  adds conditions, for each model
---@return rille.Query
function M.has_morph(query, joined, name, models, fn)
  local word = "where_has_morph"
  if type(name) ~= "string" then Error.argument(word, "the name of a relation", name) end
  local link = Link.of(class_of(query, word), name)
  if link.kind ~= "morph_to" then
    Link.fail(link, "invalid_argument", ("%s asks about morph_to, and this is a %s"):format(word, link.kind), {
      hint = ("where_has(%q) asks about it"):format(name),
    })
  end
  local list = (type(models) == "string" or require "rille.model".is_class(models)) and { models } or models
  if type(list) ~= "table" or #list == 0 then Error.argument(word, "models, or a list of them", models) end
  return Query.grouped(query, joined, word, function(any)
    for _, each in ipairs(list) do
      local class = type(each) == "string" and require "rille.autoload".model(each) or each
      if not require "rille.model".is_class(class) then Error.argument(word, "models, or a list of them", each) end
      local rows = rows_of(query, word, Link.toward(link, class), fn and function(q) return fn(q, class._def.name) end)
      any = any:or_where(function(q) return Query.node(q:where(link.type_column, Link.morph_name(class)), op.exists, 0,
        rows) end)
    end
    return any
  end)
end

--- All columns are selected, unless the query says which.
local function with_columns(query)
  local each = query
  while each do
    if each[3] == op.select or each[3] == op.add_select or each[3] == op.select_raw or each[3] == op.select_query then
      return query
    end
    each = each[2]
  end
  return query:select(query[1].class._def.table .. ".*")
end

--- Outputs that count, sum, … related rows.
---@param query rille.Query
---@param word string        the method, for messages
---@param aggregate string   "count", "exists", "sum", "avg", "min" or "max"
---@param name string        a relation, perhaps with "as" and a name
---@param column string|false
---@param fn? function
---@return rille.Query
function M.with(query, word, aggregate, name, column, fn)
  class_of(query, word)
  if type(name) ~= "string" then Error.argument(word, "the name of a relation", name) end
  local plain, alias = name:match "^(%S+)%s+as%s+([%a_][%w_]*)$"
  local link = link_of(query, word, plain or name)
  local rows = rows_of(query, word, link, fn)
  if column and not column:find(".", 1, true) then column = link.related._def.table .. "." .. column end
  alias = alias or ("%s_%s%s"):format(link.name, aggregate, column and "_" .. column:match "[^.]+$" or "")
  query[1].counted = true
  return Query.node(with_columns(query), op.select_query, rows, aggregate, column, alias)
end

--- The query with the outputs of M.with that `before` has.
---@param query rille.Query
---@param before rille.Query
---@return rille.Query
function M.keep_counts(query, before)
  local found = {}
  while before do
    if before[3] == op.select_query then table.insert(found, 1, before) end
    if before[3] == op.select then break end           -- which kept those before it
    before = before[2]
  end
  for _, each in ipairs(found) do query = Query.node(query, op.select_query, table.unpack(each, 4, 7)) end
  return query
end

return M
