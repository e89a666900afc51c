--- postgres/tenant_behind_spec: what of PostgreSQL has rows of tenants behind it: views, rules, functions, partitions.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1, slug = "acme" }, { id = 2 }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("behind a view of PostgreSQL", function()
  local db, Post

  local function hidden(name)
    local e = as(A, refused, "tenant_required", function() return db:table(name):count() end)
    assert.matches("is not limited to the tenant", e.message)
    assert.is_number(db:table(name):count())
  end

  local function open(name) assert.is_number(as(A, function() return db:table(name):count() end)) end

  before_each(function()
    db = world.fresh(
      "create table posts (id integer primary key, org_id INTEGER not null, title TEXT)",
      "create table people (id integer primary key, name TEXT)")
    Post = rille.model "Post" { tenant_column = "org_id" }
    for _, tenant in ipairs { A, B } do as(tenant, function() Post:create { title = "of " .. tenant.id } end) end
  end)
  after_each(function() rille.close() end)

  it("its tables are found however they are named", function()
    for i, sql in ipairs {
      'select * from "posts"', "select * from Posts", "table posts", "select 1 as a where exists (select from posts)",
      "with p as (select * from posts) select count(*) as n from p", "select p from posts as p", "select * from v1",
      "select id from people where id in (select n from v5)", "select u.id from people u left join v2 on true",
      "select * from posts tablesample system (100)", "select 1 as a from people order by (select max(id) from posts)",
    } do
      db:execute(("create view v%d as %s"):format(i, sql))
      hidden("v" .. i)
    end
    db:execute "create materialized view kept as select title from v6, posts"
    hidden "kept"
  end)

  it("there may be others, and texts and names that only look alike", function()
    db:execute "create table posts_old (id integer primary key)"
    db:execute "create view names as select u.id, name, 'from posts' as posts from people u, posts_old"
    db:execute "create view above as select lower(name) as name, count(*) as n from names group by 1"
    db:execute "create materialized view sums as select sum(n) as n from above"
    db:execute "create schema aside"
    db:execute "create view aside.names as select title from posts"
    for _, name in ipairs { "names", "above", "sums", "posts_old", "people" } do open(name) end
    db:execute "create view from_aside as select title from aside.names"
    hidden "from_aside"
    db:execute "drop schema aside cascade"
  end)

  it("what runs by a rule or a trigger may write rows of tenants", function()
    db:execute "create view names as select id, name from people"
    open "names"
    db:execute [[create rule keep as on insert to names do instead insert into posts (org_id, title)
      values (2, new.name)]]
    hidden "names"
    as(A, refused, "tenant_required", function() return db:insert("names", { name = "x" }) end)
    db:execute "create view others as select id, name from people"
    db:execute [[create function take() returns trigger language plpgsql as
      'begin insert into posts (org_id, title) values (2, new.name); return new; end']]
    open "others"
    db:execute "create trigger take instead of insert on others for each row execute function take()"
    hidden "others"
  end)

  it("what a function of somebody's reads is not known, wherever it is called", function()
    db:execute [[create function titles() returns setof text language plpgsql as
      'begin return query select title from posts; end']]
    db:execute [[create function is_like(a text, b text) returns boolean language sql as
      'select exists (select from posts where title = a)']]
    db:execute "create operator ~~~ (leftarg = text, rightarg = text, function = is_like)"
    for i, sql in ipairs { "select t from titles() as t", "select id from people where name in (select titles())",
      "select id from people where name ~~~ 'x'", "select id from people where is_like(name, 'x')" } do
      db:execute(("create view v%d as %s"):format(i, sql))
      hidden("v" .. i)
    end
    open "people"
  end)

  it("a text may be run as SQL", function()
    db:execute [[create view as_xml as select cast(query_to_xml('select * from posts', true, false, '') as text) as x]]
    hidden "as_xml"
  end)

  it("rows of tenants are those of partitions and of tables that inherit, too", function()
    db:execute "create table events (id bigint, org_id bigint not null) partition by range (id)"
    db:execute "create table events_1 partition of events for values from (0) to (100)"
    db:execute "create table things (id bigint)"
    db:execute "create table notes (org_id bigint not null) inherits (things)"
    db:execute "create table plain (id bigint)"
    db:execute "create table plain_1 (n bigint) inherits (plain)"
    rille.model "Event" { tenant_column = "org_id", primary_key = { "id" } }
    rille.model "Note" { tenant_column = "org_id", primary_key = { "id" } }
    for _, name in ipairs { "events_1", "things" } do hidden(name) end
    for _, name in ipairs { "plain", "plain_1" } do open(name) end
    as(A, function()
      assert.equal(0, db:table "events":count())
      assert.equal(0, db:table "notes":count())
    end)
  end)

  it("is seen where all of it is lifted", function()
    db:execute "create view every as select title from posts"
    as(A, function()
      assert.equal(2, Post:without_tenant_scope(function() return db:table "every":count() end))
      assert.equal(2, db:table("every", { all_tenants = true }):count())
    end)
    hidden "every"
  end)

  it("is read again where something is dropped under the look at all there is", function()
    local Behind, real, left = require "rille.tenant.behind.postgres", db:_connect(), 0
    local handle = { _connect = function()
      return { query = function(_, sql, params)
        left = left - 1
        if left >= 0 then
          real:query([[do $$ begin
            raise exception using errcode = 'XX000', message = 'could not open relation'; end $$]], {})
        end
        return real:query(sql, params)
      end }
    end }
    for failures = 0, 4 do
      left = failures
      assert.is_function(Behind.read(handle))
    end
    left = 5
    assert.equal("XX000", refused("invalid_argument", Behind.read, handle).code)
  end)
end)
