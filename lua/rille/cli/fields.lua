--- fields: `title:string`, `price:decimal,10,2`, `author:references,users?` on the command line become column words.
local quote = require "rille.error".quote

local M = {}

M.HELP = [[
A field is NAME:TYPE, for instance
  title:string      slug:string,80:unique      body:text?      views:integer:default=0
  price:decimal,10,2      status:enum,draft,published:index      author:references,users
Types: string text integer bigint float decimal boolean date datetime json blob uuid enum references morphs.
After the type: ? (or :nullable) may be NULL, :unique, :index, :default=VALUE, :tenant says whose a row is.]]

-- type -> how many arguments it may take, and of which sort
local TYPES = {
  string = { 0, 1, "number" }, text = { 0, 0 }, integer = { 0, 0 }, bigint = { 0, 0 }, float = { 0, 0 },
  decimal = { 0, 2, "number" }, boolean = { 0, 0 }, date = { 0, 0 }, datetime = { 0, 0 }, json = { 0, 0 },
  blob = { 0, 0 }, uuid = { 0, 0 }, enum = { 1, math.huge, "choice" }, references = { 0, 1, "name" }, morphs = { 0, 0 },
}
local MODIFIERS = { "nullable", "unique", "index", "default", "tenant" }
local IS_NUMBER = { integer = true, bigint = true, float = true, references = true }
local GIVEN = { id = true, created_at = true, updated_at = true }      -- every new table has them

local function misuse(field, what, hint)
  require "rille.cli.failure".misuse(("field %s: %s"):format(quote(field), what), hint)
end

local function sorted_types()
  local names = {}
  for name in pairs(TYPES) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function check_arguments(field, column)
  local least, most, sort = table.unpack(TYPES[column.type])
  local count = #column.arguments
  if count < least then misuse(field, column.type .. " wants its values", "write status:enum,draft,published") end
  if count > most then
    misuse(field, ("%s takes %s after a comma"):format(column.type, most == 0 and "nothing" or "at most " .. most))
  end
  for _, argument in ipairs(column.arguments) do
    if sort == "number" and not argument:match "^%d+$" then misuse(field, quote(argument) .. " is no number") end
    if sort == "name" and not argument:match "^[a-z_][a-z0-9_]*$" then
      misuse(field, quote(argument) .. " is no name for a table")
    end
    if argument == "" then misuse(field, "a value between commas is missing") end
  end
end

local function read_modifier(field, column, text)
  local name, value = text:match "^([^=]*)=(.*)$"
  name = name or text
  local known = false
  for _, each in ipairs(MODIFIERS) do known = known or each == name end
  if not known or (name == "default") ~= (value ~= nil) then
    misuse(field, quote(text) .. " is not known after a type",
      require "rille.error".did_you_mean(name, MODIFIERS)
        or "known are :nullable, :unique, :index, :default=VALUE, :tenant")
  end
  column[name] = value or true
end

local function default_literal(column)
  local text = column.default
  if column.type == "boolean" and (text == "true" or text == "false") then return text end
  if IS_NUMBER[column.type] and text:find "^%-?%d+%.?%d*$" and tonumber(text) then return text end
  return ("%q"):format(text)
end

--- The column as a word of a migration: `t:string("title"):unique()`.
---@param column table
---@return string
function M.word(column)
  local arguments = { ("%q"):format(column.name) }
  if column.type == "enum" then
    local values = {}
    for i, value in ipairs(column.arguments) do values[i] = ("%q"):format(value) end
    arguments[2] = "{ " .. table.concat(values, ", ") .. " }"
  elseif column.type == "references" then
    arguments[2] = ("%q"):format(column.arguments[1] or require "rille.inflect".pluralize(column.name))
  else
    table.move(column.arguments, 1, #column.arguments, 2, arguments)
  end
  local out = { ("t:%s(%s)"):format(column.type, table.concat(arguments, ", ")) }
  if column.nullable then out[#out + 1] = ":nullable()" end
  if column.default then out[#out + 1] = (":default(%s)"):format(default_literal(column)) end
  if column.unique then out[#out + 1] = ":unique()" end
  if column.index then out[#out + 1] = ":index()" end
  if column.tenant then out[#out + 1] = ":tenant()" end
  return table.concat(out)
end

--- Raise for what the schema's words would refuse when the migration runs: a default that the type does not take, a
--- length that is too long.  They are asked themselves.
local function check_words(field, column)
  local Error = require "rille.error"
  local say = assert(load("local t = ...\n" .. M.word(column), "=field", "t", {}))
  local ok, e = pcall(require "rille.schema.table".describe, "fields", say)
  if ok then return end
  if not Error.is(e) then error(e, 0) end
  misuse(field, (e.message:gsub("^t:%l+%b():", ""):gsub("^t:%l+: ", "")), e.hint)
end

--- One field.
---@param field string
---@return table column  { name, type, arguments, nullable, unique, index, default, tenant }
function M.parse(field)
  local parts = {}
  for part in (field .. ":"):gmatch "([^:]*):" do parts[#parts + 1] = part end
  local name, described = parts[1], parts[2]
  if not name:match "^[a-z_][a-z0-9_]*$" then
    misuse(field, quote(name) .. " is no name for a column", "small letters, digits and _, as in published_at")
  end
  if GIVEN[name] then misuse(field, ("%s is made by itself"):format(name), "leave it out") end
  if not described or described == "" then misuse(field, "its type is missing", ("write %s:string"):format(name)) end
  local nullable = described:sub(-1) == "?"
  local words = {}
  if nullable then described = described:sub(1, -2) end
  for word in (described .. ","):gmatch "([^,]*)," do words[#words + 1] = word end
  local column = { name = name, type = table.remove(words, 1), arguments = words, nullable = nullable }
  if not TYPES[column.type] then
    local Error = require "rille.error"
    misuse(field, "there is no type " .. quote(column.type),
      Error.did_you_mean(column.type, sorted_types()) or "types are " .. table.concat(sorted_types(), " "))
  end
  check_arguments(field, column)
  for i = 3, #parts do read_modifier(field, column, parts[i]) end
  if column.type == "references" then column.name = name:gsub("_id$", "") end
  if column.type == "morphs" and (column.nullable or column.unique or column.index or column.default
    or column.tenant) then
    misuse(field, "morphs makes two columns and takes nothing after it")
  end
  check_words(field, column)
  return column
end

--- All fields; no column may come twice, and one at most may say whose a row is.
---@param fields string[]
---@return table[] columns
function M.parse_all(fields)
  local columns, seen, tenant = {}, {}, nil
  for i, field in ipairs(fields) do
    columns[i] = M.parse(field)
    for _, name in ipairs(M.names(columns[i])) do
      if seen[name] then misuse(field, ("the column %s comes twice"):format(name)) end
      seen[name] = true
    end
    if columns[i].tenant then
      if tenant then misuse(field, ("whose a row is, %s says already"):format(tenant)) end
      tenant = columns[i].name
    end
  end
  return columns
end

--- The columns that a field makes.
---@param column table
---@return string[]
function M.names(column)
  if column.type == "references" then return { column.name .. "_id" } end
  if column.type == "morphs" then return { column.name .. "_type", column.name .. "_id" } end
  return { column.name }
end

return M
