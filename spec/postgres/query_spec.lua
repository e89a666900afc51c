--- postgres/query_spec: what queries, transactions and handles keep on PostgreSQL alone; RILLE_SPEC_URL names one.
local world = require "spec.support.world"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local POSTS <const> = {
  "create table users (id integer primary key, name TEXT not null, email TEXT unique)",
  [[create table posts (id integer primary key, author_id INTEGER references users (id), title TEXT not null unique,
    views INTEGER not null default 0, price DECIMAL(30,4), live BOOLEAN not null default 1, meta JSON TEXT,
    at DATETIME TEXT)]],
}

describe("a transaction of which a statement failed", function()
  local Post, db
  before_each(function()
    db = world.fresh(table.unpack(POSTS))
    Post = rille.model "Post" { validates = { title = { unique = true } } }
    Post:create { title = "a" }
  end)

  it("does nothing more until it is rolled back, and says which one it was", function()
    local e = refused("transaction_aborted", rille.transaction, function()
      Post:create { title = "b" }
      refused("invalid_argument", db.query, db, "select 1 / 0")
      Post:create { title = "c" }
    end)
    assert.matches("division by zero", e.message)
    assert.matches("transaction of its own", e.hint)
    assert.same({ "a" }, Post:pluck "title")
    e = refused("transaction_aborted", rille.transaction, function()
      assert.equal(1, Post:count())
      refused("syntax", db.query, db, "selekt")
    end)
    assert.matches("selekt", e.message)
  end)

  it("goes on behind a savepoint around that statement", function()
    rille.transaction(function()
      Post:create { title = "b" }
      refused("no_such_column", rille.transaction, function() db:query "select nothing from posts" end)
      assert.equal(2, Post:count())
    end)
    assert.equal(2, Post:count())
  end)

  it("goes on behind a record whose rules the database refused", function()
    rille.transaction(function()
      local saved, err = Post:create { title = "a" }
      assert.is_nil(saved)
      assert.equal("validation", err.kind)
      Post:create { title = "b" }
      local b = Post:where("title", "b"):first()
      b.title = "a"
      assert.is_nil(b:save())
      assert.equal(1, Post:where("title", "b"):count())
    end)
    assert.same({ "a", "b" }, Post:order_by("title"):pluck "title")
  end)
end)

describe("two that make one row", function()
  it("both get the one that was made first", function()
    local db = world.fresh(table.unpack(POSTS))
    local Post, made = rille.model "Post" { validates = { title = { unique = true } } }, false
    Post:on("creating", function()
      if made then return end
      made = true
      local other <close> = world.beside(db)
      other:execute "insert into posts (title, views) values ('once', 7)"
    end)
    assert.equal(7, Post:first_or_create({ title = "once" }).views)
    assert.equal(1, Post:count())
    made = false
    assert.equal(8, Post:update_or_create({ title = "once" }, { views = 8 }).views)
    db:execute "delete from posts"
    assert.equal(9, Post:update_or_create({ title = "once" }, { views = 9 }).views)
    assert.equal(1, Post:count())
  end)

  it("is the caller's to hear of where another constraint refuses", function()
    world.fresh(table.unpack(POSTS))
    local User = rille.model "User" {}
    User:create { name = "a", email = "e" }
    refused("unique_violation", User.first_or_create, User, { name = "b" }, { email = "e" })
  end)
end)

describe("locks of rows", function()
  local Post, db, other
  before_each(function()
    db = world.fresh(table.unpack(POSTS))
    Post = rille.model "Post" {}
    for i = 1, 3 do Post:create { title = "p" .. i, views = i } end
    other = world.beside(db)
  end)
  after_each(function() other:close() end)

  it("keep others out until the transaction ends, or are skipped, or fail at once", function()
    other:begin()
    other:query "select * from posts where id = 1 for update"
    rille.transaction(function()
      assert.same({ 2, 3 }, Post:order_by("id"):lock_for_update { skip_locked = true }:pluck "id")
      assert.equal(2, Post:order_by("id"):lock_for_update({ skip_locked = true }):first().id)
    end)
    refused("busy", rille.transaction, function() Post:lock_for_update({ nowait = true }):find(1) end)
    other:rollback()
    rille.transaction(function()
      assert.equal(1, Post:lock_for_update({ nowait = true }):find(1).id)
      refused("busy", function() other:query "select * from posts where id = 1 for update nowait" end)
    end)
  end)

  it("may be shared", function()
    other:begin()
    other:query "select * from posts where id = 1 for share"
    rille.transaction(function() assert.equal(1, Post:shared_lock({ nowait = true }):find(1).id) end)
    refused("busy", rille.transaction, function() Post:lock_for_update({ nowait = true }):find(1) end)
    other:rollback()
  end)

  it("want one answer to a row that is locked", function()
    rille.transaction(function()
      refused("invalid_argument", function() Post:lock_for_update({ nowait = true, skip_locked = true }):all() end)
    end)
  end)
end)

