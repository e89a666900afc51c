--- The demo publication in models/ and migrations/: where its database is, and how its publishers are kept apart.
-- STRATEGY=row: all in one database, told apart by `org_id`; STRATEGY=database: each in its own.  Without it rows are
-- told apart all the same, and a publisher is named by its id: rille.tenant.set { id = 3 }.
-- DEMO_FOLDER names another folder than build; DATABASE_URL another database for what is everybody's.
local folder, strategy = os.getenv "DEMO_FOLDER" or "build", os.getenv "STRATEGY"

return {
  default = "main",
  connections = {
    main = { driver = "sqlite", database = folder .. "/demo.db" },
  },
  tenancy = strategy and {
    strategy = strategy,
    fallback = "main",                                    -- the publishers themselves are nobody's own
    pattern = folder .. "/tenants/{slug}.db",
    --- A name out of an address becomes the publisher that has it, or nobody.
    resolve = function(slug)
      local organization = require "models.organization":where("slug", slug):first()
      return organization and { id = organization.id, slug = slug }
    end,
  } or nil,
}
