--- schema_table_spec: tables made, changed and dropped, alike on every engine: what they keep, and what is refused.
local Altered = require "spec.support.altered"
local Database = require "spec.support.database"
local Engine = require "rille.schema.engine"
local core = require "rille.core"
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

  it("refuses to narrow where rows would not fit, counts them and shows the first", function()
    local e = refused_whole(function(t) t:text("email"):change() end)
    assert.equal("migration", e.kind)
    assert.equal('1 row of "users" holds NULL in "email" (id 1)', e.message)
    assert.equal("users", e.table)
    assert.equal("email", e.column)
    local name, email = ' in "name" (the first: id 1: "u1")', ' in "email" (the first: id 2: "2@example.org")'
    for expected, fn in pairs {
      ['3 rows of "users" hold no integer' .. name] = function(t) t:integer("name"):change() end,
      ['3 rows of "users" hold no number' .. name] = function(t) t:float("name"):change() end,
      ['3 rows of "users" hold neither true nor false in "age" (the first: id 1: "20")'] =
        function(t) t:boolean("age"):change() end,
      ['3 rows of "users" hold more than 1 characters' .. name] = function(t) t:string("name", 1):change() end,
      ['2 rows of "users" hold none of its values in "name" (the first: id 1: "u1")'] =
        function(t) t:enum("name", { "u3" }):change() end,
      ['3 rows of "users" hold no date' .. name] = function(t) t:date("name"):change() end,
      ['2 rows of "users" hold no moment' .. email] = function(t) t:datetime("email"):nullable():change() end,
      ['2 rows of "users" hold no UUID' .. email] = function(t) t:uuid("email"):nullable():change() end,
      ['2 rows of "users" hold no JSON' .. email] = function(t) t:json("email"):nullable():change() end,
      ['3 rows of "users" hold no number of so many digits in "age" (the first: id 1: "20")'] =
        function(t) t:decimal("age", 1, 0):change() end,
      ['2 rows of "users" hold no number of so many digits' .. email] =
        function(t) t:decimal("email", 20, 2):nullable():change() end,
    } do
      assert.equal(expected, refused_whole(fn).message)
    end
  end)

  it("shows the first row by its key, or by what it holds where it has none", function()
    schema:create("pairs", function(t) t:integer "a" t:text "b" t:text "c" t:primary { "b", "a" } end)
    db:execute "insert into pairs (a, b, c) values (1, 'y', '7'), (2, 'x', 'two'), (1, 'x', 'one\n')"
    local function to_integer(t) t:integer("c"):change() end
    assert.equal('2 rows of "pairs" hold no integer in "c" (the first: b "x", a 1: "one\\n")',
      refused_whole(to_integer, "pairs").message)
    alter("pairs", function(t) t:drop_primary() end)
    assert.equal('2 rows of "pairs" hold no integer in "c" (the first: "one\\n")',
      refused_whole(to_integer, "pairs").message)
  end)

  it("counts the least and the greatest integer, too, where they have too many digits", function()
    schema:create("sums", function(t) t:bigint "n" end)
    db:insert("sums", { { n = math.mininteger }, { n = math.maxinteger }, { n = -9 } })
    local e = refused(schema.table, schema, "sums", function(t) t:decimal("n", 1, 0):change() end)
    assert.equal('2 rows of "sums" hold no number of so many digits in "n" (the first: "-9223372036854775808")',
      e.message)
  end)

  it("takes no text for a number, a day or a document that it nearly is", function()
    local types = {
      integer = { good = { "7", "-9223372036854775808", "9223372036854775807", "4.0" },
        bad = { "", "7.5", "9223372036854775808", "0x10", "1e", "7 8", "--7" } },
      float = { good = { "0.1", "1e300", "-7", ".5" }, bad = { "x", "1e", "1.2.3", "" } },
      decimal = { good = { "12.34", "-0.5", "12345678.9" }, bad = { "123456789", "0.125", "x", "" } },
      date = { good = { "2024-02-29", "0001-01-01" },
        bad = { "2023-02-29", "2024-13-01", "2024-1-1", "0000-01-01", "now", "" } },
      datetime = {
        good = { "2024-02-29T23:59:59Z", "2024-02-29 10:00:00.123456", "2024-02-29", "2024-02-29T10:00+14:30" },
        bad = { "2024-02-30T00:00:00Z", "2024-02-29T25:00:00Z", "2024-02-29T24:00:00", "2024-02-29T10:00:60",
          "2024-02-29T10", "2024-02-29T10:00 ", "2024-02-29T10:00:00.1234567Z", "2024-02-29T10:00+0530",
          "2024-02-29T10:00+15:00", "2024-02-29T10:00z", "0000-01-01", "yesterday", "" } },
      json = { good = { "{}", "[1, null]", '"x"', "1" }, bad = { "{", "", "nul", "{'a': 1}" } },
      uuid = { good = { "6F9619FF-8B86-D011-B42D-00C04FC964FF" }, bad = { "6f9619ff8b86d011b42d00c04fc964ff", "" } },
      boolean = { good = { "0", "1", "1.0" }, bad = { "2", "yes", "", " 1", "01", "1e0" } },
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
        assert.matches("^1 row of \"probes\" holds n.* in \"c\" %(\".*\"%)$", e.message)
        schema:drop "probes"
      end
    end
  end)

  --- Change a column `c` with one value; what it holds then as text, or the error.
  local function changed(from, value, fn)
    schema:create("probes", function(t) t[from](t, "c") end)
    db:insert("probes", { c = value })
    local ok, e = pcall(alter, "probes", function(t) fn(t):change() end)
    local text = ok and db:query("select cast(c as text) as c from probes")[1].c or nil
    if not ok then
      assert.is_true(rille.is_error(e, "migration"), tostring(e))
      assert.equal(value, db:query("select c from probes")[1].c)
    end
    schema:drop "probes"
    return text, not ok and e or nil
  end

  -- Text -> the decimal with 2 digits behind the point that it is.
  local DECIMALS <const> = {
    ["7"] = "7.00", ["-12.5"] = "-12.50", ["1.50000000000000000000000"] = "1.50", ["007"] = "7.00", ["+7"] = "7.00",
    [" 5"] = "5.00", ["\t\v\f\r\n5 "] = "5.00", [".5"] = "0.50", ["-.25"] = "-0.25", ["5."] = "5.00", ["-0"] = "0.00",
    ["1e3"] = "1000.00", ["1.5E+2"] = "150.00", ["725e-2"] = "7.25", ["0.0000001e0007"] = "1.00", ["0e-999"] = "0.00",
    ["99999999.99"] = "99999999.99", ["-99999999.99"] = "-99999999.99", [("0"):rep(999) .. "7"] = "7.00",
  }
  local NO_DECIMALS <const> = { "", " ", ".", "-", "x", "7x", "e5", "1e", "1e+", "--7", "+-7", "- 7", "1 000", "1,5",
    "1_000", "0x10", "1.2.3", "NaN", "Infinity", "-inf", "1e1000", "1e-1000", "1e999", "0.005", "7.001", "1e-3",
    "1.0000000000000000000000001", "9007199254740993.001", "\u{A0}5", "5\u{2003}", "\u{FF15}", "\u{661}",
    ("0"):rep(1000) .. "7" }
  -- Digits -> what has more of them.
  local LONG <const> = {
    [10] = { "100000000", "1e8", "-100000000", "99999999.995", "99999999.990000000000000001" },
    [20] = { "1000000000000000000", "1e18", "999999999999999999.995" },
  }

  it("makes decimals of the texts that are some, exactly, and of no other", function()
    for text, decimal in pairs(DECIMALS) do
      local short = decimal:gsub("0$", ""):gsub("%.0$", "")                 -- as SQLite keeps few digits, in a number
      assert.equal(decimal, changed("text", text, function(t) return t:decimal("c", 20, 2) end), text)
      assert.equal(is_postgres and decimal or short,
        changed("text", text, function(t) return t:decimal("c", 10, 2) end), text)
    end
    for precision, long in pairs(LONG) do
      for _, text in ipairs(table.move(NO_DECIMALS, 1, #NO_DECIMALS, #long + 1, table.move(long, 1, #long, 1, {}))) do
        local _, e = changed("text", text, function(t) return t:decimal("c", precision, 2) end)
        assert.is_not_nil(e, text)
        assert.equal(('1 row of "probes" holds no number of so many digits in "c" ("%s")'):format(core.shown(text)),
          e.message)
      end
    end
    assert.equal("9007199254740993.01", changed("text", "9007199254740993.01", function(t)
      return t:decimal("c", 20, 2)
    end))
  end)

  it("makes decimals of numbers with the digits that they show, and of no other", function()
    for _, case in ipairs { { "float", 1e15, "1000000000000000.00" }, { "float", 0.1, "0.10" },
      { "float", -2.25, "-2.25" }, { "bigint", math.maxinteger, nil, "9223372036854775807" },
      { "bigint", 100000000000000000, "100000000000000000.00" }, { "boolean", true, "1.00" },
      { "float", 0.1 + 0.2, nil, "0.30000000000000004" }, { "float", 1e300, nil, "1.0e+300" },
      { "float", 5e-324, nil, "5.0e-324" } } do
      local from, value, expected, shown = table.unpack(case, 1, 4)
      local made, e = changed(from, value, function(t) return t:decimal("c", 20, 2) end)
      assert.equal(expected, made)
      if shown then assert.truthy(e.message:find(('("%s")'):format(shown), 1, true), e.message) end
    end
  end)

  it("makes integers and floats of the texts that are some, without a digit that goes", function()
    local function integer(t) return t:integer "c" end
    local function float(t) return t:float "c" end
    for text, made in pairs { [" 5"] = "5", ["1e3"] = "1000", ["9007199254740993.0"] = "9007199254740993",
      ["-9223372036854775808"] = "-9223372036854775808", ["9.223372036854775807e18"] = "9223372036854775807" } do
      assert.equal(made, changed("text", text, integer))
    end
    for _, text in ipairs { "1.00000000000000000001", "9223372036854775808", "-9223372036854775809", "1e19", "1e-1",
      "NaN", "0x10", "" } do
      assert.is_nil((changed("text", text, integer)), text)
    end
    for _, text in ipairs { " 5", "1e3", "-.5", "1e-320", "1.7976931348623157e308" } do
      assert.is_not_nil(changed("text", text, float), text)
    end
    for _, text in ipairs { "1e309", "-1.8e308", "1e-400", "NaN", "Infinity", "0x10", "" } do
      assert.is_nil((changed("text", text, float)), text)
    end
    for _, real in ipairs { 1.0, 0.1 + 0.2, 1e15, -1e300, 1234567890123456.0 } do
      assert.equal(real, tonumber((changed("float", real, function(t) return t:text "c" end))))
    end
  end)

  it("takes the whole change back where one of its columns is refused", function()
    db:execute "update users set name = ' 1e' || id"
    local e = refused_whole(function(t)
      t:text "more":nullable()
      t:decimal("name", 20, 2):change()
      t:decimal("email", 20, 2):nullable():change()
    end)
    assert.equal('2 rows of "users" hold no number of so many digits in "email" (the first: id 2: "2@example.org")',
      e.message)
    alter("users", function(t) t:decimal("name", 20, 2):change() end)
    assert.same({ "10.00", "100.00", "1000.00" }, db:table("users"):order_by("id"):pluck "name")
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
    assert.equal('3 rows of "users" hold bytes instead of text in "age" (the first: id 1)', e.message)
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
    assert.equal('1 row of "days" holds no date in "c" ("2024-02-29T00:00:00.000001Z")', e.message)
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
