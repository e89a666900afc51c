--- violation_spec: a violated constraint says in words what it is about, whose it is and what to do.
local world = require "spec.support.world"
local rille = world.rille
local untouched = world.untouched

describe("a violated constraint", function()
  local Post, User, Vote
  before_each(function()
    world.fresh(
      [[create table users (id integer primary key, email TEXT not null unique, org INTEGER, nick TEXT,
        age INTEGER constraint grown_up check (age > 17), unique (org, nick))]],
      [[create table posts (id integer primary key, author_id INTEGER references users (id),
        editor_id INTEGER references users, title TEXT not null, check (title <> ''))]],
      [[create table votes (post_id INTEGER references posts (id) on delete cascade, user_id INTEGER not null
        references users (id), primary key (post_id, user_id))]])
    User, Post = rille.model "User" {}, rille.model "Post" {}
    Vote = rille.model "Vote" { primary_key = { "post_id", "user_id" } }
    User:insert { { id = 1, email = "a@x", org = 1, nick = "ann" }, { id = 2, email = "b@x" } }
    Post:insert { id = 1, author_id = 1, title = "a" }
  end)

  it("of uniqueness names its columns", function()
    local e = untouched("unique_violation", User.create, User, { email = "a@x" })
    assert.equal("users.email: another row has this value already", e.message)
    assert.same({ "users", "email", { "email" }, "User" }, { e.table, e.column, e.columns, e.model })
    assert.matches("another value", e.hint)
    e = untouched("unique_violation", User.insert, User,
      { { email = "c@x" }, { email = "d@x", org = 1, nick = "ann" } })
    assert.equal("row 2 of 2: users.org, users.nick: another row has these values together already", e.message)
    assert.same({ "org", "nick" }, e.columns)
    assert.equal("User", e.model)
    e = untouched("unique_violation", function() User:where("id", 2):update { id = 1 } end)
    assert.same({ "id" }, e.columns)
  end)

  it("of not null names the column", function()
    local e = untouched("not_null_violation", Post.create, Post, { author_id = 1 })
    assert.equal("posts.title must have a value: it cannot be NULL", e.message)
    assert.same({ "posts", "title", { "title" }, "Post" }, { e.table, e.column, e.columns, e.model })
    assert.matches("nullable", e.hint)
  end)

  it("of a check names the check", function()
    local e = untouched("check_violation", User.create, User, { email = "c@x", age = 3 })
    assert.equal("a value is not what the table's check allows: grown_up", e.message)
    assert.same({ "grown_up", "User" }, { e.constraint, e.model })
    e = untouched("check_violation", Post.create, Post, { title = "" })
    assert.matches("title <> ''", e.message)
  end)

  it("of a reference says which row is missing", function()
    for name, write in pairs {
      create = function() Post:create { title = "b", author_id = 1, editor_id = 77 } end,
      save = function()
        local post = Post:find(1)
        post.editor_id = 77
        post:save()
      end,
      insert = function() Post:insert { title = "b", author_id = 1, editor_id = 77 } end,
      update = function() Post:where("id", 1):update { editor_id = 77 } end,
      table = function() rille.db():table("posts"):insert { title = "b", editor_id = 77 } end,
    } do
      local e = untouched("foreign_key_violation", write)
      assert.equal("posts.editor_id refers to a row of users that is missing: 77 (integer)", e.message, name)
      assert.same({ "posts", "editor_id", { "editor_id" } }, { e.table, e.column, e.columns }, name)
      assert.matches("write that row first", e.hint)
      assert.equal(name ~= "table" and "Post" or nil, e.model)
    end
    local e = untouched("foreign_key_violation", Post.insert, Post,
      { { title = "b", author_id = 2 }, { title = "c", author_id = 9 } })
    assert.equal("row 2 of 2: posts.author_id refers to a row of users that is missing: 9 (integer)", e.message)
  end)

  it("of a reference says who still refers to a row", function()
    Vote:insert { post_id = 1, user_id = 1 }
    local user = User:find(1)
    for _, delete in ipairs { function() user:delete() end, function() User:where("id", 1):delete() end } do
      local e = untouched("foreign_key_violation", delete)
      assert.equal("users: a row is still referred to by posts.author_id, posts.editor_id, votes.user_id", e.message)
      assert.same({ "users", "User" }, { e.table, e.model })
      assert.matches("on_delete", e.hint)
    end
    local e = untouched("foreign_key_violation", function() User:where("id", 1):update { id = 5 } end)
    assert.matches("^users: rows of .*posts%.author_id.* still refer to it", e.message)
    assert.equal(1, Post:where("id", 1):delete())
  end)

  it("of a reference that restricts says who holds the row, as any other does", function()
    rille.db():execute "create table badges (user_id INTEGER references users (id) on delete restrict)"
    rille.db():execute "insert into badges values (2)"
    local user = User:find(2)
    local e = untouched("foreign_key_violation", user.delete, user)
    assert.matches("^users: a row is still referred to by badges%.user_id", e.message)
    assert.matches("on_delete", e.hint)
  end)

  it("of a trigger keeps the trigger's words", function()
    rille.db():execute [[create trigger no_nick before delete on users when old.nick is null
      begin select raise(abort, 'who has no nick stays'); end]]
    local e = untouched("check_violation", function() User:where("id", 2):delete() end)
    assert.equal("who has no nick stays", e.message)
  end)

  it("has words in raw SQL too", function()
    local db = rille.db()
    assert.equal("users.email: another row has this value already", untouched("unique_violation", db.execute, db,
      "insert into users (email) values ('a@x')").message)
    assert.matches("^a row that is referred to is missing", untouched("foreign_key_violation", db.execute, db,
      "insert into posts (title, author_id) values ('x', 9)").message)
  end)
end)
