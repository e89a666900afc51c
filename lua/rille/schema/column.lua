--- column: what stands behind a column word: `:nullable():default(0)`; fills in the column of a blueprint.
local Error = require "rille.error"
local Name = require "rille.schema.name"
local Value = require "rille.schema.value"

local M = {}

local ACTIONS = { "cascade", "set null", "set default", "restrict", "no action" }

---@class rille.ColumnWords
---@field private columns table[]   of the blueprint; most words make one
---@field private place string      for messages: t:string("title")
local Column = {}
M.names = {}                        -- of the words, for "did you mean"

local function is_text(value) return type(value) == "string" and value ~= "" end

--- Define a word: `take(column, where, …)` is called for each column; `arguments` is how many it takes at most.
local function word(name, arguments, take)
  M.names[#M.names + 1] = name
  Column[name] = function(self, ...)
    if getmetatable(self) ~= Column then
      Error.raise("invalid_argument", name .. ": wants a colon before it, as in t:integer(\"n\"):" .. name .. "(…)")
    end
    local where = self.place .. ":" .. name
    if select("#", ...) > arguments then
      Error.raise("invalid_argument", ("%s: takes at most %d argument%s, got %d"):format(where, arguments,
        arguments == 1 and "" or "s", select("#", ...)))
    end
    for _, column in ipairs(self.columns) do take(column, where, ...) end
    return self
  end
end

Column.__index = function(self, name)
  if Column[name] then return Column[name] end
  Error.unknown("invalid_argument", "word", name, M.names, rawget(self, "place"))
end

local function only_one(column, key, where)
  if column[key] ~= nil then Error.raise("invalid_argument", where .. ": is already said") end
end

word("nullable", 0, function(column, where)
  if column.primary then Error.raise("invalid_argument", where .. ": a primary key is never NULL") end
  column.nullable = true
end)

--- A literal value; rille.null is NULL.
word("default", 1, function(column, where, value)
  only_one(column, "default", where)
  only_one(column, "default_sql", where)
  if column.auto then Error.raise("invalid_argument", where .. ": the database numbers this column itself") end
  column.default = Value.check(where, column, value)
end)

--- An SQL expression, such as CURRENT_TIMESTAMP.
word("default_raw", 1, function(column, where, sql)
  only_one(column, "default", where)
  only_one(column, "default_sql", where)
  if not is_text(sql) then Error.argument(where, "an SQL expression", sql) end
  column.default_sql = sql
end)

--- The moment at which the row is inserted, in the form in which rille stores moments.
word("default_now", 0, function(column, where)
  only_one(column, "default", where)
  only_one(column, "default_sql", where)
  if column.type ~= "datetime" and column.type ~= "date" then
    Error.raise("invalid_argument", where .. ": wants a date or a datetime column")
  end
  column.default_now = true
end)

--- What may be said of an index: its name, or { name =, where = a condition in SQL or a table of column = value,
--- ignore_trashed = true or the column of soft deletes: it covers only rows that are not deleted softly,
--- global = true: in a table with a tenant's column it is for the rows of all tenants, concurrently = true: PostgreSQL
--- makes it while others write }.
---@param where string  the word, for messages
---@param options string|table|nil
---@return table
function M.index_options(where, options)
  if type(options) == "string" then options = { name = options } end
  options = Error.options(where, options, { "name", "where", "ignore_trashed", "global", "concurrently" })
  if options.name ~= nil then Name.check_table(where .. ".name", options.name) end
  if options.where ~= nil and not is_text(options.where) and (type(options.where) ~= "table"
    or next(options.where) == nil) then
    Error.argument(where .. ".where", "a condition in SQL, or a table of columns and values", options.where)
  end
  for _, flag in ipairs { "global", "concurrently" } do
    if options[flag] ~= nil and type(options[flag]) ~= "boolean" then
      Error.argument(where .. "." .. flag, "true or false", options[flag])
    end
  end
  local trashed = options.ignore_trashed
  if type(trashed) == "string" then
    Name.check(where .. ".ignore_trashed", trashed)
  elseif trashed ~= nil and type(trashed) ~= "boolean" then
    Error.argument(where .. ".ignore_trashed", "true, or the name of the column", trashed)
  end
  return options
end

word("unique", 1, function(column, where, options) column.unique = M.index_options(where, options) end)
word("index", 1, function(column, where, options) column.index = M.index_options(where, options) end)

word("primary", 0, function(column, where)
  if column.nullable then Error.raise("invalid_argument", where .. ": a primary key is never NULL") end
  column.primary = true
end)

--- An SQL condition that every row keeps.
word("check", 1, function(column, where, sql)
  if not is_text(sql) then Error.argument(where, "an SQL condition", sql) end
  column.checks[#column.checks + 1] = sql
end)

word("references", 2, function(column, where, target, target_column)
  column.references = {
    table = Name.check_table(where, target), column = Name.check(where, target_column == nil and "id" or target_column),
    on_delete = nil, on_update = nil,
  }
end)

-- Types of columns by which a database tells any two ids of tenants apart.
local TELLS_APART <const> = { integer = true, text = true, uuid = true }

--- The column says which tenant a row belongs to: unique indexes of the table begin with it, and references to tables
--- of the same kind reach the same tenant's rows alone.
word("tenant", 0, function(column, where)
  if column.nullable then Error.raise("invalid_argument", where .. ": whose a row is cannot be NULL") end
  if not TELLS_APART[column.type] then
    Error.raise("invalid_argument", ("%s: a column of the type %s cannot say whose a row is"):format(where,
      column.type), {
      hint = "an integer (as t:references makes), a string, a text or a uuid can",
    })
  end
  column.tenant, column.indexed = true, true
end)

--- The column refers to rows of any tenant.
word("global", 0, function(column, where)
  if not column.references then
    Error.raise("invalid_argument", where .. ": the column references no table", {
      hint = ":references(table) goes first; of an index it is said as :unique { global = true }",
    })
  end
  column.global = true
end)

--- An action of a foreign key, as SQL says it.
---@param where string
---@param what any
---@return string
function M.action(where, what)
  local action = type(what) == "string" and what:lower():gsub("_", " ") or what
  for _, each in ipairs(ACTIONS) do
    if each == action then return each end
  end
  Error.argument(where, "one of " .. table.concat(ACTIONS, ", "), what, Error.did_you_mean(action, ACTIONS))
end

for _, event in ipairs { "on_delete", "on_update" } do
  word(event, 1, function(column, where, what)
    if not column.references then
      Error.raise("invalid_argument", where .. ": the column references no table", {
        hint = ":references(table) goes first",
      })
    end
    column.references[event] = M.action(where, what)
  end)
end

word("comment", 1, function(column, where, text)
  if type(text) ~= "string" or not utf8.len(text) or text:find("\0", 1, true) then
    Error.argument(where, "a text (UTF-8, without NUL bytes)", text)
  end
  column.comment = text
end)

--- The column is there and becomes what is said here.
word("change", 0, function(column, where)
  if column.mode ~= "alter" then
    Error.raise("invalid_argument", where .. ": a new table has no columns to change", {
      hint = "schema:table(name, fn) changes the columns of a table",
    })
  end
  if column.auto then Error.raise("unsupported", where .. ": a column cannot become an id afterwards") end
  column.change = true
end)

--- The words behind a column word.
---@param columns table[]
---@param place string
---@return rille.ColumnWords
function M.words(columns, place)
  return setmetatable({ columns = columns, place = place }, Column)
end

return M
