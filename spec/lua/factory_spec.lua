--- factory_spec: made-up records: what a factory says of them, and what becomes of it.
local world = require "spec.support.world"
local rille, null, refused, of_each = world.rille, world.null, world.refused, world.of_each

local function factory(...) return rille.factory(...) end

describe("a factory", function()
  local Post, User, db

  before_each(function()
    Post, User, db = world.blog({
      relations = { author = rille.belongs_to("User") },
    }, { relations = { posts = rille.has_many("Post", { foreign_key = "author_id" }) } })
    rille.seed(1)
    factory("User", function(fake, i) return { name = fake:name(), email = fake:email(), age = i } end)
    factory("Post", function(fake) return { title = fake:sentence(), author = factory "User" } end, {
      states = {
        draft = { status = "draft", views = 0 },
        published = { status = "published" },
        seen = function(attributes, fake, i) return { views = 10 * i, body = attributes.title .. fake:word() } end,
      },
    })
  end)
  after_each(function() rille.close() end)

  it("makes records that are saved, or not", function()
    local user = factory("User"):create_one()
    assert.is_true(user:exists())
    assert.is_false(user:is_dirty())
    assert.equal(user.email, User:find(user.id).email)
    local made = factory("User"):make_one { name = "Ada" }
    assert.is_false(made:exists())
    assert.equal("Ada", made.name)
    assert.equal(1, User:count())
  end)

  it("makes as many as it is told, in a list", function()
    assert.equal(1, #factory("User"):make())
    assert.same({ 1, 2, 3 }, factory("User"):count(3):create():ids())
    assert.same({}, factory("User"):count(0):create())
    assert.equal(4, factory("User"):count(3):create_one().id)
    assert.equal("User", rille.type(factory("User"):count(2):make():last()))
    assert.equal(4, User:count())
  end)

  it("may be asked for by the class, too", function()
    assert.equal("published", factory(Post):state("published"):make_one().status)
  end)

  it("is never changed: no state, count, hook or relation sticks to it", function()
    local base = factory "Post"
    local called = 0
    local other = base:state("published"):count(3):sequence { views = { 7 } }:after_making(function()
      called = called + 1
    end)
    other = other:has("author"):recycle(factory("User"):create_one()):belonging_to(factory "User")
    assert.is_not.equal(base, other)
    local post = base:create_one()
    assert.same({ "draft", 0, 0 }, { post.status, post.views, called })
    assert.equal(1, #base:make())
    refused("invalid_argument", function() base.count = 3 end)
  end)

  it("shares no table inside its attributes with what it makes", function()
    local meta = { tags = { "a" } }
    local with_meta = factory("Post"):state { meta = meta }
    local first = with_meta:create_one()
    table.insert(first.meta.tags, "b")
    assert.same({ tags = { "a" } }, with_meta:create_one().meta)
    assert.same({ tags = { "a" } }, meta)
  end)

  it("lets what is said later count: its own attributes, states in their order, those of the call", function()
    local post = factory("Post"):state("published"):state({ views = 3 }):state("draft"):state("seen"):make_one()
    assert.same({ "draft", 10 }, { post.status, post.views })
    assert.equal(1, (post.body:find(post.title, 1, true)))
    post = factory("Post"):state("seen"):make_one { views = 4, body = null }
    assert.same({ 4, nil }, { post.views, post.body })
    post = factory("Post"):state(function(attributes, _, i) return { title = attributes.title .. i } end):make_one()
    assert.match("%.3$", post.title)
  end)

  it("takes turns of states, or of values, from the first on at each call", function()
    local function seen() return { views = 9 } end
    local turns = factory("Post"):count(5):sequence { "published", { status = "a" }, seen }
    for _ = 1, 2 do
      assert.same({ "published", "a", nil, "published", "a" }, { table.unpack(of_each(turns:make(), "status"), 1, 5) })
    end
    assert.equal(9, turns:make()[3].views)
    local columns = factory("Post"):count(4):sequence { views = { 1, 2, 3 }, status = { "x", "y" } }:make()
    assert.same({ 1, 2, 3, 1 }, of_each(columns, "views"))
    assert.same({ "x", "y", "x", "y" }, of_each(columns, "status"))
  end)

  it("counts its records from 1 since the seed, from one call to the next, and anew when it is defined anew", function()
    assert.same({ 1, 2, 3 }, of_each(factory("User"):count(3):create(), "age"))
    assert.equal(4, factory("Post"):create_one().author.age)
    rille.seed(1)
    assert.equal(1, factory("User"):make_one().age)
    factory("User", function(_, i) return { age = i } end)
    assert.equal(1, factory("User"):make_one().age)
  end)

  it("is repeatable by the seed", function()
    local function rows()
      Post:unfiltered():delete()
      User:unfiltered():delete()
      rille.seed(42)
      factory("User"):count(3):has("posts", 2, "seen"):create()
      factory("Post"):count(2):state({ price = "1.50" }):create()
      local list = {}
      for _, row in ipairs(db:query [[select users.name, email, age, title, body, views from users
        left join posts on author_id = users.id order by users.id, posts.id]]) do
        for _, name in ipairs { "name", "email", "age", "title", "body", "views" } do
          list[#list + 1] = row[name] or false
        end
      end
      return list
    end
    local first = rows()
    assert.equal(8 * 6, #first)
    assert.same(first, rows())
  end)

  it("makes up the same record whatever was made before it", function()
    local alone = factory("Post"):make_one().title
    rille.seed(1)
    factory("User"):count(7):create()
    rille.fake:paragraph()
    assert.equal(alone, factory("Post"):make_one().title)
    assert.are_not.equal(alone, factory("Post"):make_one().title)
  end)

  it("asks functions among the attributes when all others are there", function()
    local by_author = factory("Post"):state {
      title = function(post, fake, i) return post.author.name .. fake:integer(i, i) end,
      body = function(post) return post.status end, status = "x",
    }
    local post = by_author:create_one()
    assert.same({ post.author.name .. "1", "x" }, { post.title, post.body })
    assert.equal(post.author.name .. "2", by_author:create_one({ author_id = post.author_id }).title)
    assert.match("3$", by_author:make_one().title)
    refused("no_such_column", function() by_author:make { titel = function() return "x" end } end)
  end)

  it("runs the hooks and rules of the models, and is not bound by fillable and guarded", function()
    Post, User = world.blog({
      fillable = { "title" }, validates = { title = { required = true } },
      relations = { author = rille.belongs_to "User" },
      hooks = { creating = function(post) post.views = 5 end },
    }, { guarded = { "age" } })
    local post = factory("Post"):create_one { status = "x" }
    assert.same({ "x", 5 }, { post.status, post.views })
    assert.is_truthy(post.created_at)
    assert.equal(1, post.author.age)
    local none, err = factory("Post"):count(3):sequence { title = { "a", "b", " " } }:state(function(a)
      return { title = a.title:match "%S+" or "" }
    end):create()
    assert.is_nil(none)
    assert.equal("validation", err.kind)
    assert.equal(3, err.index)
    assert.match("^factory Post: record 3: ", err.message)
    assert.same({ 1, 1 }, { Post:count(), User:count() })
    Post:on("creating", function() return false, "no more" end)
    none, err = factory("Post"):create_one()
    assert.same({ nil, "aborted", "factory Post: no more" }, { none, err.kind, err.message })
  end)

  it("tells what a record that is needed was refused for, and writes nothing", function()
    Post, User = world.blog({ relations = { author = rille.belongs_to "User" } },
      { validates = { age = { max = 2 } } })
    local none, err = factory("Post"):count(3):create()
    assert.is_nil(none)
    assert.same({ "validation", "User", 3 }, { err.kind, err.model, err.index })
    assert.match("^factory User: ", err.message)
    assert.same({ 0, 0 }, { Post:count(), User:count() })
    rille.seed(1)
    none, err = factory("Post"):belonging_to(factory("User"):state { age = 9 }):create_one()
    assert.same({ nil, "validation" }, { none, err.kind })
  end)

  it("creates all in one transaction, and takes all back with an error, from the records too", function()
    local users = {}
    refused("invalid_argument", function()
      factory("User"):count(2):has("posts", 2):after_making(function(user) users[#users + 1] = user end)
        :after_creating(function() rille.fake:pick {} end):create()
    end)
    assert.same({ 0, 0 }, { User:count(), Post:count() })
    assert.equal(2, #users)
    assert.is_false(users[1]:exists())
    users[1]:save()
    assert.equal(1, User:count())
    local begun = 0
    local stop = rille.on("transaction:start", function() begun = begun + 1 end)
    factory("Post"):count(3):create()
    stop()
    assert.equal(1, begun)
  end)

  it("calls its hooks in their order: each record when made, all when everything is there", function()
    local said = {}
    local function say(word) return function(record)
      said[#said + 1] = ("%s %s %s"):format(word, record.name, record:exists() and #record.posts or "-")
    end end
    factory("User", function(_, i) return { name = "u" .. i } end,
      { after_making = say "m", after_creating = say "c" })
    factory("User"):count(2):has("posts", 1, { author = null }):after_creating(say "c2"):after_making(say "m2"):create()
    assert.same({ "m u1 -", "m2 u1 -", "m u2 -", "m2 u2 -", "c u1 1", "c2 u1 1", "c u2 1", "c2 u2 1" }, said)
    said = {}
    factory("User"):make()
    assert.same({ "m u3 -" }, said)
  end)

  it("writes nothing when it only makes, however much is related", function()
    local before, list = world.picture(), nil
    assert.same({}, world.statements(function()
      list = factory("User"):count(2):has("posts", 3):make()
      list[3] = factory("Post"):make_one()
    end))
    assert.equal(before, world.picture())
    assert.equal(3, #list[2].posts)
    assert.match("@example", list[3].author.email)
    assert.is_nil(list[3].author_id)
    local user = User:create { name = "Ada" }
    assert.equal(user.id, factory("Post"):belonging_to(user):make_one().author_id)
  end)

  it("knows its own names only", function()
    local e = refused("invalid_argument", function() factory("Post"):state("publshed"):create() end)
    assert.match("factory Post %(.*factory_spec%.lua:%d+%) has no state \"publshed\"", e.message)
    assert.equal('did you mean "published"?', e.hint)
    e = refused("no_such_column", function() factory("Post"):make { titel = 1 } end)
    assert.equal('did you mean "title"?', e.hint)
    e = refused("no_such_relation", function() factory("User"):has("post"):create() end)
    assert.equal('did you mean "posts"?', e.hint)
    e = refused("invalid_argument", function() factory("User"):creat() end)
    assert.match("factory User has no method", e.message)
    assert.equal('did you mean "create"?', e.hint)
    e = refused("no_such_model", function() factory("Pots"):create() end)
    assert.equal('there is no factory "Pots"', e.message)
    assert.equal('did you mean "Post"?', e.hint)
    rille.model "Reader" { table = "users" }
    e = refused("not_found", function() factory("Reader"):make() end)
    assert.match("models/factories/reader%.lua would define it", e.hint)
  end)

  it("refuses what means nothing", function()
    for _, wrong in ipairs {
      function() factory("post") end, function() factory(nil) end, function() factory("Post", {}) end,
      function() factory("Post", nil, { states = {} }) end,
      function() factory("Post", function() end, { stats = {} }) end,
      function() factory("Post", function() end, { states = { "draft" } }) end,
      function() factory("Post", function() end, { after_making = 1 }) end,
      function() factory("Post"):count(-1) end, function() factory("Post"):count(1.5) end,
      function() factory("Post"):count() end, function() factory("Post"):state() end,
      function() factory("Post"):state(factory "Post") end, function() factory("Post"):sequence {} end,
      function() factory("Post"):sequence { 1 } end, function() factory("Post"):sequence { status = "x" } end,
      function() factory("Post"):sequence { {}, status = { "x" } } end, function() factory("Post"):has(1) end,
      function() factory("Post"):has("author", "x") end, function() factory("Post"):has("author", -1) end,
      function() factory("Post"):belonging_to(3) end, function() factory("Post"):belonging_to() end,
      function() factory("Post"):recycle {} end, function() factory("Post"):recycle(factory "User") end,
      function() factory("Post"):after_making() end, function() factory("Post"):make(3) end,
      function() factory("Post"):create(factory "Post") end,
      function() factory("Post"):make { author = factory "User", author_id = 1 } end,
      function() factory("Post"):make { author = factory("User"):count(2) } end,
      function() factory("Post"):state(function() end):make() end,
      function() factory("Post", function() end):make() end,
    } do
      assert.match("^factory", refused("invalid_argument", wrong).message)
    end
  end)

  it("is refused when it needs itself, before anything is written", function()
    local e
    factory("User", function() return { name = function() return "x" end, age = factory "Post" } end)
    e = world.untouched("invalid_argument", function() factory("Post"):create() end)
    assert.match("needs itself, and so for ever: Post%.author, User%.age", e.message)
    assert.match("factory_spec", e.message)
    factory("User", function() return { name = factory("User"):create_one().name } end)
    assert.match("factory User needs itself", world.untouched("invalid_argument", function()
      factory("User"):create()
    end).message)
    factory("User", function() return { name = "x" } end)
    assert.is_true(factory("Post"):create_one():exists())             -- nothing is left of it
  end)
end)

describe("the lock of a model", function()
  it("is not a factory's to set", function()
    world.fresh [[create table notes (id integer primary key not null, text TEXT, version INTEGER not null)]]
    rille.model "Note" { lock_column = "version" }
    factory("Note", function(fake) return { text = fake:word() } end)
    assert.equal(1, factory("Note"):create_one().version)
    refused("mass_assignment", function() factory("Note"):create { version = 4 } end)
    rille.close()
  end)
end)

describe("the tenant of a model", function()
  it("is the current one, and no factory's to choose", function()
    world.fresh([[create table notes (id integer primary key not null, text TEXT, org_id INTEGER)]],
      [[create table lines (id integer primary key not null, note_id INTEGER, org_id INTEGER)]])
    rille.model "Note" { tenant_column = "org_id", relations = { lines = rille.has_many "Line" } }
    rille.model "Line" { tenant_column = "org_id", relations = { note = rille.belongs_to "Note" } }
    factory("Note", function(fake) return { text = fake:word() } end)
    factory("Line", function() return { note = factory "Note" } end)
    world.untouched("tenant_required", function() factory("Note"):create() end)
    rille.tenant.run({ id = 1, slug = "a" }, function()
      local note = factory("Note"):has("lines", 2):create_one()
      assert.same({ 1, 1 }, { note.org_id, note.lines[2].org_id })
      assert.equal(1, factory("Line"):create_one().note.org_id)
      refused("tenant_mismatch", function() factory("Note"):create { org_id = 2 } end)
      assert.equal(2, rille.db():table("notes"):count())
    end)
    rille.close()
  end)
end)

describe("factories in files", function()
  local folder

  local function write(name, text)
    local file <close> = assert(io.open(("%s/%s"):format(folder, name), "w"))
    file:write(text)
  end

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    world.fresh()
    require "rille.factory.registry".forget_all()
    rille.configure { connections = { main = ":memory:" }, factories = folder, models = folder .. "/none" }
    rille.db():execute [[create table blog_posts (id integer primary key not null, title TEXT)]]
    rille.model "BlogPost" {}
  end)
  after_each(function()
    rille.close()
    require "rille.config".clear()
    os.execute("rm -rf " .. folder)
  end)

  it("are found by the model's name when they are first used", function()
    write("blog_post.lua", [[return rille.factory("BlogPost", function(fake) return { title = fake:word() } end)]])
    assert.match("^%l+$", rille.factory("BlogPost"):create_one().title)
    assert.equal('did you mean "BlogPost"?', refused("no_such_model", rille.factory("BlogPots").make,
      rille.factory "BlogPots").hint)
  end)

  it("say which file is wrong, and how", function()
    write("blog_post.lua", "return rille.factory('Other', function() return {} end)")
    assert.match("blog_post%.lua defines no factory of \"BlogPost\"", refused("script", function()
      rille.factory("BlogPost"):make()
    end).message)
    write("blog_post.lua", "x = 1")
    assert.match("blog_post%.lua:1", refused("script", function() rille.factory("BlogPost"):make() end).message)
    write("blog_post.lua", "return rille.factory('BlogPost', 3)")
    assert.match("blog_post%.lua: factory BlogPost: wants a function", refused("invalid_argument", function()
      rille.factory("BlogPost"):make()
    end).message)
  end)
end)
