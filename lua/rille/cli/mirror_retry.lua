--- mirror:retry: tries again what mirrors could not take.

---@type rille.Command
return {
  summary = "try again what was set aside",
  details = "Rows become what they are in the source by now.  The exit status is 1 when some of it fails again.",
  json = true,
  arguments = require "rille.cli.mirrors".arguments,
  run = function(args, term)
    return require "rille.cli.mirrors".each(args, term, "mirror_retry", function(done)
      return ("%d applied, %d failed again"):format(done.applied, done.failed)
    end, function(done) return done.failed and done.failed > 0 end)
  end,
}
