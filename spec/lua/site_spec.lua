--- site_spec: a database of rows of tenants is one, whatever connections lead to it and are called.
local world = require "spec.support.world"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local root

local function configure(connections)
  connections.main = root .. "/main.db"
  rille.configure { connections = connections, default = "main", databases = root .. "/open",
    models = root .. "/models", tenancy = { strategy = "row" } }
  require "rille.model".forget_all()
  rille.schema():drop_if_exists "posts"
  rille.schema():create("posts", function(t) t:id() t:integer "org_id" t:string "title" end)
  local Post = rille.model "Post" { tenant_column = "org_id" }
  for id = 1, 2 do rille.tenant.run({ id = id }, function() Post:create { title = "of " .. id } end) end
  return Post
end

describe("a table of rows of tenants", function()
  before_each(function()
    root = os.tmpname()
    os.remove(root)
    assert(core.make_directory(root))
  end)
  after_each(function()
    rille.close()
    require "rille.model".forget_all()
    require "rille.config".clear()
    os.execute("rm -rf '" .. root .. "'")
  end)

  it("belongs to them by whichever connection it is reached", function()
    os.execute(("ln -s main.db '%s/link.db'"):format(root))
    for _, path in ipairs { root .. "/main.db", root .. "/./main.db", root .. "/link.db" } do
      configure { alt = path, read = { database = path, readonly = true } }
      rille.tenant.run({ id = 1 }, function()
        for _, name in ipairs { "alt", "read" } do
          local rows = rille.db(name):table("posts"):all()
          assert.same({ 1, "of 1" }, { #rows, rows[1].title })
          refused("tenant_required", function() rille.db(name):query "select * from posts" end)
          assert.equal(2, #rille.db(name):query("select * from posts", { all_tenants = true }))
        end
      end)
      refused("tenant_required", function() rille.db "alt":table("posts"):all() end)
    end
  end)

  it("is another one in another database", function()
    configure { other = root .. "/other.db", memory = ":memory:" }
    for _, name in ipairs { "other", "memory" } do
      local db = rille.db(name)
      db:execute "create table posts (id integer primary key, org_id integer)"
      db:table("posts"):insert { { org_id = 5 } }
      rille.tenant.run({ id = 1 }, function()
        assert.equal(1, db:table("posts"):count())
        assert.equal(1, #db:query "select * from posts")
      end)
      local Other = rille.model("Other" .. name) { table = "posts", connection = name }
      assert.equal(1, Other:count())
    end
  end)

  it("says whose its rows are in all models, or in none", function()
    for _, name in ipairs { "main", "alt" } do
      for _, column in ipairs { false, "user_id" } do
        configure { alt = root .. "/main.db" }
        local Audit = rille.model "Audit" { table = "posts", connection = name, tenant_column = column or nil }
        local e = refused("invalid_argument", rille.tenant.run, { id = 1 }, function() return Audit:count() end)
        assert.matches("models %a+ and %a+ are of one table, posts: only one says tenant_column", e.message)
        refused("invalid_argument", function() return Audit:unfiltered():update { title = "x" } end)
      end
      configure { alt = root .. "/main.db" }
      local Audit = rille.model "Audit" { table = "posts", connection = name, tenant_column = "org_id" }
      assert.equal("of 2", rille.tenant.run({ id = 2 }, function() return Audit:first().title end))
    end
  end)

  it("is seen in models that were used before one said so", function()
    configure {}
    require "rille.model".forget_all()
    local Audit = rille.model "Audit" { table = "posts", connection = "main" }
    local query = Audit:where("id", ">", 0)
    assert.equal(2, query:count())
    rille.model "Post" { tenant_column = "org_id" }
    refused("invalid_argument", function() return query:count() end)
    refused("invalid_argument", function() return Audit:find(1) end)
  end)

  it("is what db:lint names a model for that does not say it", function()
    configure { alt = root .. "/main.db" }
    rille.model "Audit" { table = "posts", connection = "alt" }
    local said
    for _, each in ipairs(require "rille.tenant.lint".run()) do
      if each.model == "Audit" then said = each.kind .. ": " .. each.message end
    end
    assert.equal('no_model: Audit does not say tenant_column = "org_id", and another model of the table does', said)
  end)
end)
