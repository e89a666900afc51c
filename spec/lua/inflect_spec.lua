--- inflect_spec: names of classes and tables out of each other.
local inflect = require "rille.inflect"

local TABLES = {
  Post = "posts", Category = "categories", Person = "people", UserProfile = "user_profiles",
  HTTPServer = "http_servers",
  Status = "statuses", Series = "series", Sheep = "sheep", News = "news", Day = "days", Query = "queries",
  Soliloquy = "soliloquies", Address = "addresses", Class = "classes", Box = "boxes", Bus = "buses", Match = "matches",
  Dish = "dishes", Buzz = "buzzes", Quiz = "quizzes", Analysis = "analyses", Crisis = "crises", Matrix = "matrices",
  Index = "indexes", Leaf = "leaves", Roof = "roofs", Child = "children", OrgChild = "org_children",
  Salesman = "salesmen", Human = "humans", Woman = "women", Photo = "photos", Hero = "heroes", Studio = "studios",
  Epoch = "epochs", Movie = "movies", Cache = "caches", Database = "databases", Warehouse = "warehouses",
  Process = "processes", Lens = "lenses", Key = "keys", Tax = "taxes", Tooth = "teeth", Equipment = "equipment",
  PostTag = "post_tags", APIKey = "api_keys", Level2Cache = "level2_caches",
}

describe("inflect", function()
  it("names the table of a class", function()
    for class, name in pairs(TABLES) do assert.equal(name, inflect.table_name(class)) end
  end)

  it("leaves a plural as it is", function()
    for _, name in pairs(TABLES) do
      if not name:find "uses$" then assert.equal(name, inflect.pluralize(name)) end
    end
  end)

  it("finds the way back from a table to its class", function()
    for class, name in pairs(TABLES) do
      if not class:find "%u%u" then assert.equal(class, inflect.class_name(name)) end
    end
    assert.equal("HttpServer", inflect.class_name "http_servers")
  end)

  it("changes only the last word of a name", function()
    assert.equal("people_statuses", inflect.pluralize "people_status")
    assert.equal("news_item", inflect.singularize "news_items")
  end)

  it("writes a class in snake case and back", function()
    assert.equal("user_profile", inflect.underscore "UserProfile")
    assert.equal("http_server", inflect.underscore "HTTPServer")
    assert.equal("user_api", inflect.underscore "UserAPI")
    assert.equal("a_b", inflect.underscore "a-b")
    assert.equal("UserProfile", inflect.camelize "user_profile")
  end)
end)
