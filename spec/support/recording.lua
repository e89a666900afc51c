--- recording: a database that is none; `recording { … }` answers the n-th statement with the n-th entry.
-- Requiring this puts the fake core in the place of the real one, for the spec file that does so.
for name in pairs(package.loaded) do
  if name == "rille" or name:find("rille.", 1, true) == 1 then package.loaded[name] = nil end
end
local fake = require "spec.support.fake_core"
package.loaded["rille.core"] = fake

local Recording = {}
Recording.__index = Recording

--- SQL of every statement so far, `begin` and `commit` included.
function Recording.statements() return fake.statements end

--- Values of the n-th statement of the first connection, or false.
function Recording.params(_, n) return fake.opened[1].params[n] end

--- Connect the default connection to the fake; answers are lists of rows, { changes =, last_id = } or error values.
return function(answers)
  fake.reset()
  fake.answers = answers or {}
  return setmetatable({ core = fake, handle = require "rille.config".connect ":memory:" }, Recording)
end
