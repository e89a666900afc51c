--- schema_change_spec: another connection changes the schema while this one has read it.
local world = require "spec.support.world"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

describe("a schema that another connection changed", function()
  local path, other, Post

  before_each(function()
    path = os.tmpname()
    require "rille.model".forget_all()
    rille.connect(path):execute "create table posts (id integer primary key, title text)"
    Post = rille.model "Post" { timestamps = false }
    Post:create { title = "a" }
    other = core.open { driver = "sqlite", database = path }
  end)
  after_each(function()
    other:close()
    rille.close()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  local function update() return Post:where("id", 1):update { views = 1 } end

  for what, attempt in pairs {
    ["a condition"] = function() return Post:where("views", 1):all() end,
    ["a condition on a table"] = function() return rille.db():table("posts"):where("views", 1):all() end,
    ["an attribute"] = function() return Post:create { views = 1 } end,
    ["an attribute that is written"] = function() Post:first().views = 1 end,
    ["an update"] = update,
    ["a row"] = function() return Post:insert { views = 1 } end,
  } do
    it("is noticed when a column is not known, by " .. what, function()
      rille.db():table("posts"):all()
      local _, e = pcall(attempt)
      assert.is_nil((e.hint or ""):find("another connection", 1, true))
      other:execute "alter table posts add column views integer"
      _, e = pcall(attempt)
      assert.is_truthy(e.hint:find "^another connection changed the schema of .- read at 20.-Z: it is read anew")
      attempt()
      assert.equal("views", Post:columns()[3])
    end)
  end

  it("is noticed inside a transaction, too, which goes on", function()
    Post:first()
    other:execute "alter table posts add column views integer"
    rille.transaction(function()
      refused("no_such_column", update)
      update()
    end)
    assert.equal(1, Post:find(1).views)
  end)

  it("is noticed when a column is gone", function()
    other:execute "alter table posts drop column title"
    assert.is_false((pcall(Post.all, Post)))
    assert.same({ "id" }, Post:columns())
    assert.equal(1, Post:all()[1].id)
  end)
end)
