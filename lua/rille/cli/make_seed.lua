--- make:seed: a new seed.
local files = require "rille.cli.files"
local names = require "rille.cli.names"
local project = require "rille.cli.project"
local templates = require "rille.cli.templates"

---@type rille.Command
return {
  summary = "write a new seed",
  json = true,
  arguments = { { "name", "such as first_posts; seeds run in the order of their names" } },
  run = function(args, term)
    names.check_seed(args.name)
    local path = ("%s/%s.lua"):format(project.folder "seeds", args.name)
    files.write_new(path, templates.fill(templates.seed, { sentence = names.sentence(args.name) }))
    project.note_missing(term)
    term:report({ files = { path } }, function()
      term:line(path)
      term:note(term:paint("err", "dim", ("rille db:seed --class %s runs it"):format(args.name)))
    end)
  end,
}
