--- relation_kept_spec: what relations gave stays with its record, whatever becomes of the record.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, of_each = world.rille, world.of_each

local function count(fn, ...) return #world.statements(fn, ...) end

describe("a relation that was loaded", function()
  local models, db

  before_each(function()
    models, db = kin.fresh()
    db:table("users"):insert { { id = 1, name = "a" }, { id = 2, name = "b" } }
    db:table("posts"):insert { { id = 1, title = "p", user_id = 1 }, { id = 2, title = "q", user_id = 1 } }
    db:table("comments"):insert { { id = 1, n = 1, post_id = 1 }, { id = 2, n = 2, post_id = 1 } }
    db:table("tags"):insert { { id = 1, name = "x" }, { id = 2, name = "y" } }
    db:table("post_tag"):insert { { post_id = 1, tag_id = 1, position = 1 }, { post_id = 1, tag_id = 2, position = 2 },
      { post_id = 2, tag_id = 1, position = 3 } }
  end)

  --- Both relations are the very values they were, and nothing is read for them.
  local function assert_kept(post, user, comments)
    assert.equal(0, count(function()
      assert.is_true(rawequal(user, post.user))
      assert.is_true(rawequal(comments, post.comments))
    end))
  end

  it("is no change", function()
    local post = models.Post:with("user", "comments"):find(1)
    assert.same({}, post:changes())
    assert.equal(0, count(function() post:save() end))
  end)

  it("stays while the record is changed, saved and taken back", function()
    local post = models.Post:with("user", "comments"):find(1)
    local user, comments = post.user, post.comments
    post.title = "changed"
    assert_kept(post, user, comments)
    assert.same({ "changed", { 1, 2 } }, { post.title, of_each(post.comments) })
    post:save()
    assert_kept(post, user, comments)
    post.title = "not to be"
    pcall(rille.transaction, function()
      post:save()
      error "no"
    end)
    assert_kept(post, user, comments)
    assert.same({ "not to be", "a" }, { post.title, post.user.name })
  end)

  it("stays when others are loaded after the first change", function()
    local post = models.Post:with("user"):find(1)
    local user = post.user
    post.title = "changed"
    post:load("comments")
    assert_kept(post, user, post.comments)
    assert.equal("changed", post.title)
  end)

  it("goes with the key that says it, and all go with a refresh", function()
    local post = models.Post:with("user", "comments"):find(1)
    local comments = post.comments
    post.user_id = 2
    assert.equal("b", post.user.name)
    assert.is_true(rawequal(comments, post.comments))
    post:refresh()
    assert.equal(1, count(function() assert.equal("a", post.user.name) end))
    assert.is_false(rawequal(comments, post.comments))
  end)

  it("is part of JSON beside what was changed", function()
    local post = models.Post:with { comments = function(q) return q:select("id"):order_by("id") end }:find(1)
    local shape = { visible = { "title", "comments" } }
    assert.equal('{"title":"p","comments":[{"id":1},{"id":2}]}', post:to_json(shape))
    post.title = "changed"
    assert.equal('{"title":"changed","comments":[{"id":1},{"id":2}]}', post:to_json(shape))
    assert.same({ title = "changed", comments = { { id = 1 }, { id = 2 } } }, post:to_table(shape))
  end)

  it("is one record for all rows of it, in whichever order they come", function()
    for _, direction in ipairs { "asc", "desc" } do
      for _, column in ipairs { "post_tag.position", "tags.id" } do
        local function ordered(q) return q:order_by(column, direction) end
        local posts = models.Post:order_by("id"):with { plain_tags = ordered }:all()
        local shared = posts[2].plain_tags[1]
        assert.same({ 1, 2 }, { shared.id, #posts[1].plain_tags })
        assert.is_true(rawequal(shared, posts[1].plain_tags[direction == "asc" and 1 or 2]))
      end
    end
  end)
end)
