--- promote_spec: a database of SQLite taken to PostgreSQL, whatever it holds; RILLE_SPEC_URL names a server.
local Promotion = require "spec.support.promotion"
local rille = require "rille"

local TYPES <const> = [[schema:create("things", function(t)
  t:id()
  t:string("name", 30):nullable() t:text("body"):nullable() t:integer("count"):nullable() t:bigint("big"):nullable()
  t:float("ratio"):nullable() t:decimal("price", 10, 2):nullable() t:decimal("exact", 30, 12):nullable()
  t:boolean("ok"):nullable() t:date("day"):nullable() t:datetime("at"):nullable() t:json("meta"):nullable()
  t:blob("data"):nullable() t:uuid("key"):nullable() t:enum("state", { "new", "old" }):nullable()
end)]]

local function all_bytes()
  local bytes = {}
  for i = 0, 255 do bytes[i + 1] = string.char(i) end
  return table.concat(bytes)
end

describe("a database that is promoted", function()
  local p
  before_each(function() p = Promotion.new() end)
  after_each(function() p:close() end)

  describe("keeps", function()
    it("the values of every type", function()
      p:migrate(TYPES)
      p.here:insert("things", {
        { name = "plain", body = "text", count = 1, big = 2, ratio = 0.5, price = "12.50", exact = "1.000000000001",
          ok = true, day = "2026-11-28", at = "2026-11-28T12:00:00.123456Z", meta = '{"a":[1,2.5,"x"]}',
          data = rille.blob "bytes", key = "0f8fad5b-d9cb-469f-a165-70867728950e", state = "new" },
        { name = "", body = "\t\n\r\\\\N \\. '\"", count = 0, big = math.maxinteger, ratio = -1.7976931348623157e308,
          price = "-99999999.99", exact = "-999999999999999999.999999999999", ok = false, day = "0001-01-01",
          at = "9999-12-31T23:59:59.999999Z", meta = [["\n\\\"é"]], data = rille.blob(all_bytes()), state = "old",
          key = "ffffffff-ffff-ffff-ffff-ffffffffffff" },
        { name = ("é"):rep(30), body = "\\.", count = math.mininteger, big = math.mininteger, ratio = 5e-324,
          price = "0.00", exact = "0.000000000000", day = "2024-02-29", at = "0001-01-01T00:00:00.000000Z",
          meta = "false", data = rille.blob "" },
        { name = "\\N", body = "\u{10FFFF}\u{1}", ratio = 0.1, meta = '{"deep":[[[[{"n":9007199254740993}]]]]}',
          data = rille.blob "\\x00" },
        {},
      })
      local done = p:run()
      assert.equal("done", done.state)
      assert.is_true(p:same("things"))
      assert.equal(0, done.misfit_count)
    end)

    it("what other programs wrote in another form", function()
      p:migrate(TYPES)
      p.here:execute [[insert into things (at, day, meta, key, exact, price) values
        ('2026-11-28 12:00', '2026-11-28', '{"b":1.50,"a":[1e2],"b":2,"t":"\u00e9\/"}',
        '0F8FAD5B-D9CB-469F-A165-70867728950E', 7, 3), ('2026-11-28T12:00:00+02:00', '2026-11-28T00:00:00Z',
        ' [ 1 ] ', null, '+1.5', 0.1)]]
      p:run()
      local rows = p.there:table("things"):order_by("id"):all()
      assert.same({ "2026-11-28T12:00:00.000000Z", "2026-11-28", "0f8fad5b-d9cb-469f-a165-70867728950e",
        "7.000000000000", "3.00" }, { rows[1].at, rows[1].day, rows[1].key, rows[1].exact, rows[1].price })
      assert.same({ a = { 100 }, b = 2, t = "é/" }, require "rille.json".decode(rows[1].meta))
      assert.same({ "2026-11-28T10:00:00.000000Z", "2026-11-28", "1.500000000000", "0.10" },
        { rows[2].at, rows[2].day, rows[2].exact, rows[2].price })
    end)

    it("rows of all tenants, where the database keeps these apart", function()
      p:migrate [[schema:create("orgs", function(t) t:id() end)
        schema:create("memos", function(t) t:id() t:references("org"):tenant() t:text("body") t:row_security() end)]]
      p.here:insert("orgs", { { id = 1 }, { id = 2 } })
      p.here:insert("memos", { { org_id = 1, body = "a" }, { org_id = 2, body = "b" } })
      assert.equal("done", p:run().state)
      assert.equal("already", p:run().state)
      assert.equal(0, p.there:table("memos"):count())
      p.there:close()
      local there = require "rille.handle".new("there", setmetatable({ walled = true }, { __index = p.there.settings }))
      assert.equal(2, there:table("memos"):count())
      local forced = there:query "select relforcerowsecurity as is from pg_class where oid = 'memos'::regclass"[1].is
      assert.is_true(forced)
      there:close()
    end)

    it("keys of several columns, references in circles and to themselves, and no rows", function()
      p:migrate [[
        schema:create("people", function(t) t:id() t:string("name") t:references("boss", "people"):nullable()
          t:integer("team_id"):nullable() end)
        schema:create("teams", function(t) t:id() t:references("lead", "people"):nullable() end)
        schema:table("people", function(t) t:foreign("team_id"):references("teams", "id") end)
        schema:create("seats", function(t) t:integer("row") t:string("letter") t:text("note"):nullable()
          t:primary { "row", "letter" } end)
        schema:create("bookings", function(t) t:id() t:integer("seat_row") t:string("seat_letter")
          t:foreign { "seat_row", "seat_letter" }:references("seats", { "row", "letter" }) end)
        schema:create("nothing", function(t) t:id() end)]]
      p.here:execute "pragma foreign_keys = off"
      p.here:execute "insert into people values (1, 'a', 3, 2), (2, 'b', 1, 1), (3, 'c', null, null)"
      p.here:execute "insert into teams values (1, 2), (2, 3)"
      p.here:execute "insert into seats values (2, 'a', 'x'), (1, 'b', null), (1, 'a', 'y')"
      p.here:execute "insert into bookings values (9, 1, 'b')"
      p:run()
      assert.is_true(p:same("people", "teams", "seats", "bookings", "nothing"))
      for _, wrong in ipairs { "insert into people (name, boss_id) values ('x', 99)", "delete from people where id = 3",
        "update bookings set seat_letter = 'z'", "update people set team_id = 7" } do
        local ok, e = pcall(p.there.execute, p.there, wrong)
        assert.is_false(ok)
        assert.equal("foreign_key_violation", e.kind)
      end
    end)

    it("tables of many columns and of names that want quotes", function()
      p:migrate [[
        schema:create('we"ird ta\nble', function(t) t:id() t:text('sel"ect') t:text("from"):nullable()
          t:text("Ünï"):nullable() t:text("rowid"):nullable() end)
        schema:create("wide", function(t) t:id() for i = 1, 400 do t:integer("c" .. i):nullable() end end)]]
      p.here:insert('we"ird ta\nble', { { ['sel"ect'] = "a", from = "b", ["Ünï"] = "c", rowid = "d" },
        { ['sel"ect'] = "x" } })
      for i = 1, 20 do p.here:insert("wide", { ["c" .. i] = i, c400 = -i }) end
      p:run()
      assert.is_true(p:same('we"ird ta\nble', "wide"))
    end)

    it("a hundred thousand rows", function()
      p:migrate [[schema:create("rows", function(t) t:id() t:text("a") t:integer("b") t:datetime("c") end)]]
      p.here:execute [[with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
        insert into rows (a, b, c) select 'row ' || i, i * 7, '2026-01-01T00:00:00.000000Z' from n]]
      local told = {}
      local done = p:run { on_progress = function(step)
        told[step.step] = math.max(told[step.step] or 0, step.rows or 0)
      end }
      assert.equal(100001, done.rows)
      assert.same({ 100000, 100000, 100000 }, { told.checking, told.copying, told.comparing })
      local sum = p.there:query([[select count(*) as n, sum(b) as s from "rows"]])[1]
      assert.same({ n = 100000, s = 35000350000 }, sum)
    end)

    it("the greatest id that there ever was", function()
      p:migrate [[schema:create("notes", function(t) t:id() t:text("a") end)
        schema:create("empty", function(t) t:id() t:text("a") end)]]
      p.here:insert("notes", { { id = 7, a = "x" }, { id = 90, a = "gone" } })
      p.here:execute "delete from notes where id = 90"
      p:run()
      assert.equal(91, p.there:create("notes", { a = "next" }).id)
      assert.equal(1, p.there:create("empty", { a = "first" }).id)
    end)

    it("the ledger of migrations, and what these put into tables once", function()
      p:migration("0001_a", [[schema:create("kinds", function(t) t:id() t:text("name") end)
        db:insert("kinds", { { name = "one" }, { name = "two" } })]], [[schema:drop "kinds"]])
      rille.migrate { connection = "here" }
      p:migration("0002_b", [[schema:create("late", function(t) t:id() end)]], [[schema:drop "late"]])
      rille.migrate { connection = "here" }
      p.here:execute "update kinds set name = 'changed' where id = 1"
      p:run()
      assert.is_true(p:same("kinds", "rille_migrations"))
      assert.same({}, rille.migrate { connection = "there" }.applied)
      local back = require "rille.migrator".rollback { connection = "there" }.rolled_back
      assert.same({ 1, "0002_b" }, { #back, back[1].name })
    end)
  end)

  describe("from the catalog, where no migration made it,", function()
    it("has the types that its columns mean or hold", function()
      for _, sql in ipairs { [[create table old (id integer primary key, a nvarchar(20) not null default 'x', b tinyint,
          c numeric(8,2), d timestamp, e, f number, g "unsigned big int", h real default 1.5, i clob, j bool default 1,
          k thing, l blob, unique (a, b), check (b < 100))]],
        "create index old_d on old (d desc) where b > 1", "create table parent (code text primary key) without rowid",
        "create table child (parent_code text references parent (code) on delete cascade, pos integer)" } do
        p.here:execute(sql)
      end
      p.here:execute [[insert into old values (5, 'ä', 1, 12.25, '2026-01-01 10:00:00', x'00ff', 7, 9, 2.5, 'text', 0,
        'text', x'01'), (6, 'b', null, null, null, null, 8, null, null, null, null, null, null),
        (7, 'c', null, null, 1700000000, null, null, null, null, null, null, null, null)]]
      p.here:execute "insert into parent values ('p')"
      p.here:execute "insert into child values ('p', 1), ('p', 1), (null, 2)"
      local done = p:run()
      local types = {}
      for _, column in ipairs(p.there:describe("old").columns) do types[column.name] = column.declared end
      assert.same({ id = "bigint", a = "text", b = "bigint", c = "numeric(8,2)", d = "timestamp(6) with time zone",
        e = "bytea", f = "bigint", g = "bigint", h = "double precision", i = "text", j = "boolean", k = "text",
        l = "bytea" }, types)
      assert.equal(7, done.rows)
      assert.is_true(p:same("parent", "child"))
      assert.equal("2023-11-14T22:13:20.000000Z", p.there:find_by_id("old", 7).d)
      assert.equal(8, p.there:create("old", { a = "next" }).id)
      assert.equal("check_violation", select(2, pcall(p.there.execute, p.there, "update old set b = 100")).kind)
      assert.equal("unique_violation", select(2, pcall(p.there.execute, p.there,
        "insert into old (a, b) values ('ä', 1)")).kind)
      p.there:execute "delete from parent"
      assert.equal(1, p.there:table("child"):count())
    end)

    it("has the tables of JSON Schemas", function()
      p.here:create_table { title = "readers", type = "object", required = { "email" }, properties = {
        id = { type = "integer", ["x-primary-key"] = true, ["x-auto-increment"] = true },
        email = { type = "string", format = "email" }, age = { type = "integer", minimum = 0 },
        tags = { type = "array", items = { type = "string" } } } }
      p.here:create("readers", { email = "joan@example.org", tags = { "new" } })
      p:run()
      assert.is_true(p:same("readers"))
      local nobody, wrong = p.there:create("readers", { email = "joan", age = 1 })
      assert.is_nil(nobody)
      assert.equal("validation", wrong.kind)
    end)

    it("says what does not go over, and leaves it behind when told so", function()
      for _, sql in ipairs { "create table a (id integer primary key, t text collate nocase, u text as (upper(t)))",
        "create index a_lower on a (lower(t))", "create view v as select * from a",
        "create trigger tr after insert on a begin update a set t = 'x'; end",
        "create virtual table f using fts5(t)", "insert into a (id, t) values (1, 'y')" } do
        p.here:execute(sql)
      end
      local e = p:refused()
      assert.equal("unsupported", e.kind)
      local kinds = {}
      for _, each in ipairs(e.done.left) do kinds[each.kind] = each.name end
      assert.same({ view = "v", trigger = "tr", ["virtual table"] = "f", collation = "a.t", definition = "a" }, kinds)
      assert.same({}, p.there:tables())
      local done = p:run { accept = true }
      assert.equal("done", done.state)
      assert.equal("x", p.there:query("select t from a")[1].t)
      assert.equal(#e.done.left, #p:run().left)
    end)

    it("can leave tables behind", function()
      p.here:execute "create table a (id integer primary key)"
      p.here:execute "create table b (id integer primary key, a_id integer references a (id))"
      assert.equal("invalid_argument", p:refused { skip = { "a" } }.kind)
      assert.matches("has no table", p:refused { skip = { "c" } }.message)
      p:run { skip = { "b" } }
      assert.same({ "a", "rille_promotion" }, p.there:tables())
    end)
  end)

  describe("is refused, and nothing is written,", function()
    it("where values do not fit, which are named", function()
      p:migrate(TYPES)
      p.here:execute "pragma ignore_check_constraints = on"
      p.here:execute [[insert into things (id, name, body, count, ratio, price, exact, ok, day, at, meta, data, key)
        values (1, printf('%.31c', 'x'), cast(x'ff' as text), 'many', 'x', 1.005, '1e5', 2, '2026-02-30', 'never',
        '{', 1, 'key'), (2, null, 'a' || char(0) || 'b', 1.5, null, '100000000', '0.0000000000001', 'true',
        '2026-01-01T10:00:00Z', '2026-01-01T00:00:00.1234567Z', '"\u0000"', 2.5, null),
        (3, x'00', 7, null, null, null, null, null, '0000-01-01', '0000-01-01', '[1e999999]', null, null)]]
      local seen = p:run { dry_run = true }
      local columns = {}
      for _, each in ipairs(seen.misfits) do
        columns[#columns + 1] = each.row:match "%d" .. each.column
        assert.equal("things", each.table)
        assert.matches("^things%." .. each.column .. " ", each.why)
      end
      assert.same({ "1name", "1body", "1count", "1ratio", "1price", "1exact", "1ok", "1day", "1at", "1meta", "1data",
        "1key", "2body", "2count", "2price", "2exact", "2ok", "2day", "2at", "2meta" },
        table.move(columns, 1, 20, 1, {}))
      assert.equal(25, seen.misfit_count)
      assert.equal("dry_run", seen.state)
      local e = p:refused()
      assert.equal("validation", e.kind)
      assert.matches("25 values do not fit", e.message)
      assert.equal(20, #e.done.misfits)
      assert.same({}, p.there:tables())
    end)

    it("where a column without a type holds this and that", function()
      p:migrate [[schema:create("a", function(t) t:id() end)]]
      p.here:execute "create table odd (id integer primary key, v)"
      p.here:execute "insert into odd values (1, 1), (2, 'x')"
      for _, options in ipairs { {}, { dry_run = true } } do
        local e = p:refused(options)
        assert.matches("odd: v holds values of several kinds %(integer, text%)", e.message)
        assert.matches("skip", e.hint)
      end
      assert.equal("done", p:run { skip = { "odd" } }.state)
    end)

    it("where references lead nowhere", function()
      p:migrate [[schema:create("a", function(t) t:id() t:references("up", "a"):nullable() end)]]
      p.here:execute "pragma foreign_keys = off"
      p.here:execute "insert into a values (1, null), (2, 5)"
      local seen = p:run { dry_run = true }
      assert.same({ { table = "a", row = "rowid = 2", why = "a refers to a row of a that is not there" } },
        seen.misfits)
      assert.equal("validation", p:refused().kind)
    end)

    it("where a check or a unique index of PostgreSQL refuses what those of SQLite took", function()
      p:migrate [[schema:create("a", function(t) t:id() t:text("t") end)
        schema:create("seen", function(t) t:id() end) db:insert("seen", { id = 1 })
        schema:create("pair", function(t) t:id() t:json("meta"):unique() end)]]
      p.here:insert("a", { { t = "x" }, { t = "y" } })
      p.here:execute "create table odd (id integer primary key, t text check (t like 'a%'))"
      p.here:execute "insert into odd values (1, 'abc'), (2, 'Abc')"
      p.here:execute [[insert into pair values (1, '{"a":1}'), (2, '{"a": 1}')]]
      local seen = p:run { dry_run = true }
      assert.equal(2, seen.misfit_count)
      assert.same({ "odd", "a row" }, { seen.misfits[1].table, seen.misfits[1].row })
      assert.matches("odd_t_check; COPY odd, line 2; .*Abc", seen.misfits[1].why)
      assert.same({ "pair", "meta" }, { seen.misfits[2].table, seen.misfits[2].column })
      assert.same({}, p.there:tables())
      local e = p:refused()
      assert.equal("check_violation", e.kind)
      assert.matches("^odd refuses a row: ", e.message)
      assert.matches("line 2; .*Abc", e.hint)
      p.here:execute "update odd set t = 'abc'"
      p.here:execute "delete from pair where id = 2"
      assert.equal(0, p:run { dry_run = true }.misfit_count)
      assert.equal("done", p:run().state)
      assert.is_true(p:same("odd", "a", "seen", "pair"))
    end)

    it("where the target has rows already, or other migrations", function()
      p:migrate [[schema:create("a", function(t) t:id() end)]]
      p.there:execute "create table a (id bigint primary key)"
      p.there:execute "insert into a values (1)"
      assert.equal("unique_violation", p:refused().kind)
      assert.equal("unique_violation", p:refused { dry_run = true }.kind)
      p.there:execute "drop table a"
      p:migration("0002_b", [[schema:create("b", function(t) t:id() end)]])
      rille.migrate { connection = "there" }
      assert.equal("migration", p:refused().kind)
    end)

    it("where migrations are pending, changed or missing in the source", function()
      p:migrate [[schema:create("a", function(t) t:id() end)]]
      p:migration("0002_b", "")
      assert.matches("0002_b is pending", p:refused().message)
      os.remove(p.root .. "/migrations/0002_b.lua")
      p:migration("0001_all", "")
      assert.matches("0001_all is changed", p:refused().message)
      p:run { schema = "catalog" }
      assert.is_true(p:same("a", "rille_migrations"))
    end)

    it("with options that mean nothing", function()
      for _, options in ipairs { { nonsense = 1 }, { to = "here" }, { to = "other.db" }, { from = "there" },
        { from = "nowhere" }, { schema = "both" }, { skip = "a" } } do
        local e = p:refused(options)
        assert.is_true(e.kind == "invalid_argument" or e.kind == "unsupported", e.kind)
      end
      assert.equal("not_found", p:refused().kind)      -- the file was never made
    end)
  end)

  it("can be promoted into a target that was migrated before, and has nothing else", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end)]]
    rille.migrate { connection = "there" }
    p.here:insert("a", { t = "x" })
    p:run()
    assert.is_true(p:same("a", "rille_migrations"))
  end)

  it("changes nothing in a dry run", function()
    p:migrate(TYPES)
    p.here:insert("things", { name = "x" })
    local seen = p:run { dry_run = true }
    assert.same({ "dry_run", 2, 0 }, { seen.state, seen.rows, seen.misfit_count })
    assert.same({}, p.there:tables())
  end)

  it("says that it was, the second time, whatever became of it since", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end)]]
    p.here:insert("a", { t = "x" })
    local first = p:run()
    p.there:insert("a", { t = "new" })
    p.here:insert("a", { t = "elsewhere" })
    local again = p:run()
    assert.same({ "already", first.rows }, { again.state, again.rows })
    assert.equal(2, p.there:table("a"):count())
  end)

  it("is not done when somebody wrote to it meanwhile; the next run copies what changed", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end) schema:create("b", function(t) t:id() end)]]
    p.here:insert("a", { t = "x" })
    local writer = require "rille.core".open { driver = "sqlite", database = p.source }
    local e = p:refused { on_progress = function(step)
      if step.step == "comparing" and step.table == "b" then writer:execute "insert into a (t) values ('late')" end
    end }
    writer:close()
    assert.equal("serialization_failure", e.kind)
    local states = {}
    for _, each in ipairs(p:run().tables) do states[each.name] = each.state end
    assert.same({ a = "copied", b = "kept", rille_migrations = "kept" }, states)
    assert.is_true(p:same("a", "b"))
  end)

  it("is left alone where somebody wrote to the target meanwhile, or another database comes", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end) schema:create("b", function(t) t:id() end)]]
    p.here:insert("a", { t = "x" })
    local function break_off(step)
      if step.step == "copying" and step.table == "b" then error "broken off" end
    end
    assert.has_error(function() p:run { on_progress = break_off } end)
    p.there:insert("a", { id = 50, t = "not from there" })
    assert.equal("checksum_mismatch", p:refused().kind)
    assert.equal(2, p.there:table("a"):count())
    os.rename(p.source, p.source .. ".moved")
    p.source = p.source .. ".moved"
    p:connect()
    assert.matches("another database", p:refused().message)
  end)

  it("is not gone on with when the source has become another one", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end) schema:create("b", function(t) t:id() end)]]
    p.here:execute "create table loose (id integer primary key)"
    p.here:insert("a", { t = "x" })
    local function break_off(step)
      if step.step == "copying" and step.table == "a" then error "broken off" end
    end
    assert.has_error(function() p:run { on_progress = break_off } end)
    p.here:execute "create view seen as select t from a"
    assert.matches('not all of the source goes over: view "seen"', p:refused().message)
    p.here:execute "drop table loose"
    local e = p:refused { accept = true }
    assert.equal("migration", e.kind)
    assert.matches('"loose" was to go over when this promotion began', e.message)
  end)

  it("keeps what somebody writes to a table of the target while the source is looked at", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end)]]
    p.here:insert("a", { t = "x" })
    rille.migrate { connection = "there" }
    local writer = require "rille.handle".new("writer", p.there.settings)
    local e = p:refused { on_progress = function(step)
      if step.step == "checking" and step.table == "a" then writer:insert("a", { t = "somebody's" }) end
    end }
    assert.equal("unique_violation", e.kind)
    assert.same({ "somebody's" }, { table.unpack(writer:table("a"):pluck "t") })
    writer:close()
  end)

  it("is taken over by one process at a time", function()
    p:migrate [[schema:create("a", function(t) t:id() end)]]
    local other = require "rille.handle".new("other", p.there.settings)
    other:_query [[select pg_advisory_lock(hashtext('rille_promotion'), hashtext(current_schema())) as x]]
    assert.equal("locked", p:refused().kind)
    other:close()
    assert.equal("done", p:run().state)
  end)

  it("is not told apart from the source by rows that the target changes by itself", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end)]]
    p.here:insert("a", { t = "x" })
    rille.migrate { connection = "there" }
    p.there:execute [[create function shout() returns trigger language plpgsql as
      $$ begin new.t = upper(new.t); return new; end $$]]
    p.there:execute "create trigger shouts before insert on a for each row execute function shout()"
    p:run()
    assert.is_true(p:same("a"))
    p.there:insert("a", { t = "y" })
    assert.equal("Y", p.there:table("a"):order_by_desc("id"):first().t)
  end)

  it("names the rows that the target would keep otherwise", function()
    p:migrate [[schema:create("a", function(t) t:id() t:text("t") end)]]
    p.here:insert("a", { { t = "x" }, { t = "y" } })
    rille.migrate { connection = "there" }
    p.there:execute "create rule twice as on insert to a do also nothing"
    p.there:execute [[create function shout() returns trigger language plpgsql as
      $$ begin new.t = upper(new.t); return new; end $$]]
    p.there:execute "create trigger shouts before insert on a for each row when (new.id = 2) execute function shout()"
    p.there:execute "alter table a enable always trigger shouts"
    local run = require "rille.promote.finish"
    local plain = run.plain
    run.plain = function(_, _, fn) return fn() end
    local e = p:refused()
    run.plain = plain
    assert.equal("checksum_mismatch", e.kind)
    assert.matches("id = 2 is another", e.message)
    assert.equal(0, p.there:table("a"):count())
  end)
end)
