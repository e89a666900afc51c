--- demo_spec: the demo publication migrates, fills, answers, and `sh host/demo.sh` shows it from anywhere.
local oracle = require "spec.story.debian.oracle"

local NAMES = { "organization", "user", "tag", "post", "post_tag", "comment" }
local TABLES = { "organizations", "users", "tags", "posts", "post_tags", "comments" }

local rille, folder
local model = {}

setup(function()
  folder = oracle.shell("mktemp -d")[1]
  rille = require "rille"
  rille.connect(folder .. "/demo.db")
  rille.migrate {}
  for _, name in ipairs(NAMES) do model[name] = require("models." .. name) end
  dofile "migrations/seeds/publication.lua"(rille)
end)

teardown(function()
  rille.close()
  oracle.shell("rm -rf " .. folder)
end)

--- As one of the publishers.
local function as(org_id, fn) return rille.tenant.run({ id = org_id }, fn) end

--- With the rows of all publishers, which each model is told by itself.
local function everybody(fn)
  for _, name in ipairs { "user", "tag", "post", "comment" } do
    local inner = fn
    fn = function() return model[name]:without_tenant_scope(inner) end
  end
  return fn()
end

local function it_sees_all(what, fn)
  it(what, function() everybody(fn) end)
end

--- Leaves everything as it was, whatever `fn` writes.
local function undone(fn)
  local tx <close> = rille.begin()
  fn()
  tx:rollback()
end

