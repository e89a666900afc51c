--- welcome: what `rille` alone says: where one is, and the next step.
local files = require "rille.cli.files"
local project = require "rille.cli.project"
local text = require "rille.cli.text"

local M = {}

local function without_project(term)
  term:line("There is no project here: no " .. project.CONFIG .. ".")
  term:line "  rille new shop     starts one in ./shop"
end

--- What is to be done about the migrations of a database that is there, as two texts: the state, the next step.
local function state_of(settings)
  if settings.driver == "sqlite" and not files.exists(settings.database) then
    return "not made yet", "rille migrate      makes it"
  end
  local pending, applied = 0, 0
  for _, migration in ipairs(require "rille.migrator".status {}.migrations) do
    if migration.state == "pending" then pending = pending + 1 else applied = applied + 1 end
  end
  if pending > 0 then
    return text.count(pending, "migration") .. " pending", "rille migrate      applies what is pending"
  elseif applied == 0 then
    return "no migrations yet", "rille make:model Post title:string   writes a model and its table"
  end
  return "up to date", "rille repl         talks to the models"
end

local function with_project(term)
  project.load()
  local config = require "rille.config".current()
  local settings = config.connections[config.default]
  if not settings then
    term:line(project.CONFIG .. " names no database.")
    return term:line '  connections = { main = { driver = "sqlite", database = "app.db" } }   is what it wants'
  end
  local state, step = state_of(settings)
  term:line(("%s: %s"):format(text.escape(tostring(settings.database or settings.url)), state))
  term:line("  " .. step)
end

--- Four calm lines.
---@param term rille.Term
function M.run(term)
  term:line(term:paint("out", "bold", require "rille.cli.version".text()))
  if project.exists() then with_project(term) else without_project(term) end
  term:line "  rille help         lists all commands"
end

return M
