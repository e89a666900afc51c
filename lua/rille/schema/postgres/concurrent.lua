--- postgres.concurrent: indexes that are made while others write, which PostgreSQL does outside of transactions alone.
local core = require "rille.core"
local Catalog = require "rille.schema.postgres.catalog"
local Ddl = require "rille.schema.postgres.ddl"
local Error = require "rille.error"
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"
local Tries = require "rille.schema.postgres.tries"
local closing = require "rille.closing"

local M = {}

local BUILD_WAIT_MS <const> = 60000
local DAY_MS <const> = 24 * 60 * 60 * 1000

-- What is there of an index that is not whole, and who makes it.
local BEGUN <const> = [[select p.pid as "pid" from pg_catalog.pg_index i
  left join pg_catalog.pg_stat_progress_create_index p on p.index_relid = i.indexrelid
  where i.indexrelid = pg_catalog.to_regclass(?)::pg_catalog.oid and not i.indisvalid]]

--- Take the indexes that are to be made concurrently out of what a transaction does.
---@param run rille.PostgresRunner
---@param blueprint rille.Blueprint
---@return rille.BlueprintIndex[]? later  nil for none
function M.put_off(run, blueprint)
  if run.handle.rehearsal then return nil end
  local later, now = {}, {}
  for _, operation in ipairs(blueprint.operations) do
    local list = operation.kind == "index" and operation.concurrently and later or now
    list[#list + 1] = operation
  end
  if #later == 0 then return nil end
  if run:in_transaction() then
    Error.raise("invalid_argument", ("%s: the index %q cannot be made concurrently inside a transaction"):format(
      blueprint.table, later[1].name), {
      hint = "a migration says transaction = false beside up and down, and then runs outside of one",
    })
  end
  blueprint.operations = now
  return later
end

--- Is an index that is there the one that is wanted?  How its condition is written nobody can compare.
local function is_same(found, index)
  if found.unique ~= index.unique or (found.where ~= nil) ~= (Ddl.covered_rows(index) ~= nil) then return false end
  for i, part in ipairs(index.columns) do
    if found.columns[i] ~= part[1] or found.descending[i] ~= (part[2] == "desc") then return false end
  end
  return #found.columns == #index.columns
end

local function drop(run, name) run:execute("drop index concurrently if exists " .. name) end

--- Let what an attempt that was cut off left of an index go.  The server may still be at it, for a process that is no
--- more: that is waited for.
---@param run rille.PostgresRunner
---@param name string  as SQL names it
function M.clear(run, name)
  local deadline = core.monotonic_ms() + BUILD_WAIT_MS
  local begun = run:rows(BEGUN, name)[1]
  while begun and begun.pid do
    if core.monotonic_ms() >= deadline then
      Error.raise("locked", ("the index %s is still being made by server process %d"):format(name, begun.pid), {
        hint = "wait for it, or end it: select pg_cancel_backend(…)",
      })
    end
    run:rows "select pg_catalog.pg_sleep(0.1)::text as \"slept\""
    begun = run:rows(BEGUN, name)[1]
  end
  if begun then drop(run, name) end
end

--- Was the index made by an attempt that was not cut off, and not written down?
local function is_made(table_, index)
  for _, found in ipairs(table_.indexes) do
    if found.name == index.name and found.valid then
      if is_same(found, index) then return true end
      Find.refuse(table_, ("there is another index %q already"):format(index.name),
        ("t:drop_index{ name = %q } goes first"):format(index.name))
    end
  end
  return false
end

--- A runner of another connection, for as long as a scope lasts: there such an index may take its time.  It waits for
--- transactions that began before it, and keeps nobody waiting meanwhile.
local function patient(handle)
  local settings = setmetatable({ busy_timeout_ms = DAY_MS, statement_timeout_ms = 0 }, { __index = handle.settings })
  local own = require "rille.handle".new(handle.name, settings)
  return require "rille.schema.runner".new(own), closing(own.close, own)
end

--- Make an index while others read and write; whatever goes wrong, no half of it stays.
---@param caller rille.PostgresRunner
---@param table_name string
---@param index rille.BlueprintIndex
function M.create(caller, table_name, index)
  local run, connection = patient(caller.handle)
  local closed <close> = connection                                            -- luacheck: ignore 211
  M.clear(run, Name.quote(index.name))
  local table_ = Catalog.table(run, table_name)
  if is_made(table_, index) then return end
  local nullable = {}
  for _, part in ipairs(index.columns) do nullable[part[1]] = Find.known(table_, part[1]).nullable end
  if index.trashed then Find.known(table_, index.trashed) end
  local sql = Ddl.index(table_name, index, function(name) return nullable[name] end)
  local ok, e = pcall(run.execute, run, sql)
  caller.handle:forget()
  if ok then return end
  pcall(drop, run, Name.quote(index.name))
  if Error.is(e, "unique_violation") then Tries.explain_duplicates(run, table_, index, e) end
  error(e, 0)
end

return M
