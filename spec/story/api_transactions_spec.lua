--- story/api_transactions_spec: the page of the public interface on transactions and handles, sentence by sentence.
local world = require "spec.support.world"
local rille = world.rille
local refused = world.refused

describe("Transactions and handles", function()
  local Post, User, db, path

  --- What another connection sees.
  local function others()
    local other <close> = world.beside(db)
    return other:query("select count(*) as n from posts")[1].n
  end

  before_each(function()
    path = os.tmpname()
    require "rille.model".forget_all()
    db = rille.connect(path, { busy_timeout_ms = 50 })
    db:execute [[create table users (id integer primary key, name TEXT not null, email TEXT unique, age INTEGER)]]
    db:execute [[create table posts (id integer primary key, author_id INTEGER references users (id),
      title TEXT not null, views INTEGER not null default 0)]]
    Post, User = rille.model "Post" {}, rille.model "User" {}
    User:create { name = "ann", email = "a@x" }
  end)
  after_each(function()
    rille.close()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  it("rille.transaction(fn) returns what fn returns; an error rolls back and is raised.", function()
    assert.same({ 1, nil, "x" }, { rille.transaction(function()
      Post:create { title = "kept" }
      assert.equal(0, others())
      return 1, nil, "x"
    end) })
    assert.equal(1, others())
    assert.same({ false, "mine" }, { pcall(rille.transaction, function()
      Post:create { title = "lost" }
      error("mine", 0)
    end) })
    assert.same({ "kept" }, Post:pluck "title")
    refused("not_null_violation", rille.transaction, function()
      Post:create { title = "lost" }
      Post:create {}
    end)
    assert.equal(1, Post:count())
  end)

  it("Nested calls are savepoints.", function()
    rille.transaction(function()
      Post:create { title = "outer" }
      pcall(rille.transaction, function()
        Post:create { title = "inner" }
        rille.transaction(function() Post:create { title = "innermost" } end)
        assert.equal(3, Post:count())
        error "no"
      end)
      assert.equal(1, Post:count())
      rille.transaction(function() Post:create { title = "second" } end)
    end)
    assert.same({ "outer", "second" }, Post:order_by("id"):pluck "title")
  end)

  it("local tx <close> = rille.begin() with tx:commit() or tx:rollback(); left early it rolls back.", function()
    do
      local tx <close> = rille.begin()
      Post:create { title = "kept" }
      tx:commit()
    end
    do
      local tx <close> = rille.begin()
      Post:create { title = "lost" }
      tx:rollback()
    end
    pcall(function()
      local tx <close> = rille.begin()        -- luacheck: ignore 211
      Post:create { title = "lost too" }
      error "no"
    end)
    do
      local outer <close> = rille.begin()
      Post:create { title = "outer" }
      do
        local inner <close> = rille.begin()   -- luacheck: ignore 211
        Post:create { title = "inner" }
      end
      outer:commit()
    end
    assert.same({ "kept", "outer" }, Post:order_by("id"):pluck "title")
    local tx = rille.begin()
    tx:commit()
    refused("invalid_argument", tx.commit, tx)
    refused("invalid_argument", tx.rollback, tx)
  end)

  it("A transaction belongs to its coroutine.", function()
    rille.transaction(function()
      Post:create { title = "mine" }
      coroutine.wrap(function()
        assert.equal(0, Post:count())
        if world.engine == "sqlite" then           -- which has one writer at a time
          refused("busy", Post.create, Post, { title = "theirs" })
        else
          Post:create { title = "theirs" }
        end
      end)()
      assert.equal(1, Post:where("title", "mine"):count())
    end)
    assert.same({ "mine" }, Post:where("title", "mine"):pluck "title")
  end)

  it("Events and after_commit are the outermost one's; after_commit never runs if it rolls back, outside at once.",
    function()
      local said = {}
      local stops = {}
      for _, word in ipairs { "start", "commit", "rollback" } do
        stops[#stops + 1] = rille.on("transaction:" .. word, function(info)
          said[#said + 1] = word
          assert.equal(db.name, info.connection)
        end)
      end
      rille.transaction(function()
        rille.after_commit(function() said[#said + 1] = "after " .. others() end)
        rille.transaction(function()
          rille.after_commit(function() said[#said + 1] = "inner after" end)
          Post:create { title = "a" }
        end)
        pcall(rille.transaction, function()
          rille.after_commit(function() said[#said + 1] = "never" end)
          error "no"
        end)
        said[#said + 1] = "end"
      end)
      pcall(rille.transaction, function()
        rille.after_commit(function() said[#said + 1] = "never" end)
        error "no"
      end)
      rille.after_commit(function() said[#said + 1] = "at once" end)
      for _, stop in ipairs(stops) do stop() end
      assert.same({ "start", "end", "commit", "after 1", "inner after", "start", "rollback", "at once" }, said)
    end)

  it("rille.snapshot(fn) runs reads at one moment.", function()
    Post:create { title = "a" }
    local seen = rille.snapshot(function()
      local before = Post:count()
      local other <close> = world.beside(db)
      other:execute "insert into posts (title) values ('b')"
      return { before, Post:count() }
    end)
    assert.same({ 1, 1, 2 }, { seen[1], seen[2], Post:count() })
  end)

  it("opts = { isolation =, retries = n } retries serialization failures and busy.", function()
    local tries = 0
    local result = rille.transaction(function()
      tries = tries + 1
      Post:create { title = "try " .. tries }
      if tries < 3 then error(require "rille.error".new("busy", "once more"), 0) end
      return "done"
    end, { retries = 3 })
    assert.same({ "done", 3, { "try 3" } }, { result, tries, Post:pluck "title" })
    tries = 0
    refused("busy", rille.transaction, function()
      tries = tries + 1
      error(require "rille.error".new("busy", "never"), 0)
    end, { retries = 2 })
    assert.equal(3, tries)
    refused("invalid_argument", rille.transaction, print, { isolation = "none" })
  end)

  it("rille.db([name]) is a handle; db:query(sql, …) → rows as plain tables", function()
    assert.equal(db, rille.db())
    assert.same({ { id = 1, name = "ann", email = "a@x" } }, rille.db():query "select * from users")
    assert.same({ { x = 1, y = "b" } }, db:query("select cast(? as integer) as x, ? as y", 1, "b"))
    assert.same({ { x = "?" } }, db:query "select '?' as x")
    assert.same({ { x = "1", y = "1", z = "2" } }, db:query("select :a as x, :a as y, :b as z", { a = "1", b = "2" }))
    assert.same({ {} }, db:query("select ? as x", rille.null))
  end)

  it("db:execute(sql, …) → { changes, last_id }", function()
    local done = db:execute("insert into posts (title) values (?), (?)", "a", "b")
    assert.equal(2, done.changes)
    assert.equal(world.engine == "sqlite" and 2 or nil, done.last_id)
    assert.equal(3, db:execute("insert into posts (title) values (?) returning id", "c").last_id)
    assert.equal(1, db:execute("update posts set views = 1 where id = ?", 1).changes)
  end)

  it("db:result(sql, …) → { ok, status, json, error } and never raises", function()
    local good, bad = db:result("select name from users"), db:result "select * from nowhere"
    assert.same({ true, 200, { { name = "ann" } } }, { good.ok, good.status, good.json })
    assert.same({ false, 400, "no_such_table" }, { bad.ok, bad.status, bad.error.kind })
    assert.same({ false, 409 }, { db:result("insert into users values (1, 'x', null, null)").ok,
      db:result("insert into users values (1, 'x', null, null)").status })
    for _, sql in ipairs { "selekt", "", "select 1; select 2" } do assert.is_false(db:result(sql).ok) end
  end)

  it('db:table("users") is a query that returns plain tables', function()
    local row = db:table("users"):where("name", "ann"):first()
    assert.same({ id = 1, name = "ann", email = "a@x" }, row)
    assert.is_nil(getmetatable(row))
    assert.is_nil(rille.type(row))
    assert.equal(2, db:table("users"):insert { { name = "b" }, { name = "c" } })
    assert.equal(1, db:table("users"):where("name", "b"):update { age = 3 })
    assert.equal(3, db:table("users"):count())
    assert.equal('did you mean "users"?', refused("no_such_table", function() db:table("user"):all() end).hint)
  end)

  it("db:transaction(fn)", function()
    pcall(db.transaction, db, function()
      db:execute "delete from users"
      error "no"
    end)
    assert.equal(1, db:table("users"):count())
  end)

  it("db:create, insert, find_by_id, select, update, delete/remove", function()
    assert.equal("bob", db:create("users", { name = "bob", age = 20 }).name)
    assert.equal(2, db:insert("users", { { name = "cid", age = 30 }, { name = "dee", age = 40 } }))
    assert.equal("cid", db:find_by_id("users", 3).name)
    assert.is_nil(db:find_by_id("users", 99))
    assert.equal(1, #db:select("users", { name = "dee" }))
    assert.equal(1, db:update("users", { name = "dee" }, { age = 41 }))
    assert.equal(41, db:find_by_id("users", 4).age)
    assert.same({ 1, 1 }, { db:delete("users", { name = "cid" }), db:remove("users", { name = "dee" }) })
    assert.equal(2, db:table("users"):count())
  end)

  it("db:health()", function()
    local health = db:health()
    assert.same({ true, world.engine, true }, { health.ok, health.driver, health.writable })
    rille.close()
    assert.is_false(db:health().ok)
  end)
end)
