--- postgres/row_security_spec: row-level security behind a tenant's column: it follows the tenant, is made by
-- migrations, and says so where it does not hold; RILLE_SPEC_URL names a server.
local Cluster = require "spec.support.cluster"
local Database = require "spec.support.database"
local Wall = require "rille.tenant.wall"
local Walled = require "spec.support.tenancy.walled"
local core = require "rille.core"
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local URL <const> = os.getenv "RILLE_SPEC_URL"

local db, schema, Memo

local as, count = Walled.as, Walled.count

local function connect(...) db, schema = Walled.connect(...) end

--- The url of a superuser.
local function as_postgres() return (Database.settings().url:gsub("//[^@]*@", "//postgres@", 1)) end

--- Is an index of the table used to find rows?
local function uses_index(sql, ...)
  local plan = {}
  for _, row in ipairs(db:query("explain " .. sql, ...)) do plan[#plan + 1] = row["QUERY PLAN"] end
  return table.concat(plan, "\n"):find "Index Cond: %(.*org_id" ~= nil
end

describe("row-level security", function()
  before_each(function()
    Memo = Walled.fill()
    db, schema = rille.db(), rille.schema()
  end)
  after_each(Walled.leave)

  describe("is lifted", function()
    it("outside of tenants, for what says that all are meant, and for one model alone", function()
      as(1, function()
        assert.equal(5, count("memos", { all_tenants = true }))
        Memo:without_tenant_scope(function()
          assert.equal(5, Memo:count())
          assert.equal(5, count "memos")
          assert.equal(0, count "notes")
          Memo:create { org_id = 2, title = "by one" }
        end)
        assert.equal(2, count "memos")
      end)
      assert.equal(4, count "memos where org_id = 2")
    end)

    it("for a view of which all rows are meant, and for no longer than that", function()
      db:execute "create view titles as select title from memos"
      as(1, function()
        refused("tenant_required", function() return db:table("titles"):count() end)
        assert.equal(5, db:table("titles", { all_tenants = true }):count())
        assert.equal(5, #db:table("titles", { all_tenants = true }):all())
        assert.equal(2, count "titles")
        assert.equal(2, count "memos")
      end)
    end)
  end)

  describe("follows the tenant", function()
    it("from statement to statement on one connection", function()
      for turn = 1, 300 do
        local id = turn % 3
        if id == 0 then
          assert.equal(5, count "memos")
        else
          local row = as(id, function() return db:query "select count(*) as n, min(org_id) as o from memos"[1] end)
          assert.same({ id + 1, id }, { row.n, row.o })
        end
      end
      assert.equal(1, db:_connect():stats().connections)
    end)

    it("in transactions, behind savepoints and statements that fail", function()
      as(2, function()
        rille.transaction(function()
          assert.equal(3, count "memos")
          pcall(rille.transaction, function()
            assert.equal(5, count("memos", { all_tenants = true }))
            db:query "select 1 / 0"
          end)
          assert.equal(3, count "memos")
          assert.equal(5, Memo:without_tenant_scope(count, "memos"))
          assert.equal(3, count "memos")
          pcall(rille.transaction, function()
            Memo:without_tenant_scope(count, "memos")
            error "no"
          end)
          assert.equal(3, count "memos")
        end)
        refused("unique_violation", Memo.create, Memo, { title = "1 of 2" })
        assert.equal(3, count "memos")
      end)
    end)

    it("in cursors, beside which others read as somebody else", function()
      local reads = {}
      for id = 1, 2 do
        reads[id] = coroutine.wrap(function()
          as(id, function()
            for row in db:table("memos"):order_by("id"):cursor() do
              coroutine.yield(row.org_id)
            end
          end)
        end)
      end
      local seen = {}
      for _ = 1, 2 do
        for id = 1, 2 do seen[#seen + 1] = reads[id]() end
      end
      assert.same({ 1, 2, 1, 2 }, seen)
      as(1, function()
        local rows = 0
        for memo in Memo:cursor() do
          rows = rows + memo.org_id
          assert.equal(2, count "memos")
        end
        assert.equal(2, rows)
        rille.transaction(function()
          for memo in Memo:cursor() do rows = rows + memo.org_id end
        end)
        assert.equal(4, rows)
        local step = Memo:cursor()
        assert.equal(1, step().org_id)
        step = nil                                                             -- luacheck: ignore 311
        assert.equal(2, count "memos")
      end)
    end)

    it("to a cursor that fails, and past it", function()
      as(1, function()
        local e = refused("invalid_argument", function()
          Memo:where_raw("1 / (id - id) = 1"):cursor()()
        end)
        assert.matches("division by zero", e.message, 1, true)
        assert.equal(2, count "memos")
      end)
    end)

    it("to a connection that is made anew", function()
      as(2, function()
        assert.equal(3, count "memos")
        local pid = db:query("select pg_backend_pid() as pid", { all_tenants = true })[1].pid
        local admin <close> = core.open { driver = "postgres", url = URL }
        assert.is_true(admin:query("select pg_terminate_backend($1, 5000) as done", { pid })[1].done)
        core.pause(150)                                    -- by then a connection is looked at before it is used
        assert.equal(3, count "memos")
        assert.equal(3, Memo:count())
      end)
    end)

    it("in reads that go together, also where a server has forgotten what was prepared", function()
      require "rille.model".forget_all()
      local Org = rille.model "Org" { relations = { memos = rille.has_many "Memo",
        first = rille.has_one("Memo", { order_by = "title" }) } }
      Memo = rille.model "Memo" { tenant_column = "org_id" }
      local function read(id, forgets)
        local orgs = Org:order_by("id"):all()
        if forgets then db:execute("deallocate all", { all_tenants = true }) end
        orgs:load("memos", "first")
        for i, org in ipairs(orgs) do
          assert.equal(i == id and id + 1 or 0, #org.memos)
          assert.equal(i == id and ("1 of %d"):format(id) or nil, org.first and org.first.title)
        end
      end
      for _ = 1, 2 do
        as(1, read, 1)
        as(2, read, 2)
      end
      as(2, read, 2, true)
      as(1, read, 1)
    end)

    it("behind a pooler, whose servers forget what was prepared", function()
      as(2, function()
        assert.equal(3, count "memos")
        db:query("deallocate all", { all_tenants = true })
        assert.equal(3, count "memos")
        assert.equal(3, rille.transaction(function() return count "memos" end))
        db:query("deallocate all", { all_tenants = true })
        local rows = 0
        for _ in Memo:cursor() do rows = rows + 1 end
        assert.equal(3, rows)
      end)
      assert.equal(5, count "memos")
    end)

    it("no further than that: outside of tenants everybody's rows are meant", function()
      as(1, function()
        count "memos"
        rille.transaction(function() count "memos" end)
      end)
      assert.same({ tenant = "", everybody = "*" }, db:query([[select current_setting('rille.tenant', true) as tenant,
        current_setting('rille.everybody', true) as everybody]])[1])
    end)
  end)

  it("costs no round trip of its own", function()
    local function trips(fn)
      local before = db:_connect():stats().round_trips
      fn()
      return db:_connect():stats().round_trips - before
    end
    as(2, function()
      local id = Memo:first().id
      local function read() Memo:find(id) end
      local function walk()
        for _ in Memo:cursor() do id = id + 0 end
      end
      for _, each in ipairs { { read, 1 }, { walk, 1 }, { function() count "memos" end, 1 },
        { function() rille.transaction(function() read() read() end) end, 3 },
        { function() Memo:without_tenant_scope(read) end, 1 } } do
        each[1]()                                            -- which prepares what it runs
        assert.equal(each[2], trips(each[1]))
      end
    end)
  end)

  it("leaves an index of the tenant's column to the statements that say it", function()
    db:execute [[insert into memos (org_id, title) select 1 + i % 2, 'many ' || i from generate_series(1, 4000) as i]]
    db:execute "analyze memos"
    as(1, function()
      local sql, params = Memo:where("title", "many 8"):to_sql()
      assert.is_true(uses_index((sql:gsub("%$(%d)", function(i)
        local value = params[tonumber(i)]
        return type(value) == "string" and "'" .. value .. "'" or tostring(value)
      end))))
    end)
  end)

  describe("is tried before a tenant reads:", function()
    local function breaks(sql, pattern, back)
      db:execute(sql)
      for _ = 1, 2 do
        local e = refused("unsupported", as, 1, function() return Memo:count() end)
        assert.matches(pattern, e.message)
        refused("unsupported", as, 1, count, "memos")
      end
      assert.equal(5, count "memos", "outside of tenants it is mended")
      db:execute(back)
      assert.equal(2, as(1, Memo.count, Memo))
    end

    it("the policy of each table", function()
      breaks("alter table memos no force row level security", "does not hold for its owner",
        "alter table memos force row level security")
      breaks("alter table memos disable row level security", "does not hold for its owner",
        "alter table memos enable row level security")
      breaks("create policy other on memos for select using (true)", "the policy other too",
        "drop policy other on memos")
      breaks("alter policy rille_tenant on memos to rille", "says something else",
        "alter policy rille_tenant on memos to public")
      db:execute "alter policy rille_tenant on memos with check (true)"
      assert.matches("says something else", refused("unsupported", as, 1, Memo.count, Memo).message, 1, true)
    end)

    it("a policy that is not there", function()
      schema:table("memos", function(t) t:drop_row_security() end)
      local e = refused("unsupported", as, 1, function() return Memo:count() end)
      assert.equal("memos", e.table)
      assert.matches("has no policy", e.message, 1, true)
      schema:table("memos", function(t) t:row_security() end)
      assert.equal(2, as(1, Memo.count, Memo))
    end)

    it("the table of a model that comes later", function()
      assert.equal(2, as(1, Memo.count, Memo))
      schema:create("plans", function(t) t:id(); t:references("org"):tenant() end)
      local Plan = rille.model "Plan" { tenant_column = "org_id" }
      refused("unsupported", as, 1, Plan.count, Plan)
      schema:table("plans", function(t) t:row_security() end)
      assert.equal(0, as(1, Plan.count, Plan))
    end)

    it("the role, which may be none that passes by policies", function()
      connect { url = as_postgres() }
      local e = refused("unsupported", as, 1, function() return Memo:count() end)
      assert.matches("postgres is a superuser", e.message, 1, true)
      assert.equal(5, count "memos")
    end)
  end)

  it("is wanted from PostgreSQL alone, and of tenants that share tables", function()
    rille.configure { connections = { main = { database = ":memory:" } }, tenancy = { rls = true } }
    refused("unsupported", function() return rille.db():query "select 1" end)
    refused("invalid_argument", rille.configure, { tenancy = { rls = true, strategy = "schema" } })
    refused("invalid_argument", rille.configure, { tenancy = { rls = "yes" } })
  end)

  describe("in the words of migrations", function()
    local function policy(name)
      return db:query([[select c.relrowsecurity as on, c.relforcerowsecurity as forced, (select count(*)
        from pg_policy p where p.polrelid = c.oid) as policies from pg_class c where c.oid = to_regclass(?)]], name)[1]
    end

    it("is made and undone", function()
      assert.same({ on = true, forced = true, policies = 1 }, policy "memos")
      schema:table("memos", function(t) t:drop_row_security() end)
      assert.same({ on = false, forced = false, policies = 0 }, policy "memos")
      refused("migration", schema.table, schema, "memos", function(t) t:drop_row_security() end)
      schema:table("memos", function(t) t:row_security() end)
      refused("migration", schema.table, schema, "memos", function(t) t:row_security() end)
      refused("migration", schema.table, schema, "orgs", function(t) t:row_security() end)
      refused("no_such_column", schema.table, schema, "orgs", function(t) t:row_security "org" end)
      refused("invalid_argument", schema.create, schema, "x", function(t) t:id(); t:row_security() end)
    end)

    it("goes with a table and a column that change", function()
      schema:table("memos", function(t) t:rename("org_id", "team_id") end)
      schema:rename("memos", "letters")
      require "rille.model".forget_all()
      rille.model "Letter" { tenant_column = "team_id" }
      assert.equal(2, as(1, count, "letters"))
      schema:table("notes", function(t)
        t:drop_index { name = "notes_owner_id_unique" }
        t:string("owner", 60):change()
      end)
      rille.model "Note" { tenant_column = "owner" }
      assert.equal(1, rille.tenant.run({ id = "t2" }, count, "notes"))
      local e = refused("migration", schema.table, schema, "notes", function(t) t:drop "owner" end)
      assert.matches("drop_row_security", e.hint, 1, true)
    end)

    it("leaves policies of others in force", function()
      db:execute "create policy other on memos as restrictive using (title <> 'secret')"
      assert.equal(2, as(1, count, "memos"))
      schema:table("memos", function(t) t:drop_row_security() end)
      assert.same({ on = true, forced = true, policies = 1 }, policy "memos")
    end)

    it("is written by migrate:generate for models that lack it, and undone by what that wrote", function()
      local Generate = require "rille.migrator.generate"
      schema:table("memos", function(t) t:drop_row_security() end)
      rille.model "Plan" { tenant_column = "org_id", fields = function(t) t:id(); t:references("org"):tenant() end }
      local generated = Generate.of(db)
      assert.same({ "plans", "memos" }, generated.tables)
      assert.same({}, generated.not_undone)
      local migration = load(generated.text, "=generated", "t", {})()
      migration.up(schema)
      assert.same({}, Generate.of(db).tables)
      assert.same({ on = true, forced = true, policies = 1 }, policy "plans")
      assert.same({}, Wall.faults(db:_connect(), Wall.guards "main"))
      migration.down(schema)
      assert.same({ on = false, forced = false, policies = 0 }, policy "memos")
    end)

    it("is missed by db:lint, and so is another role", function()
      local Lint = require "rille.tenant.lint"
      local function found(kind)
        local list = {}
        for _, each in ipairs(Lint.run()) do
          if each.kind == kind then list[#list + 1] = each.table end
        end
        return list
      end
      assert.same({}, found "no_policy")
      schema:table("memos", function(t) t:drop_row_security() end)
      assert.same({ "memos" }, found "no_policy")
      connect { url = as_postgres() }
      assert.same({ "(all)" }, found "role")
      connect(nil, {})
      assert.same({}, found "no_policy")
    end)
  end)

  it("is told to replicas, and tried there", function()
    local cluster = Cluster.start(1)
    finally(function() cluster:destroy() end)
    Memo = Walled.fill { url = cluster.urls[0], replicas = { cluster.urls[1] } }
    local numbers = {}
    local stop = rille.on("query", function(event) numbers[#numbers + 1] = event.replica end)
    rille.session.start({}):run(function()
      as(1, function()
        Memo:create { title = "seen" }
        assert.equal(3, count "memos")
        assert.equal(3, Memo:count())
      end)
    end)
    stop()
    assert.is_true(#numbers > 0)
  end)
end)
