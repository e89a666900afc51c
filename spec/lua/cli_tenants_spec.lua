--- cli_tenants_spec: the commands about tenants that have databases of their own, as a shell runs them.
local Project = require "spec.support.project"

local CONFIG = [[return { connections = { main = { database = "main.db" } },
  tenancy = { strategy = "database", pattern = "tenants/{slug}.db" } }]]
local CREATE = [[return { up = function(s) s:create("%s", function(t) t:id() end) end,
  down = function(s) s:drop("%s") end }]]

local project

local function rille(command) return project:run(command) end
local function object(command) return project:json(command) end

describe("the commands about tenants", function()
  before_each(function()
    project = Project.new {
      ["rille.config.lua"] = CONFIG, ["migrations/0001_notes.lua"] = CREATE:format("notes", "notes"),
    }
  end)
  after_each(function() project:remove() end)

  it("make, list, copy and drop them", function()
    assert.same({ 0, "no tenants\nrille tenants:create SLUG makes one\n" }, { rille "tenants:list" })
    assert.equal(0, (rille "tenants:create acme globex"))
    assert.equal(0, (rille "tenants:copy acme twin"))
    local slugs = {}
    for i, each in ipairs(object "tenants:list".tenants) do slugs[i] = each.slug end
    assert.same({ "acme", "globex", "twin" }, slugs)
    assert.same({ 0, "acme is gone\n" }, { rille "tenants:drop acme --yes acme" })
    assert.equal(2, #object "tenants:list".tenants)
  end)

  it("delete nothing that was not named twice", function()
    rille "tenants:create acme"
    for _, command in ipairs { "tenants:drop acme", "tenants:drop acme --yes globex", "tenants:drop acme --yes ''" } do
      local status, said = rille(command)
      assert.equal(1, status)
      assert.truthy(said:find("nothing was deleted", 1, true))
    end
    assert.equal(1, #object "tenants:list".tenants)
    assert.equal("tenant_unknown", object "tenants:drop nobody --yes nobody".error.kind)
  end)

  it("make nothing of what is no slug, nor twice", function()
    assert.equal("invalid_argument", object "tenants:create ../x".error.kind)
    rille "tenants:create acme"
    assert.equal("not_unique", object "tenants:create acme".error.kind)
    assert.equal(2, (rille "tenants:create"))
    for _, slugs in ipairs { "one ../bad two", "one acme", "one two one" } do
      local said = object("tenants:create " .. slugs)
      assert.is_false(said.ok)
      assert.is_nil(said.tenants)
      assert.equal(1, #object "tenants:list".tenants)
    end
  end)

  it("say which were made before one that fails", function()
    project:write("rille.config.lua", (CONFIG:gsub('{slug}.db"', [[{slug}.db", create = function(_, tenant)
      if tenant.slug == "two" then error "no more" end end]])))
    local said = object "tenants:create one two three"
    assert.same({ false, "no more", 1, "one" }, { said.ok, said.error.message:match "no more", #said.tenants,
      said.tenants[1].slug })
    assert.equal(1, #object "tenants:list".tenants)
  end)

  it("migrate all, or those that are named, and go on after one that fails", function()
    rille "tenants:create a b c"
    project:write("break.lua", [[local rille = require "rille"
      rille.configure "rille.config.lua"
      require "rille.tenant.place".handle("b"):execute "create table tags (n integer)"]])
    assert.equal(0, (rille "run break.lua"))
    project:write("migrations/0002_tags.lua", CREATE:format("tags", "tags"))
    assert.same({ 0, "  a  migrated: 0002_tags\n1 tenant migrated, 0 were current\n" }, { rille "migrate --tenant a" })
    local status, said = rille "migrate --all-tenants"
    assert.equal(1, status)
    assert.truthy(said:find("b  failed: ", 1, true) and said:find("c  migrated: 0002_tags", 1, true))
    assert.truthy(said:find("1 tenant of 3 not migrated", 1, true))
    local done = object "tenants:migrate"
    assert.is_false(done.ok)
    assert.same({ "current", "failed", "current" },
      { done.tenants[1].state, done.tenants[2].state, done.tenants[3].state })
    assert.same({ 0, "0 tenants migrated, 2 were current\n" }, { rille "tenants:migrate a c" })
    assert.same({ 0, "0 tenants migrated, 1 was current\n" }, { rille "tenants:migrate a" })
  end)

  it("are not all: what is applied is shown and taken back, and seeds are sown, for one of them", function()
    rille "tenants:create a b"
    project:write("migrations/seeds/notes.lua", [[return function(rille) rille.db():create("notes", { id = 7 }) end]])
    assert.same({ 0, "  notes  sown\n1 seed sown\n" }, { rille "db:seed --tenant a" })
    project:write("count.lua", [[local rille = require "rille"
      local function count() return rille.db():table("notes"):count() end
      print(rille.tenant.run("a", count), rille.tenant.run("b", count))]])
    assert.same({ 0, "1\t0\n" }, { rille "run count.lua" })
    project:write("migrations/0002_tags.lua", CREATE:format("tags", "tags"))
    rille "migrate --tenant a"
    assert.equal("applied", object "migrate:status --tenant a".migrations[2].state)
    assert.equal("pending", object "migrate:status --tenant b".migrations[2].state)
    assert.matches("1 migration taken back", select(2, rille "migrate:rollback --tenant a"))
    assert.equal("pending", object "migrate:status --tenant a".migrations[2].state)
    assert.equal("tenant_unknown", object "migrate:status --tenant nobody".error.kind)
    assert.equal(2, (rille "migrate:status --tenant a --connection main"))
  end)

  it("refuse what does not fit together", function()
    for _, command in ipairs { "migrate --all-tenants --fresh", "migrate --tenant a --pretend",
      "migrate --tenant a --all-tenants" } do
      assert.equal(2, (rille(command)))
    end
    project:write("rille.config.lua", 'return { connections = { main = { database = "main.db" } } }')
    assert.equal("unsupported", object "tenants:list".error.kind)
  end)
end)