describe("isolation", function()
  local Post, db, other
  before_each(function()
    db = world.fresh(table.unpack(POSTS))
    Post = rille.model "Post" {}
    Post:create { title = "a" }
    other = world.beside(db)
  end)
  after_each(function() other:close() end)

  --- What a transaction counts before and after somebody else adds a row.
  local function counts(options)
    local before, after
    rille.transaction(function()
      before = Post:count()
      other:execute(("insert into posts (title) values ('%d')"):format(before + 100))
      after = Post:count()
    end, options)
    return { before, after }
  end

  it("is read committed unless it says more", function()
    assert.same({ 1, 2 }, counts())
    assert.same({ 2, 2 }, counts { isolation = "repeatable_read" })
    assert.same({ 3, 4 }, counts { isolation = "read_committed" })
    assert.same({ 4, 4 }, counts { isolation = "serializable" })
  end)

  it("tries again what another one overtook", function()
    local tries = 0
    rille.transaction(function()
      tries = tries + 1
      local post = Post:first()
      if tries == 1 then other:execute "update posts set views = views + 1" end
      post:update { views = post.views + 10 }
    end, { isolation = "serializable", retries = 2 })
    assert.same({ 2, 11 }, { tries, Post:first().views })
  end)

  it("is in doubt where nobody answers its commit, and not done again by itself", function()
    local runs = 0
    local function write()
      runs = runs + 1
      db:execute("insert into posts (id, title) values (?, 'x' || ?)", 100 + runs, 100 + runs)
    end
    db:execute [[create function end_it() returns trigger language plpgsql as
      'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end']]
    db:execute [[create constraint trigger ends after insert on posts deferrable initially deferred for each row
      execute function end_it()]]
    refused("in_doubt", rille.transaction, write, { retries = 3 })
    assert.equal(1, runs)
    local tx = rille.begin()
    write()
    refused("in_doubt", tx.commit, tx)
    assert.matches("look whether", refused("transaction_aborted", db.query, db, "select 1").hint)
    tx:rollback()
    db:execute "drop function end_it() cascade"
    assert.equal(0, db:query "select count(*) as n from posts where id > 100"[1].n)
  end)

  it("of a snapshot reads only", function()
    refused("readonly", rille.snapshot, function() Post:create { title = "b" } end)
  end)
end)

