--- postgres/trips_spec: how often the server is asked, whose answer is waited for: on a network each costs.
local world = require "spec.support.world"
local rille = world.rille

local TABLES <const> = {
  "create table users (id integer primary key autoincrement, name TEXT, boss_id INTEGER)",
  "create table posts (id integer primary key autoincrement, user_id INTEGER, title TEXT)",
  "create table photos (id integer primary key autoincrement, user_id INTEGER, of TEXT)",
  "create table tags (id integer primary key autoincrement, name TEXT)",
  "create table post_tags (post_id INTEGER, tag_id INTEGER, primary key (post_id, tag_id))",
  "create table notes (id integer primary key autoincrement, on_type TEXT, on_id INTEGER)",
}

local db, User, Post, Note

--- Round trips of a function whose statements have been prepared.
local function trips(fn)
  fn()
  fn()
  local before = db:_connect():stats().round_trips
  fn()
  return db:_connect():stats().round_trips - before
end

before_each(function()
  db = world.fresh(table.unpack(TABLES))
  User = rille.model "User" { relations = { posts = rille.has_many "Post", photos = rille.has_many "Photo",
    boss = rille.belongs_to("User", { foreign_key = "boss_id" }) } }
  Post = rille.model "Post" { relations = { tags = rille.belongs_to_many("Tag", { pivot = "post_tags" }),
    user = rille.belongs_to "User" } }
  rille.model "Photo" { relations = { user = rille.belongs_to "User" } }
  rille.model "Tag" {}
  Note = rille.model "Note" { relations = { on = rille.morph_to() } }
  db:insert("users", { { name = "a", boss_id = 2 }, { name = "b" }, { name = "c", boss_id = 1 } })
  db:insert("posts", { { user_id = 1, title = "x" }, { user_id = 1, title = "y" }, { user_id = 3, title = "z" } })
  db:insert("photos", { { user_id = 1, of = "p" }, { user_id = 2, of = "q" } })
  db:insert("tags", { { name = "red" }, { name = "blue" } })
  db:insert("post_tags", { { post_id = 1, tag_id = 1 }, { post_id = 1, tag_id = 2 }, { post_id = 3, tag_id = 2 } })
  db:insert("notes", { { on_type = "posts", on_id = 2 }, { on_type = "users", on_id = 2 } })
end)

describe("one round trip", function()
  it("is a statement, outside of a transaction and as its first, and a commit", function()
    assert.equal(1, trips(function() User:find(1) end))
    assert.equal(2, trips(function() rille.transaction(function() User:find(1) end) end))
    assert.equal(3, trips(function() rille.transaction(function() User:find(1) User:find(2) end) end))
    assert.equal(0, trips(function() rille.transaction(function() end) end))
  end)

  it("says all there is to know of a table", function()
    assert.equal(1, trips(function() db:describe "posts" end))
    assert.equal(1, trips(function() assert.is_nil(db:describe "no_such_table") end))
    assert.equal(1, trips(function() db:find_by_id("posts", 1) end))
    assert.equal(0, trips(function() assert.equal("id", db:described "posts".primary[1]) end))
  end)

  it("gives rows that are many while they come, and those of others are whole", function()
    db:insert("posts", (function()
      local rows = {}
      for i = 1, 2000 do rows[i] = { user_id = 2, title = ("x"):rep(100) } end
      return rows
    end)())
    local posts, user, page
    assert.equal(1, trips(function() posts = Post:query():order_by("id"):all() end))
    assert.same({ 2003, 2003 }, { #posts, posts[2003].id })
    assert.equal(2, trips(function() user = User:with("photos", "posts"):find(2) end))
    assert.same({ 1, 2000, ("x"):rep(100) }, { #user.photos, #user.posts, user.posts[2000].title })
    assert.equal(2, trips(function() page = Post:query():order_by("id"):paginate(1, 1000) Post:all() end))
    assert.same({ 2003, 1000 }, { page.total, #page.data })
  end)

  it("reads all relations of one level", function()
    local users
    local function read() users = User:query():order_by("id"):with("posts.tags", "photos", "boss"):all() end
    assert.equal(3, trips(read))                            -- users; posts, photos and bosses; tags and commit
    assert.equal(2, trips(function() User:with("posts", "photos", "boss"):all() end))
    assert.equal(2, trips(function() User:with("posts"):all() end))
    local found = {}
    for i, user in ipairs(users) do
      found[i] = { #user.posts, #user.photos, user.boss and user.boss.name,
        table.concat(user.posts:map(function(post) return #post.tags end), " ") }
    end
    assert.same({ { 2, 1, "b", "2 0" }, { 0, 1, nil, "" }, { 1, 0, "a", "1" } }, found)
    assert.equal(1, trips(function() users:load("posts", "photos", "boss") end))
  end)

  it("reads what is below each of several relations", function()
    local users
    assert.equal(3, trips(function()
      users = User:query():order_by("id"):with { "posts.user", photos = function(q) return q:with "user" end }:all()
    end))
    assert.equal("a", users[1].posts[1].user.name)
    assert.equal("b", users[2].photos[1].user.name)
  end)

  it("reads what a morph leads to, of whatever model", function()
    local notes
    assert.equal(2, trips(function() notes = Note:query():order_by("id"):with("on"):all() end))
    assert.same({ "y", "b" }, { notes[1].on.title, notes[2].on.name })
  end)

  it("gives a page and how many rows there are", function()
    local page
    assert.equal(1, trips(function() page = User:query():order_by("id"):paginate(2, 2) end))
    assert.same({ 3, 1, "c", 2 }, { page.total, #page.data, page.data[1].name, page.last_page })
    assert.equal(2, trips(function() page = User:query():order_by("id"):with("posts"):paginate(1, 2) end))
    assert.same({ 3, 2 }, { page.total, #page.data[1].posts })
  end)

  it("is as well for each listener told as without one, statement for statement", function()
    local with = function() return User:query():order_by("id"):with("posts", "photos"):all() end
    local alone = with()
    local heard = world.heard(function() assert.same(alone:to_json(), with():to_json()) end)
    assert.equal(3, #heard)
  end)

  it("that fails says which statement failed, and the transaction is as after any", function()
    db:execute "alter table photos rename to pictures"
    local e = world.refused("no_such_table", function() User:with("posts", "photos", "boss"):all() end)
    assert.matches("photos", e.message)
    assert.equal(3, User:count())
    db:execute "alter table pictures rename to photos"
    assert.equal(3, #User:with("posts", "photos", "boss"):all())
  end)

  it("tells hooks of what was read, in the transaction that reads it", function()
    local seen, level = {}, nil
    Post:on("retrieved", function(post)
      seen[#seen + 1] = post.title
      level = db:_connect():depth()
      db:insert("tags", { name = post.title })
    end)
    assert.equal(6, trips(function() User:with("posts", "photos"):all() end))   -- three inserts, and the commit alone
    table.sort(seen)
    assert.same({ "x", "x", "x", "y", "y", "y", "z", "z", "z" }, seen)
    assert.same({ 1, 11 }, { level, db:table("tags"):count() })
  end)

  it("commits alone what a hook wrote, and what was begun by somebody else not at all", function()
    User:on("retrieved", function(user) if user.id == 2 then db:insert("tags", { name = "seen" }) end end)
    assert.equal(4, trips(function() User:with("posts"):all() end))
    assert.equal(5, db:table("tags"):count())
    rille.transaction(function()
      assert.equal(3, #User:with("posts", "photos"):all())
      assert.equal(1, db:_connect():depth())
      db:insert("tags", { name = "kept" })
    end)
    assert.equal(7, db:table("tags"):count())
  end)
end)
