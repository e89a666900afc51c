--- hostile/values_spec: what no database can hold, wherever a value is taken: refused, nothing changed, none of it run.
local world = require "spec.support.world"
local null, rille = world.null, world.rille

--- What takes a value for a column; each calls one method.
local PLACES <const> = {
  where = function(Post, c, v) return Post:where(c, v):all() end,
  where_not = function(Post, c, v) return Post:where(c, "!=", v):all() end,
  where_more = function(Post, c, v) return Post:where(c, ">", v):all() end,
  where_table = function(Post, c, v) return Post:where({ [c] = v }):all() end,
  where_in = function(Post, c, v) return Post:where_in(c, { v }):all() end,
  where_in_many = function(Post, c, v)
    local list = {}
    for i = 1, 40 do list[i] = v end
    return Post:where_in(c, list):all()
  end,
  where_between = function(Post, c, v) return Post:where_between(c, v, v):all() end,
  where_raw = function(Post, _, v) return Post:where_raw("title = ?", v):all() end,
  where_json = function(Post, _, v) return Post:where_json("meta.a", v):all() end,
  where_json_contains = function(Post, _, v) return Post:where_json_contains("meta.a", v):all() end,
  having = function(Post, c, v) return Post:group_by(c):having(c, v):all() end,
  select_raw = function(Post, _, v) return Post:select_raw("? as x", v):all() end,
  order_by_raw = function(Post, _, v) return Post:order_by_raw("id + ?", v):all() end,
  filter = function(Post, c, v) return Post:filter(c .. " = :v", { v = v }):all() end,
  insert = function(Post, c, v) return Post:insert { title = "x", [c] = v } end,
  insert_many = function(Post, c, v) return Post:insert { { title = "x" }, { title = "x", [c] = v } } end,
  upsert = function(Post, c, v) return Post:upsert({ id = 1, title = "x", [c] = v }, "id") end,
  update = function(Post, c, v) return Post:where("id", 1):update { [c] = v } end,
  increment_extra = function(Post, c, v) return Post:where("id", 1):increment("views", 1, { [c] = v }) end,
  create = function(Post, c, v) return Post:create { title = "x", [c] = v } end,
  first_or_create = function(Post, c, v) return Post:first_or_create({ title = "x", [c] = v }) end,
  assign = function(Post, c, v) Post:first()[c] = v end,
  set = function(Post, c, v) return Post:first():set(c, v) end,
  fill = function(Post, c, v) return Post:first():fill { [c] = v } end,
  record_update = function(Post, c, v) return Post:first():update { [c] = v } end,
  query = function(_, _, v) return rille.db():query("select ? as x", v) end,
  execute = function(_, _, v) return rille.db():execute("update posts set body = ?", v) end,
  named = function(_, _, v) return rille.db():query("select :v as x", { v = v }) end,
  handle_insert = function(_, c, v) return rille.db():table("posts"):insert { title = "x", [c] = v } end,
}

local COLUMNS <const> = { "title", "body", "views", "score", "price", "live", "at", "day", "data" }

--- A table whose every metamethod raises.
local function trap()
  local function sprung() error("a metamethod was called", 0) end
  return setmetatable({}, { __index = sprung, __newindex = sprung, __len = sprung, __pairs = sprung,
    __tostring = sprung,
    __eq = sprung, __lt = sprung, __call = sprung, __concat = sprung, __close = sprung })
end

