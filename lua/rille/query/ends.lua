--- query.ends: the methods that run a query, all of them by run.lua.
local core = require "rille.core"
local Error = require "rille.error"
local Kept = require "rille.json_schema.kept"
local List = require "rille.list"
local Root = require "rille.query.root"
local Run = require "rille.query.run"
local Scope = require "rille.scope"

local op <const> = core.op
local ready, run = Root.ready, Run.run
local wrap = List.wrap
local BATCH_ROWS <const> = 500            -- of a cursor, whose relations are loaded together

local M = {}

--- The relations that the query says shall be loaded; nil for none.
local function wanted_of(query)
  if not query[1].marked then return nil end
  local _, _, with = Scope.marks(query)
  if not with then return nil end
  local Preload, wanted = require "rille.preload", {}
  for _, said in ipairs(with) do Preload.want(wanted, table.unpack(said, 1, said.n)) end
  return wanted
end
M.wanted_of = wanted_of

--- Does the query give rows of a table without a model that holds JSON, and are its columns the table's own?
local function reads_json(query)
  local root = query[1]
  return not root.class and root.casts and not require "rille.query.walk".mixes(query)
end

local function json_cursor(kept, step, ...)
  return function()
    local row = step()
    return row and Kept.load(kept, { row })[1]
  end, ...
end

--- Rows; those of a relation with a pivot show it.  And how many the query `counted` has, where it is given.
local function read_rows(query, counted)
  local relation, rows, count = query[1].relation
  if relation and query[1].marked then
    rows = require "rille.relation.read".rows_of(query, relation.link)
    return rows, counted and run(counted, "aggregate", "count")
  elseif counted then
    local results = Run.together { { query, "all" }, { counted, "aggregate", "count" } }
    rows, count = results[1][1], results[2][1]
  else
    rows = run(query, "all")
  end
  return reads_json(query) and Kept.load(query[1].kept, rows) or rows, count
end

--- Rows with the relations that the query says; all of it is read at one moment.
local function rows_of(query, counted)
  local wanted = wanted_of(query)
  if not wanted then return read_rows(query, counted) end
  require "rille.preload".check(query[1].class, wanted)
  return require "rille.transaction".at_one_moment(ready(query).handle, function(handle, own)
    local rows, count = read_rows(query, counted)
    require "rille.preload".load_wanted(rows, query[1].class, wanted, own and handle or nil)
    return rows, count
  end)
end

--- The rows of a query, and how many another one of the same table has.
---@param query rille.Query
---@param counted rille.Query
---@return rille.List
---@return integer
function M.page(query, counted)
  local rows, count = rows_of(query, counted)
  return List.wrap(rows), count
end

--- Values of a column as the casts of Lua read them.
---@return any[] values  the same list
local function load_values(query, column, values)
  local casts = query[1].casts
  local cast = casts and casts[column]
  if cast then
    for i = 1, #values do
      if values[i] ~= core.null then
        local value = cast.load(values[i])
        if value == nil then value = core.null end
        values[i] = value
      end
    end
  end
  return values
end

--- Is the column one of the outputs that the query names itself, or a column of united rows?  Then it is read from the
--- rows; else it is selected in the place of all others.
local function is_output(query, column)
  local each = query
  while each do
    local kind = each[3]
    if kind == op.union then return true end
    if kind == op.select or kind == op.add_select or kind == op.select_raw or kind == op.select_query then
      local outputs = require "rille.query.walk".outputs(query)
      return outputs ~= nil and outputs[column] == true
    end
    each = each[2]
  end
  return false
end

local function column_of(query, rows, column)
  local name = type(column) == "string" and column:match "[^.]+$" or column
  local values = {}
  for i = 1, #rows do
    local value = rows[i][name]
    if value == nil then value = core.null end
    values[i] = value
  end
  return load_values(query, column, values)
end

--- The query with these columns; what it counts of relations comes behind them only where it is ordered by that.
local function only(query, ...)
  local selected, counted, each = query:select(...), {}, query
  if not query[1].counted then return selected end
  while each do
    if each[3] == op.order then counted[each[4]] = true end
    each = each[2]
  end
  each = selected
  while each[3] ~= op.select do
    if counted[each[7]] then return selected end
    each = each[2]
  end
  return each
end

--- The values of a column of every row, and of another one when it is given; rille.null for NULL.
local function values_of(query, column, key)
  if is_output(query, column) or key ~= nil and is_output(query, key) then
    local rows = run(query:plain(), "all")
    return column_of(query, rows, column), key ~= nil and column_of(query, rows, key) or nil
  elseif key == nil or key == column then
    local values = load_values(query, column, (run(only(query, column), "pluck")))
    return values, values
  end
  local values, keys = run(only(query, column, key), "pluck")
  return load_values(query, column, values), load_values(query, key, keys)
end

-- -- the ends -------------------------------------------------------------------------------------------------------

--- The query with no more rows than that, or than it asks for itself.
local function at_most(query, rows)
  local each = query
  while each and each[3] ~= op.limit and each[3] ~= op.unlimited do each = each[2] end
  if each and each[3] == op.limit and each[4] <= rows then return query end
  return query:limit(rows)
