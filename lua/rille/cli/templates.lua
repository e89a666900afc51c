--- templates: the text of generated files.

local M = {}

--- The template with `${name}` replaced by values.
---@param template string
---@param values table<string, string>
---@return string
function M.fill(template, values)
  return (template:gsub("%${(%a%w*)}", function(name) return assert(values[name], name) end))
end

M.model = [[
--- ${Model}: ${sentence}
local rille = require "rille"

return rille.model "${Model}" {
${body}}
]]

M.create = [[
--- The table ${table}.
return {
  up = function(schema)
    schema:create("${table}", function(t)
      t:id()
${words}      t:timestamps()
    end)
  end,
  down = function(schema)
    schema:drop("${table}")
  end,
}
]]

M.alter = [[
--- ${sentence}
return {
  up = function(schema)
    schema:table("${table}", function(t)
${words}    end)
  end,
  down = function(schema)
    schema:table("${table}", function(t)
${undo}    end)
  end,
}
]]

M.blank = [[
--- ${sentence}
return {
  up = function(schema)
    -- schema:table("${table}", function(t) t:string("subtitle"):nullable() end)
    error "up is not written yet"
  end,
  down = function(schema)
    -- schema:table("${table}", function(t) t:drop("subtitle") end)
    error "down is not written yet"
  end,
}
]]

M.factory = [[
--- ${Model}: how one is made up.
local rille = require "rille"

return rille.factory("${Model}", function(fake)
  return {
${lines}  }
end)
]]

M.seed = [[
--- ${sentence}
return function(rille)
  -- assert(rille.factory("Post"):count(10):create())
  error "this seed is not written yet"
end
]]

M.sql_up = "-- ${sentence}\n-- Statements end with a semicolon; all of them run in one transaction.\n"
M.sql_down = "-- Takes back: ${sentence}\n"

-- A new project: path -> text, in the order they are told.
M.project = {
  { "rille.config.lua", [[
--- Where the data of ${name} is, and where its parts are found.  DATABASE_URL names another database.
return {
  default = "main",
  connections = {
    main = { driver = "sqlite", database = "${database}.db" },
  },
  models = "models",
  migrations = "migrations",
  seeds = "migrations/seeds",
  factories = "models/factories",
}
]] },
  { "models/note.lua", [[
--- Note: something not to be forgotten.
local rille = require "rille"

return rille.model "Note" {
  fields = function(t)
    t:id()
    t:string("title", 200)
    t:text("body"):nullable()
    t:boolean("done"):default(false)
    t:timestamps()
  end,
  fillable = { "title", "body", "done" },
  scopes = {
    open = function(query) return query:where("done", false) end,
  },
  methods = {
    finish = function(note) return note:update { done = true } end,
  },
}
]] },
  { "models/factories/.gitkeep", "" },
  { "migrations/0001_create_notes.lua", [[
--- The table notes.
return {
  up = function(schema)
    schema:create("notes", function(t)
      t:id()
      t:string("title", 200)
      t:text("body"):nullable()
      t:boolean("done"):default(false)
      t:timestamps()
    end)
  end,
  down = function(schema)
    schema:drop("notes")
  end,
}
]] },
  { "migrations/seeds/notes.lua", [[
--- Two notes to begin with, once.
return function()
  local Note = require "models.note"
  if Note:exists() then return end
  Note:create { title = "Read the README", done = true }
  Note:create { title = "Declare a model of my own", body = "rille make:model Author name:string" }
end
]] },
  { "hello.lua", [[
--- hello: writes a note and lists those that are open.  Run it with: rille run hello.lua "Buy milk"
Note:create { title = arg[1] or "Say hello" }

for _, note in ipairs(Note:open():order_by("id"):all()) do
  print(note.id, note.title, note.created_at)
end
]] },
  { "spec/note_spec.lua", [[
local testing = require "rille.testing"
local Note = require "models.note"

testing.fresh_database()               -- for each test one of its own, in memory, with all migrations applied

describe("a note", function()
  it("is open until it is finished", function()
    local note = Note:create { title = "Water the plants" }
    assert.equal(1, Note:open():count())
    assert.statements(1, function() note:finish() end)
    assert.has_row(Note, { title = "Water the plants", done = true })
    assert.equal(0, Note:open():count())
  end)

  it("keeps when it was written", function()
    local noon = testing.freeze "2026-11-20T12:00:00Z"
    assert.equal(noon, Note:create({ title = "Noon" }).created_at)
  end)
end)
]] },
  { ".busted", [[
return { _all = { lua = "lua5.4", ROOT = { "spec" } } }
]] },
  { ".luarc.json", [[
{
  "runtime.version": "Lua 5.4",
  "workspace.library": ["types", "${3rd}/busted/library", "${3rd}/luassert/library"],
  "workspace.checkThirdParty": false
}
]] },
  { ".gitignore", [[
*.db
*.db-journal
*.db-shm
*.db-wal
]] },
  { "README.md", [[
# ${name}

```sh
rille migrate --seed              # makes ${database}.db, its tables and two notes
rille run hello.lua "Buy milk"    # writes a note and lists them
rille repl                        # Note:all(), Note:open():count(), Tab completes, .help explains
rille make:model Author name:string email:string:unique   # a model and the migration of its table
rille types                       # what an editor completes, by lua-language-server (.luarc.json)
rille test                        # the specs in spec/, with busted: apt install lua-busted
```

models/ declares what rows are, migrations/ how their tables came to be, `rille.config.lua` where the data is.
`rille help` lists all commands.
]] },
}

return M
