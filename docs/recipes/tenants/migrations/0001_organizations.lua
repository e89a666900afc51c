--- organizations: the tenants.  Only the one in `main` is ever asked.
return {
  up = function(schema)
    schema:create("organizations", function(t)
      t:id()
      t:string("name")
      t:string("slug", 63):unique()
      t:timestamps()
    end)
  end,
  down = function(schema) schema:drop("organizations") end,
}