describe("values", function()
  local Post, db
  before_each(function()
    db = world.fresh(table.unpack(POSTS))
    Post = rille.model "Post" {}
  end)

  it("of decimals keep every digit", function()
    local post = Post:create { title = "a", price = "12345678901234567890123456.7891" }
    assert.equal("12345678901234567890123456.7891", Post:find(post.id).price)
    Post:where("id", post.id):increment("price", "0.0009")
    assert.equal("12345678901234567890123456.7900", Post:find(post.id).price)
    refused("invalid_argument", Post.create, Post, { title = "b", price = "1.00001" })
  end)

  it("of raw SQL are what they are", function()
    assert.same({ { t = true, f = false, n = 6, d = "1.50", b = 2, s = "x" } },
      db:query([[select true as t, 1 > 2 as f, sum(v) as n, 1.50 as d, 2 as b, 'x' as s
        from (values (1::bigint), (5)) v (v)]]))
    local beyond = db:query "select 9223372036854775807 + 9223372036854775807::numeric as n"
    assert.equal("18446744073709551614", beyond[1].n)
  end)

  it("of lists of any length are found", function()
    for i = 1, 40 do Post:create { title = ('t"%d\\,{}'):format(i) } end
    local titles, ids = {}, {}
    for i = 1, 40 do titles[i], ids[i] = ('t"%d\\,{}'):format(i), i end
    assert.equal(40, Post:where_in("title", titles):count())
    assert.equal(0, Post:where_not_in("title", titles):count())
    assert.equal(40, Post:where_in("id", ids):count())
  end)

  it("of JSON compare as on SQLite", function()
    Post:create { title = "a", meta = { n = 5, s = "b", t = true, z = rille.null, l = { "x", 2, true } } }
    Post:create { title = "b", meta = { n = "7" } }
    Post:create { title = "c" }
    local function titles(...) return Post:where_json(...):order_by("title"):pluck "title" end
    assert.same({ "a" }, titles("meta.n", 5))
    assert.same({ "b" }, titles("meta.n", ">", 5))                 -- every text is more than a number
    assert.same({ "a" }, titles("meta.n", "<=", 5))
    assert.same({ "b" }, titles("meta.n", "!=", 5))
    assert.same({ "a" }, titles("meta.t", 1))
    assert.same({ "a" }, titles("meta.t", true))
    assert.same({ "a", "b", "c" }, titles("meta.z", "is", rille.null))
    assert.same({ "a" }, titles("meta.s", "like", "b%"))
    assert.same({ "a" }, titles("meta.l.1", 2))
    assert.same({}, titles("meta.s.0", "b"))
    assert.equal(1, Post:where_json_contains("meta.l", "x"):count())
    assert.equal(1, Post:where_json_contains("meta.l", true):count())
    assert.equal(0, Post:where_json_contains("meta.l", "y"):count())
  end)

  it("end no condition around them, behind what only PostgreSQL takes for the end of a remark either", function()
    Post:create { title = "a", meta = {} }
    refused("syntax", function() return Post:where("title", "b"):where_raw("true -- \r) or (true\n"):count() end)
    assert.equal(0, Post:where("title", "b"):where_raw("true /* /* */ ) or ( /* */ true */"):count())
  end)

  it("take the operators of PostgreSQL, a question mark written twice", function()
    Post:create { title = "a", meta = { tags = { "x" } } }
    assert.equal(1, Post:where_raw("meta -> 'tags' ?? ?", "x"):count())
    assert.equal(1, #db:query("select 1 from posts where meta ?? 'tags' and title = any(array[?, ?])", "a", "b"))
  end)
end)

describe("a lock of another process", function()
  it("is waited for, whatever other coroutines have open", function()
    local db = world.fresh(table.unpack(POSTS))
    local Post = rille.model "Post" {}
    local post = Post:create { title = "a" }
    local place = db:query("select current_schema() || '.posts' as t")[1].t
    local other = coroutine.wrap(function()
      local tx <close> = rille.begin()
      assert.equal(1, Post:count())
      coroutine.yield()
      tx:rollback()
    end)
    other()
    local sql = ("update %s set views = 1 where id = %d returning pg_sleep(0.5)"):format(place, post.id)
    local command = ("unset LD_PRELOAD; psql -X -q -d '%s' -c \"%s\""):format(os.getenv "RILLE_SPEC_URL", sql)
    local pipe = assert(io.popen(command))
    local started = core.monotonic_ms()
    local asleep = "select count(*) as n from pg_stat_activity where wait_event = 'PgSleep' and query like 'update %'"
    while db:query(asleep)[1].n == 0 do
      core.pause(5)
      assert.is_true(core.monotonic_ms() - started < 5000)
    end
    Post:where("id", post.id):increment "views"
    pipe:close()
    other()
    assert.equal(2, post:fresh().views)
  end)
end)

describe("a plan", function()
  it("has steps, and notes on what is slow where it costs something", function()
    local db = world.fresh(table.unpack(POSTS))
    local Post = rille.model "Post" {}
    assert.same({}, Post:where("views", 3):explain().notes)
    db:execute "insert into posts (title, views) select i, i from generate_series(1, 20000) as i"
    db:execute "analyze posts"
    local plan = Post:where("views", 3):order_by("at"):explain()
    assert.matches("^Sort ", plan.steps[1].detail)
    assert.equal(1, plan.steps[1].depth)
    assert.matches("sorted", plan.notes[1])
    assert.equal("every row of posts is read; an index on views would help", plan.notes[2])
    assert.matches("where \"views\" = %$1 .*\n  %- Sort ", tostring(plan))
    assert.same({}, Post:where("id", 3):explain().notes)
    plan = Post:where("title", "like", "%5"):where("price", ">", 3):where("views", 3):explain()
    assert.matches("an index on price, views would help", plan.notes[1])
  end)
end)

describe("counting anew", function()
  it("begins with a truncation, whatever makes the numbers", function()
    world.fresh("create table notes (id bigserial primary key, text TEXT)",
      'create table "odd notes" ("key ""id""" bigint generated by default as identity primary key, text TEXT)')
    for _, class in ipairs { rille.model "Note" {}, rille.model "Odd" { table = "odd notes" } } do
      for _ = 1, 2 do
        assert.equal(1, class:create({ text = "a" }):key())
        assert.equal(2, class:create({ text = "b" }):key())
        class:truncate()
      end
    end
  end)
end)

describe("a cursor", function()
  it("reads on where the server has forgotten its statement, as behind a pooler", function()
    local db = world.fresh(table.unpack(POSTS))
    local Post = rille.model "Post" {}
    for _, title in ipairs { "a", "b", "c" } do Post:create { title = title } end
    local function titles()
      local found = {}
      for post in Post:order_by("id"):cursor() do found[#found + 1] = post.title end
      return table.concat(found)
    end
    assert.equal("abc", titles())
    local e = refused("serialization_failure", rille.transaction, function()
      db:execute "deallocate all"
      titles()
    end)
    assert.matches("again", e.hint)
    assert.equal("abc", titles())
    db:execute "deallocate all"
    assert.equal("abc", titles())
    assert.equal("abc", rille.transaction(titles))
  end)
end)

describe("a handle", function()
  it("says how large its database is", function()
    local db = world.fresh(table.unpack(POSTS))
    assert.is_true(db:size() > 1000000)
    local health = db:health()
    assert.same({ true, true, "postgres", false }, { health.ok, health.writable, health.driver, health.replica })
    assert.matches("^%d+", health.version)
  end)

  it("shows no password", function()
    local handle = rille.connect("postgresql://nobody:s3cret@127.0.0.1:1/none", { connect_timeout_ms = 100 })
    local health = handle:health()
    assert.is_false(health.ok)
    for _, text in ipairs { tostring(handle), health.database, tostring(health.error) } do
      assert.is_nil(text:find("s3cret", 1, true))
    end
  end)
end)
