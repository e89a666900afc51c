--- query.shape: the methods of a query that are no conditions: what is selected, joined, grouped, ordered and limited.
local core = require "rille.core"
local Error = require "rille.error"

local setmetatable, select, type = setmetatable, select, type
local math_type = math.type
local op <const> = core.op
local LIMIT <const>, ORDER <const> = op.limit, op.order

local ALIAS_BYTES_MAX = 63        -- what PostgreSQL keeps of a name

---@param Query rille.Query  gets the methods
---@return rille.Query
return function(Query)
  local node, is_query = Query.node, Query.is_query

  --- A node that says something beside clauses; see Scope.marks.
  local function mark(self, ...)
    self[1].marked = true
    return node(self, op.nothing, ...)
  end

  local function names(word, ...)
    local list, count = { ... }, select("#", ...)
    if count == 1 and type(list[1]) == "table" then
      list = list[1]
      count = rawlen(list)
    end
    if count == 0 then Error.argument(word, "names of columns", (...)) end
    local copy = {}
    for i = 1, count do
      local name = rawget(list, i)
      if type(name) ~= "string" or name == "" then Error.argument(word, "the name of a column", name) end
      copy[i] = name
    end
    for key in next, list do
      if copy[key] == nil then Error.argument(word, "a list of names without keys", key) end
    end
    return copy
  end

  --- A name that a query gives: to an output or to a joined table.
  local function check_alias(word, alias)
    if #alias > ALIAS_BYTES_MAX or not alias:find "^[%a_\128-\255][%w_\128-\255]*$" or not utf8.len(alias) then
      Error.argument(word,
        ("a name after `as` of at most %d letters, digits and underscores"):format(ALIAS_BYTES_MAX), alias)
    end
    return alias
  end

  --- Names of columns, each of which may be given another: "title as heading".
  local function outputs(word, ...)
    local list = names(word, ...)
    for _, name in ipairs(list) do
      local alias = name:match "^.- as (.*)$"
      if alias then check_alias(word, alias) end
    end
    return list
  end

  --- Only these columns, in place of what was selected before: "title", "posts.title", "title as heading".  What is
  --- counted of relations stays.
  function Query:select(...)
    local query = node(self, op.select, outputs("select", ...))
    if self[1].counted then return require "rille.relation.condition".keep_counts(query, self) end
    return query
  end

  --- These columns too.
  function Query:add_select(...) return node(self, op.add_select, outputs("add_select", ...)) end

  --- Outputs in the caller's own SQL; the names behind `as` can be ordered by.
  function Query:select_raw(sql, ...)
    if type(sql) ~= "string" or sql == "" then Error.argument("select_raw", "SQL", sql) end
    local text, params = require "rille.sql".fragment("select_raw", self, sql, ...)
    local aliases = {}
    for alias in text:gmatch '%f[%w_][aA][sS]%s+"?([%a_][%w_]*)' do aliases[#aliases + 1] = alias end
    return node(self, op.select_raw, text, params, table.concat(aliases, "\0"))
  end

  --- No two rows alike.
  function Query:distinct() return node(self, op.distinct, true) end

  --- "users as author", or a model -> a source for the table, its alias or false, and the model whose scopes hold
  --- for its rows or false.
  local function joined_source(self, word, name)
    local Root = require "rille.query.root"
    if require "rille.model".is_class(name) then
      local info = require "rille.model".info(name)
      if info.handle ~= Root.ready(self).handle then
        Error.raise("unsupported", ("%s: %s is in another database, which no statement reads too"):format(word,
          name._def.name), { model = name._def.name })
      end
      return Root.source_of_table(self, name._def.table), false, name
    elseif type(name) ~= "string" then
      Error.argument(word, "the name of a table, or a model", name)
    end
    local plain, alias = name:match "^(%S+)%s+as%s+(%S+)$"
    if alias then check_alias(word, alias) end
    local source = Root.source_of_table(self, plain or name)
    local class = self[1].class and require "rille.scope".model_of(self[1], word, plain or name) or false
    return source, alias or false, class
  end

  local function join(word, left)
    return function(self, joined, a, ...)
      local operator, b = "=", ...
      if select("#", ...) == 2 then operator, b = ... end
      for _, text in ipairs { a, operator, b } do
        if type(text) ~= "string" then Error.argument(word, "a column, an operator and a column", text) end
      end
      if a == nil or b == nil then Error.argument(word, "a column, an operator and a column", nil) end
      local source, alias, class = joined_source(self, word, joined)
      require "rille.scope".note_join(self[1], alias or source:name())
      return node(self, op.join, left, source, alias, a, operator, b, class)
    end
  end

  --- Rows of another table beside ours, where the columns fit: "users", "users as author", or a model.  The scopes of
  --- the table's model hold for them.
  Query.join = join("join", false)

  --- The same; rows without a partner stay, with NULL beside them.
  Query.left_join = join("left_join", true)

  function Query:group_by(...) return node(self, op.group_by, names("group_by", ...)) end

  --- A condition on groups: a column or the name of an output, an operator, a value.
  function Query:having(column, ...)
    local operator, value = "=", ...
    if select("#", ...) == 2 then operator, value = ... end
    if type(column) ~= "string" then Error.argument("having", "a column or an output", column) end
    if type(operator) ~= "string" then Error.argument("having", "an operator", operator) end
    if value == nil then Error.argument("having", "a value for " .. column, nil) end
    return node(self, op.having, 0, column, operator, value)
  end

  function Query:having_raw(sql, ...)
    if type(sql) ~= "string" or sql == "" then Error.argument("having_raw", "SQL", sql) end
    return node(self, op.having_raw, 0, require "rille.sql".fragment("having_raw", self, sql, ...))
  end

  local DIRECTIONS = { asc = false, desc = true, ASC = false, DESC = true }

  --- Order by a column or an output, "asc" (NULL first) or "desc" (NULL last), after what was ordered by before.
  function Query:order_by(column, ...)
    local root, direction = self[1], ...
    if type(column) ~= "string" then Error.argument("order_by", "the name of a column", column) end
    if direction == "desc" then return setmetatable({ root, self, ORDER, column, true }, root.meta) end
    if select("#", ...) == 0 then direction = "asc" end
    if DIRECTIONS[direction] == nil then
      Error.argument("order_by", '"asc" or "desc"', direction, Error.did_you_mean(direction, { "asc", "desc" }))
    end
    return node(self, op.order, column, DIRECTIONS[direction])
  end

  function Query:order_by_desc(column) return self:order_by(column, "desc") end

  function Query:order_by_raw(sql, ...)
    if type(sql) ~= "string" or sql == "" then Error.argument("order_by_raw", "SQL", sql) end
    return node(self, op.order_raw, require "rille.sql".fragment("order_by_raw", self, sql, ...))
  end

  local function created_at(self)
    local info = require "rille.query.root".ready(self).info
    return info and info.created_at or "created_at"
  end

  --- The newest first, by created_at or the column.
  function Query:latest(column) return self:order_by(column or created_at(self), "desc") end

  --- The oldest first.
  function Query:oldest(column) return self:order_by(column or created_at(self), "asc") end

  function Query:in_random_order() return node(self, op.order_random, true) end

  --- Forget the orders so far, and order by the column if one is given.
  function Query:reorder(...)
    local bare = node(self, op.reorder, true)
    return select("#", ...) > 0 and bare:order_by(...) or bare
  end

  local function count_of(word, value)
    if math.type(value) == "float" and value % 1 == 0 and value < 2 ^ 53 then value = math.tointeger(value) end
    if math.type(value) ~= "integer" or value < 0 then Error.argument(word, "a whole number, at least 0", value) end
    return value
  end

  --- At most so many rows.
  function Query:limit(count)
    local root = self[1]
    if math_type(count) ~= "integer" or count < 0 then count = count_of("limit", count) end
    return setmetatable({ root, self, LIMIT, count }, root.meta)
  end

  --- Without the first so many rows.
  function Query:offset(count) return node(self, op.offset, count_of("offset", count)) end

  --- Forget limit and offset.
  function Query:unlimited() return node(self, op.unlimited, true) end

  --- Rows as plain tables instead of records.
  function Query:plain()
    local source = require "rille.query.root".source_of_table(self, require "rille.query.root".ready(self)[1]:name())
    local root = setmetatable({ source }, { __index = self[1] })
    return setmetatable({ root, self, op.nothing }, root.meta)
  end

  local function union(word, all)
    return function(self, query)
      if not is_query(query) then Error.argument(word, "a query", query) end
      return node(self, op.union, require "rille.query.run".subquery(self, word, query), all)
    end
  end

  --- The rows of both, each once; orders and limits of the first count for all.
  Query.union = union("union", false)

  --- The rows of both.
  Query.union_all = union("union_all", true)

  local LOCK_OPTIONS = { "skip_locked", "nowait" }

  local function lock(word)
    return function(self, options)
      options = Error.options(word, options, LOCK_OPTIONS)
      return mark(self, "lock", word, options)
    end
  end

  --- Keep others from changing the rows until the transaction ends.  SQLite locks the whole database for a
  --- transaction, so there it only makes sure that one is open; skip_locked and nowait are unsupported there.
  Query.lock_for_update = lock "lock_for_update"
  Query.shared_lock = lock "shared_lock"

  --- An update or delete of every row is meant.
  function Query:unfiltered() return node(self, op.unfiltered, true) end

  --- `fn(query, condition)` where the condition is true, `otherwise` where it is not; a query from either replaces
  --- this one.
  function Query:when(condition, fn, otherwise)
    if type(fn) ~= "function" then Error.argument("when", "a function", fn) end
    if otherwise ~= nil and type(otherwise) ~= "function" then Error.argument("when", "a function", otherwise) end
    if not condition then fn = otherwise end
    if fn == nil then return self end
    local made = fn(self, condition)
    if not is_query(made) then
      Error.argument("when", "a function that returns a query", made, "is a `return` missing?")
    end
    return made
  end

  --- Look at the query on its way.
  function Query:tap(fn)
    if type(fn) ~= "function" then Error.argument("tap", "a function", fn) end
    fn(self)
    return self
  end

  local function trashed(word, which)
    return function(self, ...)
      local name = ...
      if select("#", ...) > 0 and type(name) ~= "string" then
        Error.argument(word, "the name of a joined table, or nothing", name)
      end
      return mark(self, "trashed", which, name)
    end
  end

  --- Soft-deleted rows too: our own, or those of a joined table by its name in the query.
  Query.with_trashed = trashed("with_trashed", "with")

  --- Soft-deleted rows only.
  Query.only_trashed = trashed("only_trashed", "only")

  --- Without one of the model's global scopes, or one of a joined table's model.
  ---@param name string
  ---@param joined? string  the table's name in the query
  function Query:without_global_scope(name, joined)
    if joined ~= nil then
      if type(joined) ~= "string" then Error.argument("without_global_scope", "the name of a joined table", joined) end
      return mark(self, "without", name, joined)
    end
    local class = self[1].class
    local scopes = class and class._def.global_scope_names or {}
    if not class or not class._def.global_scopes[name] then
      Error.unknown("invalid_argument", "global scope", name, scopes, class and class._def.name or "a table")
    end
    return mark(self, "without", name)
  end

  return require "rille.query.ends".add(require "rille.query.with"(Query))
end
