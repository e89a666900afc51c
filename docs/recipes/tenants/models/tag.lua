--- Tag: a subject that posts of one organization share; another one may have the same word.
local rille = require "rille"

return rille.model "Tag" {
  tenant_column = "org_id",
  fillable = { "name" },
  validates = { name = { required = true, max = 60, unique = { within = "org_id" } } },
  relations = { posts = rille.belongs_to_many("Post", { pivot = "post_tags" }) },
}
