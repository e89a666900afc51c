--- tenancy.files: a shared database with the rows of two tenants, and one of a tenant's own, two files of a folder, for
-- specs of moves between them.
local core = require "rille.core"
local rille = require "spec.support.world".rille

local Files = {}
Files.__index = Files

local function make_tables(schema)
  schema:create("orgs", function(t) t:id() t:string "name" end)
  schema:create("posts", function(t)
    t:id()
    t:references("org", "orgs"):tenant()
    t:string("slug"):unique()
    t:blob("data"):nullable()
    t:references("parent", "posts"):nullable()
  end)
  schema:create("kinds", function(t) t:id() t:string "name" t:references("parent", "kinds"):nullable() end)
  schema:create("tags", function(t) t:id() t:string "name" t:references("kind"):nullable() end)
  schema:create("post_tags", function(t)
    t:references("post", "posts")
    t:references("tag", "tags")
  end)
end

--- A new folder with both: tables in both, rows in the shared one, of the tenants with the ids 1 and 2.
function Files.new()
  local self = setmetatable({ folder = os.tmpname() }, Files)
  require "rille.model".forget_all()
  os.remove(self.folder)
  assert(core.make_directory(self.folder))
  self:open()
  for _, name in ipairs { "shared", "own" } do make_tables(rille.schema(name)) end
  local shared = self.shared
  shared:insert("orgs", { { id = 1, name = "a" }, { id = 2, name = "b" } })
  shared:insert("tags", { { id = 1, name = "x" }, { id = 2, name = "y" } })
  for i = 1, 40 do
    shared:insert("posts", { id = i, org_id = i % 2 + 1, slug = "s" .. i, data = rille.blob("\0" .. i),
      parent_id = i > 2 and i - 2 or rille.null })
    shared:insert("post_tags", { post_id = i, tag_id = i % 4 == 0 and 2 or 1 })
  end
  return self
end

--- Open both anew as `shared` and `own`.
---@param settings? table  what else the configuration says
---@param mirror? table    the mirrors of both
function Files:open(settings, mirror)
  local config = { default = "shared", models = self.folder .. "/models", connections = {
    shared = { database = self.folder .. "/shared.db", mirror = mirror },
    own = { database = self.folder .. "/own.db", mirror = mirror },
    all = { database = self.folder .. "/all.db" },
  } }
  for key, value in pairs(settings or {}) do config[key] = value end
  rille.configure(config)
  self.shared, self.own = rille.db "shared", rille.db "own"
end

--- A tenant's rows in one of them, in a form that tells what each is.
---@param db rille.Handle
---@param tenant { id: integer }
---@return string
function Files.rows_of(db, tenant)
  local list = {}
  for i, row in ipairs(db:query([[select 'post ' || id || quote(slug) || quote(data) || quote(parent_id) as line
      from posts where org_id = :id union all select 'tag ' || post_id || ' ' || tag_id from post_tags
      join posts on posts.id = post_id where org_id = :id order by 1]], { id = tenant.id })) do
    list[i] = row.line
  end
  return table.concat(list, "\n")
end

--- Take it all away.
function Files:remove()
  rille.close()
  os.execute("rm -rf '" .. self.folder .. "'")
end

return Files
