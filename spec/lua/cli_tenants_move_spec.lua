--- cli_tenants_move_spec: a tenant's rows moved between the shared database and its own, as a shell does it.
local core = require "rille.core"
local Project = require "spec.support.project"

local CONFIG = [[return { connections = { main = { database = "main.db" } },
  tenancy = { strategy = "database", fallback = "main", pattern = "tenants/{slug}.db",
    resolve = function(slug)
      local row = require "rille".db "main":query("select id from orgs where slug = ?", slug)[1]
      return row
    end } }]]
local TABLES = [[return {
  up = function(s)
    s:create("orgs", function(t) t:id() t:string("slug"):unique() end)
    s:create("posts", function(t)
      t:id()
      t:integer "org_id":tenant()
      t:string("title"):unique()
    end)
    s:create("notes", function(t)
      t:references("post", "posts")
      t:string "body"
    end)
  end,
  down = function(s) s:drop "notes" s:drop "posts" s:drop "orgs" end,
}]]
local FILL = [[local db = require "rille".db "main"
  db:insert("orgs", { { id = 1, slug = "acme" }, { id = 2, slug = "globex" }, { id = 3, slug = "empty" } })
  for i = 1, 10 do
    db:insert("posts", { id = i, org_id = i % 2 + 1, title = "t" .. i })
    db:insert("notes", { post_id = i, body = "n" })
  end]]

local project

local function rille(command) return project:run(command) end
local function object(command) return project:json(command) end

--- Run Lua with the handle of the tenant's own database, and that of the shared one, in a process of its own.
local function script(code)
  project:write("script.lua", [[local rille = require "rille"
    local function own(slug) return require "rille.tenant.place".handle(slug) end
    local main = rille.db "main"
    ]] .. code)
  local status, out = rille "run script.lua"
  assert.equal(0, status, out)
  return out
end

