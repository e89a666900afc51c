--- mirror:sync: brings mirrors up to their sources.

---@type rille.Command
return {
  summary = "bring mirrors up to their sources",
  json = true,
  arguments = require "rille.cli.mirrors".arguments,
  run = function(args, term)
    return require "rille.cli.mirrors".each(args, term, "mirror_sync", function(done)
      return ("%d applied, %d set aside"):format(done.applied, done.set_aside)
    end)
  end,
}
