--- validate_spec: when the rules of a model run, what a failure is, and that nothing is written then.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, statements, picture = world.refused, world.statements, world.picture

--- Assert that a call gives `nil, err` with messages for these fields, and leaves the database as it was.
local function invalid(fields, fn, ...)
  local before = picture()
  local record, e = fn(...)
  assert.is_nil(record)
  assert.is_true(rille.is_error(e, "validation"))
  assert.same(fields, e.fields)
  assert.equal(before, picture())
  return e
end

local SHORT, MISSING = { "must have at least 3 characters" }, { "must be given" }

describe("an invalid record", function()
  it("is not written, and all that is wrong is told at once", function()
    local Post = world.blog { validates = {
      title = { required = true, min = 3, format = "^%u" }, views = { min = 0 }, body = { required = true },
    } }
    local e = invalid({ title = { SHORT[1], "has the wrong form" }, views = { "must be at least 0" }, body = MISSING },
      Post.create, Post, { title = "x", views = -1 })
    assert.equal("this Post is not valid: title must have at least 3 characters; title has the wrong form; "
      .. "body must be given; views must be at least 0", tostring(e))
    assert.same({ "Post", "posts" }, { e.model, e.table })
    assert.same({
      { field = "title", rule = "min", message = SHORT[1], value = "x", wanted = 3 },
      { field = "title", rule = "format", message = "has the wrong form", value = "x", wanted = "^%u" },
      { field = "body", rule = "required", message = MISSING[1], wanted = true },
      { field = "views", rule = "min", message = "must be at least 0", value = -1, wanted = 0 },
    }, e.failures)
  end)

  it("can be put right and saved", function()
    local Post = world.blog { validates = { title = { min = 3 } } }
    local post = Post:new { title = "x" }
    invalid({ title = SHORT }, post.save, post)
    assert.is_false(post:exists())
    assert.is_nil(post.created_at)
    post.title = "long"
    assert.equal(post, post:save())
    invalid({ title = SHORT }, post.update, post, { title = "y", views = 9 })
    assert.same({ "y", 9, "long" }, { post.title, post.views, post:get_original "title" })
    assert.same({ title = { "long", "y" }, views = { 0, 9 } }, post:changes())
    assert.equal(post, post:update { title = "fine" })
    assert.same({ "fine", 9 }, { Post:first().title, Post:first().views })
  end)

  it("does not end the transaction around it", function()
    local Post, _, db = world.blog { validates = { title = { min = 3 } } }
    local post, e = rille.transaction(function()
      Post:create { title = "before" }
      return Post:create { title = "x" }
    end)
    assert.is_nil(post)
    assert.equal("validation", e.kind)
    assert.equal(1, db:table("posts"):count())
  end)

  it("may be asked for without a save", function()
    local Post, _, db = world.blog { validates = { title = { min = 3 } } }
    local post = Post:new { title = "x" }
    assert.same({ title = SHORT }, select(2, post:validate()).fields)
    post.title = "long"
    assert.equal(post, post:validate())
    assert.is_false(post:exists())
    assert.equal(0, db:table("posts"):count())
  end)
end)

