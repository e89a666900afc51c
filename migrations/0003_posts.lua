--- posts: articles, from draft to archive.
return {
  up = function(schema)
    schema:create("posts", function(t)
      t:id()
      t:references("org", "organizations"):on_delete("cascade")
      t:references("author", "users"):on_delete("cascade")
      t:string("title", 200)
      t:string("slug", 200)
      t:text("body")
      t:enum("status", { "draft", "scheduled", "published", "archived" }):default("draft"):index()
      t:integer("views"):default(0):check("views >= 0")
      t:decimal("price", 8, 2):nullable()
      t:json("meta"):nullable()
      t:datetime("published_at"):nullable():index()
      t:timestamps()
      t:soft_deletes()
      t:unique { "org_id", "slug" }
    end)
  end,
  down = function(schema) schema:drop("posts") end,
}
