--- users: the people of an organization, readers as well as staff.
return {
  up = function(schema)
    schema:create("users", function(t)
      t:id()
      t:references("org", "organizations"):on_delete("cascade")
      t:string("name")
      t:string("email"):unique()
      t:enum("role", { "reader", "author", "editor", "owner" }):default("reader"):index()
      t:text("bio"):nullable()
      t:boolean("active"):default(true)
      t:datetime("last_seen_at"):nullable()
      t:timestamps()
    end)
  end,
  down = function(schema) schema:drop("users") end,
}