describe("every way to write a record", function()
  local Post
  before_each(function() Post = world.blog { validates = { title = { required = true, min = 3 } } } end)

  it("runs the rules", function()
    local post = Post:create { title = "long" }
    invalid({ title = SHORT }, Post.create, Post, { title = "x" })
    invalid({ title = SHORT }, post.update, post, { title = "x" })
    post:refresh()
    post.title = nil
    invalid({ title = MISSING }, post.save, post)
    invalid({ title = SHORT }, Post.first_or_create, Post, { title = "x" }, { views = 3 })
    invalid({ title = SHORT }, Post.update_or_create, Post, { title = "long" }, { title = "x" })
    invalid({ title = SHORT }, Post.update_or_create, Post, { title = "x" }, { views = 3 })
    local repository = rille.repository(Post)
    invalid({ title = SHORT }, repository.create, repository, { title = "x" })
    invalid({ title = SHORT }, repository.update, repository, post.id, { title = "x" })
    assert.equal(1, #Post:all())
    assert.equal("long", Post:first_or_create({ title = "long" }).title)
    assert.equal(7, Post:update_or_create({ title = "long" }, { views = 7 }).views)
  end)

  it("writes all records of create_many or none, and says which was wrong", function()
    local e = invalid({ title = SHORT }, Post.create_many, Post,
      { { title = "one" }, { title = "x" }, { title = "y" } })
    assert.equal(2, e.index)
    assert.equal("create_many: record 2: this Post is not valid: title must have at least 3 characters", e.message)
    assert.equal(2, #Post:create_many { { title = "one" }, { title = "two" } })
    rille.transaction(function()
      Post:create { title = "three" }
      assert.is_nil(Post:create_many { { title = "four" }, { title = "x" } })
    end)
    assert.same({ "one", "two", "three" }, Post:order_by("id"):pluck "title")
  end)

  it("but words about many rows know no record and run none", function()
    local post = Post:create { title = "long" }
    Post:insert { title = "x" }
    Post:insert_or_ignore { title = "y" }
    Post:upsert({ id = post.id, title = "z" }, "id")
    Post:where("id", 2):update { title = "" }
    assert.same({ "z", "", "y" }, Post:order_by("id"):pluck "title")
    assert.equal(2, Post:find(2):increment("views", 2).views)
  end)
end)

describe("a save of a record that is there", function()
  it("runs the rules of what changed", function()
    local Post = world.blog { validates = { title = { min = 3 }, body = { required = true } } }
    Post:insert { title = "x" }
    local post = Post:first()
    assert.equal(post, post:save())
    assert.equal(5, assert(post:update { views = 5 }).views)
    invalid({ title = SHORT }, post.update, post, { title = "y" })
    post.title = "x"
    post.body = null
    assert.equal(post, post:save())
    assert.same({ body = MISSING }, select(2, post:update { body = "" }).fields)
  end)

  it("runs the rules that may look at other columns, too", function()
    local function published(post) return post.status == "published" end
    local Post = world.blog { validates = {
      body = { required = true, when = published },
      views = { check = function(views, post) return views < #post.title, "is more than the title has" end },
    } }
    local post = assert(Post:create { title = "long", views = 3 })
    invalid({ body = MISSING }, post.update, post, { status = "published" })
    post.body = "text"
    assert.equal(post, post:save())
    invalid({ views = { "is more than the title has" } }, post.update, post, { title = "abc" })
  end)

  it("leaves out what was not selected and did not change", function()
    local Post = world.blog { validates = {
      body = { required = true, check = function() return false end },
      views = { required = true, when = function() return true end },
    } }
    Post:insert { title = "x", body = "y" }
    local post = Post:select("id", "title"):first()
    assert.equal(post, post:update { title = "z" })
    assert.same({ body = { "is not valid" } }, select(2, Post:first():update { title = "y" }).fields)
  end)

  it("sees what changed inside a table", function()
    local Post = world.blog { validates = { meta = { max = 1 } } }
    local post = Post:create { title = "x", meta = { 1 } }
    table.insert(post.meta, 2)
    invalid({ meta = { "must have at most 1 entry" } }, post.save, post)
    invalid({ meta = { "must have at most 1 entry" } }, post.validate, post)
    local new = Post:new { title = "x", meta = {} }
    new.meta[1], new.meta[2] = 1, 2
    invalid({ meta = { "must have at most 1 entry" } }, new.save, new)
  end)

  it("validates what is stored: after mutators and casts, past accessors", function()
    local Post = world.blog {
      mutators = { title = function(_, value) return value:match "^%s*(.-)%s*$" end },
      accessors = { body = function(_, body) return (body or "") .. "…" end },
      validates = { title = { min = 3 }, body = { max = 2 } },
    }
    invalid({ title = SHORT }, Post.create, Post, { title = "  x  " })
    assert.equal("ab…", Post:create({ title = "abc", body = "ab" }).body)
  end)

  it("wants a confirmation of what changed, which is compared as typed", function()
    local Post = world.blog {
      fillable = { "title", "body" }, validates = { body = { confirmed = true } },
      mutators = { body = function(_, value) return "hash " .. math.random() .. #value end },
    }
    local post = assert(Post:create { title = "x", body = "secret", body_confirmation = "secret" })
    assert.equal("secret", post.body_confirmation)
    assert.equal(post, post:update { title = "y" })
    local message = { body = { "is not what was typed as its confirmation" } }
    invalid(message, post.update, post, { body = "other" })
    invalid(message, post.update, post, { body = "other", body_confirmation = "othr" })
    assert.equal(post, post:update { body = "other", body_confirmation = "other" })
    assert.is_nil(Post:first().body_confirmation)
    assert.is_nil(Post:first():to_table().body_confirmation)
    refused("mass_assignment", Post.create, Post, { title_confirmation = "x" })
  end)
end)

describe("conditions", function()
  it("on says whether rules are for new records or for saved ones", function()
    local Post = world.blog { validates = {
      title = { { min = 3, on = "create" }, { max = 5, on = "update" } },
    } }
    invalid({ title = SHORT }, Post.create, Post, { title = "ab" })
    local post = assert(Post:create { title = "abcdefgh" })
    assert.same({ title = { "must have at most 5 characters" } }, select(2, post:update { title = "abcdefg" }).fields)
    assert.equal(post, post:update { title = "a" })
  end)

  it("when says for which records they are", function()
    local Post = world.blog { validates = {
      body = { { required = true, when = function(post) return post.live end }, { max = 3 } },
    } }
    assert(Post:create { title = "x", live = false })
    invalid({ body = MISSING }, Post.create, Post, { title = "x", live = true })
    invalid({ body = { "must have at most 3 characters" } }, Post.create, Post,
      { title = "x", live = false, body = "long" })
  end)

  it("and checks that fail themselves are raised, with the place where they did", function()
    local function fails(post) return post.titel == "x" end
    for _, rules in ipairs { { required = true, when = fails },
      { check = function(_, post) return fails(post) end } } do
      local Post, _, db = world.blog { validates = { title = rules } }
      local ok, e = xpcall(Post.create, require "rille.error".keep_trace, Post, { title = "x" })
      assert.is_false(ok)
      assert.equal('did you mean "title"?', e.hint)
      assert.matches("validate_spec.lua", e.traceback, 1, true)
      assert.equal(0, db:table("posts"):count())
    end
    local Post = world.blog { validates = { title = { check = function() error "broken" end } } }
    assert.matches("validate_spec.lua:%d+: broken", select(2, pcall(Post.create, Post, { title = "x" })))
  end)
end)

describe("rules that need no look-up", function()
  it("send no statement of their own", function()
    local Post = world.blog { validates = { title = { required = true, min = 3 }, views = { min = 0 } } }
    Post:first()
    assert.equal(1, #statements(Post.create, Post, { title = "long", views = 1 }))
    assert.same({}, statements(Post.create, Post, { title = "x" }))
  end)

  it("are kept when the schema or the connection changes", function()
    local Post, _, db = world.blog { validates = { title = { min = 3 } } }
    local post = Post:create { title = "long" }
    rille.schema():table("posts", function(t) t:string("more"):nullable() end)
    invalid({ title = SHORT }, post.update, post, { title = "x" })
    invalid({ title = SHORT }, Post.create, Post, { title = "x", more = "y" })
    db:execute "alter table posts rename column title to name"
    db:forget()
    refused("no_such_column", Post.create, Post, {})
  end)
end)
