--- tenants:migrate: applies what is pending to tenants, all of them or those that are named.

---@type rille.Command
return {
  summary = "apply what is pending to tenants",
  details = "One that fails stops no other one; run again, it goes on with those that are not done.",
  json = true,
  arguments = { { "slug", "only these", count = "*" } },
  run = function(args, term)
    return require "rille.cli.tenants".migrate(args.slug and #args.slug > 0 and args.slug or nil, term)
  end,
}
