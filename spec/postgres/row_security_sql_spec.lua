--- postgres/row_security_sql_spec: SQL of one's own, and models that forgot their tenant, behind row-level security: it
-- holds where the conditions of rille are not there; RILLE_SPEC_URL names a server.
local Database = require "spec.support.database"
local Walled = require "spec.support.tenancy.walled"
local core = require "rille.core"
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local as, count = Walled.as, Walled.count

describe("row-level security holds", function()
  local db, schema

  before_each(function()
    Walled.fill()
    db, schema = rille.db(), rille.schema()
  end)
  after_each(Walled.leave)

  it("SQL of a tenant's own, which may be run then", function()
    assert.equal(5, count "memos")
    assert.equal(2, as(1, count, "memos"))
    assert.equal(3, as(2, count, "memos"))
    assert.equal(0, as(3, count, "memos"))
    assert.equal(1, rille.tenant.run({ id = "t1" }, count, "notes"))
    as(1, function()
      assert.equal(2, db:execute("update memos set title = title || '!'").changes)
      assert.equal(2, db:execute("delete from memos").changes)
      assert.equal(0, count "memos where org_id = 2")
    end)
    assert.equal(3, count "memos")
  end)

  it("a model that forgot whose its rows are, so that nothing is compiled for it", function()
    require "rille.model".forget_all()
    local Bare = rille.model "Bare" { table = "memos" }
    as(1, function()
      assert.equal(2, Bare:count())
      assert.same({ 1, 1 }, { table.unpack(Bare:pluck "org_id") })
      assert.equal(2, #Bare:limit(10):all())
      assert.is_nil(Bare:where("org_id", 2):first())
      assert.equal(0, Bare:where("org_id", 2):delete())
      assert.equal(0, Bare:where("org_id", 2):update { title = "stolen" })
      refused("tenant_mismatch", function() Bare:create { org_id = 2, title = "x" } end)
      refused("tenant_mismatch", Bare.insert, Bare, { { org_id = 1, title = "y" }, { org_id = 2, title = "z" } })
      assert.equal(2, Bare:insert { { org_id = 1, title = "y" }, { org_id = 1, title = "z" } })
      refused("tenant_mismatch", function() Bare:where("title", "y"):update { org_id = 2 } end)
    end)
    assert.equal(3, Bare:where("org_id", 2):count())
  end)

  it("rows that are written for another tenant, which the server refuses", function()
    as(1, function()
      for _, sql in ipairs { "insert into memos (org_id, title) values (2, 'x')", "update memos set org_id = 2",
        "insert into memos (org_id, title) select 2, title from memos" } do
        local e = refused("tenant_mismatch", function() db:execute(sql) end)
        assert.matches("another tenant", e.message, 1, true)
        assert.equal("memos", e.table)
      end
      rille.transaction(function()
        refused("tenant_mismatch", rille.transaction, function() db:execute "update memos set org_id = 2" end)
        assert.equal(2, count "memos")
      end)
    end)
    assert.equal(3, count "memos where org_id = 2")
  end)

  it("SQL that only looks like what is refused", function()
    as(1, function()
      assert.equal(2, db:query "(select count(*) as n from memos)"[1].n)
      assert.equal("into", db:query "select 'into' as \"into\" -- into"[1].into)
      assert.equal(0, #db:query "with m as (insert into memos (org_id, title) values (1, 'x')) select 1 where false")
      assert.matches("Scan", db:query "explain (costs off, analyze) table memos"[1]["QUERY PLAN"])
    end)
    assert.equal(6, count "memos")
  end)

  it("nothing of what has the rows without a policy of its own: to name it is refused", function()
    db:execute [[create table parts (id bigint, org_id bigint, primary key (id, org_id)) partition by list (org_id)]]
    db:execute 'create table "Part 1" partition of parts for values in (1, 2)'
    schema:table("parts", function(t) t:row_security "org_id" end)
    rille.model "Part" { tenant_column = "org_id" }
    db:execute "create materialized view titles as select title from memos"
    db:execute "create materialized view names as select name from orgs"
    db:execute "create view shown as select title, parts.id from memos, parts where false"
    db:execute "create view more_titles as select * from titles"
    db:execute "insert into parts values (1, 1), (2, 2)"
    as(1, function()
      for _, name in ipairs { "titles", "TITLES", '"titles"', "public.titles", "more_titles", '"Part 1"' } do
        local e = refused("tenant_required", db.query, db, "select * from " .. name)
        assert.matches("no policy keeps them apart", e.message, 1, true)
      end
      assert.equal(1, count "parts")
      assert.equal(2, count "names")
      assert.equal(0, count "shown")
      assert.equal("titles", db:query "select 'titles' as n -- titles"[1].n)
      assert.equal(5, count("titles", { all_tenants = true }))
    end)
  end)

  it("a connection that says nothing: it sees no row", function()
    local beside <close> = core.open { driver = "postgres", url = Database.settings().url }
    assert.equal(0, beside:query "select count(*) as n from memos"[1].n)
    local ok, e = pcall(beside.execute, beside, "insert into memos (org_id, title) values (1, 'x')")
    assert.is_false(ok)
    assert.equal("42501", e.code)
  end)

  it("not what empties tables, changes them, or sets what it goes by: that is refused in a tenant", function()
    as(1, function()
      for _, sql in ipairs { "truncate memos", "alter table memos disable row level security", "drop table memos",
        "do $$ begin end $$", "set rille.tenant = '2'", [[select set_config('rille.tenant', '2', true)]],
        [[with x as (select set_config('rille.everybody', '*', true)) select * from x]], "vacuum memos",
        "/* select */ truncate memos", "/* /* */ select */ truncate memos", "-- x\rtruncate memos --\nselect 1",
        "select * into copied from memos", "with m as (select * from memos) select * into copied from m",
        "explain analyze create table copied as select * from memos", "(select 1 as n into copied)" } do
        local e = refused("tenant_required", function() db:execute(sql) end)
        assert.matches("all_tenants", e.hint, 1, true)
      end
    end)
    assert.equal(5, count "memos")
  end)
end)
