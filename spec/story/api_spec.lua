--- story/api_spec: the page of the public interface, sentence by sentence: its principles, and how one connects.
local world = require "spec.support.world"
local rille, null = world.rille, world.null
local refused, statements = world.refused, world.statements

local function shell(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  return pipe:read "a"
end

describe("Principles", function()
  local Post, User, db
  before_each(function()
    Post, User, db = world.blog { fillable = { "title", "views", "body", "author_id", "meta", "live" } }
    User:insert { { name = "ann" }, { name = "bob", age = 0 } }
    Post:create { title = "first", views = 1, author_id = 1 }
    Post:create { title = "second", views = 2 }
  end)

  describe("1. A query is an immutable value.", function()
    it("Every method returns a new query; a base query can be shared, kept and reused.", function()
      local live = Post:where("live", true)
      local seen, all = live:where("views", ">", 1), live:order_by("id")
      assert.same({ 2 }, seen:pluck "id")
      assert.same({ 1, 2 }, all:pluck "id")
      assert.same({ 1, 2 }, live:order_by("id"):pluck "id")
      assert.is_false(rawequal(live, live:limit(1)))
    end)
  end)

  describe("2. Nothing means something by accident.", function()
    it('where("author_id", nil), where {} and find(nil) are errors, not IS NULL and not "no filter".', function()
      refused("invalid_argument", Post.where, Post, "author_id", nil)
      refused("invalid_argument", Post.where, Post, {})
      refused("invalid_argument", Post.where, Post, { author_id = nil })
      refused("invalid_argument", Post.find, Post, nil)
    end)

    it("An update or delete on a query without a condition is unsafe_mutation.", function()
      world.untouched("unsafe_mutation", Post.update, Post, { views = 0 })
      world.untouched("unsafe_mutation", Post.delete, Post)
      world.untouched("unsafe_mutation", function() db:table("posts"):delete() end)
    end)

    it("Who means every row says Post:unfiltered():delete().", function()
      assert.equal(2, Post:unfiltered():delete())
      assert.equal(0, Post:count())
    end)

    it("An unknown column, operator, option or mass-assigned key is an error that names the nearest known one, "
      .. "before any SQL is sent.", function()
      for kind, cases in pairs {
        no_such_column = { { function() return Post:where("titel", 1):all() end, "title" },
          { function() return Post:order_by("veiws"):all() end, "views" },
            { function() Post:insert { titel = 1 } end, "title" } },
        invalid_argument = { { function() return Post:where("title", "lik", "a"):all() end, "like" },
          { function() rille.connect(":memory:", { busy_timeout = 1 }) end, "busy_timeout_ms" },
          { function() rille.transaction(print, { retris = 1 }) end, "retries" },
          { function() rille.model "Fresh" { tabel = "x" } end, "table" } },
        mass_assignment = { { function() Post:create { titel = "x" } end, "title" } },
      } do
        for _, case in ipairs(cases) do
          local e
          assert.same({}, statements(function() e = refused(kind, case[1]) end))
          assert.equal(('did you mean "%s"?'):format(case[2]), e.hint)
        end
      end
    end)

    it("SQL NULL reads as nil; rille.null stands for it inside tables.", function()
      assert.is_nil(Post:find(2).author_id)
      local post = Post:create { title = "x", body = rille.null, author_id = null }
      assert.is_nil(post.body)
      assert.same({ 2, 3 }, Post:where { author_id = null }:order_by("id"):pluck "id")
      assert.equal("null", tostring(rille.null))
    end)

    it("A column that was not selected raises missing_attribute when read.", function()
      refused("missing_attribute", function() return Post:select("id"):first().title end)
    end)

    it("Integers are 64 bits everywhere, in JSON too; false, 0 and \"\" are values.", function()
      local post = Post:create { title = "", views = math.mininteger, live = false, meta = { n = math.maxinteger } }
      post = Post:find(post.id)
      assert.same({ "", math.mininteger, false, math.maxinteger }, { post.title, post.views, post.live, post.meta.n })
      assert.is_truthy(post:to_json():find('"views":-9223372036854775808', 1, true))
      assert.is_truthy(post:to_json():find('"n":9223372036854775807', 1, true))
      assert.equal(1, Post:where("title", ""):where("live", false):count())
      assert.equal("bob", User:where("age", 0):value "name")
    end)
  end)

  describe("3. Values are always bound, identifiers are always checked.", function()
    it("No argument of any method but those named *_raw can become SQL text.", function()
      local evil = "1; drop table posts; --"
      local said = world.heard(function()
        Post:where("title", evil):where_in("title", { evil }):where_like("title", evil):all()
        Post:filter("title = :t", { t = evil }):all()
        Post:where("id", 1):update { title = evil }
      end)
      assert.equal(3, #said)
      for _, info in ipairs(said) do assert.is_nil(info.sql:find("drop", 1, true)) end
      for _, word in ipairs { "where", "order_by", "select", "group_by", "pluck", "sum" } do
        world.untouched("no_such_column", function()
          local arguments = word == "where" and { evil, 1 } or { evil }
          return Post[word](Post, table.unpack(arguments)):all()
        end)
      end
      assert.equal(evil, Post:find(1).title)
      assert.equal(1, Post:where_raw("1 = 1 and id = ?", 1):count())
    end)
  end)

  describe("4. Fail closed.", function()
    it("An unread option is an error.", function()
      refused("invalid_argument", Post.cursor_paginate, Post, { page = 2 })
      refused("invalid_argument", function() rille.connect(":memory:", { read_only = true }) end)
      refused("invalid_argument", rille.configure, { conections = {} })
    end)

    it("A missing down is an error.", function()
      local dir = os.tmpname()
      os.remove(dir)
      os.execute("mkdir " .. dir)
      local file <close> = io.open(dir .. "/0001_x.lua", "w")
      file:write "return { up = function() end }"
      file:flush()
      assert.matches("down", refused("migration", rille.migrate, { path = dir }).message)
      os.execute("rm -r " .. dir)
    end)
  end)

  describe("6. Two kinds of failure.", function()
    it("rille.try(fn, …) turns any of ours into nil, err; the rest passes.", function()
      local result, e = rille.try(Post.find_or_fail, Post, 99)
      assert.is_nil(result)
      assert.is_true(rille.is_error(e, "not_found"))
      assert.same({ 1, nil, 3 }, { rille.try(function() return 1, nil, 3 end) })
      assert.same({ false, "theirs" }, { pcall(rille.try, function() error("theirs", 0) end) })
    end)

    it("Everything else is raised, so that a transaction cannot commit past it.", function()
      refused("not_null_violation", rille.transaction, function()
        Post:where("id", 1):update { title = "changed" }
        Post:create { views = 1 }
      end)
      assert.equal("first", Post:find(1).title)
    end)

    it("It is a table with kind, message, hint, and where they apply table, column, constraint, sql, code, model.",
      function()
      User:where("id", 1):update { email = "a@x" }
      local e = refused("unique_violation", User.create, User, { name = "x", email = "a@x" })
      assert.same({ "table", "unique_violation", "users", "email" }, { type(e), e.kind, e.table, e.column })
      assert.equal(world.engine == "sqlite" and "users.email" or "users_email_key", e.constraint)
      assert.matches("^insert into", e.sql)
      assert.equal(world.engine == "sqlite" and 2067 or "23505", e.code)
      e = refused("no_such_column", function() Post:where("titel", 1):all() end)
      assert.same({ "posts", 'did you mean "title"?' }, { e.table, e.hint })
      assert.same({ "Post", "views2" }, { refused("mass_assignment", Post.create, Post, { views2 = 1 }).model,
        refused("mass_assignment", Post.create, Post, { views2 = 1 }).column })
      local _, caught = rille.try(Post.find_or_fail, Post, 99)
      assert.matches("stack traceback", caught.traceback)
    end)

    it("tostring(err) is what a person should read.", function()
      local e = refused("no_such_column", function() Post:where("titel", 1):all() end)
      assert.equal('posts has no column "titel"\n  hint: did you mean "title"?', tostring(e))
    end)

    it("rille.is_error(e [, kind])", function()
      local e = refused("not_found", Post.find_or_fail, Post, 99)
      assert.is_true(rille.is_error(e))
      assert.is_true(rille.is_error(e, "not_found"))
      assert.is_false(rille.is_error(e, "not_unique"))
      for _, other in ipairs { "x", 1, {}, Post } do assert.is_false(rille.is_error(other)) end
      assert.is_false(rille.is_error(nil))
      assert.equal('did you mean "not_found"?', refused("invalid_argument", rille.is_error, e, "not_fond").hint)
    end)
  end)
end)

describe("Connecting", function()
  local dir
  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir " .. dir)
    require "rille.model".forget_all()
  end)
  after_each(function()
    rille.close()
    os.execute("rm -r " .. dir)
  end)

  --- What a program says that runs in the directory, with an environment.
  local function run(environment, program)
    local file <close> = io.open(dir .. "/program.lua", "w")
    file:write(program)
    file:flush()
    return (shell(("cd %s && %s lua5.4 program.lua"):format(dir, environment)):gsub("%s+$", ""))
  end

  it('rille.connect "app.db", also ":memory:"', function()
    local db = rille.connect(dir .. "/app.db")
    db:execute "create table t (a integer)"
    assert.is_truthy(io.open(dir .. "/app.db"))
    assert.same({}, rille.connect ":memory:":tables())
    assert.equal("sqlite", db.driver)
  end)

  it("rille.configure names connections, of which one is the default.", function()
    rille.configure { default = "main", connections = {
      main = { driver = "sqlite", database = dir .. "/main.db" },
        other = { database = ":memory:", synchronous = "normal" } } }
    assert.equal(rille.db(), rille.db "main")
    rille.db "other":execute "create table t (a)"
    assert.same({ {}, { "t" } }, { rille.db():tables(), rille.db "other":tables() })
    assert.equal('did you mean "other"?', refused("invalid_argument", rille.db, "othr").hint)
  end)

  it("DATABASE_URL overrides the default connection of a config file; connect and configure override both.", function()
    local file <close> = io.open(dir .. "/rille.config.lua", "w")
    file:write 'return { connections = { main = { database = "file.db" } } }'
    file:flush()
    local say = 'io.write(rille.db():query("pragma database_list")[1].file:match "[^/]*$", " ")'
    local read = 'local rille = require "rille" rille.configure "rille.config.lua" '
    assert.equal("file.db", run("", read .. say))
    assert.equal("url.db", run("DATABASE_URL=url.db", read .. say))
    assert.equal("said.db", run("DATABASE_URL=url.db", read .. 'rille.connect "said.db" ' .. say))
    assert.equal("said.db", run("DATABASE_URL=url.db",
      read .. 'rille.configure { connections = { main = { database = "said.db" } } } ' .. say))
  end)

  it("A second one replaces the first; rille.close() ends all.", function()
    local first = rille.connect ":memory:"
    first:execute "create table t (a integer)"
    local second = rille.connect ":memory:"
    assert.same({}, second:tables())
    refused("invalid_argument", first.query, first, "select 1")
    rille.close()
    refused("invalid_argument", second.query, second, "select 1")
    refused("invalid_argument", rille.db)
    rille.connect ":memory:"
    assert.same({}, rille.db():tables())
  end)

  it("Declaring a model twice is an error.", function()
    rille.model "Post" {}
    refused("invalid_argument", rille.model, "Post", {})
  end)

  it("SQLite opens as a careful C programmer would.", function()
    local db = rille.connect(dir .. "/app.db")
    local function pragma(name) return select(2, next(db:query("pragma " .. name)[1])) end
    assert.same({ "wal", 2, 1, 128 * 1024 * 1024 },
      { pragma "journal_mode", pragma "synchronous", pragma "foreign_keys", pragma "mmap_size" })
    refused("no_such_column", db.query, db, 'select "no such column"')
    db:execute "create table t (a integer primary key, b references t (a))"
    refused("foreign_key_violation", db.execute, db, "insert into t (b) values (7)")
    refused("invalid_argument", db.execute, db, "update sqlite_schema set sql = 'x'")
    db = rille.connect(dir .. "/app.db", { synchronous = "normal", foreign_keys = false, mmap_bytes = 0,
      journal_mode = "delete",
      cache_kib = 512, pragmas = { temp_store = 2 } })
    assert.same({ "delete", 1, 0, 0, -512, 2 }, { pragma "journal_mode", pragma "synchronous", pragma "foreign_keys",
      pragma "mmap_size", pragma "cache_size", pragma "temp_store" })
  end)
end)
