--- User: how somebody of the current publisher is made up; a reader, unless a state says more.
local rille = require "rille"

return rille.factory("User", function(fake)
  return {
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
