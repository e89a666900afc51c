--- store: the JSON Schemas from which tables were made, kept in the database beside the tables.
local M = {}

M.TABLE = "rille_json_schemas"

--- Make the table where it is missing.
---@param run rille.SchemaRunner
function M.ensure(run)
  run:execute [[create table if not exists "rille_json_schemas" (
  "table" TEXT primary key not null collate nocase,
  "schema" JSON TEXT not null
)]]
end

--- The kept text of a table; nil for none.
---@param handle rille.Handle
---@param name string
---@return string?
function M.read(handle, name)
  local db = handle:connect()                  -- past whoever listens to statements: nobody asked for this one
  if not db:describe(M.TABLE) then return nil end
  local rows = db:query([[select "schema" as text from "rille_json_schemas" where "table" = ?]], { name, n = 1 })
  return rows[1] and rows[1].text
end

---@param run rille.SchemaRunner
---@param name string
---@param text string
function M.write(run, name, text)
  M.ensure(run)
  run:execute([[insert into "rille_json_schemas" ("table", "schema") values (?, ?)
    on conflict ("table") do update set "schema" = excluded."schema"]], name, text)
end

--- The table is no more, or is called otherwise: so is what is kept of it.
---@param run rille.SchemaRunner
---@param name string
---@param to? string  its new name; nil when it was dropped
function M.moved(run, name, to)
  if not run.handle:connect():describe(M.TABLE) then return end
  if to then
    run:execute([[update "rille_json_schemas" set "table" = ? where "table" = ?]], to, name)
  else
    run:execute([[delete from "rille_json_schemas" where "table" = ?]], name)
  end
end

return M
