--- cli_promote_spec: `rille promote` as a shell calls it; RILLE_SPEC_URL names a server.
local Database = require "spec.support.database"
local Project = require "spec.support.project"
local core = require "rille.core"

local TABLES <const> = [[return {
  up = function(s) s:create("posts", function(t) t:id() t:string("title", 20) end) end,
  down = function(s) s:drop "posts" end,
}]]

describe("rille promote", function()
  local project, url, db
  before_each(function()
    local rille = require "rille"
    rille.configure { connections = { main = Database.settings() } }
    db, url = Database.empty(rille.db()), Database.settings().url
    project = Project.new { ["migrations/0001_posts.lua"] = TABLES, ["rille.config.lua"] =
      [[return { connections = { main = { database = "main.db" } } }]] }
    assert.equal(0, (project:run "migrate"))
    project:write("fill.lua", [[require "rille".db():insert("posts", { { title = "a" }, { title = "b" } })]])
    assert.equal(0, (project:run "run fill.lua"))
  end)
  after_each(function()
    project:remove()
    require "rille".close()
  end)

  local function promote(options) return project:run(("promote --to '%s' %s"):format(url, options or "")) end
  local function object(options) return project:json(("promote --to '%s' %s"):format(url, options or "")) end

  --- SQL for the source.
  local function change(sql)
    project:write("change.lua", ("local db = require 'rille'.db() for _, sql in ipairs { %q } do db:execute(sql) end")
      :format(sql))
    local status, out = project:run "run change.lua"
    assert.equal(0, status, out)
  end

  it("copies, says how many rows, and what the configuration is to say", function()
    local status, out = promote "--dry-run"
    assert.equal(0, status, out)
    assert.matches("3 rows of 2 tables would go over", out)
    assert.same({}, db:tables())
    status, out = promote()
    assert.equal(0, status, out)
    assert.matches("3 rows of 2 tables went over, and are the same on both sides", out)
    assert.matches('connections = { main = { driver = "postgres", url = "postgresql://', out, 1, true)
    assert.equal(2, db:table("posts"):count())
    status, out = promote()
    assert.equal(0, status, out)
    assert.matches("nothing to do", out)
    local again = object()
    assert.same({ true, "already", 3 }, { again.ok, again.state, again.rows })
  end)

  it("gives the tables as JSON", function()
    local seen, done = object "--dry-run", object()
    assert.same({ "dry_run", "done", 3 }, { seen.state, done.state, done.rows })
    assert.same({ "posts", 2, "copied" }, { done.tables[1].name, done.tables[1].rows, done.tables[1].state })
    assert.equal(seen.tables[1].digest, done.tables[1].digest)
  end)

  it("names what does not fit, and fails", function()
    change "insert into posts (title) values ('a title that is longer than it may be')"
    for _, options in ipairs { "--dry-run", "" } do
      local status, out = promote(options)
      assert.equal(1, status)
      assert.matches("posts.title holds at most 20 characters, not 37", out, 1, true)
      assert.matches("id = 3", out)
      local failed = object(options)
      assert.same({ false, "validation", 1, "id = 3" }, { failed.ok, failed.error.kind, failed.misfit_count,
        failed.misfits[1].row })
    end
    assert.same({}, db:tables())
  end)

  it("leaves behind what does not go over only when told so", function()
    change "create view titles as select title from posts"
    local status, out = promote()
    assert.equal(1, status)
    assert.matches('left behind: view titles', out)
    assert.same({}, db:tables())
    assert.equal("titles", object "--dry-run".left[1].name)
    status, out = promote "--yes"
    assert.equal(0, status, out)
    assert.matches('left behind: view titles', out)
  end)

  it("says how it is called", function()
    local status, out = project:run "promote"
    assert.equal(2, status)
    assert.matches("says no target", out)
    status, out = project:run "promote --to other.db"
    assert.equal(1, status)
    assert.matches("a PostgreSQL database", out)
    assert.equal(2, (promote "--schema both"))
  end)

  it("takes each tenant's database to a schema of its own", function()
    project:write("rille.config.lua", [[return { connections = { main = { database = "main.db" } },
      tenancy = { strategy = "database", pattern = "tenants/{slug}.db" } }]])
    local slugs <const> = { "acme", "globex", "broken" }
    for _, slug in ipairs(slugs) do db:execute(("drop schema if exists %s cascade"):format(slug)) end
    assert.equal(0, (project:run "tenants:create acme globex broken"))
    project:write("fill.lua", [[for i, slug in ipairs { "acme", "globex", "broken" } do
      local db = require "rille.tenant.place".handle(slug)
      for n = 1, i do db:insert("posts", { title = slug .. n }) end
      if slug == "broken" then db:execute "update posts set title = printf('%.30c', 'x')" end
    end]])
    assert.equal(0, (project:run "run fill.lua"))
    local seen = object "--all-tenants --dry-run"
    assert.same({ false, 1, "dry_run", "misfits", "dry_run" }, { seen.ok, seen.failed, seen.tenants[1].state,
      seen.tenants[2].state, seen.tenants[3].state })
    local status, out = promote "--all-tenants"
    assert.equal(1, status)
    assert.matches("1 tenant of 3 did not go over", out)
    project:write("mend.lua", [[require "rille.tenant.place".handle("broken"):execute "update posts set title = 'x'"]])
    assert.equal(0, (project:run "run mend.lua"))
    status, out = promote "--all-tenants"
    assert.equal(0, status, out)
    assert.matches("3 tenants went over, each into a schema", out)
    project:write("rille.config.lua", ([[return { connections = { main = { driver = "postgres", url = %q } },
      tenancy = { strategy = "schema" } }]]):format(url))
    local listed = {}
    for i, each in ipairs(project:json "tenants:list".tenants) do listed[i] = each.slug end
    assert.same({ "acme", "broken", "globex" }, listed)
    project:write("count.lua", [[local rille = require "rille"
      for _, slug in ipairs { "acme", "broken", "globex" } do
        io.write(slug, rille.tenant.run(slug, function() return rille.db():table("posts"):count() end), " ")
      end]])
    out = select(2, project:run "run count.lua")
    assert.equal("acme1 broken3 globex2 ", out)
    assert.matches("0 tenants migrated, ", select(2, project:run "tenants:migrate acme"))
    for _, slug in ipairs(slugs) do db:execute(("drop schema %s cascade"):format(slug)) end
  end)

  it("takes each tenant's database to one at the server, where the target names it", function()
    local name <const> = "promoted_{slug}_" .. url:match "spec_(%w+)"
    local pattern = url:gsub("@/%w+", "@/" .. name):gsub("[?&]options=[^&]*", "")
    local config <const> = [[return { connections = { main = { database = "main.db" } },
      tenancy = { strategy = "database", pattern = %q } }]]
    project:write("rille.config.lua", config:format "tenants/{slug}.db")
    assert.equal(0, (project:run "tenants:create acme globex"))
    project:write("fill.lua", [[for i, slug in ipairs { "acme", "globex" } do
      local db = require "rille.tenant.place".handle(slug)
      for n = 1, i do db:insert("posts", { title = slug .. n }) end
    end]])
    assert.equal(0, (project:run "run fill.lua"))
    local function promote_all(options)
      return project:run(("promote --all-tenants --to '%s' %s"):format(pattern, options or ""))
    end
    local function called(like)
      local names = {}
      for i, row in ipairs(db:query("select datname::text as name from pg_database where datname like ?", like)) do
        names[i] = row.name
      end
      return names
    end
    local function databases() return called((name:gsub("{slug}", "%%%%"))) end
    --- Those that are made elsewhere meanwhile are soon gone by this name; one that was left would stay.
    local function nothing_is_left()
      local there = called "rille\\_new%"
      for _ = 1, 600 do
        local still = {}
        for _, each in ipairs(called "rille\\_new%") do still[each] = true end
        for i = #there, 1, -1 do
          if not still[there[i]] then table.remove(there, i) end
        end
        if #there == 0 then return end
        core.pause(50)
      end
      error("left: " .. table.concat(there, " "))
    end
    local status, out = promote_all "--dry-run"
    assert.equal(0, status, out)
    assert.matches("2 tenants would go over, each into a database", out)
    assert.same({}, databases())
    nothing_is_left()
    for _ = 1, 2 do
      status, out = promote_all()
      assert.equal(0, status, out)
      assert.matches("2 tenants went over, each into a database", out)
    end
    assert.equal(2, #databases())
    nothing_is_left()
    project:write("rille.config.lua", config:format(pattern))
    project:write("count.lua", [[local rille = require "rille"
      for _, slug in ipairs { "acme", "globex" } do
        io.write(slug, rille.tenant.run(slug, function() return rille.db():table("posts"):count() end), " ")
      end]])
    assert.equal("acme1 globex2 ", (select(2, project:run "run count.lua")))
    for _, each in ipairs(databases()) do db:execute(('drop database "%s"'):format(each)) end
  end)
end)
