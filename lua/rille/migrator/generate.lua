--- generate: a migration that leads from the database to what the models' `fields` describe; tried on a copy first.
local Difference = require "rille.migrator.difference"
local Engine = require "rille.schema.engine"
local Error = require "rille.error"
local Rehearsal = require "rille.schema.rehearsal"
local Runner = require "rille.schema.runner"

local M = {}

---@class rille.Generated
---@field text? string                    of the migration; nil when there is nothing to do
---@field changes string[]                sentences
---@field tables string[]                 that it makes or changes
---@field lost { table: string, column: string }[]  columns that it drops
---@field maybe_renamed { table: string, from: string[], to: string[] }[]  columns that go where others come

--- The blueprints of the models that describe their table on this connection.
local function described(handle)
  require "rille.autoload".load_once()
  local blueprints, model_of = {}, {}
  local on_table = require "rille.model".on_table
  for _, name in ipairs(require "rille.keys"(on_table)) do
    for _, class in ipairs(on_table[name]) do
      local def = class._def
      local is_here = def.fields and require "rille.database".get(def.connection) == handle
      if is_here and model_of[name] then
        Error.raise("invalid_argument", ("the models %s and %s both describe the table %q"):format(model_of[name],
          def.name, name), { hint = "leave `fields` out of one of them" })
      elseif is_here then
        model_of[name] = def.name
        blueprints[#blueprints + 1] = require "rille.schema.table".describe(name, def.fields)
        blueprints[#blueprints].fields = def.fields
      end
    end
  end
  return blueprints
end

--- In an order in which each table comes after those that it refers to.
local function ordered(differences)
  local by_table, state, list = {}, {}, {}
  for _, each in ipairs(differences) do by_table[each.table] = each end
  local function visit(each)
    if state[each] then return end
    state[each] = true
    for _, other in ipairs(each.needs) do
      if by_table[other] then visit(by_table[other]) end
    end
    list[#list + 1] = each
  end
  for _, each in ipairs(differences) do visit(each) end
  return list
end

local function needs_of(blueprint)
  local needs = {}
  for _, column in ipairs(blueprint.columns) do
    if column.references then needs[#needs + 1] = column.references.table end
  end
  for _, key in ipairs(blueprint.foreign) do needs[#needs + 1] = key.table end
  return needs
end

local function differences_of(handle)
  local run, engine, blueprints = Runner.new(handle), Engine.of(handle), described(handle)
  for _, blueprint in ipairs(blueprints) do require "rille.schema.tenant".complete(run, blueprint, "create") end
  local wanted, list = engine.pictures_of(run, blueprints), {}
  for _, blueprint in ipairs(blueprints) do
    local name = blueprint.table
    local found = engine.has_table(run, name) and engine.picture(run, name) or nil
    local difference = Difference.of(engine, blueprint, wanted[name], found)
    difference.needs = needs_of(blueprint)
    difference.create = difference.create and require "rille.schema.heard".lines(blueprint.fields)
    if #difference.changes > 0 then list[#list + 1] = difference end
  end
  require "rille.migrator.security".add(run, list)
  return ordered(list)
end

-- -- the text -------------------------------------------------------------------------------------------------------

local function block(lines, word, table_name, words)
  if #words == 0 then return end
  lines[#lines + 1] = ("    schema:%s(%s, function(t)"):format(word, ("%q"):format(table_name))
  for _, each in ipairs(words) do lines[#lines + 1] = "      " .. each end
  lines[#lines + 1] = "    end)"
end

local function text_of(differences)
  local up, down = {}, {}
  for _, each in ipairs(differences) do
    block(up, each.create and "create" or "table", each.table, each.create or each.up)
  end
  for i = #differences, 1, -1 do
    local each = differences[i]
    if each.create then
      down[#down + 1] = ("    schema:drop(%q)"):format(each.table)
    else
      block(down, "table", each.table, each.down)
    end
  end
  local body = ("return {\n  up = function(schema)\n%s\n  end,\n  down = function(schema)\n%s\n  end,\n}\n"):format(
    table.concat(up, "\n"), table.concat(down, "\n"))
  local head = "--- Written by rille migrate:generate: what the models describe.\n"
  if body:find("rille.null", 1, true) then head = head .. "local rille = require \"rille\"\n\n" end
  return head .. body
end

-- -- trying it ------------------------------------------------------------------------------------------------------

local function refuse_unsaid(differences)
  local unsaid = {}
  for _, each in ipairs(differences) do
    for _, what in ipairs(each.unsaid) do unsaid[#unsaid + 1] = ("%s: %s"):format(each.table, what) end
  end
  if #unsaid > 0 then
    Error.raise("unsupported", "this cannot be said in the words of migrations: " .. table.concat(unsaid, "; "), {
      hint = "write this migration by hand: rille make:migration",
    })
  end
end

--- The pictures of tables, as texts that can be compared.
local function snapshot(handle) return require "rille.migrator.snapshot".take(handle) end

--- Run the migration up and down on a copy: there must be nothing left to do, and then all as it was.
local function try(handle, text)
  local migration = assert(load(text, "=generated", "t", require "rille.autoload".environment()))()
  local left, not_undone
  Rehearsal.run(handle, { foreign_keys = false }, function()
    local schema, run = require "rille.schema".on(handle), Runner.new(handle)
    local before = snapshot(handle)
    run:change(function() migration.up(schema) end)
    left = differences_of(handle)
    run:change(function() migration.down(schema) end)
    not_undone = require "rille.migrator.snapshot".compare(before, snapshot(handle))
  end)
  if #left > 0 then
    Error.raise("unsupported", ("the words would not make %s what its model describes: %s"):format(left[1].table,
      table.concat(left[1].changes, "; ")), { table = left[1].table, hint = "write this migration by hand" })
  end
  return not_undone
end

--- A migration for the models of a connection.  Nothing is written, and the database stays as it is.
---@param handle rille.Handle
---@return rille.Generated
function M.of(handle)
  local differences = differences_of(handle)
  local result = { changes = {}, tables = {}, lost = {}, maybe_renamed = {} }
  if #differences == 0 then return result end
  refuse_unsaid(differences)
  for i, each in ipairs(differences) do
    result.tables[i] = each.table
    for _, sentence in ipairs(each.changes) do
      result.changes[#result.changes + 1] = ("%s: %s"):format(each.table, sentence)
    end
    for _, column in ipairs(each.lost) do
      result.lost[#result.lost + 1] = { table = each.table, column = column }
    end
    if #each.lost > 0 and #each.came > 0 then
      result.maybe_renamed[#result.maybe_renamed + 1] = { table = each.table, from = each.lost, to = each.came }
    end
  end
  result.text = text_of(differences)
  result.not_undone = try(handle, result.text)
  return result
end

return M
