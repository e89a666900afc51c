--- tenants:absorb: move a tenant's rows back from its own database into the shared one.

---@type rille.Command
return {
  summary = "move a tenant's rows back from its own database into the shared one",
  details = "Rows of every table with a tenant's column, and what hangs on these by foreign keys.\n"
    .. "The tenant's database stays, without those rows.\n"
    .. "After any end, run it again: it goes on where it was.",
  json = true,
  arguments = { { "slug", "the tenant" } },
  options = { { "--dry-run", "find what would be refused, count the rows, and change nothing" } },
  run = function(args, term) return require "rille.cli.tenants".move("absorb", args, term) end,
}
