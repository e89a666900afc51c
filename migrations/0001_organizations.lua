--- organizations: the publishers, to whom every other row belongs.
return {
  up = function(schema)
    schema:create("organizations", function(t)
      t:id()
      t:string("name")
      t:string("slug", 63):unique()
      t:enum("plan", { "free", "team", "press" }):default("free")
      t:json("settings"):nullable()
      t:timestamps()
    end)
  end,
  down = function(schema) schema:drop("organizations") end,
}
