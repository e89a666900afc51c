--- session_spec: tokens that say what was seen, and whose they are.
local world = require "spec.support.world"
local rille = world.rille

local base = require "spec.support.sessions.posts"
local refused, wrote = base.refused, base.wrote

describe("a session", function()
  local project, path, Post

  local function connect(where) Post = base.connect(where or path) end

  before_each(function()
    project, path = base.new()
    connect()
  end)

  after_each(function()
    rille.close()
    project:remove()
  end)

  local function position(token) return tonumber(token:sub(39, 54), 16) end

  it("has no token before anything was read or written, and one afterwards", function()
    local s = rille.session.start {}
    assert.is_nil(s:token())
    assert.equal(0, s:run(function() return Post:count() end))
    assert.equal("string", type(s:token()))
  end)

  it("gives what the function returns, and passes its arguments and its error on", function()
    local s = rille.session.start {}
    assert.same({ 1, nil, 3, n = 3 }, table.pack(s:run(function(...) return ... end, 1, nil, 3)))
    local ok, e = pcall(s.run, s, function() error({ "mine" }, 0) end)
    assert.is_false(ok)
    assert.same({ "mine" }, e)
    assert.is_nil(rille.session.current())
  end)

  it("moves its token with each transaction that writes, and with no other", function()
    local s = rille.session.start {}
    local seen = {}
    local function note() seen[#seen + 1] = position(s:token()) end
    s:run(function()
      Post:create { title = "one" } note()
      Post:count() note()
      rille.transaction(function()
        Post:create { title = "two" }
        Post:create { title = "three" }
      end)
      note()
      pcall(rille.transaction, function()
        Post:create { title = "four" }
        error "no"
      end)
      note()
      rille.db():execute("update posts set title = 'x'") note()
      Post:insert { { title = "five" }, { title = "six" } } note()
    end)
    local first = seen[1]
    for i, each in ipairs(seen) do seen[i] = each - first end
    assert.same({ 0, 0, 1, 1, 2, 3 }, seen)
  end)

  it("leaves what a statement says of changes and ids as it is", function()
    wrote()
    local done = rille.db():execute("insert into posts (title) values ('a'), ('b')")
    assert.same({ changes = 2, last_id = 3 }, done)
  end)

  it("goes on where its token left it, in this process and in another", function()
    local token = wrote()
    local s = rille.session.start { token = token }
    assert.is_false(s.lost)
    assert.equal(token, s:token())
    assert.equal(1, s:run(function() return Post:count() end))
    connect()
    s = rille.session.start { token = token }
    assert.is_false(s.lost)
    project:write("other.lua", ([[local rille = require "rille"
      rille.connect "app.db"
      local s = rille.session.start { token = %q }
      s:run(function() rille.db():execute "insert into posts (title) values ('theirs')" end)
      print(s.lost, s:token())]]):format(token))
    local lost, theirs = select(2, project:run "run other.lua"):match "(%a+)\t(%S+)"
    assert.equal("false", lost)
    s = rille.session.start { token = theirs }
    assert.is_false(s.lost)
    assert.equal(2, s:run(function() return Post:count() end))
    assert.is_true(theirs > token)
    assert.is_false(rille.session.start { token = token }.lost)
  end)

  it("belongs to the coroutine that runs in it, and ends with the function", function()
    local s, inner = rille.session.start {}, rille.session.start {}
    s:run(function()
      assert.equal(s, rille.session.current())
      coroutine.wrap(function() assert.is_nil(rille.session.current()) end)()
      inner:run(function() assert.equal(inner, rille.session.current()) end)
      assert.equal(s, rille.session.current())
    end)
    assert.is_nil(rille.session.current())
  end)

  it("knows the places of several databases", function()
    rille.configure { default = "main", connections = { main = { database = path },
      other = { database = project.path .. "/other.db" } } }
    rille.db("other"):execute "create table notes (id integer primary key)"
    local s = rille.session.start {}
    s:run(function()
      rille.db():execute "insert into posts (title) values ('one')"
      rille.db("other"):execute "insert into notes default values"
    end)
    local token = s:token()
    assert.equal(2 * 88 + 1, #token)
    local again = rille.session.start { token = token }
    assert.is_false(again.lost)
    again:run(function() rille.db("other"):execute "insert into notes default values" end)
    assert.equal(#token, #again:token())
    assert.not_equal(token, again:token())
  end)

  describe("refuses a token", function()
    local function invalid(token, word)
      refused("invalid_token", word or "token", rille.session.start, { token = token })
    end

    it("that is empty, cut short, too long, or none at all", function()
      local token = wrote()
      invalid("", "it is empty")
      invalid(token:sub(1, -2), "its 87 bytes should be 88")
      invalid(token .. "0", "should be 88")
      invalid(token .. ",", "its 0 bytes")
      invalid("x", "its 1 bytes")
      invalid(("f"):rep(1000000), "too long")
      invalid(("z"):rep(88), "not a session's token")
      refused("invalid_argument", "a text for token", rille.session.start, { token = 42 })
    end)

    it("in which a single character is another one", function()
      local token = wrote()
      for i = 1, #token do
        local c = token:sub(i, i)
        for _, other in ipairs { c == "0" and "1" or "0", "f", "g", "A", "\0" } do
          if other ~= c then invalid(token:sub(1, i - 1) .. other .. token:sub(i + 1)) end
        end
      end
      assert.is_false(rille.session.start { token = token }.lost)
    end)

    it("of another database", function()
      local token = wrote()
      rille.connect(project.path .. "/other.db")
      invalid(token, "no database that is configured made it")
    end)
  end)

  it("leaves an error of the function what it is, and keeps what was done, whatever becomes of its token", function()
    wrote()
    local s = rille.session.start {}
    local ok, e = pcall(s.run, s, function()
      Post:create { title = "two" }
      rille.db():execute "update rille_history set secret = 'x'"
      error({ "mine" }, 0)
    end)
    assert.is_false(ok)
    assert.same({ "mine" }, e)
    refused("corrupt", "rille_history", s.token, s)
    assert.equal(2, Post:count())
  end)

  it("knows what it did on a connection that was closed in it", function()
    local s = rille.session.start {}
    s:run(function()
      Post:create { title = "one" }
      rille.close()
    end)
    local token = s:token()
    assert.equal(88, #token)
    connect()
    assert.is_false(rille.session.start { token = token }.lost)
    assert.equal(token, rille.session.start { token = token }:token())
  end)

  it("asks for its token again only where something was changed", function()
    local s = rille.session.start {}
    s:run(function() Post:create { title = "one" } end)
    local token = s:token()
    local core = require "rille.core"
    for turn = 1, 3 do
      s:run(function() assert.equal(turn, Post:count()) end)
      assert.equal(token, s:token())
      local other <close> = core.open { database = path }
      other:count(true)
      other:execute "insert into posts (title) values ('other')"
      s:run(function() assert.equal(turn + 1, Post:count()) end)
      assert.is_true(s:token() > token)
      token = s:token()
    end
  end)

  it("makes nothing where a token is only judged, or its transaction may be rolled back", function()
    local s = rille.session.start {}
    pcall(rille.transaction, function()
      s:run(function() Post:create { title = "a" } end)
      s:token()
      error "no"
    end)
    assert.is_nil(rille.db():describe "rille_history")
    local token = wrote()
    rille.connect(project.path .. "/new.db")
    refused("invalid_token", "made it", rille.session.start, { token = token })
    assert.is_nil(rille.db():describe "rille_history")
  end)

  it("tells the databases of tenants apart, which are made from one template, and a copy from its source", function()
    project:write("migrations/0001_posts.lua", [[return {
      up = function(schema) schema:create("posts", function(t) t:id() t:string "title" end) end,
      down = function(schema) schema:drop "posts" end }]])
    project:write("tenants.lua", [[local rille = require "rille"
      rille.configure { connections = { main = "main.db" }, session = { enabled = true },
        tenancy = { strategy = "database", pattern = "tenants/{slug}.db" } }
      local Post = rille.model "Post" {}
      local s = rille.session.start {}
      s:run(function()
        for _, slug in ipairs { "a", "b", "c" } do
          rille.tenant.create(slug)
          rille.tenant.run(slug, function() Post:create { title = slug } end)
        end
        rille.tenant.copy("a", "d")
        rille.tenant.run("d", function() Post:create { title = "d" } end)
      end)
      print(#s:token() == 4 * 88 + 3, rille.session.start { token = s:token() }.lost)]])
    assert.same({ 0, "true\tfalse\n" }, { project:run "run tenants.lua" })
  end)

  it("refuses what it does not know", function()
    refused("invalid_argument", 'did you mean "token"', rille.session.start, { tokn = "x" })
    refused("invalid_argument", "first-primary", rille.session.start, { mode = "first-primry" })
    refused("invalid_argument", "milliseconds", rille.session.start, { wait_ms = -1 })
    refused("invalid_argument", "milliseconds", rille.session.start, { wait_ms = 1.5 })
    local s = rille.session.start {}
    refused("invalid_argument", "a function", s.run, s, "x")
  end)

  it("takes what it is not told from the configuration", function()
    rille.configure { connections = { main = { database = path } }, session = { mode = "first-primary", wait_ms = 7,
      on_lag = "error" } }
    local s = rille.session.start {}
    assert.same({ "first-primary", 7, "error" }, { s.mode, s.wait_ms, s.on_lag })
    assert.equal(9, rille.session.start { wait_ms = 9 }.wait_ms)
    refused("invalid_argument", '"primary", "error"', rille.configure, { session = { on_lag = "eror" } })
  end)

  it("is not to be had where the configuration says so", function()
    rille.configure { connections = { main = { database = path } }, session = { enabled = false } }
    refused("unsupported", "switched off", rille.session.start, {})
  end)

  it("reads a database that cannot be written, without a token where that keeps no history", function()
    rille.close()
    rille.connect { database = path, readonly = true }
    local s = rille.session.start {}
    assert.equal(0, s:run(function() return rille.db():table("posts"):count() end))
    assert.is_nil(s:token())
    assert.is_nil(rille.db():describe "rille_history")
  end)

  it("costs nothing before the first one: nothing is counted", function()
    project:write("none.lua", [[local rille = require "rille"
      rille.connect "app.db"
      rille.db():execute "insert into posts (title) values ('theirs')"]])
    assert.same({ 0, "" }, { project:run "run none.lua" })
    assert.is_nil(rille.db():describe "rille_history")
  end)

  it("counts every commit where the configuration says that there are sessions", function()
    project:write("rille.config.lua", [[return { connections = { main = { database = "app.db" } },
      session = { enabled = true } }]])
    project:write("some.lua", [[local rille = require "rille"
      for i = 1, 3 do rille.db():execute "insert into posts (title) values ('theirs')" end]])
    assert.same({ 0, "" }, { project:run "run some.lua" })
    assert.equal(3, rille.db():query("select position from rille_history")[1].position)
  end)
end)