--- How many posts and notes of organization 1 and 2 are in the shared database and in the one of the tenant.
local function counts(slug)
  return script(([[local list = {}
    for _, db in ipairs { main, own %q } do
      list[#list + 1] = #db:query "select * from posts where org_id = 1"
      list[#list + 1] = #db:query "select * from posts where org_id = 2"
      list[#list + 1] = #db:query "select * from notes"
    end
    io.write(table.concat(list, " "))]]):format(slug))
end

describe("a tenant's rows, by command", function()
  before_each(function()
    project = Project.new { ["rille.config.lua"] = CONFIG, ["migrations/0001_tables.lua"] = TABLES,
      ["fill.lua"] = FILL }
    assert.equal(0, (rille "migrate"))
    assert.equal(0, (rille "run fill.lua"))
  end)
  after_each(function() project:remove() end)

  it("move out of the shared database, and back, and the second time there is nothing to do", function()
    local status, said = rille "tenants:extract globex"
    assert.same({ 0, "  notes  5 rows\n  posts  5 rows\n10 rows of globex moved\n" }, { status, said })
    assert.equal("5 0 5 0 5 5", counts "globex")
    assert.equal("  notes  0 rows\n  posts  0 rows\n0 rows of globex moved\n",
      select(2, rille "tenants:extract globex"))
    assert.equal("5 0 5 0 5 5", counts "globex")
    local back = object "tenants:absorb globex"
    assert.same({ true, 10, { notes = 5, posts = 5 }, "globex", false },
      { back.ok, back.rows, back.tables, back.tenant, back.dry_run })
    assert.equal("5 5 10 0 0 0", counts "globex")
    assert.equal(0, object "tenants:absorb globex".rows)
    assert.equal("5 5 10 0 0 0", counts "globex")
  end)

  it("are counted without anything being made or changed", function()
    assert.equal("  notes  5 rows\n  posts  5 rows\n10 rows of acme would move\n",
      select(2, rille "tenants:extract acme --dry-run"))
    local dry = object "tenants:extract acme --dry-run"
    assert.same({ 10, true }, { dry.rows, dry.dry_run })
    assert.is_nil(core.file_size(project.path .. "/tenants/acme.db"))
    assert.is_nil(core.list_directory(project.path .. "/tenants"))
    rille "tenants:extract acme"
    assert.equal("  notes  5 rows\n  posts  5 rows\n10 rows of acme would move\n",
      select(2, rille "tenants:absorb acme --dry-run"))
    assert.equal("0 5 5 5 0 5", counts "acme")
    os.remove(project.path .. "/main.db")
    for _, command in ipairs { "extract acme --dry-run", "extract acme", "absorb acme" } do
      local e = object("tenants:" .. command).error
      assert.equal("not_found", e.kind)
      assert.matches("main.db", e.message)
      assert.is_nil(core.file_size(project.path .. "/main.db"))
    end
  end)

  it("are of a tenant that there is, by its name", function()
    for command, kind in pairs {
      ["extract nobody"] = "tenant_unknown", ["absorb nobody"] = "tenant_unknown", ["absorb acme"] = "tenant_unknown",
      ["extract empty"] = "tenant_unknown", ["extract empty --dry-run"] = "tenant_unknown",
      ["extract ../acme"] = "invalid_argument", ["absorb Acme"] = "invalid_argument",
    } do
      local done = object("tenants:" .. command)
      assert.same({ false, kind }, { done.ok, done.error.kind }, command)
    end
    assert.is_nil(core.list_directory(project.path .. "/tenants"))
    assert.equal(2, (rille "tenants:extract"))
    assert.equal(2, (rille "tenants:absorb acme globex"))
    project:write("rille.config.lua", [[return { connections = { main = { database = "main.db" } },
      tenancy = { strategy = "database", pattern = "tenants/{slug}.db" } }]])
    assert.matches("tenancy.resolve", object "tenants:extract acme".error.hint)
    assert.is_nil(core.list_directory(project.path .. "/tenants"))
  end)

  it("do not come back over rows that have their keys meanwhile, which are named before anything is written", function()
    rille "tenants:extract acme"
    script [[for i = 11, 18 do main:insert("posts", { id = i, org_id = 2, title = "shared " .. i }) end
      main:execute "create unique index bodies on notes (body, post_id)"
      for i = 11, 17 do own "acme":insert("posts", { id = i, org_id = 1, title = "own " .. i }) end]]
    local before = counts "acme"
    for _, command in ipairs { "tenants:absorb acme", "tenants:absorb acme --dry-run" } do
      local e = object(command).error
      assert.equal("unique_violation", e.kind)
      assert.same({ ["posts.id"] = { "7 rows: 11, 12, 13, 14, 15 …" } }, e.fields)
    end
    local status, said = rille "tenants:absorb acme"
    assert.equal(1, status)
    assert.truthy(said:find("posts.id: 7 rows: 11, 12, 13, 14, 15 …", 1, true))
    assert.truthy(said:find("nothing was moved", 1, true))
    assert.equal(before, counts "acme")
    script [[own "acme":execute "update posts set id = id + 1000 where id > 10"]]
    assert.equal(0, (rille "tenants:absorb acme"))
    assert.equal("12 13 10 0 0 0", counts "acme")
  end)

  it("are told of on a terminal while they move", function()
    local pipe = assert(io.popen(("cd '%s' && script -qec \"'%s' tenants:extract acme\" /dev/null </dev/null"):format(
      project.path, os.getenv "RILLE")))
    local out = pipe:read "a"
    pipe:close()
    assert.truthy(out:find("copying posts: 5 rows …", 1, true))
    assert.truthy(out:find("comparing both sides …", 1, true))
    assert.truthy(out:find("10 rows of acme moved", 1, true))
  end)

  it("are not deleted with a tenant unless its name was typed", function()
    rille "tenants:extract acme"
    local function dropped(answer)
      local line = "cd '%s' && { sleep 0.3; echo '%s'; } | script -qec \"'%s' tenants:drop acme\" /dev/null"
      local pipe = assert(io.popen(line:format(project.path, answer, os.getenv "RILLE")))
      local out = pipe:read "a"
      pipe:close()
      assert.truthy(out:find("This deletes all that acme holds.  Type acme to go on: ", 1, true))
      return core.file_size(project.path .. "/tenants/acme.db") == nil, out
    end
    for _, answer in ipairs { "", "y", "globex", "ACME" } do
      local gone, out = dropped(answer)
      assert.is_false(gone)
      assert.truthy(out:find("nothing was deleted", 1, true))
    end
    assert.is_true((dropped "acme"))
  end)
end)
