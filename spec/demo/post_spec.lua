--- demo/post_spec: the demo's posts, tested as a program of one's own would test them: see rille.testing.
-- The database of each test is a copy of one that was migrated once, so nothing of a test is left for the next.
local rille = require "rille"
local testing = require "rille.testing"
local Comment, Organization = require "models.comment", require "models.organization"
local Post, Tag, User = require "models.post", require "models.tag", require "models.user"

testing.fresh_database()

describe("a post of the demo", function()
  local press, ada

  before_each(function()
    press = assert(Organization:create { name = "The Press", slug = "press" })
    ada = assert(User:create { org_id = press.id, name = "Ada Lovelace", email = "ada@example.org" })
  end)

  local function draft(more)
    local attributes = { org_id = press.id, author_id = ada.id, title = "On engines", slug = "on-engines", body = "…" }
    for name, value in pairs(more or {}) do attributes[name] = value end
    return Post:create(attributes)
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
    local maths = assert(Tag:create { org_id = press.id, name = "Maths" })
    for i = 1, 20 do
      local post = draft { title = "Post " .. i, slug = "post-" .. i }
      post:publish()
      post:relation("tags"):attach { maths.id, position = 1 }
      Comment:create { org_id = press.id, post_id = post.id, author_id = ada.id, body = "Yes." }
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
