--- story/api_models_spec: the page of the public interface on models, instances and class methods.
local world = require "spec.support.world"
local rille, null = world.rille, world.null
local refused, statements = world.refused, world.statements

local NOW <const> = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$"

--- The tables of the page, made with the words of a migration.
local function tables()
  require "rille.model".forget_all()
  rille.connect ":memory:"
  local schema = rille.schema()
  schema:create("users", function(t)
    t:id()
    t:string "name"
    t:string("email"):nullable():unique()
    t:timestamps()
  end)
  schema:create("posts", function(t)
    t:id()
    t:references("author", "users"):nullable():on_delete "cascade"
    t:string "title"
    t:text("body"):nullable()
    t:enum("status", { "draft", "published" }):default("draft"):index()
    t:json("meta"):nullable()
    t:json("tags"):nullable()
    t:boolean("live"):default(true)
    t:boolean("published"):default(false)
    t:decimal("price", 10, 2):nullable()
    t:integer("views"):default(0)
    t:datetime("at"):nullable()
    t:integer("seen"):nullable()
    t:text("colour"):nullable()
    t:text("secret"):nullable()
    t:timestamps()
    t:soft_deletes()
  end)
end

--- The model of the page, without what needs relations, hooks, validation or tenants.
local function declare(more)
  local options = {
    table = "posts", primary_key = "id", timestamps = true, soft_deletes = true,
    hidden = { "secret" }, appends = { "excerpt" },
    casts = { meta = "json", tags = "array", published = "boolean", price = "decimal:2", at = "datetime",
      seen = "timestamp",
      colour = { get = function(raw) return { name = raw } end, set = function(value) return value.name end } },
    accessors = { excerpt = function(post) return post.body and post.body:sub(1, 8) end },
    mutators = { title = function(_, value) return value:match "^%s*(.-)%s*$" end },
    scopes = { published = function(q) return q:where("status", "published") end,
      by = function(q, who) return q:where("author_id", who) end },
    global_scopes = { live = function(q) return q:where("live", true) end },
    methods = { publish = function(post) return post:update { status = "published" } end },
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return rille.model "Post"(options)
end

describe("Models", function()
  local Post
  before_each(function()
    tables()
    rille.db():execute "insert into users (name) values ('ann'), ('bob')"
    Post = declare()
  end)

  it("table: plural snake_case of the name (Category -> categories, Person -> people)", function()
    for name, table_name in pairs { Category = "categories", Person = "people", BlogEntry = "blog_entries" } do
      rille.schema():create(table_name, function(t) t:id() end)
      assert.equal(1, rille.model(name, {}):create({}).id)
    end
  end)

  it("primary_key: a list of names for a composite key", function()
    rille.schema():create("marks", function(t)
      t:integer "a"
      t:integer "b"
      t:integer("mark"):nullable()
      t:primary { "a", "b" }
    end)
    local Mark = rille.model "Mark" { primary_key = { "a", "b" } }
    Mark:create { a = 1, b = 2, mark = 3 }
    assert.equal(3, Mark:find(1, 2).mark)
    assert.same({ 3 }, Mark:find({ { 1, 2 }, { 2, 1 } }):pluck "mark")
  end)

  it("fields: the schema, in the same words as migrations; feeds casts", function()
    rille.db():execute "create table things (id integer primary key, doc TEXT, price TEXT)"
    local Thing = rille.model "Thing" { fields = function(t)
      t:id()
      t:json("doc"):nullable()
      t:decimal("price", 8, 3):nullable()
    end }
    local thing = Thing:create { doc = { 1 }, price = "1.5" }
    assert.same({ { 1 }, "1.500" }, { thing:fresh().doc, thing.price })
  end)

  it("timestamps: created_at, updated_at; or { created_at = \"made\", updated_at = false }", function()
    local post = Post:create { title = "a" }
    assert.matches(NOW, post.created_at)
    assert.matches(NOW, post.updated_at)
    rille.db():execute "create table notes (id integer primary key, made DATETIME TEXT, updated_at DATETIME TEXT)"
    local note = rille.model "Note" { timestamps = { created_at = "made", updated_at = false } }:create {}
    assert.matches(NOW, note.made)
    assert.is_nil(note.updated_at)
  end)

  it("soft_deletes: deleted_at; or the column's name", function()
    local post = Post:create { title = "a" }
    post:delete()
    assert.matches(NOW, post.deleted_at)
    assert.same({ 0, 1, 1 }, { Post:count(), Post:with_trashed():count(), Post:only_trashed():count() })
    rille.db():execute "create table notes (id integer primary key, gone DATETIME TEXT)"
    local Note = rille.model "Note" { soft_deletes = "gone" }
    Note:create({}):delete()
    assert.same({ 0, 1 }, { Note:count(), Note:with_trashed():count() })
  end)

  it("fillable or guarded: create/update/fill refuse others; with neither every column", function()
    require "rille.model".forget_all()
    Post = declare { fillable = { "title", "body" } }
    for _, call in ipairs { function() Post:create { title = "x", status = "published" } end,
      function() Post:new { views = 1 } end,
      function() Post:create({ title = "x" }):update { views = 1 } end,
        function() Post:new():fill { views = 1 } end } do
      assert.equal("Post", refused("mass_assignment", call).model)
    end
    require "rille.model".forget_all()
    Post = declare { guarded = { "status" } }
    refused("mass_assignment", Post.create, Post, { title = "x", status = "published" })
    assert.equal(3, Post:create({ title = "x", views = 3 }).views)
    require "rille.model".forget_all()
    assert.equal(77, declare():create({ id = 77, title = "x" }).id)
  end)

  it("hidden, visible, appends", function()
    local post = Post:create { title = "a", body = "long enough", secret = "s" }
    local shown = post:to_table()
    assert.same({ "long eno", nil }, { shown.excerpt, shown.secret })
    require "rille.model".forget_all()
    assert.same({ title = "a" }, declare({ visible = { "title" }, hidden = {}, appends = {} }):first():to_table())
  end)

  it("casts: json, array, boolean, decimal:2, datetime, and one's own", function()
    local post = Post:create { title = "a", meta = { lang = "de" }, tags = { "x", "y" }, published = true, price = 2.5,
      at = 0, seen = 1769903999, colour = { name = "red" } }
    post = Post:find(post.id)
    assert.same({ { lang = "de" }, { "x", "y" }, true, "2.50", "1970-01-01T00:00:00.000000Z", 1769903999,
      { name = "red" } },
      { post.meta, post.tags, post.published, post.price, post.at, post.seen, post.colour })
    assert.equal("red", post:raw "colour")
  end)

  it("accessors, mutators, methods", function()
    local post = Post:create { title = "  padded ", body = "a body of text" }
    assert.same({ "padded", "a body o" }, { post.title, post.excerpt })
    assert.equal("published", post:publish().status)
    assert.equal(1, Post:published():count())
  end)

  it("scopes: Post:published():by(3); global_scopes: q:without_global_scope(\"live\")", function()
    Post:create_many { { title = "a", status = "published", author_id = 1 }, { title = "b", author_id = 1 },
      { title = "c", status = "published", author_id = 1, live = false } }
    assert.same({ "a" }, Post:published():by(1):pluck "title")
    assert.same({ "a", "c" }, Post:without_global_scope("live"):published():order_by("id"):pluck "title")
  end)

  it("The same things may be said after the fact.", function()
    Post:scope("titled", function(q, title) return q:where("title", title) end)
    Post:global_scope("named", function(q) return q:where("title", "!=", "hidden") end)
    Post:create_many { { title = "a" }, { title = "hidden" } }
    assert.same({ 1, 1, 0 }, { Post:count(), Post:titled("a"):count(), Post:titled("hidden"):count() })
  end)
end)

describe("Instances", function()
  local Post, post
  before_each(function()
    tables()
    rille.db():execute "insert into users (name) values ('ann')"
    Post = declare()
    post = Post:create { title = "a", body = "text", views = 1, meta = { n = 1 } }
    post = Post:find(post.id)
  end)

  it("post.title reads an attribute (cast) or an accessor; post.title = x writes one.", function()
    assert.same({ "a", "text", 1 }, { post.title, post.excerpt, post.meta.n })
    post.title = " b "
    assert.equal("b", post.title)
  end)

  it("get, set, get_original, raw; is_dirty, changes, was_changed", function()
    assert.equal("a", post:get "title")
    post:set("title", "b")
    assert.same({ "b", "a" }, { post.title, post:get_original "title" })
    assert.equal('{"n":1}', (post:raw "meta":gsub(" ", "")))        -- jsonb puts blanks between
    assert.same({ true, true, false }, { post:is_dirty(), post:is_dirty "title", post:is_dirty "views" })
    assert.same({ title = { "a", "b" } }, post:changes())
    assert.is_false(post:was_changed())
    post:save()
    assert.same({ true, true, false, false },
      { post:was_changed(), post:was_changed "title", post:was_changed "views", post:is_dirty() })
  end)

  it("exists, key, is, pairs", function()
    assert.same({ true, 1, true, false }, { post:exists(), post:key(), post:is(Post:find(1)), Post:new():exists() })
    local seen = {}
    for name, value in pairs(post) do seen[name] = value end
    assert.same({ 1, "a", "text", 1 }, { seen.id, seen.title, seen.body, seen.views })
  end)

  it("fill, save, update, delete, trashed, restore, force_delete, refresh, fresh, replicate, touch, …", function()
    assert.equal("b", post:fill({ title = "b" }).title)
    assert.equal(post, post:save())
    assert.equal("c", post:update({ title = "c" }).title)
    assert.is_true(post:delete())
    assert.is_true(post:trashed())
    assert.equal(post, post:restore())
    assert.is_false(post:trashed())
    rille.db():execute "update posts set title = 'theirs'"
    assert.equal("theirs", post:fresh().title)
    assert.equal("c", post.title)
    assert.equal("theirs", post:refresh().title)
    assert.equal(2, post:replicate():save().id)
    assert.equal(post, post:touch())
    assert.same({ 2, 7, 5 }, { post:increment("views").views, post:increment("views", 5).views,
      post:decrement("views", 2).views })
    assert.is_true(post:force_delete())
    assert.same({ false, 1 }, { post:exists(), Post:with_trashed():count() })
  end)

  it("to_table, to_json, make_visible, make_hidden", function()
    local slim = Post:select("id", "title", "secret"):without_global_scope("live"):find(1)
    slim:make_hidden "excerpt"
    assert.same({ id = 1, title = "a" }, slim:to_table())
    assert.equal('{"id":1,"title":"a"}', slim:to_json())
    slim:update { secret = "s" }
    assert.equal("s", slim:make_visible("secret"):to_table().secret)
    assert.is_nil(slim:make_hidden("title"):to_table().title)
  end)

  it("A save writes only what changed, and nothing when nothing changed.", function()
    post.title = "b"
    assert.same({ 'update "posts" set "title" = ?, "updated_at" = ? where "id" = ?' }, statements(post.save, post))
    assert.same({}, statements(post.save, post))
    post.meta.n = 2
    assert.same({ 'update "posts" set "meta" = ?, "updated_at" = ? where "id" = ?' }, statements(post.save, post))
  end)

  it("save update restore return the record, delete force_delete true.", function()
    assert.same({ post, post, post }, { post:save(), post:update { title = "z" }, post:restore() })
    assert.same({ true, true }, { post:delete(), post:force_delete() })
  end)

  it("changes() is what waits to be saved; was_changed, previous_changes() speak of the last save.", function()
    post:update { title = "b" }
    post.title = "c"
    assert.same({ title = { "b", "c" } }, post:changes())
    assert.same({ "a", "b" }, post:previous_changes().title)
  end)

  it("What the database filled in (defaults, generated columns) is there after a save.", function()
    local made = Post:create { title = "x" }
    assert.same({ "draft", 0, true }, { made.status, made.views, made.live })
    rille.db():execute "create table sums (id integer primary key, a INTEGER, twice INTEGER as (a * 2))"
    local sum = rille.model "Sum" {}:create { a = 3 }
    assert.same({ 6, 10 }, { sum.twice, sum:update({ a = 5 }).twice })
  end)

  it("datetime: epoch seconds, ISO text or an os.date table written; ISO 8601 text in UTC read", function()
    local epoch = os.time { year = 2026, month = 11, day = 20, hour = 12 }
    local utc = os.date("!%Y-%m-%dT%H:%M:%S.000000Z", epoch)
    for _, value in ipairs { epoch, os.date("!%Y-%m-%d %H:%M:%S", epoch), utc, os.date("*t", epoch) } do
      post.at = value
      assert.equal(utc, post.at)
      assert.equal(utc, post:save():fresh().at)
    end
  end)

  it("timestamp integer seconds, decimal exact text, boolean true/false; NULL passes by casts and mutators", function()
    post:update { seen = "2026-01-31T23:59:59Z", price = 1, live = 0 }
    assert.same({ 1769903999, "1.00", false }, { post.seen, post.price, post.live })
    post:update { seen = null, price = null, colour = null, meta = null }
    assert.same({}, { post.seen, post.price, post.colour, post.meta })
    post.title = null
    assert.is_nil(post.title)
  end)

  it("rille.type(post) is \"Post\".", function()
    assert.equal("Post", rille.type(post))
    assert.is_nil(rille.type {})
  end)
end)

describe("Class methods", function()
  local Post, User
  before_each(function()
    tables()
    Post, User = declare(), rille.model "User" {}
    User:create { name = "ann", email = "a@x" }
  end)

  it("new, create, create_many", function()
    assert.is_false(Post:new({ title = "a" }):exists())
    assert.equal("a", Post:create({ title = "a" }).title)
    assert.same({ 2, 3 }, Post:create_many({ { title = "b" }, { title = "c" } }):ids())
  end)

  it("find(id), find{ids}, find_or_fail", function()
    Post:create_many { { title = "a" }, { title = "b" } }
    assert.equal("b", Post:find(2).title)
    assert.same({ "a", "b" }, Post:find({ 1, 2 }):pluck "title")
    assert.is_nil(Post:find(9))
    refused("not_found", Post.find_or_fail, Post, 9)
    refused("not_found", Post.find_or_fail, Post, { 1, 9 })
  end)

  it("first_or_new/first_or_create/update_or_create(match, values)", function()
    assert.is_false(User:first_or_new({ email = "b@x" }, { name = "bob" }):exists())
    assert.equal(2, User:first_or_create({ email = "b@x" }, { name = "bob" }).id)
    assert.equal("bob", User:first_or_create({ email = "b@x" }, { name = "other" }).name)
    assert.equal("Bob", User:update_or_create({ email = "b@x" }, { name = "Bob" }).name)
    assert.equal(3, User:update_or_create({ email = "c@x" }, { name = "cid" }).id)
  end)

  it("destroy(id, …)", function()
    Post:create_many { { title = "a" }, { title = "b" }, { title = "c" } }
    assert.equal(2, Post:destroy(1, 2))
    assert.same({ 1, 3 }, { Post:count(), Post:with_trashed():count() })
  end)

  it("insert{rows}, insert_or_ignore{rows}, upsert(rows, unique_by [, update])", function()
    assert.equal(2, User:insert { { name = "b", email = "b@x" }, { name = "c", email = "c@x" } })
    assert.equal(1, User:insert_or_ignore { { name = "again", email = "b@x" }, { name = "d", email = "d@x" } })
    assert.equal(2, User:upsert({ { name = "B", email = "b@x" }, { name = "e", email = "e@x" } }, "email"))
    assert.equal(1, User:upsert({ name = "ignored", email = "c@x" }, "email", { "email" }))
    assert.same({ "ann", "B", "c", "d", "e" }, User:order_by("id"):pluck "name")
  end)

  it("truncate, query, all, and every query method", function()
    Post:create { title = "a" }
    assert.same({ 1, 1 }, { #Post:all(), Post:query():count() })
    Post:truncate()
    assert.same({ 0, 1 }, { Post:with_trashed():count(), Post:create({ title = "b" }).id })
    for _, name in ipairs { "where", "or_where", "where_not", "where_in", "where_null", "select", "order_by",
      "limit", "first",
      "count", "paginate", "chunk", "cursor", "pluck", "value", "exists", "to_sql", "explain", "increment",
        "update" } do
      assert.equal("function", type(Post[name]), name)
    end
  end)
end)
