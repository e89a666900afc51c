--- tenants:copy: makes a tenant from another one.

---@type rille.Command
return {
  summary = "make a tenant that holds what another one holds",
  json = true,
  arguments = { { "from", "the tenant that is there" }, { "to", "the new one" } },
  run = function(args, term)
    require "rille.cli.tenants".need()
    local db = require "rille.tenant".copy(args.from, args.to)
    term:report({ from = args.from, to = args.to, path = db:place() }, function()
      term:line(("%s holds what %s holds"):format(args.to, args.from))
    end)
  end,
}
