--- sqlite: what the words of migrations do on SQLite.
local Error = require "rille.error"
local Name = require "rille.schema.name"

---@type rille.SchemaEngine
local M = { Runner = require "rille.schema.sqlite.runner" }

M.json_array, M.json_type, M.row_key = "json_array(%s)", "json_type", "rowid"

M.keeps_picture = false

M.json_schemas = [[create table if not exists "rille_json_schemas" (
  "table" TEXT primary key not null collate nocase,
  "schema" JSON TEXT not null
)]]

function M.common_words(picture) return picture end

local function catalog() return require "rille.schema.sqlite.catalog" end

function M.create(blueprint) return require "rille.schema.sqlite.ddl".create(blueprint) end

function M.alter(run, blueprint) require "rille.schema.sqlite.alter".run(run, blueprint) end

function M.rename(run, from, to)
  catalog().table(run, from)
  run:execute(("alter table %s rename to %s"):format(Name.quote(from), Name.quote(to)))
end

function M.drop(run, name)
  local current, broken = catalog().table(run, name), catalog().broken(run)
  for _, key in ipairs(current.incoming) do
    if not Name.same(key.table, current.name) then
      local by = Name.quote_all(key.columns)
      Error.raise("migration", ("%q cannot be dropped: %q refers to it by %s"):format(current.name, key.table, by), {
        table = current.name, hint = ("schema:drop(%q) or t:drop_foreign{…} goes first"):format(key.table),
      })
    end
  end
  run:execute("drop table " .. Name.quote(current.name))
  catalog().refuse_broken(run, current.name, broken)
end

function M.has_table(run, name) return catalog().has_table(run, name) end

function M.has_column(run, table_name, column) return catalog().has_column(run, table_name, column) end

function M.tables(run) return catalog().tables(run) end

function M.pictures_of(_, blueprints)
  local pictures = {}
  for _, blueprint in ipairs(blueprints) do
    pictures[blueprint.table] = require "rille.schema.sqlite.picture".of_blueprint(blueprint)
  end
  return pictures
end

function M.recall() return require "rille.schema.sqlite.recall" end

function M.picture(run, name)
  return require "rille.schema.sqlite.picture".of_table(run, catalog().table(run, name))
end

function M.global_columns(_, description)
  local found = {}
  for _, column in ipairs(require "rille.schema.sqlite.definition".parse(description.sql).columns) do
    for _, clause in ipairs(column.clauses) do
      if clause.kind == "references" and clause.name and clause.name:find "_global_key$" then
        found[column.name:lower()] = true
      end
    end
  end
  return found
end

function M.exists(handle) return require "rille.schema.sqlite.scratch".exists(handle) end

function M.rehearse(handle, options, fn) return require "rille.schema.sqlite.scratch".run(handle, options, fn) end

function M.holding(run) return require "rille.schema.sqlite.fresh".holding(run) end

function M.drop_all(run) return require "rille.schema.sqlite.fresh".drop_all(run) end

function M.snapshot(handle) return require "rille.schema.sqlite.snapshot".take(handle) end

return M
