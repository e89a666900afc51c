--- relation_write_spec: rows and keys written by way of relations, whole or not at all.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, null, refused, untouched, of_each = world.rille, world.null, world.refused, world.untouched, world.of_each

describe("by way of a relation", function()
  local models, db, post

  before_each(function()
    models, db = kin.fresh()
    db:table("users"):insert { { id = 1, name = "a" }, { id = 2, name = "b" } }
    for i = 1, 5 do db:table("tags"):insert { { id = i, n = i, name = "t" .. i } } end
    post = models.Post:create { id = 1, title = "p", user_id = 1 }
  end)
  after_each(function() rille.close() end)

  --- tag -> position of the post's pivots, as the table has them.
  local function pivots()
    local found = {}
    for _, row in ipairs(db:query "select tag_id, position from post_tag where post_id = 1 order by tag_id") do
      found[row.tag_id] = row.position or false
    end
    return found
  end

  describe("has_one, has_many", function()
    it("a record is created, with the key, and the relation is read anew", function()
      assert.equal(0, #post.comments)
      local comment = post:relation("comments"):create { n = 3 }
      assert.equal(1, comment.post_id)
      assert.is_true(comment:exists())
      assert.same({ comment.id }, of_each(post.comments))
      assert.is_true(comment:is(post.comments[1]))
    end)

    it("a record is saved, and several are, all or none", function()
      local comments = post:relation("comments")
      assert.equal(1, comments:save(models.Comment:new { n = 1 }).post_id)
      local saved = comments:save_many { models.Comment:new { n = 2 }, models.Comment:create { n = 3, post_id = 7 } }
      assert.same({ 1, 1 }, of_each(saved, "post_id"))
      assert.equal(3, #post.comments)
      assert.same({}, comments:save_many {})
    end)

    it("what the model refuses is told, and nothing stays", function()
      local strict = kin.fresh { Comment = { validates = { n = { required = true } } } }
      local parent = strict.Post:create { id = 1 }
      local saved, err = parent:relation("comments"):create {}
      assert.is_nil(saved)
      assert.equal("validation", err.kind)
      saved, err = parent:relation("comments"):save_many { strict.Comment:new { n = 1 }, strict.Comment:new() }
      assert.is_nil(saved)
      assert.equal(2, err.index)
      assert.match("record 2", err.message)
      assert.equal(0, strict.Comment:count())
      assert.equal(0, #parent.comments)
    end)

    it("all columns of a composite key are given", function()
      local order = models.Order:create { shop = "a", number = 3 }
      local line = order:relation("lines"):create { n = 1 }
      assert.equal("a", line.shop)
      assert.equal(3, line.number)
      assert.equal(3, line.order.number)
      assert.equal("a", models.Line:new { order = order }.shop)
    end)

    it("what cannot be is refused, with a word why", function()
      local comments = post:relation("comments")
      assert.match("save wants a Comment, got a User", untouched("invalid_argument", comments.save, comments,
        models.User:find(1)).message)
      untouched("invalid_argument", comments.save, comments, { n = 1 })
      untouched("invalid_argument", comments.save_many, comments, { models.Comment:new(), 3 })
      untouched("invalid_argument", comments.save_many, comments)
      assert.match('"n"', untouched("mass_assignment", comments.create, comments, { nn = 1 }).hint)
      local new = models.Post:new():relation("comments")
      assert.match("the Post has not been saved", untouched("invalid_argument", new.create, new, {}).message)
      local through = models.Country:create { id = 1 }:relation("posts")
      assert.match("has_many_through", untouched("unsupported", through.create, through, {}).message)
      local e = untouched("unsupported", comments.attach, comments, 1)
      assert.match("attach writes belongs_to_many", e.message)
      assert.match("relation_write_spec%.lua", refused("unsupported", function()
        models.Post:has_many("here", "Comment")
        post:fresh():relation("here"):attach(1)
      end).message)
    end)
  end)

  describe("belongs_to", function()
    local two

    before_each(function() two = models.User:find(2) end)

    it("a record is associated and dissociated, and written when saved", function()
      assert.equal(post, post:relation("user"):associate(two))
      assert.is_true(rawequal(two, post.user))
      assert.equal(2, post.user_id)
      assert.equal(1, models.Post:find(1).user_id)
      post:save()
      assert.equal(2, models.Post:find(1).user_id)
      post:relation("user"):dissociate():save()
      assert.is_nil(post.user)
      assert.is_nil(models.Post:find(1).user_id)
    end)

    it("assigning does the same, nil and rille.null being none", function()
      post.user = two
      assert.equal(2, post.user_id)
      post.user = nil
      assert.is_nil(post.user_id)
      post:fill { user = two }
      assert.equal(2, post.user_id)
      post:update { user = null }
      assert.is_nil(models.Post:find(1).user_id)
      assert.equal(2, models.Post:create { user = two }.user_id)
      assert.equal(2, models.Post:new { user = two }.user.id)
    end)

    it("mass assignment follows the key", function()
      models = kin.fresh { Post = { fillable = { "title" } } }
      local user = models.User:create { id = 1 }
      refused("mass_assignment", models.Post.create, models.Post, { title = "x", user = user })
      models = kin.fresh { Post = { fillable = { "title", "user_id" } } }
      user = models.User:create { id = 1 }
      assert.equal(1, models.Post:create { title = "x", user = user }.user_id)
    end)

    it("what cannot be is refused, with a word why", function()
      local function assign(value) post.user = value end
      assert.match("wants a User, got a Post", refused("invalid_argument", assign, post).message)
      assert.match("user_id", refused("invalid_argument", assign, 3).hint)
      assert.match("has not been saved", refused("invalid_argument", assign, models.User:new()).message)
      assert.match("dissociate", refused("invalid_argument", function()
        post:relation("user"):associate(nil)
      end).hint)
      assert.match('relation%("comments"%)', refused("invalid_argument", function() post.comments = {} end).hint)
      refused("unsupported", function() post:relation("comments"):associate(two) end)
      assert.equal(1, post.user_id)
      assert.is_false(post:is_dirty())
    end)
  end)

  describe("belongs_to_many", function()
    local tags
    before_each(function() tags = post:relation("tags") end)

    it("attaches ids, records, lists, and columns of the pivot", function()
      assert.equal(1, tags:attach(1))
      assert.equal(2, tags:attach { models.Tag:find(2), { 3, position = 7 } })
      assert.equal(1, tags:attach({ { 4, position = 1 } }, { position = 9 }))
      assert.equal(1, tags:attach({ models.Tag:find(5), position = 4 }))
      assert.same({ false, false, 7, 1, 4 }, pivots())
      assert.equal(0, tags:attach {})
      assert.equal(7, post.tags[3].pivot.position)
      assert.equal(post.tags[3].pivot.created_at, post.tags[3].pivot.updated_at)
      assert.match("^%d+%-%d%d%-%d%dT.*Z$", post.tags[1].pivot.created_at)
      assert.equal(1, post:relation("plain_tags"):attach(models.Tag:where("id", 1):all()))
      assert.equal(1, db:query("select count(*) as n from post_tag where created_at is null")[1].n)
    end)

    it("detaches some, or all", function()
      tags:attach { 1, 2, 3, 4 }
      models.Post:create { id = 2 }:relation("tags"):attach { 1, 2 }
      assert.equal(1, tags:detach(1))
      assert.equal(2, tags:detach { models.Tag:find(2), 3, 5 })
      assert.same({ [4] = false }, pivots())
      assert.equal(0, tags:detach {})
      assert.equal(1, tags:detach())
      assert.same({}, post.tags)
      assert.equal(2, #models.Post:find(2).tags)
      tags:attach(1)
      assert.match("an id, a record", refused("invalid_argument", tags.detach, tags, nil).message)
      assert.same({ false }, pivots())
    end)

    it("sync says what it attached, detached and updated", function()
      tags:attach { { 1, position = 1 }, { 2, position = 2 }, 3 }
      assert.same({ attached = { 4 }, detached = { 3 }, updated = { 2 } },
        tags:sync { 1, { 2, position = 5 }, { 4, position = 6 } })
      assert.same({ 1, 5, [4] = 6 }, pivots())
      assert.same({ attached = {}, detached = {}, updated = {} }, tags:sync { { 1, position = 1 }, 2.0, "4" })
      assert.same({ attached = {}, detached = {}, updated = { 1 } }, tags:sync { { 1, position = null }, 2, 4 })
      assert.same({ attached = {}, detached = { 1, 2, 4 }, updated = {} }, tags:sync {})
      assert.same({ attached = { 2 }, detached = {}, updated = {} }, tags:sync { 2, { 2, position = 8 } })
      assert.same({ [2] = 8 }, pivots())
    end)

    it("what is said twice of one row must not differ", function()
      local twice = { { 1, position = 1 }, 2, { 1, position = 2 } }
      for _, word in ipairs { "attach", "sync", "toggle" } do
        assert.match("1 .*is in the list twice, with position = 1 .*and 2",
          refused("invalid_argument", tags[word], tags, twice).message)
      end
      assert.same({}, pivots())
      assert.equal(1, tags:attach { { 1, position = 1 }, 1, { 1, position = 1 } })
      assert.same({ 1 }, pivots())
    end)

    it("sync takes rows that stand there twice for one", function()
      db:execute "insert into post_tag (post_id, tag_id) values (1, 1), (1, 1)"
      assert.same({ attached = { 2 }, detached = { 1 }, updated = {} }, tags:sync(2))
      assert.same({ [2] = false }, pivots())
    end)

    it("toggle changes sides", function()
      tags:attach { 1, 2 }
      assert.same({ attached = { 3 }, detached = { 2 } }, tags:toggle { 2, { 3, position = 4 } })
      assert.same({ false, [3] = 4 }, pivots())
    end)

    it("columns of one pivot are changed", function()
      tags:attach { 1, 2 }
      db:execute "update post_tag set updated_at = null"
      assert.equal(1, tags:update_existing_pivot(2, { position = 9 }))
      assert.equal(0, tags:update_existing_pivot(3, { position = 9 }))
      assert.same({ false, 9 }, pivots())
      assert.is_truthy(post.tags[2].pivot.updated_at)
      assert.is_nil(post.tags[1].pivot.updated_at)
      refused("invalid_argument", tags.update_existing_pivot, tags, 2)
      refused("invalid_argument", tags.update_existing_pivot, tags, 2, {})
      refused("no_such_column", tags.update_existing_pivot, tags, 2, { positon = 1 })
    end)

    it("related records are created and saved with their pivot, or neither", function()
      local tag = tags:create({ id = 9, name = "new" }, { position = 3 })
      assert.equal(3, post.tags[1].pivot.position)
      assert.is_true(tag:is(post.tags[1]))
      tags:save(models.Tag:find(1), { position = 4 })
      tags:save_many { models.Tag:new { id = 10 }, models.Tag:find(2) }
      assert.same({ 1, 2, 9, 10 }, of_each(post:relation("tags"):order_by("id"):all()))
      untouched("no_such_column", tags.create, tags, { id = 11 }, { positon = 3 })
    end)

    it("composite keys go by records", function()
      local parcel = models.Parcel:create { id = 1 }
      local a, b = models.Order:create { shop = "a", number = 1 }, models.Order:create { shop = "b", number = 1 }
      local orders = parcel:relation("orders")
      assert.equal(1, orders:attach(a))
      assert.same({ attached = { { "b", 1 } }, detached = { { "a", 1 } }, updated = {} }, orders:sync { b })
      assert.same({ "b" }, of_each(parcel.orders, "shop"))
      assert.same({ 1 }, of_each(b.parcels))
      assert.match("composite key is given as a record", refused("invalid_argument", orders.attach, orders, 3).message)
    end)

    it("the same model is on both sides", function()
      local one, two = models.User:find(1), models.User:find(2)
      one:relation("friends"):attach(two)
      assert.same({ 2 }, of_each(one.friends))
      assert.same({}, two.friends)
    end)

    it("is atomic, one statement failing or the last", function()
      tags:attach { { 1, position = 1 }, 2 }
      db:execute "create unique index positions on post_tag (position)"
      untouched("unique_violation", tags.attach, tags, { { 3, position = 3 }, { 4, position = 1 } })
      untouched("unique_violation", tags.sync, tags, { { 1, position = 1 }, { 4, position = 3 }, { 5, position = 3 } })
      untouched("unique_violation", tags.toggle, tags, { 2, { 3, position = 1 } })
      assert.same({ 1, 2 }, of_each(post.tags))
    end)

    it("what cannot be is refused, before anything is written", function()
      local function wrong(kind, word, ...) return untouched(kind, tags[word], tags, ...) end
      for _, word in ipairs { "attach", "sync", "toggle" } do
        wrong("invalid_argument", word, nil)
        wrong("invalid_argument", word, { 1, {} })
        wrong("invalid_argument", word, { 1, true })
        wrong("invalid_argument", word, { 1, null })
        wrong("invalid_argument", word, { [1] = 1, [3] = 2 })
        assert.match("wants a Tag, got a Post", wrong("invalid_argument", word, { 1, post }).message)
        assert.match("has not been saved", wrong("invalid_argument", word, models.Tag:new()).message)
        assert.match('"position"', wrong("no_such_column", word, { 1, { 2, positon = 1 } }).hint)
        assert.match("post_tag%.tag_id is filled by the relation", wrong("invalid_argument", word,
          { { 2, tag_id = 1 } }).message)
      end
      assert.match("column = value", wrong("invalid_argument", "attach", 1, 3).message)
      local new = models.Post:new():relation("tags")
      assert.match("the Post has not been saved", untouched("invalid_argument", new.sync, new, {}).message)
    end)
  end)

  describe("in a transaction that is taken back", function()
    local function in_vain(fn)
      assert.equal("in vain", select(2, pcall(rille.transaction, function()
        fn()
        error("in vain", 0)
      end)))
    end

    it("relations written are read anew", function()
      post:relation("tags"):attach(1)
      local comment
      in_vain(function()
        post:relation("tags"):sync { 2, 3 }
        comment = post:relation("comments"):create { n = 1 }
        rille.transaction(function() post:relation("tags"):attach(4) end)
        assert.equal(3, #post.tags)
        assert.equal(1, #post.comments)
      end)
      assert.same({ 1 }, of_each(post.tags))
      assert.same({}, post.comments)
      assert.is_false(comment:exists())
      assert.equal(1, comment.post_id)
      comment:save()
      assert.equal(1, #post:load("comments").comments)
    end)

    it("an association waits to be saved again", function()
      local two = models.User:find(2)
      in_vain(function() post:update { user = two } end)
      assert.equal(2, post.user.id)
      assert.is_true(post:is_dirty("user_id"))
      assert.equal(1, models.Post:find(1).user_id)
      post:save()
      assert.equal(2, models.Post:find(1).user_id)
    end)
  end)
end)
