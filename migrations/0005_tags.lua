--- tags and post_tags: the subjects of posts, and which post has which.
return {
  up = function(schema)
    schema:create("tags", function(t)
      t:id()
      t:references("org", "organizations"):on_delete("cascade")
      t:string("name", 60)
      t:string("slug", 60)
      t:unique { "org_id", "slug" }
    end)
    schema:create("post_tags", function(t)
      t:references("post", "posts"):on_delete("cascade")
      t:references("tag", "tags"):on_delete("cascade")
      t:integer("position"):default(1)
      t:primary { "post_id", "tag_id" }
    end)
  end,
  down = function(schema)
    schema:drop("post_tags")
    schema:drop("tags")
  end,
}
