--- demo/comment_spec: the demo's comments, each test in a transaction on one database that is made before the first.
local rille = require "rille"
local testing = require "rille.testing"
local Comment, Organization = require "models.comment", require "models.organization"
local Post, User = require "models.post", require "models.user"

describe("a comment of the demo", function()
  testing.transaction()

  local press, ada, post

  local function write(title)
    local slug = title:lower():gsub(" ", "-")
    return Post:create { author_id = ada.id, title = title, slug = slug, body = "…" }
  end

  setup(function()
    rille.connect ":memory:"
    rille.migrate()
    press = assert(Organization:create { name = "The Press", slug = "press" })
    rille.tenant.set { id = press.id }
    ada = assert(User:create { name = "Ada", email = "ada@example.org" })
    post = assert(write("On engines"))
  end)

  teardown(function()
    rille.tenant.clear()
    rille.close()
  end)

  local function comment(body) return Comment:create { post_id = post.id, body = body } end

  it("waits until it is approved", function()
    local first = comment "First!"
    assert.same({ first.id }, { table.unpack(Comment:waiting():pluck("id")) })
    assert.statements(1, function() first:approve() end)
    assert.has_row(Comment, { id = first.id, approved = true })
    assert.equal(0, Comment:waiting():count())
  end)

  it("is answered under the same post", function()
    local question = comment "Why?"
    local answer = question:reply { author_id = ada.id, body = "  Because.  " }
    assert.equal("Because.", answer.body)
    assert.same({ "Because." }, { table.unpack(question.replies:pluck("body")) })
    local other = assert(write("Other"))
    assert.invalid("parent_id", Comment:create {
      post_id = other.id, parent_id = question.id, body = "Elsewhere",
    })
  end)

  it("finds nothing of what another test wrote", function()
    assert.equal(0, Comment:count())
    assert.equal(1, Post:count())
  end)
end)
