--- tenant_spec: rows that belong to tenants: whose are read, written, and refused.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local Org, Post, Comment, Tag
local A, B, org_a, org_b, post_a, post_b

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

local function declare()
  Org = rille.model "Org" { relations = { posts = rille.has_many "Post", comments = rille.has_many_through("Comment",
    "Post") } }
  Post = rille.model "Post" {
    tenant_column = "org_id", soft_deletes = true,
    relations = {
      org = rille.belongs_to "Org", comments = rille.has_many "Comment",
      tags = rille.belongs_to_many("Tag", { pivot = "post_tags" }),
    },
  }
  Comment = rille.model "Comment" { tenant_column = "org_id", relations = { post = rille.belongs_to "Post" } }
  Tag = rille.model "Tag" { tenant_column = "org_id" }
end

local function create_tables()
  local schema = rille.schema()
  schema:create("orgs", function(t) t:id() t:string "name" end)
  schema:create("posts", function(t)
    t:id() t:references("org", "orgs") t:string "title" t:string("slug"):nullable():unique()
    t:integer("votes"):default(0) t:soft_deletes()
  end)
  schema:create("comments", function(t) t:id() t:references("org", "orgs") t:references("post", "posts")
    t:string "body" end)
  schema:create("tags", function(t) t:id() t:references("org", "orgs") t:string "name" end)
  schema:create("post_tags", function(t) t:references("post", "posts") t:references("tag", "tags") end)
end

