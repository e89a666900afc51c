--- postgres/tenant_astray_spec: SQL of one's own that says where names are looked up, on a tenant's connection.
local world = require "spec.support.world"
local Home = require "spec.support.tenancy.home"
local Schemas = require "spec.support.tenancy.schemas"
local rille, refused, as = world.rille, world.refused, Home.as

describe("on a connection of a tenant with a schema of its own", function()
  local home, Post, Comment

  setup(function()
    home = Schemas.new()
    home.folder:write("0001_posts.lua", Home.MIGRATION)
    rille.tenant.create "a"
    rille.tenant.create "b"
  end)
  teardown(function() home:close() end)

  before_each(function()
    home:configure()
    require "rille.model".forget_all()
    Post = rille.model "Post" { relations = { comments = rille.has_many "Comment" } }
    Comment = rille.model "Comment" { relations = { post = rille.belongs_to "Post" } }
    for _, slug in ipairs { "a", "b" } do
      as(slug, function()
        Comment:unfiltered():delete()
        Post:unfiltered():delete()
        for _ = 1, slug == "a" and 1 or 2 do
          Post:create { title = "of " .. slug }:relation "comments":create { body = "of " .. slug }
        end
      end)
    end
  end)
  after_each(function() rille.tenant.clear() end)

  local function stray() rille.db():execute "set schema 'b'" end

  local STRAYS <const> = {
    { "set schema", stray },
    { "schema:raw", function() rille.schema():raw "set search_path = b" end },
    { "a condition", function() Post:where_raw "set_config('search_path', 'b', false) is not null":all() end },
    { "an output", function() Post:select_raw "set_config('search_' || 'path', 'b', false) as x":first() end },
    { "a query", function() rille.db():query "select set_config('search_' || 'path', 'b', false) as x" end },
    { "a block", function()
      rille.db():execute "do $$ begin execute 'set search_' || 'path to b'; end $$"
    end },
    { "a function", function()
      rille.db():execute [[create or replace function stray() returns text language plpgsql as
        'begin return set_config(''search_'' || ''path'', ''b'', false); end']]
      rille.db():query "select stray()"
    end },
    { "a walk that ends early", function()
      local next_row, _, _, walk = Post:where_raw "set_config('search_path', 'b', false) is not null":cursor()
      local _ <close> = walk
      next_row()
    end },
    { "reset all", function() rille.db():execute "reset all" end },
  }

  local READS <const> = {
    { "pluck", function() return Post:pluck "title"[1] end },
    { "count", function() return Post:count() == 1 and "of a" end },
    { "with", function() return Post:with "comments":all()[1].comments[1].body end },
    { "a page", function() return Post:order_by "id":paginate(1, 5).total == 1 and "of a" end },
    { "a page of SQL of one's own", function()
      local page = Post:where_raw "set_config('search_path', 'b', false) is not null":order_by "id":paginate(1, 5)
      return page.total == 1 and #page.data == 1 and page.data[1].title
    end },
    { "with, behind SQL of one's own", function()
      local post = Post:where_raw "set_config('search_path', 'b', false) is not null":with "comments":first()
      return #post.comments == 1 and post.comments[1].body
    end },
    { "cursor", function()
      local titles = {}
      for post in Post:cursor() do titles[#titles + 1] = post.title end
      return table.concat(titles)
    end },
    { "SQL of one's own", function() return rille.db():query "select string_agg(title, ',') as x from posts"[1].x end },
    { "current_schema", function() return "of " .. rille.db():query "select current_schema()::text as x"[1].x end },
    { "a new statement", function()
      return rille.db():table "posts":where("title", "!=", tostring {}):first().title
    end },
    { "a transaction that is rolled back", function()
      local title
      pcall(rille.transaction, function()
        title = Post:first().title
        error "back"
      end)
      return title == Post:first().title and title
    end },
  }

  it("all that follows is the tenant's own, whatever was said where names are looked up", function()
    for _, how in ipairs(STRAYS) do
      for _, read in ipairs(READS) do
        local what = ("%s, then %s"):format(how[1], read[1])
        for _, inside in ipairs { false, true } do
          as("a", function()
            if inside then
              rille.transaction(function()
                how[2]()
                assert.equal("of a", read[2](), what)
              end)
            else
              how[2]()
              assert.equal("of a", read[2](), what)
            end
            assert.equal("of a", read[2](), what)
          end)
        end
      end
    end
    as("b", function() assert.equal(2, Post:count()) end)
  end)

  it("what is written is the tenant's own", function()
    local db <close> = home:beside()
    local function are(count, title)
      assert.equal(count, db:query("select count(*) as n from a.posts where title = $1", { title })[1].n)
    end
    as("a", function()
      for _, how in ipairs(STRAYS) do
        how[2]()
        Post:create { title = "more" }
        are(1, "more")
        how[2]()
        Post:create_many { { title = "more" }, { title = "more" } }
        are(3, "more")
        how[2]()
        Post:where("title", "more"):update { title = "most" }
        are(3, "most")
        how[2]()
        Post:where("title", "most"):delete()
        are(0, "most")
      end
    end)
  end)

  it("what is rolled back leaves it so: to a savepoint, or all", function()
    as("a", function()
      for _, sql in ipairs { "set schema 'b'", "set local schema 'b'" } do
        local function title() return Post:order_by "id":first().title end
        local function own(then_do)
          rille.db():execute(sql)
          if then_do then assert.equal("of a", then_do()) end
        end
        for _, after in ipairs { false, title } do
          for _, before in ipairs { false, stray } do
            rille.transaction(function()
              if before then before() end
              pcall(rille.transaction, function()
                own(after)
                error "back"
              end)
              assert.equal("of a", title())
              rille.transaction(function() own(false) end)
              assert.equal("of a", title())
              own(after)
              pcall(rille.transaction, function()
                assert.equal("of a", title())
                refused("no_such_table", function() rille.db():query "select * from nothing" end)
                error "back"
              end)
              assert.equal("of a", title())
            end)
            assert.equal("of a", title())
            if before then before() end
            pcall(rille.transaction, function()
              own(after)
              error "back"
            end)
            assert.equal("of a", title())
          end
        end
      end
    end)
  end)

  it("what fails behind it changes nothing of that", function()
    as("a", function()
      local again = Post:first()
      stray()
      refused("unique_violation", function() Post:create { id = again.id, title = "twice" } end)
      assert.equal(1, Post:count())
      rille.transaction(function()
        stray()
        refused("unique_violation", rille.transaction, function() Post:create { id = again.id, title = "twice" } end)
        assert.equal(1, Post:count())
      end)
      stray()
      refused("no_such_table", function() rille.db():query "select * from nothing" end)
      assert.equal(1, Post:count())
    end)
  end)

  it("nobody is a tenant that is called as the role", function()
    local db <close> = home:beside()
    local role = db:query("select current_user::text as name", {})[1].name
    db:execute "create table public.posts (id bigint generated by default as identity, title text)"
    db:execute "insert into public.posts (title) values ('of all')"
    rille.tenant.create(role)
    as(role, function() Post:create { title = "of the role" } end)
    rille.close()
    home:configure { fallback = "main" }
    local main = rille.db "main"
    local function check(what)
      assert.equal("of all", Post:first().title, what)
      assert.equal("of all", rille.transaction(function() return Post:first().title end), what)
      as(role, function() assert.equal("of the role", Post:first().title, what) end)
    end
    check "first"
    for _, sql in ipairs { "reset search_path", "discard all", [[set search_path = '$user', public]],
      [[set search_path = public, "$user"]], [[set search_path = "$user"]] } do
      main:execute(sql)
      if sql ~= [[set search_path = "$user"]] then check(sql) end
    end
    refused("no_such_table", function() return main:query "select * from posts" end)
    main:execute "reset search_path"
    rille.transaction(function()
      main:execute "set local search_path = pg_catalog"
      assert.equal("pg_catalog", main:query "select current_setting('search_path') as path"[1].path)
    end)
    assert.equal("public", main:query "select current_setting('search_path') as path"[1].path)
    Post:create { title = "also of all" }
    assert.equal(2, db:query("select count(*) as n from public.posts", {})[1].n)
    rille.tenant.drop(role)
    db:execute "drop table public.posts"
  end)

  it("costs no round trip, and what must stand alone may follow", function()
    as("a", function()
      local db = rille.db()
      local function trips(fn)
        local before = db:_connect():stats().round_trips
        fn()
        return db:_connect():stats().round_trips - before
      end
      local function both()
        stray()
        Post:count()
      end
      both()
      assert.equal(trips(stray) + trips(function() Post:count() end), trips(both))
      stray()
      db:execute "create index concurrently if not exists posts_title on posts (title)"
      stray()
      db:execute "vacuum posts"
      stray()
      db:execute "drop index concurrently posts_title"
    end)
  end)
end)
