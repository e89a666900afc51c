--- hostile/names_spec: SQL and rubbish where a name, a direction or an operator is taken: refused, none of it run.
local world = require "spec.support.world"
local rille = world.rille

local TEXTS <const> = {
  'id"; drop table users; --', "id; drop table posts", "id' or '1'='1", '"id"', "[id]", "`id`", "id --", "id /*",
    "1", "1=1", "*/",
  "(select name from users)", 'a" , (select email from users) as "b', "ID", " id", "id ", "id\n", "posts.id ",
    "posts..id", ".id",
  "id.", ".", "..", "posts.users.id", "main.posts.id", "users.email", 'posts"."id', "count(*)", "rowid", "oid",
    "_rowid_", "?", ":id",
  "$1", "@id", "%s", "%n", "\0", "id\0", "\0id", "\xff", "\xc0\x80", "\xed\xa0\x80", "id\xef\xbb\xbf",
  "і​d", "＿id", "",
  "null", "true", "sqlite_master", ("x"):rep(64), ("x"):rep(100000), "\27[31mid", "id,title", "id as x",
    "title collate nocase",
}

-- Words that some places rightly take, by place.
local AS <const>, JOINED <const> = { ["id as x"] = true }, { ["users.email"] = true }
local FINE <const> = { select = AS, add_select = AS, pluck = AS, pluck_key = AS, value = AS, join_left = JOINED,
  join_right = JOINED }
local KINDS <const> = { no_such_column = true, no_such_table = true, invalid_argument = true, mass_assignment = true,
  syntax = true, unsupported = true }

--- What takes a name: each calls one method with the text in the place of a name.
local COLUMNS <const> = {
  where = function(q, t) return q:where(t, 1):all() end,
  where_operator = function(q, t) return q:where(t, ">", 1):all() end,
  where_table = function(q, t) return q:where({ [t] = 1 }):all() end,
  where_not = function(q, t) return q:where_not(t, 1):all() end,
  or_where = function(q, t) return q:where("id", 1):or_where(t, 1):all() end,
  where_in = function(q, t) return q:where_in(t, { 1 }):all() end,
  where_in_long = function(q, t) return q:where_in(t, table.move({}, 1, 0, 1, (function()
    local list = {}
    for i = 1, 40 do list[i] = i end
    return list
  end)())):all() end,
  where_not_in = function(q, t) return q:where_not_in(t, { 1 }):all() end,
  where_between = function(q, t) return q:where_between(t, 1, 2):all() end,
  where_null = function(q, t) return q:where_null(t):all() end,
  where_like = function(q, t) return q:where_like(t, "x"):all() end,
  where_ilike = function(q, t) return q:where_ilike(t, "x"):all() end,
  where_column = function(q, t) return q:where_column(t, "id"):all() end,
  where_column_right = function(q, t) return q:where_column("id", t):all() end,
  where_date = function(q, t) return q:where_date(t, "2026-01-01"):all() end,
  where_year = function(q, t) return q:where_year(t, 2026):all() end,
  having = function(q, t) return q:group_by("id"):having(t, 1):all() end,
  select = function(q, t) return q:select(t):all() end,
  add_select = function(q, t) return q:select("id"):add_select(t):all() end,
  group_by = function(q, t) return q:group_by(t):all() end,
  order_by = function(q, t) return q:order_by(t):all() end,
  order_by_desc = function(q, t) return q:order_by_desc(t):all() end,
  latest = function(q, t) return q:latest(t):all() end,
  join_left = function(q, t) return q:join("users", t, "users.id"):all() end,
  join_right = function(q, t) return q:join("users", "posts.id", t):all() end,
  pluck = function(q, t) return q:pluck(t) end,
  pluck_key = function(q, t) return q:pluck("id", t) end,
  value = function(q, t) return q:value(t) end,
  count = function(q, t) return q:count(t) end,
  sum = function(q, t) return q:sum(t) end,
  max = function(q, t) return q:max(t) end,
  update = function(q, t) return q:where("id", 1):update { [t] = 1 } end,
  increment = function(q, t) return q:where("id", 1):increment(t) end,
  increment_extra = function(q, t) return q:where("id", 1):increment("views", 1, { [t] = 1 }) end,
  cursor_paginate = function(q, t) return q:order_by(t):cursor_paginate {} end,
  chunk = function(q, t) return q:order_by(t):chunk(2, print) end,
  exists = function(q, t) return q:where(t, 1):exists() end,
  cursor = function(q, t) return q:where(t, 1):cursor() end,
}

