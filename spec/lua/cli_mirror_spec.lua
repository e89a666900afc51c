--- cli_mirror_spec: the commands about mirrors, as a shell runs them.
local Project = require "spec.support.project"
local core = require "rille.core"
local json = require "dkjson"

local project

local function rille(command) return project:run(command) end
local function object(command) return project:json(command) end

local function script(text)
  project:write("script.lua", 'local rille = require "rille"\n' .. text)
  local status, out = rille "run script.lua"
  assert.equal(0, status, out)
  return out
end

describe("the commands about mirrors", function()
  before_each(function()
    project = Project.new { ["rille.config.lua"] =
      'return { connections = { main = "main.db" }, mirror_background = false }' }
  end)
  after_each(function() project:remove() end)

  it("say that there are none", function()
    local status, out = rille "mirror:status"
    assert.equal(0, status)
    assert.truthy(out:find("no database has a mirror", 1, true))
    status, out = rille "mirror:status nowhere"
    assert.equal(1, status)
    assert.truthy(out:find("nowhere", 1, true))
    assert.is_nil(core.file_size(project.path .. "/databases"))
  end)

  it("show, apply, try again and copy", function()
    script [[
      rille.open("root", { statements = "create table users (source text, id integer, email text unique, "
        .. "primary key (source, id))" })
      for _, name in ipairs { "a", "b" } do
        local db = rille.open(name, { statements = "create table users (id integer primary key, email text)",
          mirror = "root" })
        db:create("users", { email = "same" })
      end]]
    local before = object "mirror:status".databases
    assert.same({ "a", 1, 0 }, { before[1].name, before[1].lag, before[1].failed })
    assert.equal("root", before[2].mirrors[1].name)
    local status, out = rille "mirror:sync"
    assert.equal(0, status)
    assert.truthy(out:find("a  1 applied, 0 set aside", 1, true))
    assert.truthy(out:find("b  0 applied, 1 set aside", 1, true))
    status, out = rille "mirror:status b"
    assert.equal(0, status)
    assert.truthy(out:find("b  root: lag 0, failed 1, skipped 0", 1, true))
    status, out = rille "mirror:retry"
    assert.equal(1, status)
    assert.truthy(out:find("b  0 applied, 1 failed again", 1, true))
    script [[rille.open "b":update("users", { id = 1 }, { email = "other" })]]
    assert.equal(1, object "mirror:retry b".databases[1].applied)
    assert.equal(0, object "mirror:status b".databases[1].failed)
    status, out = rille "mirror:resync a b"
    assert.equal(0, status)
    assert.truthy(out:find("b  1 row copied", 1, true))
  end)

  it("follow what is written until they are stopped, and compare", function()
    script [[rille.open("a", { statements = "create table users (id integer primary key)", mirror = "root" })]]
    project:write("write.lua", 'require "rille".open "a":create("users", { id = 7 })')
    local pipe <close> = assert(io.popen(([[cd '%s' && { timeout -s INT 4 "$RILLE" mirror:sync --follow 2>&1 &
      sleep 0.5; "$RILLE" run write.lua; wait; }]]):format(project.path)))
    local out = pipe:read "a"
    assert.truthy(out:find("a  1 applied, 0 set aside", 1, true), out)
    assert.equal(0, object "mirror:status a".databases[1].lag)
    assert.equal(1, object "mirror:verify".databases[1].rows)
    script [[rille.open "root":execute "delete from users"]]
    local status
    status, out = rille "mirror:status a"
    assert.equal(0, status)
    assert.truthy(out:find("differs in users: see mirror:verify", 1, true), out)
    status, out = rille "mirror:verify"
    assert.equal(1, status)
    assert.truthy(out:find("a  1 row compared, users of root differs", 1, true), out)
  end)

  it("say what is wrong with a mirror, and go on with the others", function()
    script [[
      for _, name in ipairs { "a", "b" } do
        rille.open(name, { statements = "create table users (id integer primary key)", mirror = "to-" .. name })
          :create("users", { id = 1 })
      end
      rille.open "to-a":close()
      local path = rille.open "to-a".settings.database
      local file = io.open(path, "wb")
      file:write(("no database "):rep(1000))
      file:close()]]
    local status, out = rille "mirror:sync --json"
    local databases = json.decode(out).databases
    assert.equal(1, status)
    for _, word in ipairs { "sync", "verify", "retry", "resync", "status" } do
      assert.is_false(object("mirror:" .. word).ok, word)
    end
    assert.is_true(object "mirror:status b".ok)
    assert.is_string(databases[1].error.message)
    assert.equal(1, databases[2].applied)
    status, out = rille "mirror:status"
    assert.equal(1, status)
    assert.truthy(out:find("a  to-a: lag 1", 1, true))
  end)
end)
