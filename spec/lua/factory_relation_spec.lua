--- factory_relation_spec: what made-up records belong to and have, by every kind of relation.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, null, refused, of_each = world.rille, world.null, world.refused, world.of_each

local function factory(...) return rille.factory(...) end

describe("relations of a factory", function()
  local models, db

  before_each(function()
    models, db = kin.fresh()
    rille.seed(1)
    local function numbered(also)
      return function(_, i)
        local attributes = { n = i }
        for name, other in next, also or {} do attributes[name] = factory(other) end
        return attributes
      end
    end
    for name, also in next, {
      Country = {}, User = { country = "Country" }, Profile = { user = "User" }, Post = { user = "User" },
      Comment = { post = "Post", author = "User" }, Tag = {}, Video = {}, Image = { imageable = "Post" },
      Line = { order = "Order" }, Parcel = {},
    } do
      factory(name, numbered(also), { states = { loud = { n = 100 } } })
    end
    factory("Order", function(_, i) return { shop = "s", number = i } end)
  end)
  after_each(function() rille.close() end)

  local function counts()
    local found = {}
    for _, name in ipairs { "countries", "users", "profiles", "posts", "comments", "tags", "post_tag", "images",
      "videos", "taggables", "orders", "lines", "parcels", "order_parcel" } do
      local n = db:table(name):count()
      if n > 0 then found[name] = n end
    end
    return found
  end

  it("make what each record belongs to, once for each", function()
    local comments = factory("Comment"):count(2):create()
    assert.same({ countries = 4, users = 4, posts = 2, comments = 2 }, counts())
    assert.are_not.equal(comments[1].post_id, comments[2].post_id)
    assert.equal(comments[1].post.id, models.Comment:find(1).post.id)
    assert.equal(models.Comment:find(1).author.country.id, comments[1].author.country.id)
  end)

  it("take a record or a factory for a column, too", function()
    local user = factory("User"):create_one()
    assert.equal(user.id, factory("Post"):create_one { user_id = user }.user_id)
    assert.equal(2, factory("Post"):create_one { user_id = factory "User" }.user.id)
    assert.equal(user.id, factory("Tag"):create_one { n = user }.n)               -- no relation: its key
    assert.equal(3, factory("Tag"):create_one { n = factory "User" }.n)
    assert.is_nil(factory("Tag"):make_one { n = factory "User" }.n)
    assert.equal(user.id, factory("Post"):create_one { user_id = user.id }.user_id)
    assert.is_nil(factory("Post"):create_one { user = null }.user_id)
    assert.is_nil(factory("Post"):create_one { user_id = null }.user)
    assert.same({ countries = 3, users = 3, posts = 5, tags = 2 }, (function()
      local found = counts()
      found.countries = 3
      return found
    end)())
  end)

  it("has_one, has_many, and what these have in their turn", function()
    local posts = factory("Post"):count(3):has("comments", 2)
    local users = factory("User"):count(2):has("profile"):has("posts", posts):create()
    assert.same({ countries = 14, users = 14, profiles = 2, posts = 6, comments = 12 }, counts())
    assert.same({ 1, 2 }, of_each(users))
    assert.equal(3, #users[2].posts)
    assert.equal(2, users[2].profile.user_id)
    assert.equal(2, #users[2].posts[3].comments)
  end)

  it("of has know their parent without a read, and functions of theirs do", function()
    local comments = factory("Comment"):state { n = function(comment) return comment.post.n + 100 end }
    local post = factory("Post"):has("comments", comments:count(2)):create_one()
    assert.same({ 101, 101 }, of_each(post.comments, "n"))
    local seen = {}
    local images = factory("Image"):after_creating(function(image) seen[#seen + 1] = image.imageable end)
    local made = factory("User"):has("posts", factory("Post"):has("images", images:count(2))):create_one()
    assert.equal(2, #seen)
    assert.is_true(rawequal(seen[1], seen[2]))
    assert.is_true(seen[1]:is(made.posts[1]))
    assert.same({ 101 }, of_each(factory("Post"):has("comments", comments):make_one { n = 1 }.comments, "n"))
    made = factory("User"):has("posts", 2):make_one()
    assert.is_true(rawequal(made, made.posts[2].user))
  end)

  it("of has take states, and begin a sequence for each parent", function()
    local users = factory("User"):count(2):has("posts", 2, "loud"):create()
    assert.same({ 100, 100 }, of_each(users[2].posts, "n"))
    users = factory("User"):count(2):has("posts", factory("Post"):count(3):sequence { n = { 1, 2 } }):create()
    assert.same({ 1, 2, 1 }, of_each(users[1].posts, "n"))
    assert.same({ 1, 2, 1 }, of_each(users[2].posts, "n"))
    assert.same({}, factory("User"):count(0):has("posts", 2):create())
    assert.equal(0, #factory("User"):has("posts", 0):create_one().posts)
  end)

  it("morph_one and morph_many", function()
    local post = factory("Post"):has("images", 2):create_one()
    local video = factory("Video"):has("image", 1, "loud"):create_one()
    assert.same({ 1, 2 }, of_each(post.images))
    assert.equal(100, video.image.n)
    assert.equal("film", video.image.imageable_type)
    assert.same({ countries = 1, users = 1, posts = 1, videos = 1, images = 3 }, counts())
  end)

  it("belongs_to_many, morph_to_many and morphed_by_many, with columns of the pivot", function()
    local posts = factory("Post"):count(2):has("tags", 2, "loud", function(n) return { position = 10 * n } end)
      :has("subjects", 1):create()
    assert.same({ 100, 100 }, of_each(posts[2].tags, "n"))
    assert.same({ 10, 20 }, { posts[2].tags[1].pivot.position, posts[2].tags[2].pivot.position })
    assert.is_truthy(posts[2].tags[1].pivot.created_at)
    assert.equal(1, #posts[1].subjects)
    local tag = factory("Tag"):has("tagged_videos", 2):has("posts", posts, nil, { position = 3 }):create_one()
    assert.equal(2, #tag.tagged_videos)
    assert.same(posts:ids(), tag.posts:ids())
    assert.same({ 3, 3 }, of_each(db:table("post_tag"):where("tag_id", tag.id):all(), "position"))
    assert.same({ countries = 2, users = 2, posts = 2, tags = 7, post_tag = 6, taggables = 4, videos = 2 }, counts())
  end)

  it("keys of several columns", function()
    local orders = factory("Order"):count(2):has("lines", 2):has("parcels", 1):create()
    assert.equal(2, #orders[2].lines)
    assert.equal(1, #orders[1].parcels)
    assert.equal(3, factory("Line"):create_one().order.number)
    assert.equal(4, #factory("Line"):count(4):belonging_to(orders[1]):create())
    assert.same({ orders = 3, lines = 9, parcels = 2, order_parcel = 2 }, counts())
  end)

  it("are read anew, though a hook looked at them before they were there", function()
    models.User:on("created", function(user) assert(#user.posts == 0) end)
    assert.equal(2, #factory("User"):has("posts", 2):create_one().posts)
  end)

  it("of belonging_to are made once for all, and found by the model", function()
    local posts = factory("Post"):count(3):belonging_to(factory "User"):create()
    assert.same({ countries = 1, users = 1, posts = 3 }, counts())
    assert.same({ 1, 1, 1 }, of_each(posts, "user_id"))
    local user, video = models.User:find(1), factory("Video"):create_one()
    assert.equal(1, factory("Comment"):belonging_to(user):belonging_to(posts[2]):create_one().author_id)
    assert.equal("film", factory("Image"):belonging_to(video):create_one().imageable_type)
    assert.same({ countries = 1, users = 1, posts = 3, comments = 1, videos = 1, images = 1 }, counts())
    assert.equal(1, factory("User"):belonging_to(user, "boss"):create_one().boss_id)
    assert.equal("User", rille.type(factory("Post"):belonging_to(factory "User"):make_one().user))
  end)

  it("of belonging_to are told where they are not clear", function()
    models.Comment:belongs_to("editor", "User", { foreign_key = "author_id" })
    local user = factory("User"):create_one()
    local e = refused("invalid_argument", function() factory("Comment"):belonging_to(user):create() end)
    assert.match("in several ways: author, editor", e.message)
    e = refused("no_such_relation", function() factory("Comment"):belonging_to(user, "autor"):create() end)
    assert.equal('did you mean "author"?', e.hint)
    e = refused("no_such_relation", function() factory("Tag"):belonging_to(user):create() end)
    assert.match("no relation of Tag belongs to a User", e.message)
    e = refused("no_such_relation", function() factory("User"):belonging_to(user, "posts"):create() end)
    assert.match("posts is a has_many", e.hint)
  end)

  it("take records that are there again, however deep they are needed", function()
    local country = factory("Country"):create_one()
    local users = factory("User"):count(2):recycle(country):create()
    factory("Comment"):count(5):recycle(users):create()
    factory("User"):recycle(country):recycle(users):has("posts", factory("Post"):has("comments", 2)):create()
    assert.same({ countries = 1, users = 3, posts = 6, comments = 7 }, counts())
  end)

  it("that has cannot make are refused, with what would be right", function()
    local function hint(fn) return refused("unsupported", fn).hint end
    assert.match("belonging_to%(record, \"user\"%)", hint(function() factory("Post"):has("user"):create() end))
    assert.match("a factory of the users", hint(function() factory("Country"):has("posts"):create() end))
    local post = factory("Post"):create_one()
    for _, wrong in ipairs {
      function() factory("User"):has("profile", 2):create() end,
      function() factory("User"):has("posts", factory "Tag"):create() end,
      function() factory("User"):has("posts", { post }):create() end,
      function() factory("User"):has("posts", 1, nil, { position = 1 }):create() end,
      function() factory("Post"):has("tags", 1, nil, { tag_id = 1 }):create() end,
      function() factory("Post"):has("tags", 1, nil, function() return 3 end):create() end,
    } do
      assert.match("^relation", world.untouched("invalid_argument", wrong).message)
    end
    refused("invalid_argument", function() factory("Post"):has("tags", { post }, "loud") end)
    refused("no_such_column", function() factory("Post"):has("tags", 1, nil, { positon = 1 }):create() end)
  end)

  it("of its own model end where a state says so", function()
    factory("User", function(_, i) return { n = i, boss = factory("User"):state { boss = null } } end)
    assert.is_nil(factory("User"):create_one().boss.boss)
    assert.same({ users = 2 }, counts())
  end)
end)
