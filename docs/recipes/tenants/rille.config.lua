--- rille.config: where the tenants of this application are.  STRATEGY is "row" (all in one database) or
-- "database" (each in its own): nothing else differs, no model and no migration.
local folder = os.getenv "FOLDER" or "."

return {
  connections = { main = folder .. "/main.db" },
  tenancy = {
    strategy = os.getenv "STRATEGY" or "row",
    pattern = folder .. "/tenants/{slug}.db",          -- read where each has its own
    --- A name out of an address becomes the organization that has it, or nobody.
    resolve = function(slug)
      local organization = require "models.organization":where("slug", slug):first()
      return organization and { id = organization.id, slug = slug }
    end,
  },
}
