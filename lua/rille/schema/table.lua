--- table: the column words of migrations and models; what they say becomes a blueprint, which knows no SQL dialect.
local Error = require "rille.error"
local Column = require "rille.schema.column"
local Name = require "rille.schema.name"

local M = {}

local STRING_CHARS, STRING_CHARS_MAX = 255, 65535
local DECIMAL_DIGITS, DECIMAL_SCALE = 10, 2
local DECIMAL_DIGITS_MAX, DECIMAL_SCALE_MAX = 38, 18      -- the core keeps as many behind the point

---@class rille.TableWords
---@field private table string        the table's name
---@field private mode "create"|"alter"
---@field private operations table[]  in the order they were said
local Table = {}
local names = {}                      -- of the words, for "did you mean"

Table.__index = function(self, name)
  if Table[name] then return Table[name] end
  Error.unknown("invalid_argument", "word", name, names, rawget(self, "place"))
end

--- Define a word of `t`: takes at most `arguments`; its function gets t, the place for messages and the arguments.
local function word(name, arguments, take)
  names[#names + 1] = name
  Table[name] = function(self, ...)
    if getmetatable(self) ~= Table then
      Error.raise("invalid_argument", ("%s: wants a colon before it, as in t:%s(…)"):format(name, name))
    end
    local given = select("#", ...)
    local where = "t:" .. name
    if given > arguments then
      Error.raise("invalid_argument", ("%s: takes at most %d argument%s, got %d"):format(where, arguments,
        arguments == 1 and "" or "s", given))
    end
    return take(self, where, ...)
  end
end

local function alter_only(self, where)
  if self.mode ~= "alter" then
    Error.raise("invalid_argument", where .. ": a new table has nothing to rename or drop", {
      hint = "schema:table(name, fn) changes a table",
    })
  end
end

local function push(self, operation)
  self.operations[#self.operations + 1] = operation
  return operation
end

--- One column, without what its modifiers will say.
local function new_column(self, where, name, fields)
  fields.name, fields.mode, fields.checks = Name.check(where, name), self.mode, {}
  fields.nullable = fields.nullable or false
  return push(self, { kind = "column", column = fields }).column
end

local function words(where, name, ...)
  return Column.words({ ... }, ("%s(%q)"):format(where, name))
end

local function whole(where, what, value, least, most)
  if math.type(value) ~= "integer" or value < least or value > most then
    Error.argument(where, ("%s from %d to %d"):format(what, least, most), value)
  end
  return value
end

--- A key that the database counts up.
word("id", 1, function(self, where, name)
  name = name == nil and "id" or name
  local column = new_column(self, where, name, { word = "id", type = "integer", primary = true, auto = true })
  return words(where, name, column)
end)

word("uuid_id", 1, function(self, where, name)
  name = name == nil and "id" or name
  return words(where, name, new_column(self, where, name, { word = "uuid", type = "uuid", primary = true }))
end)

word("string", 2, function(self, where, name, length)
  length = whole(where, "a number of characters", length == nil and STRING_CHARS or length, 1, STRING_CHARS_MAX)
  return words(where, name, new_column(self, where, name, { word = "string", type = "text", length = length }))
end)

word("decimal", 3, function(self, where, name, precision, scale)
  if precision == nil then precision = DECIMAL_DIGITS end
  whole(where, "a number of digits", precision, 1, DECIMAL_DIGITS_MAX)
  if scale == nil then scale = math.min(DECIMAL_SCALE, precision) end
  whole(where, "digits behind the point", scale, 0, math.min(precision, DECIMAL_SCALE_MAX))
  return words(where, name,
    new_column(self, where, name, { word = "decimal", type = "decimal", precision = precision, scale = scale }))
end)

for name, type_name in pairs {
  text = "text", integer = "integer", bigint = "integer", float = "real", boolean = "boolean", date = "date",
  datetime = "datetime", json = "json", blob = "blob", uuid = "uuid",
} do
  word(name, 1, function(self, where, column)
    return words(where, column, new_column(self, where, column, { word = name, type = type_name }))
  end)
end

word("enum", 2, function(self, where, name, values)
  if type(values) ~= "table" or #values == 0 then Error.argument(where, "a list of values", values) end
  local copy, seen = {}, {}
  for i, value in ipairs(values) do
    if type(value) ~= "string" or not utf8.len(value) or value:find("\0", 1, true) then
      Error.argument(where, "values that are texts (UTF-8, without NUL bytes)", value)
    end
    if seen[value] then Error.raise("invalid_argument", ("%s: the value %q comes twice"):format(where, value)) end
    copy[i], seen[value] = value, true
  end
  return words(where, name, new_column(self, where, name, { word = "enum", type = "text", values = copy }))
end)

--- A column NAME_id with the key of a row of another table.
word("references", 2, function(self, where, name, target)
  Name.check(where, name)
  if name:find "_id$" then
    Error.raise("invalid_argument", ("%s: %q would become the column %q"):format(where, name, name .. "_id"), {
      hint = ("write t:references(%q, …)"):format((name:gsub("_id$", ""))),
    })
  end
  if target == nil then target = require "rille.inflect".pluralize(name) end
  return words(where, name, new_column(self, where, name .. "_id", {
    word = "integer", type = "integer", indexed = true,
    references = { table = Name.check_table(where, target), column = "id" },
  }))
end)

--- NAME_type and NAME_id: a row of one of several tables.
word("morphs", 1, function(self, where, name)
  Name.check(where, name)
  local kind = new_column(self, where, name .. "_type", { word = "string", type = "text", length = STRING_CHARS })
  local key = new_column(self, where, name .. "_id", { word = "integer", type = "integer" })
  push(self, { kind = "index", columns = { { kind.name }, { key.name } }, options = {} })
  return words(where, name, kind, key)
end)

word("timestamps", 0, function(self, where)
  return words(where, "",
    new_column(self, where, "created_at", { word = "datetime", type = "datetime", nullable = true }),
    new_column(self, where, "updated_at", { word = "datetime", type = "datetime", nullable = true }))
end)

word("soft_deletes", 1, function(self, where, name)
  name = name == nil and "deleted_at" or name
  return words(where, name,
    new_column(self, where, name, { word = "datetime", type = "datetime", nullable = true, soft_deletes = true }))
end)

--- The columns of an index, each a name or { name, "desc" }, and its options: beside them or in a table of their own.
local function index_of(where, columns, options)
  if type(columns) == "string" then columns = { columns } end
  if type(columns) ~= "table" then Error.argument(where, "a column or a list of columns", columns) end
  local plain, parts, beside = {}, {}, {}
  for i, each in ipairs(columns) do
    local name, direction = each, nil
    if type(each) == "table" then name, direction = each[1], each[2] end
    if direction ~= nil and direction ~= "asc" and direction ~= "desc" then
      Error.argument(where, '"asc" or "desc"', direction)
    end
    plain[i] = name
    parts[i] = { name, direction }
  end
  Name.check_list(where, plain)
  for key, value in pairs(columns) do
    if math.type(key) ~= "integer" then beside[key] = value end
  end
  if next(beside) and options ~= nil then Error.raise("invalid_argument", where .. ": options come twice") end
  return parts, Column.index_options(where, options or beside)
end

word("index", 2, function(self, where, columns, options)
  local parts, checked = index_of(where, columns, options)
  push(self, { kind = "index", columns = parts, options = checked })
end)

word("unique", 2, function(self, where, columns, options)
  local parts, checked = index_of(where, columns, options)
  push(self, { kind = "index", unique = true, columns = parts, options = checked })
end)

word("primary", 1, function(self, where, columns)
  push(self, { kind = "primary", columns = Name.check_list(where, columns) })
end)

--- A condition on more than one column.
word("check", 2, function(self, where, sql, name)
  if type(sql) ~= "string" or sql == "" then Error.argument(where, "an SQL condition", sql) end
  if name ~= nil then Name.check(where, name) end
  push(self, { kind = "check", sql = sql, name = name })
end)

---@class rille.ForeignWords
local Foreign = {}
Foreign.__index = function(self, name)
  if Foreign[name] then return Foreign[name] end
  Error.unknown("invalid_argument", "word", name, { "references", "on_delete", "on_update" }, rawget(self, "place"))
end

function Foreign:references(target, columns)
  local key, where = self.key, self.place .. ":references"
  key.table = Name.check_table(where, target)
  key.references = Name.check_list(where, columns == nil and { "id" } or columns)
  if #key.references ~= #key.columns then
    Error.raise("invalid_argument", ("%s: %d columns cannot reference %d"):format(where, #key.columns, #key.references))
  end
  return self
end

for _, event in ipairs { "on_delete", "on_update" } do
  Foreign[event] = function(self, what)
    self.key[event] = Column.action(self.place .. ":" .. event, what)
    return self
  end
end

--- A foreign key over columns that are there: t:foreign{ "org_id", "post_id" }:references("posts", { "org_id", "id" }),
--- or the same as options: t:foreign{ "post_id", references = "posts", columns = { "id" }, on_delete = "cascade" }.
word("foreign", 1, function(self, where, columns)
  local options = {}
  if type(columns) == "table" then
    for key, value in pairs(columns) do
      if math.type(key) ~= "integer" then options[key] = value end
    end
  end
  Error.options(where, options, { "name", "references", "columns", "on_delete", "on_update" })
  local operation = push(self, { kind = "foreign", columns = Name.check_list(where, columns) })
  if options.name ~= nil then operation.name = Name.check(where .. ".name", options.name) end
  local chain = setmetatable({ key = operation, place = where }, Foreign)
  if options.references ~= nil then chain:references(options.references, options.columns) end
  if options.on_delete ~= nil then chain:on_delete(options.on_delete) end
  if options.on_update ~= nil then chain:on_update(options.on_update) end
  return chain
end)

word("rename", 2, function(self, where, from, to)
  alter_only(self, where)
  push(self, { kind = "rename", from = Name.check(where, from), to = Name.check(where, to) })
end)

word("drop", math.huge, function(self, where, ...)
  alter_only(self, where)
  local first = ...
  local list = Name.check_list(where, type(first) == "table" and select("#", ...) == 1 and first or { ... })
  push(self, { kind = "drop", columns = list })
end)

--- By its columns, or { name = "…" }.
for name, kind in pairs { drop_index = "drop_index", drop_unique = "drop_unique", drop_foreign = "drop_foreign" } do
  word(name, 1, function(self, where, columns)
    alter_only(self, where)
    if type(columns) == "table" and columns.name ~= nil then
      Error.options(where, columns, { "name" })
      push(self, { kind = kind, name = Name.check(where .. ".name", columns.name) })
    else
      push(self, { kind = kind, columns = Name.check_list(where, columns) })
    end
  end)
end

word("drop_primary", 0, function(self, where)
  alter_only(self, where)
  push(self, { kind = "drop_primary" })
end)

--- The database itself shows the table's rows to their tenant alone, where it can do that: PostgreSQL.
word("row_security", 1, function(self, where, column)
  if column ~= nil then Name.check(where, column) end
  push(self, { kind = "row_security", column_name = column })
end)

word("drop_row_security", 0, function(self, where)
  alter_only(self, where)
  push(self, { kind = "drop_row_security" })
end)

--- By its name: `posts_views_check`.
word("drop_check", 1, function(self, where, name)
  alter_only(self, where)
  push(self, { kind = "drop_check", name = Name.check(where, name) })
end)

local function read(mode, name, fn)
  local where = mode == "create" and "create" or "table"
  Name.check_table(where, name)
  if type(fn) ~= "function" then Error.argument(where, "a function that says the columns", fn) end
  local t = setmetatable({ table = name, mode = mode, operations = {}, place = "t" }, Table)
  fn(t)
  return require "rille.schema.blueprint".finish(name, mode, t.operations)
end

--- What a new table, or the `fields` of a model, is made of.
---@param name string
---@param fn fun(t: rille.TableWords)
---@return rille.Blueprint
function M.describe(name, fn) return read("create", name, fn) end

--- What shall become of a table that is there.
---@param name string
---@param fn fun(t: rille.TableWords)
---@return rille.Blueprint
function M.alter(name, fn) return read("alter", name, fn) end

return M
