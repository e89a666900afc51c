--- postgres: what the words of migrations do on PostgreSQL.
local Name = require "rille.schema.name"

---@type rille.SchemaEngine
local M = { Runner = require "rille.schema.postgres.runner" }

M.json_array, M.json_type = "json_build_array(%s)::text", "jsonb_typeof"

-- Only the server can say what a schema makes here, by making it.
M.keeps_picture = true

M.json_schemas = [[create table if not exists "rille_json_schemas" (
  "table" text collate "C" primary key,
  "schema" text not null,
  "picture" text not null
)]]

function M.common_words(picture) return require "rille.json_schema.postgres".translated(picture) end

local function catalog() return require "rille.schema.postgres.catalog" end

function M.create(blueprint) return require "rille.schema.postgres.ddl".create(blueprint) end

function M.created(run, blueprint)
  if not blueprint.row_security then return end
  require "rille.schema.postgres.policy".add(run, catalog().table(run, blueprint.table), blueprint.row_security)
end

function M.put_off(run, blueprint) return require "rille.schema.postgres.concurrent".put_off(run, blueprint) end

function M.create_concurrently(run, name, index)
  require "rille.schema.postgres.concurrent".create(run, name, index)
end

function M.alter(run, blueprint) require "rille.schema.postgres.alter".run(run, blueprint) end

--- A column's own conditions are called after its table, so they follow.
local function rename_checks(run, table_, to)
  local Find = require "rille.schema.postgres.find"
  for _, constraint in ipairs(table_.constraints) do
    for _, column in ipairs(table_.columns) do
      local ending = Find.own_check(table_, constraint, column.name)
      if ending then
        run:execute(("alter table %s rename constraint %s to %s"):format(Name.quote(to), Name.quote(constraint.name),
          Name.quote(Name.derived(to, { column.name }, ending))))
      end
    end
  end
end

function M.rename(run, from, to)
  local table_ = catalog().table(run, from)
  local shown_again = require "rille.schema.postgres.policy".set_aside(run, table_)        -- its name is in there
  run:execute(("alter table %s rename to %s"):format(Name.quote(from), Name.quote(to)))
  rename_checks(run, table_, to)
  if shown_again then shown_again(catalog().table(run, to)) end
end

function M.drop(run, name)
  require "rille.schema.postgres.release".table(run, catalog().table(run, name))
  run:execute("drop table " .. Name.quote(name))
end

function M.has_table(run, name) return catalog().has_table(run, name) end

function M.has_column(run, table_name, column) return catalog().has_column(run, table_name, column) end

function M.tables(run) return catalog().tables(run) end

function M.pictures_of(run, blueprints)
  return require "rille.schema.postgres.picture".of_blueprints(run, blueprints)
end

function M.picture(run, name) return require "rille.schema.postgres.picture".of_table(catalog().table(run, name)) end

function M.recall() return require "rille.schema.postgres.recall" end

function M.global_columns(run, description)
  local found = {}
  for _, constraint in ipairs(catalog().table(run, description.name).constraints) do
    if constraint.kind == "foreign" and constraint.name:find "_global_key$" then
      found[constraint.columns[1]:lower()] = true
    end
  end
  return found
end

function M.exists() return true end

function M.make_ledger(run, ledger, creation)
  require "rille.schema.postgres.lock".make(run, ledger, creation)
end

function M.lock(run, ledger) require "rille.schema.postgres.lock".take(run, ledger) end

function M.patiently(run, try, may_again)
  return require "rille.schema.postgres.lock".patiently(run, try, may_again)
end

function M.settle(run, name) require "rille.schema.postgres.lock".settle(run, name) end

function M.rehearse(handle, options, fn) return require "rille.schema.postgres.scratch".run(handle, options, fn) end

function M.holding(run) return catalog().tables(run) end

function M.drop_all(run) return require "rille.schema.postgres.fresh".drop_all(run) end

function M.snapshot(handle) return require "rille.schema.postgres.snapshot".take(handle) end

return M
