--- migrate:generate: writes the migration that leads from the database to what the models' `fields` describe.
local files = require "rille.cli.files"
local project = require "rille.cli.project"
local text = require "rille.cli.text"

--- A migration that is not applied would be written a second time.
local function refuse_pending()
  if not files.is_directory(project.folder "migrations") then return end
  for _, each in ipairs(require "rille.migrator".status {}.migrations) do
    if each.state == "pending" then
      require "rille.error".raise("migration", ("%s is not applied yet"):format(each.name), {
        hint = "rille migrate goes first; what is missing then is written into a new one",
      })
    end
  end
end

local function name_of(generated)
  if #generated.tables > 1 then return "change_tables" end
  local verb = generated.text:find("schema:create", 1, true) and "create" or "change"
  return verb .. "_" .. generated.tables[1]:gsub("[^%w_]", "_"):lower()
end

--- A name that no migration has yet.
local function free_name(name)
  local taken, folder = {}, project.folder "migrations"
  for _, file in ipairs(files.list(folder)) do taken[file:match "^%d+_([^.]*)%." or ""] = true end
  local count, candidate = 1, name
  while taken[candidate] do
    count = count + 1
    candidate = name .. "_" .. count
  end
  return candidate
end

local function notes(generated, term)
  for _, sentence in ipairs(generated.changes) do term:line(text.escape(sentence)) end
  for _, each in ipairs(generated.lost) do
    term:note(("note: %s.%s is dropped with all it holds"):format(text.escape(each.table), text.escape(each.column)))
  end
  for _, each in ipairs(generated.maybe_renamed) do
    term:note(("note: is that another name for the same? t:rename(%q, %q) keeps the values of %s"):format(each.from[1],
      each.to[1], text.escape(each.table)))
  end
  for _, difference in ipairs(generated.not_undone or {}) do
    term:note("note: down does not quite undo it: " .. text.escape(difference))
  end
end

---@type rille.Command
return {
  summary = "write the migration that makes the tables what the models describe",
  details = "Models describe their tables with `fields`.  Tables without such a model are left alone, and a table is\n"
    .. "never dropped.  The migration is tried on an empty copy before it is written; read it before it is applied.",
  json = true,
  arguments = { { "name", "of the migration", count = "?" } },
  options = { { "--pretend", "print it and write nothing" } },
  run = function(args, term)
    project.need()
    if args.name then require "rille.cli.names".check_migration(args.name) end
    refuse_pending()
    local generated = require "rille.migrator.generate".of(require "rille.database".get())
    local result = { changes = generated.changes, lost = generated.lost, text = generated.text }
    if generated.text and not args.pretend then
      result.file = project.new_migration(args.name or free_name(name_of(generated))) .. ".lua"
      files.write_new(result.file, generated.text)
    end
    term:report(result, function()
      if not generated.text then return term:line "the tables are what the models describe" end
      notes(generated, term)
      term:line(args.pretend and generated.text or result.file)
    end)
  end,
}
