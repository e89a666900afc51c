--- tenant_behind_spec: views, virtual tables and triggers on views, behind which there are rows of tenants.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1, slug = "acme" }, { id = 2 }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("behind a view", function()
  local db, Post, User

  --- Assert that a call is refused inside a tenant.
  local function hidden(fn, ...)
    local e = as(A, refused, "tenant_required", fn, ...)
    assert.matches("is not limited to the tenant", e.message)
    return e
  end

  before_each(function()
    db = world.fresh(
      "create table posts (id integer primary key autoincrement, org_id INTEGER not null, user_id INTEGER, title TEXT)",
      "create table users (id integer primary key autoincrement, name TEXT)",
      "create view every as select id, user_id, title from posts",
      "create view names as select id, name from users")
    Post = rille.model "Post" { tenant_column = "org_id" }
    User = rille.model "User" { relations = { lines = rille.has_many("Line") } }
    rille.model "Line" { table = "every", primary_key = { "id" }, relations = { user = rille.belongs_to("User") } }
    User:create { name = "Ada" }
    for _, tenant in ipairs { A, B } do
      as(tenant, function() Post:create { user_id = 1, title = "of " .. tenant.id } end)
    end
  end)
  after_each(function() rille.close() end)

  it("a call that was refused in a coroutine, which caught nothing, is forgotten with its database", function()
    do
      local asked = coroutine.create(function()
        rille.tenant.set(A)
        return db:table "every":all()
      end)
      local ok, e = coroutine.resume(asked)
      assert.is_false(ok)
      assert.equal("tenant_required", e.kind)
    end
    db:close()
    for _ = 1, 4 do collectgarbage() end
    local other = rille.connect ":memory:"
    assert.equal(1, other:query "select 1 as one"[1].one)
  end)

  it("no tenant reads the rows of another one, however the view comes into a query", function()
    local Line, Name = require "rille.model".declared.Line, db:table "names"
    local e = hidden(function() return db:table "every":all() end)
    assert.matches('every: what it does with posts is not limited to the tenant "acme"', e.message, 1, true)
    assert.matches("Post:without_tenant_scope", e.hint, 1, true)
    for _, fn in ipairs {
      function() return db:table "every":count() end,
      function() return db:table "every":pluck "title" end,
      function() return db:table "every":where("id", 1):first() end,
      function() for _ in db:table "every":cursor() do error "read" end end,
      function() return db:table "every":to_sql() end,
      function() return db:select("every", { id = 1 }) end,
      function() return Line:all() end,
      function() return Line:find(1) end,
      function() return Line:sum "id" end,
      function() return User:join("every", "every.user_id", "users.id"):all() end,
      function() return User:join("every as e", "e.user_id", "users.id"):count() end,
      function() return User:left_join(Line, "every.user_id", "users.id"):all() end,
      function() return Post:join("every", "every.id", "posts.id"):all() end,
      function() return User:where_in("id", db:table "every":select "user_id"):all() end,
      function() return User:where_exists(db:table "every":where_column("every.user_id", "users.id")):all() end,
      function() return User:where(function(q) return q:where_not_exists(Line:query()) end):all() end,
      function() return Name:union(db:table "every":select("id", "title")):all() end,
      function() return User:where_has "lines":all() end,
      function() return User:with "lines":all() end,
      function() return User:with_count "lines":all() end,
      function() return User:first().lines end,
    } do
      hidden(fn)
    end
  end)

  it("all is there outside of tenants, as to SQL of one's own", function()
    assert.equal(2, db:table "every":count())
    assert.equal(2, #User:first().lines)
    assert.equal(2, #User:with "lines":first().lines)
    assert.equal(1, as(A, function() return db:table "names":count() end))
    assert.equal(1, as(A, function() return User:join("names", "names.id", "users.id"):count() end))
  end)

  it("records that were read outside of tenants give a tenant nothing more", function()
    local user, line = User:first(), require "rille.model".declared.Line:first()
    hidden(function() return user.lines end)
    hidden(function() return line:refresh() end)
    hidden(function() return line:update { title = "x" } end)
    hidden(function() return line:delete() end)
  end)

  it("other views are looked through, and names however they are written", function()
    for i, sql in ipairs {
      'select * from "posts"', "select * from [POSTS]", "select * from `Posts`", "select * from 'posts'",
      "select * from main.posts", "with p as (select * from main . posts) select * from p", "select * from every",
      "select name, (select count(*) from posts) as n from users",
      "select 1 as a where exists (select 1 from/**/every)",
      "select id from users where id in posts_of",
    } do
      if sql:find "posts_of" then db:execute "create view posts_of as select user_id from every" end
      db:execute(("create view v%d as %s"):format(i, sql))
      hidden(function() return db:table("v" .. i):count() end)
    end
    db:execute "create view above as select * from v7"
    hidden(function() return db:table "above":count() end)
  end)

  it("names that hold quotes and blanks are known, and longer names are others", function()
    db:execute [[create table "my ""own"" rows" (id integer primary key, org_id INTEGER)]]
    db:execute [[create view quoted as select id from "my ""own"" rows"]]
    db:execute "create table posts_old (id integer primary key)"
    db:execute "create table oldposts (id integer primary key)"
    db:execute "create view others as select p.id from posts_old as p, oldposts"
    rille.model "Own" { table = 'my "own" rows', tenant_column = "org_id" }
    hidden(function() return db:table "quoted":count() end)
    assert.equal(0, as(A, function() return db:table "others":count() end))
  end)

  it("a trigger of the view writes rows of nobody, so nothing is written through it", function()
    db:execute "create view inbox as select 0 as org_id, name as title from users"
    db:execute [[create trigger take instead of insert on INBOX begin
      insert into posts (org_id, title) values (new.org_id, new.title); end]]
    db:execute "create trigger wipe instead of delete on inbox begin delete from posts; end"
    db:execute "create trigger change instead of update on every begin update posts set title = new.title; end"
    local Inbox = rille.model "Inbox" { table = "inbox", primary_key = { "title" } }
    hidden(function() return db:table "inbox":insert { { org_id = 2, title = "x" } } end)
    hidden(function() return db:insert("inbox", { org_id = 2, title = "x" }) end)
    hidden(function() return db:table "inbox":where("title", "Ada"):delete() end)
    hidden(function() return db:table "every":unfiltered():update { title = "x" } end)
    hidden(function() return db:table "every":unfiltered():increment("user_id") end)
    hidden(function() return Inbox:create { org_id = 2, title = "x" } end)
    hidden(function() return Inbox:insert { { org_id = 2, title = "x" } } end)
    hidden(function() return Inbox:unfiltered():delete() end)
    assert.equal(2, Post:without_tenant_scope(function() return Post:count() end))
    db:table "inbox":insert { { org_id = 2, title = "x" } }
    assert.equal(3, Post:without_tenant_scope(function() return Post:count() end))
  end)

  it("a view with the tenant's column is filtered where a model says so", function()
    db:execute "create view mine as select id, org_id, title from every join posts using (id, title)"
    hidden(function() return db:table "mine":count() end)
    local Mine = rille.model "Mine" { table = "mine", tenant_column = "org_id", primary_key = { "id" } }
    as(A, function()
      assert.same({ "of 1" }, world.of_each(Mine:all(), "title"))
      assert.same({ "of 1" }, world.of_each(db:table "mine":all(), "title"))
      assert.is_nil(Mine:find(2))
      assert.equal(1, Post:join("mine", "mine.id", "posts.id"):count())
    end)
    refused("tenant_required", function() return Mine:all() end)
    db:execute "create view through as select title from mine"
    hidden(function() return db:table "through":count() end)
  end)

  it("the rows are seen where all that is behind it is lifted", function()
    db:execute "create table parts (id integer primary key, org_id INTEGER)"
    db:execute "create view mixed as select id from posts union select id from parts"
    local Part = rille.model "Part" { tenant_column = "org_id" }
    as(A, function()
      Post:without_tenant_scope(function()
        assert.equal(2, db:table "every":count())
        assert.equal(2, #User:first().lines)
        assert.matches("with parts", refused("tenant_required", function() return db:table "mixed":count() end).message)
        Part:without_tenant_scope(function() assert.equal(2, db:table "mixed":count()) end)
      end)
    end)
    hidden(function() return db:table "every":count() end)
  end)

  it("the rows are seen by who says so, and that is told", function()
    local told = {}
    local stop = rille.on("tenant:bypass", function(event) told[#told + 1] = event end)
    local q = db:table("every", { all_tenants = true })
    assert.equal(2, q:count())
    assert.equal(0, #told)
    as(A, function()
      assert.equal(2, q:count())
      assert.equal(2, #db:table("every", { all_tenants = true }):all())
      assert.equal(1, #User:where_in("id", q:select "user_id"):all())
      assert.equal(1, db:table("names", { all_tenants = true }):count())
    end)
    stop()
    assert.equal(3, #told)
    assert.equal("every table acme", ("%s %s %s"):format(told[1].table, told[1].method, told[1].tenant.slug))
    assert.matches("tenant_behind_spec.lua:%d+$", told[1].place)
    hidden(function() return db:table "every":count() end)
    assert.matches("Post:without_tenant_scope", refused("invalid_argument", function()
      return db:table("posts", { all_tenants = true }):count()
    end).hint, 1, true)
    refused("invalid_argument", function() db:table("every", { all = true }) end)
  end)

  it("what is said holds for models and views that come later", function()
    db:execute "create table parts (id integer primary key, org_id INTEGER)"
    db:execute "create view bits as select id from parts"
    local q, Bit = db:table "bits", rille.model "Bit" { table = "bits", primary_key = { "id" } }
    assert.equal(0, as(A, function() return q:count() + Bit:count() end))
    local joined = User:join("bits", "bits.id", "users.id")
    rille.model "Part" { tenant_column = "org_id" }
    hidden(function() return q:count() end)
    hidden(function() return Bit:count() end)
    hidden(function() return joined:count() end)
    db:execute "drop view bits"
    db:execute "create view bits as select id from users"
    assert.equal(1, as(A, function() return db:table "bits":count() + joined:count() - 1 end))
  end)
end)

describe("behind a virtual table", function()
  local db

  local function hidden(name)
    as(A, refused, "tenant_required", function() return db:table(name):count() end)
  end

  before_each(function()
    db = world.fresh("create table posts (id integer primary key autoincrement, org_id INTEGER not null, title TEXT)",
      "create table folk (id integer primary key, name TEXT)", "create table folk_data (id integer primary key)")
    rille.model "Post" { tenant_column = "org_id" }
  end)
  after_each(function() rille.close() end)

  it("no tenant reads an index of words, nor what it is kept in", function()
    db:execute "create virtual table words using fts5(title, content=posts, content_rowid=id)"
    db:execute "create virtual table terms using fts5vocab(words, 'row')"
    db:execute "create view found as select title from words"
    db:execute "create view kept as select block from words_data"
    for _, name in ipairs { "words", "words_data", "words_idx", "words_docsize", "terms", "found", "kept" } do
      hidden(name)
      assert.is_number(db:table(name):count())
    end
    as(A, refused, "tenant_required", function() return db:table "words":where_raw("words match ?", "a"):all() end)
  end)

  it("no tenant reads an index that triggers of the table fill", function()
    db:execute "create virtual table copies using fts5(title)"
    db:execute "create trigger fill after insert on posts begin insert into copies (title) values (new.title); end"
    hidden "copies"
    hidden "copies_content"
  end)

  it("what has nothing to do with tenants is read, even if it is called like that", function()
    db:execute "create virtual table people using fts5(name, content=folk)"
    as(A, function()
      assert.equal(0, db:table "people":count() + db:table "folk_data":count())
      assert.is_number(db:table "people_data":count())
    end)
  end)

  it("one that has the column is filtered", function()
    db:execute "create virtual table words using fts5(org_id unindexed, title)"
    local Word = rille.model "Word" { tenant_column = "org_id", primary_key = { "title" } }
    as(A, function() Word:create { title = "one" } end)
    as(B, function()
      Word:create { title = "two" }
      assert.same({ "two" }, Word:where_raw("words match ?", "one OR two"):pluck "title":to_table())
    end)
  end)
end)
