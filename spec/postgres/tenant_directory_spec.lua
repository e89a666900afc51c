--- postgres/tenant_directory_spec: tenants in one of several databases, with row-level security behind their column;
-- RILLE_SPEC_URL names a server.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local URL <const> = os.getenv "RILLE_SPEC_URL"

local A <const>, B <const>, C <const> = { id = 1, slug = "acme" }, { id = 2, slug = "globex" }, { id = 3, slug = "c" }

describe("tenants in one of several databases with row-level security", function()
  local Memo

  local function settings(name)
    return { driver = "postgres", url = ("%s%soptions=-csearch_path%%3Dspec_walled_%s"):format(URL,
      URL:find("?", 1, true) and "&" or "?", name) }
  end

  local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

  before_each(function()
    require "rille.model".forget_all()
    local where = { acme = "a", globex = "b", c = "file" }
    rille.configure { default = "a", models = "/nowhere",
      connections = { a = settings "a", b = settings "b", file = { database = ":memory:" } },
      tenancy = { rls = true, directory = function(tenant) return where[tenant.slug] end } }
    for _, name in ipairs { "a", "b" } do
      rille.db(name):execute(("drop schema if exists spec_walled_%s cascade"):format(name))
      rille.db(name):execute(("create schema spec_walled_%s"):format(name))
      rille.schema(name):create("memos", function(t)
        t:id()
        t:integer "org_id":tenant()
        t:string "title"
        if name == "a" then t:row_security() end
      end)
    end
    Memo = rille.model "Memo" { tenant_column = "org_id" }
  end)
  after_each(function()
    rille.tenant.clear()
    rille.close()
  end)

  it("are behind it in each of these, or refused", function()
    rille.db "a":execute "insert into memos (org_id, title) values (99, 'of another one')"
    as(A, function()
      Memo:create { title = "mine" }
      assert.equal(1, Memo:count())
      assert.equal(1, rille.db():query("select count(*) as n from memos")[1].n)
    end)
    local e = refused("unsupported", as, B, Memo.count, Memo)
    assert.equal("memos", e.table)
    rille.schema "b":table("memos", function(t) t:row_security() end)
    assert.equal(0, as(B, Memo.count, Memo))
    assert.matches("row%-level security", refused("unsupported", as, C, Memo.count, Memo).message)
  end)
end)