describe("a tenant", function()
  before_each(function()
    require "rille.model".forget_all()
    rille.connect ":memory:"
    create_tables()
    declare()
    org_a, org_b = Org:create { name = "a" }, Org:create { name = "b" }
    A, B = { id = org_a.id, slug = "a" }, { id = org_b.id, slug = "b" }
    post_a = as(A, function()
      local post = Post:create { title = "of a", slug = "taken" }
      Comment:create { post_id = post.id, body = "of a" }
      Tag:create { name = "of a" }
      return post
    end)
    post_b = as(B, function()
      local post = Post:create { title = "of b" }
      Comment:create { post_id = post.id, body = "of b" }
      Tag:create { name = "of b" }
      return post
    end)
  end)
  after_each(function()
    rille.tenant.clear()
    rille.close()
    require "rille.model".forget_all()
  end)

  describe("in a query", function()
    it("is part of every reference to its tables", function()
      as(B, function()
        local query = Post:left_join("comments", "comments.post_id", "=", "posts.id")
        local sql, params = query:where("votes", 0):or_where("votes", 1):to_sql()
        sql = world.marked(sql)
        assert.matches('left join "comments" on .* and "comments"."org_id" = %?', sql)
        assert.matches('where "posts"."org_id" = %? and "posts"."deleted_at" is null'
          .. ' and %("posts"."votes" = %? or "posts"."votes" = %?%)$', sql)
        assert.equal(B.id, params[1])
        assert.equal(B.id, params[2])
      end)
    end)

    it("is escaped by no or, no union, no subquery, no join and no lifted scope", function()
      as(B, function()
        assert.equal(1, Post:where("id", 0):or_where("id", ">", 0):count())
        assert.equal(1, Post:with_trashed():count())
        assert.equal(1, #Post:where("id", 0):union(Post:where("id", ">", 0)):all())
        assert.equal(1, Org:where_in("id", Post:or_where("id", ">", 0):select "org_id"):count())
        assert.equal(1, Org:where_exists(Post:where_column("posts.org_id", "orgs.id")):count())
        assert.equal(1, #Org:join("posts", "posts.org_id", "=", "orgs.id"):all())
        assert.equal(1, Org:where_has("posts"):count())
        assert.same({ 0, 1 }, { table.unpack(Org:with_count("posts"):order_by("id"):all():map(function(org)
          return org.posts_count
        end)) })
        assert.equal(1, #Org:join("comments", "comments.id", "!=", "orgs.id"):or_where("orgs.id", ">", 0):all())
        assert.is_nil(Post:find(post_a.id))
        assert.is_nil(Post:first_or_new({ slug = "taken" }):key())
        assert.equal("of b", Post:pluck("title")[1])
        assert.equal(0, Post:sum "votes")
      end)
    end)

    it("holds for a table without its model, by name or through a relation", function()
      as(B, function()
        assert.equal(1, #rille.db():table("posts"):all())
        assert.equal(1, rille.db():update("posts", { title = "of b" }, { title = "changed" }))
        assert.equal(0, rille.db():update("posts", { title = "of a" }, { title = "changed" }))
        rille.db():insert("posts", { title = "plain" })
        assert.equal(2, Post:count())
      end)
      refused("tenant_required", function() return rille.db():table("posts"):all() end)
    end)

    it("is wanted before any SQL", function()
      local statements = 0
      local stop = rille.on("query", function() statements = statements + 1 end)
      for _, fn in ipairs {
        function() Post:all() end, function() Post:find(1) end, function() Post:count() end,
        function() Post:create { title = "x" } end, function() Post:insert { { title = "x" } } end,
        function() Post:where("id", 1):update { title = "x" } end, function() Post:where("id", 1):delete() end,
        function() Post:upsert({ { title = "x", slug = "y" } }, "slug") end,
        function() Org:with("posts"):first() end, function() return org_a.posts end,
        function() Org:where_has("posts"):all() end, function() Post:cursor() end,
        function() Org:join("posts", "posts.org_id", "=", "orgs.id"):all() end,
      } do
        statements = 0
        local e = refused("tenant_required", fn)
        assert.matches("posts", e.message)
        assert.is_true(statements <= 1)          -- of the orgs, before their posts
      end
      stop()
    end)
  end)

  describe("in what is written", function()
    it("is stamped on inserts, and accepted when it is the same", function()
      as(A, function()
        assert.equal(A.id, Post:create { title = "x" }.org_id)
        assert.equal(A.id, Post:create { title = "x", org_id = A.id }.org_id)
        assert.equal(A.id, Post:create { title = "x", org = org_a }.org_id)
        assert.equal(2, Post:insert { { title = "x" }, { title = "y", org_id = A.id } })
        assert.equal(6, Post:count())
      end)
    end)

    it("is never another one", function()
      as(B, function()
        refused("tenant_mismatch", function() Post:create { title = "x", org_id = A.id } end)
        refused("tenant_mismatch", function() Post:create { title = "x", org = org_a } end)
        refused("tenant_mismatch", function() Post:insert { { title = "x", org_id = A.id } } end)
        refused("tenant_mismatch", function() Post:unfiltered():update { org_id = A.id } end)
        refused("tenant_mismatch", function() rille.db():insert("posts", { title = "x", org_id = A.id }) end)
        refused("tenant_mismatch", function() Post:where("id", post_b.id):increment("org_id", -1) end)
        post_b.org_id = A.id
        refused("tenant_mismatch", function() post_b:save() end)
        assert.equal(1, Post:count())
      end)
    end)

    it("keeps a row in memory from being written as somebody else", function()
      as(B, function()
        post_a.title = "stolen"
        refused("tenant_mismatch", function() post_a:save() end)
        refused("tenant_mismatch", function() post_a:force_delete() end)
        refused("tenant_mismatch", function() return post_a.comments end)
        refused("tenant_mismatch", function() return post_a:relation "comments":count() end)
        refused("tenant_mismatch", function() Comment:first():relation "post":associate(post_a) end)
        assert.is_nil(post_a:fresh())
      end)
      as(A, function() assert.equal("of a", Post:find(post_a.id).title) end)
    end)

    it("holds for updates, deletes and upserts of all rows", function()
      as(B, function()
        assert.equal(1, Post:unfiltered():update { title = "changed" })
        assert.equal(1, Post:unfiltered():increment "votes")
        assert.equal(1, Comment:unfiltered():delete())
        local e = refused("unique_violation", function() Post:upsert({ { title = "x", slug = "taken" } }, "slug") end)
        assert.matches("org_id", e.hint)
        assert.equal(1, Post:upsert({ { title = "x", slug = "mine" } }, "slug"))
        assert.equal(1, Post:upsert({ { title = "y", slug = "mine" } }, "slug"))
        assert.equal(1, Post:unfiltered():where("slug", "mine"):force_delete())
        assert.equal(1, Post:unfiltered():delete())
        assert.equal(1, Post:only_trashed():count())
      end)
      as(A, function()
        local post = Post:find(post_a.id)
        assert.same({ "of a", 0 }, { post.title, post.votes })
        assert.equal(1, Comment:count())
      end)
    end)

    it("refuses to attach what belongs to another tenant", function()
      local tag_a = as(A, function() return Tag:first() end)
      as(B, function()
        refused("tenant_mismatch", function() post_b:relation "tags":attach(tag_a.id) end)
        refused("tenant_mismatch", function() post_b:relation "tags":sync { tag_a.id } end)
        post_b:relation "tags":attach(Tag:first())
        assert.equal(1, #post_b.tags)
      end)
    end)

    it("refuses so where the key has several columns, too", function()
      local schema = rille.schema()
      schema:create("parts", function(t) t:integer "org_id" t:integer "number" t:primary { "org_id", "number" } end)
      schema:create("post_parts", function(t) t:integer "post_id" t:integer "org_id" t:integer "number" end)
      local Part = rille.model "Part" { tenant_column = "org_id" }
      Post:belongs_to_many("parts", "Part", { pivot = "post_parts", related_key = { "org_id", "number" } })
      local part_a = as(A, function() return Part:create { number = 1 } end)
      as(B, function()
        local part_b = Part:create { number = 1 }
        refused("tenant_mismatch", function() post_b:relation "parts":attach(part_a) end)
        refused("tenant_mismatch", function() post_b:relation "parts":sync { part_b, part_a } end)
        post_b:relation "parts":sync { part_b }
        assert.equal(1, #post_b.parts)
      end)
    end)
  end)

  describe("of a coroutine", function()
    it("is not that of another one", function()
      as(A, function()
        local inner = coroutine.wrap(function()
          local ok, e = pcall(Post.count, Post)
          return ok, e.kind, rille.tenant.current()
        end)
        assert.same({ false, "tenant_required" }, { inner() })
        assert.equal(1, Post:count())
      end)
    end)

    it("nests, and is put back after a return, an error and a yield", function()
      as(A, function()
        assert.equal("b", as(B, function() return rille.tenant.current().slug end))
        assert.same(A, rille.tenant.current())
        assert.is_false(pcall(as, B, error, "x"))
        assert.same(A, rille.tenant.current())
        rille.tenant.set(B)
        assert.same(B, rille.tenant.current())
      end)
      assert.is_nil(rille.tenant.current())
      local co = coroutine.wrap(function() return as(A, function() coroutine.yield() return Post:count() end) end)
      co()
      as(B, function() assert.equal(1, co()) end)
    end)

    it("does not change inside a transaction", function()
      as(A, function()
        rille.transaction(function()
          refused("tenant_mismatch", as, B, print)
          refused("tenant_mismatch", rille.tenant.set, B)
          refused("tenant_mismatch", rille.tenant.clear)
          assert.equal(1, as(A, function() return Post:count() end))
        end)
      end)
    end)

    it("does not change under a cursor or between two chunks", function()
      as(A, function()
        Post:create { title = "second" }
        refused("tenant_mismatch", function()
          for _ in Post:cursor() do rille.tenant.set(B) end
        end)
        rille.tenant.set(A)
        refused("tenant_mismatch", function()
          for _ in Post:with("comments"):cursor() do rille.tenant.set(B) end
        end)
        rille.tenant.set(A)
        refused("tenant_mismatch", function() Post:chunk(1, function() rille.tenant.set(B) end) end)
      end)
    end)

    it("sees nothing that a shared record gave to another one", function()
      as(A, function() assert.equal(1, #org_a.posts) end)
      as(B, function()
        assert.equal(0, #org_a.posts)
        assert.same({}, org_a:to_table().posts)
        assert.equal(0, #org_a.comments)
      end)
      refused("tenant_required", function() return org_a.posts end)
      assert.is_nil(org_a:to_table().posts)
      assert.is_nil(org_a:to_json():find "of a")
    end)

    it("is a slug, or an id with a slug", function()
      for _, bad in ipairs { "", "../x", "a/b", "A", "a b", "-a", ("a"):rep(64), "a\0b", "\u{430}", 5, true, {},
        { slug = "a" }, { id = "" }, { id = 1.5 }, { id = 1, name = "x" } } do
        refused("invalid_argument", as, bad, print)
      end
      as("acme", function() assert.same({ id = "acme", slug = "acme" }, rille.tenant.current()) end)
    end)

    it("is looked up outside of any tenant, once", function()
      local asked = {}
      rille.configure { connections = { main = { database = ":memory:" } }, tenancy = { resolve = function(slug)
        asked[#asked + 1] = rille.tenant.current() or slug
        return slug == "acme" and { id = 7 } or slug == "empty" and {} or nil
      end } }
      as(A, function()
        for _ = 1, 3 do assert.equal(7, as("acme", function() return rille.tenant.current().id end)) end
      end)
      assert.same({ "acme" }, asked)
      refused("tenant_unknown", as, "nobody", print)
      assert.matches("returns nil", refused("invalid_argument", as, "empty", print).hint)
    end)
  end)

  describe("lifted", function()
    it("for one model, in one coroutine, with an event, until the function ends", function()
      local events = {}
      local stop = rille.on("tenant:bypass", function(event) events[#events + 1] = event end)
      as(B, function()
        Post:without_tenant_scope(function()
          assert.equal(2, Post:count())
          assert.equal(1, Comment:count())
          assert.equal(2, #rille.db():table("posts"):all())
          Post:without_tenant_scope(function() assert.equal(2, Post:count()) end)
          assert.equal(2, Post:count())
          assert.equal(1, coroutine.wrap(function() return as(B, function() return Post:count() end) end)())
        end)
        assert.equal(1, Post:count())
        assert.is_false(pcall(Post.without_tenant_scope, Post, error, "x"))
        assert.equal(1, Post:count())
      end)
      stop()
      assert.equal(3, #events)
      assert.same({ "Post", "posts", B }, { events[1].model, events[1].table, events[1].tenant })
      assert.matches("tenant_spec.lua:%d+", events[1].place)
      refused("invalid_argument", function() Org:without_tenant_scope(print) end)
    end)

    it("lets rows be written for any tenant, and leaves nothing to see behind", function()
      Post:without_tenant_scope(function()
        assert.equal(A.id, Post:create { title = "x", org_id = A.id }.org_id)
        assert.equal(2, #org_a.posts)
      end)
      as(B, function() assert.equal(0, #org_a.posts) end)
    end)
  end)

  describe("and SQL of one's own", function()
    it("says that everybody's rows are meant, or is refused", function()
      local db, told = rille.db(), {}
      assert.equal(2, #db:query "select * from posts")
      local stop = rille.on("tenant:bypass", function(event) told[#told + 1] = event.sql end)
      as(B, function()
        refused("tenant_required", function() db:query "select * from posts" end)
        refused("tenant_required", function() db:execute("delete from posts where id = ?", 1) end)
        assert.equal("tenant_required", db:result("select 1").error.kind)
        refused("tenant_required", function() db:query("select 1", { all_tenants = false }) end)
        assert.equal(2, #db:query("select * from posts", { all_tenants = true }))
        assert.equal(1, #db:query("select * from posts where id = ?", post_a.id, { all_tenants = true }))
        assert.equal(1, #db:query("select * from posts where id = :id", { id = post_a.id }, { all_tenants = true }))
        refused("invalid_argument", function() db:query("select 1", { all_tenants = true, more = 1 }) end)
      end)
      stop()
      assert.equal(3, #told)
    end)

    it("reads no table by itself as a part of a query", function()
      as(B, function()
        for _, sql in ipairs { "id in (select id from posts)", "exists (SELECT 1 from posts)", "id in posts",
          'id IN "posts"', "id in /* x */ [posts]", "id in -- x\n posts", "id \u{feff}in posts",
          "id in (TABLE posts)", "array(table/**/posts) is null",
          "$x$ or id in (select id from posts) or $x$" } do
          refused("tenant_required", function() Post:where_raw(sql):count() end)
          refused("tenant_required", function() Org:where_raw(sql):count() end)
        end
        refused("tenant_required", function() Post:select_raw("(select count(*) from posts) as n"):all() end)
        refused("tenant_required", function() Post:order_by_raw("(select 1)"):all() end)
        assert.equal(0, Post:where_raw("title = 'select' or title in ('x', 'select 1 from posts')"):count())
        assert.equal(1, Post:where_raw("id in (?, ?)", post_b.id, post_a.id):count())
      end)
      assert.equal(1, Org:where_raw("id in (select org_id from posts where id = ?)", post_a.id):count())
    end)

    it("does not end what stands around it", function()
      as(B, function()
        for _, sql in ipairs { "1=1) or (1=1", "1=1) or 1=1 --", "1) group by (1", "1; delete from posts", "1 --",
          "(1" } do
          refused("syntax", function() return Post:where_raw(sql):all() end)
          refused("syntax", function() return Post:group_by("id"):having_raw(sql):all() end)
          refused("syntax", function() return Post:order_by_raw(sql):all() end)
          refused("syntax", function() return Post:select_raw(sql):all() end)
        end
        refused("syntax", function() return Org:select_raw("title from posts --"):all() end)
        refused("tenant_required", function() return Org:select_raw("title from posts union all values (1)"):all() end)
        assert.equal(1, Post:where_raw("id is distinct from 0 and ')' != '(' -- fine\n"):count())
      end)
    end)
  end)

  describe("declared", function()
    it("wants its column", function()
      local Other = rille.model "Other" { table = "post_tags", tenant_column = "org_id" }
      refused("no_such_column", as, A, function() return Other:all() end)
    end)

    it("holds for all models of a table, or for none", function()
      refused("invalid_argument", rille.model, "Draft", { table = "posts" })
      local Draft = rille.model "Draft" { table = "posts", tenant_column = "org_id" }
      as(A, function() assert.equal(1, Draft:count()) end)
      Post:without_tenant_scope(function() assert.equal(2, Draft:count()) end)
    end)
  end)
end)
