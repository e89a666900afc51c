--- query.ends: the methods that run a query; all of them leave by fetch.lua.
local core = require "rille.core"
local Error = require "rille.error"
local Event = require "rille.record.event"
local List = require "rille.list"
local Root = require "rille.query.root"
local Scope = require "rille.scope"
local fetch = require "rille.fetch"
local hook = require "rille.hook"
local Kept = require "rille.json_schema.kept"

local op <const> = core.op
local call, marks, ready = fetch.call, Scope.marks, Root.ready
local BATCH_ROWS <const> = 500            -- of a cursor, whose relations are loaded together
local WRITES <const> = { update = true, delete = true }

local M = { ready = ready, driver_of = Root.driver_of, source_of_table = Root.source_of_table }

-- -- what scopes demand -----------------------------------------------------------------------------------------------

--- A query inside another one: its scopes become conditions of its own.
---@param outer rille.Query
---@param word string       the method that takes it, for messages
---@param query rille.Query
---@return rille.Query
function M.subquery(outer, word, query)
  local root, _, lifted = ready(query), nil, nil
  if root.handle ~= ready(outer).handle then
    Error.raise("invalid_argument", ("%s: the query reads the database %q, this one %q"):format(word, root.handle.name,
      outer[1].handle.name), { hint = "pluck its values first, and give the list" })
  end
  if root.marked then _, lifted = marks(query) end
  if root.joined or lifted then query = Scope.joined(query, lifted) end
  local scopes = Scope.own(query, lifted)
  if not scopes then return query end
  return setmetatable({ query[1], query, op.sealed, scopes }, query[1].meta)
end

--- A lock ends with the transaction, which in SQLite is the lock itself.
---@return rille.Query query
local function with_lock(query, lock, handle)
  local word, options = lock[5], lock[6]
  local locks_rows = handle:engine().locks_rows
  if not locks_rows and (options.skip_locked or options.nowait) then
    Error.raise("unsupported", word .. ": SQLite locks the whole database, not rows", {
      hint = "skip_locked and nowait are for PostgreSQL",
    })
  elseif options.skip_locked and options.nowait then
    Error.raise("invalid_argument", word .. ": skip_locked and nowait are two answers to one question")
  elseif not require "rille.transaction".is_inside(handle) then
    Error.raise("invalid_argument", word .. ": wants a transaction, for a lock ends with one")
  end
  if not locks_rows then return query end
  return setmetatable({ query[1], query, op.lock, word == "shared_lock" and "share" or "update",
    options.skip_locked and "skip" or options.nowait and "fail" or false }, query[1].meta)
end

--- Methods of the core that give records -> what tells that these have been read.
local READS = {
  first = function(def, record)
    if record then Event.retrieved(def, { record }) end
    return record
  end,
  all = function(def, records)
    Event.retrieved(def, records)
    return records
  end,
  related = function(def, records, ...)
    Event.retrieved(def, records)
    return records, ...
  end,
  cursor = function(def, step, ...)
    return function()
      local record = step()
      if record then Event.retrieved(def, { record }) end
      return record
    end, ...
  end,
}

--- A cursor over the database in which the current tenant's rows are.
local function of_tenant(handle, step, ...)
  return function()
    require "rille.tenant.home".check(handle, true)
    return step()
  end, ...
end

local run_now

--- Run a method of the core with the query and what its model's scopes demand.
---@param query rille.Query
---@param method string
---@param a any  further arguments
---@param b any
local function run(query, method, a, b)
  if method == "cursor" then
    local root = ready(query)
    if root.handle.tenant or root.class and root.info.of_tenant then
      return of_tenant(root.handle, run_now(query, method, a, b))
    end
  end
  return run_now(query, method, a, b)
end

--- The query as it is run, and what its model's scopes demand.
local function demanded(query, root)
  local lock, lifted
  if root.marked then                    -- some query of the root is; most roots never see one
    lock, lifted = marks(query)
    if lock then query = with_lock(query, lock, root.handle) end
  end
  if root.joined or lifted then query = Scope.joined(query, lifted) end
  local class = root.class
  if class and class._def.scoped then return query, Scope.own(query, lifted) end
  return query, nil
end

function run_now(query, method, a, b)
  local root = ready(query)
  local class, scopes = root.class, nil
  if root.marked or root.joined or class and class._def.scoped then query, scopes = demanded(query, root) end
  if WRITES[method] then return fetch.write(root.handle, class, method, query, scopes, a, b) end
  local tell = class and READS[method]
  if tell and Event.any(class._def) and root[1] == class._def.root[1] then
    return tell(class._def, call(root.handle, method, query, scopes, a, b))
  end
  return call(root.handle, method, query, scopes, a, b)
end
M.run = run

--- Tell that records have been read, and hand them on.
local function tell_read(root, method, ...)
  local tell = root.class and READS[method]
  local def = tell and root.class._def
  if def and Event.any(def) and root[1] == def.root[1] then return tell(def, ...) end
  return ...
end

--- Run reads that do not know of each other: in one round trip where they are of one database that has any, and nobody
--- listens to each statement.
---@param reads table[]  { query, method, … } as `run` takes them
---@param closing? rille.Handle  nothing else is done in the transaction that is open on it, which wrote nothing
---@return table[]  what each gave, packed
function M.together(reads, closing)
  local results, handle, asked = {}, #reads > (closing and 0 or 1) and ready(reads[1][1]).handle, {}
  local apart = not handle or not handle:engine().pipelines or hook.listening.query
  for i = 2, apart and 0 or #reads do apart = apart or ready(reads[i][1]).handle ~= handle end
  if apart then
    for i, read in ipairs(reads) do results[i] = table.pack(run(table.unpack(read, 1, 4))) end
    return results
  end
  for i, read in ipairs(reads) do
    local query, scopes = demanded(read[1], read[1][1])
    asked[i] = { read[2], query, scopes or false, read[3] or nil, read[4] or nil }
  end
  for i, given in ipairs(call(handle, "together", asked, closing == handle)) do
    results[i] = table.pack(tell_read(reads[i][1][1], reads[i][2], table.unpack(given, 1, #given)))
  end
  return results
end

--- The relations that the query says shall be loaded; nil for none.
local function wanted_of(query)
  if not query[1].marked then return nil end
  local _, _, with = marks(query)
  if not with then return nil end
  local Preload, wanted = require "rille.preload", {}
  for _, said in ipairs(with) do Preload.want(wanted, table.unpack(said, 1, said.n)) end
  return wanted
end
M.wanted_of = wanted_of

-- Clauses that put columns of others, or none of the table's own, under a name of the table's.
local MIXES <const> = { [op.join] = true, [op.select_raw] = true, [op.select_query] = true, [op.union] = true }

--- Does the query give rows of a table without a model that holds JSON, and are its columns the table's own?
local function reads_json(query)
  local root = query[1]
  if root.class or not root.casts then return false end
  while query do
    if MIXES[query[3]] then return false end
    query = query[2]
  end
  return true
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
    local results = M.together { { query, "all" }, { counted, "aggregate", "count" } }
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
  function Query:all(...)
    if ... ~= nil then no_argument("all", "select(…) says which columns", ...) end
    return List.wrap(rows_of(self))
  end
  Query.get = Query.all

  --- The first row, or nil.
  function Query:first(...)
    if ... ~= nil then no_argument("first", "limit(n):all() gives several rows, find(key) one by its key", ...) end
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
      return in_batches(self[1].class, wanted, check, run(self, "cursor"))
    end
    if reads_json(self) then return json_cursor(self[1].kept, run(self, "cursor")) end
    return run(self, "cursor")
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
