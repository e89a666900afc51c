--- database: what a spec runs on, empty each time: SQLite in memory, or a schema of the PostgreSQL that RILLE_SPEC_URL
-- names.
local M = {}

local URL <const> = os.getenv "RILLE_SPEC_URL"
local FILE <const> = os.tmpname()
local SCHEMA <const> = "spec_" .. FILE:gsub("%W", ""):lower()
os.remove(FILE)

M.is_postgres = URL ~= nil

--- How the configuration says it.
---@return table
function M.settings()
  if not URL then return { database = ":memory:" } end
  local mark = URL:find("?", 1, true) and "&" or "?"
  return { driver = "postgres", url = URL .. mark .. "options=-csearch_path%3D" .. SCHEMA }
end

--- Take everything away that an earlier spec left.
---@param db rille.Handle
---@return rille.Handle
function M.empty(db)
  if URL then
    db:execute(("drop schema if exists %s cascade"):format(SCHEMA))
    db:execute("create schema " .. SCHEMA)
    db:forget()
  end
  return db
end

--- An empty database as the default connection.
---@param config? table  what else the configuration says
---@return rille.Handle
function M.fresh(config)
  config = config or {}
  config.connections = { main = M.settings() }
  local rille = require "rille"                    -- by then: world.lua makes it a new one
  rille.configure(config)
  return M.empty(rille.db())
end

return M
