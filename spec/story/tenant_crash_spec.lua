--- tenant_crash_spec: `tenants:extract` and `tenants:absorb` are killed at any moment and run again until they end;
--- each row is then where it would be had nothing been killed, once, and as it was.
-- RILLE_CRASH_ROUNDS says how often in each direction.
local Killed = require "spec.support.tenancy.killed"
local Killing = require "spec.support.killing"

describe("a move of a tenant between two files that is killed at any moment", function()
  local at
  before_each(function() at = Killed.new { "sqlite", "sqlite" } end)
  after_each(function() at:remove() end)

  it("loses nothing and doubles nothing, in either direction", function() at:try(Killing.rounds(6)) end)

  it("is whole after the disk was full", function()
    local project, failed = at.project, 0
    local mine, others = at:there "acme", at:there "globex"
    for _, command in ipairs { "tenants:extract acme", "tenants:absorb acme" } do
      for _, kib in ipairs { 50, 200, 500, 700, 900, 1200 } do
        -- Files may not grow beyond; WAL and the database are bounded each.
        local line = ("cd '%s' && trap '' XFSZ && ulimit -f %d && '%s' %s --json 2>/dev/null </dev/null"):format(
          project.path, kib * 1024 // 512, os.getenv "RILLE", command)
        local pipe = assert(io.popen(line))
        local done = require "dkjson".decode(pipe:read "a")
        pipe:close()
        if not done.ok then
          failed = failed + 1
          assert.matches("^disk", done.error.message)        -- what SQLite makes of a file that cannot grow
        end
        assert.is_true(at:there "acme" == mine or at:here() == mine)
        assert.equal(others, at:there "globex")
      end
      Killing.time(project, command)
      local is_out = command:find "extract" ~= nil
      assert.same({ is_out and "" or mine, is_out and mine or "" }, { at:there "acme", at:here() })
    end
    assert.is_true(failed >= 4)
  end)
end)
