--- migrator_undo_spec: migrations taken back, tried without effect, begun afresh, verified; and two migrators at once.
local Database = require "spec.support.database"
local Folder = require "spec.support.migration_folder"
local migrator = require "rille.migrator"
local refused = require "spec.support.refused"
local rille = require "rille"

local is_postgres = Database.is_postgres

-- What is about a database that is one file.
local in_files = is_postgres and function() end or it

local function names(list)
  local found = {}
  for i, each in ipairs(list) do found[i] = each.name end
  return found
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

describe("the migrator", function()
  local folder, db

  before_each(function()
    folder = Folder.new()
    db = folder.db
  end)
  after_each(function() folder:close() end)

  --- The same for a database in a file.
  local function in_file()
    local path = folder:connect "app.db"
    db = folder.db
    return path
  end

  describe("rollback", function()
    it("takes back the last batch, the newest first", function()
      folder:create("0001_users", "users")
      rille.migrate()
      folder:create("0002_posts", "posts")
      folder:create("0003_tags", "tags")
      rille.migrate()
      local seen = {}
      local function listen(step) seen[#seen + 1] = step.name .. " " .. step.state end
      local result = migrator.rollback { on_progress = listen }
      assert.same({ "0003_tags", "0002_posts" }, names(result.rolled_back))
      assert.same({ "0003_tags running", "0003_tags rolled_back", "0002_posts running", "0002_posts rolled_back" },
        seen)
      assert.equal("rille_migrations users", folder:tables())
      assert.equal("0001_users applied, 0002_posts pending, 0003_tags pending", folder.states())
      migrator.rollback()
      assert.same({}, migrator.rollback().rolled_back)
    end)

    it("takes back as many as it is told, over batches", function()
      for i, name in ipairs { "a", "b", "c" } do
        folder:create("000" .. i, name)
        rille.migrate()
      end
      assert.same({ "0003", "0002" }, names(migrator.rollback { step = 2 }.rolled_back))
      assert.equal("0001 applied, 0002 pending, 0003 pending", folder.states())
      assert.same({ "0001" }, names(migrator.rollback { step = 9 }.rolled_back))
    end)

    it("does not guess what a file did that is gone", function()
      folder:create("0001_users", "users")
      folder:create("0002_posts", "posts")
      rille.migrate()
      folder:remove("0001_users.lua")
      local e = refused(migrator.rollback)
      assert.equal("migration", e.kind)
      assert.truthy(e.message:find("0001_users cannot be taken back: its file is gone", 1, true))
      assert.equal("posts rille_migrations users", folder:tables())
    end)

    it("uses the way back that the file says now", function()
      folder:lua("0001", [[schema:create("users", function(t) t:id() end)]], [[schema:drop("usrs")]])
      rille.migrate()
      local e = refused(migrator.rollback)
      assert.truthy(e.message:find("0001.lua:1: down failed: there is no table", 1, true), e.message)
      assert.equal("down", e.direction)
      assert.equal("0001 applied", folder.states())
      folder:create("0001", "users")
      assert.equal("0001 changed", folder.states())
      migrator.rollback()
      assert.equal("rille_migrations", folder:tables())
    end)

    it("leaves nothing of one that fails", function()
      folder:create("0001", "users")
      folder:lua("0002", [[schema:create("posts", function(t) t:id() end)]],
        [[schema:drop("posts") db:execute("insert into users (id) values (1)") error "no"]])
      rille.migrate()
      refused(migrator.rollback)
      assert.equal("posts rille_migrations users", folder:tables())
      assert.equal(0, folder:count "users")
    end)

    it("rebuilds tables too", function()
      folder:lua("0001", [[schema:create("users", function(t) t:id() t:string("name") end)
        schema:create("posts", function(t) t:id() t:references("user"):on_delete("cascade") end)
        db:execute("insert into users (name) values ('7')") db:execute("insert into posts (user_id) values (1)")]])
      folder:lua("0002", [[schema:table("users", function(t) t:integer("name"):change() end)]],
        [[schema:table("users", function(t) t:string("name"):change() end)]])
      rille.migrate()
      assert.equal(7, db:query("select name from users")[1].name)
      migrator.rollback { step = 1 }
      assert.equal("7", db:query("select name from users")[1].name)
      assert.equal(1, folder:count "posts")
    end)
  end)

  describe("pretend", function()
    it("gives the SQL of what is pending and changes nothing", function()
      folder:create("0001", "users")
      rille.migrate()
      db:execute("insert into users (name) values ('kept')")
      folder:lua("0002", [[schema:create("posts", function(t) t:id() end)
        db:execute("update users set name = ?", "changed")]])
      folder:lua("0003", [[schema:table("posts", function(t) t:text("title"):index() end)]])
      local result = rille.migrate { pretend = true }
      assert.same({}, result.applied)
      assert.same({
        { name = "0002", statements = {
          ('create table "posts" (\n  "id" %s not null\n)'):format(is_postgres
            and "bigint generated by default as identity primary key" or "integer primary key autoincrement"),
          ('update users set name = %s /* "changed" */'):format(is_postgres and "$1" or "?"),
        } },
        { name = "0003", statements = {
          'alter table "posts" add column "title" ' .. (is_postgres and 'text collate "C" not null' or "TEXT not null"),
          'create index "posts_title_index" on "posts" ("title")',
        } },
      }, result.pretended)
      assert.equal("0001 applied, 0002 pending, 0003 pending", folder.states())
      assert.equal("rille_migrations users", folder:tables())
      assert.equal("kept", db:query("select name from users")[1].name)
    end)

    it("gives the SQL of what would be taken back, and of a fresh start", function()
      folder:create("0001", "users")
      rille.migrate()
      assert.same({ { name = "0001", statements = { 'drop table "users"' } } },
        migrator.rollback { pretend = true }.pretended)
      local pretended = rille.migrate { pretend = true, fresh = true }.pretended
      assert.same({ "fresh", "0001" }, names(pretended))
      assert.same(is_postgres and { 'drop table "rille_migrations", "users"' }
        or { 'drop table "rille_migrations"', 'drop table "users"' }, pretended[1].statements)
      assert.equal("0001 applied", folder.states())
      assert.equal("rille_migrations users", folder:tables())
    end)

    in_files("does not make a database that is not there, and neither does status", function()
      local path = in_file()
      folder:create("0001", "users")
      assert.equal(1, #rille.migrate({ pretend = true }).pretended)
      assert.equal("0001 pending", folder.states())
      assert.is_nil(io.open(path))
      rille.migrate()
      assert.equal("0001 applied", folder.states())
    end)

    it("keeps models away from the real rows", function()
      folder:create("0001", "things")
      rille.migrate()
      folder:lua("0002", [[local Thing = require "rille".model "Thing" { timestamps = false }
        Thing:create { name = "pretended" }
        assert(Thing:count() == 1)]])
      local statements = rille.migrate { pretend = true }.pretended[1].statements
      require "rille.model".forget_all()
      assert.equal(1, #statements)
      assert.truthy(statements[1]:find 'insert into "things"')
      assert.equal(0, folder:count "things")
    end)
  end)

  describe("fresh", function()
    it("drops whatever there is, and begins with the first migration", function()
      folder:create("0001", "users")
      rille.migrate()
      for _, sql in ipairs(is_postgres and {
        "create type mood as enum ('good', 'bad')",
        "create table parents (id integer primary key, mood mood, next integer references parents)",
        "create table children (parent integer references parents on delete restrict)",
        "insert into parents values (1, 'good')", "insert into children values (1)",
        "insert into users (name) values ('x')", "create sequence counter",
        "create view everyone as select u.name from users u, parents",
        "create view all_of_them as select * from everyone",
        "create or replace view everyone as select u.name from users u, parents where parents.id > 0",
        "create function nothing() returns trigger language plpgsql as $$ begin return new; end $$",
        "create trigger t after insert on users for each row execute function nothing()",
      } or {
        "create table parents (id integer primary key)",
        "create table children (parent references parents on delete restrict)",
        "insert into parents values (1)", "insert into children values (1)", "insert into users (name) values ('x')",
        "create view everyone as select * from users, parents",
        "create virtual table texts using fts5 (body)", "insert into texts values ('found')",
        "create trigger t after insert on users begin delete from parents; end",
      }) do db:execute(sql) end
      local result = rille.migrate { fresh = true }
      assert.same(is_postgres and { "all_of_them", "everyone", "children", "parents", "rille_migrations", "users" }
        or { "everyone", "texts", "children", "parents", "rille_migrations", "users" }, result.dropped)
      assert.same({ "0001" }, names(result.applied))
      assert.equal("rille_migrations users", folder:tables())
      assert.equal(0, folder:count "users")
      if is_postgres then
        assert.equal(0, db:query [[select count(*) as "n" from pg_type t join pg_namespace n on n.oid = t.typnamespace
          where n.nspname = current_schema() and t.typname = 'mood']][1].n)
      else
        assert.equal(1, db:query("pragma foreign_keys")[1].foreign_keys)
      end
    end)

    it("drops nothing when a file cannot be loaded", function()
      folder:create("0001", "users")
      rille.migrate()
      folder:write("0002.lua", "return {}")
      refused(rille.migrate, { fresh = true })
      assert.equal("rille_migrations users", folder:tables())
    end)

    in_files("keeps everything when one table cannot be dropped", function()
      local path = in_file()
      folder:create("0001", "users")
      rille.migrate()
      rille.close()
      -- A virtual table whose module is not there.
      assert(os.execute(("sqlite3 %s %s"):format(quoted(path), quoted [[pragma writable_schema = on;
        insert into sqlite_schema values ('table', 'ghost', 'ghost', 0,
          'CREATE VIRTUAL TABLE ghost USING absent (a)')]])))
      in_file()
      local e = refused(rille.migrate, { fresh = true })
      assert.equal("migration", e.kind)
      assert.truthy(e.message:find('"ghost" cannot be dropped: ', 1, true), e.message)
      assert.equal("0001 applied", folder.states())
      assert.equal(0, folder:count "users")
    end)
  end)

  it("runs the seeds by name, each in a transaction", function()
    folder:create("0001", "users")
    for _, name in ipairs { "b", "a" } do
      folder:write(("seeds/%s.lua"):format(name), ([[return function(rille)
        rille.db():execute("insert into users (name) values ('%s')") end]]):format(name))
    end
    local result = rille.migrate { seed = true }
    assert.same({ "a", "b" }, result.seeded)
    assert.equal("a", db:query("select name from users order by id")[1].name)
    folder:write("seeds/c.lua", [[return function(rille)
      rille.db():execute("insert into users (name) values ('c')") error "no" end]])
    assert.is_false((pcall(rille.migrate, { seed = true })))
    assert.equal(4, folder:count "users")
    folder:write("seeds/d.lua", "return 1")
    assert.equal("migration", refused(rille.migrate, { seed = true }).kind)
    assert.equal(4, folder:count "users")
  end)

  it("runs one seed, by its whole name", function()
    folder:create("0001", "users")
    rille.migrate()
    for _, name in ipairs { "first_users", "users" } do
      folder:write(("seeds/%s.lua"):format(name), ([[return function(rille)
        rille.db():execute("insert into users (name) values ('%s')") end]]):format(name))
    end
    folder:write("seeds/broken.lua", "return = 1")
    assert.same({ seeded = { "users" } }, migrator.seed { only = "users" })
    assert.same({ seeded = { "first_users" } }, migrator.seed { only = "FirstUsers" })
    assert.equal(2, folder:count "users")
    local e = refused(migrator.seed, { only = "user" })
    assert.same({ "not_found", 'did you mean "users"?' }, { e.kind, e.hint })
    assert.equal("migration", refused(migrator.seed).kind)               -- all are loaded first: nothing was sown
    assert.equal(2, folder:count "users")
    assert.equal("invalid_argument", refused(migrator.seed, { class = "users" }).kind)
    assert.equal("invalid_argument", refused(migrator.seed, { only = 3 }).kind)
  end)

  describe("verify", function()
    it("finds what down does not undo, and goes on with the others", function()
      folder:create("0001", "users")
      folder:lua("0002", [[schema:create("posts", function(t) t:id() end)
        schema:create("tags", function(t) t:id() end)]], [[schema:drop("posts")]])
      folder:lua("0003", [[schema:table("users", function(t) t:drop("name") end)]],
        [[schema:table("users", function(t) t:text("name"):nullable() end)]])
      folder:lua("0004", [[schema:table("users", function(t) t:text("nick"):nullable():index() end)]],
        [[schema:table("users", function(t) t:drop_index("nck") end)]])
      local result = migrator.verify()
      assert.is_false(result.ok)
      assert.same({ { name = "0001", ok = true, differences = {} },
        { name = "0002", ok = false, differences = { "the table tags is still there" } },
        { name = "0003", ok = true, differences = {} } }, table.move(result.migrations, 1, 3, 1, {}))
      assert.is_false(result.migrations[4].ok)
      assert.truthy(result.migrations[4].differences[1]:find('down failed: users: there is no index on "nck"', 1, true))
      assert.equal("", folder:tables())
    end)

    it("leaves the database alone", function()
      folder:create("0001", "users")
      rille.migrate()
      db:execute "insert into users (name) values ('kept')"
      assert.is_true(migrator.verify().ok)
      assert.equal(1, folder:count "users")
    end)
  end)

  it("lets two processes migrate at once, and each migration runs once", function()
    local path = in_file()
    db:execute "create table runs (name text)"
    for i = 1, 4 do
      folder:lua("000" .. i, ([[db:execute("insert into runs values ('%d')")
        local slow = os.clock() + 0.05 while os.clock() < slow do end]]):format(i))
    end
    local script = ([[local rille = require "rille"
      rille.configure { connections = { main = { database = %q } }, migrations = %q }
      local result = rille.migrate()
      print(#result.applied)]]):format(path, folder.root .. "/migrations")
    local command = ("LUA_PATH=%s LUA_CPATH=%s lua5.4 -e %s"):format(quoted(package.path), quoted(package.cpath),
      quoted(script))
    local others = { assert(io.popen(command)), assert(io.popen(command)) }
    local applied = #rille.migrate().applied
    for _, other in ipairs(others) do
      applied = applied + math.tointeger(other:read "n")
      other:close()
    end
    assert.equal(4, applied)
    assert.equal(4, folder:count "runs")
    assert.equal("0001 applied, 0002 applied, 0003 applied, 0004 applied", folder.states())
    local rows = db:query "select batch from rille_migrations order by name"
    for i = 2, #rows do assert.is_true(rows[i].batch >= rows[i - 1].batch) end
  end)

  it("refuses options that are none", function()
    assert.equal('did you mean "pretend"?', refused(rille.migrate, { pretnd = true }).hint)
    refused(rille.migrate, { step = 0 })
    refused(migrator.rollback, { fresh = true })
    refused(migrator.status, { path = 3 })
    refused(rille.migrate, { connection = "nowhere" })
    local e = refused(migrator.status, { path = folder.root .. "/nothing" })
    assert.equal("migration", e.kind)
    assert.truthy(e.message:find("/nothing", 1, true))
  end)

  it("takes a folder and a handle of its own", function()
    folder:write("seeds/0001.lua", Folder.creation "elsewhere")
    local result = rille.migrate { path = folder.root .. "/migrations/seeds", connection = db }
    assert.same({ "0001" }, names(result.applied))
    assert.equal("elsewhere rille_migrations", folder:tables())
  end)
end)
