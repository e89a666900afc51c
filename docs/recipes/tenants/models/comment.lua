--- Comment: what is said under a post.
local rille = require "rille"

return rille.model "Comment" {
  tenant_column = "org_id",
  fillable = { "post_id", "body" },
  validates = { body = { required = true, max = 10000 } },
  relations = { post = rille.belongs_to("Post") },
}
