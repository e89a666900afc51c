--- relation_morph_spec: relations whose other side is of several models.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, refused, of_each = world.rille, world.refused, world.of_each

describe("a morph", function()
  local models, db, post, video

  before_each(function()
    models, db = kin.fresh()
    db:table("users"):insert { { id = 1, name = "a" } }
    db:table("tags"):insert { { id = 1 }, { id = 2 }, { id = 3 } }
    post = models.Post:create { id = 1, user_id = 1 }
    video = models.Video:create { id = 1 }
  end)

  it("is stored under the name of the table, or that which the model says, whatever the class is called", function()
    assert.equal("posts", post:relation("images"):create { n = 1 }.imageable_type)
    assert.equal("film", video:relation("image"):create { n = 2 }.imageable_type)
    local image = models.Image:create { imageable = video }
    assert.equal("film", image.imageable_type)
    assert.equal(1, image.imageable_id)
    video:relation("subjects"):attach(1)
    assert.equal("film", db:query("select taggable_type from taggables")[1].taggable_type)
    require "rille.model".forget_all()
    rille.model("Movie", { table = "videos", morph_name = "film" })
    local Image = rille.model("Image", { relations = { imageable = rille.morph_to() } })
    assert.equal("Movie", rille.type(Image:find(image.id).imageable))
  end)

  it("leads to no table whose key is not one column", function()
    db:execute "create table pairs (a integer, b integer, primary key (a, b))"
    db:execute "create table keyless (a integer)"
    local Pair, Keyless = rille.model("Pair", {}), rille.model("Keyless", { table = "keyless" })
    db:table("keyless"):insert { a = 1 }
    local image = models.Image:create { imageable_type = "pairs", imageable_id = 1 }
    for words, try in pairs {
      ["the key of pairs has 2 columns"] = function()
        return models.Image:create { imageable = Pair:create { a = 1, b = 2 } }
      end,
      ["the key of keyless has none"] = function() return models.Image:create { imageable = Keyless:first() } end,
      ["pairs has 2 columns"] = function() return image.imageable end,
      ["of pairs has 2 columns"] = function() return image:relation("imageable"):all() end,
      ["key of pairs has 2"] = function() return models.Image:where_has_morph("imageable", "Pair"):all() end,
    } do
      assert.matches("relation Image.imageable .*" .. words, refused("unsupported", try).message)
    end
    assert.equal(1, models.Image:count())
  end)

  it("is read in one statement for each model that occurs", function()
    for i = 1, 4 do post:relation("images"):create { n = i } end
    video:relation("image"):create { n = 5 }
    models.Image:create { imageable = models.User:find(1) }
    models.Image:create {}
    models.Image:create { imageable_type = "film", imageable_id = 77 }
    for _, read in ipairs {
      function() return models.Image:with("imageable"):order_by("id"):all() end,
      function() return models.Image:order_by("id"):all() end,
      function() return models.Image:order_by("id"):all():load_missing("imageable") end,
    } do
      local types = {}
      assert.equal(4, #world.statements(function()
        for i, image in ipairs(read()) do types[i] = rille.type(image.imageable) or "none" end
      end))
      assert.same({ "Post", "Post", "Post", "Post", "Video", "User", "none", "none" }, types)
    end
    local images = models.Image:with("imageable"):order_by("id"):all()
    assert.is_true(rawequal(images[1].imageable, images[4].imageable))
  end)

  it("leads on to relations that some of its models have", function()
    post:relation("images"):create {}
    video:relation("image"):create {}
    video:relation("subjects"):attach { 1, 2 }
    post:relation("subjects"):attach(3)
    local images
    assert.equal(6, #world.statements(function()
      images = models.Image:with("imageable.subjects", "imageable.user"):order_by("id"):all()
    end))
    assert.equal(0, #world.statements(function()
      assert.same({ 3 }, of_each(images[1].imageable.subjects))
      assert.same({ 1, 2 }, of_each(images[2].imageable.subjects))
      assert.equal(1, images[1].imageable.user.id)
    end))
    local e = refused("no_such_relation", function() return models.Image:with("imageable.subjekts"):all() end)
    assert.match('Image%.imageable .*no model has a relation "subjekts"', e.message)
    assert.match('"subjects"', e.hint)
  end)

  it("keeps rows of models apart that have the same key", function()
    post:relation("images"):create { n = 1 }
    video:relation("image"):create { n = 2 }
    assert.same({ 1 }, of_each(post.images, "n"))
    assert.equal(2, video.image.n)
    assert.equal(1, models.Post:with_count("images"):first().images_count)
    assert.equal(1, models.Video:where_has("image", function(q) return q:where("n", 1):or_where("n", 2) end):count())
    assert.equal(0, models.Video:where_has("image", function(q) return q:where("n", 1):or_where("n", 9) end):count())
    post:relation("subjects"):attach { 1, 2 }
    video:relation("subjects"):attach { 2, 3 }
    assert.same({ 1, 2 }, of_each(post.subjects))
    assert.same({ 2, 3 }, of_each(models.Video:with("subjects"):first().subjects))
    local tag = models.Tag:with("tagged_posts", "tagged_videos"):find(2)
    assert.same({ 1 }, of_each(tag.tagged_posts))
    assert.same({ 1 }, of_each(tag.tagged_videos))
    assert.same({}, models.Tag:find(3).tagged_posts)
    assert.equal(1, post:relation("subjects"):detach(2))
    assert.same({ 2, 3 }, of_each(models.Video:find(1).subjects))
    assert.same({ attached = { 1 }, detached = { 3 }, updated = {} }, video:relation("subjects"):sync { 1, 2 })
    assert.same({ 1 }, of_each(post.subjects))
  end)

  it("is asked about by the models that are said", function()
    local Image = models.Image
    post:relation("images"):create { n = 1 }
    video:relation("image"):create { n = 2 }
    Image:create { n = 3 }
    Image:create { n = 4, imageable_type = "posts", imageable_id = 999 }
    local function found(...) return Image:where_has_morph("imageable", ...):order_by("n"):pluck "n" end
    assert.same({ 1 }, found "Post")
    assert.same({ 1, 2 }, found { "Post", models.Video })
    local function fn(q, model) return model == "Post" and q:where("id", -1):or_where("title", "none") or q end
    assert.same({ 2 }, found({ "Post", "Video" }, fn))
    assert.same({ 3, 4 }, Image:where_not_has_morph("imageable", { "Post", "Video" }):order_by("n"):pluck "n")
    assert.same({ 1, 3 }, Image:where("n", 3):or_where_has_morph("imageable", "Post"):order_by("n"):pluck "n")
    post:delete()
    assert.same({}, found "Post")
    refused("no_such_model", function() found "Pots" end)
    refused("invalid_argument", function() found {} end)
    refused("invalid_argument", function() found { 3 } end)
    refused("invalid_argument", function() models.Post:where_has_morph("comments", "Post") end)
    refused("no_such_relation", function() models.Post:where_has_morph("coments", "Post") end)
    assert.matches("where_has_morph", refused("unsupported", Image.where_has, Image, "imageable").hint)
  end)

  it("is written from the other side", function()
    local tag = models.Tag:find(1)
    tag:relation("tagged_videos"):attach(video)
    tag:relation("tagged_posts"):create { id = 7 }
    assert.same({ 1 }, of_each(video.subjects))
    assert.same({ 1 }, of_each(models.Post:find(7).subjects))
    assert.match("filled by the relation", refused("invalid_argument", function()
      tag:relation("tagged_posts"):attach { { 1, taggable_type = "film" } }
    end).message)
  end)

  it("is of one among many as its order says", function()
    for _, n in ipairs { 3, 1, 2 } do models.Image:create { n = n, imageable = video } end
    assert.equal(1, video.image.n)
    assert.equal(1, models.Video:with("image"):first().image.n)
    assert.equal(1, video:relation("image"):first().n)
  end)

  it("follows its key and its name", function()
    local image = models.Image:create { imageable = post }
    assert.equal("Post", rille.type(image.imageable))
    image.imageable_type = "film"
    assert.equal("Video", rille.type(image.imageable))
    image.imageable_id = 5
    assert.is_nil(image.imageable)
    image.imageable = nil
    assert.is_nil(image.imageable_type)
    assert.is_nil(image.imageable_id)
    assert.is_nil(image:relation("imageable"):first())
    image:relation("imageable"):associate(post):save()
    assert.equal(1, image:fresh().imageable.id)
    assert.same({ 1 }, of_each(image:relation("imageable"):all()))
    image:relation("imageable"):dissociate():save()
    assert.is_nil(image:fresh().imageable)
  end)

  it("says what it does not know", function()
    local image = models.Image:create { imageable_type = "fim", imageable_id = 1 }
    local e = refused("no_such_model", function() return image:fresh().imageable end)
    assert.match('Image%.imageable .*no model is called "fim"', e.message)
    assert.match('"film"', e.hint)
    assert.match("wants a record", refused("invalid_argument", function() image.imageable = "x" end).message)
    assert.match("has not been saved", refused("invalid_argument", function()
      image.imageable = models.Post:new()
    end).message)
  end)

  it("takes another name than the relation's", function()
    models.Image:morph_to("of", { name = "imageable" })
    local image = models.Image:create { of = post }
    assert.equal("posts", image.imageable_type)
    assert.equal(1, models.Image:with("of"):first().of.id)
    image.imageable_id = 5
    assert.is_nil(image.of)
  end)

  it("leaves deleted rows out", function()
    models.Image:create { imageable = post }
    post:delete()
    assert.is_nil(models.Image:with("imageable"):first().imageable)
    assert.is_nil(models.Image:first().imageable)
  end)
end)
