--- relation_load_spec: relations loaded with rows, later, and when they are read; and with how many statements.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, refused, of_each = world.rille, world.refused, world.of_each
local List = require "rille.list"

local function count(fn, ...) return #world.statements(fn, ...) end

--- Two countries, four people, six posts, twelve comments, three tags.
local function people(db)
  db:table("countries"):insert { { id = 1, n = 1, name = "fr" }, { id = 2, n = 2, name = "de" } }
  db:table("users"):insert { { id = 1, name = "a", country_id = 1 },
    { id = 2, name = "b", country_id = 1, boss_id = 1 },
    { id = 3, name = "c", country_id = 2, boss_id = 1 }, { id = 4, name = "d", boss_id = 2 } }
  for i = 1, 6 do db:table("posts"):insert { { id = i, n = i % 3, title = "p" .. i, user_id = (i - 1) // 2 + 1 } } end
  for i = 1, 12 do
    db:table("comments"):insert { { id = i, n = i % 4, post_id = (i - 1) % 4 + 1, author_id = i % 3 + 1 } }
  end
  db:table("tags"):insert { { id = 1, n = 1, name = "x" },
    { id = 2, n = 2, name = "y" }, { id = 3, n = 3, name = "z" } }
  db:table("post_tag"):insert { { post_id = 1, tag_id = 1, position = 2 }, { post_id = 1, tag_id = 2, position = 1 },
    { post_id = 2, tag_id = 1, position = 1 }, { post_id = 3, tag_id = 3, position = 1 } }
end

describe("relations", function()
  local models, db

  before_each(function()
    models, db = kin.fresh()
    people(db)
  end)
  after_each(function() rille.lazy_loading "batch" end)

  it("are compared as the database compares their keys, not by their bytes", function()
    world.fresh([[create table shops (id integer primary key, code TEXT collate nocase unique, city TEXT)]],
      [[create table orders (id integer primary key, shop TEXT collate nocase, city TEXT collate rtrim)]],
      "insert into shops values (1, 'ABC', 'Ulm'), (2, 'xyz', 'Köln')",
      "insert into orders values (1, 'abc', 'Ulm  '), (2, 'Abc', 'Köln'), (3, 'XYZ', 'ulm')")
    local Shop = rille.model "Shop" { relations = {
      orders = rille.has_many("Order", { local_key = "code", foreign_key = "shop", order_by = "id" }),
      near = rille.has_many("Order", { local_key = "city", foreign_key = "city", order_by = "id" }),
      both = rille.has_many("Order", { local_key = { "code", "city" }, foreign_key = { "shop", "city" } }),
    } }
    local Order = rille.model "Order" { relations = {
      by = rille.belongs_to("Shop", { foreign_key = "shop", owner_key = "code" }),
    } }
    for _, shops in ipairs { Shop:all(), Shop:with("orders", "near", "both"):all() } do
      for _, shop in ipairs(shops) do
        for _, name in ipairs { "orders", "near", "both" } do
          assert.same(of_each(shop:relation(name):order_by("id"):all()), of_each(shop[name]))
        end
      end
      assert.same({ { 1, 2 }, { 3 }, { 1 }, { 2 }, { 1 } }, { of_each(shops[1].orders), of_each(shops[2].orders),
        of_each(shops[1].near), of_each(shops[2].near), of_each(shops[1].both) })
    end
    assert.same({ 1, 1, 2 }, Order:order_by("id"):all():map(function(order) return order.by.id end):to_table())
  end)

  describe("loaded with rows", function()
    it("take one statement each, however many rows there are", function()
      local posts
      assert.equal(4, count(function() posts = models.Post:with("user", "comments", "tags"):all() end))
      assert.equal(0, count(function()
        for _, post in ipairs(posts) do
          assert.equal(post.user_id, post.user.id)
          assert.equal(post.id <= 4 and 3 or 0, #post.comments)
          for _, comment in ipairs(post.comments) do assert.equal(post.id, comment.post_id) end
        end
        assert.same({ 1, 2 }, of_each(posts[1].tags))
      end))
    end)

    it("are said by names, paths, tables and functions of their query", function()
      for _, said in ipairs {
        { "user.country", "comments.author" }, { { "user.country", "comments.author" } },
        { "user", "user.country", "comments", "comments.author" },
        { { user = function(q) return q:with("country") end, comments = function(q) return q:with("author") end } },
        { "comments.author", { user = function(q) return q:with("country") end } },
      } do
        local posts
        assert.equal(5, count(function() posts = models.Post:with(table.unpack(said)):all() end))
        assert.equal(0, count(function()
          assert.equal("fr", posts[1].user.country.name)
          assert.equal(posts[1].comments[1].author_id, posts[1].comments[1].author.id)
        end))
      end
    end)

    it("add up when said twice, the function staying", function()
      local post = models.Post:with { comments = function(q) return q:where("n", 1) end }:with("comments.author")
        :find(1)
      assert.same({ 1, 5, 9 }, of_each(post.comments))
      assert.equal(0, count(function() return post.comments[1].author.id end))
    end)

    it("refuse what is no name, path or function", function()
      for _, wrong in ipairs { 3, "", ".user", true, { comments = "n" }, { 1 }, { comments = true } } do
        refused("invalid_argument", models.Post.with, models.Post, wrong)
      end
      refused("invalid_argument", function()
        return models.Post:with { comments = function() return models.Post:query() end }:all()
      end)
      refused("invalid_argument", function()
        return models.Post:with { comments = function(q) return q:all() end }:all()
      end)
      refused("no_such_relation", function() return db:table("posts"):with("user") end)
    end)

    it("go with every end that gives records", function()
      local posts = models.Post:with("user"):order_by("id")
      local function loaded(record)
        assert.equal(0, count(function() assert.equal(record.user_id, record.user.id) end))
      end
      loaded(posts:first())
      loaded(posts:find(3))
      loaded(posts:first_or_fail())
      loaded(posts:where("id", 2):sole())
      loaded(posts:paginate(2, 2).data[1])
      loaded(posts:simple_paginate(1, 2).data[2])
      loaded(posts:cursor_paginate { per_page = 2 }.data[2])
      posts:each(loaded)
      posts:chunk(4, function(list) loaded(list[#list]) end)
      local seen = {}
      for each in posts:cursor() do
        loaded(each)
        seen[#seen + 1] = each.id
      end
      assert.same(of_each(posts:all()), seen)
      for _ in models.Post:with("user"):where("id", 0):cursor() do error "there is no row" end
      refused("no_such_relation", function() return models.Post:with("usr"):cursor() end)
    end)

    it("load many rows of a cursor at once, and hold no more", function()
      local rows = {}
      for i = 1, 1200 do rows[i] = { id = 100 + i, title = "x", user_id = 1 } end
      models.Post:insert(rows)
      local seen = 0
      assert.equal(1 + 3, count(function()
        for post in models.Post:where("id", ">", 100):with("user"):cursor() do
          seen = seen + post.user.id
        end
      end))
      assert.equal(1200, seen)
      for post in models.Post:with("user"):cursor() do
        if post.id > 0 then goto out end
      end
      ::out::
      models.Post:create { id = 5000, title = "y" }               -- the cursor is closed
    end)

    it("do not touch numbers", function()
      assert.equal(1, count(function() assert.equal(6, models.Post:with("user"):count()) end))
      assert.same({ "p1", "p2" }, { table.unpack(models.Post:with("user"):order_by("id"):pluck("title"), 1, 2) })
    end)

    it("ask nothing where there are no rows or no keys", function()
      assert.equal(1, count(function() return models.Post:where("id", 0):with("user.country"):all() end))
      assert.equal(1, count(function() assert.is_nil(models.User:where("id", 4):with("country"):first().country) end))
    end)

    it("share the record where rows are shared", function()
      local posts = models.Post:with("user", "plain_tags"):order_by("id"):all()
      assert.is_true(rawequal(posts[1].user, posts[2].user))
      assert.is_true(rawequal(posts[1].plain_tags[1], posts[2].plain_tags[1]))
      posts = models.Post:with("tags"):order_by("id"):all()         -- each has a pivot of its own
      assert.is_false(rawequal(posts[1].tags[1], posts[2].tags[1]))
    end)

    it("may select columns: the keys come along unseen", function()
      local post = models.Post:with { comments = function(q) return q:select("n") end,
        plain_tags = function(q) return q:select("name") end }:order_by("id"):first()
      assert.equal('[{"n":1},{"n":1},{"n":1}]', post.comments:to_json())
      assert.equal('[{"name":"x"},{"name":"y"}]', post.plain_tags:to_json())
    end)

    it("say which column of the parent they lack", function()
      local e = refused("missing_attribute", function() return models.Post:select("title"):with("user"):all() end)
      assert.match("user_id", e.message)
      assert.match("add_select", e.hint)
      assert.equal(1, models.Post:select("title", "user_id"):with("user"):order_by("id"):first().user.id)
    end)

    it("see one moment", function()
      local path = os.tmpname()
      models, db = kin.fresh()
      db:execute(("vacuum into '%s'"):format(path .. ".db"))
      local file = { driver = "sqlite", database = path .. ".db" }
      rille.configure { default = "main", connections = { main = file, other = file } }
      people(rille.db())
      local other, written = rille.db "other", false
      models.User:global_scope("meanwhile", function(q)
        if not written then
          written = true
          other:execute "update users set name = 'later'"
        end
        return q:where("id", ">", 0)
      end)
      assert.equal("a", models.Post:with("user"):order_by("id"):first().user.name)
      assert.is_true(written)
      assert.equal("later", models.User:find(1).name)
      rille.close()
      for _, suffix in ipairs { "", ".db", ".db-wal", ".db-shm" } do os.remove(path .. suffix) end
    end)
  end)

  describe("with a limit", function()
    local function limited(name, limit, offset)
      return models.Post:with { [name] = function(q)
        q = q:order_by_desc("id"):limit(limit)
        return offset and q:offset(offset) or q
      end }:order_by("id"):all()
    end

    it("count for each parent, in one statement", function()
      local posts
      assert.equal(2, count(function() posts = limited("comments", 2) end))
      for i = 1, 4 do assert.same({ i + 8, i + 4 }, of_each(posts[i].comments)) end
      assert.same({}, of_each(posts[5].comments))
      assert.same({ 5 }, of_each(limited("comments", 1, 1)[1].comments))
    end)

    it("count so by way of other tables too", function()
      local posts = limited("tags", 1)
      assert.same({ 2 }, of_each(posts[1].tags))
      assert.equal(1, posts[1].tags[1].pivot.position)
      assert.same({ 1 }, of_each(posts[2].tags))
      local countries = models.Country:with { posts = function(q) return q:order_by_desc("id"):limit(3) end }
        :order_by("id"):all()
      assert.same({ 4, 3, 2 }, of_each(countries[1].posts))
      assert.same({ 6, 5 }, of_each(countries[2].posts))
    end)

    it("count when nested", function()
      local users = models.User:with { posts = function(q)
        return q:order_by_desc("id"):limit(1):with { comments = function(c) return c:order_by("id"):limit(2) end }
      end }:order_by("id"):all()
      assert.same({ 2 }, of_each(users[1].posts))
      assert.same({ 2, 6 }, of_each(users[1].posts[1].comments))
      assert.same({ 4, 8 }, of_each(users[2].posts[1].comments))
    end)
  end)

  describe("of one among many", function()
    it("decide ties by the key, in lists and one at a time", function()
      db:execute "update posts set n = 5 where id in (2, 1, 4, 3)"
      for _, users in ipairs { models.User:with("best"):order_by("id"):all(), models.User:order_by("id"):all() } do
        assert.equal(1, users[1].best.id)
        assert.equal(3, users[2].best.id)
        assert.is_nil(users[4].best)
      end
    end)

    it("read one row a parent", function()
      local rows
      local stop = rille.on("query", function(query) rows = query.rows end)
      local user = models.User:with("best"):find(1)
      stop()
      assert.equal(2, user.best.id)
      assert.is_true(rows <= 1)
    end)

    it("take an order from the caller instead", function()
      local user = models.User:with { best = function(q) return q:order_by("n"):limit(1) end }:find(1)
      assert.equal(1, user.best.id)
    end)
  end)

  it("of a hundred thousand parents take one statement", function()
    db:execute [[with recursive c(i) as (select 1 union all select i + 1 from c where i < 100000)
      insert into videos (id, n) select i, i % 7 from c]]
    models.Video:belongs_to("tag", "Tag", { foreign_key = "n" })
    models.Video:has_many("comments", "Comment", { foreign_key = "post_id" })
    local videos
    assert.equal(3, count(function() videos = models.Video:with("tag", "comments"):order_by("id"):all() end))
    assert.equal(100000, #videos)
    assert.equal("x", videos[99996].tag.name)                        -- 99996 % 7 is 1
    assert.equal(3, #videos[1].comments)
    assert.equal(0, #videos[100000].comments)
  end)

  describe("loaded later", function()
    it("are read for the whole list, or for a record", function()
      local posts = models.Post:all()
      assert.equal(2, count(function() assert.equal(posts, posts:load("user.country")) end))
      assert.equal(0, count(function() return posts[1].user.country.name end))
      local post = models.Post:find(1)
      assert.equal(post, post:load { comments = function(q) return q:where("id", ">", 5) end })
      assert.same({ 9 }, of_each(post.comments))
      db:execute "delete from comments where id = 9"
      assert.same({ 9 }, of_each(post.comments))
      assert.same({ 1, 5 }, of_each(post:load("comments").comments))
    end)

    it("are read where they are missing", function()
      local posts = models.Post:with("user"):all()
      local user = posts[1].user
      assert.equal(1, count(function() posts:load_missing("user.country") end))
      assert.equal(0, count(function() posts:load_missing("user.country") end))
      assert.is_true(rawequal(user, posts[1].user))
      local one = models.Post:find(5)
      assert.equal(1, count(function() one:load_missing("comments") end))
      assert.equal(0, count(function() one:load_missing("comments") end))     -- none is an answer
    end)

    it("refuse rows that are no records", function()
      assert.match("no record", refused("invalid_argument", function()
        return db:table("posts"):all():load("user")
      end).message)
    end)
  end)

  describe("that are read", function()
    it("load for all that came together, at every depth", function()
      local posts = models.Post:all()
      assert.equal(3, count(function()
        for _, post in ipairs(posts) do
          for _, comment in ipairs(post.comments) do
            collectgarbage()
            assert.is_truthy(comment.author.country)
          end
        end
      end))
    end)

    it("do so for what is left of a list, whatever became of the list", function()
      local some, others = models.Post:where("id", ">", 1):all():filter(function(post) return post.id > 2 end), {}
      for _, post in ipairs(models.Post:all()) do others[#others + 1] = post end
      collectgarbage()
      collectgarbage()
      assert.equal(1, count(function() for _, post in ipairs(some) do assert.is_truthy(post.user) end end))
      assert.equal(1, count(function() for _, post in ipairs(others) do assert.is_truthy(post.user) end end))
    end)

    it("keep no other record alive", function()
      local kept = models.Post:all()[1]
      local seen = setmetatable({ models.Post:all()[2] }, { __mode = "v" })
      collectgarbage()
      collectgarbage()
      assert.is_nil(seen[1])
      assert.equal(1, count(function() return kept.user.id end))
    end)

    it("remember nothing and the empty list", function()
      local users = models.User:all()
      assert.equal(2, count(function()
        for _ = 1, 2 do
          for _, user in ipairs(users) do
            assert.is_nil(user.profile)
            assert.same({}, user.friends)
            assert.equal(List, getmetatable(user.friends))
          end
        end
      end))
    end)

    it("load for one alone, or not at all, when that is said", function()
      assert.equal("batch", rille.lazy_loading "single")
      local posts = models.Post:all()
      assert.equal(6, count(function() for _, post in ipairs(posts) do assert.is_truthy(post.user) end end))
      assert.equal("single", rille.lazy_loading "error")
      local e = refused("missing_attribute", function() return models.Post:first().user end)
      assert.match("Post%.user has not been loaded", e.message)
      assert.match('with%("user"%)', e.hint)
      assert.equal(1, models.Post:with("user"):order_by("id"):first().user.id)
      assert.equal("error", rille.lazy_loading())
      assert.match('"batch"', refused("invalid_argument", rille.lazy_loading, "btch").hint)
    end)

    it("belong to a record that is not saved, too", function()
      assert.equal("a", models.Post:new { user_id = 1 }.user.name)
      assert.is_nil(models.Post:new().user)
      assert.same({}, models.Post:new().comments)
    end)

    it("are read anew when their key is assigned, and after a refresh", function()
      local post = models.Post:with("user"):find(1)
      post.user_id = 2
      assert.equal(2, post.user.id)
      post:fill { user_id = 3 }
      assert.equal(3, post.user.id)
      post.user_id = nil
      assert.is_nil(post.user)
      post:refresh()
      assert.equal(1, post.user.id)
      post.title = "other"
      post:save()
      assert.equal(0, count(function() return post.user.id end))
    end)
  end)

  it("are part of JSON and of tables, as far as they are loaded", function()
    local post = models.Post:with("user.country", "tags", "comments"):find(6)
    assert.is_nil(models.Post:find(1):to_table().user)
    assert.equal('{"id":6,"n":0,"title":"p6","user_id":3,"deleted_at":null,"comments":[],"tags":[],"user":{"id":3,'
      .. '"n":null,"name":"c","country_id":2,"boss_id":1,"deleted_at":null,"country":{"id":2,"n":2,"name":"de"}}}',
      post:to_json())
    assert.equal("de", post:to_table().user.country.name)
    assert.equal('[{"id":2,"name":"y"}]', models.Post:with("tags"):find(1).tags:filter(function(tag)
      return tag.pivot.position == 1
    end):to_json { visible = { "id", "name" } })
  end)

  describe("and scopes:", function()
    it("deleted rows are left out, in the middle too, unless said otherwise", function()
      models.User:find(1):delete()
      models.Post:find(3):delete()
      local function with(fn) return models.Post:with { user = fn }:order_by("id"):first().user end
      assert.is_nil(models.Post:with("user"):order_by("id"):first().user)
      assert.equal(1, with(function(q) return q:with_trashed() end).id)
      assert.equal(1, with(function(q) return q:only_trashed() end).id)
      assert.same({ 4 }, of_each(models.Country:find(1).posts))
      assert.same({ 4 }, of_each(models.User:find(2).posts))
    end)

    it("global scopes hold for related rows and those between", function()
      models.User:global_scope("early", function(q) return q:where("id", 1):or_where("id", 3) end)
      models.Post:global_scope("odd", function(q) return q:where("n", "!=", 0) end)
      assert.same({ 1, 2 }, of_each(models.Country:find(1).posts))
      assert.same({ 5 }, of_each(models.Country:find(2).posts))
      assert.equal(2, models.Country:with_count("posts"):find(1).posts_count)
      assert.same({}, of_each(models.Country:with { posts = function(q) return q:where("id", 4):or_where("id", 6) end }
        :find(1).posts))
      assert.same({ 5, 6 }, of_each(models.Country:with { posts = function(q) return q:without_global_scope("odd") end }
        :find(2).posts))
    end)

    it("no or_where of a caller lets other rows in", function()
      models.User:find(2):delete()
      local function all(q) return q:where("id", -1):or_where("id", ">", 0) end
      for _, post in ipairs(models.Post:with { comments = all, tags = all, user = all }:all()) do
        for _, comment in ipairs(post.comments) do assert.equal(post.id, comment.post_id) end
        assert.is_true(post.user == nil or post.user.id == post.user_id and post.user.id ~= 2)
        assert.is_true(#post.tags <= 2)
      end
      assert.same({ 1, 5, 9 }, of_each(all(models.Post:find(1):relation("comments")):order_by("id"):all()))
    end)
  end)
end)
