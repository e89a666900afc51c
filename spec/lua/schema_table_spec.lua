--- schema_table_spec: tables made, changed and dropped, alike on every engine: what they keep, and what is refused.
local Altered = require "spec.support.altered"
local Database = require "spec.support.database"
local Engine = require "rille.schema.engine"
local refused = require "spec.support.refused"
local rille = require "rille"

local is_postgres = Database.is_postgres

describe("schema:table", function()
  local db, schema

  local function alter(name, fn) schema:table(name, fn) end

  --- Everything in the database, as text: definitions and rows.
  local function picture()
    db:forget()
    local lines = {}
    for what, text in pairs(Engine.of(db).snapshot(db)) do lines[#lines + 1] = what .. " " .. text end
    for _, name in ipairs(db:tables()) do
      for _, line in ipairs(Altered.rows(db, name)) do lines[#lines + 1] = name .. " " .. line end
    end
    table.sort(lines)
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
    db = Database.fresh()
    schema = rille.schema()
    Altered.make(schema, db)
  end)
  after_each(function() rille.close() end)

  it("adds, renames and drops columns and indexes", function()
    alter("users", function(t)
      t:string("nick", 30):nullable():unique()
      t:boolean("active"):default(true)
      t:references("boss", "users"):nullable()
      t:drop("age")
      t:rename("email", "mail")
      t:drop_index("mail")
      t:index({ "mail" }, { name = "by_mail", where = "mail is not null" })
    end)
    local row = db:query("select * from users where id = 2")[1]
    assert.same({ "u2", "2@example.org" }, { row.name, row.mail })
    assert.truthy(row.active)
    local names = {}
    for _, index in ipairs(db:describe("users").indexes) do names[index.name] = true end
    assert.is_true(names.users_nick_unique and names.users_boss_id_index and names.by_mail)
    assert.is_nil(names.users_email_index)
    assert.equal("foreign_key_violation", refused(db.execute, db, "update users set boss_id = 9").kind)
    assert.equal(3, count "posts")
  end)

  it("drops the indexes of a column with it, and none that needs another column too", function()
    alter("users", function(t) t:drop("email") end)
    assert.is_false(schema:has_column("users", "email"))
    alter("users", function(t) t:index { "name", "age" } end)
    local e = refused_whole(function(t) t:drop("age") end)
    assert.equal('users: the index "users_name_age_index" needs "age"', e.message)
    assert.equal('t:drop_index{ name = "users_name_age_index" } goes first', e.hint)
    alter("users", function(t) t:drop_index { "name", "age" } t:drop("age") end)
    assert.is_false(schema:has_column("users", "age"))
  end)

  it("changes a column without losing a row of it or of those that refer to it", function()
    alter("users", function(t) t:text("name"):change() end)
    assert.equal("text", db:describe("users").columns[2].declared:lower())
    assert.equal(3, count "users")
    assert.equal(3, count "posts")
    assert.equal("foreign_key_violation",
      refused(db.execute, db, "insert into posts (user_id, title) values (9, 'x')").kind)
    assert.equal("unique_violation", refused(db.execute, db, "update users set name = 'u1'").kind)
    db:execute "delete from users where id = 1"
    assert.equal(2, count "posts")
  end)

  it("gives a changed column the conditions that are said now, and no others", function()
    alter("users", function(t) t:integer("age"):default(5):check("age > 1"):change() end)
    db:execute "insert into users (name) values ('new')"
    assert.equal(5, db:query("select age from users where name = 'new'")[1].age)
    assert.equal("check_violation", refused(db.execute, db, "update users set age = 1").kind)
    alter("users", function(t) t:integer("age"):nullable():change() end)
    db:execute "update users set age = -1"
    db:execute "insert into users (name) values ('newer')"
    assert.is_nil(db:query("select age from users where name = 'newer'")[1].age)
    alter("users", function(t) t:enum("name", { "u1", "u2", "u3", "new", "newer" }):change() end)
    alter("users", function(t) t:rename("name", "called") end)
    alter("users", function(t) t:enum("called", { "u1", "u2", "u3", "new", "newer", "x" }):change() end)
    db:execute "update users set called = 'x' where id = 1"
    schema:rename("users", "people")
    alter("people", function(t) t:text("called"):change() end)
    db:execute "update people set called = 'anything' where id = 1"
  end)

  it("refuses to narrow where rows would not fit, and counts them", function()
    local e = refused_whole(function(t) t:text("email"):change() end)
    assert.equal("migration", e.kind)
    assert.equal('1 row of "users" holds NULL in "email"', e.message)
    assert.equal("email", e.column)
    for expected, fn in pairs {
      ['3 rows of "users" hold no integer in "name"'] = function(t) t:integer("name"):change() end,
      ['3 rows of "users" hold no number in "name"'] = function(t) t:float("name"):change() end,
      ['3 rows of "users" hold neither true nor false in "age"'] = function(t) t:boolean("age"):change() end,
      ['3 rows of "users" hold more than 1 characters in "name"'] = function(t) t:string("name", 1):change() end,
      ['3 rows of "users" hold none of its values in "name"'] = function(t) t:enum("name", { "u9" }):change() end,
      ['3 rows of "users" hold no date in "name"'] = function(t) t:date("name"):change() end,
      ['2 rows of "users" hold no moment in "email"'] = function(t) t:datetime("email"):nullable():change() end,
      ['2 rows of "users" hold no UUID in "email"'] = function(t) t:uuid("email"):nullable():change() end,
      ['2 rows of "users" hold no JSON in "email"'] = function(t) t:json("email"):nullable():change() end,
      ['3 rows of "users" hold no number of so many digits in "age"'] =
        function(t) t:decimal("age", 1, 0):change() end,
      ['2 rows of "users" hold no number of so many digits in "email"'] =
        function(t) t:decimal("email", 20, 2):nullable():change() end,
    } do
      assert.equal(expected, refused_whole(fn).message)
    end
  end)

  it("counts the least and the greatest integer, too, where they have too many digits", function()
    schema:create("sums", function(t) t:bigint "n" end)
    db:insert("sums", { { n = math.mininteger }, { n = math.maxinteger }, { n = -9 } })
    local e = refused(schema.table, schema, "sums", function(t) t:decimal("n", 1, 0):change() end)
    assert.equal('2 rows of "sums" hold no number of so many digits in "n"', e.message)
  end)

  it("takes no text for a number, a day or a document that it nearly is", function()
    local types = {
      integer = { good = { "7", "-9223372036854775808", "9223372036854775807", "4.0" },
        bad = { "", "7.5", "9223372036854775808", "0x10", "1e", "7 8", "--7" } },
      float = { good = { "0.1", "1e300", "-7", ".5" }, bad = { "x", "1e", "1.2.3", "" } },
      decimal = { good = { "12.34", "-0.5", "12345678.9" }, bad = { "123456789", "0.125", "x", "" } },
      date = { good = { "2024-02-29", "0001-01-01" }, bad = { "2023-02-29", "2024-13-01", "2024-1-1", "now", "" } },
      datetime = { good = { "2024-02-29T23:59:59Z", "2024-02-29 10:00:00.123456" },
        bad = { "2024-02-30T00:00:00Z", "2024-02-29T25:00:00Z", "yesterday", "" } },
      json = { good = { "{}", "[1, null]", '"x"', "1" }, bad = { "{", "", "nul", "{'a': 1}" } },
      uuid = { good = { "6F9619FF-8B86-D011-B42D-00C04FC964FF" }, bad = { "6f9619ff8b86d011b42d00c04fc964ff", "" } },
      boolean = { good = { "0", "1" }, bad = { "2", "yes", "" } },
    }
    for word, values in pairs(types) do
      local function make(text)
        schema:create("probes", function(t) t:text "c" end)
        db:execute("insert into probes (c) values (?)", text)
        return pcall(schema.table, schema, "probes", function(t) t[word](t, "c"):change() end)
      end
      for _, text in ipairs(values.good) do
        local ok, e = make(text)
        assert.is_true(ok, ("%s %s: %s"):format(word, text, tostring(e)))
        assert.equal(1, count "probes")
        schema:drop "probes"
      end
      for _, text in ipairs(values.bad) do
        local ok, e = make(text)
        assert.is_false(ok, ("%s %q"):format(word, text))
        assert.matches("^1 row of \"probes\" holds n.* in \"c\"$", e.message)
        schema:drop "probes"
      end
    end
  end)

  it("turns values into what their new column holds", function()
    db:execute "update users set name = '1' || id, email = '12.' || id || '0'"
    alter("users", function(t)
      t:integer("name"):change()
      t:decimal("email", 20, 2):nullable():change()
      t:string("age"):change()
    end)
    local row = db:query("select name, email, age from users where id = 1")[1]
    assert.same({ 11, "12.10", "20" }, { row.name, tostring(row.email), row.age })
    alter("users", function(t) t:blob("age"):change() end)
    local e = refused_whole(function(t) t:text("age"):change() end)
    assert.equal('3 rows of "users" hold bytes instead of text in "age"', e.message)
  end)

  it("leaves NULL what was NULL, whatever the types", function()
    local words = { "boolean", "integer", "float", "decimal", "text", "date", "datetime", "json", "blob", "uuid" }
    for _, from in ipairs(words) do
      for _, to in ipairs(words) do
        schema:create("nothings", function(t) t:id() t[from](t, "c"):nullable() end)
        db:execute "insert into nothings default values"
        alter("nothings", function(t) t[to](t, "c"):nullable():change() end)
        assert.is_nil(db:query("select c from nothings")[1].c, from .. " to " .. to)
        schema:drop "nothings"
      end
    end
  end)

  it("makes the moment at which it begins of a day, and a day of no other", function()
    schema:create("days", function(t) t:date "c" end)
    db:execute "insert into days (c) values ('2024-02-29')"
    alter("days", function(t) t:datetime("c"):change() end)
    assert.equal("2024-02-29T00:00:00.000000Z", tostring(db:query("select c from days")[1].c))
    alter("days", function(t) t:date("c"):change() end)
    assert.equal("2024-02-29", tostring(db:query("select c from days")[1].c))
    alter("days", function(t) t:datetime("c"):change() end)
    db:execute "insert into days (c) values ('2024-02-29T00:00:00.000001Z')"
    local e = refused(alter, "days", function(t) t:date("c"):change() end)
    assert.equal('1 row of "days" holds no date in "c"', e.message)
  end)

  it("adds no column that the rows could not fill", function()
    local e = refused_whole(function(t) t:text("bio") end)
    assert.equal('users: the new column "bio" is not nullable and has no default, but there are 3 rows', e.message)
    refused_whole(function(t) t:text("email") end)
    alter("users", function(t) t:references("home", "posts"):default(1) end)
    assert.equal(1, db:query("select home_id from users")[1].home_id)
    e = refused_whole(function(t) t:references("work", "posts"):default(7) end)
    assert.equal('3 rows of "users" would refer to rows of "posts" that are not there', e.message)
  end)

  it("adds and drops keys and conditions", function()
    alter("users", function(t) t:drop_check("users_age_check") end)
    db:execute "update users set age = -1 where id = 1"
    local e = refused_whole(function(t) t:check("age > 0", "grown") end)
    assert.equal("check_violation", e.kind)
    db:execute "update users set age = 1"
    alter("users", function(t) t:check("age > 0", "grown") end)
    refused(db.execute, db, "update users set age = 0")
    e = refused_whole(function(t) t:check("age > 18", "grown") end)
    assert.truthy(e.message:find('users: there is a check "grown" already', 1, true), e.message)
    e = refused(schema.create, schema, "twins", function(t)
      t:id() t:check("id > 1", "big") t:check("id > 2", "big")
    end)
    assert.truthy(e.message:find('the check "big" comes twice', 1, true), e.message)
    alter("users", function(t) t:drop_check("grown") end)

    alter("posts", function(t) t:drop_foreign("user_id") end)
    db:execute "update posts set user_id = 77 where id = 2"
    local key = function(t) t:foreign("user_id"):references("users"):on_delete("restrict") end
    e = refused_whole(key, "posts")
    assert.equal('1 row of "posts" would refer to rows of "users" that are not there', e.message)
    db:execute "update posts set user_id = 1 where id = 2"
    alter("posts", key)
    assert.equal("RESTRICT", db:describe("posts").foreign[1].on_delete:upper())

    alter("posts", function(t) t:drop_primary() t:primary { "user_id", "title" } end)
    assert.same({ "user_id", "title" }, db:describe("posts").primary)
    assert.equal("there is a primary key already",
      refused_whole(function(t) t:primary("id") end, "posts").message:match ": (.*)$")
    assert.equal(3, count "posts")
  end)

  it("says how many values stand in the way of a unique index", function()
    local e = refused_whole(function(t) t:unique("age") end)
    assert.equal('1 value of "age" in "users" comes more than once', e.message)
    assert.equal("migration", e.kind)
  end)

  it("drops nothing that something else needs", function()
    schema:raw "create view grown as select name, age from users where age > 18"
    for expected, fn in pairs {
      ['users: "id" is referenced by "posts"'] = function(t) t:drop("id") end,
      ["users has no column \"nme\""] = function(t) t:drop("nme") end,
      ["there is no index on \"name\""] = function(t) t:drop_index("name") end,
      ["there is no foreign key on \"name\""] = function(t) t:drop_foreign("name") end,
      ['users: there is an index "users_name_unique" already'] = function(t) t:unique("name") end,
      ["there is no check \"x\""] = function(t) t:drop_check("x") end,
      ["there is no unique constraint on \"age\""] = function(t) t:drop_unique("age") end,
      ["grown"] = function(t) t:drop("age") end,
    } do
      local e = refused_whole(fn)
      assert.truthy(e.message:find(expected, 1, true), e.message)
    end
    assert.equal("no_such_table", refused(alter, "usrs", function() end).kind)
    assert.equal("unsupported", refused(alter, "grown", function(t) t:text("x"):nullable() end).kind)
    assert.truthy(refused(schema.drop, schema, "users").message:find("posts", 1, true))
    schema:drop "posts"
    assert.truthy(refused(schema.drop, schema, "users").message:find('the view "grown" would not work any more', 1,
      true))
  end)

  it("drops a column of a foreign key, a column of a key and a constraint of a table", function()
    schema:create("likes", function(t)
      t:integer("user_id")
      t:integer("post_id")
      t:integer("weight"):nullable()
      t:primary { "user_id", "post_id" }
      t:foreign("post_id"):references("posts"):on_delete("cascade")
      t:check("weight > user_id", "heavy")
    end)
    db:execute "insert into likes values (1, 2, 3)"
    assert.truthy(refused_whole(function(t) t:drop("user_id") end, "likes").message:find "needs \"user_id\"")
    assert.truthy(refused_whole(function(t) t:drop("weight") end, "likes").message:find "needs \"weight\"")
    alter("likes", function(t) t:drop_check("heavy") t:drop("weight") t:drop_primary() end)
    alter("likes", function(t) t:drop("post_id") end)
    assert.same({}, db:describe("likes").foreign)
    assert.equal(1, count "likes")
    refused_whole(function(t) t:drop("user_id") end, "likes")
  end)

  it("keeps what others refer to unique", function()
    schema:create("codes", function(t) t:id() t:string("code"):unique() end)
    schema:create("uses", function(t) t:id() t:string("code"):references("codes", "code") end)
    local e = refused_whole(function(t) t:drop_unique("code") end, "codes")
    assert.equal('codes: "uses" references "code", which must stay unique', e.message)
  end)

  it("stands names and texts of every kind", function()
    local evil = [[a"b'c; drop table users; -- %d %s]]
    schema:create(evil, function(t)
      t:id()
      t:text(evil):default(evil):index():comment(evil)
      t:enum("e", { evil, "x" }):nullable()
    end)
    db:execute(('insert into "%s" default values'):format(evil:gsub('"', '""')))
    alter(evil, function(t)
      t:string(evil):default("'"):change()
      t:rename("e", evil .. "2")
      t:text(evil .. "3"):nullable()
    end)
    alter(evil, function(t) t:drop(evil .. "2") t:string(evil .. "3"):nullable():default(evil):change() end)
    local described = db:describe(evil)
    assert.equal(evil, described.columns[2].name)
    assert.equal(evil .. "3", described.columns[3].name)
    local row = db:query(('select * from "%s"'):format(evil:gsub('"', '""')))[1]
    assert.equal(evil, row[evil])
    assert.equal(3, count "users")
  end)

  it("undoes itself", function()
    local before = picture()
    alter("posts", function(t)
      t:references("editor", "users"):nullable()
      t:morphs("origin"):nullable()
      t:timestamps()
      t:soft_deletes()
      t:decimal("price"):nullable():unique()
      t:index { "title", "user_id" }
      t:rename("title", "headline")
    end)
    alter("posts", function(t)
      t:rename("headline", "title")
      t:drop_index { "title", "user_id" }
      t:drop("price", "deleted_at", "updated_at", "created_at", "origin_type", "origin_id", "editor_id")
    end)
    assert.equal(before, picture())
  end)

  it("tells what it would run, and runs it not", function()
    local before = picture()
    local statements = schema:pretend(function(s)
      s:table("posts", function(t) t:text("body"):nullable() end)
      s:create("tags", function(t) t:text("name") end)
      assert.is_true(s:has_column("posts", "body"))
      assert.equal(0, count "users")
      db:execute("insert into tags (name) values (?)", "a */ b")
    end)
    local text = is_postgres and 'text collate "C"' or "TEXT"
    assert.same({
      'alter table "posts" add column "body" ' .. text,
      ('create table "tags" (\n  "name" %s not null\n)'):format(text),
      statements[3],
    }, statements)
    assert.matches("^insert into tags %(name%) values %(.*%) /%* \"a %* / b\" %*/$", statements[3])
    assert.equal(before, picture())
    local e = refused(schema.pretend, schema, function(s) s:drop("nothing") end)
    assert.equal("no_such_table", e.kind)
    assert.equal(before, picture())
  end)

  it("makes all of a table or nothing", function()
    schema:create("taken", function(t) t:id() t:text("a"):index("the_index") end)
    local e = refused(schema.create, schema, "others", function(t) t:id() t:text("a"):index("the_index") end)
    assert.truthy(e.message:find("the_index", 1, true))
    assert.is_false(schema:has_table("others"))
  end)
end)
