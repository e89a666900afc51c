--- Organization: how a publisher is made up.
local rille = require "rille"

return rille.factory("Organization", function(fake, i)
  local name = fake:word():gsub("^%l", string.upper) .. " " .. fake:pick { "Gazette", "Review", "Courier", "Observer" }
  return {
    name = "The " .. name,
    slug = name:lower():gsub(" ", "-") .. "-" .. i,
    settings = { language = fake:pick { "en", "de", "fr" } },
  }
end, {
  states = { paying = { plan = "press" } },
})
