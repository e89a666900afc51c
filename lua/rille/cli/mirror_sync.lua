--- mirror:sync: brings mirrors up to their sources.

---@type rille.Command
return {
  summary = "bring mirrors up to their sources",
  details = "Programs that write do so themselves, in the background; --follow does it for those that do not.",
  json = true,
  arguments = require "rille.cli.mirrors".arguments,
  options = { { "--follow", "go on until it is stopped" } },
  run = function(args, term)
    if args.follow then return require "rille.cli.mirrors".follow(args, term) end
    return require "rille.cli.mirrors".each(args, term, "mirror_sync", function(done)
      return ("%d applied, %d set aside"):format(done.applied, done.set_aside)
    end)
  end,
}
