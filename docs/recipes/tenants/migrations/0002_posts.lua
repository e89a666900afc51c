--- posts, comments, tags: what tenants have.  `org_id` refers to no table, for that one may be in another database; the
--- references among them go by both columns, so that the database, too, keeps what is one tenant's together.
return {
  up = function(schema)
    schema:create("posts", function(t)
      t:id()
      t:integer("org_id")
      t:string("title", 200)
      t:integer("views"):default(0)
      t:timestamps()
      t:unique { "org_id", "id" }
    end)
    schema:create("comments", function(t)
      t:id()
      t:integer("org_id")
      t:integer("post_id")
      t:text("body")
      t:timestamps()
      t:foreign { "org_id", "post_id" }:references("posts", { "org_id", "id" }):on_delete("cascade")
      t:index { "org_id", "post_id" }
    end)
    schema:create("tags", function(t)
      t:id()
      t:integer("org_id")
      t:string("name", 60)
      t:unique { "org_id", "name" }
      t:unique { "org_id", "id" }
    end)
    schema:create("post_tags", function(t)
      t:integer("org_id")
      t:integer("post_id")
      t:integer("tag_id")
      t:primary { "post_id", "tag_id" }
      t:foreign { "org_id", "post_id" }:references("posts", { "org_id", "id" }):on_delete("cascade")
      t:foreign { "org_id", "tag_id" }:references("tags", { "org_id", "id" }):on_delete("cascade")
    end)
  end,
  down = function(schema)
    schema:drop("post_tags")
    schema:drop("tags")
    schema:drop("comments")
    schema:drop("posts")
  end,
}
