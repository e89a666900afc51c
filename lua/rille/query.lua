--- query: an immutable value that says which rows; each method returns a new one, and the ends (query/ends.lua) run it.
-- A query is a chain of small tables { root, previous, op, operands … } that the core reads from its end; the
-- operands of each op are listed in core/bind/tree.c.  Names are checked by the core, against the schema, when the
-- query is run.
local core = require "rille.core"
local Cast = require "rille.cast"
local Error = require "rille.error"

local setmetatable, select, type, rawget = setmetatable, select, type, rawget      -- building queries is hot
local op <const> = core.op
local COMPARE <const>, IN <const>, BETWEEN <const>, NULL <const> = op.compare, op["in"], op.between, op.null
local AND <const>, OR <const>, AND_NOT <const>, OR_NOT <const> = 0, 1, 2, 3

-- Ops that are conditions; the others are clauses, which mean nothing inside of one.
local IS_CONDITION = {
  [COMPARE] = true, [IN] = true, [BETWEEN] = true, [NULL] = true, [op.columns] = true, [op.group] = true,
  [op.exists] = true,
  [op.outer] = true, [op.compare_query] = true,
  [op.raw] = true, [op.part] = true, [op.json] = true, [op.json_contains] = true, [op.constant] = true,
}

---@class rille.Query
local Query = {}

local metas = setmetatable({}, { __mode = "k" })       -- the metatables of queries

-- What belongs to this module and is no method of a query.
local INSIDE = { meta = true, root = true, of = true, for_table = true, methods = true, node = true, is_query = true,
  grouped = true, condition = true, of_source = true }

local TABLE_OPTIONS <const> = { "all_tenants" }

local plain_meta             -- of all queries of tables without a model

