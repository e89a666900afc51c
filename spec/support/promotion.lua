--- promotion: a project with a database of SQLite and an empty PostgreSQL beside it, for specs that take one to the
-- other; RILLE_SPEC_URL names the server.
local core = require "rille.core"
local Database = require "spec.support.database"
local Json = require "rille.json"
local rille = require "rille"

local Promotion = {}
Promotion.__index = Promotion

--- A new project; its databases are empty.
function Promotion.new()
  local root = os.tmpname()
  os.remove(root)
  for _, ending in ipairs { "", "/migrations", "/models" } do assert(core.make_directory(root .. ending)) end
  local self = setmetatable({ root = root, source = root .. "/app.db" }, Promotion)
  require "rille.model".forget_all()
  self:connect()
  Database.empty(rille.db "there")
  return self
end

--- Both databases by their names, as after a start.
function Promotion:connect()
  rille.configure { default = "here", migrations = self.root .. "/migrations", models = self.root .. "/models",
    connections = { here = { database = self.source }, there = Database.settings() } }
  self.here, self.there = rille.db "here", rille.db "there"
end

function Promotion:migration(name, up, down)
  local file = assert(io.open(("%s/migrations/%s.lua"):format(self.root, name), "w"))
  file:write(("return { up = function(schema, db) %s end, down = function(schema, db) %s end }"):format(up, down or ""))
  file:close()
end

--- A migration for the tables, run in the source.
function Promotion:migrate(up)
  self:migration("0001_all", up)
  rille.migrate { connection = "here" }
end

--- Run it; what it raises is raised once the handles lead to both databases again.
function Promotion:run(options)
  options = options or {}
  options.to = options.to or "there"
  local result = table.pack(pcall(rille.promote, options))
  self:connect()
  if not result[1] then error(result[2], 0) end
  return result[2]
end

--- The error of a run.
function Promotion:refused(options)
  local ok, e = pcall(self.run, self, options)
  assert(not ok, "it was not refused")
  return assert(rille.is_error(e) and e, tostring(e))
end

--- All rows of a table, each as text, sorted: the same on both sides when they are alike.
function Promotion.rows(db, name)
  local lines = {}
  for i, row in ipairs(db:table(name):all()) do
    local cells = {}
    for _, column in ipairs(require "rille.keys"(row)) do
      local value = row[column]
      if type(value) == "table" then value = Json.encode(value) end
      if column == "meta" then value = Json.encode(Json.decode(value)) end      -- jsonb has blanks of its own
      cells[#cells + 1] = ("%s=%s:%s"):format(column, math.type(value) or type(value), type(value) == "string"
        and ("%q"):format(value) or tostring(value))
    end
    lines[i] = table.concat(cells, " ")
  end
  table.sort(lines)
  return lines
end

--- Have both sides the same rows?
function Promotion:same(...)
  for _, name in ipairs { ... } do
    local here, there = self.rows(self.here, name), self.rows(self.there, name)
    assert(#here == #there, ("%s: %d rows here, %d there"):format(name, #here, #there))
    for i, line in ipairs(here) do
      assert(line == there[i], ("%s:\n%s\n%s"):format(name, line, there[i]))
    end
  end
  return true
end

--- Where one of the type is; any place of the list.
function Promotion.find(list, kind)
  for _, each in ipairs(list) do
    if each.kind == kind then return each end
  end
end

function Promotion:close()
  rille.close()
  os.execute("rm -rf '" .. self.root .. "'")
end

return Promotion
