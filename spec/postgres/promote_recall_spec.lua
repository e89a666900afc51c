--- promote_recall_spec: tables that no migration made, as PostgreSQL gets them; RILLE_SPEC_URL names a server.
local Promotion = require "spec.support.promotion"

describe("a table that comes from the catalog", function()
  local p
  before_each(function() p = Promotion.new() end)
  after_each(function() p:close() end)

  it("keeps which rows an index covers, and how a text of the moment is written", function()
    for _, sql in ipairs { "create table a (id integer primary key, t text, at varchar(30) default current_timestamp, "
      .. "day text default (CURRENT_DATE))", "create unique index a_t on a (t) /* new ones */ where id > 2",
      "insert into a (id, t) values (1, 'x'), (2, 'x')" } do
      p.here:execute(sql)
    end
    p:run()
    p.there:execute "insert into a (t) values ('x')"
    assert.equal(3, p.there:query("select count(*) as n from a where at like '____-__-__ __:__:__' and "
      .. "day like '____-__-__'")[1].n)
  end)

  it("keeps its names whole, or is refused", function()
    local long = ("x"):rep(64)
    p.here:execute("create table a (id integer primary key, " .. long .. " text)")
    assert.matches('the column "' .. long .. '" of "a" has 64 bytes', p:refused().message, 1, true)
    p.here:execute("alter table a rename column " .. long .. " to t")
    p.here:execute("create table " .. long .. " (id integer primary key)")
    local e = p:refused()
    assert.equal("unsupported", e.kind)
    assert.matches('the table "' .. long .. '" has 64 bytes', e.message, 1, true)
    assert.equal("done", p:run { skip = { long } }.state)
  end)

  it("says what means another thing there: keys that wait, conflicts, collations of indexes", function()
    for _, sql in ipairs { "create table a (x integer, y integer, primary key (x, y))",
      "create table b (id integer primary key, t text not null unique on conflict ignore, x integer, y integer, "
        .. "unique (x, t) on conflict replace, foreign key (x, y) references a (x, y) deferrable initially deferred)",
      "create unique index b_t on b (t collate nocase)" } do
      p.here:execute(sql)
    end
    local why = {}
    for i, each in ipairs(p:refused().done.left) do why[i] = each.name .. ": " .. each.why end
    table.sort(why)
    assert.same({ "b: t, unique: on conflict ignore", "b: the foreign key of x, y is deferrable",
      "b: unique: on conflict replace", "b_t: nocase of t: PostgreSQL will compare its texts by their bytes" }, why)
  end)
end)
