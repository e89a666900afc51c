--- promote.target: the tables of the target: made by the project's migrations, the rest as the source has them; and
-- which column takes which.
-- Migrations make them in the words of PostgreSQL, which no catalog of SQLite says: json becomes jsonb, a datetime
-- timestamptz.  And `rille migrate` then goes on there.  A table that no migration knows comes from its JSON Schema
-- where it has one, else from the catalog.
local Error = require "rille.error"
local Ledger = require "rille.migrator.ledger"
local Name = require "rille.schema.name"
local Runner = require "rille.schema.runner"
local Source = require "rille.promote.source"

local M = {}

local CATALOG_HINT <const> = 'or schema = "catalog" makes the tables as the source has them'

--- The last migration that the source has; nil where none made it.  Raises where the folder tells another story.
---@param from rille.Handle
---@param path string  the folder of migrations
---@return string? last
function M.last_migration(from, path)
  local rows = Ledger.read(from)
  if #rows == 0 then return nil end
  local status, last = require "rille.migrator".status { connection = from, path = path }, ""
  for _, each in ipairs(status.migrations) do
    if each.state ~= "applied" then
      Error.raise("migration", ("the migration %s is %s in the source"):format(each.name, each.state), {
        hint = (each.state == "pending" and "migrate the source first; " or "bring its file back as it was; ")
          .. CATALOG_HINT,
      })
    end
    last = math.max(last, each.name) == last and last or each.name
  end
  return last
end

--- Make tables that refer to each other, one after the other in an order that is found by trying.
local function make_by_schema(to, schemas)
  local names = require "rille.keys"(schemas)
  while #names > 0 do
    local left, failure = {}, nil
    for _, name in ipairs(names) do
      local ok, e = pcall(require "rille.json_schema".create_table, to, schemas[name], name)
      if not ok then
        if not Error.is(e) or e.kind == "interrupted" then Error.again(e) end
        left[#left + 1], failure = name, e
      end
    end
    if #left == #names then Error.again(failure) end
    names = left
  end
end

--- Run the source's migrations, those that the target has not seen.
---@param to rille.Handle
---@param path string
---@param last? string  of last_migration
---@param on_progress? fun(step: rille.StepResult)
function M.migrate(to, path, last, on_progress)
  if not last then return end
  require "rille.migrator".migrate { connection = to, path = path, to = last, on_progress = on_progress }
end

--- Make the tables that no migration made; in a transaction.
---@param from rille.Handle
---@param to rille.Handle
---@param source rille.PromoteSource
---@param tell fun(kind: string, name: string, why: string)  hears what will not be as it was
---@return string[] keys  statements that add foreign keys when all rows are there
function M.make_rest(from, to, source, tell)
  local run, source_run, keys, schemas = Runner.new(to), Runner.new(from), {}, {}
  local engine = require "rille.schema.engine".of(to)
  for _, name in ipairs(source.tables) do
    local is_there = engine.has_table(run, name)
    if name == Ledger.TABLE and not is_there then
      Ledger.make(run)
      Ledger.lock(run)
    elseif not is_there and source.schemas[name] then
      schemas[name] = source.schemas[name]
    elseif not is_there then
      local statements, later = require "rille.promote.recall".statements(source_run, name, tell)
      for _, sql in ipairs(statements) do run:execute(sql) end
      table.move(later, 1, #later, #keys + 1, keys)
    end
  end
  make_by_schema(to, schemas)
  return keys
end

-- -- which column takes which ----------------------------------------------------------------------------------------

local function find(list, name)
  for _, each in ipairs(list) do
    if each.name == name then return each end
  end
  for _, each in ipairs(list) do
    if Name.same(each.name, name) then return each end
  end
end

--- The columns that are copied; those that would lose something are told.
---@param source_columns { name: string, generated: boolean }[]
---@param target table  as describe gives it
---@param tell fun(why: string)
---@return rille.CarryColumn[]
function M.columns(source_columns, target, tell)
  local columns, taken = {}, {}
  for _, column in ipairs(target.columns) do
    local source = find(source_columns, column.name)
    if source then taken[source] = true end
    if source and column.generated and not source.generated then
      tell(("%s.%s keeps values in the source, and is computed in the target"):format(target.name, column.name))
    elseif source and not column.generated then
      columns[#columns + 1] = { name = column.name, source = source.name, declared = column.declared or "",
        required = column.not_null, key = column.primary > 0 }
    elseif not source and not column.generated and column.not_null and column.default == nil then
      tell(("%s.%s wants a value, and the source has no such column"):format(target.name, column.name))
    end
  end
  for _, source in ipairs(source_columns) do
    if not taken[source] and not source.generated then
      tell(("%s.%s of the source has no place in the target"):format(target.name, source.name))
    end
  end
  return columns
end

--- How the rows of each table are copied.
---@param from rille.Handle
---@param to rille.Handle
---@param source rille.PromoteSource
---@return rille.CarryTable[]
function M.plans(from, to, source)
  local run, plans, wrong = Runner.new(from), {}, {}
  local function tell(why) wrong[#wrong + 1] = why end
  for _, name in ipairs(source.tables) do
    local target = to:describe(name)
    if not target then
      tell(("the target has no table %s"):format(Name.quote(name)))
    else
      plans[#plans + 1] = { name = name, source = name, columns = M.columns(Source.columns(run, name), target, tell),
        order = Source.order(run, name), exact = true }
    end
  end
  for _, each in ipairs(#wrong > 0 and source.left or {}) do
    if each.kind == "definition" then wrong[#wrong + 1] = ("%s: %s"):format(each.name, each.why) end
  end
  if #wrong > 0 then
    Error.raise("migration", "the tables of both sides do not fit: " .. table.concat(wrong, "; "), {
      hint = #source.left > 0 and "mend it in the source, or leave the table behind: skip (--skip)"
        or "is the target migrated further than the source, or otherwise?",
    })
  end
  return plans
end

return M
