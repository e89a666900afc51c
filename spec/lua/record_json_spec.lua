--- record_json_spec: records and lists as JSON and as plain tables, with loaded relations.
local world = require "spec.support.world"
local rille, null, refused = world.rille, world.null, world.refused
local List = require "rille.list"
local State = require "rille.record.state"
local json = require "rille.json"

local relate = State.set_relation

--- Names of an object in the order in which they are written.
local function keys_of(text)
  local keys, depth = {}, 0
  for token in text:gmatch '"[^"]*":?%[?{?' do
    if depth == 0 and token:find '":' then keys[#keys + 1] = token:match '"([^"]*)"' end
  end
  return keys
end

--- NULL is absent in a table: what is left of a decoded value without it.
local function without_null(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, each in next, value do
    if each ~= null then out[key] = without_null(each) end
  end
  return out
end

describe("a record as JSON", function()
  local Post, User, db

  before_each(function()
    Post, User, db = world.blog({ timestamps = false }, { hidden = { "email" } })
  end)

  it("has the columns in their order, then other outputs, relations by name, and what is appended", function()
    Post = world.blog { timestamps = false, appends = { "z", "a" },
      accessors = { z = function() return 1 end, a = function() return 2 end } }
    Post:create { title = "t" }
    local post = Post:select("title", "id"):select_raw("1 + 1 as two"):first()
    relate(post, "zebra", false)
    relate(post, "ape", false)
    relate(post, "lion", List.wrap {})
    assert.equal('{"id":1,"title":"t","two":2,"ape":null,"lion":[],"zebra":null,"z":1,"a":2}', post:to_json())
    assert.same(Post:columns(), { table.unpack(keys_of(Post:first():to_json()), 1, #Post:columns()) })
  end)

  it("says each kind of column as it is read, NULL as null and bytes in base64", function()
    local post = Post:create { title = 'a "b"\n\\ é😀', price = "12.5", live = false, day = "2026-11-20", at = 0,
      score = 1e300, data = "\0\xff\1", views = math.mininteger, meta = { list = {}, n = null } }
    local expected = '{"id":1,"author_id":null,"title":"a \\"b\\"\\n\\\\ é😀","body":null,"status":"draft",'
      .. '"views":-9223372036854775808,"price":"12.50","live":false,"meta":{"list":[],"n":null},'
      .. '"at":"1970-01-01T00:00:00.000000Z","day":"2026-11-20","score":1e+300,"data":"AP8B",'
      .. '"created_at":null,"updated_at":null}'
    assert.equal(expected, Post:find(post.id):to_json())
    assert.equal(expected, post:to_json())
    post = Post:find(post.id)
    post.title, post.data, post.score, post.live, post.meta.n = "x", "foo", 2, nil, { 1 }
    assert.equal('{"title":"x","live":null,"meta":{"list":[],"n":[1]},"score":2.0,"data":"Zm9v"}',
      post:to_json { visible = { "title", "data", "score", "live", "meta" } })
    assert.equal("", Post:new { title = "", data = "" }:to_table().data)
    assert.is_truthy(Post:new { data = "" }:to_json():find('"data":""', 1, true))
  end)

  it("of a new record has what was given to it", function()
    assert.equal('{"id":null,"name":"ann","age":null}', User:new { name = "ann" }:to_json())
    local partial = Post:create { title = "t" } and Post:select("id"):first()
    partial.views = 7
    assert.equal('{"id":1,"views":7}', partial:to_json())
    assert.same({ id = 1, views = 7 }, partial:to_table())
  end)

  it("copies kept JSON as it is, and refuses what is none", function()
    Post:create { title = "t" }
    local function kept(text)
      db:execute("update posts set meta = ?", text)
      return Post:select("meta"):first()
    end
    for _, text in ipairs { "1", '{"b": [1.50, 1e2],\n"a":null}', "[]", "{}", '"\\u00e9"', "null",
      ("["):rep(99) .. ("]"):rep(99) } do
      assert.equal('{"meta":' .. text .. "}", kept(text):to_json())
    end
    for _, text in ipairs { "", "{", "[1,]", "nope", '"\\ud800"', "[1] x", "01" } do
      local post = kept(text)
      assert.equal(refused("invalid_argument", post.to_table, post).message,
        refused("invalid_argument", post.to_json, post).message)
    end
    local deep = kept(("["):rep(100) .. ("]"):rep(100))
    assert.is_table(deep:to_table().meta)
    assert.is_truthy(json.decode(kept(("["):rep(99) .. ("]"):rep(99)):to_json()))
    Post = rille.model "Row" { table = "posts", casts = { meta = "array" } }
    assert.equal('{"meta": [3]}', kept(" [3]"):to_json())
    refused("corrupt", function() kept("3"):to_json() end)
  end)

  it("asks accessors, casts of Lua and what is in their results", function()
    Post = world.blog { timestamps = false, appends = { "next", "self" },
      casts = { body = { get = function(raw) return { raw = raw } end, set = function(v) return v.raw end } },
      accessors = {
        title = function(_, title) return title:upper() end,
        next = function(post) return post.id == 1 and Post:find(2) or null end,
        all = function() return { n = 1.5, list = Post:select("id"):where("id", 2):all() } end,
        self = function(post) return post end,
      } }
    Post:create { title = "a", body = { raw = "x" } }
    Post:create { title = "b" }
    local shown = { "title", "body", "next" }
    assert.equal('{"title":"A","body":{"raw":"x"},"next":' .. Post:find(2):to_json() .. "}",
      Post:find(1):to_json { visible = shown })
    assert.same({ title = "A", body = { raw = "x" }, next = Post:find(2):to_table() },
      Post:find(1):to_table { visible = shown })
    assert.equal('{"title":"B","body":null,"next":null}', Post:find(2):to_json { visible = shown })
    assert.equal('{"all":{"list":[' .. Post:select("id"):find(2):to_json() .. '],"n":1.5}}',
      Post:find(1):to_json { visible = { "all" } })
    assert.equal("{}", Post:find(1):to_json { visible = { "self" } })
    assert.same({}, Post:find(1):to_table { visible = { "self" } })
  end)

  it("goes on when an accessor reads the record again or changes it", function()
    Post = world.blog { timestamps = false, casts = { status = "text" }, accessors = {
      author_id = function(post) post:refresh() return 5 end,
      body = function(post) post.views = 8 return "b" end,
    } }
    Post:create { title = "a" }
    local post = Post:select("id", "author_id", "title", "body", "views"):first()
    Post:where("id", 1):update { title = "later" }
    assert.equal('{"id":1,"author_id":5,"title":"later","body":"b","views":8}', post:to_json())
  end)

  describe("with relations", function()
    local post, author

    before_each(function()
      author = User:create { name = "ann", email = "ann@example.org" }
      post = Post:create { title = "t", author_id = author.id }
      post = Post:select("id", "title"):first()
    end)

    it("shows those that are loaded, by their own models' lists", function()
      relate(post, "author", author)
      relate(post, "editor", false)
      relate(post, "likes", List.wrap { author, User:new { name = "bob", email = "b" } })
      assert.equal('{"id":1,"title":"t","author":{"id":1,"name":"ann","age":null},"editor":null,'
        .. '"likes":[{"id":1,"name":"ann","age":null},{"id":null,"name":"bob","age":null}]}', post:to_json())
      assert.same({ id = 1, title = "t", author = { id = 1, name = "ann" },
        likes = { { id = 1, name = "ann" }, { name = "bob" } } }, post:to_table())
      author:make_visible "email":make_hidden "name"
      assert.equal('{"id":1,"title":"t","author":{"id":1,"email":"ann@example.org","age":null}}',
        post:to_json { hidden = { "likes", "editor" } })
    end)

    it("copies the plain table of a pivot", function()
      local pivot = { position = 1 }
      relate(author, "pivot", pivot)
      relate(post, "likes", List.wrap { author })
      assert.equal('[{"id":1,"name":"ann","age":null,"pivot":{"position":1}}]', post:to_json():match "%[.*%]")
      local shown = post:to_table().likes[1].pivot
      assert.same(pivot, shown)
      assert.is_false(rawequal(pivot, shown))
    end)

    it("hides and shows them by name", function()
      Post._def.relations.author = true
      relate(post, "author", author)
      assert.equal('{"id":1,"title":"t"}', post:to_json { hidden = { "author" } })
      assert.same({ id = 1, title = "t" }, post:to_table { hidden = { "author" } })
      assert.equal('{"author":{"id":1,"name":"ann","age":null}}', post:to_json { visible = { "author" } })
      post:make_hidden "author"
      assert.equal('{"id":1,"title":"t"}', post:to_json())
      assert.is_nil(post:to_table().author)
      post:make_visible "author"
      assert.equal("ann", post:to_table().author.name)
      refused("no_such_column", post.to_json, post, { hidden = { "autor" } })
      refused("no_such_column", post.make_hidden, post, "autor")
    end)

    it("leaves a record inside itself out", function()
      relate(post, "author", author)
      relate(author, "posts", List.wrap { post, Post:new { title = "other" } })
      relate(author, "best", post)
      assert.equal('{"id":1,"title":"t","author":{"id":1,"name":"ann","age":null,"posts":['
        .. Post:new { title = "other" }:to_json() .. "]}}", post:to_json())
      local shown = post:to_table()
      assert.same({ "other" }, world.of_each(shown.author.posts, "title"))
      assert.is_nil(shown.author.best)
      relate(post, "again", author)                       -- beside one another is not inside
      assert.same(post:to_table().author, post:to_table().again)
    end)

    it("writes a list again that stands in one of its records", function()
      local users = List.wrap { author, User:new { name = "bob" } }
      relate(author, "all", users)
      assert.equal('[{"id":1,"name":"ann","age":null,"all":[{"id":null,"name":"bob","age":null}]},'
        .. '{"id":null,"name":"bob","age":null}]', users:to_json())
      assert.same({ { id = 1, name = "ann", all = { { name = "bob" } } }, { name = "bob" } }, users:to_table())
    end)

    it("keeps them when it is saved, and drops them when it is read again", function()
      relate(post, "author", author)
      post.title = "saved"
      post:save()
      assert.equal(author, State.relation_of(post, "author"))
      post:increment "views"
      assert.equal(author, State.relation_of(post, "author"))
      local fresh = Post:find(1)
      relate(fresh, "author", author)
      fresh:update { title = "whole" }
      assert.equal(author, State.relation_of(fresh, "author"))
      assert.is_false(fresh:is_dirty())
      assert.same({}, fresh:changes())
      fresh:refresh()
      assert.is_nil(State.relation_of(fresh, "author"))
      relate(fresh, "author", false)
      assert.is_false(State.relation_of(fresh, "author"))
      relate(fresh, "author", nil)
      assert.is_nil(State.relation_of(fresh, "author"))
      assert.is_nil(State.relation_of(Post:find(1), "author"))
    end)

    it("refuses what is nested too deep", function()
      local first = User:new { name = "0" }
      local last = first
      for i = 1, 60 do
        local next_one = User:new { name = tostring(i) }
        relate(last, "boss", next_one)
        last = next_one
      end
      assert.is_truthy(first:to_json():find('"name":"60"', 1, true))
      for i = 61, 110 do
        local next_one = User:new { name = tostring(i) }
        relate(last, "boss", next_one)
        last = next_one
      end
      assert.is_truthy(refused("invalid_argument", first.to_json, first).message:find "^User: boss%.boss.*100 deep$")
    end)
  end)

  describe("of one call", function()
    before_each(function()
      Post, User = world.blog({ timestamps = false, visible = { "id", "title", "loud" }, appends = { "loud" },
        accessors = { loud = function(post) return post.title:upper() end, long = function() return "l" end } },
        { hidden = { "email" } })
      Post:create { title = "t", views = 3 }
    end)

    it("hides, shows and appends by its own lists, which have the last word", function()
      local post = Post:first()
      assert.equal('{"id":1,"title":"t","loud":"T"}', post:to_json())
      assert.equal('{"id":1,"loud":"T"}', post:to_json { hidden = { "title" } })
      assert.equal('{"views":3}', post:to_json { visible = { "views" } })
      assert.equal('{"views":3,"long":"l"}', post:to_json { visible = { "views", "long" } })
      assert.equal('{"id":1,"title":"t","loud":"T","long":"l"}', post:to_json { appends = { "long" } })
      assert.equal('{"id":1}', post:to_json { visible = { "id", "title" }, hidden = { "title" } })
      assert.same({ views = 3, long = "l" }, post:to_table { visible = { "views", "long" } })
      post:make_hidden "title"
      assert.equal('{"id":1,"loud":"T"}', post:to_json())
      assert.equal('{"title":"t"}', post:to_json { visible = { "title" } })
      assert.equal('{"id":1,"title":"t","loud":"T"}', Post:first():to_json())
    end)

    it("is about the records of the list, not about those inside them", function()
      local user = User:create { name = "ann", email = "e" }
      local post = Post:first()
      relate(post, "author", user)
      relate(user, "best", Post:new { title = "b" })
      assert.equal('[{"title":"t","author":{"id":1,"name":"ann","age":null,'
        .. '"best":{"id":null,"title":"b","loud":"B"}}}]', List.wrap({ post }):to_json {
          visible = { "title", "author" } })
      assert.same({ { title = "t", author = { id = 1, name = "ann", best = { title = "b", loud = "B" } } } },
        List.wrap({ post }):to_table { visible = { "title", "author" } })
    end)

    it("refuses names and options that mean nothing", function()
      local post = Post:first()
      for _, word in ipairs { "to_json", "to_table" } do
        assert.equal('did you mean "title"?',
          refused("no_such_column", post[word], post, { hidden = { "titel" } }).hint)
        refused("no_such_column", post[word], post, { visible = { "titel" } })
        assert.equal('did you mean "long"?', refused("no_such_column", post[word], post, { appends = { "lon" } }).hint)
        refused("no_such_column", post[word], post, { appends = { "title" } })
        refused("invalid_argument", post[word], post, { hide = { "title" } })
        refused("invalid_argument", post[word], post, { hidden = "title" })
        refused("invalid_argument", post[word], post, { hidden = { title = true } })
        refused("invalid_argument", post[word], post, "title")
        refused("invalid_argument", List[word], List.wrap {}, { hide = {} })
        refused("no_such_column", List[word], Post:all(), { hidden = { "titel" } })
      end
    end)
  end)

  it("refuses what JSON cannot say, and names the column", function()
    Post = world.blog { accessors = { odd = function() return { a = { print } } end } }
    Post:create { title = "t" }
    rille.db():execute "update posts set score = 9e999, body = cast(x'ff41' as text)"
    local Parent = rille.model "Parent" { table = "users" }
    for column, problem in pairs { score = "is infinite", body = "is no UTF-8 text", odd = "a[1] is a function" } do
      local post = Post:first()
      local place = "Post: " .. column .. (column == "odd" and "." or " ")
      assert.equal(place .. problem .. ", which JSON cannot say",
        refused("invalid_argument", post.to_json, post, { visible = { column } }).message)
      local parent = Parent:new {}
      relate(parent, "posts", List.wrap { Post:new { title = "fine" }, post })
      post:make_hidden("score", "body"):make_visible(column)
      if column ~= "odd" then
        assert.equal(("Parent: posts[2].%s %s, which JSON cannot say"):format(column, problem),
          refused("invalid_argument", parent.to_json, parent).message)
      end
    end
    local e = refused("invalid_argument", json.encode, { a = { Post:first() } }, "meta")
    assert.equal("meta: a[1] is a record, which is no data", e.message)
  end)

  it("lets go of all it holds when an accessor fails", function()
    Post = world.blog { appends = { "odd" }, accessors = { odd = function() error "mine" end } }
    Post:create { title = "x", body = ("x"):rep(5000) }
    assert.is_truthy(select(2, pcall(function() return Post:all():to_json() end)):find "mine")
  end)

  it("writes lists of everything, each record as it is", function()
    Post:create { title = "a" }
    Post:create { title = "b" }
    local posts = Post:select("id", "title"):all()
    posts[2].title = "changed"
    posts[3] = User:new { name = "ann" }
    posts[4] = { z = 1, a = 0.5 }
    posts[5] = null
    posts[6] = Post:select("title"):first()
    assert.equal('[{"id":1,"title":"a"},{"id":2,"title":"changed"},{"id":null,"name":"ann","age":null},'
      .. '{"a":0.5,"z":1},null,{"title":"a"}]', posts:to_json())
    assert.same({ { id = 1, title = "a" }, { id = 2, title = "changed" }, { name = "ann" }, { z = 1, a = 0.5 }, null,
      { title = "a" } }, posts:to_table())
  end)

  it("holds more models than plans are kept for", function()
    local records = List.wrap {}
    for i = 1, 20 do
      local Model = rille.model("Kind" .. i) { table = "users", accessors = { n = function() return i end },
        appends = { "n" } }
      records[i], records[40 - i] = Model:new { name = "a" }, Model:new { name = "b" }
    end
    for i = 1, 10 do relate(records[i], "next", records[i + 1]) end
    assert.same(records:to_table(), without_null(json.decode(records:to_json())))
  end)

  it("written and read again is the same as the plain table, whatever it holds", function()
    world.seed()
    local names = { "title", "body", "views", "price", "live", "meta", "at", "day", "score" }
    local pieces = { "", "a", '"', "\\", "\n", "\1", "é", "😀", "x y z ", "\u{7f}", "/", "</script>" }
    local function text()
      local out = {}
      for i = 1, math.random(0, 12) do out[i] = pieces[math.random(#pieces)] end
      return table.concat(out)
    end
    local function value(depth)
      local pick = math.random(depth > 3 and 5 or 7)
      if pick == 1 then return text() end
      if pick == 2 then return math.random(0) end
      if pick == 3 then return (math.random() - 0.5) * 10 ^ math.random(-300, 300) end
      if pick == 4 then return math.random(2) == 1 end
      if pick == 5 then return math.random(-3, 3) end
      local out = {}
      for i = 1, math.random(0, 4) do
        if pick == 6 then out[i] = value(depth + 1) else out["k" .. text()] = value(depth + 1) end
      end
      return pick == 6 and json.array(out) or json.object(out)
    end
    local makers = {
      title = text, body = text, views = function() return math.random(0) end,
      live = function() return math.random(2) == 1 end,
      price = function() return ("%d.%02d"):format(math.random(-9999, 9999), math.random(0, 99)) end,
      meta = function() return value(0) end, at = function() return math.random(-1000000000, 4000000000) end,
      day = function() return os.date("!%Y-%m-%d", math.random(0, 4000000000)) end,
      score = function() return (math.random() - 0.5) * 10 ^ math.random(-300, 300) end,
    }
    local function attributes()
      local out = { title = text() }
      for _, name in ipairs(names) do
        if math.random(3) > 1 then out[name] = makers[name]() end
      end
      return out
    end
    rille.transaction(function()
      for _ = 1, 60 do Post:create(attributes()) end
    end)
    for _ = 1, 40 do
      local columns = { "id" }
      for _, name in ipairs(names) do
        if math.random(3) > 1 then columns[#columns + 1] = name end
      end
      local posts = math.random(2) == 1 and Post:all() or Post:select(table.unpack(columns)):all()
      for _, post in ipairs(posts) do
        if math.random(4) == 1 then post:fill(attributes()) end
        if math.random(8) == 1 then post:make_hidden(names[math.random(#names)]) end
        if math.random(4) == 1 then relate(post, "next", posts[math.random(#posts)]) end
        if math.random(8) == 1 then relate(post, "some", List.wrap { posts[math.random(#posts)], posts[1] }) end
      end
      local ok, written = pcall(posts.to_json, posts)
      if ok then
        assert.same(without_null(posts:to_table()), without_null(json.decode(written)))
      else
        assert.matches("nested more than 100 deep$", written.message)
      end
    end
  end)
end)
