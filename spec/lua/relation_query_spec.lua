--- relation_query_spec: conditions on related rows, counts of them, and predicates as text that travel relations.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, refused, of_each = world.rille, world.refused, world.of_each

describe("a query about relations", function()
  local models, db

  before_each(function()
    models, db = kin.fresh()
    db:table("countries"):insert { { id = 1, name = "fr" }, { id = 2, name = "de" } }
    db:table("users"):insert { { id = 1, name = "Ada", country_id = 1 }, { id = 2, name = "Bo", country_id = 2,
      boss_id = 1 }, { id = 3, name = "Al", boss_id = 2 } }
    db:table("posts"):insert { { id = 1, n = 5, user_id = 1 }, { id = 2, n = 1, user_id = 2 }, { id = 3, n = 2,
      user_id = 2 }, { id = 4, n = 9 } }
    db:table("comments"):insert { { id = 1, n = 1, post_id = 1, author_id = 2 }, { id = 2, n = 5, post_id = 1,
      author_id = 3 }, { id = 3, n = 3, post_id = 2, author_id = 1 } }
  end)

  local function ids(query) return of_each(query:order_by(query[1].class._def.table .. ".id"):all()) end

  describe("asks whether there are related rows", function()
    it("any, so many, or none", function()
      local Post = models.Post
      assert.same({ 1, 2 }, ids(Post:where_has("comments")))
      assert.same({ 1 }, ids(Post:where_has("comments", ">", 1)))
      assert.same({ 3, 4 }, ids(Post:where_has("comments", "=", 0)))
      assert.same({ 1, 3, 4 }, ids(Post:where_has("comments", "!=", 1)))
      assert.same({ 1, 2, 3, 4 }, ids(Post:where_has("comments", ">=", 0)))
      assert.same({ 3, 4 }, ids(Post:where_doesnt_have("comments")))
      assert.same({ 4 }, ids(Post:where_doesnt_have("user")))
    end)

    it("of which something holds", function()
      local Post = models.Post
      local function big(q) return q:where("n", ">=", 3) end
      assert.same({ 1, 2 }, ids(Post:where_has("comments", big)))
      assert.same({ 1, 2 }, ids(Post:where_has("comments", big, "=", 1)))
      assert.same({ 3, 4 }, ids(Post:where_doesnt_have("comments", big)))
      assert.same({ 2, 3, 4 }, ids(Post:where_doesnt_have("comments", function(q)
        return q:where("n", 5):or_where("n", 77)
      end)))
    end)

    it("in each place of a condition", function()
      local Post = models.Post
      assert.same({ 1, 2, 4 }, ids(Post:where("n", 9):or_where_has("comments")))
      assert.same({ 1, 3, 4 }, ids(Post:where("n", 5):or_where_doesnt_have("comments")))
      assert.same({ 3, 4 }, ids(Post:where(function(q) return q:where_doesnt_have("comments") end)))
      assert.same({ 2, 4 }, ids(Post:where(function(q)
        return q:where_has("comments"):where("n", "<", 5)
      end):or_where("n", 9)))
    end)

    it("along a path, a function or a number being of its end", function()
      assert.same({ 1, 2 }, ids(models.Post:where_has("comments.author")))
      assert.same({ 1 }, ids(models.Post:where_has("comments.author.country", function(q)
        return q:where("name", "de")
      end)))
      assert.same({ 2 }, ids(models.User:where_has("posts.comments", "=", 1):where_has("boss")))
      assert.same({ 3 }, ids(models.User:where_has("boss.boss")))
      assert.same({ 1 }, ids(models.User:where_has("reports.reports", function(q) return q:where("name", "Al") end)))
      assert.same({ 1, 2 }, ids(models.User:where_has("posts", function(q)
        return q:where_has("comments", function(c) return c:where_has("author") end)
      end)))
    end)

    it("as the model gives them: no deleted ones, none that a scope hides", function()
      models.Post:find(2):delete()
      assert.same({ 1, 2 }, ids(models.User:where_has("posts")))
      assert.same({ 1 }, ids(models.User:where_has("comments")))
      assert.same({ 2 }, ids(models.User:where_has("posts", function(q) return q:only_trashed() end)))
      models.Comment:global_scope("loud", function(q) return q:where("n", ">", 4):or_where("n", 1) end)
      assert.equal(2, models.Post:with_count("comments"):find(1).comments_count)
      models.Comment:where("n", 1):delete()
      assert.equal(1, models.Post:with_count("comments"):find(1).comments_count)
    end)

    it("before a change, of rows that it then changes alone", function()
      assert.equal(2, models.Post:where_has("comments"):update { title = "said" })
      assert.equal(1, models.Comment:where_has("post", function(q) return q:where("n", 1) end):delete())
      assert.same({ 1, 2 }, ids(models.Comment:query()))
    end)

    it("and refuses what it cannot ask", function()
      local Post = models.Post
      assert.match("one of = != < <= > >=", refused("invalid_argument", Post.where_has, Post, "comments", "like",
        1).message)
      refused("invalid_argument", Post.where_has, Post, "comments", ">", "1")
      refused("invalid_argument", Post.where_has, Post, "comments", ">", 1.5)
      refused("invalid_argument", Post.where_has, Post, "comments", 3)
      refused("invalid_argument", Post.where_has, Post, "comments", function(q) return q:all() end)
      assert.match('User has no relation "postz"', refused("no_such_relation", Post.where_has, Post,
        "user.postz").message)
      assert.match('"n"', refused("no_such_column", function()
        return Post:where_has("comments", function(q) return q:where("m", 1) end):all()
      end).hint)
      local e = refused("unsupported", models.Image.where_has, models.Image, "imageable")
      assert.match("several tables", e.message)
      assert.match("imageable_type", e.hint)
      refused("no_such_relation", function() return db:table("posts"):where_has("user") end)
    end)
  end)

  describe("counts them", function()
    it("beside all columns, or those that are selected, before or after", function()
      local Post = models.Post
      assert.equal('{"id":1,"n":5,"title":null,"user_id":1,"deleted_at":null,"comments_count":2,"tags_count":0}',
        Post:with_count("comments", "tags"):find(1):to_json())
      assert.equal('{"id":1,"comments_count":2}',
        Post:select("id"):with_count("comments"):order_by("id"):first():to_json())
      assert.equal('{"n":5,"comments_count":2}',
        Post:with_count("comments"):select("id"):select("n"):order_by("id"):first():to_json())
    end)

    it("under other names, with conditions, in the order that is said", function()
      local post = models.Post:with_count("comments as all_of_them", {
        ["comments as loud"] = function(q) return q:where("n", ">", 2) end, "tags",
      }):find(1)
      assert.equal(2, post.all_of_them)
      assert.equal(1, post.loud)
      assert.equal(0, post.tags_count)
    end)

    it("and adds up, averages, compares", function()
      local function of(id)
        local post = models.Post:with_sum("comments", "n"):with_avg("comments", "n"):with_min("comments", "n")
          :with_max("comments", "n"):with_exists("comments"):find(id)
        return { post.comments_sum_n, post.comments_avg_n or "none", post.comments_min_n or "none",
          post.comments_max_n or "none", post.comments_exists }
      end
      assert.same({ 6, 3.0, 1, 5, true }, of(1))
      assert.same({ 0, "none", "none", "none", false }, of(4))
      assert.equal(5, models.Post:with_sum({ ["comments as best"] = function(q)
        return q:where("n", ">", 2)
      end }, "n"):find(1).best)
    end)

    it("in one statement, and orders by what it counted", function()
      local Post, found = models.Post:with_count("comments"), nil
      assert.equal(1, #world.statements(function()
        found = Post:order_by_desc("comments_count"):order_by("id"):all()
      end))
      assert.same({ 1, 2, 3, 4 }, of_each(found))
      assert.same({ 3, 4, 2, 1 }, { table.unpack(Post:order_by("comments_count"):order_by("id"):pluck("id")) })
      assert.same({ 2, 1, 0, 0 }, { table.unpack(Post:order_by("id"):pluck("comments_count")) })
      assert.equal(2, Post:where("id", 1):value("comments_count"))
      assert.equal(4, Post:count())
      assert.equal(2, Post:order_by("id"):paginate(1, 1).data[1].comments_count)
      local counts = {}
      for post in Post:order_by("id"):cursor() do counts[#counts + 1] = post.comments_count end
      assert.same({ 2, 1, 0, 0 }, counts)
    end)

    it("of relations to the same table, of relations of relations, and with `with`", function()
      local user = models.User:with_count("reports", "boss"):find(2)
      assert.equal(1, user.reports_count)
      assert.equal(1, user.boss_count)
      local users = models.User:with { posts = function(q) return q:with_count("comments"):order_by("id") end }
        :order_by("id"):all()
      assert.same({ 1, 0 }, of_each(users[2].posts, "comments_count"))
      assert.same({ 2 }, of_each(users[1]:relation("posts"):with_count("comments"):all(), "comments_count"))
    end)

    it("and refuses what it cannot count", function()
      local Post = models.Post
      refused("invalid_argument", Post.with_count, Post)
      refused("invalid_argument", Post.with_count, Post, 3)
      refused("invalid_argument", Post.with_sum, Post, "comments")
      refused("unsupported", models.Image.with_count, models.Image, "imageable")
      refused("no_such_column", function() return Post:with_sum("comments", "m"):all() end)
      refused("no_such_relation", function() return db:table("posts"):with_count("comments") end)
    end)
  end)

  describe("as text", function()
    it("travels relations: there is one of which it holds", function()
      assert.same({ 1 }, ids(models.Post:filter "user.name like 'A%'"))
      assert.same({ 1 }, ids(models.Post:filter "user.country.name = 'fr' and comments.n > 4"))
      assert.same({ 1, 2 }, ids(models.Post:filter("comments.author.name in :names", { names = { "Bo", "Ada" } })))
      assert.same({ 2, 3, 4 }, ids(models.Post:filter "not comments.n = 5"))
      assert.same({ 2, 4 }, ids(models.Post:filter "comments.n = 3 or n = 9"))
      assert.same({ 2, 3 }, ids(models.Post:filter "user.country.name is not null and not user.name = 'Ada'"))
      assert.same({ 1 }, ids(models.User:filter "reports.reports.name = 'Al'"))
    end)

    it("names the nearest relation, or column behind one", function()
      local e = refused("no_such_relation", function() return models.Post:filter("usr.country.name = 'x'"):all() end)
      assert.equal('Post has no relation "usr"', e.message)
      assert.match('"user"', e.hint)
      e = refused("no_such_relation", function() return models.Post:filter("user.contry.id = 1"):all() end)
      assert.match('"country"', e.hint)
      e = refused("no_such_relation", function() return models.Post:filter("user.contry.name = 'x'"):all() end)
      assert.match('"country"', e.hint)
      e = refused("no_such_column", function() return models.Post:filter("user.nam = 'x'"):all() end)
      assert.match('"name"', e.hint)
    end)

    it("still reads the own table and joined ones by name", function()
      assert.same({ 1 }, ids(models.Post:filter "posts.n = 5"))
      assert.same({ 1 }, ids(models.Post:join("users", "users.id", "posts.user_id"):filter "users.name = 'Ada'"))
      assert.same({ 1 }, ids(models.Post:join("users as who", "who.id", "posts.user_id"):filter "who.name = 'Ada'"))
    end)
  end)

  describe("of one record", function()
    it("is like any other", function()
      local comments = models.Post:find(1):relation("comments")
      assert.equal(2, comments:count())
      assert.equal(5, comments:max("n"))
      assert.same({ 2 }, of_each(comments:where("n", ">", 1):all()))
      assert.is_nil(comments:find(3))
      assert.equal(2, comments:find(2).id)
      assert.is_true(comments:where("n", 1):or_where("n", 3):exists())
      assert.equal(1, comments:where("n", 1):or_where("n", 3):count())
      assert.equal(2, comments:paginate(1, 1).total)
      assert.equal("Bo", comments:with("author"):order_by("id"):first().author.name)
      models.Comment:scope("loud", function(q) return q:where("n", ">", 4) end)
      assert.equal(1, models.Post:find(1):relation("comments"):loud():count())
    end)

    it("is a condition for changes", function()
      local post = models.Post:find(1)
      assert.equal(2, post:relation("comments"):increment("n"))
      assert.equal(2, post:relation("comments"):update { n = 8 })
      assert.equal(3, models.Comment:find(3).n)
      assert.equal(2, post:relation("comments"):delete())
      assert.same({ 3 }, ids(models.Comment:query()))
    end)

    it("changes the related rows of a relation by way of others, and no others", function()
      db:table("tags"):insert { { id = 1, n = 1 }, { id = 2, n = 2 } }
      models.Post:find(1):relation("tags"):attach(2)
      assert.equal(1, models.Post:find(1):relation("tags"):update { n = 7 })
      assert.same({ 1, 7 }, of_each(models.Tag:order_by("id"):all(), "n"))
      assert.equal(1, models.Post:find(1):relation("tags"):delete())
      assert.same({ 1 }, ids(models.Tag:query()))
      assert.equal(1, models.Country:find(1):relation("posts"):update { title = "french" })
    end)

    it("finds nothing, and changes nothing, for a record that is not saved", function()
      local comments = models.Post:new():relation("comments")
      assert.same({}, comments:all())
      assert.equal(0, comments:update { n = 3 })
      assert.equal(0, comments:delete())
      assert.equal(3, models.Comment:count())
    end)

    it("shows the pivot", function()
      db:table("tags"):insert { { id = 1, n = 1 }, { id = 2, n = 2 } }
      local post = models.Post:find(1)
      post:relation("tags"):attach { { 1, position = 5 }, { 2, position = 4 } }
      local tags = post:relation("tags")
      assert.equal(5, tags:order_by("id"):first().pivot.position)
      assert.equal(4, tags:find(2).pivot.position)
      assert.same({ 2, 1 }, of_each(tags:order_by("post_tag.position"):all()))
      assert.same({ 1 }, of_each(tags:where("post_tag.position", 5):all()))
      assert.equal(1, tags:order_by("id"):all()[1].pivot.post_id)
      assert.match("pivot", refused("no_such_column", function() return models.Tag:first().pivot end).message)
    end)

    it("by a name that is none is refused", function()
      assert.match('"tags"', refused("no_such_relation", function() return models.Post:new():relation("tgs") end).hint)
      assert.equal("no_such_relation", select(2, rille.try(function() return models.Tag:new():relation() end)).kind)
    end)
  end)
end)
