--- tenancy.walled: two tenants whose rows of memos and notes are kept apart by row-level security, in the schema of the
-- spec.
local Database = require "spec.support.database"
local world = require "spec.support.world"
local rille = world.rille

local M = {}

--- Be a tenant while `fn` runs.
function M.as(id, fn, ...) return rille.tenant.run({ id = id }, fn, ...) end

function M.count(name, ...) return rille.db():query("select count(*) as n from " .. name, ...)[1].n end

--- Connect, with the settings of the spec's schema.
---@param more? table     settings of the connection
---@param tenancy? table
function M.connect(more, tenancy)
  local settings = Database.settings()
  for key, value in next, more or {} do settings[key] = value end
  rille.configure { connections = { main = settings }, tenancy = tenancy or { rls = true }, models = "/nowhere" }
  return rille.db(), rille.schema()
end

--- Tenant 1 has two memos, tenant 2 three; t1 and t2 have a note each.
---@param more? table  settings of the connection
---@return table Memo  the model
function M.fill(more)
  require "rille.model".forget_all()
  local db, schema = M.connect(more)
  Database.empty(db)
  schema:create("orgs", function(t) t:id(); t:string "name" end)
  schema:create("memos", function(t)
    t:id()
    t:references("org"):tenant()
    t:string("title"):unique()
    t:row_security()
  end)
  schema:create("notes", function(t) t:id(); t:string("owner", 40):tenant(); t:text "body"; t:row_security() end)
  local Memo, Note = rille.model "Memo" { tenant_column = "org_id" }, rille.model "Note" { tenant_column = "owner" }
  db:insert("orgs", { { id = 1, name = "one" }, { id = 2, name = "two" } })
  for id = 1, 2 do
    M.as(id, function()
      for i = 1, id + 1 do Memo:create { title = ("%d of %d"):format(i, id) } end
      rille.tenant.run({ id = "t" .. id }, Note.create, Note, { body = "of t" .. id })
    end)
  end
  return Memo
end

function M.leave()
  rille.tenant.clear()
  rille.close()
end

return M
