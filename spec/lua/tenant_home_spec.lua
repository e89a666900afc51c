--- tenant_home_spec: models where each tenant has a database of its own.
local world = require "spec.support.world"
local Home = require "spec.support.tenancy.home"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local directory
local posts = "create table posts (id integer primary key, title text not null)"
local comments = "create table comments (id integer primary key, post_id integer references posts (id), body text)"

local function configure(fallback)
  rille.configure {
    connections = { main = directory .. "/main.db" }, models = directory .. "/none",
    tenancy = { strategy = "database", pattern = directory .. "/{slug}.db", fallback = fallback },
  }
end

--- A database with the tables, as if a tenant had been made.
local function make(slug)
  local db <close> = core.open { database = ("%s/%s.db"):format(directory, slug) }
  db:execute(posts, {})
  db:execute(comments, {})
end

describe("models of tenants with databases of their own", function()
  before_each(function()
    directory = os.tmpname()
    os.remove(directory)
    core.make_directory(directory)
    configure()
  end)
  after_each(function()
    rille.tenant.clear()
    rille.close()
    require "rille.config".clear()
    require "rille.model".forget_all()
    for _, name in ipairs(core.list_directory(directory)) do os.remove(directory .. "/" .. name) end
    os.remove(directory)
  end)

  Home.specs(_ENV, "b", make, configure)

  it("make no file for a tenant that there is not", function()
    refused("tenant_unknown", Home.as, "nobody", function() return rille.db():tables() end)
    assert.is_nil(core.file_size(directory .. "/nobody.db"))
  end)
end)
