--- postgres/migrator_spec: migrations that other processes get in the way of, and what runs outside of a transaction;
-- RILLE_SPEC_URL names a server.
local Database = require "spec.support.database"
local Folder = require "spec.support.migration_folder"
local core = require "rille.core"
local migrator = require "rille.migrator"
local refused = require "spec.support.refused"
local rille = require "rille"

local SECONDS <const> = tonumber(os.getenv "RILLE_SECONDS") or 5

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

describe("on PostgreSQL the migrator", function()
  local folder, db

  before_each(function()
    folder = Folder.new()
    db = folder.db
  end)
  after_each(function() folder:close() end)

  --- Another process that migrates, maybe under another program; what it prints is read from what is returned.
  local function elsewhere(before)
    local settings = Database.settings()
    local script = ([[local rille = require "rille"
      rille.configure { connections = { main = { driver = "postgres", url = %q } }, migrations = %q }
      local ok, result = pcall(rille.migrate)
      print(ok and #result.applied or tostring(result))]]):format(settings.url, folder.root .. "/migrations")
    return assert(io.popen(("LUA_PATH=%s LUA_CPATH=%s %s lua5.4 -e %s 2>&1"):format(quoted(package.path),
      quoted(package.cpath), before or "", quoted(script))))
  end

  --- Name -> is it valid, of the indexes of a table.
  local function indexes(name)
    local found = {}
    for _, row in ipairs(db:query([[select c.relname::text as "name", i.indisvalid::int as "valid"
        from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = to_regclass(?)]], name)) do
      found[row.name] = row.valid == 1
    end
    return found
  end

  local CONCURRENT <const> = [[return { transaction = false,
    up = function(schema) schema:table("users", function(t) t:unique("name", { concurrently = true }) end) end,
    down = function(schema) schema:table("users", function(t) t:drop_unique("name") end) end }]]

  --- A connection that has written to `users` and not committed: an index that is made concurrently waits for it.
  local function writing()
    local writer = require "rille.core".open(db:engine().options(db.settings))
    writer:begin()
    writer:execute "insert into users (name) values ('a')"
    return writer
  end

  --- Until a query of the database gives true.
  local function until_true(sql, ...)
    for _ = 1, 1000 do
      if db:query(sql, ...)[1].value then return end
      core.pause(10)
    end
    error("never true: " .. sql)
  end

  it("runs each migration once, however many processes migrate at once", function()
    db:execute "create table runs (name text)"
    for i = 1, 4 do
      local name = "000" .. i
      folder:write(name .. ".lua", ([[return { transaction = %s, down = function() end, up = function(_, db)
        db:execute("insert into runs values ('%d')")
        local slow = os.clock() + 0.05 while os.clock() < slow do end end }]]):format(tostring(i % 2 == 0), i))
    end
    local others = { elsewhere(), elsewhere() }
    local applied = #rille.migrate().applied
    for _, other in ipairs(others) do
      local said = other:read "a"
      applied = applied + assert(math.tointeger(tonumber(said)), said)
      other:close()
    end
    assert.equal(4, applied)
    assert.equal(4, folder:count "runs")
    assert.equal("0001 applied, 0002 applied, 0003 applied, 0004 applied", folder.states())
  end)

  it("leaves nothing of a migration whose process was killed, and begins it anew", function()
    folder:create("0001", "users")
    folder:lua("0002", [[schema:create("posts", function(t) t:id() end)
      db:execute("insert into users (name) values ('half')")
      if not os.getenv "RILLE_SPEC_ALIVE" then os.execute "kill -9 $PPID" end]])
    local killed = elsewhere()
    killed:read "a"
    killed:close()
    assert.equal("0001 applied, 0002 pending", folder.states())
    assert.equal("rille_migrations users", folder:tables())
    assert.equal(0, folder:count "users")
    folder:lua("0002", [[schema:create("posts", function(t) t:id() end)]])
    assert.equal(1, #rille.migrate().applied)
    assert.equal("posts rille_migrations users", folder:tables())
  end)

  it("comes to the same end however often it is killed", function()
    folder:lua("0001", [[schema:create("users", function(t) t:id() t:string("name") t:integer("age"):nullable() end)
      db:execute "insert into users (name, age) select 'u' || i, i from generate_series(1, 3000) as i"]],
      [[schema:drop("users")]])
    folder:write("0002.lua", CONCURRENT)
    folder:lua("0003", [[schema:table("users", function(t)
        t:string("age"):nullable():change()
        t:text("bio"):default ""
      end)
      db:execute "update users set bio = name"]], [[schema:table("users", function(t) t:drop "bio" end)]])
    folder:write("0004.up.sql", "create index concurrently if not exists by_bio on users (bio);")
    folder:write("0004.down.sql", "drop index by_bio;")
    folder:lua("0005", [[schema:create("posts", function(t) t:id() t:references "user" end)
      db:execute "insert into posts (user_id) select id from users"]], [[schema:drop "posts"]])
    rille.migrate()
    local whole = require "rille.migrator.snapshot".take(db)
    local kills, deadline = 0, os.time() + SECONDS
    repeat
      folder.db = Database.empty(db)
      local tries = 0
      repeat
        tries = tries + 1
        local pipe = elsewhere(("timeout -s KILL 0.%03d"):format(math.random(999)))
        local text = pipe:read "a"
        pipe:close()
        assert.is_nil(text:find("failed", 1, true), text)
        kills = kills + 1
      until not folder.states():find "pending"
      -- An index that is not valid is one whose maker was killed: nobody said so, and nothing is pending.
      assert.same(whole, require "rille.migrator.snapshot".take(db))
      for _, valid in pairs(indexes "users") do assert.is_true(valid) end
      assert.equal(3000, folder:count "posts")
    until os.time() >= deadline
    print(("-- %d kills"):format(kills))
  end)

  it("makes an index while others write, and not a second time when it was not written down", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:write("0002.lua", CONCURRENT)
    assert.same({ 'create unique index concurrently "users_name_unique" on "users" ("name" nulls first)' },
      rille.migrate({ pretend = true }).pretended[1].statements)
    local statements = {}
    local stop = rille.on("query", function(info) statements[#statements + 1] = info.sql end)
    rille.migrate()
    stop()
    assert.truthy(table.concat(statements, "\n"):find("create unique index concurrently", 1, true))
    assert.is_true(indexes("users").users_name_unique)
    db:execute "delete from rille_migrations where name = '0002'"
    assert.equal(1, #rille.migrate().applied)
    assert.same({ "0002" }, { migrator.rollback({ step = 1 }).rolled_back[1].name })
    assert.is_nil(indexes("users").users_name_unique)
    assert.is_true(migrator.verify().ok)
  end)

  it("keeps no half of such an index, and takes away what a killed process left of it", function()
    folder:create("0001", "users")
    rille.migrate()
    db:execute "insert into users (name) values ('a'), ('a'), ('b')"
    folder:write("0002.lua", CONCURRENT)
    local e = refused(rille.migrate)
    assert.truthy(e.message:find('1 value of "name" in "users" comes more than once', 1, true), e.message)
    assert.equal("0001 applied, 0002 pending", folder.states())
    assert.is_nil(indexes("users").users_name_unique)
    pcall(db.execute, db, "create unique index concurrently users_name_unique on users (name)")
    assert.is_false(indexes("users").users_name_unique)
    db:execute "delete from users where id = 1"
    rille.migrate()
    assert.is_true(indexes("users").users_name_unique)
  end)

  it("makes an index of an SQL file anew that a killed process left half", function()
    folder:create("0001", "users")
    rille.migrate()
    db:execute "insert into users (name) values ('a'), ('a')"
    pcall(db.execute, db, "create unique index concurrently by_name on users (name)")
    assert.is_false(indexes("users").by_name)
    folder:write("0002.up.sql", "create index concurrently if not exists by_name on users (name);")
    folder:write("0002.down.sql", "drop index concurrently by_name;")
    rille.migrate()
    assert.is_true(indexes("users").by_name)
    migrator.rollback()
    assert.is_nil(indexes("users").by_name)
  end)

  it("waits for an index that the server still makes for a process that was killed", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:write("0002.lua", CONCURRENT)
    local writer <close> = writing()
    elsewhere("timeout -s KILL 1"):close()                 -- its index waits for the writer
    assert.is_false(indexes("users").users_name_unique)
    local other = elsewhere()
    db:query "select pg_sleep(0.5)"
    writer:commit()
    assert.equal("1\n", other:read "a")
    other:close()
    assert.is_true(indexes("users").users_name_unique)
    assert.equal("0001 applied, 0002 applied", folder.states())
  end)

  it("does not have the index that it waits for wait for itself", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:write("0002.lua", CONCURRENT)
    local writer <close> = writing()
    elsewhere("timeout -s KILL 1"):close()
    assert.is_false(indexes("users").users_name_unique)
    local reads = 0
    local stop = rille.on("query", function(info)
      if not info.sql:find('from "rille_migrations"', 1, true) then return end
      reads = reads + 1
      if reads ~= 2 then return end                        -- by then this process has the lock
      writer:commit()
      for _ = 1, 300 do                                    -- until it has looked whom it waits for, or is made
        local phase = writer:query [[select phase from pg_stat_progress_create_index
          where relid = to_regclass('users')]][1]
        if not phase or phase.phase == "waiting for old snapshots" then break end
        core.pause(10)
      end
    end)
    local ok, result = pcall(rille.migrate)
    stop()
    assert.is_true(ok, tostring(result))
    assert.equal(2, reads)
    assert.equal(1, #result.applied)
    assert.is_true(indexes("users").users_name_unique)
  end)

  it("is in nobody's way while it waits for another that makes an index", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:write("0002.lua", CONCURRENT)
    local writer <close> = writing()
    local first = elsewhere()
    until_true [[select exists (select 1 from pg_index i
      where i.indrelid = to_regclass('users') and not i.indisvalid) as value]]
    local second = elsewhere()
    until_true [[select exists (select 1 from pg_stat_activity
      where datname = current_database() and state = 'idle' and lower(query) = 'rollback') as value]]
    writer:commit()
    assert.same({ "1\n", "0\n" }, { first:read "a", second:read "a" })
    first:close()
    second:close()
    assert.is_true(indexes("users").users_name_unique)
  end)

  it("runs an SQL file in PostgreSQL's own words, as they are", function()
    folder:write("0001.up.sql", [==[create type mood as enum ('good; very', E'it\'s; bad');
      create table users (name text, moods mood[], doc jsonb); /* of /* all */ kinds; */
      create function shout(text) returns text language plpgsql as $body$ begin
        return upper($1) || '; ''!'''; end $body$;
      do $$ begin perform 1; end $$;
      insert into users values (shout('a?'), array['good; very']::mood[], '{"k": [1, 2, 3]}');
      update users set moods = moods[1:1] where doc ? 'k' and doc -> 'k' @> '[2]';
      select shout('x') from users;]==])
    folder:write("0001.down.sql", "drop table users; drop function shout(text); drop type mood;")
    rille.migrate()
    local row = db:query "select name, moods::text as moods from users"[1]
    assert.same({ "A?; '!'", '{"good; very"}' }, { row.name, row.moods })
    assert.is_true(migrator.verify().ok)
    migrator.rollback()
    assert.equal("rille_migrations", folder:tables())
  end)

  it("says what stays of a migration that ran outside of a transaction", function()
    folder:create("0001", "users")
    folder:write("0002.up.sql", "insert into users (name) values ('stays');\n"
      .. "create index concurrently by_name on users (name);\ninsert into nowhere values (1);")
    folder:write("0002.down.sql", "drop index by_name;")
    local e = refused(rille.migrate)
    assert.truthy(e.message:find("0002.up.sql:3: up failed", 1, true), e.message)
    assert.equal("it runs outside of a transaction: what it did before this is still there", e.hint)
    assert.equal(1, folder:count "users")
    assert.equal("0001 applied, 0002 pending", folder.states())
    folder:write("0002.up.sql", "create index concurrently if not exists by_name on users (name);")
    rille.migrate()
    assert.is_true(indexes("users").by_name)
  end)

  it("makes no index concurrently inside a transaction", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:write("0002.lua", (CONCURRENT:gsub("transaction = false,", "")))
    local e = refused(rille.migrate)
    assert.equal("invalid_argument", e.cause.kind)
    assert.truthy(e.hint:find("transaction = false", 1, true))
    assert.is_nil(indexes("users").users_name_unique)
    rille.schema():table("users", function(t) t:unique("name", { concurrently = true }) end)
    assert.is_true(indexes("users").users_name_unique)
  end)

  it("names who migrates when it does not wait any longer", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:lua("0002", [[schema:create("posts", function(t) t:id() end) io.stdout:write("held\n") io.stdout:flush()
      db:query "select pg_sleep(1)"]])
    local other = elsewhere()
    assert.equal("held", other:read "l")
    db:execute "set lock_timeout = 20"
    local e = refused(rille.migrate)
    assert.equal("locked", e.kind)
    assert.matches("server process %d+, \"rille migrate 0002\"", e.message)
    other:close()
  end)

  it("keeps account of each schema by itself", function()
    folder:create("0001", "users")
    rille.migrate()
    local url, name = Database.settings().url, "spec_other" .. math.random(1 << 30)
    db:execute("create schema " .. name)
    rille.configure { connections = { main = { driver = "postgres",
      url = url:gsub("search_path%%3D", "%0" .. name .. "%%2C") } }, migrations = folder.root .. "/migrations" }
    assert.equal("0001 pending", folder.states())
    assert.equal(1, #rille.migrate().applied)
    assert.equal("0001 applied", folder.states())
    assert.equal(1, #migrator.rollback().rolled_back)
    assert.is_false(rille.schema():has_table "users")
    rille.db():execute(("drop schema %s cascade"):format(name))
    folder:begin()
  end)

  it("leaves no schema of a rehearsal behind, and keeps it from the tables that are there", function()
    folder:create("0001", "users")
    rille.migrate()
    folder:lua("0002", [[schema:drop_if_exists("users") schema:create("users", function(t) t:text("x") end)
      db:execute("insert into users (x) values ('rehearsed')")]], [[schema:drop("users")]])
    rille.migrate { pretend = true }
    migrator.verify()
    assert.is_true(rille.schema():has_column("users", "name"))
    assert.equal(0, folder:count "users")
    assert.equal(0, db:query([[select count(*) as "n" from pg_namespace where nspname like 'rille\_%']])[1].n)
  end)
end)

describe("on PostgreSQL schema:table", function()
  it("keeps the order of NULLs in an index that a query asks for", function()
    local db = Database.fresh()
    local schema = rille.schema()
    schema:create("posts", function(t)
      t:id()
      t:integer("rank"):nullable():index()
      t:string("slug"):unique()
      t:index { { "rank", "desc" }, "slug", name = "both", where = "slug <> ''" }
    end)
    local function shown(name)
      return (db:query("select pg_get_indexdef(to_regclass(?)::oid) as sql", name)[1].sql:match "btree (.*)$")
    end
    assert.equal("(rank NULLS FIRST)", shown "posts_rank_index")
    assert.matches("^%(rank DESC NULLS LAST, slug%)", shown "both")
    schema:table("posts", function(t) t:integer("rank"):default(0):change() end)
    assert.equal("(rank)", shown "posts_rank_index")
    assert.matches("^%(rank DESC, slug%) WHERE", shown "both")
    schema:table("posts", function(t) t:string("slug"):nullable():change() end)
    assert.equal("(slug NULLS FIRST)", shown "posts_slug_unique")
    rille.close()
  end)

  it("compares texts by their bytes, and keeps the collation of a column that is changed", function()
    local db = Database.fresh()
    local schema = rille.schema()
    schema:create("words", function(t) t:id() t:string("word", 40) end)
    db:execute "insert into words (word) values ('b'), ('A'), ('a'), ('B')"
    local sorted = {}
    for i, row in ipairs(db:query "select word from words order by word") do sorted[i] = row.word end
    assert.equal("A B a b", table.concat(sorted, " "))
    db:execute 'create table foreign_words (word varchar(10) collate "POSIX")'
    db:forget()
    schema:table("foreign_words", function(t) t:text("word"):nullable():change() end)
    assert.equal("POSIX", db:query([[select l.collname::text as "name" from pg_attribute a
      join pg_collation l on l.oid = a.attcollation where a.attrelid = to_regclass('foreign_words')
      and a.attname = 'word']])[1].name)
    rille.close()
  end)
end)
