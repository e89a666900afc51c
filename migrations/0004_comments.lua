--- comments: what is said under posts; a thread hangs on `parent_id`.
return {
  up = function(schema)
    schema:create("comments", function(t)
      t:id()
      t:references("org", "organizations"):on_delete("cascade")
      t:references("post", "posts"):on_delete("cascade")
      t:references("author", "users"):nullable():on_delete("set null")
      t:references("parent", "comments"):nullable():on_delete("cascade")
      t:text("body")
      t:integer("votes"):default(0)
      t:boolean("approved"):default(false)
      t:timestamps()
    end)
  end,
  down = function(schema) schema:drop("comments") end,
}
