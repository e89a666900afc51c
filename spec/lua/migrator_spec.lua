--- migrator_spec: which migrations run, in which order, and what a failing one leaves: nothing.
local Database = require "spec.support.database"
local Folder = require "spec.support.migration_folder"
local migrator = require "rille.migrator"
local refused = require "spec.support.refused"
local rille = require "rille"

-- What is said of foreign keys that are switched off, which only SQLite can.
local on_sqlite = Database.is_postgres and function() end or it

local function names(list)
  local found = {}
  for i, each in ipairs(list) do found[i] = each.name end
  return found
end

describe("the migrator", function()
  local folder, db

  before_each(function()
    folder = Folder.new()
    db = folder.db
  end)
  after_each(function() folder:close() end)

  describe("migrate", function()
    it("applies what is pending by name, and keeps account of it", function()
      folder:create("0002_posts", "posts")
      folder:create("0001_users", "users")
      assert.equal("0001_users pending, 0002_posts pending", folder.states())
      local seen = {}
      local result = rille.migrate { on_progress = function(step) seen[#seen + 1] = step.name .. " " .. step.state end }
      assert.same({ "0001_users", "0002_posts" }, names(result.applied))
      assert.equal(1, result.batch)
      assert.same({ "0001_users running", "0001_users applied", "0002_posts running", "0002_posts applied" }, seen)
      assert.equal("posts rille_migrations users", folder:tables())
      assert.equal("0001_users applied, 0002_posts applied", folder.states())
      local row = db:query "select * from rille_migrations order by name"[1]
      assert.equal(64, #row.checksum)
      assert.truthy(row.duration_ms >= 0)
      assert.truthy(tostring(row.applied_at):find "^%d%d%d%d%-%d%d%-%d%dT.*Z$")
      local status = migrator.status().migrations[1]
      assert.same({ "0001_users", "applied", 1 }, { status.name, status.state, status.batch })
      assert.truthy(status.applied_at)
      assert.same({}, rille.migrate().applied)
    end)

    it("runs a migration that came late with an older name, and says so", function()
      folder:create("0001_users", "users")
      folder:create("0003_tags", "tags")
      rille.migrate()
      folder:create("0002_posts", "posts")
      folder:create("0004_likes", "likes")
      local result = rille.migrate()
      assert.same({ "0002_posts", "0004_likes" }, names(result.applied))
      assert.is_true(result.applied[1].late)
      assert.is_nil(result.applied[2].late)
      assert.equal(2, result.batch)
      assert.equal("0001_users applied, 0002_posts applied, 0003_tags applied, 0004_likes applied", folder.states())
    end)

    it("stops after a number or at a name", function()
      for i, name in ipairs { "a", "b", "c", "d" } do folder:create("000" .. i, name) end
      assert.same({ "0001" }, names(rille.migrate { step = 1 }.applied))
      assert.same({ "0002", "0003" }, names(rille.migrate { to = "0003" }.applied))
      local e = refused(rille.migrate, { to = "0005" })
      assert.equal("invalid_argument", e.kind)
      assert.equal("0001 applied, 0002 applied, 0003 applied, 0004 pending", folder.states())
    end)

    it("refuses a file that was changed after it was applied", function()
      folder:create("0001_users", "users")
      rille.migrate()
      folder:create("0002_posts", "posts")
      folder:write("0001_users.lua", Folder.creation "people")
      assert.equal("0001_users changed, 0002_posts pending", folder.states())
      local e = refused(rille.migrate)
      assert.equal("checksum_mismatch", e.kind)
      assert.truthy(e.message:find("0001_users.lua was changed after it was applied", 1, true))
      assert.truthy(e.hint:find "migrate:rollback")
      assert.equal("rille_migrations users", folder:tables())
    end)

    it("does not take other line ends for a change", function()
      folder:create("0001_users", "users")
      rille.migrate()
      folder:write("0001_users.lua", (Folder.creation("users"):gsub("\n", "\r\n")))
      assert.equal("0001_users applied", folder.states())
    end)

    it("goes on where the file of an applied one is gone", function()
      folder:create("0001_users", "users")
      rille.migrate()
      folder:remove("0001_users.lua")
      folder:create("0002_posts", "posts")
      assert.equal("0001_users missing, 0002_posts pending", folder.states())
      assert.same({ "0002_posts" }, names(rille.migrate().applied))
    end)

    it("ignores folders and files that are no migrations", function()
      folder:create("0001_users", "users")
      folder:write("README.md", "x")
      folder:write(".hidden.lua", "x")
      folder:write("0002_posts.lua~", "x")
      assert.equal("0001_users pending", folder.states())
    end)

    it("loads every file before the first one runs", function()
      folder:create("0001_users", "users")
      for expected, files in pairs {
        ['there is no function "down"'] = { ["0002.lua"] = "return { up = function() end }" },
        ['there is no function "up"'] = { ["0002.lua"] = "return { down = function() end }" },
        ["returns no table"] = { ["0002.lua"] = "local x = 1" },
        ['"dwon" (string) is not known'] = { ["0002.lua"] = "return { up = print, dwon = print }" },
        ['transaction is "no"'] = {
          ["0002.lua"] = "return { up = print, down = print, transaction = 'no' }" },
        ["0002.lua:2:"] = { ["0002.lua"] = "return {\n up = function(" },
        ["on purpose"] = { ["0002.lua"] = "error 'on purpose'" },
        ["0002.down.sql: is missing"] = { ["0002.up.sql"] = "select 1;" },
        ["0002.up.sql: is missing"] = { ["0002.down.sql"] = "select 1;" },
        ["0002.sql: says no direction"] = { ["0002.sql"] = "select 1;" },
        ["there are SQL files of this name too"] = { ["0002.up.sql"] = "select 1;", ["0002.down.sql"] = "select 1;",
          ["0002.lua"] = "return { up = print, down = print }" },
        ["0002.down.sql: holds no statement"] = { ["0002.up.sql"] = "select 1;", ["0002.down.sql"] = "-- nothing" },
        ['0002.up.sql:2: "commit" would end'] = { ["0002.up.sql"] = "select 1;\ncommit;",
          ["0002.down.sql"] = "select 1;" },
        ["is not closed"] = { ["0002.up.sql"] = "select 'x;", ["0002.down.sql"] = "select 1;" },
      } do
        for name, text in pairs(files) do folder:write(name, text) end
        local e = refused(rille.migrate)
        assert.equal("migration", e.kind)
        assert.truthy(e.message:find(expected, 1, true), e.message)
        assert.truthy(e.file)
        assert.equal("", folder:tables())
        for name in pairs(files) do folder:remove(name) end
      end
    end)

    it("leaves nothing of one that fails, and all of those before it", function()
      folder:create("0001_users", "users")
      folder:lua("0002_posts", [[schema:create("posts", function(t) t:id() t:text("slug"):unique() end)
        db:execute("insert into users (name) values ('half')")
        rille_after = 0
        require "rille".after_commit(function() rille_after = 1 end)
        db:execute("insert into posts (slug) values ('a'), ('a')")]])
      folder:create("0003_tags", "tags")
      local e = refused(rille.migrate)
      assert.equal("migration", e.kind)
      assert.truthy(e.message:find("0002_posts.lua:5: up failed: posts.slug: another row has this value", 1, true))
      assert.equal(folder:path("0002_posts.lua"), e.file)
      assert.equal("insert into posts (slug) values ('a'), ('a')", e.sql)
      assert.equal("posts", e.table)
      assert.equal("slug", e.column)
      assert.equal("unique_violation", e.cause.kind)
      assert.equal(e.cause.code, e.code)
      assert.truthy(e.traceback:find("0002_posts.lua:5", 1, true))
      assert.equal("rille_migrations users", folder:tables())
      assert.equal(0, folder:count "users")
      assert.equal(0, rawget(_G, "rille_after"))
      assert.equal("0001_users applied, 0002_posts pending, 0003_tags pending", folder.states())
    end)

    it("names the place of an error in Lua", function()
      folder:lua("0001", "local x = nil\n x.y = 1")
      local e = refused(rille.migrate)
      assert.truthy(e.message:find("0001.lua:2: up failed: attempt to index a nil value", 1, true), e.message)
      assert.equal("", folder:tables())
    end)

    it("changes a table that others refer to without losing their rows", function()
      folder:lua("0001", [[schema:create("users", function(t) t:id() t:string("name") end)
        schema:create("posts", function(t) t:id() t:references("user"):on_delete("cascade") end)
        db:execute("insert into users (name) values ('a'), ('b')")
        db:execute("insert into posts (user_id) values (1), (2), (2)")]])
      folder:lua("0002", [[db:execute("insert into users (name) values ('c')")
        schema:table("users", function(t) t:text("name"):nullable():change() end)
        db:execute("insert into users (name) values (?)", require "rille".null)]])
      rille.migrate()
      assert.equal(4, folder:count "users")
      assert.equal(3, folder:count "posts")
      if not Database.is_postgres then assert.equal(1, db:query("pragma foreign_keys")[1].foreign_keys) end
      assert.equal("foreign_key_violation", refused(db.execute, db, "insert into posts (user_id) values (99)").kind)
    end)

    on_sqlite("lets no reference dangle while foreign keys are off", function()
      folder:lua("0001", [[schema:create("users", function(t) t:id() t:string("name") end)
        schema:create("posts", function(t) t:id() t:references("user") end)
        db:execute("insert into users (name) values ('a')")
        db:execute("insert into posts (user_id) values (1)")]])
      rille.migrate()
      folder:lua("0002", [[schema:table("users", function(t) t:text("name"):change() end)
        db:execute("delete from users")]])
      local e = refused(rille.migrate)
      assert.truthy(e.message:find('1 row of "posts" would refer to rows of "users" that are not there', 1, true))
      assert.equal(1, folder:count "users")
      assert.equal("0001 applied, 0002 pending", folder.states())
      assert.equal(1, db:query("pragma foreign_keys")[1].foreign_keys)
    end)

    it("changes a table even when the migration catches errors", function()
      folder:lua("0001", [[schema:create("users", function(t) t:id() t:string("name") end)
        pcall(schema.table, schema, "users", function(t) t:text("name"):change() end)]])
      rille.migrate()
      assert.equal("text", db:describe("users").columns[2].declared:lower())
    end)

    it("runs models and plain statements in the migration's transaction", function()
      folder:lua("0001", [[schema:create("migrated_notes", function(t) t:id() t:text("title") t:timestamps() end)
        local Note = require "rille".model "MigratedNote" {}
        Note:create { title = "first" }
        assert(db:query("select count(*) as n from migrated_notes")[1].n == 1)
        if rille_fail then error "no" end]])
      rawset(_G, "rille_fail", true)
      refused(rille.migrate)
      assert.equal("", folder:tables())
      rawset(_G, "rille_fail", nil)
      require "rille.model".forget_all()
      rille.migrate()
      assert.equal("first", db:query("select title from migrated_notes")[1].title)
      require "rille.model".forget_all()
    end)
  end)

  describe("a pair of SQL files", function()
    on_sqlite("is split into statements, triggers whole, and undone by the other file", function()
      folder:write("0001.up.sql", [[-- users; and what they do
        create table users (id integer primary key, name text default ';');
        create trigger t after insert on users begin update users set name = 'x;' where id = new.id; end;
        insert into users (id) values (1);
        select 1;]])
      folder:write("0001.down.sql", "drop table users;")
      rille.migrate()
      assert.equal("x;", db:query("select name from users")[1].name)
      migrator.rollback()
      assert.equal("rille_migrations", folder:tables())
    end)

    it("names file, line and statement of what fails", function()
      folder:write("0001.up.sql", "create table a (x integer);\n\ninsert into b values (1);\n")
      folder:write("0001.down.sql", "drop table a;")
      local e = refused(rille.migrate)
      assert.truthy(e.message:find("0001.up.sql:3: up failed:", 1, true), e.message)
      assert.equal("insert into b values (1)", e.sql)
      assert.equal("no_such_table", e.cause.kind)
      assert.equal("", folder:tables())
    end)

    on_sqlite("gets foreign keys switched off when it asks for that, and they are looked after", function()
      db:execute "create table p (id integer primary key)"
      db:execute "create table c (p references p on delete cascade)"
      db:execute "insert into p values (1)"
      db:execute "insert into c values (1)"
      folder:write("0001.up.sql", [[PRAGMA foreign_keys=OFF;
        create table p2 (id integer primary key, name text); insert into p2 (id) select id from p;
        drop table p; alter table p2 rename to p;
        PRAGMA foreign_keys=ON;]])
      folder:write("0001.down.sql", "select 1;")
      rille.migrate()
      assert.equal(1, folder:count "c")
      folder:write("0002.up.sql", "pragma foreign_keys = 0; delete from p;")
      folder:write("0002.down.sql", "select 1;")
      assert.truthy(refused(rille.migrate).message:find("that are not there", 1, true))
      assert.equal(1, folder:count "p")
    end)

    it("is as it was applied while only its way back changes", function()
      folder:write("0001.up.sql", "create table a (x integer);")
      folder:write("0001.down.sql", "drop table b;")
      rille.migrate()
      assert.truthy(refused(migrator.rollback).message:find("0001.down.sql:1: down failed", 1, true))
      folder:write("0001.down.sql", "drop table a;")
      assert.equal("0001 applied", folder.states())
      assert.same({ "0001" }, names(migrator.rollback().rolled_back))
    end)
  end)
end)
