--- record_undo_spec: records after a transaction that was rolled back are what they were.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, statements = world.refused, world.statements

--- Run in a transaction, or a savepoint, that is rolled back.
local function rolled_back(fn)
  local thrown = {}
  local ok, e = pcall(rille.transaction, function()
    fn()
    error(thrown)
  end)
  assert.is_false(ok)
  if e ~= thrown then error(e, 0) end
end

describe("a record of a transaction that was rolled back", function()
  local Post, User, db
  before_each(function() Post, User, db = world.blog({ soft_deletes = false }) end)

  local function titles() return table.concat(Post:order_by "id":pluck "title", " ") end

  describe("and inserted it", function()
    it("is new again and keeps what it was given", function()
      local post
      rolled_back(function()
        post = Post:create { title = "a", body = null, meta = { x = 1 }, price = "1.5" }
        assert.is_truthy(post.id)
      end)
      assert.is_false(post:exists())
      assert.same({ nil, "a", "1.50" }, { post.id, post.title, post.price })
      assert.is_nil(post.created_at)
      assert.is_nil(post.status)                             -- the database had filled it in
      assert.same({ x = 1 }, post.meta)
      assert.is_true(post:is_dirty "title")
      assert.same({}, post:previous_changes())
      assert.equal(1, #statements(post.save, post))
      assert.same({ 1, "a", "draft", "1.50" }, { post.id, post.title, post.status, post.price })
      assert.same(Post:find(1):to_table(), post:to_table())
    end)

    it("keeps the last of what was saved, and what was not", function()
      local post = Post:new { title = "a" }
      rolled_back(function()
        post:save()
        post:update { title = "b", views = 3 }
        post.meta = { n = 1 }
        post:save()
        post.meta.n = 2
        post.body = "later"
      end)
      post:save()
      assert.same({ "b", 3, 2, "later" }, { post.title, post.views, post.meta.n, post.body })
      assert.same(Post:find(post.id):to_table(), post:to_table())
      assert.equal(1, Post:count())
    end)

    it("keeps a key and times that were given", function()
      local post
      rolled_back(function()
        post = Post:create { title = "a" }
        post:delete()
        post = Post:new { title = "b", created_at = "2020-01-01T00:00:00Z" }
        post.id = 7
        post:save()
      end)
      assert.same({ 7, "2020-01-01T00:00:00.000000Z" }, { post.id, post.created_at })
      assert.is_nil(post.updated_at)
      post:save()
      assert.equal("2020-01-01T00:00:00.000000Z", Post:find(7).created_at)
    end)

    it("is new again when it was deleted in it too", function()
      local post
      rolled_back(function()
        post = Post:create { title = "a" }
        post:delete()
      end)
      assert.is_false(post:exists())
      post:save()
      assert.equal("a", titles())
    end)

    it("is inserted by another try", function()
      local post, tries = Post:new { title = "a" }, 0
      rille.transaction(function()
        tries = tries + 1
        post:save()
        if tries == 1 then require "rille.error".raise("busy", "again") end
      end, { retries = 1 })
      assert.same({ 2, "a", true }, { tries, titles(), post:exists() })
      assert.equal(post.id, Post:first().id)
    end)
  end)

  describe("and updated it", function()
    local post
    before_each(function() post = Post:create { title = "a", meta = { n = 1 } } end)

    it("has its row of before, and the changes wait", function()
      local stamped = post.updated_at
      rolled_back(function() post:update { title = "b" } end)
      assert.same({ title = { "a", "b" } }, post:changes())
      assert.equal(stamped, post:get_original "updated_at")
      assert.equal(1, #statements(post.save, post))
      assert.equal("b", titles())
      assert.same(Post:find(1):to_table(), post:to_table())
    end)

    it("has changed nothing where it was changed back", function()
      rolled_back(function()
        post:update { title = "b" }
        post:update { title = "a" }
      end)
      assert.is_false(post:is_dirty())
      assert.same({}, statements(post.save, post))
    end)

    it("has the JSON that was changed in place waiting", function()
      rolled_back(function()
        post.meta.n = 2
        post:save()
      end)
      assert.same({ n = 2 }, post.meta)
      assert.is_true(post:is_dirty "meta")
      post:save()
      assert.equal(2, Post:find(1).meta.n)
    end)

    it("has what the database counted as it was", function()
      rolled_back(function()
        post.title = "b"
        post:increment "views"
        assert.equal(1, post.views)
      end)
      assert.equal(0, post.views)
      assert.same({ title = { "a", "b" } }, post:changes())
    end)

    it("has what was read in it as it was", function()
      rolled_back(function()
        db:execute "update posts set title = 'z', meta = '{\"n\": 9}'"
        post:refresh()
        assert.same({ "z", 9 }, { post.title, post.meta.n })
      end)
      assert.same({ "a", 1 }, { post.title, post.meta.n })
      assert.is_false(post:is_dirty())
    end)

    it("is read in part as it was", function()
      local part = Post:select("id", "title"):find(1)
      rolled_back(function() part:update { title = "b" } end)
      assert.same({ title = { "a", "b" } }, part:changes())
      refused("missing_attribute", function() return part.body end)
      part:save()
      assert.equal("b", titles())
    end)

    it("was touched by nobody", function()
      local stamped = post.updated_at
      rolled_back(function() post:touch() end)
      assert.equal(stamped, post.updated_at)
      assert.is_false(post:is_dirty())
    end)
  end)

  describe("and deleted it", function()
    it("is there again", function()
      local post = Post:create { title = "a" }
      rolled_back(function()
        post:update { title = "b" }
        post:delete()
        assert.is_false(post:exists())
      end)
      assert.is_true(post:exists())
      post:save()
      assert.equal("b", titles())
    end)

    it("is not marked as deleted", function()
      Post = world.blog { soft_deletes = "at" }
      local post = Post:create { title = "a" }
      post.title = "b"
      rolled_back(function()
        post:delete()
        assert.is_true(post:trashed())
      end)
      assert.is_false(post:trashed())
      assert.same({ title = { "a", "b" } }, post:changes())
      post:delete()
      rolled_back(function() post:restore() end)
      assert.is_true(post:trashed())
      assert.is_false(post:is_dirty "at")
    end)
  end)

  describe("of which only a savepoint was", function()
    it("is what it was before the savepoint", function()
      local post, other
      rille.transaction(function()
        post = Post:create { title = "a" }
        rolled_back(function()
          post:update { title = "b" }
          other = Post:create { title = "other" }
        end)
        assert.same({ title = { "a", "b" } }, post:changes())
        assert.is_true(post:exists())
        assert.is_false(other:exists())
      end)
      assert.equal("a", titles())
      post:save()
      other:save()
      assert.equal("b other", titles())
    end)

    it("or is what it was before all when that was rolled back too", function()
      local post, other, old = nil, nil, Post:create { title = "old" }
      rolled_back(function()
        post = Post:create { title = "a" }
        rille.transaction(function()
          post:update { title = "b" }
          old:update { title = "older" }
          other = Post:create { title = "other" }
        end)
        rolled_back(function() old:update { title = "oldest" } end)
      end)
      assert.same({ false, false, true }, { post:exists(), other:exists(), old:exists() })
      assert.same({ title = { "old", "oldest" } }, old:changes())
      post:save()
      other:save()
      old:save()
      assert.equal("oldest b other", titles())
    end)

    it("is what it was before, however often it was inserted inside", function()
      local post, other
      rille.transaction(function()
        rolled_back(function()
          post = Post:new { title = "a" }
          rolled_back(function() post:save() end)
          post:save()
          other = Post:create { title = "other" }
        end)
        assert.same({ false, false }, { post:exists(), other:exists() })
        rille.transaction(function()
          post:save()
          other:save()
        end)
        assert.same({ true, true }, { post:exists(), other:exists() })
        post:delete()
      end)
      assert.same({ false, true }, { post:exists(), other:exists() })
      assert.equal("other", titles())
    end)

    it("is what it was when nobody ended the savepoint", function()
      local post
      local outer = rille.begin()
      local inner = rille.begin()
      post = Post:create { title = "a" }
      outer:rollback()
      assert.equal("rolled back", inner.state)
      assert.is_false(post:exists())
    end)
  end)

  it("is what it was when its coroutine was dropped", function()
    local path = os.tmpname()
    local other, post, inner = rille.connect(path), nil, nil
    other:execute "create table things (id integer primary key, name TEXT)"
    local Thing = rille.model "Thing" {}
    local running = coroutine.wrap(function()
      rille.transaction(function()
        post = Thing:create { name = "a" }
        rille.transaction(function()
          inner = Thing:create { name = "inner" }
          post:update { name = "b" }
          coroutine.yield()
        end)
      end)
    end)
    running()
    running = nil                                            -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.same({ false, false }, { post:exists(), inner:exists() })
    assert.same({ "b", "inner" }, { post.name, inner.name })
    post:save()
    assert.equal(1, Thing:count())
    other:close()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  it("belongs to the transaction of its own database", function()
    local post
    local own = User:create { name = "u" }
    local second = require "rille.handle".new("second", db.settings)
    pcall(second.transaction, second, function()
      post = Post:create { title = "a" }
      own:update { name = "v" }
      error "no"
    end)
    assert.is_true(post:exists())
    assert.is_false(own:is_dirty())
    assert.equal("a", titles())
  end)

  it("is held by no transaction", function()
    local gone = setmetatable({}, { __mode = "k" })
    rille.transaction(function()
      for i = 1, 50 do
        gone[Post:create { title = "a" .. i }] = true
        gone[Post:find(i):update { title = "b" }] = true
      end
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(gone))
    end)
  end)
end)
