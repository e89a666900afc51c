--- record_spec: one row as an object: what it reads, what it takes, what waits to be saved, what it shows.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused = world.refused

describe("a record", function()
  local Post, User, db

  before_each(function()
    Post, User, db = world.blog {
      accessors = {
        excerpt = function(post) return post.title:sub(1, 3) .. "…" end,
        body = function(post, value) return value and value:upper() or "no body of " .. post.title end,
      },
      mutators = {
        title = function(_, value) return value:match "^%s*(.-)%s*$" end,
        both = function(post, value) post.title, post.views = value, #value end,
      },
      methods = { shout = function(post, more) return post.title:upper() .. (more or "!") end },
      hidden = { "score" }, appends = { "excerpt" },
    }
    User:create { name = "ann" }
    Post:create { title = "First", body = "text", views = 3, score = 1.5, author_id = 1 }
  end)

  it("reads columns, accessors and methods by one dot", function()
    local post = Post:find(1)
    assert.equal("First", post.title)
    assert.equal("Fir…", post.excerpt)
    assert.equal("TEXT", post.body)
    assert.equal("FIRST!", post:shout())
    assert.equal("FIRST?", post:shout "?")
    assert.is_nil(post.price)
    assert.equal("no body of x", Post:new { title = "x" }.body)
    assert.equal("First", post:get "title")
    assert.equal("Fir…", post:get "excerpt")
  end)

  it("writes columns, through mutators", function()
    local post = Post:new { title = "  padded  " }
    assert.equal("padded", post.title)
    post.title = " again"
    assert.equal("again", post.title)
    post.both = "four"
    assert.same({ "four", 4 }, { post.title, post.views })
    assert.equal(post, post:set("views", 7))
    assert.equal(7, post.views)
    post:set("title", " x ")
    assert.equal("x", post.title)
    Post:create { both = "filled" }
    assert.equal(6, Post:where("title", "filled"):value("views"))
  end)

  it("passes NULL by accessors' columns and mutators", function()
    local post = Post:find(1)
    post.body = nil
    assert.is_nil(post:raw "body")
    assert.equal("no body of First", post.body)
    post.title = null
    assert.is_nil(post.title)
    world.untouched("not_null_violation", post.save, post)
  end)

  it("refuses names that it does not know, with the nearest", function()
    local post = Post:find(1)
    local e = refused("no_such_column", function() return post.titel end)
    assert.same({ 'Post has no attribute "titel"', 'did you mean "title"?', "Post", "titel" },
      { e.message, e.hint, e.model, e.column })
    assert.equal('did you mean "excerpt"?', refused("no_such_column", function() return post.exerpt end).hint)
    assert.equal('did you mean "shout"?', refused("no_such_column", function() return post:shoot() end).hint)
    assert.equal('did you mean "save"?', refused("no_such_column", function() post:saev() end).hint)
    assert.equal('did you mean "title"?', refused("no_such_column", function() post.titel = "x" end).hint)
    refused("no_such_column", function() post:set("titel", "x") end)
    refused("no_such_column", function() return post:get "titel" end)
    refused("no_such_column", function() return post:get_original "titel" end)
    refused("no_such_column", function() return post:raw "excerpt" end)
    refused("no_such_column", function() return post:is_dirty "titel" end)
    refused("no_such_column", function() return post:was_changed "titel" end)
    for _, name in ipairs { 1, true, 1.5, {}, print } do
      refused("no_such_column", function() return post[name] end)
      refused("no_such_column", function() post[name] = 1 end)
    end
  end)

  it("does not take what is no column", function()
    local post = Post:find(1)
    assert.matches("is no column", refused("invalid_argument", function() post.excerpt = "x" end).message)
    refused("invalid_argument", function() post.save = "x" end)
    refused("invalid_argument", function() post.shout = "x" end)
    assert.is_false(post:is_dirty())
  end)

  it("knows what waits to be saved", function()
    local post = Post:find(1)
    assert.is_false(post:is_dirty())
    assert.same({}, post:changes())
    post.title, post.views, post.price, post.author_id = "Second", 4, "2.5", nil
    assert.is_true(post:is_dirty())
    assert.is_true(post:is_dirty "title")
    assert.is_true(post:is_dirty "author_id")
    assert.is_false(post:is_dirty "body")
    assert.same({ title = { "First", "Second" }, views = { 3, 4 }, price = { nil, "2.50" }, author_id = { 1, nil } },
      post:changes())
    assert.equal("First", post:get_original "title")
    assert.equal(1, post:get_original "author_id")
    assert.is_nil(post:get_original "price")
    post.title, post.views, post.price, post.author_id = "First", 3, nil, 1
    assert.is_false(post:is_dirty())
    assert.same({}, post:changes())
  end)

  it("takes a value that is the same in another form for the same", function()
    local post = Post:find(Post:create { title = "x", price = "1.50", at = 0, live = true, score = 2, views = 3 }.id)
    post.price, post.at, post.live, post.score, post.views = 1.5, "1970-01-01", 1, 2, 3.0
    assert.is_false(post:is_dirty())
    assert.same({}, world.statements(post.save, post))
  end)

  it("remembers what the last save changed", function()
    local post = Post:create { title = "a" }
    assert.is_true(post:was_changed())
    assert.is_true(post:was_changed "title")
    assert.is_false(post:was_changed "body")
    assert.same({ nil, "a" }, post:previous_changes().title)
    post:update { title = "b" }
    assert.same({ "a", "b" }, post:previous_changes().title)
    assert.is_nil(post:previous_changes().views)
    assert.is_false(post:was_changed "views")
    post.title = "c"
    assert.same({ "a", "b" }, post:previous_changes().title)
    post = Post:find(post.id)
    assert.is_false(post:was_changed())
    assert.same({}, post:previous_changes())
  end)

  it("gives the value as it is kept", function()
    local post = Post:find(Post:create { title = "x", live = false, price = 2, meta = { 1 }, at = 0 }.id)
    assert.same({ 0, 2, "[1]", "1970-01-01T00:00:00.000000Z" },
      { post:raw "live", post:raw "price", post:raw "meta", post:raw "at" })
    assert.is_nil(post:raw "body")
    post.at = 1
    assert.equal("1970-01-01T00:00:01.000000Z", post:raw "at")
    assert.equal("TEXT", Post:find(1).body)
    assert.equal("text", Post:find(1):raw "body")
  end)

  it("knows its key and whether it is in the database", function()
    local post = Post:new { title = "x" }
    assert.is_false(post:exists())
    assert.is_nil(post:key())
    post:save()
    assert.is_true(post:exists())
    assert.equal(2, post:key())
    assert.equal("Post(2)", tostring(post))
    post:delete()
    assert.is_false(post:exists())
  end)

  it("is the same as another one of its model and key", function()
    local a, b = Post:find(1), Post:find(1)
    assert.is_true(a:is(b))
    assert.is_false(a == b)
    b.title = "other"
    assert.is_true(a:is(b))
    assert.is_false(a:is(Post:create { title = "x" }))
    assert.is_false(a:is(User:find(1)))
    assert.is_false(Post:new {}:is(Post:new {}))
    for _, other in ipairs { 1, "x", {}, null } do assert.is_false(a:is(other)) end
    assert.is_false(a:is(nil))
  end)

  it("gives its attributes to pairs, in the order of the columns", function()
    local names, values = {}, {}
    for name, value in pairs(Post:find(1)) do
      names[#names + 1] = name
      values[name] = value
    end
    assert.same(Post:columns(), names)
    assert.same({ 1, "First", "TEXT", 3, true, nil }, { values.id, values.title, values.body, values.views,
      values.live, values.price })
    names = {}
    for name in pairs(Post:select("title", "id"):first()) do names[#names + 1] = name end
    assert.same({ "title", "id" }, names)
    local partial = Post:select("id"):first()
    partial.views = 7
    names = {}
    for name, value in pairs(partial) do names[#names + 1] = ("%s=%d"):format(name, value) end
    assert.same({ "id=1", "views=7" }, names)
    names = {}
    for name in pairs(Post:new { views = 1, title = "x" }) do names[#names + 1] = name end
    assert.same(Post:columns(), names)
  end)

  it("is told from other values", function()
    assert.equal("Post", rille.type(Post:find(1)))
    assert.equal("Post", rille.type(Post:new()))
    assert.equal("User", rille.type(User:find(1)))
    for _, value in ipairs { 1, "x", {}, print, null, Post, Post:query(), io.stdout, Post:all() } do
      assert.is_nil(rille.type(value))
    end
    assert.is_nil(rille.type(nil))
  end)

  it("raises for a column that was not selected", function()
    local post = Post:select("id", "title"):find(1)
    local e = refused("missing_attribute", function() return post.views end)
    assert.same({ "Post.views was not selected by the query that read this record", "Post", "views" },
      { e.message, e.model, e.column })
    assert.equal('add_select("views"), or record:refresh()', e.hint)
    refused("missing_attribute", function() return post.body end)
    assert.equal("Fir…", post.excerpt)
    refused("missing_attribute", function() return Post:select("id"):find(1).excerpt end)
    post.views = 9
    assert.equal(9, post.views)
    post:save()
    assert.equal(9, Post:find(1).views)
    assert.equal("TEXT", post:refresh().body)
    refused("missing_attribute", function() return Post:select("id"):first().meta end)
  end)

  it("shows its attributes as a plain table, without what is hidden, with what is appended", function()
    local post = Post:select("id", "title", "score", "price"):find(1)
    assert.same({ id = 1, title = "First", excerpt = "Fir…" }, post:to_table())
    assert.same({ id = 1, title = "First", excerpt = "Fir…", score = 1.5 },
      Post:find(1):make_visible("score"):make_hidden(
      "author_id", "body", "status", "views", "live", "created_at", "updated_at"):to_table())
    post:make_hidden("excerpt", "id")
    assert.same({ title = "First" }, post:to_table())
    assert.same({ id = 1, title = "First", excerpt = "Fir…" }, Post:select("id", "title"):find(1):to_table())
    local copy = post:to_table()
    copy.title = "changed"
    assert.equal("First", post.title)
    assert.equal('{"id":1,"title":"First","price":null,"excerpt":"Fir…"}',
      Post:select("id", "title", "score", "price"):find(1):to_json())
    assert.same({ { id = 1, title = "First", excerpt = "Fir…" } }, Post:select("id", "title"):all():to_table())
    assert.equal('[{"id":1,"title":"First","excerpt":"Fir…"}]', Post:select("id", "title"):all():to_json())
  end)

  it("shows only what is visible, where the model says that", function()
    Post = world.blog { visible = { "id", "title" }, accessors = { twice = function(p) return p.title:rep(2) end } }
    local post = Post:create { title = "x", views = 3 }
    assert.same({ id = 1, title = "x" }, post:to_table())
    assert.same({ id = 1, title = "x", views = 3 }, post:make_visible("views"):to_table())
    assert.same({ id = 1, views = 3 }, post:make_hidden("title"):to_table())
    assert.equal('{"id":1,"title":"x"}', Post:find(1):to_json())
  end)

  it("writes 64-bit integers, false, zero and the empty text as JSON", function()
    local post = Post:create { title = "", views = math.maxinteger, live = false, score = 0, meta = { a = null } }
    assert.equal('{"id":2,"title":"","views":9223372036854775807,"live":false,"meta":{"a":null},"excerpt":"…"}',
      Post:select("id", "title", "views", "live", "meta"):find(post.id):to_json())
  end)

  it("cannot be indexed past its guard", function()
    assert.is_false(getmetatable(Post:find(1)))
    refused("invalid_argument", function() Post:find(1).save({}) end)
    assert.is_false((pcall(setmetatable, Post:find(1), {})))
    assert.is_false((pcall(rawset, Post:find(1), "id", 2)))
  end)

  it("has columns that are called like methods", function()
    db:execute [[create table odd (id integer primary key, "key" TEXT, "save" INTEGER, "update" TEXT, "is_dirty" TEXT,
      "previous_changes" TEXT, "fill" TEXT, "raw" TEXT, "order" TEXT, "select" TEXT)]]
    db:forget()
    local Odd = rille.model "Odd" { table = "odd" }
    local odd = Odd:create { key = "k", save = 1, update = "u", is_dirty = "d", fill = "f", raw = "r", order = "o",
      select = "s" }
    assert.same({ "k", 1, "u", "o", "s" }, { odd.key, odd.save, odd.update, odd.order, odd.select })
    assert.equal("Odd(1)", tostring(odd))
    assert.equal("k", Odd:where("key", "k"):where("order", "o"):order_by("select"):first().key)
    assert.equal("f", Odd:first():to_table().fill)
    db:execute "create table owned (id integer primary key, _class TEXT)"
    db:forget()
    assert.equal("_class",
      refused("unsupported", function() return rille.model "Owned" { table = "owned" }:count() end).column)
  end)
end)

describe("mass assignment", function()
  local function post_with(options)
    local Post = world.blog(options)
    return Post
  end

  it("takes every column where the model says nothing", function()
    local Post = post_with {}
    local post = Post:create { id = 7, title = "x", created_at = 0 }
    assert.same({ 7, "x", "1970-01-01T00:00:00.000000Z" }, { post.id, post.title, post.created_at })
  end)

  it("takes only what is fillable", function()
    local Post = post_with { fillable = { "title", "both" },
      mutators = { both = function(p, v) p.title, p.body = v, v end } }
    local post = Post:create { title = "x" }
    for _, call in ipairs { function() Post:create { title = "x", views = 1 } end,
      function() Post:new { views = 1 } end,
      function() post:fill { title = "y", views = 1 } end, function() post:update { views = 1 } end,
      function() Post:create_many { { title = "y" }, { views = 1 } } end,
      function() Post:first_or_create({ title = "new" }, { views = 1 }) end,
      function() Post:update_or_create({ title = "x" }, { views = 1 }) end } do
      local e = world.untouched("mass_assignment", call)
      assert.same({ "Post.views cannot be set by create, update or fill", "Post", "views" },
        { e.message, e.model, e.column })
      assert.matches("record.views", e.hint)
    end
    assert.is_false(post:is_dirty())
    post.views = 5
    assert.equal(5, post:save().views)
    assert.equal("z", Post:create { both = "z" }.body)
    world.untouched("mass_assignment", Post.create, Post, { id = 1, title = "x" })
  end)

  it("takes all but what is guarded", function()
    local Post = post_with { guarded = { "views", "id" } }
    world.untouched("mass_assignment", Post.create, Post, { title = "x", views = 1 })
    world.untouched("mass_assignment", Post.create, Post, { title = "x", id = 1 })
    assert.equal("x", Post:create { title = "x", body = "b" }.title)
  end)

  it("refuses keys that it does not know, and takes none of the others", function()
    local Post = post_with { fillable = { "title" }, accessors = { excerpt = function() end } }
    local e = world.untouched("mass_assignment", Post.create, Post, { titel = "x" })
    assert.same({ 'Post has no attribute "titel"', 'did you mean "title"?' }, { e.message, e.hint })
    local post = Post:create { title = "x" }
    for _, key in ipairs { "excerpt", "save", "_class", "__index", "title ", "posts.title", "TITLE", "meta->x", 1,
      true } do
      world.untouched("mass_assignment", post.fill, post, { title = "y", [key] = "x" })
      assert.equal("x", post.title)
    end
    for _, bad in ipairs { 1, "x", true } do world.untouched("invalid_argument", post.fill, post, bad) end
    world.untouched("invalid_argument", post.fill, post, nil)
  end)
end)
