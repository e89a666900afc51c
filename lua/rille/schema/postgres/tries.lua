--- postgres.tries: statements that rows may stand in the way of: these are counted, so that a person knows which.
local Ddl = require "rille.schema.postgres.ddl"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

--- How many values come more than once.
local function explain_duplicates(run, table_, names, covered, e)
  local columns, present = Name.quote_all(names), {}
  for i, name in ipairs(names) do present[i] = Name.quote(name) .. " is not null" end
  local condition = table.concat(present, " and ") .. (covered and " and (" .. covered .. ")" or "")
  local count = run:value(([[select count(*) as value from (select 1 from %s where %s group by %s
    having count(*) > 1) as twins]]):format(Name.quote(table_.name), condition, columns))
  Error.raise("migration", ("%d value%s of %s in %q come%s more than once"):format(count, count == 1 and "" or "s",
    columns, table_.name, count == 1 and "s" or ""), {
    table = table_.name, column = #names == 1 and names[1] or nil, sql = e.sql, code = e.code,
    hint = "change or delete these rows first",
  })
end

--- Raise how many values stand in the way of a unique index.
---@param run rille.PostgresRunner
---@param table_ rille.PostgresTable
---@param index rille.BlueprintIndex
---@param e rille.Error  what the database said
function M.explain_duplicates(run, table_, index, e)
  local names = {}
  for i, part in ipairs(index.columns) do names[i] = part[1] end
  explain_duplicates(run, table_, names, Ddl.covered_rows(index), e)
end

--- Run a statement; where it fails with an error of this kind, what it did is taken back and `explain` raises.
local function try(run, sql, kind, explain)
  local e = run:attempt(sql)
  if not e then return end
  if Error.is(e, kind) then explain(e) end
  error(e, 0)
end

--- Make an index.
---@param run rille.PostgresRunner
---@param table_ rille.PostgresTable
---@param index rille.BlueprintIndex
---@param sql string
function M.index(run, table_, index, sql)
  try(run, sql, "unique_violation", function(e) M.explain_duplicates(run, table_, index, e) end)
end

--- Make a primary key.
---@param run rille.PostgresRunner
---@param table_ rille.PostgresTable
---@param columns string[]
---@param sql string  the constraint
function M.primary(run, table_, columns, sql)
  for _, name in ipairs(columns) do
    local count = run:value(("select count(*) as value from %s where %s is null"):format(Name.quote(table_.name),
      Name.quote(name)))
    if count > 0 then
      Error.raise("migration", ("%d row%s of %q hold%s NULL in %q"):format(count, count == 1 and "" or "s",
        table_.name, count == 1 and "s" or "", name), { table = table_.name, column = name,
        hint = "change these rows first; nothing was changed" })
    end
  end
  try(run, ("alter table %s add %s"):format(Name.quote(table_.name), sql), "unique_violation", function(e)
    explain_duplicates(run, table_, columns, nil, e)
  end)
end

--- Raise how many rows refer to nothing.
local function explain_dangling(run, table_, key, e)
  local here, there, present = {}, {}, {}
  for i, name in ipairs(key.columns) do
    here[i], there[i] = "child." .. Name.quote(name), "parent." .. Name.quote(key.references[i])
    present[i] = here[i] .. " is not null"
  end
  local count = run:value(([[select count(*) as value from %s as child where %s and not exists
    (select 1 from %s as parent where (%s) = (%s))]]):format(Name.quote(table_.name), table.concat(present, " and "),
    Name.quote(key.table), table.concat(there, ", "), table.concat(here, ", ")))
  Error.raise("migration", ("%d row%s of %q would refer to rows of %q that are not there"):format(count,
    count == 1 and "" or "s", table_.name, key.table), {
    table = table_.name, sql = e.sql, code = e.code, hint = "change or delete these rows first",
  })
end

-- SQLSTATE -> why PostgreSQL makes no such key, and what to do.
local IMPOSSIBLE <const> = {
  ["42804"] = { "%s cannot refer to %s of %s, which are of other types", "t:change() can make them one type" },
  ["42830"] = { "%s cannot refer to %s of %s, which no unique index is over", "t:unique{…} or t:primary{…} there goes "
    .. "first" },
}

--- Make a foreign key.
---@param run rille.PostgresRunner
---@param table_ rille.PostgresTable
---@param key table  an operation of a blueprint
function M.foreign(run, table_, key)
  local sql = ("alter table %s add %s"):format(Name.quote(table_.name), Ddl.constraint(key, table_.name, {}))
  local e = run:attempt(sql)
  if not e then return end
  if e.kind == "foreign_key_violation" then explain_dangling(run, table_, key, e) end
  local why = IMPOSSIBLE[e.code]
  if why then
    Error.raise("migration", ("%s: " .. why[1]):format(table_.name, Name.quote_all(key.columns),
      Name.quote_all(key.references), Name.quote(key.table)), {
      table = table_.name, sql = e.sql, code = e.code, hint = why[2],
    })
  end
  error(e, 0)
end

return M
