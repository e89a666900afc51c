--- relation_spec: what a model may say of its relations, and what is said of a mistake.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, refused = world.rille, world.refused

local HERE <const> = "relation_spec%.lua:%d+"

describe("a relation", function()
  local models, db

  before_each(function() models, db = kin.fresh() end)

  --- A model of videos with one relation, which is used.
  local function using(relation, table_name)
    local class = rille.model("Reel", { table = table_name or "videos", relations = { others = relation } })
    return class:with("others"):all()
  end

  describe("is declared", function()
    it("by the name of a model, or by the model", function()
      using(rille.has_many(models.Comment, { foreign_key = "post_id" }))
      models.Video:belongs_to_many("tags", "Tag", { pivot = "post_tag", foreign_key = "post_id" })
      models.Video:create { id = 1 }:relation("tags"):attach(models.Tag:create { id = 1 })
      assert.equal(1, #models.Video:first().tags)
    end)

    it("after the fact, for queries and records that are there already too", function()
      local country, query = models.Country:create { id = 1 }, models.Country:query()
      models.Country:has_many("people", "User", { foreign_key = "country_id" })
      models.User:create { id = 1, country_id = 1 }
      assert.equal(1, #query:with("people"):first().people)
      assert.equal(1, #models.Country:find(country.id).people)
      assert.equal(1, models.Country:with_count("people"):first().people_count)
      local e = refused("invalid_argument", models.Country.has_many, models.Country, "people", "User")
      assert.match("Country has a relation \"people\" already", e.message)
      assert.match(HERE, e.hint)
    end)

    it("with names that other things do not have", function()
      for _, name in ipairs { "save", "to_json", "relation" } do
        local e = refused("invalid_argument", models.Post.has_many, models.Post, name, "Comment")
        assert.match("every record has a method", e.message)
      end
      refused("invalid_argument", rille.model, "A", { relations = { has = rille.has_many "Post" },
        methods = { has = function() end } })
      refused("invalid_argument", rille.model, "A", { relations = { has = rille.has_many "Post" },
        accessors = { has = function() end } })
      refused("invalid_argument", rille.model, "A", { relations = { "Post" } })
      local e = refused("invalid_argument", rille.model, "A", { relations = { posts = "Post" } })
      assert.match('A: relations%.posts: wants a relation, such as rille%.has_many', e.message)
      models.Video:has_many("n", "Comment", { foreign_key = "post_id" })
      e = refused("invalid_argument", models.Video.first, models.Video)
      assert.match('the relation "n" is called like a column of videos', e.message)
    end)

    it("with arguments that it knows", function()
      local wrong = {
        { "has_many", {}, "the name of a model" },
        { "has_many", { "" }, "the name of a model" },
        { "has_many", { "Post", "user_id" }, "a table of options" },
        { "has_many", { "Post", { foreign_key = {} } }, "the name of a column, or a list" },
        { "has_many", { "Post", { foreign_key = { 1 } } }, "names of columns" },
        { "has_many", { "Post", { order_by = { "n", "up" } } }, "order_by" },
        { "has_many", { "Post", { order_by = 1 } }, "order_by" },
        { "has_many", { "Post", { where = "n = 1" } }, "a table of column = value" },
        { "has_many_through", { "Post" }, "the model between" },
        { "morph_many", { "Image" }, "the name of the morph" },
        { "morph_to", { "imageable" }, "a table of options" },
        { "belongs_to_many", { "Tag", { with_pivot = 3 } }, "a list of them" },
        { "belongs_to_many", { "Tag", { with_pivot = {} } }, "a list of them" },
        { "belongs_to_many", { "Tag", { timestamps = 1 } }, "true or false" },
      }
      for _, case in ipairs(wrong) do
        local e = refused("invalid_argument", rille[case[1]], table.unpack(case[2]))
        assert.is_truthy(e.message:find(case[1], 1, true), e.message)
        assert.is_truthy(e.message:find(case[3], 1, true), e.message)
      end
    end)

    it("with the options of its kind and no others, the nearest of which is named", function()
      local e = refused("invalid_argument", rille.has_many, "Post", { forein_key = "x" })
      assert.match("foreign_key", e.hint)
      refused("invalid_argument", rille.belongs_to, "Post", { order_by = "id" })
      refused("invalid_argument", rille.has_many, "Post", { pivot = "x" })
      refused("invalid_argument", rille.has_many_through, "Post", "User", { foreign_key = "x" })
      refused("invalid_argument", rille.morph_many, "Image", "imageable", { foreign_key = "x" })
    end)
  end)

  describe("is resolved when it is first used", function()
    it("so that models may be declared in any order", function()
      local A = rille.model("Early", { table = "countries",
        relations = { late = rille.has_many("Late", { foreign_key = "country_id" }) } })
      refused("no_such_model", function() return A:with("late"):all() end)
      rille.model("Late", { table = "users" })
      assert.equal(0, #A:with("late"):all())
    end)

    local function says(kind, relation, message, hint, table_name)
      local e = refused(kind, using, relation, table_name)
      assert.match("^relation Reel%.others %(.*" .. HERE .. "%): ", e.message)
      assert.is_truthy(e.message:find(message, 1, true), e.message)
      if hint then assert.is_truthy((e.hint or ""):find(hint, 1, true), e.hint) end
      return e
    end

    it("says of which model, which relation and where a model is missing", function()
      assert.equal("Reel", says("no_such_model", rille.has_many "Pots", 'there is no model "Pots"', '"Post"').model)
    end)

    it("says so of a column of the related table", function()
      says("no_such_column", rille.has_many "Comment", 'comments has no column "reel_id"', "foreign_key")
    end)

    it("says so of a column of the own table", function()
      says("no_such_column", rille.belongs_to "User", 'videos has no column "others_id"', "foreign_key")
    end)

    it("says so of a column that is nearly right", function()
      says("no_such_column", rille.belongs_to("User", { foreign_key = "bos_id" }), 'users has no column "bos_id"',
        '"boss_id"', "users")
    end)

    it("names the one foreign key that the database knows", function()
      db:execute "create table clips (id integer primary key, whose integer references videos (id))"
      db:forget()
      rille.model("Clip", {})
      says("no_such_column", rille.has_many "Clip", 'clips has no column "reel_id"', 'foreign_key = "whose"')
    end)

    it("says so of the table between", function()
      says("no_such_table", rille.belongs_to_many "Tag", 'there is no table "tag_video"', "pivot")
    end)

    it("says so of a pivot that is nearly right", function()
      says("no_such_table", rille.belongs_to_many("Tag", { pivot = "post_tags" }), 'no table "post_tags"', '"post_tag"')
    end)

    it("says so of a column of the pivot", function()
      says("no_such_column", rille.belongs_to_many("Tag", { pivot = "post_tag", foreign_key = "post_id",
        with_pivot = "possition" }), 'post_tag has no column "possition"', '"position"')
    end)

    it("says which columns timestamps are", function()
      says("no_such_column", rille.belongs_to_many("User", { pivot = "friendships", foreign_key = "user_id",
        related_key = "friend_id", timestamps = true }), 'friendships has no column "created_at"', "timestamps = true")
    end)

    it("says where a morph is kept", function()
      says("no_such_column", rille.morph_many("Comment", "topic"), 'comments has no column "topic_id"',
        "topic_type and topic_id")
    end)

    it("says the same of the side that morphs", function()
      says("no_such_column", rille.morph_to(), 'videos has no column "others_id"', "others_type and others_id")
    end)

    it("says so of the model between", function()
      says("no_such_column", rille.has_many_through("Comment", "User"), 'users has no column "reel_id"', "first_key")
    end)

    it("says how many columns equal how many", function()
      says("invalid_argument", rille.has_many("Line", { foreign_key = { "shop", "number" } }),
        "1 column (id) cannot equal 2 (shop, number)", "composite")
    end)

    it("says so of columns in order_by", function()
      says("no_such_column", rille.has_many("Comment", { foreign_key = "post_id", order_by = "nn" }),
        'comments has no column "nn"', '"n"')
    end)

    it("says so of columns in where", function()
      says("no_such_column", rille.has_many("Comment", { foreign_key = "post_id", where = { nn = 1 } }),
        'comments has no column "nn"', '"n"')
    end)

    it("says so of a where that returns no query", function()
      models.Video:create { id = 1 }
      says("invalid_argument", rille.has_many("Comment", { foreign_key = "post_id",
        where = function(q) return q:all() end }), "where: wants a function that returns the query", "return")
    end)
  end)

  it("is named nearest to what was written, before anything is read", function()
    for _, wrong in ipairs {
      function() return models.Post:with("comments", "tgs"):all() end,
      function() return models.Post:all():load("tgs") end,
      function() return models.Post:where_has("tgs"):all() end,
      function() return models.Post:with_count("tgs"):all() end,
      function() return models.Post:new():relation("tgs") end,
    } do
      local e
      models.Post:create { id = 1 }
      local heard = world.statements(function() e = refused("no_such_relation", wrong) end)
      assert.equal('Post has no relation "tgs"', e.message)
      assert.match('"tags"', e.hint)
      assert.is_true(#heard <= 1)                          -- all() before load
      models.Post:find(1):force_delete()
    end
    assert.equal('User has no relation "contry"', refused("no_such_relation", function()
      return models.Post:with("user.contry"):all()
    end).message)
  end)

  describe("takes its options:", function()
    before_each(function()
      db:table("users"):insert { { id = 1, n = 10, country_id = 1 }, { id = 2, n = 20, country_id = 1 } }
      db:table("posts"):insert { { id = 1, n = 3, user_id = 10 }, { id = 2, n = 1, user_id = 10 },
        { id = 3, n = 2, user_id = 20 } }
      db:table("comments"):insert { { id = 1, n = 7, post_id = 3 }, { id = 2, n = 8, post_id = 1 } }
    end)

    it("local_key, order_by, where", function()
      models.User:has_many("by_n", "Post", { local_key = "n", order_by = { "n", "desc" } })
      models.User:has_many("few", "Post", { local_key = "n", order_by = "n", where = { n = rille.null } })
      models.User:has_many("some", "Post", { local_key = "n", where = function(q)
        return q:where("n", 1):or_where("n", 2)
      end })
      local user = models.User:with("by_n", "some", "few"):find(1)
      assert.same({ 1, 2 }, world.of_each(user.by_n))
      assert.same({ 2 }, world.of_each(user.some))
      assert.same({}, world.of_each(user.few))
      assert.same({ 1, 2 }, world.of_each(user:relation("by_n"):all()))
    end)

    it("owner_key", function()
      models.Post:belongs_to("writer", "User", { foreign_key = "user_id", owner_key = "n" })
      assert.same({ 1, 1, 2 }, world.of_each(models.Post:order_by("id"):all():map(function(p) return p.writer end)))
      local post = models.Post:new { writer = models.User:find(2) }
      assert.equal(20, post.user_id)
    end)

    it("first_key, second_key, local_key, second_local_key", function()
      models.Country:create { id = 9, n = 1 }
      models.Country:has_many_through("replies", "Comment", "Post", { first_key = "n", second_key = "post_id",
        local_key = "n", second_local_key = "n" })
      -- country.n = posts.n, posts.n = comments.post_id: 1 = post 2, whose n is 1
      assert.same({ 2 }, world.of_each(models.Country:find(9).replies))
    end)

    it("a where of a belongs_to hides what does not fit", function()
      models.Post:belongs_to("second", "User", { foreign_key = "user_id", owner_key = "n", where = { id = 2 } })
      assert.is_nil(models.Post:find(1).second)
      assert.equal(2, models.Post:find(3).second.id)
    end)
  end)

  it("of a table in another database is read, and where it cannot be it says so", function()
    rille.configure { default = "main", connections = { main = { driver = "sqlite", database = ":memory:" },
      other = { driver = "sqlite", database = ":memory:" } } }
    require "rille.model".forget_all()
    rille.db():execute "create table notes (id integer primary key, page_id integer)"
    rille.db("other"):execute "create table pages (id integer primary key)"
    rille.db("other"):execute "create table note_page (note_id integer, page_id integer)"
    local Note = rille.model("Note", { relations = { page = rille.belongs_to "Page",
      pages = rille.belongs_to_many "Page" } })
    local Page = rille.model("Page", { connection = "other", relations = { notes = rille.has_many "Note" } })
    Note:create { page = Page:create { id = 5 } }
    assert.equal(5, Note:first().page.id)
    assert.equal(1, #Page:with("notes"):first().notes)
    refused("invalid_argument", function() return Note:where_has("page"):all() end)
    rille.db():execute "create table note_page (note_id integer, page_id integer)"
    local e = refused("unsupported", function() return Note:with("pages"):all() end)
    assert.match("different databases", e.message)
  end)
end)
