--- model_spec: what a declaration may say, what it may not, and what a class then does.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, untouched, statements, of_each = world.refused, world.untouched, world.statements, world.of_each

describe("a declaration", function()
  before_each(function() world.blog() end)

  --- Declare a model on the posts, under a new name, and use it.
  local count = 0
  local function declare(options)
    count = count + 1
    options.table = options.table or "posts"
    local Model = rille.model("Model" .. count, options)
    Model:first()
    return Model
  end

  it("gives a class, which a file may return", function()
    local Post = rille.model "Other" { table = "posts" }
    assert.equal("Other", tostring(Post))
    assert.equal(0, Post:count())
    assert.equal(0, rille.model("Another", { table = "posts" }):count())
  end)

  it("finds its table by its name", function()
    world.fresh("create table categories (id integer primary key)", "create table people (id integer primary key)",
      "create table blog_posts (id integer primary key)")
    for _, name in ipairs { "Category", "Person", "BlogPost" } do
      assert.equal(1, rille.model(name, {}):create({}).id)
    end
  end)

  it("may come before its table and before its database", function()
    require "rille.model".forget_all()
    local Late = rille.model "Late" {}
    local db = world.rille.connect ":memory:"
    local e = refused("no_such_table", Late.count, Late)
    assert.same({ 'model Late: there is no table "lates"', "Late", "lates" }, { e.message, e.model, e.table })
    assert.matches("migrate", e.hint)
    db:execute "create table late (id integer primary key)"
    assert.equal('did you mean "late"?', refused("no_such_table", Late.count, Late).hint)
    db:execute "create table lates (id integer primary key, a TEXT)"
    assert.equal(0, Late:count())
    db:execute "alter table lates add column b TEXT"
    db:forget()
    assert.equal("x", Late:create({ b = "x" }).b)
    rille.connect ":memory:"
    refused("no_such_table", Late.count, Late)
  end)

  it("knows its columns anew when the schema or the database changes", function()
    local db = world.fresh "create table notes (id integer primary key, a TEXT)"
    local Note = rille.model "Note" {}
    local note = Note:create { a = "x" }
    assert.same({ "id", "a" }, Note:columns())
    rille.schema():table("notes", function(t) t:string("b"):nullable() end)
    assert.same({ "id", "a", "b" }, Note:columns())
    assert.equal("y", Note:create({ b = "y" }).b)
    assert.equal("x", note.a)
    note:update { a = "z" }
    assert.equal("z", Note:find(1).a)
    assert.equal(2, db:table("notes"):count())
  end)

  it("is made but once", function()
    local e = refused("invalid_argument", rille.model, "Post", {})
    assert.same({ "the model Post is declared twice", "Post" }, { e.message, e.model })
    refused("invalid_argument", rille.model "Post", {})
  end)

  it("has a name that is one", function()
    for _, name in ipairs { "post", "", "1Post", "Po st", "Post;", "__index", 1, true, {} } do
      refused("invalid_argument", rille.model, name, {})
    end
    refused("invalid_argument", rille.model)
    refused("invalid_argument", rille.model, nil, {})
    refused("invalid_argument", rille.model, "Fresh", "table")
  end)

  it("has no option that is not known", function()
    local e = refused("invalid_argument", rille.model, "Fresh", { tabel = "posts" })
    assert.same({ 'model Fresh has no option "tabel"', 'did you mean "table"?', "Fresh" },
      { e.message, e.hint, e.model })
    refused("invalid_argument", rille.model, "Fresh", { "posts" })
    refused("invalid_argument", rille.model, "Fresh", { [true] = 1 })
    assert.equal(0, declare {}:count())
  end)

  it("says each option in its own way", function()
    for option, bads in pairs {
      table = { 1, true, {} }, primary_key = { 1, true, {}, { 1 }, { true } }, connection = { 1, {} },
        fields = { "x", {} },
      timestamps = { "yes", 1, { created = "made" }, { created_at = 1 }, { "made" } }, soft_deletes = { 1, {} },
      fillable = { "title", { 1 }, { title = true }, { "title", [3] = "x" } }, guarded = { "title", { title = true } },
      hidden = { "title", { title = true }, { {} } }, visible = { true, { title = true } },
        appends = { "x", { x = 1 } },
      casts = { "json" }, accessors = { print, { "x" }, { x = 1 } }, mutators = { "x", { x = "y" } },
      scopes = { "x", { x = 1 }, { print } }, global_scopes = { print, { x = {} } }, methods = { "x", { x = 1 } },
    } do
      for _, bad in ipairs(bads) do
        local e = refused("invalid_argument", rille.model, "Fresh", { [option] = bad })
        assert.matches("model Fresh: " .. option, e.message)
      end
    end
    refused("invalid_argument", rille.model, "Fresh", { fillable = { "title" }, guarded = { "views" } })
    assert.equal(0, rille.model("Fresh", { table = "posts" }):count())
  end)

  it("names columns that there are", function()
    for option, bad in pairs { fillable = { "titel" }, guarded = { "titel" }, hidden = { "titel" },
      visible = { "titel" },
      casts = { titel = "text" }, primary_key = "titel" } do
      local e = refused("no_such_column", declare, { [option] = bad })
      assert.matches("titel", e.message)
      assert.is_true(option == "primary_key" or e.hint == 'did you mean "title"?')
    end
    assert.equal('did you mean "excerpt"?', refused("no_such_column", declare,
      { appends = { "exerpt" }, accessors = { excerpt = function() end } }).hint)
    for _, options in ipairs { { soft_deletes = true }, { soft_deletes = "gone" },
      { timestamps = { created_at = "made" } } } do
      refused("no_such_column", declare, options)
    end
    world.fresh "create table bare (id integer primary key)"
    refused("no_such_column", declare, { table = "bare", timestamps = true })
    assert.equal(0, declare { table = "bare" }:count())
  end)

  it("hides no method of records, classes or queries", function()
    for _, name in ipairs { "save", "update", "is_dirty", "__index", "to_json" } do
      assert.matches(name, refused("invalid_argument", rille.model, "Fresh", { methods = { [name] = print } }).message)
    end
    for _, name in ipairs { "where", "all", "find", "create", "or_where_not_in", "scope", "__index", "_def" } do
      assert.matches(name, refused("invalid_argument", rille.model, "Fresh", { scopes = { [name] = print } }).message)
    end
    local Post = declare {}
    refused("invalid_argument", Post.scope, Post, "where", print)
    for _, name in ipairs { "save", "key" } do
      assert.matches(name, refused("invalid_argument", rille.model, "Fresh",
        { accessors = { [name] = print } }).message)
    end
  end)

  it("wants a key where one is asked for", function()
    local db = world.fresh("create table loose (a TEXT)", "create view seen as select 1 as id, 'x' as a")
    local Loose, Seen = rille.model "Loose" { table = "loose" }, rille.model "Seen" { table = "seen" }
    Loose:create { a = "x" }
    assert.equal("x", Loose:first().a)
    assert.matches("no primary key", refused("unsupported", Loose.find, Loose, 1).message)
    local loose = Loose:first()
    loose.a = "y"
    assert.is_true(rille.is_error(select(2, pcall(loose.save, loose))))
    assert.is_true(rille.is_error(select(2, pcall(loose.delete, loose))))
    assert.equal("x", db:query("select a from loose")[1].a)
    assert.equal("x", Seen:first().a)
    assert.equal("x", rille.model "Keyed" { table = "seen", primary_key = "id" }:find(1).a)
    assert.is_true(rille.is_error(select(2, pcall(Seen.create, Seen, { a = "y" }))))
  end)

  it("speaks to the connection it names", function()
    rille.configure { default = "main", connections = { main = ":memory:", other = ":memory:" } }
    rille.db("main"):execute "create table users (id integer primary key, name TEXT)"
    rille.db("other"):execute "create table users (id integer primary key, name TEXT)"
    require "rille.model".forget_all()
    local Here, There = rille.model "Here" { table = "users" },
      rille.model "There" { table = "users", connection = "other" }
    There:create { name = "there" }
    assert.equal(0, Here:count())
    assert.equal("there", rille.db("other"):table("users"):value "name")
    for _, call in ipairs {
      function() Here:where_in("id", There:select("id")) end, function() Here:where_exists(There:where("id", 1)) end,
      function() Here:union(There:query()) end,
    } do
      assert.matches('the database "other"', refused("invalid_argument", call).message)
    end
    local Lost = rille.model "Lost" { table = "users", connection = "ohter" }
    assert.equal('did you mean "other"?', refused("invalid_argument", Lost.count, Lost).hint)
  end)

  it("refuses fields that make no sense when it is declared, before any SQL", function()
    local e
    local heard = statements(function()
      e = refused("invalid_argument", rille.model, "Thing", { fields = function(t) t:integer("n"):default "abc" end })
    end)
    assert.equal('model Thing: fields: t:integer("n"):default: wants an integer, got "abc" (string)', e.message)
    assert.same({ {}, "Thing" }, { heard, e.model })
  end)

  it("may say its fields, which feed the casts", function()
    local fields = function(t)
      t:id()
      t:string "name"
      t:json("doc"):nullable()
      t:decimal("price", 8, 3):nullable()
    end
    world.fresh [[create table things (id integer primary key, name TEXT not null, doc TEXT, price TEXT)]]
    local Thing = rille.model "Thing" { fields = fields }
    local thing = Thing:create { name = "x", doc = { a = 1 }, price = 2 }
    assert.same({ { a = 1 }, "2.000" }, { Thing:find(1).doc, thing.price })
  end)
end)