describe("a value", function()
  local Post, User, before
  before_each(function()
    Post, User = world.blog {}
    User:insert { name = "ann" }
    Post:insert { { title = "a", views = 1 } }
    before = world.picture()
  end)

  --- Every place with every column refuses the value.
  local function refuse_everywhere(name, value, columns)
    for place, call in pairs(PLACES) do
      for _, column in ipairs(columns or COLUMNS) do
        local ok, e = pcall(call, Post, column, value)
        local what = ("%s as %s in %s"):format(name, column, place)
        assert.is_false(ok, what .. " was taken")
        assert.is_true(rille.is_error(e, "invalid_argument"), what .. ": " .. tostring(e))
        assert.is_truthy(utf8.len(e.message), what)
      end
    end
    assert.equal(before, world.picture(), name)
  end

  for name, value in pairs {
    ["NaN"] = 0 / 0, ["-NaN"] = -(0 / 0), ["infinity"] = math.huge, ["-infinity"] = -math.huge, ["a function"] = print,
    ["a Lua function"] = function() end, ["a thread"] = coroutine.create(print), ["a file"] = io.stdout,
      ["an empty table"] = {},
    ["a table"] = { a = 1 }, ["a list"] = { 1, 2 }, ["an operator from outside"] = { ["$ne"] = 0 },
      ["a list of none"] = { nil },
    ["a table in a table"] = { { 1 } }, ["half a date"] = { year = 2026 },
      ["a date of texts"] = { year = "x", month = 1, day = 1 },
    ["a trap"] = trap(), ["a table called year"] = { year = {} },
  } do
    it(("that is %s is refused everywhere"):format(name), function() refuse_everywhere(name, value) end)
  end

  it("that is one of ours but no value is refused everywhere", function()
    refuse_everywhere("a class", Post)
    refuse_everywhere("a query", Post:where("id", 1))
    refuse_everywhere("a record", Post:first())
    refuse_everywhere("a list", Post:all())
    refuse_everywhere("a handle", rille.db())
    refuse_everywhere("an error", select(2, pcall(Post.find, Post)))
  end)

  it("that refers to itself is refused everywhere", function()
    local cyclic = {}
    cyclic[1], cyclic.self = cyclic, cyclic
    refuse_everywhere("a cycle", cyclic)
  end)

  it("that is no text is refused as one", function()
    for name, value in pairs { ["NUL"] = "a\0b", ["NUL alone"] = "\0", ["a lone byte"] = "\xff",
      ["overlong"] = "\xc0\x80",
      ["a surrogate"] = "\xed\xa0\x80", ["beyond Unicode"] = "\xf4\x90\x80\x80", ["half a character"] = "a\xc3",
      ["a long one"] = ("x"):rep(100000) .. "\0" } do
      refuse_everywhere(name, value, { "title", "body" })
    end
  end)

  it("that is missing is refused wherever it would be a condition", function()
    local places = { where = true, where_not = true, where_more = true, where_in_many = false, where_between = true,
      where_json = true, where_json_contains = true, having = true }
    for place, is_condition in pairs(places) do
      if is_condition then
        world.untouched("invalid_argument", PLACES[place], Post, "views", nil)
      end
    end
    world.untouched("invalid_argument", Post.where, Post, "views")
    world.untouched("invalid_argument", Post.where, Post, {})
    world.untouched("invalid_argument", Post.where, Post, { nil })
    world.untouched("invalid_argument", Post.where, Post, nil)
    world.untouched("invalid_argument", Post.where_in, Post, "id", nil)
    world.untouched("invalid_argument", Post.where_in, Post, "id", { 1, nil, 3 })
    world.untouched("invalid_argument", Post.where_in, Post, "id", { null })
    world.untouched("invalid_argument", Post.where_in, Post, "id", { id = 1 })
    world.untouched("invalid_argument", Post.where_in, Post, "id", 1)
    world.untouched("invalid_argument", Post.where_in, Post, "id", "1,2")
    world.untouched("invalid_argument", Post.where_between, Post, "id", 1)
    world.untouched("invalid_argument", Post.where, Post, "id", "between", { 1 })
    world.untouched("invalid_argument", Post.where, Post, "id", "between", { 1, 2, 3 })
    world.untouched("invalid_argument", function() return Post:where("views", ">", null):all() end)
    world.untouched("invalid_argument", function() return Post:where_between("views", null, 3):all() end)
    world.untouched("invalid_argument", Post.where_like, Post, "title", null)
    world.untouched("invalid_argument", Post.where_date, Post, "at", null)
    world.untouched("invalid_argument", function() return Post:filter("views = :v", {}) end)
    world.untouched("invalid_argument", function() return Post:filter("views = :v") end)
  end)

  it("that cannot be a part of a date is refused", function()
    for _, bad in ipairs { "2024-02-30", "2023-02-29", "2026-13-01", "2026-1-1", "now", "", 1, true, "2026-01-01; --",
      "2026-01-01 ", "10000-01-01", "2026-01-01T00:00:00+99:99" } do
      world.untouched("invalid_argument", function() return Post:where_date("at", bad):all() end)
    end
    for _, word in ipairs { "where_year", "where_month", "where_day" } do
      for _, bad in ipairs { "2024", 1.5, true, "x", 0 / 0 } do
        world.untouched("invalid_argument", function() return Post[word](Post, "at", bad):all() end)
      end
    end
  end)

  it("at the ends of 64 bits is exact everywhere", function()
    for _, value in ipairs { math.maxinteger, math.mininteger, 2 ^ 53 // 1 | 0, (1 << 53) + 1, -(1 << 53) - 1, 0,
      -1 } do
      local post = Post:create { title = "x", views = value, meta = { n = value } }
      assert.equal(value, Post:find(post.id).views)
      assert.equal(value, Post:find(post.id).meta.n)
      assert.equal(post.id, Post:where("views", value):order_by_desc("id"):value "id")
      assert.equal(post.id, Post:where_in("views", { value }):order_by_desc("id"):value "id")
      local many = {}
      for i = 1, 40 do many[i] = value end
      assert.equal(post.id, Post:where_in("views", many):order_by_desc("id"):value "id")
      assert.is_truthy(Post:find(post.id):to_json():find(('"views":%d'):format(value), 1, true))
      assert.equal(value, Post:where("id", post.id):sum "views")
      assert.equal(value, Post:where("id", post.id):max "views")
      assert.equal(value, rille.db():query("select cast(? as bigint) as x", value)[1].x)
      local page = Post:where("views", value):order_by("views"):cursor_paginate { per_page = 1 }
      assert.equal(value, page.data[1].views)
    end
    local edge = Post:find(Post:create({ title = "edge" }).id)
    edge.id = math.maxinteger
    edge:save()
    assert.equal("edge", Post:find(math.maxinteger).title)
    assert.is_nil(Post:find(math.mininteger))
    for _, value in ipairs { 2 ^ 63, -2 ^ 64, 1e19, 1.5 } do
      world.untouched("invalid_argument", Post.find, Post, value)
      world.untouched("invalid_argument", function() return Post:where("views", value):all() end)
      world.untouched("invalid_argument", Post.create, Post, { title = "x", views = value })
    end
  end)

  it("of a text is kept byte for byte, and never becomes SQL", function()
    local bytes = {}
    for byte = 1, 127 do bytes[byte] = string.char(byte) end
    for _, text in ipairs { "x' OR 1=1 --", "\\'; --", "$$", "E'\\x27'", "'; drop table posts; --", '"', '""', "''",
      "?", "??",
      ":x", "@x", "$1", "%", "_", "*", "[x]", "\r\n", "\u{FEFF}bom", "\u{202E}rtl", "\u{1F600}", "null", "NULL", "0",
        "1e5",
      table.concat(bytes), ("\\"):rep(255), ("'"):rep(255), "/* */ --", "; select 1" } do
      local post = Post:create { title = text, body = text, meta = { [text] = text } }
      assert.equal(text, Post:find(post.id).title)
      assert.same({ [text] = text }, Post:find(post.id).meta)
      for place, found in pairs { where = Post:where("title", text), table = Post:where { title = text },
        list = Post:where_in("title", { text }), between = Post:where_between("body", text, text),
        raw = Post:where_raw("title = ?", text), named = Post:where_raw("title = :t", { t = text }),
        filter = Post:filter("title = :t", { t = text }), json = Post:where("meta", { [text] = text }) } do
        assert.same({ post.id }, found:pluck "id", place .. ": " .. text)
      end
      local pattern = text:gsub("[%%_\\]", "\\%0")
      assert.same({ post.id }, Post:where_like("title", pattern):pluck "id", "like " .. text)
      post:delete()
    end
    local function without_counter(picture) return (picture:gsub("'posts',%d+", "")) end
    assert.equal(without_counter(before), without_counter(world.picture()))
  end)

  it("of ten million bytes is kept, found and refused like any other", function()
    local long = ("0123456789"):rep(1000000)
    local post = Post:create { title = "long", body = long, data = long .. "\0\xff", meta = { long = long } }
    post = Post:find(post.id)
    assert.is_true(post.body == long and post.data == long .. "\0\xff" and post.meta.long == long)
    assert.equal(1, Post:where("body", long):count())
    assert.is_true(Post:where("id", post.id):value "body" == long)
    post.body = long .. "x"
    assert.is_true(post:save():is_dirty() == false)
    assert.equal(0, Post:where("body", long):count())
    local list = {}
    for i = 1, 40 do list[i] = "short " .. i end
    list[40] = long .. "x"
    assert.equal(1, Post:where_in("body", list):count())
    post:delete()
    for _, call in ipairs { function() return Post:where(long, 1):all() end,
      function() return Post:where("id", long):all() end,
      function() return Post:find(long) end, function() return Post:order_by(long):all() end,
      function() return Post:create { title = long .. "\0" } end, function() return Post:create { views = long } end,
      function() return Post:where_like("title", long):all() end, function() return Post:where_raw(long) end,
      function() return Post:where_json("meta." .. long .. '"', 1) end,
        function() return Post:cursor_paginate { cursor = long } end } do
      local ok, e = pcall(call)
      assert.is_true(ok or rille.is_error(e), tostring(e):sub(1, 200))
      assert.is_true(ok or #tostring(e) < 3000, "a message of " .. (ok and 0 or #tostring(e)) .. " bytes")
    end
    assert.equal(1, Post:count())
  end)

  it("never shows in the text of a statement (taint)", function()
    local MARK <const> = "mark7b1c"
    local taken = 0
    for place, call in pairs(PLACES) do
      for _, column in ipairs { "title", "body" } do
        local stop = rille.on("query", function(info)
          assert.is_nil(info.sql:find(MARK, 1, true), place)
        end)
        local ok, e = pcall(call, Post, column, MARK)
        stop()
        assert.is_true(ok or rille.is_error(e), place .. ": " .. tostring(e))
        taken = taken + (ok and 1 or 0)
      end
    end
    assert.is_true(taken > 40)
    for _, query in ipairs { Post:where("title", MARK), Post:where_in("title", { MARK }),
      Post:where_like("title", MARK),
      Post:where_json("meta." .. MARK, MARK), Post:filter("title = '" .. MARK .. "'"),
        Post:where_raw("title = ?", MARK),
      Post:select("title"):having("title", MARK):group_by("title"), Post:limit(71717171):offset(71717171),
        Post:where_date("at", "7171-07-17"),
      Post:where_between("title", MARK, MARK), Post:where_exists(User:where("name", MARK)) } do
      local sql = query:to_sql()
      assert.is_nil(sql:find(MARK, 1, true))
      assert.is_nil(sql:find("7171", 1, true))
    end
  end)

  it("makes one statement of many: the shape decides, not the value", function()
    local shapes = {}
    for _, value in ipairs { 1, -1, math.maxinteger, 0, 5.0 } do
      shapes[(Post:where("views", value):to_sql())] = true
    end
    for _, value in ipairs { "a", "b' or 1", ("x"):rep(1000), "" } do
      shapes[(Post:where("title", value):to_sql())] = true
    end
    for count = 33, 60 do
      local list = {}
      for i = 1, count do list[i] = i end
      shapes[(Post:where_in("views", list):to_sql())] = true
    end
    local count = 0
    for _ in pairs(shapes) do count = count + 1 end
    assert.equal(3, count)
  end)
end)
