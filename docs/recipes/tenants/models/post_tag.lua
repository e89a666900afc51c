--- PostTag: which post has which tag; the rows between the two are a tenant's as well.
local rille = require "rille"

return rille.model "PostTag" {
  table = "post_tags",
  tenant_column = "org_id",
  primary_key = { "post_id", "tag_id" },
}
