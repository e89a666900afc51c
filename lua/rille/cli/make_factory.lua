--- make:factory: a new factory, with a made-up value for each column that the model's `fields` want one for.
local files = require "rille.cli.files"
local inflect = require "rille.inflect"
local names = require "rille.cli.names"
local project = require "rille.cli.project"
local templates = require "rille.cli.templates"

-- What a text is about, by its name.
local BY_NAME = {
  email = "fake:email()", name = "fake:name()", first_name = "fake:first_name()", last_name = "fake:last_name()",
  slug = "fake:unique():slug()", url = "fake:url()", title = "fake:sentence()",
}

local NO_LINE <const> = "    -- name = fake:name(),\n"

local SENTENCE_CHARACTERS <const> = 100                        -- no sentence, name or address is longer

local function string_value(column)
  if column.length and column.length < SENTENCE_CHARACTERS then return ("fake:text(%d)"):format(column.length) end
  return BY_NAME[column.name] or "fake:words()"
end

local function enum_value(column)
  local values = {}
  for i, value in ipairs(column.values) do values[i] = ("%q"):format(value) end
  return ("fake:pick { %s }"):format(table.concat(values, ", "))
end

-- Word of a migration -> the value, or a function of the column.
local BY_WORD = {
  text = "fake:paragraph()", integer = "fake:integer(0, 100)", bigint = "fake:integer(0, 1000000)",
  float = "fake:float()", boolean = "fake:boolean()", date = "fake:date()", datetime = "fake:datetime()",
  uuid = "fake:uuid()", json = "{}", blob = "fake:word()",
  string = string_value, enum = enum_value,
  decimal = function(column) return ("fake:decimal(0, 9, %d)"):format(column.scale or 2) end,
}

--- A factory of the model that the column refers to, under the name of the relation where the model has one.
local function reference(def, column)
  for _, name in ipairs(require "rille.keys"(def.relations)) do
    local relation = def.relations[name]
    local keys = relation.options.foreign_key or { name .. "_id" }
    if relation.kind == "belongs_to" and #keys == 1 and keys[1] == column.name then
      return name, ('rille.factory("%s")'):format(relation.model)
    end
  end
  return column.name, ('rille.factory("%s")'):format(inflect.class_name(column.references.table))
end

local function line(def, column)
  if column.references then return ("    %s = %s,\n"):format(reference(def, column)) end
  local value = BY_WORD[column.word]
  if type(value) == "function" then value = value(column) end
  return value and ("    %s = %s,\n"):format(column.name, value) or ""
end

--- The database gives the others their values, or they may have none.
local function is_wanted(column)
  local given = column.auto or column.nullable or column.default ~= nil or column.default_sql or column.default_now
  return not given
end

---@type rille.Command
return {
  summary = "write a new factory",
  json = true,
  arguments = { { "model", "such as Post" } },
  run = function(args, term)
    names.check_model(args.model)
    local path = ("%s/%s.lua"):format(project.folder "factories", inflect.underscore(args.model))
    local class, lines = require "rille.autoload".find(args.model), {}
    for i, column in ipairs(class and class._def.columns or {}) do
      lines[i] = is_wanted(column) and line(class._def, column) or ""
    end
    local text = table.concat(lines)
    files.write_new(path, templates.fill(templates.factory, {
      Model = args.model, lines = text ~= "" and text or NO_LINE,
    }))
    project.note_missing(term)
    if not class then term:note(("note: there is no model %s yet"):format(args.model)) end
    term:report({ model = args.model, files = { path } }, function()
      term:line(path)
      term:note(term:paint("err", "dim", ('rille.factory("%s"):create_one() makes one'):format(args.model)))
    end)
  end,
}
