--- make:migration: a new migration, numbered after the last one, with what its name and the given fields say.
local fields = require "rille.cli.fields"
local files = require "rille.cli.files"
local names = require "rille.cli.names"
local project = require "rille.cli.project"
local templates = require "rille.cli.templates"

local function lines_of(columns, indent, format)
  local out = {}
  for i, column in ipairs(columns) do out[i] = indent .. format(column) .. "\n" end
  return table.concat(out)
end

local function drop_word(column)
  local out = {}
  for i, name in ipairs(fields.names(column)) do out[i] = ("t:drop(%q)"):format(name) end
  return table.concat(out, "; ")
end

local function lua_text(name, columns)
  local verb, table_name = names.intent(name)
  local sentence = names.sentence(name)
  local values = { table = table_name or "posts", sentence = sentence }
  if verb == "create" then
    values.words = lines_of(columns, "      ", fields.word)
    return templates.fill(templates.create, values)
  end
  if #columns == 0 then return templates.fill(templates.blank, values) end
  if not verb then
    require "rille.cli.failure".misuse(("the name %q does not say what to do with the fields"):format(name),
      "name it create_TABLE, add_SOMETHING_to_TABLE or drop_SOMETHING_from_TABLE")
  end
  local add, drop = lines_of(columns, "      ", fields.word), lines_of(columns, "      ", drop_word)
  values.words, values.undo = add, drop
  if verb == "drop" then values.words, values.undo = drop, add end
  return templates.fill(templates.alter, values)
end

local function sql_files(path, name)
  local values = { sentence = names.sentence(name) }
  return {
    { path .. ".up.sql", templates.fill(templates.sql_up, values) },
    { path .. ".down.sql", templates.fill(templates.sql_down, values) },
  }
end

--- The text of a migration that creates a table; make:model writes it too.
---@param table_name string
---@param columns table[]  of fields.parse_all
---@return string path
---@return string text
local function create(table_name, columns)
  local name = "create_" .. table_name
  return project.new_migration(name) .. ".lua", lua_text(name, columns)
end

---@type rille.Command
return {
  summary = "write a new migration",
  details = "The name says what it does: create_posts, add_views_to_posts, drop_views_from_posts.\n" .. fields.HELP,
  json = true,
  arguments = {
    { "name", "such as add_views_to_posts" },
    { "field", "NAME:TYPE, see below", count = "*" },
  },
  options = { { "--sql", "a pair of files, .up.sql and .down.sql" } },
  create = create,
  run = function(args, term)
    names.check_migration(args.name)
    local columns = fields.parse_all(args.field)
    if args.sql and #columns > 0 then
      require "rille.cli.failure".misuse("--sql takes no fields", "write the SQL into the two files")
    end
    local path = project.new_migration(args.name)
    local written = args.sql and sql_files(path, args.name) or { { path .. ".lua", lua_text(args.name, columns) } }
    local paths = {}
    for i, file in ipairs(written) do
      files.write_new(file[1], file[2])
      paths[i] = file[1]
    end
    project.note_missing(term)
    term:report({ files = paths }, function()
      for _, each in ipairs(paths) do term:line(each) end
      term:note(term:paint("err", "dim", "rille migrate applies it"))
    end)
  end,
}
