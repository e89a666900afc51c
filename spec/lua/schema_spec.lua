--- schema_spec: the words of migrations: the SQL they become, the tables that come of it, and what they refuse.
local Definition = require "rille.schema.sqlite.definition"
local Ddl = require "rille.schema.sqlite.ddl"
local refused = require "spec.support.refused"
local Table = require "rille.schema.table"
local rille = require "rille"

--- The SQL that the words of a new table become.
local function sql_of(name, fn) return Ddl.create(Table.describe(name, fn)) end

--- The SQL of one column, without the table around it.
local function column_sql(fn)
  local definition = Definition.parse(sql_of("posts", fn)[1])
  return Definition.column(definition.columns[#definition.columns])
end

describe("a column word", function()
  it("becomes a type of the right affinity", function()
    for expected, fn in pairs {
      ['"id" integer primary key autoincrement not null'] = function(t) t:id() end,
      ['"key" integer primary key autoincrement not null'] = function(t) t:id("key") end,
      ['"id" UUID TEXT primary key not null'] = function(t) t:uuid_id() end,
      ['"c" VARCHAR(255) not null'] = function(t) t:string("c") end,
      ['"c" VARCHAR(40) not null'] = function(t) t:string("c", 40) end,
      ['"c" TEXT not null'] = function(t) t:text("c") end,
      ['"c" INTEGER not null'] = function(t) t:integer("c") end,
      ['"c" BIGINT not null'] = function(t) t:bigint("c") end,
      ['"c" DOUBLE not null'] = function(t) t:float("c") end,
      ['"c" DECIMAL(10,2) not null'] = function(t) t:decimal("c") end,
      ['"c" DECIMAL(15,4) not null'] = function(t) t:decimal("c", 15, 4) end,
      ['"c" DECIMAL_TEXT(16,4) not null'] = function(t) t:decimal("c", 16, 4) end,
      ['"c" BOOLEAN not null constraint "posts_c_check" check ("c" in (0, 1))'] = function(t) t:boolean("c") end,
      ['"c" DATE TEXT not null'] = function(t) t:date("c") end,
      ['"c" DATETIME TEXT not null'] = function(t) t:datetime("c") end,
      ['"c" JSON TEXT constraint "posts_c_check" check ("c" is null or json_valid("c"))'] =
        function(t) t:json("c"):nullable() end,
      ['"c" JSON TEXT not null constraint "posts_c_check" check (json_valid("c"))'] = function(t) t:json("c") end,
      ['"c" BLOB not null'] = function(t) t:blob("c") end,
      ['"c" UUID TEXT not null'] = function(t) t:uuid("c") end,
      ['"c" TEXT not null constraint "posts_c_check" check ("c" in (\'a\', \'it\'\'s\'))'] =
        function(t) t:enum("c", { "a", "it's" }) end,
      ['"author_id" INTEGER not null references "users" ("id") on delete cascade'] =
        function(t) t:references("author", "users"):on_delete("cascade") end,
      ['"country_id" INTEGER references "countries" ("id") on delete set null on update cascade'] =
        function(t) t:references("country"):nullable():on_delete("set_null"):on_update("CASCADE") end,
      ['"thing_id" INTEGER not null'] = function(t) t:morphs("thing") end,
      ['"updated_at" DATETIME TEXT'] = function(t) t:timestamps() end,
      ['"deleted_at" DATETIME TEXT'] = function(t) t:soft_deletes() end,
      ['"code" TEXT not null references "countries" ("iso") on delete restrict'] =
        function(t) t:text("code"):references("countries", "iso"):on_delete("restrict") end,
    } do
      assert.equal(expected, column_sql(fn))
    end
  end)

  it("writes a default as a literal", function()
    for expected, fn in pairs {
      ["'it''s -- \"x\"; drop table posts'"] = function(t) t:text("c"):default "it's -- \"x\"; drop table posts" end,
      ["''"] = function(t) t:string("c"):default "" end,
      ["-9223372036854775808"] = function(t) t:bigint("c"):default(math.mininteger) end,
      ["3"] = function(t) t:integer("c"):default(3.0) end,
      ["0.1"] = function(t) t:float("c"):default(0.1) end,
      ["2.0"] = function(t) t:float("c"):default(2) end,
      ["1.50"] = function(t) t:decimal("c"):default "1.50" end,
      ["'12345678901234567890.12'"] = function(t) t:decimal("c", 22, 2):default "12345678901234567890.12" end,
      ["'2026-11-20T12:00:00.500000Z'"] = function(t) t:datetime("c"):default "2026-11-20T12:00:00.5Z" end,
      ["x'00ff27'"] = function(t) t:blob("c"):default "\0\255'" end,
      ["CURRENT_TIMESTAMP"] = function(t) t:text("c"):default_raw "CURRENT_TIMESTAMP" end,
      ["(1 + 1)"] = function(t) t:integer("c"):default_raw "1 + 1" end,
      ["(strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))"] = function(t) t:datetime("c"):default_now() end,
    } do
      assert.equal("default " .. expected, column_sql(fn):match "not null (.*)$")
    end
    assert.equal('"c" BOOLEAN not null default 0 constraint "posts_c_check" check ("c" in (0, 1))',
      column_sql(function(t) t:boolean("c"):default(false) end))
    assert.equal('"c" TEXT default null', column_sql(function(t) t:text("c"):nullable():default(rille.null) end))
  end)

  it("keeps conditions and remarks", function()
    assert.equal('"c" INTEGER constraint "posts_c_check" check (c > 0) constraint "posts_c_check_2" check (c < 9)',
      column_sql(function(t) t:integer("c"):nullable():check("c > 0"):check("c < 9") end))
    assert.equal('"c" TEXT not null /* no * / end */', column_sql(function(t) t:text("c"):comment("no */ end") end))
  end)

  it("refuses what its type does not take", function()
    for expected, fn in pairs {
      ["an integer"] = function(t) t:integer("c"):default("1") end,
      ["an integer,"] = function(t) t:integer("c"):default(1.5) end,
      ["a finite number"] = function(t) t:float("c"):default(0 / 0) end,
      ["a finite number,"] = function(t) t:float("c"):default(math.huge) end,
      ["a text"] = function(t) t:text("c"):default("\255") end,
      ["a text (UTF-8, without NUL bytes)"] = function(t) t:text("c"):default("a\0b") end,
      ["true or false"] = function(t) t:boolean("c"):default(1) end,
      ["fits its digits"] = function(t) t:decimal("c", 4, 2):default("100") end,
      ["fits its digits,"] = function(t) t:decimal("c", 4, 2):default(0.125) end,
      ["a date (YYYY-MM-DD)"] = function(t) t:date("c"):default("20.11.2026") end,
      ["a date"] = function(t) t:date("c"):default("2026-02-30") end,
      ["of at most 3 characters"] = function(t) t:string("c", 3):default("four") end,
      ["JSON as text"] = function(t) t:json("c"):default("{") end,
      ["a moment in UTC (2026-11-20T12:00:00Z)"] = function(t) t:datetime("c"):default("2026-13-01T12:00:00Z") end,
      ["a moment in UTC"] = function(t) t:datetime("c"):default("2026-11-20 12:00:00") end,
      ["a UUID"] = function(t) t:uuid("c"):default("1-2-3") end,
      ["one of a, b"] = function(t) t:enum("c", { "a", "b" }):default("c") end,
      ["a value, got nil"] = function(t) t:text("c"):default(nil) end,
      ["a list of values"] = function(t) t:enum("c") end,
      ['"a" comes twice'] = function(t) t:enum("c", { "a", "a" }) end,
      ["a number of characters"] = function(t) t:string("c", 0) end,
      ["digits behind the point"] = function(t) t:decimal("c", 4, 5) end,
      ["at most 1 argument"] = function(t) t:text("c", 10) end,
      ["references no table"] = function(t) t:integer("c"):on_delete("cascade") end,
      ["one of cascade"] = function(t) t:references("c", "d"):on_delete("casade") end,
      ["cannot be set to NULL"] = function(t) t:references("c", "d"):on_delete("set null") end,
      ["a primary key is never NULL"] = function(t) t:id():nullable() end,
      ["numbers this column itself"] = function(t) t:id():default(1) end,
      ["is not nullable"] = function(t) t:text("c"):default(rille.null) end,
      ["is already said"] = function(t) t:text("c"):default("a"):default_raw("'b'") end,
      ['would become the column "author_id_id"'] = function(t) t:references("author_id") end,
      ["a colon before it"] = function(t) t.text("c") end,
      ["a new table has no columns to change"] = function(t) t:text("c"):change() end,
      ["nothing to rename or drop"] = function(t) t:drop("c") end,
    } do
      local e = refused(Table.describe, "posts", fn)
      assert.equal("invalid_argument", e.kind)
      assert.truthy(e.message:find(expected:gsub(",$", ""), 1, true), e.message)
    end
  end)

  it("has a neighbour for one that is not known", function()
    local e = refused(Table.describe, "posts", function(t) t:strng("title") end)
    assert.equal('t has no word "strng"', e.message)
    assert.equal('did you mean "string"?', e.hint)
    e = refused(Table.describe, "posts", function(t) t:string("title"):nulable() end)
    assert.equal('t:string("title") has no word "nulable"', e.message)
    assert.equal('did you mean "nullable"?', e.hint)
  end)
end)

describe("a table's words", function()
  it("name the indexes after the columns", function()
    assert.same({
      'create index "posts_author_id_index" on "posts" ("author_id")',
      'create unique index "posts_slug_unique" on "posts" ("slug")',
      'create index "by_day" on "posts" ("day")',
      'create unique index "live" on "posts" ("org", "slug") where "deleted_at" is null and "org" = \'x\'',
      'create index "posts_day_slug_index" on "posts" ("day" desc, "slug") where day > 3',
    }, table.move(sql_of("posts", function(t)
      t:references("author", "users")
      t:string("slug"):unique()
      t:integer("day"):index("by_day")
      t:text("org")
      t:soft_deletes()
      t:unique({ "org", "slug" }, { name = "live", where = { deleted_at = rille.null, org = "x" } })
      t:index { { "day", "desc" }, "slug", where = "day > 3" }
    end), 2, 6, 1, {}))
  end)

  it("index a reference only where nothing else finds it", function()
    local indexes = table.move(sql_of("post_tags", function(t)
      t:references("post")
      t:references("tag")
      t:references("user"):unique()
      t:primary { "post_id", "tag_id" }
    end), 2, 9, 1, {})
    assert.same({
      'create index "post_tags_tag_id_index" on "post_tags" ("tag_id")',
      'create unique index "post_tags_user_id_unique" on "post_tags" ("user_id")',
    }, indexes)
  end)

  it("make keys of several columns", function()
    assert.equal([[create table "notes" (
  "org_id" INTEGER not null,
  "number" INTEGER not null,
  "post_id" INTEGER,
  primary key ("org_id", "number"),
  constraint "of_post" foreign key ("org_id", "post_id") references "posts" ("org_id", "id") on delete set null,
  foreign key ("number") references "numbers" ("id"),
  constraint "notes_check" check (number > org_id),
  constraint "sane" check (number < 10)
)]], sql_of("notes", function(t)
      t:integer("org_id"):primary()
      t:integer("number"):primary()
      t:integer("post_id"):nullable()
      t:foreign { "org_id", "post_id", references = "posts", columns = { "org_id", "id" }, on_delete = "set null",
        name = "of_post" }
      t:foreign("number"):references("numbers")
      t:check("number > org_id")
      t:check("number < 10", "sane")
    end)[1])
  end)

  it("quote every name, whatever it holds", function()
    local statements = sql_of('we"ird; drop table posts; --', function(t)
      t:uuid_id()
      t:string('a"b'):index()
    end)
    assert.equal([[create table "we""ird; drop table posts; --" (
  "id" UUID TEXT primary key not null,
  "a""b" VARCHAR(255) not null
)]], statements[1])
    assert.equal(
      [[create index "we""ird; drop table posts; --_a""b_index" on "we""ird; drop table posts; --" ("a""b")]],
      statements[2])
  end)

  it("shorten a name that would be too long, and keep it apart from its likes", function()
    local one = sql_of(("t"):rep(40), function(t) t:text(("a"):rep(40)):index() end)[2]:match 'index "(.-)"'
    local other = sql_of(("t"):rep(40), function(t) t:text(("a"):rep(41)):index() end)[2]:match 'index "(.-)"'
    assert.equal(63, #one)
    assert.truthy(one:find "^t+_a+_%x%x%x%x%x%x%x%x_index$")
    assert.not_equal(one, other)
    local umlauts = sql_of("t", function(t) t:text(("ü"):rep(30)):index() end)[2]:match 'index "(.-)"'
    assert.truthy(utf8.len(umlauts))
  end)

  it("refuse names that are none", function()
    for given, expected in pairs {
      [""] = "a name, got", ["a\0b"] = "without NUL", ["\255"] = "in UTF-8", [("x"):rep(64)] = "at most 63 bytes",
    } do
      local e = refused(Table.describe, "posts", function(t) t:text(given) end)
      assert.truthy(e.message:find(expected, 1, true), e.message)
      refused(Table.describe, given, function(t) t:id() end)
    end
    refused(Table.describe, "sqlite_posts", function(t) t:id() end)
    refused(Table.describe, "posts", function(t) t:text(7) end)
    refused(Table.describe, "posts", "t:id()")
  end)

  it("refuse what contradicts itself", function()
    for expected, fn in pairs {
      ["has no columns"] = function() end,
      ['"TITLE" comes twice'] = function(t) t:text("title") t:text("TITLE") end,
      ["two primary keys"] = function(t) t:id() t:text("a") t:primary("a") end,
      ["cannot be one of several key columns"] = function(t) t:id() t:text("a"):primary() end,
      ['posts has no column "titel"'] = function(t) t:text("title") t:index("titel") end,
      ['posts has no column "b"'] = function(t) t:text("a") t:primary { "a", "b" } end,
      ['the index "posts_a_index" comes twice'] = function(t) t:text("a"):index() t:index("a") end,
      ["says no table"] = function(t) t:text("a") t:foreign("a") end,
      ["2 columns cannot reference 1"] = function(t) t:text("a") t:text("b") t:foreign { "a", "b" }:references("c") end,
      ['has no option "wher"'] = function(t) t:text("a") t:index("a", { wher = "x" }) end,
      ['"a" comes twice'] = function(t) t:text("a") t:index { "a", "a" } end,
    } do
      local e = refused(Table.describe, "posts", fn)
      assert.truthy(e.message:find(expected, 1, true), e.message)
    end
  end)

  it("describe a model's columns in their order", function()
    local blueprint = Table.describe("posts", function(t)
      t:id()
      t:references("author", "users")
      t:decimal("price", 8, 2):nullable():default("1.5")
      t:enum("status", { "draft", "live" }):default("draft")
      t:soft_deletes()
    end)
    local seen = {}
    for i, column in ipairs(blueprint.columns) do seen[i] = { column.name, column.type, column.nullable } end
    assert.same({ { "id", "integer", false }, { "author_id", "integer", false }, { "price", "decimal", true },
      { "status", "text", false }, { "deleted_at", "datetime", true } }, seen)
    assert.same({ "id" }, blueprint.primary)
    assert.equal(2, blueprint.columns[3].scale)
    assert.equal("draft", blueprint.columns[4].default)
    assert.same({ table = "users", column = "id" }, blueprint.columns[2].references)
  end)
end)

describe("rille.schema", function()
  local db, schema

  before_each(function()
    db = rille.connect ":memory:"
    schema = rille.schema()
  end)
  after_each(function() rille.close() end)

  it("makes tables that keep what their words promise", function()
    schema:create("users", function(t) t:id() end)
    schema:create("posts", function(t)
      t:id()
      t:references("user"):on_delete("cascade")
      t:enum("status", { "draft", "live" }):default("draft")
      t:boolean("hot"):default(true)
      t:json("meta"):nullable()
      t:text("quote"):default("it's")
    end)
    db:execute "insert into users default values"
    db:execute("insert into posts (user_id) values (1)")
    local row = db:query('select "status", "hot", "quote" from "posts"')[1]
    assert.same({ "draft", "it's" }, { row.status, row.quote })
    assert.truthy(row.hot)
    assert.equal("check_violation", refused(db.execute, db, "update posts set status = 'dead'").kind)
    assert.equal("check_violation", refused(db.execute, db, "update posts set hot = 2").kind)
    assert.equal("check_violation", refused(db.execute, db, "update posts set meta = '{'").kind)
    assert.equal("not_null_violation", refused(db.execute, db, "update posts set user_id = null").kind)
    assert.equal("foreign_key_violation", refused(db.execute, db, "update posts set user_id = 2").kind)
  end)

  it("makes all of a table or nothing", function()
    schema:create("taken", function(t) t:id() t:text("a"):index("the_index") end)
    local e = refused(schema.create, schema, "posts", function(t) t:id() t:text("a"):index("the_index") end)
    assert.truthy(e.message:find("the_index", 1, true))
    assert.is_false(schema:has_table("posts"))
  end)

  it("knows tables and columns", function()
    schema:create("posts", function(t) t:id() t:text("title") end)
    schema:raw "create view titles as select title from posts"
    assert.is_true(schema:has_table("posts"))
    assert.is_false(schema:has_table("titles"))
    assert.is_false(schema:has_table("comments"))
    assert.is_true(schema:has_table("Posts"))
    assert.is_true(schema:has_column("posts", "TITLE"))
    assert.is_false(schema:has_column("posts", "body"))
    assert.is_false(schema:has_column("comments", "id"))
  end)

  it("renames a table, and foreign keys follow", function()
    schema:create("users", function(t) t:id() end)
    schema:create("posts", function(t) t:id() t:references("user") end)
    schema:rename("users", "people")
    assert.equal("people", db:describe("posts").foreign[1].table)
    local e = refused(schema.rename, schema, "usrs", "x")
    assert.equal("no_such_table", e.kind)
    assert.equal('there is no table "pepole"', refused(schema.rename, schema, "pepole", "x").message)
    assert.equal('did you mean "people"?', refused(schema.rename, schema, "pepole", "x").hint)
  end)

  it("drops no table that another one refers to", function()
    schema:create("users", function(t) t:id() end)
    schema:create("posts", function(t) t:id() t:references("user"):on_delete("cascade") end)
    db:execute "insert into users default values"
    db:execute "insert into posts (user_id) values (1)"
    local e = refused(schema.drop, schema, "users")
    assert.equal("migration", e.kind)
    assert.equal('"users" cannot be dropped: "posts" refers to it by "user_id"', e.message)
    assert.equal(1, db:query('select count(*) as "n" from "posts"')[1].n)
    schema:drop("posts")
    schema:drop("users")
    assert.same({}, db:tables())
    assert.equal("no_such_table", refused(schema.drop, schema, "users").kind)
    schema:drop_if_exists("users")
  end)

  it("drops no table that a view or a trigger needs", function()
    schema:create("users", function(t) t:id() end)
    schema:create("posts", function(t) t:id() end)
    schema:raw "create view everyone as select * from users"
    local e = refused(schema.drop, schema, "users")
    assert.truthy(e.message:find('the view "everyone" would not work any more', 1, true))
    schema:raw "drop view everyone"
    schema:raw "create trigger t after insert on posts begin delete from users; end"
    assert.truthy(refused(schema.drop, schema, "users").message:find('a trigger of "posts" would not', 1, true))
    schema:drop("posts")
    schema:drop("users")
  end)

  it("runs SQL as it is, but for what would end the transaction around it", function()
    schema:raw "create table t (a)"
    assert.equal(1, schema:raw("insert into t values (?)", "it's").changes)
    for _, sql in ipairs { "commit", " ROLLBACK", "begin immediate", "savepoint x", "release x", "end" } do
      assert.truthy(refused(schema.raw, schema, sql).message:find("transaction", 1, true))
    end
    refused(schema.raw, schema, "pragma foreign_keys = off")
    refused(schema.raw, schema, 3)
  end)

  it("tells what it would run, and runs it not", function()
    schema:create("posts", function(t) t:id() t:text("title") end)
    db:execute("insert into posts (title) values ('kept')")
    local statements = schema:pretend(function(s)
      s:table("posts", function(t) t:text("body"):nullable() end)
      s:create("tags", function(t) t:text("name") end)
      assert.is_true(s:has_column("posts", "body"))
      db:execute("insert into tags (name) values (?)", "a */ b")
    end)
    assert.same({
      'alter table "posts" add column "body" TEXT',
      'create table "tags" (\n  "name" TEXT not null\n)',
      'insert into tags (name) values (?) /* "a * / b" */',
    }, statements)
    assert.is_false(schema:has_column("posts", "body"))
    assert.same({ "posts" }, db:tables())
    assert.equal("kept", db:query("select title from posts")[1].title)
  end)

  it("leads back to the database when a rehearsal fails", function()
    local e = refused(schema.pretend, schema, function(s) s:drop("nothing") end)
    assert.equal("no_such_table", e.kind)
    schema:create("posts", function(t) t:id() end)
    assert.same({ "posts" }, db:tables())
  end)

  it("has a neighbour for a word that is not known", function()
    assert.equal('did you mean "create"?', refused(function() schema:creat("x") end).hint)
  end)
end)
