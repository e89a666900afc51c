--- mirror_spec: what is written to one database, once and in order in another one, and what becomes of what cannot be.
local Root = require "spec.support.root"
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local root

local USERS = "create table users (id integer primary key, name text, email text unique, bio text)"

local function configure(connections)
  rille.configure { connections = connections or { main = { database = ":memory:" } }, databases = root,
    mirror_background = false }
end

local function source(name, mirror, statements)
  return rille.open(name, { statements = statements or USERS, mirror = mirror or "root" })
end

--- "acme 1 Ann, acme 2 Bob" of the table in the mirror.
local function mirrored(name, columns)
  local rows = {}
  for i, row in ipairs(rille.open(name or "root"):query(
    ("select source || ' ' || %s as row from users order by source, id"):format(columns or "id || ' ' || name"))) do
    rows[i] = row.row
  end
  return table.concat(rows, ", ")
end

describe("a mirror", function()
  before_each(function()
    root = Root.new()
    configure()
  end)
  after_each(function() Root.leave(root) end)

  it("has what was inserted, updated and deleted, with the name of its source", function()
    local db = source "acme"
    db:insert("users", { { name = "Ann" }, { name = "Bob" }, { name = "Cy" } })
    db:update("users", { id = 1 }, { name = "Anna" })
    db:delete("users", { id = 2 })
    assert.same({ applied = 3, set_aside = 0 }, db:mirror_sync())
    assert.equal("acme 1 Anna, acme 3 Cy", mirrored())
    assert.same({ applied = 0, set_aside = 0 }, db:mirror_sync())
  end)

  it("has a log that may be twice as long, so that the disk is waited for as often, unless a pragma says", function()
    local function pages(db, writes)
      for i = 1, writes do db:execute("insert into users (name) values (?)", "Ann " .. i) end
      return require "rille.core".file_size(db:query("pragma database_list")[1].file .. "-wal") // 4120
    end
    local plain, acme = rille.open("plain", { statements = USERS }), source "acme"
    assert.is_true(pages(plain, 1200) < 1100)
    local long = pages(acme, 1200)
    assert.is_true(long >= 2000 and long < 2100, long)
    configure { main = { database = root .. "/main.db", mirror = "other", pragmas = { wal_autocheckpoint = 100 } },
      other = { database = root .. "/other.db" } }
    rille.db():execute(USERS)
    assert.is_true(pages(rille.db(), 300) < 200)
  end)

  it("has a log as long as a pragma says, even if that is rille's own number, and when the mirror is gone", function()
    source "acme"                                          -- makes the folder
    local connections = { other = { database = root .. "/other.db" } }
    for name, number in pairs { main = 1000, two = 2000 } do
      connections[name] = { database = ("%s/%s.db"):format(root, name), mirror = "other",
        pragmas = { wal_autocheckpoint = number } }
    end
    configure(connections)
    local function pages(name, writes, stops)
      local db = rille.db(name)
      db:execute(USERS)
      if stops then db:mirror_stop "other" end
      for i = 1, writes do db:execute("insert into users (name) values (?)", "Ann " .. i) end
      return require "rille.core".file_size(("%s/%s.db-wal"):format(root, name)) // 4120
    end
    local short, long = pages("main", 1200), pages("two", 2200, true)
    assert.is_true(short >= 1000 and short < 1100, short)
    assert.is_true(long >= 2000 and long < 2100, long)
  end)

  it("holds the ids of several sources beside each other", function()
    for _, name in ipairs { "tenant:a", "tenant:b" } do
      source(name):create("users", { name = name, email = "same@example.com" })
      source(name):mirror_sync()
    end
    assert.equal("tenant:a 1 tenant:a, tenant:b 1 tenant:b", mirrored())
  end)

  it("is told of rows that SQL, triggers and foreign keys change", function()
    local db = source("acme", nil, { USERS, "create table notes (id integer primary key, "
      .. "user_id integer references users on delete cascade)",
      "create trigger t after update on users begin insert into notes (user_id) values (new.id); end" })
    db:execute("insert into users (name) values ('Ann'), ('Bob')")
    db:execute("update users set name = upper(name)")
    db:execute("insert or replace into users (id, name) values (1, 'New')")
    db:execute("delete from users where id = 2")
    db:execute("update users set id = 7")
    db:mirror_sync()
    assert.equal("acme 7 New", mirrored())
    assert.equal(db:query("select count(*) as n from notes")[1].n,
      rille.open "root":query("select count(*) as n from notes")[1].n)
  end)

  it("is not told of what was rolled back", function()
    local db = source "acme"
    db:transaction(function()
      db:create("users", { name = "Ann" })
      pcall(db.transaction, db, function()
        db:create("users", { name = "gone" })
        error "back"
      end)
      db:create("users", { name = "Bob" })
    end)
    pcall(db.transaction, db, function()
      db:create("users", { name = "gone" })
      error "back"
    end)
    refused("unique_violation", db.insert, db, "users", { { email = "x" }, { email = "y" }, { email = "x" } })
    db:transaction(function()
      pcall(db.execute, db, "insert into users (name, email) values ('gone', 'z'), ('gone', 'z')")
      pcall(db.execute, db, "insert or fail into users (name, email) values ('Cy', 'z'), ('gone', 'z')")
    end)
    pcall(db.execute, db, "insert or fail into users (name, email) values ('Di', 'w'), ('gone', 'w')")
    db:mirror_sync()
    assert.equal("acme 1 Ann, acme 2 Bob, acme 3 Cy, acme 4 Di", mirrored())
    assert.equal(4, db:query("select count(*) as n from users")[1].n)
  end)

  it("keeps the values as they are", function()
    local db = source("acme", nil, "create table users (id integer primary key, name, n real, b blob)")
    local blob = ("\0\255"):rep(5000)
    db:execute("insert into users (name, n, b) values (?, ?, ?)", math.mininteger, 1 / 3, rille.blob(blob))
    db:execute("insert into users (name, n, b) values (?, ?, ?)", "", rille.null, "t\u{e9}xt")
    db:execute("update users set n = 2 where id = 1")
    db:mirror_sync()
    for i, row in ipairs(db:query "select *, typeof(name) as tn, typeof(n) as nn, typeof(b) as bn from users") do
      row.source = "acme"
      assert.same(row, rille.open "root":query(
        "select *, typeof(name) as tn, typeof(n) as nn, typeof(b) as bn from users where id = ?", i)[1])
    end
  end)

  it("says of a write what is so without it", function()
    local db = source "acme"
    assert.same({ changes = 2, last_id = 2 }, db:execute "insert into users (name) values ('Ann'), ('Bob')")
    assert.equal(2, db:table("users"):where("id", ">", 0):update { bio = "x" })
    assert.equal(0, db:table("users"):where("id", 9):update { bio = "x" })
    assert.equal("Ann", db:query("update users set bio = 'y' returning name")[1].name)
    assert.equal(3, db:create("users", { name = "Cy" }).id)
    db:execute "vacuum"
    db:execute "pragma optimize"
  end)

  it("goes on when the handle is opened without saying so", function()
    source "acme"
    rille.close()
    configure()
    local db = rille.open "acme"
    db:create("users", { name = "Ann" })
    db:mirror_sync()
    assert.equal("acme 1 Ann", mirrored())
    db:mirror_stop "root"
    db:create("users", { name = "Bob" })
    refused("invalid_argument", db.mirror_sync, db)
    assert.equal("acme 1 Ann", mirrored())
  end)

  it("that was ended and begins again knows that it lacks something", function()
    local db = source("acme", { "root", "other" })
    db:create("users", { name = "Ann" })
    db:mirror_sync()
    refused("invalid_argument", db.mirror_stop, db, "roo")
    db:mirror_stop "root"
    assert.equal(1, #db:mirror_status().mirrors)
    db:mirror_stop "other"
    db:create("users", { name = "Bob" })
    source("acme", "root"):create("users", { name = "Cy" })
    refused("checksum_mismatch", db.mirror_sync, db)
    db:mirror_resync()
    assert.equal("acme 1 Ann, acme 2 Bob, acme 3 Cy", mirrored())
    db:create("users", { name = "Di" })
    assert.same({ applied = 1, set_aside = 0 }, db:mirror_sync())
  end)

  describe("in which the statements of the source were run, too", function()
    --- The mirror, made with these statements, of a source that has one row.
    local function with(...)
      local mirror = rille.open("root", { statements = { USERS, ... } })
      local db = source "acme"
      db:create("users", { name = "Ann" })
      return mirror, db:mirror_sync(), db
    end

    it("makes its empty table anew, with the indexes that rows of several sources can have", function()
      local mirror, done = with("create index by_name on users (name)", "create unique index by_bio on users (bio)",
        "create view names as select name from users")
      assert.same({ applied = 1, set_aside = 0 }, done)
      assert.equal("acme 1 Ann", mirrored())
      source("b"):create("users", { name = "Ben" })
      rille.open("b"):mirror_sync()
      assert.equal("acme 1 Ann, b 1 Ben", mirrored())
      local indexes = mirror:query "select name from sqlite_schema where sql like 'create%index%'"
      assert.same({ "by_name" }, { indexes[1].name, indexes[2] })
      assert.equal(2, mirror:query("select count(*) as n from names")[1].n)
    end)

    it("leaves a table that has rows, or that something hangs on, and sets aside what does not fit", function()
      for i, sql in ipairs { "insert into users (name) values ('own')", "alter table users add column own text",
        "create trigger t after insert on users begin select 1; end",
        "create table pets (id integer primary key, user_id integer references users (id))" } do
        local mirror = rille.open("mirror" .. i, { statements = { USERS, sql } })
        local function form() return mirror:query("select sql from sqlite_schema where name = 'users'")[1].sql end
        local before, db = form(), source("source" .. i, "mirror" .. i)
        db:create("users", { name = "Ann" })
        assert.same({ applied = 0, set_aside = 1 }, db:mirror_sync())
        assert.matches("no column source", db:mirror_failed()[1].error)
        assert.equal(before, form())
      end
    end)
  end)

  describe("of databases with versions", function()
    local function versioned(name, mirror)
      return rille.open(name, { version = "v1", statements = USERS, mirror = mirror })
    end

    local function mirrors(db)
      local names = {}
      for i, each in ipairs(db:mirror_status().mirrors) do names[i] = each.name end
      return table.concat(names, " ")
    end

    it("is the one without a version, where there is that", function()
      rille.open "root"
      versioned "root"
      assert.equal("root", mirrors(versioned("acme", "root")))
    end)

    it("is else the one of the same version, and stays it", function()
      local root_v1, db = versioned "root", versioned("acme", "root")
      rille.open "root"
      assert.equal("root@v1", mirrors(versioned("acme", "root")))
      db:create("users", { name = "Ann" })
      db:mirror_sync()
      assert.equal("Ann", root_v1:query("select name from users where source = 'acme@v1'")[1].name)
      assert.equal("root@v1", mirrors(db))
      assert.same({}, db:mirror_verify().differing)
      db:mirror_stop "root"
      refused("invalid_argument", db.mirror_sync, db)
    end)

    it("is the one that is named with its version", function()
      local db = rille.open("acme", { statements = USERS, mirror = "root@v2" })
      db:create("users", { name = "Ann" })
      db:mirror_sync()
      assert.equal("Ann", rille.open("root", { version = "v2" }):query("select name from users")[1].name)
      for _, wrong in ipairs { "root@", "@v1", "root@v1@v2", "root@V" } do
        refused("invalid_argument", versioned, "other", wrong)
      end
    end)

    it("is made without a version where there is neither, also for a version of itself", function()
      assert.equal("root", mirrors(versioned("acme", "root")))
      assert.equal("alone", mirrors(versioned("alone", "alone")))
    end)
  end)

  it("is not that of a copy", function()
    local db = source "acme"
    db:create("users", { name = "Ann" })
    local copy = db:copy_to "other"
    copy:create("users", { name = "Bob" })
    refused("invalid_argument", copy.mirror_sync, copy)
    db:mirror_sync()
    assert.equal("acme 1 Ann", mirrored())
  end)

  it("has nothing of the statements, and nothing that is skipped, which is counted", function()
    local db = source("acme", nil, { USERS, "insert into users (name) values ('seed')" })
    local skip = { skip_mirror = true }
    db:create("users", { name = "a" }, skip)
    db:insert("users", { name = "b" }, skip)
    db:bulk_insert("users", { { name = "c" } }, skip)
    db:update("users", { id = 1 }, { bio = "x" }, skip)
    db:execute("insert into users (name) values (?)", "d", skip)
    db:skip_mirror(function() db:delete("users", { id = 1 }) end)
    db:create("users", { name = "Ann" }, { skip_mirror = false })
    refused("invalid_argument", db.create, db, "users", { name = "e" }, { skip_miror = true })
    db:mirror_sync()
    assert.equal("acme 6 Ann", mirrored())
    assert.equal(6, db:mirror_status().skipped)
    assert.same({ rows = 5, left_out = 0 }, db:mirror_resync())
    assert.equal("acme 2 a, acme 3 b, acme 4 c, acme 5 d, acme 6 Ann", mirrored())
    assert.equal(0, db:mirror_status().skipped)
  end)

  it("may be one of several, each with tables of its own", function()
    local db = source("acme", { "root", users_only = { tables = { "users" } } },
      { USERS, "create table notes (id integer primary key)" })
    db:create("users", { name = "Ann" })
    db:create("notes", { id = 1 })
    db:mirror_sync()
    assert.equal("acme 1 Ann", mirrored())
    assert.equal("acme 1 Ann", mirrored "users_only")
    assert.is_not_nil(rille.open "root":describe "notes")
    assert.is_nil(rille.open "users_only":describe "notes")
  end)

  it("gets columns that the source got", function()
    local db = source "acme"
    db:create("users", { name = "Ann" })
    db:mirror_sync()
    db:execute "alter table users add column age integer"
    db:execute "alter table users rename column bio to about"
    db:create("users", { name = "Bob", age = 3, about = "x" })
    db:mirror_sync()
    assert.equal("acme 1 Ann - -, acme 2 Bob 3 x",
      mirrored(nil, "id || ' ' || name || ' ' || ifnull(age, '-') || ' ' || ifnull(about, '-')"))
  end)

  it("names whose a row is another way where the table has a source of its own", function()
    local db = source("acme", nil, "create table leads (id integer primary key, source text)")
    db:create("leads", { source = "web" })
    db:mirror_sync()
    assert.same({ mirror_source = "acme", id = 1, source = "web" }, rille.open "root":query("select * from leads")[1])
  end)

  it("refuses rows that it could not tell apart, and nothing of them is kept", function()
    local db = source("acme", nil, { "create table keyless (n integer)", "create table k (k text primary key)" })
    local e = refused("unsupported", db.insert, db, "keyless", { n = 1 })
    assert.truthy(e.message:find("primary key", 1, true))
    refused("unsupported", db.execute, db, "insert into k values (null)")
    refused("unsupported", db.transaction, db, function() pcall(db.insert, db, "keyless", { n = 1 }) end)
    assert.equal(0, db:query("select (select count(*) from keyless) + (select count(*) from k) as n")[1].n)
    db:insert("keyless", { n = 1 }, { skip_mirror = true })
    assert.equal(0, db:mirror_status().lag)
  end)

  describe("that cannot take a change", function()
    local function colliding()
      rille.open("root", { statements = "create table users (source text, id integer, name text, email text unique, "
        .. "bio text, primary key (source, id))" })
      local a, b = source "a", source "b"
      a:create("users", { name = "Ann", email = "x" })
      a:mirror_sync()
      b:create("users", { name = "Bob", email = "x" })
      b:create("users", { name = "Bea", email = "y" })
      return a, b
    end

    it("sets it aside, visibly, and goes on", function()
      local _, b = colliding()
      assert.same({ applied = 1, set_aside = 1 }, b:mirror_sync())
      assert.equal("a 1 Ann, b 2 Bea", mirrored())
      local status = b:mirror_status()
      assert.same({ 0, 1 }, { status.lag, status.failed })
      local failed = b:mirror_failed()[1]
      assert.equal("unique_violation", failed.kind)
      assert.truthy(failed.error:find("email", 1, true))
    end)

    it("takes it later as it is by then", function()
      local a, b = colliding()
      b:mirror_sync()
      assert.same({ applied = 0, failed = 1 }, b:mirror_retry())
      b:update("users", { id = 1 }, { name = "Bobby" })
      assert.same({ applied = 0, set_aside = 1 }, b:mirror_sync())
      a:update("users", { id = 1 }, { email = "z" })
      a:mirror_sync()
      assert.same({ applied = 2, failed = 0 }, b:mirror_retry())
      assert.equal("a 1 Ann, b 1 Bobby, b 2 Bea", mirrored())
      assert.equal(0, b:mirror_status().failed)
    end)

    it("takes a transaction whole or not at all", function()
      local _, b = colliding()
      b:transaction(function()
        b:create("users", { name = "in time", email = "i" })
        b:create("users", { name = "collides", email = "x2" })
        b:update("users", { id = 2 }, { email = "x3" })
      end)
      rille.open "root":execute "insert into users values ('root', 1, 'R', 'x2', null)"
      b:mirror_sync()
      assert.equal("a 1 Ann, b 2 Bea, root 1 R", mirrored())
    end)
  end)

  it("that is locked costs the writer nothing and has all once it is free", function()
    local db = source "acme"
    db:mirror_sync()
    local other = rille.open "root"
    other._core:close()
    other:close()
    configure { main = { database = ":memory:", busy_timeout_ms = 20 } }
    db = rille.open "acme"
    local path = rille.open "root".settings.database
    local locker = require "rille.core".open { database = path }
    locker:begin "exclusive"
    db:create("users", { name = "Ann" })
    refused("busy", db.mirror_sync, db)
    assert.equal(1, db:mirror_status().lag)
    locker:rollback()
    locker:close()
    db:mirror_sync()
    assert.equal("acme 1 Ann", mirrored())
  end)

  it("that is full says so, keeps what it has, and goes on with more room", function()
    rille.open("root", { max_bytes = 65536 })
    local db = source "acme"
    db:create("users", { name = "Ann" })
    db:mirror_sync()
    for i = 1, 40 do db:create("users", { name = "n" .. i, bio = ("x"):rep(3000) }) end
    local e = refused("disk_full", db.mirror_sync, db)
    assert.truthy(e.message:find("max_bytes", 1, true))
    assert.equal("acme 1 Ann", mirrored())
    assert.same({ 40, 0 }, { db:mirror_status().lag, db:mirror_status().failed })
    rille.open "root":close()
    rille.open("root", { max_bytes = 1 << 20 })
    db:mirror_sync()
    assert.equal(41, rille.open "root":query "select count(*) as n from users"[1].n)
  end)

  it("follows models and rebuilt tables", function()
    configure { main = { database = root .. ".main", mirror = "root" } }
    local schema = rille.schema()
    schema:create("users", function(t) t:id() t:string("name") t:integer("views"):default(0) end)
    rille.db():insert("users", { { name = "Ann" }, { name = "Bob" } })
    schema:table("users", function(t) t:string("name"):nullable():change() t:drop("views") end)
    local User = rille.model("User", {})
    local user = User:create { name = "Cy" }
    user:update { name = "Cyd" }
    User:find(1):delete()
    rille.db():mirror_sync()
    assert.equal("main 2 Bob, main 3 Cyd", mirrored())
    refused("invalid_argument", rille.transaction, function() rille.db():mirror_sync() end)
    rille.close()
    os.execute(("rm -f '%s.main'*"):format(root))
  end)

  it("that is gone, or has another history, says so until it is resynced", function()
    local db = source "acme"
    db:create("users", { name = "Ann" })
    db:mirror_sync()
    db:create("users", { name = "Bob" })
    db:mirror_sync()
    rille.open "root":drop "root"
    db:create("users", { name = "Cy" })
    local e = refused("checksum_mismatch", db.mirror_sync, db)
    assert.truthy(e.hint:find("resync", 1, true))
    local lacks = "the mirror lacks what acme wrote first, which its outbox no longer has: it was dropped"
    assert.equal(lacks, e.message:sub(1, #lacks))
    e = refused("checksum_mismatch", db.drop, db, "acme")
    assert.truthy(e.message:find(lacks, 1, true))
    assert.truthy(e.hint:find("mirror_resync", 1, true) and e.hint:find("mirror_stop", 1, true))
    assert.same({ rows = 3, left_out = 0 }, db:mirror_resync())
    db:create("users", { name = "Di" })
    db:mirror_sync()
    assert.equal("acme 1 Ann, acme 2 Bob, acme 3 Cy, acme 4 Di", mirrored())
  end)

  it("keeps the rows of a database that was dropped apart from those of another one that has its name", function()
    for round = 1, 3 do
      local db = source "acme"
      db:create("users", { name = "Ann " .. round })
      db:create("users", { name = "Bob " .. round })
      db:delete("users", { id = 2 })
      if round == 3 then db:mirror_resync() else db:mirror_sync() end
      if round < 3 then db:drop "acme" end
    end
    assert.equal("acme 1 Ann 3, acme~1 1 Ann 1, acme~2 1 Ann 2", mirrored())
    assert.same({ 0, 0 }, { source "acme":mirror_status().lag, source "acme":mirror_status().failed })
  end)

  it("keeps them apart in tables of its own, too, and what was set aside of them", function()
    local root_db = rille.open("root", { statements = "create table users (source text, id integer, name text, "
      .. "email text unique, bio text, primary key (source, id))" })
    root_db:execute "insert into users values ('root', 1, 'R', 'x', null)"
    local db = source "acme"
    db:create("users", { name = "Ann", email = "x" })
    db:create("users", { name = "Bob", email = "y" })
    db:mirror_sync()
    db:drop "acme"
    source "acme":create("users", { name = "Cy", email = "z" })
    source "acme":mirror_sync()
    assert.equal("acme 1 Cy, acme~1 2 Bob, root 1 R", mirrored())
    assert.equal(0, source "acme":mirror_status().failed)
    assert.same({ "acme~1" }, { root_db:query("select source from rille_mirror_failed")[1].source })
  end)

  it("has all of a database before that is dropped, or it is not", function()
    local db = source "acme"
    db:create("users", { name = "Ann" })
    db:drop "acme"
    assert.equal("acme 1 Ann", mirrored())
    configure { main = { database = ":memory:", busy_timeout_ms = 20 } }
    db = source "acme"
    db:create("users", { name = "Bob" })
    local locker = require "rille.core".open { database = rille.open "root".settings.database }
    locker:begin "exclusive"
    local e = refused("busy", db.drop, db, "acme")
    assert.truthy(e.hint:find("mirror_stop", 1, true))
    assert.equal("Bob", db:query("select name from users")[1].name)
    db:mirror_stop "root"
    db:drop "acme"
    locker:rollback()
    locker:close()
    assert.equal("acme 1 Ann", mirrored())
  end)

  it("is none of a copy, even of one that takes the name of what it is a copy of", function()
    local db = source "acme"
    db:create("users", { name = "Ann" })
    local copy = db:copy_to "backup"
    db:drop "acme"
    copy:copy_to "acme"
    source "acme":create("users", { name = "Bob" })
    source "acme":mirror_sync()
    assert.equal("acme 2 Bob, acme~1 1 Ann", mirrored())
    source "acme":mirror_resync()
    assert.equal("acme 1 Ann, acme 2 Bob, acme~1 1 Ann", mirrored())
  end)

  it("is compared with its source, where other programs may have written to one of them", function()
    local db = source("acme", nil, { USERS, "create table notes (id integer primary key)" })
    db:insert("users", { { name = "Ann" }, { name = "Bob" } })
    assert.same({ rows = 2, differing = {} }, db:mirror_verify())
    rille.open "root":execute "update users set name = 'Annie' where id = 1"
    assert.same({ { mirror = "root", table = "users" } }, db:mirror_verify().differing)
    assert.equal("acme 1 Annie, acme 2 Bob", mirrored())
    db:mirror_resync()
    assert.same({}, db:mirror_verify().differing)
    local path = db.settings.database
    assert.is_nil(db:mirror_status().mirrors[1].differing)
    assert.is_true(os.execute(("sqlite3 '%s' \"insert into notes values (1)\""):format(path)))
    assert.same({ "notes" }, db:mirror_status().mirrors[1].differing)
    assert.same({ { mirror = "root", table = "notes" } }, db:mirror_verify().differing)
    db:mirror_resync()
    db:create("users", { name = "Cy" }, { skip_mirror = true })
    assert.same({ rows = 4, differing = { { mirror = "root", table = "users" } } }, db:mirror_verify())
  end)

  it("brings a row that it lacks from the source when only a part of it changes", function()
    local db = source "acme"
    db:create("users", { name = "Ann", bio = ("long "):rep(100) }, { skip_mirror = true })
    db:update("users", { id = 1 }, { name = "Anna" })
    db:mirror_sync()
    assert.equal("acme 1 Anna 500", mirrored(nil, "id || ' ' || name || ' ' || length(bio)"))
    db:update("users", { id = 1 }, { name = "Anne" })
    db:mirror_sync()
    assert.equal("acme 1 Anne 500", mirrored(nil, "id || ' ' || name || ' ' || length(bio)"))
  end)

  it("may be said of a configured connection", function()
    local path = root .. ".main"
    configure { main = { database = path, mirror = "root" } }
    rille.db():execute(USERS)
    rille.db():create("users", { name = "Ann" })
    rille.db():mirror_sync()
    assert.equal("main 1 Ann", mirrored())
    refused("invalid_argument", rille.configure, { connections = { main = { database = "x", mirror = 1 } } })
    rille.close()
    os.execute(("rm -f '%s' '%s-wal' '%s-shm'"):format(path, path, path))
  end)

  it("leaves out virtual tables and what is rille's own", function()
    local db = source("acme", nil, { USERS, "create virtual table found using fts5(body)" })
    db:execute "insert into found (body) values ('x')"
    db:create("users", { name = "Ann" })
    db:mirror_sync()
  end)
end)
