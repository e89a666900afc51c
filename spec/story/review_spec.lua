--- review_spec: what looked right and was not; each example is a mistake that was made once.
local rille = require "rille"
local core = require "rille.core"

describe("once wrong", function()
  local Post, User

  before_each(function()
    require "rille.model".forget_all()
    rille.connect ":memory:"
    rille.schema():create("users", function(t) t:id() t:string "name" t:integer("age"):default(1) end)
    rille.schema():create("posts", function(t)
      t:id()
      t:string "title"
      t:integer("author_id"):nullable()
      t:integer("views"):default(0)
      t:boolean("published"):default(false)
      t:decimal("price"):default(0)
      t:datetime("at"):nullable()
    end)
    User = rille.model "User" {}
    Post = rille.model "Post" {}
    for id = 100, 300, 100 do User:insert { id = id, name = "u" .. id, age = id } end
    for i = 1, 3 do Post:create { title = "p" .. i, author_id = i * 100, views = 500, price = "0.10" } end
  end)

  after_each(function()
    rille.close()
    require "rille.model".forget_all()
  end)

  local function joined() return Post:join("users", "users.id", "posts.author_id") end

  local function refused(kind, fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    assert.is_true(rille.is_error(err, kind), tostring(err))
    return err
  end

  it("an output under the name of the key is no key: the record cannot be saved or deleted by it", function()
    local post = Post:select("author_id as id", "title"):where("posts.id", 1):first()
    post.title = "changed"
    refused("invalid_argument", post.save, post)
    refused("invalid_argument", post.delete, post)
    local other = joined():select("users.id", "posts.title"):first()
    refused("invalid_argument", other.delete, other)
    assert.equal(3, Post:count())
    assert.same({ "p1", "p2", "p3" }, Post:order_by("id"):pluck "title")
  end)

  it("an output under the name of a column has no part in the column's type", function()
    assert.equal(500, Post:select("views as published"):first().published)
    assert.equal(500, Post:select("views as price"):first().price)
  end)

  it("an aggregate over a limited join is that of the column which was named", function()
    assert.equal(300, joined():max "users.id")
    assert.equal(300, joined():limit(9):max "users.id")
    assert.equal(600, joined():limit(9):sum "users.age")
    refused("unsupported", function() return joined():select("posts.id"):limit(9):max "users.id" end)
    assert.equal(3, Post:distinct():count "title")
    assert.equal(1, Post:distinct():count "views")
  end)

  it("decimals add up", function()
    assert.equal("0.30", Post:sum "price")
    local post = Post:find(1)
    post:increment("price", 0.2)
    assert.equal("0.30", post.price)
  end)

  it("nothing is added to what is no number", function()
    refused("invalid_argument", function() return Post:where("id", 1):increment("at", 60) end)
    refused("invalid_argument", function() return Post:where("id", 1):increment("title", 1) end)
  end)

  it("what narrows nothing is no condition of a delete", function()
    refused("unsafe_mutation", function() return Post:where_not_in("id", {}):delete() end)
    refused("unsafe_mutation", function() return Post:left_join("users", "users.id", "posts.author_id"):delete() end)
    assert.equal(3, Post:count())
  end)

  it("no or_where escapes a key, a page or the scopes of a subquery", function()
    local query = Post:where("id", 1):or_where("id", 2)
    assert.is_nil(query:find(3))
    assert.equal(2, query:find(2).id)
    local ids = {}
    query:chunk(1, function(rows) ids[#ids + 1] = rows[1].id end)
    assert.same({ 1, 2 }, ids)
  end)

  it("an insert of one row is refused in a transaction that the database has ended", function()
    rille.db():execute [[create trigger boom before insert on posts when new.title = 'boom'
      begin select raise(rollback, 'boom'); end]]
    refused("transaction_aborted", rille.transaction, function()
      pcall(Post.create, Post, { title = "boom" })
      Post:insert { title = "leaked" }
    end)
    assert.equal(3, Post:count())
  end)

  it("queries in queries end at a depth that the database bears", function()
    local query = Post:query()
    for _ = 1, 1000 do query = Post:where_in("id", query):select "id" end
    assert.matches("in each other", refused("invalid_argument", query.count, query).message)
    local fine = Post:query()
    for _ = 1, 10 do fine = Post:where_in("id", fine:select "id") end
    assert.equal(3, fine:count())
  end)

  it("a transaction left in another coroutine says so and stays its owner's", function()
    local tx = rille.begin()
    local ok, err = pcall(coroutine.wrap(function() local taken <close> = tx end))     -- luacheck: ignore 211
    assert.is_false(ok)
    assert.equal("invalid_argument", err.kind)
    Post:create { title = "kept" }
    tx:commit()
    assert.equal(4, Post:count())
  end)

  it("no SQL text begins or ends a transaction, whatever stands before its first word", function()
    for _, sql in ipairs { "begin", ";begin", "\u{feff}commit", "/* x */ rollback", "-- y\n savepoint a" } do
      refused("invalid_argument", function() rille.db():execute(sql) end)
    end
    assert.equal(0, rille.db():_connect():depth())
  end)

  it("a cursor keeps what it compares with", function()
    local next_row = Post:where("title", ">=", ("p"):rep(1)):cursor()
    assert.equal(1, next_row().id)
    collectgarbage()
    assert.equal(2, next_row().id)
  end)

  it("sole and value keep to the query's own limit", function()
    assert.is_nil(Post:limit(0):value "id")
    assert.equal("p1", Post:order_by("id"):limit(1):sole().title)
  end)

  it("a method without its model says how it is called", function()
    assert.matches("colon", refused("invalid_argument", function() return Post.where("id", 1) end).hint)
    assert.matches("colon", refused("invalid_argument", function() return Post.order_by("id") end).hint)
  end)

  it("a day before 1970 and a year that no calendar has are told apart", function()
    assert.is_not_nil(core)
    refused("invalid_argument", function() return Post:where("at", { year = -2147483647, month = 1,
      day = 1 }):all() end)
  end)
end)
