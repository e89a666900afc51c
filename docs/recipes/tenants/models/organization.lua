--- Organization: a tenant.  The list of them is nobody's own, so it has a connection of its own.
local rille = require "rille"

return rille.model "Organization" {
  connection = "main",
  fillable = { "name", "slug" },
  validates = {
    name = { required = true, max = 255 },
    slug = { required = true, max = 63, format = "^[a-z0-9][a-z0-9-]*$", unique = true },
  },
}
