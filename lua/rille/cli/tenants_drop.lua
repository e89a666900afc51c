--- tenants:drop: deletes a tenant's database or schema; it asks for the slug once more.

---@type rille.Command
return {
  summary = "delete a tenant with all it holds",
  details = "It is refused while anybody has the database or schema open.",
  json = true,
  arguments = { { "slug", "the tenant" } },
  options = { { "--yes", "do not ask", value = "SLUG" } },
  run = function(args, term)
    require "rille.cli.tenants".need()
    local Error = require "rille.error"
    local said = args.yes
    if not require "rille.tenant.place".exists(args.slug) then require "rille.tenant.place".unknown(args.slug) end
    if not said and term:is_interactive() then
      said = term:ask(("This deletes all that %s holds.  Type %s to go on: "):format(args.slug, args.slug))
    end
    if said ~= args.slug then
      Error.raise("aborted", ("nothing was deleted: %s was not said again"):format(args.slug), {
        hint = "--yes " .. args.slug,
      })
    end
    require "rille.tenant".drop(args.slug)
    term:report({ dropped = args.slug }, function() term:line(args.slug .. " is gone") end)
  end,
}
