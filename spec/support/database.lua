--- database: what a spec runs on, empty each time: SQLite in memory, or the PostgreSQL that RILLE_SPEC_URL names.
local rille = require "rille"

local M = { url = os.getenv "RILLE_SPEC_URL" }

M.is_postgres = M.url ~= nil

--- How the configuration says it.
---@return table
function M.settings()
  return M.url and { driver = "postgres", url = M.url } or { database = ":memory:" }
end

--- Take everything away that an earlier spec left.
---@param db rille.Handle
---@return rille.Handle
function M.empty(db)
  if M.url then
    db:execute "drop schema if exists spec cascade"
    db:execute "create schema spec"
    db:forget()
  end
  return db
end

--- An empty database as the default connection.
---@return rille.Handle
function M.fresh()
  rille.configure { connections = { main = M.settings() } }
  return M.empty(rille.db())
end

return M
