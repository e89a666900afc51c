--- Post: an article of an organization.
local rille = require "rille"

return rille.model "Post" {
  tenant_column = "org_id",
  fillable = { "title", "views" },
  validates = { title = { required = true, max = 200 } },
  relations = {
    comments = rille.has_many("Comment", { order_by = "id" }),
    tags = rille.belongs_to_many("Tag", { pivot = "post_tags", order_by = "tags.name" }),
  },
  scopes = {
    popular = function(query) return query:where("views", ">=", 100) end,
  },
}