local function unknown_method(name, scopes)
  local known = {}
  for method in next, Query.methods() do known[#known + 1] = method end
  for scope in next, scopes do known[#known + 1] = scope end
  table.sort(known)
  Error.unknown("invalid_argument", "method", name, known, "a query")
end

--- A query?
---@param value any
---@return boolean
local function is_query(value)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and metas[meta] or false
end

--- The metatable of the queries of one model: its scopes, then the methods below.
---@param scopes table<string, function>
---@param name? string  of the model
---@return table
function Query.meta(scopes, name)
  local methods = setmetatable({}, {
    __index = function(_, key)
      local method = not INSIDE[key] and Query[key] or nil
      if method == nil and type(key) == "string" then unknown_method(key, scopes) end
      return method
    end,
  })
  for method in next, Query.methods() do methods[method] = Query[method] end
  for scope, fn in next, scopes do
    methods[scope] = function(self, ...)
      local query = fn(self, ...)
      if not is_query(query) or query[1].class ~= self[1].class then
        Error.argument(("scope %s.%s"):format(name, scope), "a function that returns a query of its model", query,
          "is a `return` missing?")
      end
      return query
    end
  end
  local meta = {
    __index = methods, __name = "rille.Query",
    __newindex = function()
      Error.raise("invalid_argument", "a query is never changed; its methods return new ones")
    end,
    __tostring = function(self)
      local ok, sql = pcall(self.to_sql, self)
      return ("rille.Query of %s: %s"):format(name or self[1].table, ok and sql or tostring(sql))
    end,
  }
  metas[meta] = true
  return meta
end

--- The first node of a chain.
function Query.root(root) return setmetatable({ root, false, op.nothing }, root.meta) end

--- All rows of a model.
---@param class rille.Model
---@return rille.Query
function Query.of(class) return class._def.query end

--- All rows of a table without a model, as plain tables.
---@param handle rille.Handle
---@param name string
---@param options? { all_tenants: boolean? }  of a view, whose rows no tenant limits: everybody's are meant
---@return rille.Query
function Query.for_table(handle, name, options)
  if type(name) ~= "string" then Error.argument("table", "the name of a table", name) end
  local all = options and Error.options("table", options, TABLE_OPTIONS).all_tenants or nil
  plain_meta = plain_meta or Query.meta {}
  return Query.root { false, handle = handle, table = name, meta = plain_meta, all_tenants = all }
end

--- All rows of a source that is known already, without what a model adds to its queries.
---@param handle rille.Handle
---@param source userdata  of the core
---@param meta table       as Query.meta makes it
---@return rille.Query
function Query.of_source(handle, source, meta)
  return Query.root { source, handle = handle, table = source:name(), source_version = handle.version, meta = meta }
end

--- Names of the methods, for classes that forward to them.
---@return table<string, true>
function Query.methods()
  local names = {}
  for name, value in next, Query do
    if type(value) == "function" and not INSIDE[name] then names[name] = true end
  end
  return names
end

local function node(self, ...)
  local root = self[1]
  return setmetatable({ root, self, ... }, root.meta)
end

--- What a condition compares with: never nil, and as the column's cast keeps it.
local function value_for(self, where, column, value)
  if value == nil then
    Error.argument(where, "a value for " .. tostring(column), nil, "rille.null stands for NULL; where_null asks for it")
  end
  local casts = self[1].casts
  if casts and casts[column] and value ~= core.null then return Cast.dump(casts[column], value) end
  if type(value) == "table" and rawget(value, "year") == nil then
    Error.argument(where, "one value for " .. tostring(column), value, "where_in takes a list")
  end
  return value
end

local function check_column(where, column)
  if type(column) ~= "string" then Error.argument(where, "the name of a column", column) end
end

-- -- conditions -----------------------------------------------------------------------------------------------------

local function clause_name(each)
  if each[3] == op.nothing then return each[4] end
  for name, code in next, op do
    if code == each[3] then return name end
  end
end

--- What a function makes of a query without conditions, as one condition.
---@param self rille.Query
---@param joined integer
---@param where string  what messages begin with
---@param fn fun(query: rille.Query): rille.Query
---@return rille.Query
local function grouped(self, joined, where, fn)
  local made = fn(Query.root(self[1]))
  if not is_query(made) then
    Error.argument(where, "a function that returns the query it was given, with conditions", made,
      "is a `return` missing?")
  elseif made[1] ~= self[1] then
    Error.raise("invalid_argument", where .. ": the function returned a query of another table", {
      hint = "where_exists and where_in take such a query",
    })
  end
  local each = made
  while each[2] do
    if not IS_CONDITION[each[3]] then
      Error.raise("invalid_argument", ("%s: the function added %s, which is no condition"):format(where,
        clause_name(each)), {
        hint = "say it on the query itself",
      })
    end
    each = each[2]
  end
  if each == made then
    Error.raise("invalid_argument", where .. ": the function added no condition")
  end
  return node(self, op.group, joined, made)
end

local function sorted_names(where, conditions)
  local names = {}
  for name in next, conditions do
    check_column(where, name)
    names[#names + 1] = name
  end
  if #names == 0 then
    Error.argument(where, "a table of column = value", conditions, "an empty table would mean every row")
  end
  table.sort(names)
  return names
end

--- { a = 1, b = 2 }: a = 1 and b = 2, together.
local function all_of(self, joined, where, conditions)
  local names = sorted_names(where, conditions)
  local made = joined == AND and self or Query.root(self[1])
  for _, name in ipairs(names) do
    local value = conditions[name]
    if type(value) == "table" and rawget(value, "year") == nil and not (self[1].casts and self[1].casts[name]) then
      Error.argument(where, "one value for " .. name, value, "where_in takes a list")
    end
    made = made:where(name, value)
  end
  return joined == AND and made or node(self, op.group, joined, made)
end

-- Operators that have a method of their own.
local WORDS = {
  ["in"] = "where_in", not_in = "where_not_in", ["not in"] = "where_not_in", between = "where_between",
  not_between = "where_not_between", ["not between"] = "where_not_between",
}

local function operator_word(self, joined, column, operator, value)
  local word = WORDS[operator]
  if operator:find "between" then
    if type(value) ~= "table" or #value ~= 2 then Error.argument(operator, "a list of two values", value) end
    return Query.condition[word](self, joined, column, value[1], value[2])
  end
  return Query.condition[word](self, joined, column, value)
end

-- Texts that may be an operator whose value was forgotten.
local IS_OPERATOR = {
  ["="] = true, ["!="] = true, ["<>"] = true, ["<"] = true, ["<="] = true, [">"] = true, [">="] = true, like = true,
  not_like = true, ilike = true, not_ilike = true, is = true, is_not = true,
}
local COMPARES = {}                 -- those of them that have no method of their own
for word in next, IS_OPERATOR do COMPARES[word] = true end
for word in next, WORDS do IS_OPERATOR[word] = true end

--- where(column, "=", nil) and where(column, "=") cannot be told apart, and only the first is likely.
local function no_value(column, operator)
  Error.raise("invalid_argument", ("where: wants a value for %s, got nil"):format(column), {
    hint = operator
      and ('rille.null stands for NULL; where(%q, "=", %q) compares with the text itself'):format(column, operator)
      or "rille.null stands for NULL; where_null asks for it",
  })
end

local function where(self, joined, column, a, b)
  local kind = type(column)
  if kind == "string" then
    local operator, value = a, b
    if b == nil then
      if a == nil or IS_OPERATOR[a] then no_value(column, a) end
      operator, value = "=", a
    elseif type(a) ~= "string" then
      Error.argument("where", "an operator", a)
    elseif WORDS[a] then
      return operator_word(self, joined, column, a, b)
    end
    return setmetatable({ self[1], self, COMPARE, joined, column, operator, value_for(self, "where", column, value) },
      self[1].meta)
  elseif kind == "function" then
    return grouped(self, joined, "where", column)
  elseif kind == "table" and not is_query(column) then
    return all_of(self, joined, "where", column)
  end
  return Error.argument("where", "a column, a table of column = value, or a function", column)
end

--- A copy of a list without holes, as plain values.
local function copy_list(self, word, column, list)
  local copy, casts = {}, self[1].casts
  local cast = casts and casts[column]
  local count = rawlen(list)
  for key in next, list do
    if math.type(key) ~= "integer" or key < 1 or key > count then
      if not (key == "n" and rawget(list, "n") == count) then
        Error.argument(word, "a list without holes or names", list)
      end
    end
  end
  for i = 1, count do
    local value = rawget(list, i)
    if value == nil or value == core.null then
      Error.raise("invalid_argument", ("%s: element %d of the list for %s is %s"):format(word, i, column,
        value == nil and "nil" or "null"), { hint = "NULL is never found in a list; add or_where_null" })
    end
    if cast then value = Cast.dump(cast, value) end
    copy[i] = value
  end
  return copy
end

local function where_in(self, joined, column, list)
  check_column("where_in", column)
  if is_query(list) then
    return node(self, IN, joined, column, require "rille.query.run".subquery(self, "where_in", list))
  end
  if type(list) ~= "table" then Error.argument("where_in", "a list or a query", list) end
  return node(self, IN, joined, column, copy_list(self, "where_in", column, list))
end

local function where_between(self, joined, column, low, high)
  check_column("where_between", column)
  if low == core.null or high == core.null then
    Error.argument("where_between", "two values for " .. column, core.null, "nothing is between NULL and a value")
  end
  return node(self, BETWEEN, joined, column, value_for(self, "where_between", column, low),
    value_for(self, "where_between", column, high))
end

local function where_null(self, joined, column)
  check_column("where_null", column)
  return node(self, NULL, joined, column)
end

local function like(operator)
  return function(self, joined, column, pattern)
    check_column("where_" .. operator, column)
    if type(pattern) ~= "string" then Error.argument("where_" .. operator, "a pattern", pattern) end
    return node(self, COMPARE, joined, column, operator, pattern)
  end
end

local function where_column(self, joined, a, ...)
  local operator, b = "=", ...
  if select("#", ...) == 2 then operator, b = ... end
  check_column("where_column", a)
  check_column("where_column", b)
  if type(operator) ~= "string" then Error.argument("where_column", "an operator", operator) end
  return node(self, op.columns, joined, a, operator, b)
end

--- A date of the calendar, alone or at the head of a moment in UTC, as our datetime columns read.
local function date_of(value)
  if type(value) ~= "string" then return nil end
  local date, rest = value:match "^(%d%d%d%d%-%d%d%-%d%d)(.*)$"
  if not date or not (rest == "" or rest:find "^T%d%d:%d%d:%d%d%.?%d*Z$") then return nil end
  local year, month, day = date:match "^(%d+)%-(%d+)%-(%d+)$"
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local leap = year % 4 == 0 and year % 100 ~= 0 or year % 400 == 0
  local days = ({ 31, leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month]
  return days and day >= 1 and day <= days and date or nil
end

local function whole_number(value) return math.type(value) == "integer" and value or nil end

-- Part of a date -> what it is compared with, in words, and the value that fits.
local PARTS = {
  date = { "a date (YYYY-MM-DD)", date_of }, year = { "a whole number", whole_number },
  month = { "a whole number", whole_number }, day = { "a whole number", whole_number },
}

local function where_part(part)
  local name, what, fit = "where_" .. part, PARTS[part][1], PARTS[part][2]
  return function(self, joined, column, ...)
    local operator, value = "=", ...
    if select("#", ...) == 2 then operator, value = ... end
    check_column(name, column)
    if type(operator) ~= "string" then Error.argument(name, "an operator", operator) end
    local fitting = fit(value)
    if fitting == nil then Error.argument(name, what, value) end
    return node(self, op.part, joined, column, operator, fitting, part)
  end
end

--- "meta.lang" -> "meta", '$."lang"'; numbers are positions from 0.
local function json_path(word, path)
  check_column(word, path)
  local column, rest = path:match "^([^.]+)%.?(.*)$"
  if not column then Error.argument(word, 'a column and a path such as "meta.lang"', path) end
  local parts = { "$" }
  for segment in rest:gmatch "[^.]+" do
    if segment:find "^%d+$" then
      parts[#parts + 1] = "[" .. segment .. "]"
    elseif segment:find '["\\]' then
      Error.argument(word, "a path without quotes or backslashes", path)
    else
      parts[#parts + 1] = '."' .. segment .. '"'
    end
  end
  return column, table.concat(parts)
end

local function where_json(self, joined, path, ...)
  local operator, value = "=", ...
  if select("#", ...) == 2 then operator, value = ... end
  local column, segments = json_path("where_json", path)
  if value == nil then Error.argument("where_json", "a value for " .. path, nil) end
  if type(value) == "table" then Error.argument("where_json", "a scalar for " .. path, value) end
  if type(operator) ~= "string" then Error.argument("where_json", "an operator", operator) end
  return node(self, op.json, joined, column, operator, value, segments)
end

local function where_json_contains(self, joined, path, value)
  local column, segments = json_path("where_json_contains", path)
  if value == nil or type(value) == "table" then
    Error.argument("where_json_contains", "a scalar for " .. path, value)
  end
  return node(self, op.json_contains, joined, column, value, segments)
end

local function where_exists(self, joined, query)
  if not is_query(query) then Error.argument("where_exists", "a query", query) end
  return node(self, op.exists, joined, require "rille.query.run".subquery(self, "where_exists", query))
end

local function where_has(self, joined, ...) return require "rille.relation.condition".has(self, joined, ...) end

local function where_has_morph(self, joined, ...)
  return require "rille.relation.condition".has_morph(self, joined, ...)
end

--- SQL of the caller's own, with a `?` for each value.
local function raw(self, word, sql, ...)
  if type(sql) ~= "string" or sql == "" then Error.argument(word, "SQL", sql) end
  local text, params = require "rille.sql".fragment(word, self, sql, ...)
  return text, params
end

local function where_raw(self, joined, sql, ...)
  return node(self, op.raw, joined, raw(self, "where_raw", sql, ...))
end

local function filter(self, joined, text, params)
  return grouped(self, joined, "filter", function(q) return require "rille.filter".apply(q, text, params) end)
end

--- Every kind of condition: (query, how it joins, arguments) -> query.
Query.condition = {
  where = where, where_in = where_in, where_between = where_between, where_null = where_null, where_like = like "like",
  where_ilike = like "ilike", where_column = where_column, where_date = where_part "date",
  where_year = where_part "year",
  where_month = where_part "month", where_day = where_part "day", where_json = where_json,
  where_json_contains = where_json_contains, where_exists = where_exists, where_has = where_has,
  where_has_morph = where_has_morph, where_raw = where_raw, filter = filter,
}

-- Each condition with its twins: where, or_where, where_not, or_where_not; where_in, or_where_in, where_not_in, …
local conditions = {}
for name, fn in next, Query.condition do conditions[name] = fn end
for name, fn in next, conditions do
  local negative = name == "filter" and "filter_not" or "where_not" .. name:sub(#"where" + 1)
  Query[name] = function(self, ...) return fn(self, AND, ...) end
  Query["or_" .. name] = function(self, ...) return fn(self, OR, ...) end
  Query[negative] = function(self, ...) return fn(self, AND_NOT, ...) end
  Query["or_" .. negative] = function(self, ...) return fn(self, OR_NOT, ...) end
  Query.condition[negative] = function(self, joined, ...) return fn(self, joined ~ AND_NOT, ...) end
end

--- A condition: where(column, value), where(column, operator, value), where { column = value }, where(function).
-- The two commonest forms are made here, without the checks that the core does too; all else goes the general way.
function Query:where(column, a, b)
  local root = self[1]
  if a ~= nil and not root.casts then
    if b == nil then
      if not IS_OPERATOR[a] then return setmetatable({ root, self, COMPARE, AND, column, "=", a }, root.meta) end
    elseif COMPARES[a] then
      return setmetatable({ root, self, COMPARE, AND, column, a, b }, root.meta)
    end
  end
  return where(self, AND, column, a, b)
end

--- Conditions that hold outside of all others: no or_where before or after lets a row pass them.
---@param fn fun(query: rille.Query): rille.Query
---@return rille.Query
function Query:sealed(fn) return node(self, op.sealed, fn(Query.root(self[1]))) end

Query.node, Query.is_query, Query.grouped = node, is_query, grouped

return require "rille.query.shape"(Query)
