--- migrator_postgres_spec: migrations that other processes get in the way of, and what runs outside of a transaction.
local Database = require "spec.support.database"
local Error = require "rille.error"
local Folder = require "spec.support.migration_folder"
local migrator = require "rille.migrator"
local rille = require "rille"

if not Database.is_postgres then return end

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(Error.is(e), tostring(e))
  return e
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

describe("on PostgreSQL the migrator", function()
  local folder, db

  before_each(function()
    folder = Folder.new()
    db = folder.db
  end)
  after_each(function() folder:close() end)

  --- Another process that migrates; what it prints is read from what is returned.
  local function elsewhere()
    local settings = Database.settings()
    local script = ([[local rille = require "rille"
      rille.configure { connections = { main = { driver = "postgres", url = %q } }, migrations = %q }
      local ok, result = pcall(rille.migrate)
      print(ok and #result.applied or tostring(result))]]):format(settings.url, folder.root .. "/migrations")
    return assert(io.popen(("LUA_PATH=%s LUA_CPATH=%s lua5.4 -e %s 2>&1"):format(quoted(package.path),
      quoted(package.cpath), quoted(script))))
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
      applied = applied + assert(math.tointeger(other:read "n"))
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