describe("a class", function()
  local Post, User, db
  before_each(function()
    Post, User, db = world.blog({
      scopes = {
        published = function(q) return q:where("status", "published") end,
        by = function(q, who, status) return q:where("author_id", who):when(status,
          function(s) return s:where("status", status) end) end,
      },
    }, { global_scopes = { adult = function(q) return q:where("age", ">=", 18):or_where_null("age") end } })
    User:create_many { { name = "ann", age = 30 }, { name = "kid", age = 8 }, { name = "old" } }
    Post:insert { { title = "a", status = "published", author_id = 1 }, { title = "b", author_id = 1 },
      { title = "c", status = "published", author_id = 2 } }
  end)

  it("has its scopes, alone and in a chain", function()
    assert.same({ 1, 3 }, Post:published():order_by("id"):pluck "id")
    assert.same({ 1 }, Post:published():by(1):pluck "id")
    assert.same({ 1 }, Post:by(1, "published"):pluck "id")
    assert.same({ 2 }, Post:where("id", ">", 1):by(1):pluck "id")
    assert.same({ 1, 3 }, Post:where(function(q) return q:published() end):order_by("id"):pluck "id")
    Post:scope("late", function(q) return q:where("id", ">", 2) end)
    assert.same({ 3 }, Post:late():pluck "id")
    assert.same({ 3 }, Post:published():late():pluck "id")
    assert.equal('did you mean "published"?', refused("invalid_argument", function() return Post:publishd() end).hint)
    assert.equal('did you mean "published"?', refused("invalid_argument",
      function() return Post:by(1):publishd() end).hint)
    refused("invalid_argument", Post.scope, Post, "x", 1)
    refused("invalid_argument", Post.scope, Post, 1, print)
  end)

  it("adds its global scopes to every query, in parentheses", function()
    assert.same({ "ann", "old" }, User:order_by("id"):pluck "name")
    assert.same({ 'select count(*) from "users" where ("age" >= ? or "age" is null) and ("id" = ? or "id" = ?)' },
      statements(function() User:where("id", 1):or_where("id", 2):count() end))
    assert.equal(1, User:where("id", 2):or_where("id", 1):count())
    assert.is_nil(User:find(2))
    assert.equal("kid", User:without_global_scope("adult"):find(2).name)
    assert.equal(0, User:where("id", 2):update { name = "x" })
    assert.equal(0, User:where("id", 2):delete())
    assert.same({ 1, 2 }, Post:where_in("author_id", User:select("id")):order_by("id"):pluck "id")
    untouched("unsafe_mutation", User.delete, User)
    User:global_scope("named", function(q) return q:where_like("name", "a%") end)
    assert.same({ "ann" }, User:pluck "name")
    assert.same({ "ann", "kid" }, User:without_global_scope("adult"):without_global_scope("named"):where_in("id",
      { 1, 2 })
      :order_by("id"):pluck "name")
    assert.equal('did you mean "adult"?', refused("invalid_argument", User.without_global_scope, User, "adlut").hint)
    refused("invalid_argument", User.global_scope, User, "x")
    User:global_scope("sorted", function(q) return q:order_by("name") end)
    assert.matches("global scope sorted", refused("invalid_argument", User.count, User).message)
  end)

  it("makes records, saved or not", function()
    assert.is_false(Post:new { title = "x" }:exists())
    assert.equal(4, Post:create({ title = "d" }).id)
    local posts = Post:create_many { { title = "e" }, { title = "f", views = 2 } }
    assert.same({ 5, 6 }, posts:ids())
    assert.same({}, Post:create_many {})
  end)

  it("makes all records or none", function()
    untouched("not_null_violation", Post.create_many, Post, { { title = "e" }, { views = 2 } })
    for _, bad in ipairs { { title = "x" }, { { title = "x" }, nil, { title = "y" } }, { 1 }, 1, "x" } do
      untouched("invalid_argument", Post.create_many, Post, bad)
    end
    untouched("invalid_argument", Post.create_many, Post, nil)
    untouched("invalid_argument", Post.create, Post, "x")
    untouched("invalid_argument", Post.new, Post, 1)
  end)

  it("finds the first that fits, or makes one", function()
    assert.equal(1, Post:first_or_new({ title = "a" }, { views = 9 }).id)
    local post = Post:first_or_new({ title = "x" }, { views = 9 })
    assert.same({ false, "x", 9 }, { post:exists(), post.title, post.views })
    assert.equal(2, Post:first_or_create({ title = "b", author_id = 1 }).id)
    assert.equal(3, Post:count())
    post = Post:first_or_create({ title = "x" }, { views = 9 })
    assert.same({ 4, "x", 9 }, { post.id, post.title, post.views })
    assert.equal(4, Post:first_or_create({ title = "x" }, { views = 1 }).id)
    assert.equal(9, Post:find(4).views)
    assert.equal(2, Post:where("author_id", 1):where("title", "b"):value "id")
    assert.equal("c", Post:first_or_create { author_id = 2, body = null }.title)
  end)

  it("updates the first that fits, or makes one", function()
    assert.same({ 1, 7 }, { Post:update_or_create({ title = "a" }, { views = 7 }).id, Post:find(1).views })
    local post = Post:update_or_create({ title = "x" }, { views = 8 })
    assert.same({ 4, "x", 8 }, { post.id, post.title, post.views })
    assert.equal(1, Post:update_or_create({ title = "a" }).id)
    assert.equal(4, Post:count())
  end)

  it("does not look for nothing", function()
    for _, word in ipairs { "first_or_new", "first_or_create", "update_or_create" } do
      for _, bad in ipairs { {}, 1, "x", { "x" } } do untouched("invalid_argument", Post[word], Post, bad,
        { title = "x" }) end
      untouched("invalid_argument", Post[word], Post, nil, { title = "x" })
      untouched("no_such_column", Post[word], Post, { titel = "x" }, {})
    end
    untouched("invalid_argument", Post.first_or_create, Post, { title = "x" }, "y")
    untouched("invalid_argument", Post.update_or_create, Post, { title = "a" }, 5)
  end)

  it("destroys by key", function()
    assert.equal(1, Post:destroy(1))
    assert.equal(2, Post:destroy({ 2, 3, 9 }))
    assert.equal(0, Post:destroy(1, 2))
    assert.equal(0, Post:destroy {})
    Post:insert { { id = 1, title = "x" }, { id = 2, title = "y" } }
    for _, bad in ipairs { "1", true, { 1, nil, 2 }, { id = 1 }, { { 1 } }, null } do
      untouched("invalid_argument", Post.destroy, Post, bad)
    end
    untouched("invalid_argument", Post.destroy, Post, nil)
    untouched("invalid_argument", Post.destroy, Post, 1, nil)
    untouched("invalid_argument", Post.destroy, Post, nil, 1)
    untouched("invalid_argument", Post.destroy, Post)
    assert.equal(0, User:destroy(2))
  end)

  it("counts anew after truncate, in a transaction or not", function()
    Post:truncate()
    assert.equal(1, Post:create({ title = "x" }).id)
    local before = world.picture()
    pcall(rille.transaction, function()
      Post:truncate()
      error "no"
    end)
    assert.equal(before, world.picture())
    assert.same({ 0, 3 }, { db:table("posts"):where("id", 0):count(), db:table("users"):count() })
  end)

  it("takes functions of one's own", function()
    function Post:titles() return self:order_by("id"):pluck "title" end
    assert.same({ "a", "b", "c" }, Post:titles())
  end)

  it("has all methods of a query, and no others", function()
    assert.same({ 1, 2, 3 }, of_each(Post:order_by("id"):get()))
    assert.same({ 3 }, Post:latest("id"):limit(1):pluck "id")
    local e = refused("invalid_argument", function() return Post:wehre("id", 1) end)
    assert.same({ 'Post has no method "wehre"', 'did you mean "where"?', "Post" }, { e.message, e.hint, e.model })
    refused("invalid_argument", function() return Post:node() end)
  end)
end)
