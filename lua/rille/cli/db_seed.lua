--- db:seed: runs the seeds, or one of them.
local text = require "rille.cli.text"

---@type rille.Command
return {
  summary = "run the seeds",
  details = "A seed is a file of the folder of seeds that returns function(rille) … end; each runs in a transaction.",
  json = true,
  options = {
    { "--class", "only the seed of that name, without its ending", value = "NAME" },
    { "--tenant", "as this tenant, and so in its database or schema where it has one", value = "SLUG" },
  },
  run = function(args, term)
    require "rille.cli.project".need()
    local seed, options = require "rille.migrator".seed, { only = args.class }
    local result = args.tenant and require "rille.tenant".run(args.tenant, seed, options) or seed(options)
    term:report(result, function()
      for _, name in ipairs(result.seeded) do term:note(("  %s  sown"):format(text.escape(name))) end
      term:line(#result.seeded > 0 and text.count(#result.seeded, "seed") .. " sown" or "no seeds")
    end)
  end,
}
