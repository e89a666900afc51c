--- tenant_leak_spec: ways past the tenant that random worlds found (spec/hostile/tenant_random_spec.lua), one by one.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1 }, { id = 2 }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a tenant", function()
  local Post, Part, Note

  before_each(function()
    world.fresh(
      "create table posts (id integer primary key autoincrement, org_id INTEGER not null, title TEXT)",
      "create table parts (org_id INTEGER not null, number INTEGER not null, title TEXT, primary key (org_id, number))",
      "create table notes (id integer primary key autoincrement, on_type VARCHAR(20), on_id INTEGER)")
    Post = rille.model "Post" { tenant_column = "org_id" }
    Part = rille.model "Part" { tenant_column = "org_id" }
    Note = rille.model "Note" { relations = { on = rille.morph_to() } }
    for _, tenant in ipairs { A, B } do
      as(tenant, function()
        Post:create { title = "a post" }
        Part:create { number = 1, title = "a part" }
      end)
    end
  end)
  after_each(function() rille.close() end)

  it("moves no row to another one by counting, even where that adds what it is called", function()
    as(A, function()
      refused("tenant_mismatch", function() return Post:unfiltered():increment("org_id", 1) end)
      refused("tenant_mismatch", function() return Post:unfiltered():decrement("org_id", -1) end)
      refused("tenant_mismatch", function() return Post:unfiltered():increment("id", 100, { org_id = 2 }) end)
      refused("tenant_mismatch", function() return Post:first():increment("org_id", 1) end)
      assert.equal(1, Post:count())
    end)
    as(B, function() assert.equal(1, Post:count()) end)
  end)

  it("copies no row of another one, even where the key says whose it is", function()
    local part = as(B, function() return Part:first() end)
    as(A, function()
      local copy = part:replicate()
      copy.number = 2
      refused("tenant_mismatch", function() return copy:save() end)
      assert.equal(1, Part:count())
      copy = Part:first():replicate()
      copy.number = 2
      assert.equal(A.id, copy:save().org_id)
    end)
  end)

  it("counts on after a truncate, where others have rows", function()
    as(A, function() Post:truncate() end)
    assert.equal(3, as(B, function() return Post:create { title = "next" }.id end))
    as(B, function() Post:truncate() end)
    assert.equal(4, as(A, function() return Post:create { title = "next" }.id end))
    Post:without_tenant_scope(function() Post:truncate() end)
    assert.equal(1, as(A, function() return Post:create { title = "first" }.id end))
  end)

  it("lets nothing morph to a row of another one", function()
    local post, note = as(B, function() return Post:first() end), Note:create {}
    as(A, function()
      refused("tenant_mismatch", function() return note:relation "on":associate(post) end)
      refused("tenant_mismatch", function() note.on = post end)
      note:relation "on":associate(Post:first()):save()
      assert.equal("posts", note.on_type)
    end)
  end)
end)
