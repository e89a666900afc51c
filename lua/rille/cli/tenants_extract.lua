--- tenants:extract: move a tenant's rows out of the shared database into its own.

---@type rille.Command
return {
  summary = "move a tenant's rows out of the shared database into its own",
  details = "Rows of every table with a tenant's column, and what hangs on these by foreign keys.\n"
    .. "The tenant's database is made where it is not there yet.\n"
    .. "After any end, run it again: it goes on where it was.",
  json = true,
  arguments = { { "slug", "the tenant" } },
  options = { { "--dry-run", "find what would be refused, count the rows, and change nothing" } },
  run = function(args, term) return require "rille.cli.tenants".move("extract", args, term) end,
}
