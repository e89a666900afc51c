--- schema_alter_spec: tables changed on SQLite: by ALTER TABLE where that can do it, by a rebuild that loses nothing;
-- what is alike on every engine is in schema_table_spec.
local Altered = require "spec.support.altered"
local hook = require "rille.hook"
local refused = require "spec.support.refused"
local rille = require "rille"

describe("schema:table", function()
  local db, schema

  --- The statements that change something while `fn` runs.
  local function statements_of(fn)
    local seen = {}
    local stop = hook.on("query", function(info)
      local word = info.sql:match "^%a+"
      if word == "alter" or word == "create" or word == "drop" then seen[#seen + 1] = info.sql end
    end)
    fn()
    stop()
    return seen
  end

  local function alter(name, fn) schema:table(name, fn) end

  --- Everything in the database, as text: rows, definitions, counters and switches.
  local function picture()
    db:forget()
    local lines = {}
    for _, row in ipairs(db:query [[select type, name, sql from sqlite_schema order by type, name]]) do
      lines[#lines + 1] = ("%s %s %s"):format(row.type, row.name, row.sql)
      for _, line in ipairs(row.type == "table" and Altered.rows(db, row.name) or {}) do lines[#lines + 1] = line end
    end
    lines[#lines + 1] = db:query("pragma foreign_keys")[1].foreign_keys
    lines[#lines + 1] = db:query("pragma legacy_alter_table")[1].legacy_alter_table
    return table.concat(lines, "\n")
  end

  --- Refused, and nothing is different.
  local function refused_whole(fn, name)
    local before = picture()
    local e = refused(schema.table, schema, name or "users", fn)
    assert.equal(before, picture())
    return e
  end

  local function count(name) return db:query(('select count(*) as "n" from "%s"'):format(name))[1].n end

  before_each(function()
    db = rille.connect ":memory:"
    schema = rille.schema()
    Altered.make(schema, db)
  end)
  after_each(function() rille.close() end)

  it("adds, renames and drops columns with ALTER TABLE", function()
    local statements = statements_of(function()
      alter("users", function(t)
        t:string("nick", 30):nullable():unique()
        t:boolean("active"):default(true)
        t:references("boss", "users"):nullable()
        t:drop("age")
        t:rename("email", "mail")
        t:drop_index("mail")
        t:index({ "mail" }, { name = "by_mail", where = "mail is not null" })
      end)
    end)
    assert.same({
      'alter table "users" add column "nick" VARCHAR(30)',
      'alter table "users" add column "active" BOOLEAN not null default 1 '
        .. 'constraint "users_active_check" check ("active" in (0, 1))',
      'alter table "users" add column "boss_id" INTEGER references "users" ("id")',
      'alter table "users" drop column "age"',
      'create unique index "users_nick_unique" on "users" ("nick")',
      'create index "users_boss_id_index" on "users" ("boss_id")',
      'alter table "users" rename column "email" to "mail"',
      'drop index "users_email_index"',
      'create index "by_mail" on "users" ("mail") where mail is not null',
    }, statements)
    assert.equal("2@example.org", db:query("select mail from users where id = 2")[1].mail)
    assert.equal(3, count "posts")
  end)

  it("makes a table anew without losing a row of it or of those that refer to it", function()
    local statements = statements_of(function()
      alter("users", function(t) t:text("name"):change() end)
    end)
    assert.truthy(statements[1]:find('^create table "rille_rebuild_1_users"'))
    assert.equal('drop table "users"', statements[2])
    assert.equal("TEXT", db:describe("users").columns[2].declared)
    assert.equal(3, count "users")
    assert.equal(3, count "posts")
    local e = refused(db.execute, db, "insert into posts (user_id, title) values (9, 'x')")
    assert.equal("foreign_key_violation", e.kind)
    db:execute "delete from users where id = 1"
    assert.equal(2, count "posts")
  end)

  it("keeps indexes, triggers, views, the counter and what others refer to", function()
    db:execute "create index partial on users (lower(name) desc, age) where email is not null"
    db:execute "create view names as select name from users"
    db:execute [[create trigger counted after insert on posts begin
      update users set age = age + 1 where id = new.user_id; end]]
    db:execute [[create trigger greeted after insert on users begin
      insert into posts (user_id, title) values (new.id, 'hi'); end]]
    db:execute "insert into users (id, name) values (41, 'gone')"
    db:execute "delete from users where id = 41"
    db:execute "alter table users add column mood text collate nocase default 'fine' /* of the day */"
    alter("users", function(t)
      t:integer("age"):default(30):change()
      t:datetime("since"):default_now()
    end)
    db:forget()
    local kept = {}
    for _, row in ipairs(db:query "select name from sqlite_schema where sql is not null order by name") do
      kept[#kept + 1] = row.name
    end
    assert.same({ "counted", "greeted", "names", "partial", "posts", "posts_user_id_index", "sqlite_sequence", "users",
      "users_email_index", "users_name_unique" }, kept)
    assert.equal("create index partial on users (lower(name) desc, age) where email is not null",
      (db:query("select sql from sqlite_schema where name = 'partial'")[1].sql:gsub("^%u+ %u+", string.lower)))
    local mood = [["mood" text collate nocase default 'fine' /* of the day */]]
    assert.truthy(db:describe("users").sql:find(mood, 1, true))
    db:execute "insert into users (name) values ('new')"
    local row = db:query("select id, age, since from users where name = 'new'")[1]
    assert.equal(42, row.id)
    assert.equal(31, row.age)                           -- the default, and both triggers
    assert.truthy(tostring(row.since):find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d000Z$")
    assert.equal(4, #db:query "select * from names")
  end)

  it("keeps the hidden row numbers of a table without an integer key", function()
    db:execute "create table words (word text primary key)"
    db:execute "insert into words (rowid, word) values (7, 'seven'), (3, 'three')"
    alter("words", function(t) t:string("word", 20):change() end)
    assert.equal(7, db:query("select rowid as n from words where word = 'seven'")[1].n)
  end)

  it("turns values into what their new column holds", function()
    db:execute "update users set name = '1' || id, email = '12.' || id || '0'"
    alter("users", function(t)
      t:integer("name"):change()
      t:decimal("email", 20, 2):nullable():change()
      t:string("age"):change()
    end)
    local row = db:query([[select typeof(name) as a, typeof(email) as b, typeof(age) as c, name, email, age
      from users]])[1]
    assert.same({ "integer", "text", "text" }, { row.a, row.b, row.c })
    assert.same({ 11, "12.10", "20" }, { row.name, tostring(row.email), row.age })
    alter("users", function(t) t:blob("age"):change() end)
    assert.equal("blob", db:query("select typeof(age) as a from users")[1].a)
  end)

  it("drops nothing that something else needs", function()
    db:execute "create view grown as select name, age from users where age > 18"
    for expected, fn in pairs {
      ['users: "id" is referenced by "posts"'] = function(t) t:drop("id") end,
      ["users has no column \"nme\""] = function(t) t:drop("nme") end,
      ["there is no index on \"name\""] = function(t) t:drop_index("name") end,
      ["there is no foreign key on \"name\""] = function(t) t:drop_foreign("name") end,
      ["there is no check \"x\""] = function(t) t:drop_check("x") end,
      ["grown"] = function(t) t:drop("age") end,
      ['the view "grown" would not work any more'] = function(t) t:drop("age") t:string("name", 9):change() end,
    } do
      local e = refused_whole(fn)
      assert.truthy(e.message:find(expected, 1, true), e.message)
    end
    assert.equal("no_such_table", refused(alter, "usrs", function() end).kind)
    assert.equal("unsupported", refused(alter, "grown", function(t) t:text("x"):nullable() end).kind)
  end)

  it("keeps its hands off rows that were astray before", function()
    db:execute "pragma foreign_keys = off"
    db:execute "insert into posts (user_id, title) values (99, 'lost')"
    db:execute "pragma foreign_keys = on"
    alter("users", function(t) t:string("name", 40):change() end)
    assert.equal(4, count "posts")
  end)

  it("does not rebuild inside a transaction, where foreign keys cannot be switched off", function()
    local e = refused(db.transaction, db, function() alter("users", function(t) t:text("name"):change() end) end)
    assert.equal("migration", e.kind)
    assert.truthy(e.hint:find "outside a transaction")
    assert.equal(3, count "posts")
    db:transaction(function() alter("users", function(t) t:text("bio"):nullable() end) end)
    assert.is_true(schema:has_column("users", "bio"))
  end)
end)
