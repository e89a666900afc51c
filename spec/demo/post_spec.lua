--- demo/post_spec: the demo's posts, tested as a program of one's own would test them: see rille.testing.
-- The database of each test is a copy of one that was migrated once, so nothing of a test is left for the next.
-- What a test does not care about is made up by the factories in models/factories/.
local rille = require "rille"
local testing = require "rille.testing"
local Post = require "models.post"

testing.fresh_database()

describe("a post of the demo", function()
  local ada
  before_each(function()
    rille.tenant.set { id = assert(rille.factory("Organization"):create_one()).id }
    ada = assert(rille.factory("User"):state("author"):create_one { name = "Ada Lovelace" })
  end)

  after_each(function() rille.tenant.clear() end)

  local function draft(more)
    local attributes = { author = ada, title = "On engines", slug = "on-engines" }
    for name, value in pairs(more or {}) do attributes[name] = value end
    return rille.factory("Post"):create_one(attributes)
  end

  it("begins as a draft, and is published at the moment that is", function()
    local noon = testing.freeze "2026-11-20T12:00:00Z"
    local post = assert(draft())
    assert.equal("draft", post.status)
    testing.travel(3600)
    post:publish()
    assert.equal("2026-11-20T13:00:00.000000Z", post.published_at)
    assert.equal(noon, post.created_at)
    assert.has_row(Post, { status = "published", title = "On engines" })
  end)

  it("wants a title, and an address that is its own", function()
    assert.invalid("title", draft { title = "  " })
    assert.invalid("slug", draft { slug = "On Engines" })
    draft()
    assert.invalid("slug", draft { title = "Another" })
    assert.has_no_row(Post, { title = "Another" })
  end)

  it("is marked when it is deleted, and can come back", function()
    local post = draft()
    post:delete()
    assert.soft_deleted(post)
    assert.has_no_row(Post, { id = post.id })               -- as the model sees it
    assert.has_row("posts", { id = post.id })               -- as it is in the table
    post:restore()
    assert.is_not.soft_deleted(post)
  end)

  it("shows a page with authors, tags and comments in a few statements, however many there are", function()
    local posts = assert(rille.factory("Post"):state("published"):count(20):create { author = ada })
    local maths = assert(rille.factory("Tag"):create_one { name = "Maths" })
    for _, post in ipairs(posts) do
      post:relation("tags"):attach { maths.id, position = 1 }
      rille.factory("Comment"):create_one { post = post, author = ada, body = "Yes." }
    end
    assert.statements(4, function()
      local page = Post:published():newest():with("author", "tags", "comments"):all()
      for _, post in ipairs(page) do
        assert.same({ "Ada Lovelace", "Maths", "Yes." }, { post.author.name, post.tags[1].name, post.comments[1].body })
      end
      assert.equal(20, #page)
    end)
  end)

  it("tells nobody of a publication that did not happen", function()
    local told = {}
    local function publish(post)
      return rille.transaction(function()
        post:publish()
        rille.after_commit(function() told[#told + 1] = post.title end)
        if post.title == "Withdrawn" then error "not today" end
      end)
    end
    publish(draft())
    assert.has_error(function() publish(draft { title = "Withdrawn", slug = "withdrawn" }) end)
    assert.same({ "On engines" }, told)
    assert.has_row(Post, { title = "Withdrawn", status = "draft" })
  end)
end)
