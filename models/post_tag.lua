--- PostTag: one tag of one post, at its place in the post's list of tags.
local rille = require "rille"

return rille.model "PostTag" {
  table = "post_tags",
  primary_key = { "post_id", "tag_id" },
  fields = function(t)
    t:references("post", "posts"):on_delete("cascade")
    t:references("tag", "tags"):on_delete("cascade")
    t:integer("position"):default(1)
    t:primary { "post_id", "tag_id" }
  end,
  timestamps = false,
}
