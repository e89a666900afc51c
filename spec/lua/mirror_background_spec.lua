--- mirror_background_spec: a mirror is kept up to its source by itself, whoever writes; none of that can be bypassed.
local Root = require "spec.support.root"
local core = require "rille.core"
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local root

local USERS = "create table users (id integer primary key, name text, email text unique, bio text)"

local function configure(options)
  local config = { connections = { main = { database = ":memory:", synchronous = "normal" } }, databases = root }
  for key, value in next, options or {} do config[key] = value end
  rille.configure(config)
end

local function source(name, mirror)
  return rille.open(name, { statements = USERS, mirror = mirror or "root" })
end

--- "acme 1 Ann, acme 2 Bob" of the table in the mirror.
local function mirrored(name)
  local ok, list = pcall(function()
    return rille.open(name or "root"):query "select source || ' ' || id || ' ' || name as row from users order by 1"
  end)
  local rows = {}
  for i, row in ipairs(ok and list or {}) do rows[i] = row.row end
  return table.concat(rows, ", ")
end

-- ROOT MS 0|1|2: writes what is mirrored and ends after a while; 1: drops a source first, 2: closes all.
local PROGRAM = [[
  local core, rille = require "rille.core", require "rille"
  rille.configure { connections = { main = { database = ":memory:", synchronous = "normal" } }, databases = arg[1] }
  for _, name in ipairs { "a", "b" } do
    rille.open(name, { mirror = "root", statements = "create table users (id integer primary key, name text)" })
      :create("users", { name = "Ann" })
  end
  if arg[2] ~= "0" then core.pause(arg[2] // 1) end
  if arg[3] == "1" then rille.open "a":drop "a" end
  if arg[3] == "2" then rille.close() end
  print "done"
]]

--- Wait, ten seconds at most, until `ask` gives what is expected.
local function soon(expected, ask, ...)
  local deadline = core.monotonic_ms() + 10000
  while ask(...) ~= expected and core.monotonic_ms() < deadline do core.pause(5) end
  assert.equal(expected, (ask(...)))
end

describe("a mirror in the background", function()
  before_each(function()
    root = Root.new()
    configure()
  end)
  after_each(function() Root.leave(root) end)

  it("gets what is written without being asked to", function()
    local a, b = source "a", source "b"
    a:create("users", { name = "Ann" })
    b:transaction(function()
      b:create("users", { name = "Bob" })
      b:create("users", { name = "Bea" })
    end)
    soon("a 1 Ann, b 1 Bob, b 2 Bea", mirrored)
    a:delete("users", { id = 1 })
    soon("b 1 Bob, b 2 Bea", mirrored)
    assert.is_true(a:mirror_status().mirrors[1].background)
    soon(1, function() return a:query("select count(*) as n from rille_outbox")[1].n end)
  end)

  it("gets what is not written before the handle is closed, or the program ends", function()
    source "a":create("users", { name = "Ann" })
    rille.close()
    configure { mirror_background = false }
    assert.equal("a 1 Ann", mirrored())
    source "a":create("users", { name = "Bob" })
    rille.close()
    configure { mirror_background = false }
    assert.equal(1, rille.open "a":mirror_status().lag)
    assert.is_false(rille.open "a":mirror_status().mirrors[1].background)
    rille.close()
    configure()
    rille.open "a"
    soon("a 1 Ann, a 2 Bob", mirrored)
  end)

  it("does without it where that is said", function()
    configure { mirror_background = false }
    local db = source "a"
    db:create("users", { name = "Ann" })
    core.pause(50)
    assert.equal(1, db:mirror_status().lag)
    refused("invalid_argument", rille.configure, { mirror_background = "no" })
  end)

  it("goes along with mirror_sync, mirror_resync and mirror_retry", function()
    local db = source "a"
    for i = 1, 100 do
      db:create("users", { name = "n" .. i })
      if i % 10 == 0 then
        db:mirror_sync()
        assert.equal(i, rille.open "root":query("select count(*) as n from users")[1].n)
      end
      if i % 25 == 0 then assert.equal(i, db:mirror_resync().rows) end
    end
    assert.equal(0, db:mirror_retry().failed)
    assert.equal(0, db:mirror_status().lag)
  end)

  it("may itself be mirrored", function()
    rille.open("root", { mirror = "archive", statements = "create table users (source text, id integer, name text, "
      .. "email text, bio text, primary key (source, id))" })
    source "a":create("users", { name = "Ann" })
    soon("a 1 Ann", mirrored)
    soon("root a 1 Ann", function()
      local ok, rows = pcall(function()
        return rille.open "archive":query(
          "select mirror_source || ' ' || source || ' ' || id || ' ' || name as row from users")
      end)
      return ok and rows[1] and rows[1].row
    end)
  end)

  it("sets aside what it cannot take, and goes on", function()
    rille.open("root", { statements = "create table users (source text, id integer, name text, email text unique, "
      .. "bio text, primary key (source, id))" })
    local a, b = source "a", source "b"
    a:create("users", { name = "Ann", email = "x" })
    soon("a 1 Ann", mirrored)
    b:create("users", { name = "Bob", email = "x" })
    b:create("users", { name = "Bea", email = "y" })
    soon("a 1 Ann, b 2 Bea", mirrored)
    assert.equal(1, b:mirror_status().failed)
  end)

  it("that is down costs the writer nothing, says so, and has all once it is up again", function()
    local db = source "a"
    db:create("users", { name = "n0" })
    soon("a 1 n0", mirrored)
    local locker = core.open { database = rille.open "root".settings.database }
    locker:begin "exclusive"
    local start = core.monotonic_ms()
    for i = 1, 50 do db:create("users", { name = "n" .. i }) end
    assert.is_true(core.monotonic_ms() - start < 1000)
    local function why() return (db._core:mirror_fails(1)) end
    soon("busy", why)
    assert.equal(50, db:mirror_status().lag)
    locker:rollback()
    locker:close()
    soon(51, function() return rille.open "root":query("select count(*) as n from users")[1].n end)
    soon(nil, why)
  end)

  it("is not in the way of who drops a database", function()
    local db = source "a"
    db:create("users", { name = "Ann" })
    db:drop "a"
    assert.equal("a 1 Ann", mirrored())
    source "a":create("users", { name = "Bob" })
    soon("a 1 Bob, a~1 1 Ann", mirrored)
    rille.open "root":drop "root"
    assert.equal("", mirrored())
  end)

  it("is dropped behind its sources, while the thread still looks for them", function()
    for i = 1, 60 do
      for _, name in ipairs { "a", "b" } do
        source(name):create("users", { name = "Ann" })
        rille.open(name):mirror_sync()
      end
      if i % 3 == 0 then core.pause(i % 12) end
      for _, name in ipairs { "a", "b", "root" } do rille.open(name):drop(name) end
      assert.equal("", mirrored())
      rille.open "root":drop "root"
    end
  end)

  it("does not hinder the end of a program, whenever that comes", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write(PROGRAM)
    file:close()
    for i = 0, 29 do
      local command = ("lua5.4 %s %s %d %s 2>&1"):format(path, root .. i, i, i % 3)
      local output = assert(io.popen(command, "r"))
      local said = output:read "a"
      local _, how, status = output:close()
      os.execute(("rm -rf '%s%d'"):format(root, i))
      assert.same({ "done\n", "exit", 0 }, { said, how, status }, command)
    end
    os.remove(path)
  end)

  it("does not depend on who writes: a handle that says nothing of it fills the outbox, too", function()
    local path = source "a".settings.database
    rille.open "root"
    configure { connections = { main = { database = path } } }
    rille.db():insert("users", { { name = "Ann" } })
    rille.db():execute "insert into users (name) values ('Bob')"
    soon("a 1 Ann, a 2 Bob", mirrored)
    assert.equal(0, rille.db():mirror_status().lag)
  end)

  it("is not bypassed by a handle that was there before it", function()
    local db = rille.open("a", { statements = USERS })
    local path = db.settings.database
    local before, busy = core.open { database = path }, core.open { database = path }
    before:execute("insert into users (name) values (?)", { "old" })
    busy:execute("insert into users (name) values (?)", { "older" })
    source "a"
    before:execute("insert into users (name) values (?)", { "Ann" })
    before:execute("insert into users (name) values (?)", { "Bob" })
    local e = refused("serialization_failure", function()
      busy:begin()
      local ok, e = pcall(busy.execute, busy, "insert into users (name) values (?)", { "gone" })
      if not ok then pcall(busy.commit, busy) busy:rollback() error(e, 0) end
      busy:commit()
    end)
    assert.truthy(e.hint:find("again", 1, true))
    busy:execute("insert into users (name) values (?)", { "Cy" })
    before:close()
    busy:close()
    db:mirror_sync()
    assert.equal("a 4 Bob, a 5 Cy", mirrored())
    assert.equal(1, db:mirror_status().skipped)
    db:mirror_resync()
    assert.equal("a 1 old, a 2 older, a 3 Ann, a 4 Bob, a 5 Cy", mirrored())
    local other = core.open { database = path }
    other:execute "create table notes (id integer primary key)"
    assert.is_true(other:mirrored())
    other:close()
  end)

  it("is not made anew by who only writes: where it should be, another configuration may say otherwise", function()
    local path = source "a".settings.database
    rille.close()
    local elsewhere = root .. "/elsewhere"
    rille.configure { connections = { main = { database = path } }, databases = elsewhere }
    rille.db():create("users", { name = "Ann" })
    assert.is_false(rille.db():mirror_status().mirrors[1].background)
    core.pause(50)
    assert.is_nil(core.file_size(elsewhere .. "/" .. require "rille.pooled".hash "root" .. "/root.db"))
  end)
end)
