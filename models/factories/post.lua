--- Post: how an article is made up; a draft, unless a state says more.
local rille = require "rille"

return rille.factory("Post", function(fake, i)
  return {
    author = rille.factory("User"):state("author"),
    title = fake:sentence(),
    slug = fake:slug() .. "-" .. i,
    body = fake:paragraph() .. "\n\n" .. fake:paragraph(),
    meta = { language = fake:pick { "en", "de", "fr" } },
  }
end, {
  states = {
    published = function(_, fake)
      return { status = "published", published_at = fake:datetime(), views = fake:integer(0, 5000) }
    end,
    scheduled = { status = "scheduled", published_at = "2030-01-01T08:00:00Z" },
    priced = function(_, fake) return { price = fake:decimal(0.5, 9.9) } end,
  },
})
