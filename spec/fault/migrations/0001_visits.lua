--- 0001_visits: what a tenant of scenarios.lua has.
return {
  up = function(schema)
    schema:create("visits", function(t)
      t:id()
      t:string("page")
    end)
  end,
  down = function(schema) schema:drop "visits" end,
}
