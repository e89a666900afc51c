--- query_not_in_spec: a NULL among the values of a subquery hides no row from "not in".
local world = require "spec.support.world"
local rille = world.rille

describe("not in a query", function()
  local Post, User
  before_each(function()
    Post, User = world.blog()
    User:insert { { id = 1, name = "ann" }, { id = 2, name = "bob" }, { id = 3, name = "cid" } }
    Post:insert { { author_id = 1, title = "a", views = 10 }, { title = "orphan", views = 20 } }
  end)

  it("ignores the NULLs of the query", function()
    local authors = Post:select "author_id"
    assert.same({ 2, 3 }, User:where_not_in("id", authors):order_by("id"):pluck "id")
    assert.same({ 2, 3 }, User:where_not(function(q) return q:where_in("id", authors) end):order_by("id"):pluck "id")
    assert.same({ 2 }, User:where_not(function(q)
      return q:where_in("id", authors):or_where("id", 3)
    end):pluck "id")
    assert.same({ 2, 3 }, User:where("id", 99):or_where_not_in("id", authors):order_by("id"):pluck "id")
    assert.same({ 1 }, User:where_not(function(q)
      return q:where_not_in("id", authors)
    end):pluck "id")
    assert.equal(2, User:where_not_in("id", authors):count())
    assert.same({ 1, 2, 3 }, User:where_not_in("id", authors:where("title", "orphan")):order_by("id"):pluck "id")
    assert.equal(2, User:where_not_in("id", authors):delete())
  end)

  it("ignores those of joins, unions, limits and SQL text too", function()
    for name, query in pairs {
      left_join = Post:left_join("users", "users.id", "posts.author_id"):select "users.id",
      union = Post:where("title", "a"):select("author_id"):union(Post:where("title", "orphan"):select "author_id"),
      limit = Post:order_by("id"):limit(5):select "author_id",
      raw = Post:select_raw "author_id + 0 as n",
    } do
      assert.same({ 2, 3 }, User:where_not_in("id", query):order_by("id"):pluck "id", name)
    end
  end)

  it("is not true of NULL itself, as in SQL", function()
    User:insert { { id = 4, name = "dee", age = 7 } }
    assert.same({}, User:where_not_in("age", User:where("id", 4):select "age"):pluck "id")
    assert.equal(4, User:where_not_in("age", User:where("id", 99):select "age"):count())
  end)

  it("says no more than needed where there can be no NULL", function()
    assert.equal('select count(*) from "users" where not ("id" in (select "posts"."id" from "posts"))',
      world.statements(function() User:where_not_in("id", Post:select "id"):count() end)[1])
    assert.equal('select count(*) from "users" where "id" in (select "posts"."author_id" from "posts")',
      world.statements(function() User:where_in("id", Post:select "author_id"):count() end)[1])
  end)

  it("of a list refuses NULL", function()
    for _, list in ipairs { { 1, rille.null }, { rille.null } } do
      world.refused("invalid_argument", function() return User:where_not_in("id", list):all() end)
    end
  end)
end)
