--- Tag: how a subject is made up.
local rille = require "rille"

return rille.factory("Tag", function(fake, i)
  return {
    name = fake:words(2) .. " " .. i,
  }
end)
