--- Tag: a subject that posts of one organization share.
local rille = require "rille"

return rille.model "Tag" {
  fields = function(t)
    t:id()
    t:references("org", "organizations"):on_delete("cascade")
    t:string("name", 60)
    t:string("slug", 60)
    t:unique { "org_id", "slug" }
  end,
  tenant_column = "org_id",
  timestamps = false,
  fillable = { "name" },
  validates = {
    name = { required = true, max = 60 },
    slug = { unique = { within = "org_id" }, message = "is a tag already, perhaps in another spelling" },
  },
  mutators = {
    --- The slug follows the name, so that no two spellings of one tag get apart.
    name = function(tag, value)
      tag.slug = value:lower():gsub("[^%w]+", "-"):gsub("^%-+", ""):gsub("%-+$", "")
      return value
    end,
  },
  relations = {
    organization = rille.belongs_to("Organization", { foreign_key = "org_id" }),
    posts = rille.belongs_to_many("Post", { pivot = "post_tags" }),
  },
}
