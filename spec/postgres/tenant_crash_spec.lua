--- postgres/tenant_crash_spec: `tenants:extract` and `tenants:absorb` between a file and a server, or two databases of
-- a server, are killed at any moment and run again until they end; each row is then where it would be had nothing been
-- killed, once, and as it was.  RILLE_SPEC_URL names the server, RILLE_CRASH_ROUNDS says how often in each direction.
local Killed = require "spec.support.tenancy.killed"
local Killing = require "spec.support.killing"
local Moves = require "spec.support.tenancy.moves"

for _, pair in ipairs(Moves.PAIRS) do
  describe(("a move between %s and %s that is killed at any moment"):format(pair[1], pair[2]), function()
    local at
    before_each(function() at = Killed.new(pair) end)
    after_each(function() at:remove() end)

    it("loses nothing and doubles nothing, in either direction", function() at:try(Killing.rounds(2, 1)) end)
  end)
end
