--- cli_health_spec: the command that says whether the databases answer.
local Project = require "spec.support.project"

describe("rille health", function()
  local project

  before_each(function()
    project = Project.new { ["rille.config.lua"] = [[return { default = "main", connections = {
      main = "main.db", broken = { database = "nowhere/x.db" },
      server = { driver = "postgres", url = "postgresql://nobody:secret@127.0.0.1:1/none" } } }]] }
  end)
  after_each(function() project:remove() end)

  it("says of each database how it is", function()
    local status, out = project:run "health main"
    assert.equal(0, status)
    assert.truthy(out:find("^main: ok, sqlite 3[%d.]+, writable, 0%.%d MiB, %d+%.%d ms\n$"), out)
    local object = project:json "health main"
    assert.is_true(object.ok)
    assert.equal("main", object.connections[1].name)
    assert.is_true(object.connections[1].writable)
    assert.equal(0, object.pool.pinned)
  end)

  it("fails where one does not answer, and never shows a password", function()
    local status, out = project:run "health"
    assert.equal(1, status)
    assert.truthy(out:find("main: ok", 1, true), out)
    assert.truthy(out:find("broken: failed, ", 1, true), out)
    assert.truthy(out:find("server: failed, ", 1, true), out)
    assert.is_nil(out:find("secret", 1, true))
    local object = project:json "health"
    assert.is_false(object.ok)
    assert.equal("connection_lost", object.connections[3].error.kind)
  end)

  it("names the connection that is not there", function()
    local status, out = project:run "health mian"
    assert.equal(1, status)
    assert.truthy(out:find('did you mean "main"', 1, true), out)
  end)
end)
