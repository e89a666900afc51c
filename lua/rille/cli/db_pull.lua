--- db:pull: writes models for the tables of a database that have none.
local files = require "rille.cli.files"
local inflect = require "rille.inflect"
local project = require "rille.cli.project"
local text = require "rille.cli.text"

---@type rille.Command
return {
  summary = "write models for tables that have none",
  details = "Columns become `fields`, foreign keys become relations.  A file that is there is never overwritten, and\n"
    .. "tables that only join two others get no model, unless they are named.",
  json = true,
  arguments = { { "table", "only these; a table that has a model, too", count = "*" } },
  options = { { "--pretend", "print them and write nothing" } },
  run = function(args, term)
    project.need()
    local only = #(args.table or {}) > 0 and args.table or nil
    local pulled = require "rille.migrator.pull".of(require "rille.database".get(), only)
    local folder, written = project.folder "models", {}
    for i, each in ipairs(pulled) do
      written[i] = { model = each.model, table = each.table, unsaid = each.unsaid,
        text = args.pretend and each.text or nil, file = ("%s/%s.lua"):format(folder, inflect.underscore(each.model)) }
    end
    for i, each in ipairs(pulled) do
      if not args.pretend then files.write_new(written[i].file, each.text) end
    end
    term:report({ models = written }, function()
      for _, each in ipairs(written) do
        term:line(each.text or each.file)
        for _, what in ipairs(each.unsaid) do
          term:note(("note: %s: not described: %s"):format(text.escape(each.table), text.escape(what)))
        end
      end
      if #written == 0 then term:line "every table has a model" end
    end)
  end,
}
