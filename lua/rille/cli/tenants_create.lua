--- tenants:create: makes tenants, each with a database or schema that has all migrations.
local text = require "rille.cli.text"

---@type rille.Command
return {
  summary = "make a tenant, with a database or schema of its own",
  details = "It has all migrations, and what tenancy.create of the configuration puts into it.",
  json = true,
  arguments = { { "slug", "small letters, digits, - and _", count = "+" } },
  run = function(args, term)
    require "rille.cli.tenants".need()
    local made = {}
    for i, slug in ipairs(args.slug) do
      local db = require "rille.tenant".create(slug)
      made[i] = { slug = slug, path = db:place() }
      term:note(("  %s  made: %s"):format(slug, text.escape(db:place())))
    end
    term:report({ tenants = made }, function() term:line(text.count(#made, "tenant") .. " made") end)
  end,
}
