--- postgres/site_spec: a database of rows of tenants is one, whatever connections at a server lead to it.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local URL <const> = os.getenv "RILLE_SPEC_URL"

describe("a table of rows of tenants at a server", function()
  after_each(function()
    rille.db("main"):execute "drop table if exists site_posts"
    rille.close()
    require "rille.model".forget_all()
    require "rille.config".clear()
  end)

  it("belongs to them by whichever connection it is reached", function()
    local name, host, port = URL:match "/([^/?]+)%?host=(.-)&port=(%d+)"
    local apart = { driver = "postgres", host = host, port = math.tointeger(tonumber(port)), user = "rille",
      database = name }
    rille.configure { default = "main", models = "spec/none", tenancy = { strategy = "row" }, connections = {
      main = URL, same = { url = URL, readonly = true }, apart = apart, other = { url = URL, database = "postgres" } } }
    require "rille.model".forget_all()
    rille.schema():create("site_posts", function(t) t:id() t:integer "org_id" end)
    local Post = rille.model "Post" { table = "site_posts", tenant_column = "org_id" }
    for id = 1, 2 do rille.tenant.run({ id = id }, function() Post:create {} end) end
    for _, connection in ipairs { "same", "apart" } do
      local db = rille.db(connection)
      rille.tenant.run({ id = 1 }, function()
        assert.equal(1, db:table("site_posts"):count())
        refused("tenant_required", db.query, db, "select * from site_posts")
      end)
      local Audit = rille.model("Audit" .. connection) { table = "site_posts", connection = connection }
      refused("invalid_argument", function() return Audit:count() end)
    end
    rille.tenant.run({ id = 1 }, function() assert.equal(1, #rille.db("other"):query "select 1 as one") end)
  end)
end)
