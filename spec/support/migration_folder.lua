--- migration_folder: a folder of migrations for a spec, with a database beside it; all of it is gone afterwards.
local Database = require "spec.support.database"
local core = require "rille.core"
local migrator = require "rille.migrator"
local rille = require "rille"

local Folder = {}
Folder.__index = Folder

local CREATE = [[return {
  up = function(schema) schema:create("%s", function(t) t:id() t:text("name"):nullable() end) end,
  down = function(schema) schema:drop("%s") end,
}]]

--- The text of a migration that makes a table with an id and a name.
function Folder.creation(name) return CREATE:format(name, name) end

--- A new folder, and an empty database for it.
function Folder.new()
  local root = os.tmpname()
  os.remove(root)
  for _, ending in ipairs { "", "/migrations", "/migrations/seeds" } do assert(core.make_directory(root .. ending)) end
  local self = setmetatable({ root = root, written = {} }, Folder)
  self:begin()
  return self
end

--- Make a database the default connection; a name without a colon is a file of the folder.
function Folder:connect(database)
  local path = database:find ":" and database or self.root .. "/" .. database
  rille.configure { connections = { main = { database = path } }, migrations = self.root .. "/migrations",
    seeds = self.root .. "/migrations/seeds" }
  self.db = rille.db()
  return path
end

--- Make the database of the spec the default connection: Database.fresh says which.
function Folder:begin()
  if not Database.is_postgres then return self:connect ":memory:" end
  rille.configure { connections = { main = Database.settings() }, migrations = self.root .. "/migrations",
    seeds = self.root .. "/migrations/seeds" }
  self.db = Database.empty(rille.db())
end

function Folder:path(name) return self.root .. "/migrations/" .. name end

function Folder:write(name, text)
  local file = assert(io.open(self:path(name), "wb"))
  file:write(text)
  file:close()
  self.written[name] = true
end

function Folder:remove(name)
  assert(os.remove(self:path(name)))
  self.written[name] = nil
end

--- A migration that makes a table.
function Folder:create(name, table_name) self:write(name .. ".lua", Folder.creation(table_name)) end

--- A migration with these statements of Lua in `up` and in `down`.
function Folder:lua(name, up, down)
  local text = "return { up = function(schema, db) %s end, down = function(schema, db) %s end }"
  self:write(name .. ".lua", text:format(up, down or ""))
end

--- "0001_users applied, 0002_posts pending"
function Folder.states()
  local found = {}
  for i, each in ipairs(migrator.status().migrations) do found[i] = each.name .. " " .. each.state end
  return table.concat(found, ", ")
end

--- "posts rille_migrations users"
function Folder:tables()
  self.db:forget()
  return table.concat(self.db:tables(), " ")
end

function Folder:count(name) return self.db:query(('select count(*) as "n" from "%s"'):format(name))[1].n end

--- Close the database and take everything away.
function Folder:close()
  rille.close()
  for name in pairs(self.written) do os.remove(self:path(name)) end
  for _, ending in ipairs { "/app.db", "/app.db-wal", "/app.db-shm", "/migrations/seeds", "/migrations", "" } do
    os.remove(self.root .. ending)
  end
end

return Folder