describe("The demo's data", function()
  it_sees_all("has the promised size", function()
    local counts = {}
    for i, name in ipairs(NAMES) do
      counts[i] = (name == "post" and model.post:with_trashed() or model[name]):count()
    end
    assert.same({ 20, 500, 160, 3000, 5999, 10000 }, counts)
  end)

  it("is related as its models say, which a script of the program sees", function()
    local script = folder .. "/related.lua"
    local file <close> = assert(io.open(script, "w"))
    file:write(([[
      local rille = require "rille"
      rille.connect "%s/demo.db"
      local Post, User = require "models.post", require "models.user"
      rille.tenant.set { id = 3 }
      local statements = 0
      rille.on("query", function() statements = statements + 1 end)
      local posts = Post:published():newest():limit(20):with("author.organization", "tags", "comments.replies"):all()
      local first, comments = posts[1], 0
      for _, post in ipairs(posts) do
        assert(post.author.organization.id == post.org_id)
        for i, tag in ipairs(post.tags) do assert(tag.pivot.position == i) end
        for _, comment in ipairs(post.comments) do
          comments = comments + 1
          for _, reply in ipairs(comment.replies) do assert(reply.parent_id == comment.id) end
        end
      end
      print(#posts, statements, comments > 0)
      for _, user in ipairs(User:staff():limit(10):all()) do assert(#user.posts >= 0) end
      print(statements, first.organization.comments ~= nil)
      print(Post:where_has("comments", ">", 5):count() > 0, Post:filter("author.organization.plan = 'team'"):exists())
    ]]):format(folder))
    file:close()
    assert.same({ "20\t6\ttrue", "8\ttrue", "true\ttrue" },
      oracle.shell(("%s run %s 2>&1"):format(os.getenv "RILLE", script)))
  end)

  it("can be made up, by its factories", function()
    undone(function()
      rille.seed(1)
      local org = assert(rille.factory("Organization"):state("paying"):create_one())
      as(org.id, function()
        local people = assert(rille.factory("User"):count(3):state("author"):create())
        local tags = assert(rille.factory("Tag"):count(2):create())
        local posts = assert(rille.factory("Post"):count(4):state("published"):state("priced"):recycle(people)
          :has("tags", tags, nil, function(n) return { position = n } end)
          :has("comments", rille.factory("Comment"):count(3):recycle(people):state("approved")):create())
        for _, post in ipairs(posts) do
          assert.equal(org.id, post.org_id)
          assert.same({ 2, 3 }, { #post.tags, #post.comments })
          for _, comment in ipairs(post.comments) do
            assert.same({ org.id, true }, { comment.org_id, comment.approved })
          end
        end
        assert.equal(4, #org.posts)
        local comment = assert(rille.factory("Comment"):create_one())
        assert.equal(org.id, comment.post.organization.id)
        assert.equal("scheduled", assert(rille.factory("Post"):state("scheduled"):create_one()).status)
      end)
    end)
  end)

  it("is not seen by who has no publisher", function()
    for _, name in ipairs { "user", "tag", "post", "comment" } do
      assert.equal("tenant_required", select(2, rille.try(model[name].count, model[name])).kind)
    end
    assert.same({ 150, 25, 8, 494 }, as(3, function()
      return { model.post:with_trashed():count(), model.user:count(), model.tag:count(), model.comment:count() }
    end))
  end)

  it("is filled once only", function()
    dofile "migrations/seeds/publication.lua"(rille)
    assert.equal(20, model.organization:count())
  end)

  it("is the same every time", function()
    local function digest(path)
      return oracle.shell(("for t in %s; do sqlite3 -readonly %s \"select * from $t order by 1, 2\"; done | cksum")
        :format(table.concat(TABLES, " "), path))[1]
    end
    local first = digest(folder .. "/demo.db")
    rille.connect(folder .. "/again.db")
    rille.migrate {}
    dofile "migrations/seeds/publication.lua"(rille)
    rille.connect(folder .. "/demo.db")
    assert.equal(first, digest(folder .. "/again.db"))
  end)

  it("keeps every row within its organization", function()
    for _, sql in ipairs {
      "select count(*) from posts join users on users.id = author_id where users.org_id <> posts.org_id",
      "select count(*) from comments join posts on posts.id = post_id where posts.org_id <> comments.org_id",
      "select count(*) from comments join users on users.id = author_id where users.org_id <> comments.org_id",
      "select count(*) from comments c join comments p on p.id = c.parent_id where p.post_id <> c.post_id",
      "select count(*) from post_tags join posts on posts.id = post_id join tags on tags.id = tag_id "
        .. "where posts.org_id <> tags.org_id",
    } do
      assert.same({ "0" }, oracle.sqlite(folder .. "/demo.db", sql), sql)
    end
    assert.same({}, oracle.sqlite(folder .. "/demo.db", "pragma foreign_key_check"))
  end)

  --- The table that is given to rille.model in models/NAME.lua.
  local function declaration(name)
    package.loaded.rille = setmetatable({ model = function() return function(declared) return declared end end },
      { __index = rille })
    local declared = dofile(("models/%s.lua"):format(name))
    package.loaded.rille = rille
    return declared
  end

  --- A column that a later migration added stands on a line of its own, which says nothing.
  local function described(name)
    local description = rille.db():describe(name)
    description.sql = description.sql:gsub("%s+", " "):gsub(" ([,)])", "%1")
    return description
  end

  it("is in tables that are, to the last index, what the models declare", function()
    local migrated, declared = {}, {}
    for i, name in ipairs(TABLES) do migrated[i] = described(name) end
    rille.connect(folder .. "/declared.db")
    for i, name in ipairs(TABLES) do
      rille.schema():create(name, declaration(NAMES[i]).fields)
    end
    for i, name in ipairs(TABLES) do declared[i] = described(name) end
    rille.connect(folder .. "/demo.db")
    assert.same(migrated, declared)
  end)
end)

describe("The demo's models", function()
  it_sees_all("read what was stored: JSON, booleans, moments, prices", function()
    local organization = model.organization:find(3)
    assert.equal("boolean", type(organization.settings.comments.moderated))
    assert.equal(organization.settings.language, organization:language())
    local user = model.user:find(1)
    assert.equal("boolean", type(user.active))
    assert.truthy(user.created_at:find "^202%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.000000Z$")
    local priced = model.post:where_not_null("price"):first()
    assert.truthy(priced.price:find "^%d%.%d0$")
    assert.is_false(priced:is_free())
  end)

  it_sees_all("write what mutators make of it, and only what may be filled", function()
    undone(function()
      local user = model.user:create { org_id = 1, name = "Ada Maria Novak-Berg", email = "  Ada@Example.ORG " }
      assert.equal("ada@example.org", user.email)
      assert.equal("AMNB", user.initials)
      assert.equal("reader", user.role)
      local refused, err = pcall(model.user.create, model.user, { org_id = 1, name = "x", email = "y", role = "owner" })
      assert.is_false(refused)
      assert.equal("mass_assignment", err.kind)
      assert.equal("editor", user:promote("editor"):fresh().role)
      assert.is_true(user:may_publish())
      assert.equal("local-history", model.tag:create { org_id = 1, name = "Local History!" }.slug)
    end)
  end)

  it_sees_all("say what is wrong in their own words, all at once", function()
    undone(function()
      local taken = model.user:first()
      local function fields(name, attributes) return select(2, model[name]:create(attributes)).fields end
      assert.same({ name = { "must be given" }, email = { "is no e-mail address" } },
        fields("user", { org_id = 1, email = "nobody" }))
      assert.same({ email = { "belongs to somebody else" } },
        fields("user", { org_id = 1, name = "x", email = taken.email:upper() }))
      local post = model.post:drafts():first()
      assert.same({ published_at = { "must say when" } }, select(2, post:update { status = "published" }).fields)
      assert.equal("published", post:refresh():publish().status)
      local comment = model.comment:where("post_id", "!=", post.id):first()
      assert.same({ parent_id = { "is a comment under another post" } },
        fields("comment", { org_id = 1, post_id = post.id, parent_id = comment.id, body = "Me too" }))
    end)
  end)

  it_sees_all("answer by scopes what SQL answers", function()
    local function sql(text) return tonumber(oracle.sqlite(folder .. "/demo.db", text)[1]) end
    local Post = model.post
    assert.equal(sql "select count(*) from posts where status = 'published' and deleted_at is null",
      Post:published():count())
    assert.equal(sql "select count(*) from posts", Post:with_trashed():count())
    assert.equal(sql [[select count(*) from posts where deleted_at is null and org_id = 4
      and id in (select post_id from post_tags where tag_id = 25)]], Post:where("org_id", 4):tagged(25):count())
    assert.equal(sql [[select count(*) from posts where deleted_at is null
      and json_extract(meta, '$.language') = 'de']], Post:written_in("de"):count())
    assert.equal(sql "select max(views) from posts where deleted_at is null", Post:popular(1):first().views)
    assert.equal(sql "select count(*) from users where role <> 'reader' and active",
      model.user:active():staff():count())
    assert.equal(sql "select count(*) from comments where approved = 0", model.comment:waiting():count())
  end)

  it("do what their methods say", function()
    undone(function() as(3, function()
      local post = model.post:drafts():first()
      assert.is_nil(post.published_at)
      assert.equal("published", post:publish().status)
      assert.truthy(post:fresh().published_at)
      local comment = model.comment:about(model.comment:first().post_id):top_level():first()
      local reply = comment:reply { author_id = comment.author_id, body = "  Quite so.  " }
      assert.same({ comment.id, comment.post_id, "Quite so.", false },
        { reply.parent_id, reply.post_id, reply.body, reply.approved })
      assert.is_true(reply:approve():fresh().approved)
    end) end)
  end)

  it_sees_all("stop what must not be: a late comment, an owner who leaves, an edit that was overtaken", function()
    undone(function()
      local Post, Comment, User = model.post, model.comment, model.user
      local archived = Post:where("status", "archived"):first()
      local refused, err = Comment:create { org_id = archived.org_id, post_id = archived.id, body = "Too late" }
      assert.is_nil(refused)
      assert.same({ "aborted", "the post is archived: its comments are closed" }, { err.kind, err.message })

      local owner, reader = User:where("role", "owner"):first(), User:where("role", "reader"):first()
      assert.equal("aborted", select(2, owner:delete()).kind)
      assert.is_true(owner:exists() and User:where("id", owner.id):exists())
      assert.is_true(reader:delete())

      local first, second = Post:find(archived.id), Post:find(archived.id)
      first:update { title = "As one editor has it" }
      local _, overtaken = rille.try(second.update, second, { title = "As the other has it" })
      assert.equal("stale_object", overtaken.kind)
      assert.equal("As one editor has it", Post:find(archived.id).title)
    end)
  end)

  it_sees_all("make an address of the title where none was given", function()
    undone(function()
      local post = model.post:create { org_id = 1, author_id = 1, title = " What now? -- The tram ", body = "…" }
      assert.equal("what-now-the-tram", post.slug)
      assert.equal("own", model.post:create { org_id = 1, author_id = 1, title = "x", slug = "own", body = "…" }.slug)
    end)
  end)

  it_sees_all("know how many comments and which tags, and change the tags in their order", function()
    undone(function()
      local post = model.post:with_count("comments", "tags"):order_by_desc("comments_count"):first()
      assert.same({ post:relation("comments"):count(), post:relation("tags"):count() },
        { post.comments_count, post.tags_count })
      local tags = model.tag:where("org_id", post.org_id):order_by("id"):limit(3):pluck("id")
      local tagged = post:relation("tags")
      tagged:detach()
      tagged:attach { { tags[3], position = 1 }, { tags[1], position = 2 } }
      assert.same({ tags[3], tags[1] }, { table.unpack(post.tags:pluck("id")) })
      local changed = tagged:sync { { tags[1], position = 1 }, { tags[2], position = 2 } }
      assert.same({ attached = { tags[2] }, detached = { tags[3] }, updated = { tags[1] } }, changed)
      assert.same({ tags[1], tags[2] }, { table.unpack(post.tags:pluck("id")) })
    end)
  end)

  it_sees_all("cut an excerpt between words", function()
    local post = model.post:order_by_raw("length(body) desc"):first()
    assert.truthy(#post.excerpt <= 124)
    assert.equal(1, post.body:find(post.excerpt:gsub(" …$", ""), 1, true))
    assert.truthy(post.reading_minutes >= 1)
  end)
end)

if not (os.getenv "RILLE_BUILD" or ""):find "/dev$" then          -- it builds and shows the release
  describe("sh host/demo.sh", function()
    it("builds, migrates, fills, shows queries with SQL and times, and says how to go on; again, too", function()
      local here = oracle.shell("pwd")[1]
      local command = ("cd / && DEMO_FOLDER=%s/shown RILLE_NO_INSTALL=1 sh %s/host/demo.sh </dev/null 2>&1")
        :format(folder, here)
      for _ = 1, 2 do
        local text = table.concat(oracle.shell(command), "\n")
        assert.truthy(text:find 'select .- from "posts".- ms')
        assert.truthy(text:find("build/release/rille repl", 1, true))
        assert.same({ "20" }, oracle.sqlite(folder .. "/shown/demo.db", "select count(*) from organizations"))
        assert.truthy(text:find "Tenants, strategy row.*988 rows of northgate%-courier moved.*strategy database")
        assert.same({ "150" }, oracle.sqlite(folder .. "/shown/demo.db", "select count(*) from posts where org_id = 3"))
      end
    end)

    it("says what is missing when it may not install", function()
      local bin = folder .. "/bin"
      oracle.shell(("mkdir %s && cd %s && printf '#!/bin/sh\\nexit 1\\n' >dpkg-query && chmod +x dpkg-query")
        :format(bin, bin))
      local text = table.concat(oracle.shell(
        ("PATH=%s:$PATH RILLE_NO_INSTALL=1 sh host/install-dependencies.sh build 2>&1; echo $?"):format(bin)), "\n")
      assert.truthy(text:find "missing: gcc .*cmake")
      assert.truthy(text:find "\n1$")
    end)
  end)
end
