--- postgres/tenant_raw_spec: tables that a part of a query in SQL of one's own reads by names in texts, on PostgreSQL.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1 }, { id = 2 }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a part of a query of PostgreSQL, inside a tenant,", function()
  local db, Post

  before_each(function()
    db = world.fresh "create table posts (id integer primary key, org_id INTEGER not null, title TEXT)"
    Post = rille.model "Post" { tenant_column = "org_id" }
    for _, tenant in ipairs { A, B } do as(tenant, function() Post:create { title = "of " .. tenant.id } end) end
  end)
  after_each(function() rille.close() end)

  it("reads no table", function()
    for _, sql in ipairs {
      "(2, 2, 'of 2') in (table posts)", "exists (Table posts)",
      "query_to_xml('select * from posts', true, true, '')::text like '%of 2%'",
      "pg_catalog . Query_To_Xml /* x */ ('select 1', true, true, '') is null",
      [["table_to_xml"('posts', true, true, '') is null]],
      [["pg_catalog"."table_to_xmlschema"('posts', true, true, '') is null]],
      [[U&"t\0061ble_to_xml"('posts', true, true, '') is null]], "schema_to_xml('public', true, true, '') is null",
      "ts_rewrite('a'::tsquery, 'select ''a''::tsquery, ''b''::tsquery') is null",
      "pg_stat_get_live_tuples('posts'::regclass) > 1", "pg_stat_get_live_tuples(1) > 1",
      "pg_relation_size('posts') > 0", "cast('posts' as RegClass) is null", [['posts'::"regclass" is null]],
      "setval('posts_id_seq', 1) > 0", "to_regclass('posts') is null",
    } do
      as(A, function()
        local e = refused("tenant_required", function() Post:where_raw(sql):count() end)
        assert.equal("SQL of your own that reads tables is not limited to the current tenant", e.message)
        refused("tenant_required", function() Post:select_raw(sql .. " as x"):first() end)
      end)
    end
    local xml = Post:select_raw "table_to_xml('posts', true, true, '')::text as x"
    as(A, function() refused("tenant_required", xml.first, xml) end)
    as(A, function() Post:without_tenant_scope(function() assert.matches("of 2", xml:first().x) end) end)
  end)

  it("may have names and texts that only look alike, and functions that read none", function()
    db:execute "alter table posts add ts_stats integer default 7, add regclasses text default 'table posts'"
    db:forget()
    as(A, function()
      for _, sql in ipairs { "ts_stats in (7)", "regclasses = 'table posts'", "posts.ts_stats = 7",
        "title <> 'pg_relation_size(''posts'')'", [["ts_stats" = 7]], "pg_column_size(title) > 0",
        "pg_size_pretty(10::bigint) <> ''", "regexp_replace(title, 'o', 'u') = 'uf 1'",
        "to_tsvector(title) @@ to_tsquery('1')" } do
        assert.equal(1, Post:where_raw(sql):count(), sql)
      end
    end)
  end)

  it("and a view that reads by such a name is no way either", function()
    db:execute "create view sizes as select 1 as id, pg_relation_size('posts'::text::regclass) as n"
    db:execute "create view numbers as select 1 as id, abs(2) as resetval"
    as(A, refused, "tenant_required", function() return db:table "sizes":count() end)
    assert.equal(1, as(A, function() return db:table "numbers":count() end))
  end)
end)
