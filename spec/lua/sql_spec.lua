--- sql_spec: scripts split and placeholders found, whatever stands in quotes and remarks.
local recording = require "spec.support.recording"
local refused = require "spec.support.refused"
local Sql = require "rille.sql"

local null = recording().core.null

describe("sql.split", function()
  it("gives the statements without their semicolons, and the lines they begin in", function()
    local statements, lines = Sql.split "select 1;\n\nselect 2 ;\n  select 3"
    assert.same({ "select 1", "select 2", "select 3" }, statements)
    assert.same({ 1, 3, 4 }, lines)
  end)

  it("drops what is empty: no text, blanks, remarks, lone semicolons", function()
    assert.same({}, (Sql.split ""))
    assert.same({}, (Sql.split " ;; -- nothing\n; /* nothing ; */ ;"))
    assert.same({ "select 1" }, (Sql.split "-- before\nselect 1 -- behind ;\n; -- after"))
  end)

  it("keeps remarks inside a statement", function()
    assert.same({ "select /* a;b */ 1 -- c\n, 2" }, (Sql.split "select /* a;b */ 1 -- c\n, 2;"))
  end)

  it("leaves alone what stands in quotes", function()
    for _, quoted in ipairs { "'a;b'", "'a'';b'", '"a;b"', '"a"";b"', "`a;b`", "[a;b]", "$$a;b$$",
      "$x$ $$;$y$; $x$", "x'3B'" } do
      assert.same({ "select " .. quoted, "select 2" }, (Sql.split("select " .. quoted .. "; select 2")))
    end
  end)

  it("keeps the body of a trigger together, case … end included", function()
    local trigger = [[create trigger if not exists t after update of a on posts for each row
      when case when new.a then 1 else 0 end
    begin
      update posts set a = case when b = ';' then 1 else 2 end where id = new.id;  -- end;
      insert into log values ('end; ');
    END]]
    assert.same({ trigger, "select 1" }, (Sql.split(trigger .. ";\nselect 1;")))
    local temporary = "CREATE TEMP TRIGGER t BEFORE DELETE ON p BEGIN SELECT 1; SELECT CASE a WHEN 1 THEN 2 END; END"
    assert.same({ temporary, "select 1" }, (Sql.split(temporary .. ";select 1")))
  end)

  it("does not take a transaction or a name for a trigger's body", function()
    assert.same({ "begin", "insert into t values (1)", "end" }, (Sql.split "begin; insert into t values (1); end;"))
    assert.same({ "create table begin_end (a)", "select 1" }, (Sql.split "create table begin_end (a); select 1"))
    assert.same({ "create trigger t after insert on p execute function f()", "select 1" },
      (Sql.split "create trigger t after insert on p execute function f(); select 1"))
  end)

  it("says in which line something was opened and never closed", function()
    for text, message in pairs {
      ["select 1;\nselect 'abc;\n"] = "a text literal is not closed; it begins in line 2",
      ["select 1;\n\n/* abc"] = "a comment is not closed; it begins in line 3",
      ['select "a'] = "a quoted name is not closed; it begins in line 1",
      ["\nselect [a"] = "a name in brackets is not closed; it begins in line 2",
      ["select $q$ abc $$"] = "a dollar quote is not closed; it begins in line 1",
      ["select 1;\ncreate trigger t after insert on p\nbegin\n select 1;\n"] =
        "the body after `begin` has no `end`; it begins in line 3",
    } do
      local e = refused(Sql.split, text)
      assert.equal("syntax", e.kind)
      assert.equal(message, e.message)
    end
  end)

  it("reads a long script without a limit on its length", function()
    local statements, lines = Sql.split(("insert into t values ('a;b', 1);\n"):rep(20000))
    assert.equal(20000, #statements)
    assert.equal(20000, lines[20000])
  end)

  it("wants text", function()
    assert.equal("split: wants SQL text, got nil", refused(Sql.split, nil).message)
  end)
end)

describe("sql.placeholders for PostgreSQL", function()
  local function bind(...) return Sql.placeholders("query", "postgres", ...) end

  it("numbers them, and turns ?? into a question mark", function()
    local sql, params = bind("select ? from t where tags ?? ? and a = ?", 1, "x", null)
    assert.equal("select $1 from t where tags ? $2 and a = $3", sql)
    assert.same({ n = 3, 1, "x", null }, params)
    assert.equal("select $1, $2, $3", (bind("select :a, :b, :a", { a = 1, b = 2 })))
  end)

  it("finds them in brackets, which quote nothing there", function()
    assert.equal("select array[$1, $2], a[1:2], `$3`", (bind("select array[?, ?], a[1:2], `?`", 1, 2, 3)))
  end)

  it("finds none in literals with backslashes, dollar quotes and remarks in remarks", function()
    local text = [[select E'it\'s ?', e'\\', 'a\', $tag$ ? $$ ? $tag$, /* ? /* ? */ ? */ 1]]
    assert.equal(text, (bind(text)))
    assert.equal("the placeholder $1 is not known in line 1", refused(bind, "select $1").message)
  end)

  it("ends a remark where that database does: at a carriage return, too", function()
    assert.equal("select 1 -- ?\r, $1", (bind("select 1 -- ?\r, ?", 2)))
    assert.equal("select 1 -- ?\r, ?\n", (Sql.placeholders("query", "sqlite", "select 1 -- ?\r, ?\n")))
  end)

  it("says what a statement is about, past remarks in remarks", function()
    for about, text in next, { control = "/* /* */ select */ commit", schema = "-- x\rdrop table t --\nselect 1" } do
      assert.equal(about, (select(3, bind(text))), text)
      assert.is_false(select(3, Sql.placeholders("query", "sqlite", text)), text)
    end
  end)

  it("takes neither casts nor operators for names", function()
    assert.equal("select $1::int, a @> b, @ c", (bind("select :a::int, a @> b, @ c", { a = 1 })))
  end)
end)

describe("sql.placeholders", function()
  local function bind(...) return Sql.placeholders("query", "sqlite", ...) end

  it("leaves a text without any as it is", function()
    local sql, params = bind "select a from b"
    assert.equal("select a from b", sql)
    assert.same({ n = 0 }, params)
  end)

  it("counts ? and turns ?? into a question mark", function()
    local sql, params = bind("select ? ?? ?, ???", 1, false, null)
    assert.equal("select ? ? ?, ??", sql)
    assert.same({ n = 3, 1, false, null }, params)
  end)

  it("finds none in literals, names and remarks", function()
    local text = "select '?:a', \"?:b\", `?`, [?:c], $$ ?:d $$ -- ? :e\n /* ? :f */ , ?"
    local sql, params = bind(text, 7)
    assert.equal(text, sql)
    assert.same({ n = 1, 7 }, params)
  end)

  it("takes names from one table, each as often as it stands there", function()
    local sql, params = bind("select :a, :b, :a", { a = 1, b = null })
    assert.equal("select ?, ?, ?", sql)
    assert.same({ n = 3, 1, null, 1 }, params)
  end)

  it("takes neither a cast nor a time for a name", function()
    assert.equal("select ?::int, a :: b", (bind("select :a::int, a :: b", { a = 1 })))
    assert.equal("select '12:30'", (bind "select '12:30'"))
  end)

  it("refuses values that are too few, too many or nil", function()
    assert.equal("query: the statement has 2 placeholders, 1 value came", refused(bind, "? ?", 1).message)
    assert.equal("query: the statement has 0 placeholders, 1 value came", refused(bind, "select 1", 1).message)
    assert.equal("query: value 2 has no value (nil)", refused(bind, "? ?", 1, nil).message)
    assert.equal("query: the statement has 2 placeholders, 1 value came", refused(bind, "? ?", { 1, 2 }).message)
    assert.equal("values are passed one by one, not in a table", refused(bind, "? ?", { 1, 2 }).hint)
    assert.equal("query: value 1 is a table, which no column can hold", refused(bind, "?", { 1 }).message)
  end)

  it("refuses names without a value, and values without a name", function()
    assert.equal("query: :b has no value (nil)", refused(bind, ":a :b", { a = 1 }).message)
    local e = refused(bind, ":title", { title = 1, titel = 2 })
    assert.equal('query: the statement has no :titel\n  hint: did you mean "title"?', tostring(e))
    assert.equal("query: the statement has names (:a) and wants one table of values", refused(bind, ":a", 1).message)
    assert.equal("query: the statement has names (:a) and wants one table of values",
      refused(bind, ":a", { a = 1 }, 2).message)
    for _, e_of_kind in ipairs { e } do assert.equal("invalid_argument", e_of_kind.kind) end
  end)

  it("refuses a mixture, and marks that SQLite would read NULL for", function()
    assert.equal("the statement mixes ? and :a", refused(bind, "? :a", 1).message)
    for _, mark in ipairs { "?1", "$1", "$name", "@name", ":1" } do
      local e = refused(bind, "select a$b, " .. mark, 1)
      assert.equal("syntax", e.kind)
      assert.equal(("the placeholder %s is not known in line 1"):format(mark), e.message)
    end
  end)

  it("gives the same for a text that it has read before, and after many others", function()
    for round = 1, 2 do
      for i = 1, 1000 do
        local sql, params = bind(("select :v%d"):format(i), { ["v" .. i] = round })
        assert.equal("select ?", sql)
        assert.equal(round, params[1])
      end
    end
  end)

  it("refuses anything but text", function()
    assert.equal("query: wants SQL text, got 1 (integer)", refused(bind, 1).message)
  end)
end)

describe("sql.gives_rows", function()
  it("tells statements that are read from those that are run", function()
    for _, text in ipairs { "select 1", " -- x\n/* y */ SELECT 1", "values (1)", "with a as (select 1) select * from a",
      "pragma user_version", "explain select 1", "insert into t values (1) RETURNING id" } do
      assert.is_true(Sql.gives_rows(text), text)
    end
    for _, text in ipairs { "insert into t values (1)", "update t set a = 1", "create table t (a)", "",
      "delete from returnings" } do
      assert.is_false(Sql.gives_rows(text), text)
    end
  end)
end)
