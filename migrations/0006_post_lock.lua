--- posts.lock_version: how often a post was saved, so that of two editors the second is told.
return {
  up = function(schema)
    schema:table("posts", function(t) t:integer("lock_version"):default(0) end)
  end,
  down = function(schema)
    schema:table("posts", function(t) t:drop("lock_version") end)
  end,
}