end

--- A cursor whose rows come with their relations.
local function in_batches(class, wanted, check, step, state, first, closing)
  local rows, at, over = {}, 0, false
  local function fill()
    rows, at = {}, 0
    for i = 1, BATCH_ROWS do
      rows[i] = step()
      if not rows[i] then
        over = true
        break
      end
    end
    require "rille.preload".load_wanted(rows, class, wanted)
  end
  return function()
    check()                              -- what was read ahead, too
    if at == #rows and not over then fill() end
    at = at + 1
    return rows[at]
  end, state, first, closing
end

--- An argument that would not be read is a mistake.
local function no_argument(word, hint, given)
  Error.argument(word, "no argument", given, hint)
end

local function named(query)
  return query[1].class and query[1].class._def.name or query[1].table
end

---@param Query rille.Query  gets the methods
---@return rille.Query
function M.add(Query)
  --- All rows.
  ---@return rille.List
  function Query:all(given)
    if given ~= nil then no_argument("all", "select(…) says which columns", given) end
    local root = self[1]
    if root.class and not root.marked then return wrap(run(self, "all")) end      -- records, and no more is said
    return wrap((rows_of(self)))
  end
  Query.get = Query.all

  --- The first row, or nil.
  function Query:first(given)
    if given ~= nil then no_argument("first", "limit(n):all() gives several rows, find(key) one by its key", given) end
    if self[1].marked then return rows_of(at_most(self, 1))[1] end
    local row = run(self, "first")
    return reads_json(self) and Kept.load(self[1].kept, { row })[1] or row
  end

  --- The first row; raises not_found when there is none.
  function Query:first_or_fail()
    return self:first() or Error.raise("not_found", ("no %s fits the query"):format(named(self)),
      { model = named(self) })
  end

  --- The one row there is; raises not_found or not_unique.
  function Query:sole()
    local rows = rows_of(at_most(self, 2))
    if #rows > 1 then
      Error.raise("not_unique", ("more than one %s fits the query"):format(named(self)), { model = named(self) })
    end
    return rows[1] or Error.raise("not_found", ("no %s fits the query"):format(named(self)), { model = named(self) })
  end

  --- Rows one by one in constant memory: `for post in q:cursor() do`.
  -- In Lua 5.4.4 a `break` does not close the cursor when a function in the loop uses the loop's variables, and what
  -- comes behind the loop fails; `return` and `goto` do close it.
  -- Relations that the query says are loaded for many rows at once: that many are held.
  function Query:cursor()
    local wanted = wanted_of(self)
    ready(self)
    if wanted then
      require "rille.preload".check(self[1].class, wanted)
      local check = require "rille.query.chunk".same_tenant(self, "cursor")
      return in_batches(self[1].class, wanted, check, Run.cursor(self))
    end
    if reads_json(self) then return json_cursor(self[1].kept, Run.cursor(self)) end
    return Run.cursor(self)
  end

  --- The column of the first row, or nil.
  function Query:value(column)
    local value = values_of(at_most(self, 1), column)[1]
    if value == core.null then return nil end
    return value
  end

  --- A column of every row, rille.null where it is NULL; with a second column, a table from it to the first.
  function Query:pluck(column, ...)
    if select("#", ...) == 0 then return List.wrap((values_of(self, column))) end
    local key, map = ..., {}
    if type(key) ~= "string" then Error.argument("pluck", "the name of a column", key) end
    local values, keys = values_of(self, column, key)
    for i = 1, #values do
      if keys[i] == core.null then
        Error.raise("invalid_argument", ("pluck: %s is NULL in row %d and cannot be a key"):format(key, i))
      end
      map[keys[i]] = values[i]
    end
    return map
  end

  --- How many rows; with a column, those in which it is not NULL.
  function Query:count(column) return run(self, "aggregate", "count", column) end

  --- The sum of a column; 0 for no rows.
  function Query:sum(column) return run(self, "aggregate", "sum", column) end

  --- The average, the least, the greatest of a column; nil for no rows.
  function Query:avg(column) return run(self, "aggregate", "avg", column) end
  function Query:min(column) return run(self, "aggregate", "min", column) end
  function Query:max(column) return run(self, "aggregate", "max", column) end

  --- Is there a row?
  function Query:exists() return run(self, "exists") end
  function Query:doesnt_exist() return not run(self, "exists") end

  --- The SQL of the query and its parameters.
  ---@return string sql
  ---@return any[] params
  function Query:to_sql() return run(self, "sql", "select") end

  for name, module in next, {
    find = "find", find_or_fail = "find",
    paginate = "page", simple_paginate = "page", cursor_paginate = "page", chunk = "chunk", chunk_by_id = "chunk",
    each = "chunk",
    insert = "write", insert_or_ignore = "write", upsert = "write", update = "write", increment = "write",
    decrement = "write", delete = "write", force_delete = "write", restore = "write", explain = "explain",
  } do
    local path = "rille.query." .. module
    Query[name] = function(self, ...) return require(path)[name](self, ...) end
  end
  return Query
end

return M