describe("a text in the place of a name", function()
  local Post, User, db, before

  before_each(function()
    Post, User, db = world.blog {}
    User:insert { { name = "ann", email = "secret@x", age = 1 } }
    Post:insert { { title = "a", views = 1, author_id = 1, body = "x" } }
    before = world.picture()
  end)

  --- The call is refused as an error of ours that can be shown, before any SQL is sent, and nothing has changed.
  local function refuse(place, text, call, ...)
    local said = {}
    local stop = rille.on("query", function(info) said[#said + 1] = info.sql end)
    local ok, e = pcall(call, ...)
    stop()
    local what = ("%s with %q"):format(place, #text > 80 and text:sub(1, 80) or text)
    assert.is_false(ok, what .. " was taken")
    assert.is_true(rille.is_error(e), what .. ": " .. tostring(e))
    assert.is_true(KINDS[e.kind], what .. ": " .. e.kind)
    assert.same({}, said, what)
    for _, part in ipairs { e.message, e.hint } do              -- what a log and a terminal can take
      assert.is_true(#part < 600, what .. ": a message of " .. #part .. " bytes")
      assert.is_truthy(utf8.len(part), what .. ": a message that is no UTF-8")
      assert.is_nil(part:find "[\0-\31\127]", what .. ": a message with control characters: " .. part)
    end
  end

  local names = {}
  for place in pairs(COLUMNS) do names[#names + 1] = place end
  table.sort(names)
  for _, place in ipairs(names) do
    it("is no column of " .. place, function()
      local tried = 0
      for _, text in ipairs(TEXTS) do
        if not (FINE[place] and FINE[place][text]) then
          for _, query in ipairs { Post:query(), db:table("posts") } do
            refuse(place, text, COLUMNS[place], query, text)
            tried = tried + 1
          end
        end
      end
      assert.is_true(tried > 100)
      assert.equal(before, world.picture())
    end)
  end

  it("is no key of a row or a record", function()
    local post = Post:first()
    for _, text in ipairs(TEXTS) do
      refuse("insert", text, Post.insert, Post, { [text] = 1, title = "x" })
      world.untouched("no_such_column", Post.insert, Post, { { title = "x" }, { [text] = 1 } })
      refuse("insert_or_ignore", text, Post.insert_or_ignore, Post, { [text] = 1 })
      refuse("upsert", text, Post.upsert, Post, { id = 1, title = "x", [text] = 1 }, "id")
      refuse("upsert by", text, Post.upsert, Post, { id = 1, title = "x" }, text)
      refuse("upsert update", text, Post.upsert, Post, { id = 1, title = "x" }, "id", { text })
      refuse("create", text, Post.create, Post, { [text] = 1 })
      refuse("new", text, Post.new, Post, { [text] = 1 })
      refuse("fill", text, post.fill, post, { [text] = 1 })
      refuse("update", text, post.update, post, { [text] = 1 })
      refuse("first_or_create", text, Post.first_or_create, Post, { [text] = 1 }, {})
      refuse("record", text, function() post[text] = 1 end)
      refuse("record", text, function() return post[text] end)
      refuse("set", text, post.set, post, text, 1)
      refuse("raw", text, post.raw, post, text)
      refuse("record increment", text, post.increment, post, text)
      refuse("is_dirty", text, post.is_dirty, post, text)
    end
    assert.equal(before, world.picture())
  end)

  it("is no table", function()
    for _, text in ipairs(TEXTS) do
      if text ~= "sqlite_master" then
        refuse("join", text, function() return Post:join(text, "posts.id", "users.id"):all() end)
        refuse("table", text, function() return db:table(text):all() end)
        refuse("prefix", text, function() return Post:where(text .. ".id", 1):all() end)
      end
      refuse("joined as", text, function()
        return Post:join("users as " .. text, "posts.id", "users.id"):select("posts.id"):all()
      end)
    end
    for i, text in ipairs(TEXTS) do
      if text ~= "sqlite_master" then
        local Model = rille.model("Evil" .. i, { table = text ~= "" and text or nil })
        refuse("model", text, Model.all, Model)
      end
    end
    assert.equal(before, world.picture())
  end)

  it("is no alias", function()
    for _, text in ipairs(TEXTS) do
      local alone = text:find "^[%a_\x80-\xff][%w_\x80-\xff]*$" and utf8.len(text) and #text <= 63
      if not alone then
        refuse("select as", text, function() return Post:select("title as " .. text):all() end)
        refuse("add_select as", text, function() return Post:select("id"):add_select("title as " .. text):all() end)
      end
    end
    assert.equal(before, world.picture())
  end)

  it("is no direction", function()
    for _, text in ipairs { "desc; drop table users", "DESC NULLS LAST--", "asc, (select 1)", "-1", "\0asc", "asc\0",
      "asc ", "Asc",
      "descending", "", ("a"):rep(100000), 1, -1, true, {} } do
      refuse("order_by", tostring(text), function() return Post:order_by("id", text):all() end)
      refuse("reorder", tostring(text), function() return Post:reorder("id", text):all() end)
    end
    assert.equal(before, world.picture())
  end)

  it("is no operator", function()
    for _, text in ipairs { "= 1 or 1=1 --", "~*", "@@", ";", "=;", "= ", " =", "==", "===", "", "\0", "=\0", "and",
      "or", "glob",
      "match", "regexp", "||", "is distinct from", "LIKE", "Like", "exists", "any", "||'", ("="):rep(10000), "\xff" } do
      refuse("where", text, function() return Post:where("id", text, 1):all() end)
      refuse("where_column", text, function() return Post:where_column("id", text, "views"):all() end)
      refuse("where_date", text, function() return Post:where_date("at", text, "2026-01-01"):all() end)
      refuse("where_json", text, function() return Post:where_json("meta.a", text, 1):all() end)
      refuse("having", text, function() return Post:group_by("id"):having("id", text, 1):all() end)
      refuse("join", text, function()
        return Post:join("users", "users.id", text, "posts.id"):select("posts.id"):all()
      end)
    end
    for _, operator in ipairs { 1, true, {}, print } do
      refuse("where", "?", function() return Post:where("id", operator, 1) end)
      refuse("having", "?", function() return Post:having("id", operator, 1) end)
    end
    assert.equal(before, world.picture())
  end)

  it("is no path into JSON, or only a path", function()
    Post:where("id", 1):update { meta = { a = 1, ["x' or 1=1 --"] = 2, ["$.a"] = 3 } }
    before = world.picture()
    for _, path in ipairs { "meta.$.a' or 1=1", "meta.a]", "meta.[0]", "meta.a'", "meta.a')) or 1=1 --",
      "meta.a::int) or (1=1",
      "meta.{a,b}", "meta.->>a", "meta.__proto__", "meta.*", "meta.**", "meta.#-1", "meta.@", "meta.?(@.a)",
      "meta." .. ("a."):rep(1000) .. "b" } do
      local ok, found = pcall(function() return Post:where_json(path, 1):count() end)
      assert.is_true(ok and found == 0 or rille.is_error(found), ("%s: %s"):format(path, tostring(found)))
    end
    assert.equal(1, Post:where_json("meta.x' or 1=1 --", 2):count())
    for _, path in ipairs { 'meta."a"', "meta.a\\", 'meta.a"b', "meta.a\0b", "meta.\xff", "", ".", "metta.a",
      "meta->a", "meta a" } do
      refuse("where_json", path, function() return Post:where_json(path, 1):all() end)
      refuse("where_json_contains", path, function() return Post:where_json_contains(path, 1):all() end)
    end
    assert.equal(before, world.picture())
  end)

  it("is no text of a filter", function()
    for _, text in ipairs { "id = 1; drop table users", "id = 1 --", "id = 1 or 1 = 1", "1 = 1", "id = (select 1)",
      "id in (select 1)",
      'id = 1 union select 1', "id = id()", "\0", "id = '", 'id = "x', "id = 1 and", "((((", "", " ", "\xff",
      ("("):rep(10000) .. "id = 1" .. (")"):rep(10000), "not " .. ("not "):rep(10000) .. "id = 1", "id = 'a\0b'",
      'title = \'\xff\'', "id = 99999999999999999999", "nope = 1", "users.id = 1", "title = title", "id = :id",
      '"id""; drop table users" = 1' } do
      local ok, e = pcall(function() return Post:filter(text):all() end)
      assert.is_true(ok and text == "title = title" or rille.is_error(e), text)
    end
    for _, bad in ipairs { 1, true, {}, print } do refuse("filter", "?", function() return Post:filter(bad) end) end
    assert.equal(before, world.picture())
  end)

  it("is no relation, scope, event or option", function()
    for _, text in ipairs(TEXTS) do
      refuse("without_global_scope", text, Post.without_global_scope, Post, text)
      refuse("on", text, rille.on, text, print)
      refuse("db", text, rille.db, text)
      refuse("method", text, function() return Post[text](Post) end)
      refuse("query method", text, function() return Post:query()[text](Post:query()) end)
      refuse("cursor", text, Post.cursor_paginate, Post, { cursor = text })
      refuse("is_error", text, rille.is_error, {}, text)
    end
    assert.equal(before, world.picture())
  end)

  it("which is a word of SQL, is a column like any other", function()
    db:execute [[create table "select" ("order" integer primary key, "group" TEXT, "table" TEXT,
      "from" INTEGER default 1,
      "has ""quotes""" TEXT, "with.dot" TEXT, "ünïcode" TEXT, " spaced " TEXT)]]
    db:forget()
    local Select = rille.model "Select" { table = "select", primary_key = "order" }
    local row = Select:create { group = "g", table = "t", ['has "quotes"'] = "q", ["ünïcode"] = "u",
      [" spaced "] = "s" }
    assert.same({ 1, "g", "t", 1, "q", "u", "s" },
      { row.order, row.group, row.table, row.from, row['has "quotes"'], row["ünïcode"], row[" spaced "] })
    assert.equal(1, Select:where("group", "g"):where('has "quotes"', "q"):where("ünïcode", "u"):where(" spaced ", "s")
      :order_by("table"):group_by("order"):count())
    row['has "quotes"'] = "Q"
    row:save()
    assert.equal("Q", Select:where("order", 1):value 'has "quotes"')
    assert.equal(1, Select:where("order", 1):update { from = 2, [" spaced "] = "S" })
    assert.same({ 2, "S" }, { Select:find(1).from, Select:find(1)[" spaced "] })
  end)
end)
