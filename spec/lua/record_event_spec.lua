--- record_event_spec: hooks of models and listeners to all models: order, vetoes, what they change and take back.
local world = require "spec.support.world"
local rille = world.rille
local refused, statements = world.refused, world.statements

describe("the events of a record", function()
  local Post, log, db
  local stops = {}

  --- A post whose hooks note themselves.
  local function declare(more)
    local hooks = {}
    for _, event in ipairs(require "rille.hook".model_events) do
      hooks[event] = function(post) log[#log + 1] = ("%s %s"):format(event, post.title) end
    end
    for event, fn in pairs(more or {}) do hooks[event] = fn end
    local options = { hooks = hooks, soft_deletes = "at" }
    local _
    Post, _, db = world.blog(options)
  end
  local function said()
    local list = log
    log = {}
    return list
  end
  local function listen(event, fn) stops[#stops + 1] = rille.on(event, fn) end
  before_each(function() log = {} end)
  after_each(function()
    for _, stop in ipairs(stops) do stop() end
    stops = {}
  end)

  it("come in the order of its life", function()
    declare()
    local post = Post:create { title = "a" }
    assert.same({ "saving a", "creating a", "created a", "saved a" }, said())
    post:update { title = "b" }
    assert.same({ "saving b", "updating b", "updated b", "saved b" }, said())
    post:delete()
    assert.same({ "deleting b", "deleted b" }, said())
    post:delete()
    assert.same({}, said())
    post:restore()
    assert.same({ "restoring b", "saving b", "updating b", "updated b", "saved b", "restored b" }, said())
    post:force_delete()
    assert.same({ "force_deleting b", "deleting b", "deleted b", "force_deleted b" }, said())
  end)

  it("do not come when nothing changes", function()
    declare()
    local post = Post:create { title = "a" }
    said()
    post:save()
    post.title = "a"
    post:save()
    assert.same({}, said())
    declare { updating = function(p) p.title = "a" end }
    post = Post:create { title = "a" }
    said()
    assert.same({}, statements(post.update, post, { title = "b" }))
    assert.same({ "saving b" }, said())
  end)

  it("come for every record that is read", function()
    declare()
    for _, title in ipairs { "a", "b" } do Post:create { title = title } end
    said()
    Post:all()
    assert.same({ "retrieved a", "retrieved b" }, said())
    Post:find(2)
    Post:first()
    Post:where("id", 1):cursor()()
    assert.same({ "retrieved b", "retrieved a", "retrieved a" }, said())
    Post:count()
    Post:pluck "title"
    Post:query():plain():all()
    assert.same({}, said())
  end)

  it("may change what is stored", function()
    declare {
      creating = function(post) post.body = "made" end,
      updating = function(post) post.views = post.views + 1 end,
    }
    local post = Post:create { title = "a" }
    assert.equal("made", Post:find(post.id).body)
    post:update { title = "b" }
    assert.same({ "b", 1 }, { Post:find(post.id).title, Post:find(post.id).views })
  end)

  for _, case in ipairs { { "saving" }, { "creating" } } do
    it("may stop an insert when " .. case[1], function()
      declare { [case[1]] = function(post) if post.title == "bad" then return false, "not that" end end }
      local before = world.picture()
      local post = Post:new { title = "bad" }
      local saved, e = post:save()
      assert.is_nil(saved)
      assert.same({ "aborted", "not that", "Post" }, { e.kind, e.message, e.model })
      assert.is_false(post:exists())
      assert.equal(before, world.picture())
      post.title = "good"
      assert.equal(post, post:save())
    end)
  end

  it("may stop an update, a deletion and a restoration, which then wait or have not been", function()
    local no = false
    local function hook() if no then return false end end
    declare { updating = hook, deleting = hook, restoring = hook }
    local post = Post:create { title = "a" }
    no = true
    local saved, e = post:update { title = "b" }
    assert.is_nil(saved)
    assert.same({ "aborted", 'Post: a hook of "updating" said no' }, { e.kind, e.message })
    assert.same({ title = { "a", "b" } }, post:changes())
    assert.is_nil((post:delete()))
    assert.is_nil((post:force_delete()))
    assert.is_false(post:trashed())
    no = false
    post:delete()
    no = true
    assert.is_nil((post:restore()))
    assert.is_true(post:trashed())
    assert.is_false(post:is_dirty "at")
  end)

  it("are one after another until the first that says no", function()
    local ran = {}
    declare { creating = { function() ran[#ran + 1] = 1 end, function() ran[#ran + 1] = 2 return false end,
      function() ran[#ran + 1] = 3 end } }
    Post:on("creating", function() ran[#ran + 1] = 4 end)
    Post:create { title = "a" }
    assert.same({ 1, 2 }, ran)
  end)

  it("are heard until the function that on returned is called", function()
    local ran = {}
    local function note(post) ran[#ran + 1] = post.title end
    declare()
    local stop = Post:on("creating", note)
    local stop_other = Post:on("creating", note)
    Post:create { title = "a" }
    stop()
    stop()
    Post:create { title = "b" }
    stop_other()
    Post:create { title = "c" }
    assert.same({ "a", "a", "b" }, ran)
  end)

  it("take back with the operation what hooks wrote", function()
    declare { creating = function(post)
      db:execute "insert into users (name) values ('by a hook')"
      if post.title == "veto" then return false end
    end, created = function(post)
      if post.title == "error" then error "afterwards" end
    end }
    assert.is_nil((Post:create { title = "veto" }))
    assert.equal(0, #db:query "select * from users")
    local post = Post:new { title = "error" }
    local ok, e = pcall(post.save, post)
    assert.is_false(ok)
    assert.matches("afterwards", e)
    assert.is_false(post:exists())
    assert.equal(0, #db:query "select * from users" + Post:count())
    rille.transaction(function()
      Post:create { title = "kept" }
      pcall(post.save, post)
    end)
    assert.equal("kept", Post:first().title)
    assert.same({ 1, 1 }, { #db:query "select * from users", Post:count() })
  end)

  it("end where a hook saves its own record without end, and may save it once more", function()
    for _, event in ipairs { "saving", "creating", "saved" } do
      declare { [event] = function(post)
        post.title = post.title .. "!"
        post:save()
      end }
      local e = refused("invalid_argument", Post.create, Post, { title = "a" })
      assert.equal("Post", e.model)
      assert.matches("own record, again and again", e.message)
      assert.equal(0, Post:count())
    end
    declare { created = function(post) post:update { views = 7 } end }
    assert.equal(7, Post:create({ title = "a" }).views)
  end)

  it("carry the traceback of an error", function()
    local function culprit() require "rille.error".raise("script", "here") end
    declare { created = function() culprit() end }
    local e = refused("script", Post.create, Post, { title = "a" })
    assert.matches("culprit", e.traceback)
  end)

  it("see rules before anything is written and after they changed it", function()
    declare()
    Post = world.blog { hooks = { creating = function(post) post.title = post.body end },
      validates = { title = { required = true } } }
    local post, e = Post:create { title = "x" }
    assert.is_nil(post)
    assert.equal("validation", e.kind)
    assert.equal("b", Post:create({ title = "x", body = "b" }).title)
  end)

  it("are told to whoever listens to all models, after the model's own", function()
    declare()
    local got
    listen("model:creating", function(info)
      got = info
      log[#log + 1] = "listener"
      if info.instance.title == "bad" then return false, "no" end
    end)
    local post = Post:create { title = "a" }
    assert.same({ "saving a", "creating a", "listener", "created a", "saved a" }, said())
    assert.equal(Post, got.model)
    assert.equal(post, got.instance)
    local none, e = Post:create { title = "bad" }
    assert.is_nil(none)
    assert.same({ "aborted", "no" }, { e.kind, e.message })
  end)

  it("run after the commit what waits for it", function()
    declare { created = function(post) rille.after_commit(function() log[#log + 1] = "committed " .. post.id end) end }
    rille.transaction(function()
      Post:create { title = "a" }
      assert.same({ "saving a", "creating a", "saved a" }, said())
    end)
    assert.same({ "committed 1" }, said())
    pcall(rille.transaction, function()
      Post:create { title = "b" }
      error "no"
    end)
    said()
    Post:create { title = "c" }
    assert.same({ "saving c", "creating c", "saved c", "committed 2" }, said())
  end)

  it("are silent inside without_events, whatever happens there, and only in its coroutine", function()
    declare()
    local result = Post:without_events(function(title)
      coroutine.wrap(function() Post:create { title = "elsewhere" } end)()
      return Post:create { title = title }
    end, "a")
    assert.equal("a", result.title)
    assert.same({ "saving elsewhere", "creating elsewhere", "created elsewhere", "saved elsewhere" }, said())
    pcall(Post.without_events, Post, function() error "no" end)
    Post:create { title = "b" }
    assert.equal(4, #said())
  end)

  it("do not come for queries that write", function()
    declare()
    Post:create { title = "a" }
    said()
    Post:where("title", "a"):update { title = "b" }
    Post:insert { { title = "c" } }
    Post:where("title", "c"):delete()
    assert.same({}, said())
  end)

  it("are known by name", function()
    local e = refused("invalid_argument", rille.model, "Fresh", { hooks = { create = print } })
    assert.matches('"create"', e.message)
    assert.matches("created", e.hint)
    refused("invalid_argument", rille.model, "Fresh", { hooks = { creating = "x" } })
    refused("invalid_argument", rille.model, "Fresh", { hooks = { creating = {} } })
    declare()
    refused("invalid_argument", Post.on, Post, "created", "x")
  end)
end)
