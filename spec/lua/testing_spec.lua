--- testing_spec: rille.testing: what a test did is taken back, what it sees is real, and what it left open is told.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused
local testing = require "rille.testing"
local Transaction = require "rille.transaction"

-- What a block of busted would call, called by hand.
local function block()
  local hooks = {}
  local words = {}
  for _, name in ipairs { "setup", "teardown", "before_each", "after_each" } do
    words[name] = function(fn) hooks[name] = fn end
  end
  return words, hooks
end

local Isolation = require "rille.testing.isolation"

describe("a transaction around a test", function()
  local Post, User, db, words, hooks
  before_each(function()
    Post, User, db = world.blog({ relations = { author = rille.belongs_to("User") } })
    User:create { name = "ann" }
    words, hooks = block()
    Isolation.transaction_in(words)
  end)

  it("takes back what the test did", function()
    hooks.before_each()
    Post:create { title = "a", author_id = 1 }
    User:where("id", 1):update { name = "eve" }
    assert.equal(1, Post:count())
    hooks.after_each()
    assert.equal(0, Post:count())
    assert.equal("ann", User:find(1).name)
    assert.equal(0, db:_connect():depth())
  end)

  it("lets the code under test have transactions that are told, and run after_commit", function()
    local told, ran = {}, {}
    local stops = {}
    for _, event in ipairs { "transaction:start", "transaction:commit", "transaction:rollback" } do
      stops[#stops + 1] = rille.on(event, function() told[#told + 1] = event:match ":(.*)$" end)
    end
    finally(function() for _, stop in ipairs(stops) do stop() end end)
    hooks.before_each()
    assert.same({}, told)
    rille.after_commit(function() ran[#ran + 1] = "at once" end)
    rille.transaction(function()
      rille.after_commit(function() ran[#ran + 1] = "committed" end)
      rille.transaction(function() Post:create { title = "a" } end)
      assert.same({ "at once" }, ran)
    end)
    assert.same({ "at once", "committed" }, ran)
    pcall(rille.transaction, function()
      rille.after_commit(function() ran[#ran + 1] = "never" end)
      Post:create { title = "b" }
      error "no"
    end)
    assert.same({ "at once", "committed" }, ran)
    assert.same({ "start", "commit", "start", "rollback" }, told)
    assert.same({ "a" }, { table.unpack(Post:query():pluck("title")) })
    hooks.after_each()
    assert.equal(4, #told)
  end)

  it("tries again what asks for it, as the outermost transaction would", function()
    hooks.before_each()
    local tries = 0
    local result = rille.transaction(function()
      tries = tries + 1
      Post:create { title = "try " .. tries }
      if tries < 3 then require "rille.error".raise("busy", "not yet") end
      return "done"
    end, { retries = 5 })
    assert.equal("done", result)
    assert.equal(3, tries)
    assert.same({ "try 3" }, { table.unpack(Post:query():pluck("title")) })
    hooks.after_each()
  end)

  it("lets the tenant change, as no transaction of the program would, and puts back who it was", function()
    local function fresh_in(each) Isolation.fresh_in(each, { migrate = false }) end
    for _, isolate in ipairs { Isolation.transaction_in, fresh_in } do
      words, hooks = block()
      isolate(words)
      if hooks.setup then hooks.setup() end
      hooks.before_each()
      rille.tenant.set "acme"
      rille.tenant.set "other"
      refused("tenant_mismatch", rille.transaction, function() rille.tenant.set "acme" end)
      hooks.after_each()
      assert.is_nil(rille.tenant.current())
      rille.tenant.set "acme"
      hooks.before_each()
      rille.tenant.clear()
      hooks.after_each()
      assert.equal("acme", rille.tenant.current().slug)
      rille.tenant.clear()
      if hooks.teardown then hooks.teardown() end
    end
  end)

  it("is no transaction for what wants one", function()
    hooks.before_each()
    refused("invalid_argument", function() Post:query():lock_for_update():all() end)
    rille.transaction(function() Post:query():lock_for_update():all() end)
    hooks.after_each()
  end)

  it("takes a transaction back that the test left open, and says so", function()
    hooks.before_each()
    local kept = rille.begin()
    Post:create { title = "a" }
    local e = refused("transaction_aborted", hooks.after_each)
    assert.matches("left a transaction open", e.message)
    assert.equal("rolled back", kept.state)
    assert.equal(0, Post:count())
    assert.equal(0, #Transaction.open())
  end)

  it("says that a cursor was left open, but nothing of one that nobody holds", function()
    hooks.before_each()
    Post:insert { { title = "a" }, { title = "b" } }
    local step, state, first, closing = Post:query():cursor()
    step(state, first)
    local e = refused("script", hooks.after_each)
    assert.matches("left a cursor open", e.message)
    getmetatable(closing).__close(closing)
    hooks.before_each()
    Post:insert { { title = "a" }, { title = "b" } }
    do
      local drop, drop_state, drop_first = Post:query():cursor()
      drop(drop_state, drop_first)
    end
    hooks.after_each()
  end)

  it("tells another coroutine that the database is busy, and never shows it what was there before", function()
    local path = os.tmpname()
    finally(function() rille.close() os.remove(path) os.remove(path .. "-wal") os.remove(path .. "-shm") end)
    rille.connect(path)
    rille.db():execute("create table t (x)")
    rille.db():execute("insert into t values (1)")
    coroutine.wrap(function() rille.db():query("select * from t") end)()
    hooks.before_each()
    rille.db():execute("delete from t")
    local e = refused("busy", coroutine.wrap(function() return rille.db():query("select * from t") end))
    assert.matches("holds this database for itself", e.message)
    testing.rolled_back(function() rille.db():execute("delete from t") end)
    refused("busy", coroutine.wrap(function() rille.begin() end))
    hooks.after_each()
    assert.equal(1, #coroutine.wrap(function() return rille.db():query("select * from t") end)())
  end)

  it("is ended where the test closed the database", function()
    hooks.before_each()
    rille.connect ":memory:"
    hooks.after_each()
    assert.equal(0, #Transaction.open())
    assert.is_nil(Transaction.innermost(rille.db()))
  end)

  it("is begun on every configured connection, or on those that are named", function()
    rille.configure { default = "a", connections = { a = ":memory:", b = ":memory:", c = ":memory:" } }
    hooks.before_each()
    for _, name in ipairs { "a", "b", "c" } do assert.equal(1, rille.db(name):_connect():depth()) end
    hooks.after_each()
    for _, name in ipairs { "a", "b", "c" } do assert.equal(0, rille.db(name):_connect():depth()) end
    words, hooks = block()
    Isolation.transaction_in(words, "b")
    hooks.before_each()
    assert.equal(0, rille.db("a"):_connect():depth())
    assert.equal(1, rille.db("b"):_connect():depth())
    hooks.after_each()
    words, hooks = block()
    Isolation.transaction_in(words, "a", "bb")
    refused("invalid_argument", hooks.before_each)
    assert.equal(0, rille.db("a"):_connect():depth())
  end)

  it("can be had without busted", function()
    local a, b = testing.rolled_back(function(x)
      Post:create { title = x }
      return Post:count(), nil
    end, "t")
    assert.equal(1, a)
    assert.is_nil(b)
    assert.equal(0, Post:count())
    local ok, e = pcall(testing.rolled_back, function() Post:create { title = "a" } error("mine", 0) end)
    assert.is_false(ok)
    assert.equal("mine", e)
    assert.equal(0, Post:count())
    refused("transaction_aborted", testing.rolled_back, function() rille.begin() end)
    refused("invalid_argument", testing.rolled_back, 1)
    assert.equal(0, db:_connect():depth())
  end)

  it("can be had inside a transaction, for which nothing of it waits", function()
    local ran = 0
    rille.transaction(function()
      Post:create { title = "kept" }
      for post in Post:query():cursor() do
        assert.equal("kept", post.title)
        testing.rolled_back(function()
          rille.transaction(function()
            Post:create { title = "gone" }
            rille.after_commit(function() ran = ran + 1 end)
          end)
          assert.equal(1, ran)
        end)
      end
    end)
    assert.equal(1, ran)
    assert.same({ "kept" }, { table.unpack(Post:query():pluck("title")) })
  end)

  it("belongs into a block of busted", function()
    local script = "return require 'rille.testing'.transaction()"
    local e = refused("invalid_argument", coroutine.wrap(load(script)))
    assert.matches("rolled_back", e.hint)
    local ok, why = pcall(testing.transaction)                         -- in a test
    assert.is_false(ok)
    assert.matches("not supported inside current context block", tostring(why))
  end)
end)

describe("a fresh database", function()
  local words, hooks, path
  before_each(function()
    world.fresh()
    path = os.tmpname()
    rille.configure {
      connections = { main = path, other = ":memory:" }, default = "main",
      migrations = "migrations", models = "spec/support/none",
    }
    words, hooks = block()
  end)
  after_each(function()
    rille.close()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  it("is migrated once, copied for each test, and gone behind them", function()
    Isolation.fresh_in(words, {})
    hooks.setup()
    rille.db():execute("insert into tags (org_id, name, slug) select 1, 'a', 'a' where 1 = 0")
    rille.db():execute("insert into organizations (name, slug) values ('from setup', 's')")
    for _ = 1, 2 do
      hooks.before_each()
      assert.equal(":memory:", rille.db().settings.database)
      assert.equal(1, rille.db():table("organizations"):count())
      rille.transaction(function() rille.db():execute("insert into organizations (name, slug) values ('b', 'b')") end)
      assert.equal(1, #coroutine.wrap(function() return rille.db():query("select 1 as one") end)())
      hooks.after_each()
    end
    hooks.teardown()
    assert.equal(path, rille.db().settings.database)
    assert.same({}, rille.db():tables())
  end)

  it("is empty where it shall not be migrated, and takes every connection's place", function()
    Isolation.fresh_in(words, { migrate = false })
    hooks.setup()
    hooks.before_each()
    assert.same({}, rille.db():tables())
    assert.equal(":memory:", rille.db("other").settings.database)
    hooks.after_each()
    hooks.teardown()
  end)

  it("is none of a server's, where a test would write for good", function()
    rille.configure { connections = { main = { driver = "postgres", host = "nowhere" } } }
    Isolation.fresh_in(words, { migrate = false })
    assert.matches("testing.transaction", refused("unsupported", hooks.setup).hint)
    hooks.teardown()
  end)

  it("says what was left open", function()
    Isolation.fresh_in(words, { migrate = false })
    hooks.setup()
    hooks.before_each()
    local kept = rille.begin()
    refused("transaction_aborted", hooks.after_each)
    hooks.before_each()
    assert.equal(0, rille.db():_connect():depth())
    hooks.after_each()
    hooks.teardown()
    assert.truthy(kept)
  end)

  it("knows its options", function()
    assert.matches("migrate", refused("invalid_argument", testing.fresh_database, { migrat = false }).hint)
  end)
end)

describe("the clock of a test", function()
  local Post
  before_each(function()
    local db = select(3, world.blog())
    db:execute("alter table posts add column deleted_at DATETIME TEXT")
    require "rille.model".forget_all()
    db:forget()
    Post = rille.model "Post" { soft_deletes = true }
  end)
  after_each(testing.unfreeze)

  it("stands for every timestamp, whoever writes it", function()
    local noon = testing.freeze "2026-11-20 12:00:00+01:00"
    assert.equal("2026-11-20T11:00:00.000000Z", noon)
    assert.equal(noon, testing.now())
    local post = Post:create { title = "a" }
    assert.equal(noon, post.created_at)
    Post:insert { { title = "b" } }
    assert.equal(noon, Post:find(2).updated_at)
    local later = testing.travel(90.5)
    assert.equal("2026-11-20T11:01:30.500000Z", later)
    Post:where("id", 2):update { title = "c" }
    assert.equal(later, Post:find(2).updated_at)
    post:touch()
    assert.equal(later, post.updated_at)
    post:delete()
    assert.equal(later, post.deleted_at)
    Post:where("id", 2):delete()
    assert.equal(later, Post:only_trashed():find(2).deleted_at)
    assert.equal(noon, post.created_at)
  end)

  it("is the one of os.time and os.date, too", function()
    testing.freeze(86400 * 365)
    assert.equal(86400 * 365, os.time())
    assert.equal("1971-01-01 00:00:00", os.date("!%Y-%m-%d %H:%M:%S"))
    assert.equal("1970-01-02", os.date("!%Y-%m-%d", 86400))
    local fields = { year = 2026, month = 11, day = 20, hour = 12 }
    local at = os.time(fields)
    testing.unfreeze()
    assert.equal(os.time(fields), at)
    assert.is_true(os.time() > 1700000000)
  end)

  it("goes on where it was moved without being stopped", function()
    local before = os.time()
    testing.travel(-86400)
    assert.is_true(math.abs(os.time() - (before - 86400)) <= 1)
    testing.travel(2 * 86400)
    assert.is_true(math.abs(os.time() - (before + 86400)) <= 1)
    local moved = testing.now()
    repeat until testing.now() ~= moved
    testing.unfreeze()
    assert.is_true(math.abs(os.time() - before) <= 1)
  end)

  it("refuses what is no time", function()
    refused("invalid_argument", testing.freeze, "noon")
    refused("invalid_argument", testing.freeze, rille.null)
    refused("invalid_argument", testing.travel, "1")
    refused("invalid_argument", testing.travel, 0 / 0)
    refused("invalid_argument", testing.travel, 1e15)
    assert.is_true(os.time() > 1700000000)
  end)

  it("goes again when a test in a transaction ends", function()
    local words, hooks = block()
    Isolation.transaction_in(words)
    hooks.before_each()
    testing.freeze(0)
    hooks.after_each()
    assert.is_true(os.time() > 1700000000)
  end)
end)

describe("what luassert learned", function()
  local Post
  before_each(function()
    Post = world.blog({
      casts = { status = { get = string.upper, set = string.lower } }, validates = { title = { required = true } },
      scopes = {},
    })
    Post:insert { { title = "a", views = 1 }, { title = "b", views = 2 } }
    Post:query():count()
  end)

  local function message_of(fn, ...)
    local ok, e = pcall(fn, ...)
    assert.is_false(ok, "nothing failed")
    return tostring(type(e) == "table" and e.message or e)
  end

  it("counts statements", function()
    local two = function() Post:find(1) Post:where("title", "b"):all() end
    assert.statements(2, two)
    assert.max_statements(2, two)
    assert.statements(0, function() end)
    assert.is_not.statements(1, two)
    local message = message_of(assert.statements, 1, two)
    assert.matches("exactly 1 statement expected, 2 sent:\n  1  select .*%[1%]\n  2  select .*%[\"b\"%]", message)
    assert.matches("at most 1 statement expected, 2 sent", message_of(assert.max_statements, 1, two))
    assert.matches("exactly 1 statement expected, none sent", message_of(assert.statements, 1, function() end))
    refused("invalid_argument", function() assert.statements(two, 1) end)
    local count, list = testing.count(two)
    assert.equal(2, count)
    assert.matches("^select", list[2].sql)
    assert.is_nil(require "rille.hook".listening.query)
    pcall(testing.count, error)
    assert.is_nil(require "rille.hook".listening.query)
  end)

  it("looks for rows, through a model or in the table", function()
    assert.has_row(Post, { title = "a", views = 1 })
    assert.has_row("posts", { status = "draft" })
    assert.has_row(Post, { status = "DRAFT" })
    assert.has_row(Post)
    assert.has_row("posts", { body = rille.null })
    assert.has_no_row("posts", { title = "c" })
    assert.matches('^posts has no row with title = "c"; it has 2 rows:\n  title = "a"\n  title = "b"',
      message_of(assert.has_row, Post, { title = "c" }))
    assert.matches('^posts has 1 row with title = "a"', message_of(assert.has_no_row, Post, { title = "a" }))
    assert.matches("^users has no row; it has none", message_of(assert.has_row, "users"))
    refused("no_such_column", function() assert.has_row(Post, { titel = "a" }) end)
    refused("invalid_argument", function() assert.has_row(1) end)
  end)

  it("sees that a record is soft-deleted", function()
    rille.db():execute("alter table posts add column deleted_at DATETIME TEXT")
    require "rille.model".forget_all()
    rille.db():forget()
    local Soft = rille.model "Post" { soft_deletes = true }
    local post = Soft:find(1)
    assert.is_not.soft_deleted(post)
    assert.matches("Post 1 is not soft%-deleted", message_of(assert.soft_deleted, post))
    post:delete()
    assert.soft_deleted(post)
    post:force_delete()
    refused("not_found", function() assert.is_not.soft_deleted(post) end)
  end)

  it("sees what a rule refused", function()
    assert.invalid("title", Post:create { views = 1 })
    assert.matches("views is valid; what was refused: ", message_of(function()
      assert.invalid("views", Post:create { views = 1 })
    end))
    assert.matches("nothing was refused", message_of(function()
      assert.invalid("title", Post:create { title = "x" })
    end))
  end)
end)
