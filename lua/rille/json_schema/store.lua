--- store: the JSON Schemas from which tables were made, kept in the database beside the tables.
local M = {}

M.TABLE = "rille_json_schemas"

local function engine_of(handle) return require "rille.schema.engine".of(handle) end

--- Make the table where it is missing.
---@param run rille.SchemaRunner
function M.ensure(run) run:execute(engine_of(run.handle).json_schemas) end

--- The kept text of a table, and the picture of what it made, where that is kept; nil for none.
---@param handle rille.Handle
---@param name string
---@return string? schema
---@return string? picture
function M.read(handle, name)
  local db = handle:_connect()                  -- past whoever listens to statements: nobody asked for this one
  if not db:describe(M.TABLE) then return nil end
  local keeps_picture = engine_of(handle).keeps_picture
  local text, params = require "rille.sql".placeholders("query", handle.driver,
    ([[select "schema" as text%s from "rille_json_schemas" where "table" = ?]]):format(keeps_picture
      and ', "picture" as picture' or ""), name)
  local row = db:query(text, params)[1]
  if row then return row.text, row.picture end
end

---@param run rille.SchemaRunner
---@param name string
---@param text string
function M.write(run, name, text)
  M.ensure(run)
  local engine = engine_of(run.handle)
  if engine.keeps_picture then
    local picture = require "rille.json".encode(engine.picture(run, name))
    run:execute([[insert into "rille_json_schemas" ("table", "schema", "picture") values (?, ?, ?)
      on conflict ("table") do update set "schema" = excluded."schema", "picture" = excluded."picture"]], name, text,
      picture)
    return
  end
  run:execute([[insert into "rille_json_schemas" ("table", "schema") values (?, ?)
    on conflict ("table") do update set "schema" = excluded."schema"]], name, text)
end

--- The table is no more, or is called otherwise: so is what is kept of it.
---@param run rille.SchemaRunner
---@param name string
---@param to? string  its new name; nil when it was dropped
function M.moved(run, name, to)
  if not run.handle:_connect():describe(M.TABLE) then return end
  if to then
    run:execute([[update "rille_json_schemas" set "table" = ? where "table" = ?]], to, name)
  else
    run:execute([[delete from "rille_json_schemas" where "table" = ?]], name)
  end
end

return M
