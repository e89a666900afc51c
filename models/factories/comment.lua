--- Comment: how what a reader says is made up; it waits, unless it is approved.
local rille = require "rille"

return rille.factory("Comment", function(fake)
  return {
    post = rille.factory("Post"):state("published"),
    author = rille.factory("User"),
    body = fake:sentence(),
    votes = fake:integer(-2, 40),
  }
end, {
  states = { approved = { approved = true } },
})
