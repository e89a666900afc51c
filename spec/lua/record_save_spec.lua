--- record_save_spec: what a save, a deletion and the like send to the database, and what the record holds afterwards.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, untouched, statements = world.refused, world.untouched, world.statements

local NOW <const> = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$"

describe("saving", function()
  local Post, User, db
  before_each(function() Post, User, db = world.blog() end)

  it("inserts what is set, and the record then holds the row", function()
    local post
    local said = statements(function() post = Post:create { title = "a", price = "1.5" } end)
    assert.equal(1, #said)
    assert.matches('^insert into "posts" %("title", "price", "created_at", "updated_at"%) values', said[1])
    assert.same({ 1, "a", "draft", 0, true, "1.50" }, { post.id, post.title, post.status, post.views, post.live,
      post.price })
    assert.same(db:query("select * from posts")[1].created_at, post.created_at)
    assert.matches(NOW, post.created_at)
    assert.equal(post.created_at, post.updated_at)
    assert.is_nil(post.body)
    assert.is_false(post:is_dirty())
    assert.same(Post:find(1):to_table(), post:to_table())
  end)

  it("inserts a row of defaults", function()
    db = world.fresh [[create table plain (id integer primary key, a TEXT default 'x', b INTEGER default 7)]]
    local Plain = rille.model "Plain" { table = "plain" }
    local plain = Plain:create {}
    assert.same({ 1, "x", 7 }, { plain.id, plain.a, plain.b })
    assert.same({ 2, "x" }, { Plain:create().id, Plain:new():save().a })
    assert.is_nil(Plain:create { a = null }.a)
  end)

  it("reads back what the database filled in", function()
    db = world.fresh [[create table sums (id integer primary key, a INTEGER not null, b INTEGER not null default (3),
      at TEXT default (strftime('%Y', 'now')), total INTEGER generated always as (a + b) stored,
      twice INTEGER generated always as (a * 2) virtual)]]
    local Sum = rille.model "Sum" {}
    local sum
    assert.equal(1, #statements(function() sum = Sum:create { a = 2 } end))
    assert.same({ 1, 3, 5, 4, os.date "!%Y" }, { sum.id, sum.b, sum.total, sum.twice, sum.at })
    assert.equal(1, #statements(function() sum:update { a = 10 } end))
    assert.same({ 13, 20 }, { sum.total, sum.twice })
    untouched("invalid_argument", Sum.create, Sum, { a = 1, total = 3 })
    untouched("invalid_argument", Sum.insert, Sum, { a = 1, total = 3 })
    untouched("invalid_argument", function() Sum:where("id", 1):update { total = 3 } end)
    assert.same({ 13, 20 }, { sum:replicate():save().total, sum.twice })
  end)

  it("writes only what changed", function()
    local post = Post:find(Post:create { title = "a", views = 1 }.id)
    local before = post.updated_at
    post.title = "b"
    assert.same({ 'update "posts" set "title" = ?, "updated_at" = ? where "id" = ?' }, statements(post.save, post))
    assert.is_true(post.updated_at >= before)
    db:execute "update posts set views = 99"
    post:update { title = "c" }
    assert.equal(99, Post:find(1).views)
    assert.equal(1, post.views)
  end)

  it("writes nothing when nothing changed", function()
    local post = Post:create { title = "a", meta = { x = 1 } }
    local before = world.picture()
    assert.same({}, statements(function()
      assert.equal(post, post:save())
      post.title = "a"
      post:save()
      post:update {}
      post:update { title = "a" }
      post.meta = { x = 1 }
      post:save()
    end))
    assert.equal(before, world.picture())
  end)

  it("returns the record", function()
    local post = Post:new { title = "a" }
    assert.equal(post, post:save())
    assert.equal(post, post:update { title = "b" })
    assert.equal(post, post:fill { title = "c" })
    assert.equal(post, post:touch())
    assert.equal(post, post:refresh())
    assert.equal(post, post:increment "views")
    assert.is_true(post:delete())
  end)

  it("stamps its own times, not those that are said", function()
    local post = Post:create { title = "a", created_at = 0, updated_at = 5 }
    assert.same({ "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:05.000000Z" }, { post.created_at, post.updated_at })
    post:update { title = "b" }
    assert.equal("1970-01-01T00:00:00.000000Z", post.created_at)
    assert.is_true(post.updated_at > "2020")
    post:update { title = "c", updated_at = 7 }
    assert.equal("1970-01-01T00:00:07.000000Z", post.updated_at)
  end)

  it("may keep other columns for the times, or none", function()
    db = world.fresh "create table notes (id integer primary key, made DATETIME TEXT, updated_at DATETIME TEXT, t TEXT)"
    local Note = rille.model "Note" { timestamps = { created_at = "made", updated_at = false } }
    local note = Note:create { t = "a" }
    assert.matches(NOW, note.made)
    assert.is_nil(note.updated_at)
    assert.is_nil(note:update({ t = "b" }).updated_at)
    refused("unsupported", note.touch, note)
    local Quiet = rille.model "Quiet" { table = "notes", timestamps = false }
    assert.is_nil(Quiet:create({ t = "c" }).made)
    Quiet:insert { t = "d" }
    assert.is_nil(Quiet:find(3).made)
    world.fresh "create table notes (id integer primary key, t TEXT)"
    assert.equal("a", rille.model "Note" {}:create({ t = "a" }).t)
    world.fresh "create table beats (id integer primary key, created_at INTEGER, updated_at DATETIME TEXT)"
    local beat = rille.model "Beat" { casts = { created_at = "timestamp" } }:create()
    assert.equal("integer", math.type(beat.created_at))
    assert.matches(NOW, beat.updated_at)
    assert.is_true(math.abs(beat.created_at - os.time()) < 60)
  end)

  it("stays as it was when the database refuses", function()
    User:create { name = "ann", email = "a@x" }
    local user = User:create { name = "bob", email = "b@x" }
    user.email = "a@x"
    local e = untouched("unique_violation", user.save, user)
    assert.same({ "users", "email" }, { e.table, e.column })
    assert.same({ email = { "b@x", "a@x" } }, user:changes())
    assert.is_true(user:exists())
    user.email = "c@x"
    user:save()
    assert.equal("c@x", User:find(2).email)

    local post = Post:create { title = "x" }
    post.author_id = 99
    untouched("foreign_key_violation", post.save, post)
    assert.same({ author_id = { nil, 99 } }, post:changes())
    local fresh = Post:new { views = 1 }
    untouched("not_null_violation", fresh.save, fresh)
    assert.is_false(fresh:exists())
    assert.is_nil(fresh.created_at)
    fresh.title = "now"
    assert.is_true(fresh:save():exists())
  end)

  it("raises stale_object when the row is gone", function()
    local post = Post:create { title = "a" }
    db:execute "delete from posts"
    post.title = "b"
    local before = world.picture()
    local e = refused("stale_object", post.save, post)
    assert.same({ "Post", "posts" }, { e.model, e.table })
    assert.matches("key 1 is no longer there", e.message)
    post.id = 5
    assert.matches("key 1 is no longer there", refused("stale_object", post.save, post).message)
    post.id = 1
    assert.same({ title = { "a", "b" } }, post:changes())
    refused("stale_object", post.delete, post)
    refused("stale_object", post.refresh, post)
    refused("stale_object", post.increment, post, "views")
    assert.is_nil(post:fresh())
    assert.equal(before, world.picture())
  end)

  it("does not insert again what was deleted", function()
    local post = Post:create { title = "a" }
    post:delete()
    assert.is_false(post:exists())
    for _, word in ipairs { "save", "delete", "touch", "refresh" } do untouched("stale_object", post[word], post) end
    post.title = "b"
    untouched("stale_object", post.save, post)
    untouched("stale_object", post.increment, post, "views")
    assert.equal(2, post:replicate():save().id)
  end)

  it("comes back to life where its deletion was rolled back", function()
    local post = Post:create { title = "a" }
    pcall(rille.transaction, function()
      post:delete()
      error "no"
    end)
    assert.equal("b", post:refresh():update({ title = "b" }).title)
    assert.equal("b", Post:find(1).title)
  end)

  it("is not there before it was saved", function()
    local post = Post:new { title = "a" }
    local before = world.picture()
    for _, word in ipairs { "delete", "force_delete", "touch", "refresh", "fresh" } do
      assert.matches("never saved", refused("invalid_argument", post[word], post).message)
    end
    assert.matches("never saved", refused("invalid_argument", post.increment, post, "views").message)
    assert.equal(before, world.picture())
  end)

  it("changes a key where the key was changed", function()
    local post = Post:create { title = "a" }
    Post:create { title = "b" }
    post.id = 9
    post:save()
    assert.equal("a", Post:find(9).title)
    assert.is_nil(Post:find(1))
    post.id = 2
    untouched("unique_violation", post.save, post)
    assert.equal(9, post:refresh().id)
    post.id = 5
    assert.equal(9, post:fresh().id)
    post:delete()
    assert.same({ 2 }, Post:pluck "id")
  end)

  it("saves what was read in part", function()
    Post:create { title = "a", views = 1, body = "b" }
    local post = Post:select("id", "title"):first()
    post.title = "c"
    post:save()
    assert.same({ "c", 1, "b" }, { post.title, post.views, post.body })
    assert.is_true(post:was_changed "title")
    local keyless = Post:select("title"):first()
    keyless.title = "d"
    local e = pcall(keyless.save, keyless)
    assert.is_false(e)
    assert.equal("c", Post:find(1).title)
    post = Post:select("id", "title", "views as seen"):first()
    assert.equal(1, post.seen)
    post:update { title = "e" }
    assert.equal("e", Post:find(1).title)
  end)

  it("keeps its own columns when read through a join", function()
    User:create { name = "ann" }
    Post:create { title = "a", author_id = 1 }
    local post = Post:join("users", "users.id", "posts.author_id"):select("posts.*", "users.name as who"):first()
    assert.same({ "ann", "a", 1 }, { post.who, post.title, post.id })
    post:update { title = "b" }
    assert.equal("b", Post:find(1).title)
    refused("no_such_column", function() post.who = "x" end)
  end)
end)

describe("a record", function()
  local Post, db
  before_each(function()
    Post = world.blog()
    db = rille.db()
    Post:create { title = "a", views = 1, meta = { n = 1 } }
  end)

  it("adds to a column in the database and keeps other changes", function()
    local post = Post:find(1)
    db:execute "update posts set views = 10, body = 'theirs'"
    post.title = "mine"
    post.meta.n = 2
    post:increment "views"
    assert.same({ 11, "theirs", "mine", 2 }, { post.views, post.body, post.title, post.meta.n })
    assert.is_true(post:is_dirty "title" and post:is_dirty "meta")
    assert.is_false(post:is_dirty "views")
    db:execute "update posts set updated_at = '1970-01-01T00:00:00.000000Z'"
    assert.is_true(post:increment("views", 0).updated_at > "2020")
    post.id = 9
    post:increment("views", 0)
    assert.same({ 9, 1 }, { post.id, Post:where("views", 11):value "id" })
    post.id = 1
    post.meta.m = 3
    post:decrement("views", 5):save()
    post = Post:find(1)
    assert.same({ 6, "mine", 2, 3 }, { post.views, post.title, post.meta.n, post.meta.m })
    for _, by in ipairs { "1", 0 / 0, math.huge, {}, 1.5, true } do
      untouched("invalid_argument", post.increment, post, "views", by)
    end
    untouched("no_such_column", post.increment, post, "veiws")
    untouched("no_such_column", post.increment, post, nil)
  end)

  it("adds whatever scopes the model has", function()
    local Live = rille.model "Live" { table = "posts", soft_deletes = "at",
      global_scopes = { live = function(q) return q:where("live", true) end } }
    Live:create { title = "hidden", live = false }
    local post = Live:without_global_scope("live"):find(2)
    assert.equal(1, post:increment("views").views)
    post:delete()
    assert.equal(2, post:increment("views").views)
  end)

  it("is read again, or anew as another record", function()
    local post = Post:find(1)
    db:execute "update posts set title = 'theirs'"
    post.views = 99
    local fresh = post:fresh()
    assert.same({ "theirs", 1, 99, "a" }, { fresh.title, fresh.views, post.views, post.title })
    post:refresh()
    assert.same({ "theirs", 1 }, { post.title, post.views })
    assert.is_false(post:is_dirty())
  end)

  it("makes a copy that is not saved", function()
    local post = Post:find(1)
    post.title = "changed"
    local copy = post:replicate()
    assert.is_false(copy:exists())
    assert.same({ nil, "changed", 1, nil, nil }, { copy.id, copy.title, copy.views, copy.created_at, copy.updated_at })
    copy.meta.n = 7
    assert.equal(1, post.meta.n)
    copy:save()
    assert.equal(2, copy.id)
    assert.equal(7, Post:find(2).meta.n)
    assert.equal("a", Post:find(1).title)
  end)

  it("is touched", function()
    db:execute "update posts set updated_at = '1970-01-01T00:00:00.000000Z'"
    local post = Post:find(1)
    assert.same({ 'update "posts" set "updated_at" = ? where "id" = ?' }, statements(post.touch, post))
    assert.is_true(Post:find(1).updated_at > "2020")
  end)

  it("is deleted", function()
    local post = Post:find(1)
    assert.same({ 'delete from "posts" where "id" = ?' }, statements(function() assert.is_true(post:delete()) end))
    assert.equal(0, Post:count())
    assert.equal("a", post.title)
    for _, word in ipairs { "trashed", "restore" } do
      assert.matches("does not delete softly", refused("unsupported", post[word], post).message)
    end
  end)
end)

describe("a record that is deleted softly", function()
  local Post
  before_each(function()
    Post = world.blog { soft_deletes = "at" }
    Post:create { title = "a" }
  end)

  it("is marked, and nothing else of it is written", function()
    local post = Post:find(1)
    post.title = "pending"
    assert.same({ 'update "posts" set "at" = ?, "updated_at" = ? where "id" = ?' }, statements(function()
      assert.is_true(post:delete())
    end))
    assert.is_true(post:trashed())
    assert.matches(NOW, post.at)
    assert.same({ title = { "a", "pending" } }, post:changes())
    assert.equal("a", Post:with_trashed():find(1).title)
    assert.equal(0, Post:count())
    assert.is_true(post:exists())
    assert.same({}, statements(post.delete, post))
  end)

  it("is restored", function()
    local post = Post:find(1)
    assert.is_false(post:trashed())
    post:delete()
    assert.equal(post, post:restore())
    assert.is_false(post:trashed())
    assert.equal(1, Post:count())
    assert.same({}, statements(post.restore, post))
  end)

  it("is deleted for good when forced", function()
    local post = Post:find(1)
    assert.is_true(post:force_delete())
    assert.equal(0, Post:with_trashed():count())
    assert.is_false(post:exists())
    untouched("stale_object", post.restore, post)
    untouched("stale_object", post.delete, post)
  end)

  it("must have been saved", function()
    local post = Post:new { title = "b" }
    for _, word in ipairs { "delete", "restore", "force_delete" } do untouched("invalid_argument", post[word], post) end
  end)
end)

describe("a composite key", function()
  local Mark
  before_each(function()
    world.fresh [[create table marks (student INTEGER not null, subject VARCHAR(9) not null, mark INTEGER,
      primary key (student, subject))]]
    Mark = rille.model "Mark" { primary_key = { "student", "subject" } }
    Mark:create_many { { student = 1, subject = "art", mark = 2 }, { student = 1, subject = "bio", mark = 3 },
      { student = 2, subject = "art", mark = 4 } }
  end)

  it("finds one row, or several", function()
    assert.equal(3, Mark:find(1, "bio").mark)
    assert.is_nil(Mark:find(2, "bio"))
    assert.same({ 2, 4 }, Mark:find({ { 1, "art" }, { 2, "art" }, { 9, "x" } }):pluck "mark")
    assert.same({}, Mark:find {})
    assert.equal("there is no Mark with the key 2, bio", refused("not_found", Mark.find_or_fail, Mark, 2,
      "bio").message)
    for _, key in ipairs { { 1 }, { nil, "art" }, { { 1 } }, { { 1, 2 } }, { { { 1 } } },
      { "1", "art" }, { 1, 2 } } do
      refused("invalid_argument", Mark.find, Mark, table.unpack(key, 1, 2))
    end
    refused("invalid_argument", Mark.find, Mark, 1, "art", 2)
  end)

  it("saves, reads, touches and deletes one row", function()
    local mark = Mark:find(1, "art")
    assert.same({ 1, "art" }, mark:key())
    assert.equal("Mark(1, art)", tostring(mark))
    mark:update { mark = 1 }
    assert.equal(6, mark:increment("mark", 5).mark)
    assert.same({ 3, 4, 6 }, Mark:order_by("mark"):pluck "mark")
    mark.subject = "zoo"
    mark:save()
    assert.equal(6, Mark:find(1, "zoo").mark)
    assert.is_true(mark:is(Mark:find(1, "zoo")))
    assert.is_false(mark:is(Mark:find(1, "bio")))
    mark:delete()
    assert.equal(2, Mark:count())
    assert.matches("key 1, zoo is no longer", refused("stale_object", mark.delete, mark).message)
    assert.equal(2, Mark:destroy({ 1, "bio" }, { 2, "art" }))
    assert.equal(0, Mark:count())
  end)
end)
