--- postgres/tenant_table_spec: the tables whose rows a tenant's move takes along, where one of the databases at least
-- is at a server: what they may look like; the rows are tenant_extract_spec's.  RILLE_SPEC_URL names the server.
local world = require "spec.support.world"
local Extract = require "rille.tenant.extract"
local Moved = require "spec.support.tenancy.moved"
local Moving = require "rille.tenant.moving"
local rille, refused = world.rille, world.refused
local shared, own, there = Moved.shared, Moved.own, Moved.there

describe("tables that are moved", function()
  after_each(Moved.finish)

  it("may refer to each other where that can be looked after at the end", function()
    Moved.begin { "postgres", "postgres" }
    rille.tenant.create "acme"
    local function add(db, deferrable)
      db:execute "alter table posts add column first_id bigint"
      db:execute "alter table post_tags add column id bigint unique"
      db:execute("alter table posts add constraint firsts foreign key (first_id) references post_tags (id) "
        .. deferrable)
    end
    for _, db in ipairs { shared(), own() } do add(db, "") end
    shared():execute "update post_tags set id = place"
    shared():execute "update posts set first_id = id where id < 20"
    local e = refused("unsupported", Moving.run, "extract", "acme")
    assert.matches("refer to each other", e.message)
    assert.matches("deferrable", e.hint)
    for _, db in ipairs { shared(), own() } do
      for _, each in ipairs(db:query [[select conname::text as name, conrelid::regclass::text as "table"
          from pg_constraint where contype = 'f']]) do
        db:execute(("alter table %s alter constraint %s deferrable"):format(each.table, each.name))
      end
    end
    assert.equal(31, Moving.run("extract", "acme").rows)
    assert.equal(10, own():table("posts"):where("first_id", "is not", rille.null):count())
    assert.equal(31, Moving.run("absorb", "acme").rows)
  end)

  it("are no partitions, and do not write elsewhere", function()
    Moved.begin { "postgres", "sqlite" }
    shared():execute [[create table parts (org_id varchar(40), id bigint, primary key (org_id, id))
      partition by hash (id)]]
    shared():execute "create table parts_0 partition of parts for values with (modulus 1, remainder 0)"
    shared():execute "create unique index on parts (org_id, id)"
    rille.model "Part" { table = "parts", tenant_column = "org_id" }
    assert.matches("partitions", refused("unsupported", Moving.run, "extract", "acme").message)
    require "rille.model".forget_all()
    shared():execute "drop table parts"
    shared():execute "create schema elsewhere"
    shared():execute "create table elsewhere.likes (post_id bigint references posts (id) on delete cascade)"
    local e = refused("unsupported", Moving.run, "extract", "acme")
    assert.matches("elsewhere.likes", e.message)
    shared():execute "drop schema elsewhere cascade"
    shared():execute "create rule quiet as on delete to posts do instead nothing"
    assert.matches("rule quiet", refused("unsupported", Moving.run, "extract", "acme").message)
  end)

  it("may have ids of the tenant that are no texts", function()
    Moved.begin { "postgres", "sqlite" }
    shared():execute "create table plans (id bigint primary key, team_id bigint not null)"
    shared():insert("plans", { { id = 1, team_id = 7 }, { id = 2, team_id = 8 } })
    rille.model "Plan" { table = "plans", tenant_column = "team_id" }
    rille.tenant.create "acme"
    own():execute "create table plans (id integer primary key, team_id integer not null)"
    assert.equal(0, Moving.run("extract", "acme", { dry_run = true }).tables.plans)
    assert.same({ plans = 1, posts = 0, post_tags = 0, likes = 0 }, Extract.run(shared(), own(), { id = 7 }).tables)
    local left = shared():query "select team_id from plans"
    assert.same({ 1, 8 }, { #left, left[1].team_id })
  end)

  it("are seen as they are when they are locked, whatever the server's default is", function()
    Moved.begin { "postgres", "sqlite" }
    shared():execute [[do $$ begin execute format('alter database %I set default_transaction_isolation = %L',
      current_database(), 'repeatable read'); end $$]]
    Moved.connect()
    local words, written = require "rille.tenant.side.postgres", false
    local lock = words.lock
    words.lock = function(db, names)                     -- somebody's commit is waited for
      if not written then shared():insert("posts", { id = 1000, org_id = "acme", slug = "late" }) end
      written = true
      return lock(db, names)
    end
    local ok, e = pcall(Moving.run, "extract", "acme")
    words.lock = lock
    assert.is_true(ok, e)
    assert.same({ "", 17 }, { there "acme", own():table("posts"):count() })
  end)

  it("may refer to rows of everybody's that refer to others of these", function()
    Moved.begin { "sqlite", "postgres" }
    rille.tenant.create "acme"
    for _, name in ipairs { "main", "own" } do
      local db = name == "main" and shared() or own()
      for _, sql in ipairs { "create table kinds (id integer primary key)",
        "create table forms (id integer primary key, kind_id integer references kinds (id))",
        "alter table posts add column a_form_id integer references forms (id)",
        "alter table posts add column a_kind_id integer references kinds (id)",
        "alter table posts add column b_form_id integer references forms (id)" } do
        db:execute(sql)
      end
    end
    shared():insert("kinds", { id = 1 })
    shared():insert("forms", { { id = 1, kind_id = 1 }, { id = 2, kind_id = 1 } })
    shared():execute "update posts set a_form_id = 1, a_kind_id = 1, b_form_id = 2"
    Moving.run("extract", "acme")
    assert.same({ 1, 2 }, { own():table("kinds"):count(), own():table("forms"):count() })
  end)

  it("leave counters where they are further, and bring them behind what came, near or far", function()
    Moved.begin { "postgres", "postgres" }
    local count_on = require "rille.tenant.side.postgres".count_on
    for i, case in ipairs { { counter = 5000, last = 40, next = 5001 }, { counter = 5001, last = 5040, next = 5041 },
      { counter = 5041, last = 9000000, next = 9000001 } } do
      shared():query("select setval('tags_id_seq', ?)", case.counter)
      shared():insert("tags", { id = case.last, name = "came " .. i })
      count_on({ db = shared() }, "tags")
      assert.equal(case.next, shared():create("tags", { name = "next " .. i }).id)
    end
  end)

  it("may have ids of the tenant that are numbers, in the one form that ids have", function()
    Moved.begin { "postgres", "sqlite" }
    rille.tenant.create "acme"
    for _, db in ipairs { shared(), own() } do
      db:execute "create table plans (id bigint primary key, team_id bigint not null)"
    end
    shared():insert("plans", { { id = 1, team_id = 1000 }, { id = 2, team_id = 8 } })
    rille.model "Plan" { table = "plans", tenant_column = "team_id" }
    for _, id in ipairs { "1e3", "01000", "0x3e8" } do
      assert.equal("plans", refused("invalid_argument", Extract.run, shared(), own(), { id = id }).table)
    end
    assert.equal(1, Extract.run(shared(), own(), { id = "1000" }).tables.plans)
    for _, id in ipairs { "1e3", "01000", "0x3e8" } do
      assert.equal("plans", refused("invalid_argument", Extract.run, own(), shared(), { id = id }).table)
    end
    for _, db in ipairs { shared(), own() } do assert.equal(1, #db:query "select id from plans") end
  end)

  it("may have policies that keep tenants apart", function()
    Moved.begin { "postgres", "postgres" }
    rille.schema():table("posts", function(t) t:row_security() end)
    rille.tenant.create "acme"
    rille.schema("main"):table("likes", function(t) t:row_security() end)
    local mine = there "acme"
    assert.equal("", mine)                                  -- to whom the wall lets through nothing
    assert.equal(31, Moving.run("extract", "acme").rows)
    assert.equal(16, own():table("posts"):count())
    assert.equal(31, Moving.run("absorb", "acme").rows)
    for _, name in ipairs { "posts", "likes" } do
      shared():execute(("alter table %s no force row level security"):format(name))
    end
    assert.equal(16, shared():query("select count(*) as n from posts where org_id = 'acme'")[1].n)
    assert.equal(0, own():table("posts"):count())
  end)
end)
