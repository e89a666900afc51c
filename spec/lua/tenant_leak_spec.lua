--- tenant_leak_spec: ways past the tenant that random worlds found (spec/hostile/tenant_random_spec.lua), one by one.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1 }, { id = 2 }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a tenant", function()
  local Post, Part, Note

  before_each(function()
    world.fresh(
      "create table posts (id integer primary key autoincrement, org_id INTEGER not null, title TEXT)",
      "create table parts (org_id INTEGER not null, number INTEGER not null, title TEXT, primary key (org_id, number))",
      "create table notes (id integer primary key autoincrement, on_type VARCHAR(20), on_id INTEGER)")
    Post = rille.model "Post" { tenant_column = "org_id", relations = { notes = rille.morph_many("Note", "on") } }
    Part = rille.model "Part" { tenant_column = "org_id" }
    Note = rille.model "Note" { relations = { on = rille.morph_to() } }
    for _, tenant in ipairs { A, B } do
      as(tenant, function()
        Post:create { title = "a post" }
        Part:create { number = 1, title = "a part" }
      end)
    end
  end)
  after_each(function() rille.close() end)

  it("moves no row to another one by counting, even where that adds what it is called", function()
    as(A, function()
      refused("tenant_mismatch", function() return Post:unfiltered():increment("org_id", 1) end)
      refused("tenant_mismatch", function() return Post:unfiltered():decrement("org_id", -1) end)
      refused("tenant_mismatch", function() return Post:unfiltered():increment("id", 100, { org_id = 2 }) end)
      refused("tenant_mismatch", function() return Post:first():increment("org_id", 1) end)
      assert.equal(1, Post:count())
    end)
    as(B, function() assert.equal(1, Post:count()) end)
  end)

  it("copies no row of another one, even where the key says whose it is", function()
    local part = as(B, function() return Part:first() end)
    as(A, function()
      local copy = part:replicate()
      copy.number = 2
      refused("tenant_mismatch", function() return copy:save() end)
      assert.equal(1, Part:count())
      copy = Part:first():replicate()
      copy.number = 2
      assert.equal(A.id, copy:save().org_id)
    end)
  end)

  it("counts on after a truncate, where others have rows", function()
    as(A, function() Post:truncate() end)
    assert.equal(3, as(B, function() return Post:create { title = "next" }.id end))
    as(B, function() Post:truncate() end)
    assert.equal(4, as(A, function() return Post:create { title = "next" }.id end))
    Post:without_tenant_scope(function() Post:truncate() end)
    assert.equal(1, as(A, function() return Post:create { title = "first" }.id end))
  end)

  it("is nobody's but the coroutine's that set it, whichever else is met where that one was", function()
    local function inside(tenant)
      rille.tenant.set(tenant)
      local first, ids = Post:first(), {}
      for _, id in ipairs(Post:pluck "id") do ids[#ids + 1] = id end
      assert.same({ first.id }, ids)
      return first.org_id, Post:find(first.id).org_id
    end
    for round = 1, 200 do
      local tenant = { id = round % 2 + 1, slug = round % 3 == 0 and "t" .. round % 2 + 1 or nil }
      local co = coroutine.create(inside)
      assert.same({ true, tenant.id, tenant.id }, { coroutine.resume(co, tenant) })
      co = nil                                                       -- luacheck: ignore 311
      if round % 4 == 0 then collectgarbage() end
      co = coroutine.create(function() return Post:first() end)      -- perhaps where the one before was
      local ok, e = coroutine.resume(co)
      assert.is_false(ok)
      assert.equal("tenant_required", e.kind)
    end
  end)

  it("is not found where its coroutine was, by one that comes to be there", function()
    local function inside()
      rille.tenant.set(A)
      return Post:first().org_id
    end
    for _, mode in ipairs { "incremental", "generational" } do
      collectgarbage(mode)
      for _ = 1, 20 do
        assert.same({ true, A.id }, { coroutine.resume(coroutine.create(inside)) })
        collectgarbage()
        local others = {}                                            -- one of them is where that one was
        for i = 1, 20 do
          others[i] = coroutine.create(function() return Post:first() end)
          local ok, e = coroutine.resume(others[i])
          assert.is_false(ok)
          assert.equal("tenant_required", e.kind)
        end
      end
    end
    collectgarbage "incremental"
  end)

  it("is the one set last in a coroutine, and what is lifted stays lifted", function()
    local a, b = as(A, function() return Post:first().id end), as(B, function() return Post:first().id end)
    as(A, function()
      assert.is_nil(Post:find(b))
      as(B, function() assert.is_nil(Post:find(a)) end)
      assert.equal(1, Post:find(a).org_id)
      Post:without_tenant_scope(function()
        assert.equal(2, Post:find(b).org_id)
        as(B, function() assert.equal(1, Post:find(a).org_id) end)
      end)
      assert.is_nil(Post:find(b))
      refused("tenant_required", function() rille.tenant.outside(Post.find, Post, a) end)
      assert.equal(1, Post:find(a).org_id)
    end)
    as({ id = "1" }, function() refused("invalid_argument", function() return Post:find(a) end) end)
    as(A, function() assert.equal(1, Post:find(a).org_id) end)
  end)

  it("ends no relation of everybody's rows to those of another one, where the middle does not say whose", function()
    rille.db():execute "create table videos (id integer primary key, title TEXT)"
    rille.db():execute "create table post_video (video_id INTEGER, post_id INTEGER)"
    rille.db():execute "create table watched (part_org INTEGER, part_number INTEGER, video_id INTEGER)"
    local Video = rille.model "Video" { relations = { posts = rille.belongs_to_many "Post",
      parts = rille.belongs_to_many("Part", { pivot = "watched", related_key = { "part_org", "part_number" } }) } }
    local video = Video:create { title = "everybody's" }
    for _, case in ipairs { { "posts", Post }, { "parts", Part } } do
      local name, class = case[1], case[2]
      local function attach(tenant) as(tenant, function() video:relation(name):attach(class:first()) end) end
      local function left(tenant) return as(tenant, function() return video:relation(name):count() end) end
      attach(A)
      attach(B)
      local of_b = as(B, function() return class:first() end)
      as(A, function()
        assert.equal(0, video:relation(name):detach(of_b))
        assert.same({ attached = {}, detached = {}, updated = {} }, video:relation(name):sync { class:first() })
        assert.equal(1, video:relation(name):detach())
        assert.equal(0, #video:relation(name):sync {}.detached)
      end)
      assert.same({ 0, 1 }, { left(A), left(B) })
      refused("tenant_required", function() return video:relation(name):detach() end)
      attach(A)
      class:without_tenant_scope(function() assert.equal(2, video:relation(name):detach()) end)
      assert.same({ 0, 0 }, { left(A), left(B) })
    end
  end)

  it("lets nothing morph to a row of another one", function()
    local post, note = as(B, function() return Post:first() end), Note:create {}
    as(A, function()
      refused("tenant_mismatch", function() return note:relation "on":associate(post) end)
      refused("tenant_mismatch", function() note.on = post end)
      note:relation "on":associate(Post:first()):save()
      assert.equal("posts", note.on_type)
    end)
  end)

  describe("reads no row of another one through a cursor", function()
    local function everybody(fn, ...) return Post:without_tenant_scope(fn, ...) end

    --- Whoever calls `see` sees the rows; A does not, neither outside of that nor inside.
    local function check(query, see, kind)
      for _, outside in ipairs { false, true } do
        local next_row, closing
        local function open()
          next_row, closing = see(function()
            local step, _, _, last = query:cursor()
            assert.is_not_nil(step())
            return step, last
          end)
        end
        if outside then open() else as(A, open) end
        local _ <close> = closing
        local e = refused(kind or "tenant_mismatch", as, A, next_row)
        if not kind then
          assert.matches("no longer the current one", e.message)
          assert.matches("bypass", e.hint)
        end
        local back = function() return see(next_row) end
        assert.is_not_nil(outside and back() or as(A, back))
      end
    end

    before_each(function()
      Note:create {}
      Note:create {}
    end)

    it("that was opened while everybody's were seen", function()
      local joined = Note:join("posts", "posts.id", "!=", "notes.on_id")
        :select("posts.title", "notes.on_type", "notes.on_id")
      Note:unfiltered():update { on_type = "posts", on_id = 0 }
      check(Post:query(), everybody)
      check(Post:with "notes", everybody)
      check(rille.db():table "posts", everybody)
      check(joined, everybody)
      check(joined:with "on", everybody)
    end)

    it("that was opened outside of tenants, or as everybody, and reads a view or SQL of the caller's own", function()
      rille.db():execute "create view titles as select title from posts"
      check(Note:select_raw "(select max(title) from posts) as title", rille.tenant.outside, "tenant_required")
      check(rille.db():table "titles", rille.tenant.outside, "tenant_required")
      check(rille.db():table "titles", everybody, "tenant_required")
      local Title = rille.model "Title" { table = "titles", primary_key = "title",
        relations = { notes = rille.has_many("Note", { foreign_key = "on_type" }) } }
      check(Title:query(), everybody, "tenant_required")
      check(Title:with "notes", everybody, "tenant_required")
      check(Title:with "notes", rille.tenant.outside, "tenant_required")
    end)

    it("that was read ahead by each, of a table, a view or a model", function()
      rille.db():execute "create view titles as select id, title from posts"
      local Title = rille.model "Title" { table = "titles", primary_key = "id" }
      local function check_each(see, kind, query)
        local count = 0
        refused(kind, see, function()
          query:each(function()
            count = count + 1
            rille.tenant.set(A)
          end)
        end)
        assert.equal(1, count)
      end
      local Org = rille.model "Org" { relations = { posts = rille.has_many("Post", { foreign_key = "org_id" }) } }
      rille.db():execute "create table orgs (id integer primary key)"
      rille.db():execute "insert into orgs values (1), (2)"
      check_each(everybody, "tenant_mismatch", Org:where_has "posts")
      check_each(everybody, "tenant_mismatch", Org:where(function(q) return q:where_in("id", Post:select "org_id") end))
      check_each(everybody, "tenant_mismatch", Post:query())
      check_each(everybody, "tenant_mismatch", rille.db():table "posts")
      check_each(rille.tenant.outside, "tenant_required", Title:query())
    end)

    it("that it opened itself, where everybody's are seen now", function()
      as(A, function()
        local next_row, _, _, closing = Post:cursor()
        local _ <close> = closing
        refused("tenant_mismatch", everybody, next_row)
        assert.equal(A.id, next_row().org_id)
      end)
    end)

    it("and its own, whoever else's were seen between two rows", function()
      as(A, function()
        Post:create { title = "second" }
        local count = 0
        for _ in Post:cursor() do
          count = count + 1
          everybody(function() assert.equal(3, Post:count()) end)
          rille.tenant.set { id = A.id, slug = "a" }
        end
        assert.equal(2, count)
      end)
    end)

    it("and all of nobody's, whoever is the current one", function()
      local count = 0
      for _ in Note:cursor() do
        count = count + 1
        rille.tenant.set(count == 1 and A or B)
      end
      rille.tenant.clear()
      assert.equal(2, count)
    end)
  end)
end)
