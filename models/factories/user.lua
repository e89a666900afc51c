--- User: how somebody is made up; a reader, unless a state says more.
local rille = require "rille"

return rille.factory("User", function(fake)
  return {
    organization = rille.factory("Organization"),
    name = fake:name(),
    email = fake:email(),
    last_seen_at = fake:datetime(),
  }
end, {
  states = {
    author = { role = "author" },
    editor = { role = "editor" },
    owner = { role = "owner" },
    gone = { active = false, last_seen_at = rille.null },
  },
})
