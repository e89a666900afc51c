--- make:model: the declaration of a model, and the migration that makes its table.
local fields = require "rille.cli.fields"
local files = require "rille.cli.files"
local inflect = require "rille.inflect"
local names = require "rille.cli.names"
local project = require "rille.cli.project"
local templates = require "rille.cli.templates"

--- What stands between the braces of the declaration.
local function body_of(columns)
  if #columns == 0 then return "" end
  local words, fillable, tenant = {}, {}, ""
  for _, column in ipairs(columns) do
    words[#words + 1] = "    " .. fields.word(column) .. "\n"
    for _, name in ipairs(fields.names(column)) do
      if column.tenant then                          -- it is filled in by itself
        tenant = ("  tenant_column = %q,\n"):format(name)
      else
        fillable[#fillable + 1] = ("%q"):format(name)
      end
    end
  end
  local list = #fillable > 0 and "{ " .. table.concat(fillable, ", ") .. " }" or "{}"
  return ("%s  fields = function(t)\n    t:id()\n%s    t:timestamps()\n  end,\n  fillable = %s,\n"):format(tenant,
    table.concat(words), list)
end

---@type rille.Command
return {
  summary = "write a new model and the migration of its table",
  details = fields.HELP,
  json = true,
  arguments = {
    { "name", "such as Post or BlogPost" },
    { "field", "NAME:TYPE, see below", count = "*" },
  },
  options = {
    { "--migration", "write the migration even without fields" },
    { "--no-migration", "write no migration" },
  },
  run = function(args, term)
    names.check_model(args.name)
    if args.migration and args.no_migration then
      require "rille.cli.failure".misuse "--migration and --no-migration contradict each other"
    end
    local columns = fields.parse_all(args.field)
    local path = ("%s/%s.lua"):format(project.folder "models", inflect.underscore(args.name))
    local table_name = inflect.table_name(args.name)
    local written = { { path, templates.fill(templates.model, {
      Model = args.name, sentence = ("a row of %s."):format(table_name), body = body_of(columns),
    }) } }
    if args.migration or #columns > 0 and not args.no_migration then
      written[2] = { require "rille.cli.make_migration".create(table_name, columns) }
    end
    local paths = {}
    for i, file in ipairs(written) do
      files.write_new(file[1], file[2])
      paths[i] = file[1]
    end
    project.note_missing(term)
    term:report({ model = args.name, table = table_name, files = paths }, function()
      for _, each in ipairs(paths) do term:line(each) end
      term:note(term:paint("err", "dim", paths[2] and "rille migrate makes its table" or
        "its table is up to you: rille make:migration create_" .. table_name))
    end)
  end,
}
