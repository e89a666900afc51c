--- factory.maker: makes what a factory says, and saves it: one run makes the records of one factory, and begins others
--- for what these belong to and have.
local Attributes = require "rille.factory.attributes"
local Children = require "rille.factory.children"
local Error = require "rille.error"
local Fake = require "rille.fake"
local List = require "rille.list"
local Registry = require "rille.factory.registry"
local Shape = require "rille.factory.shape"

local M = {}

local NESTED <const> = 10          -- factories of one model inside each other, before it is no chain but a circle

---@class rille.FactoryRun
---@field factory rille.Factory
---@field definition rille.FactoryDefinition
---@field class rille.Model
---@field info table
---@field shape rille.FactoryShape
---@field saves boolean             or only makes
---@field outer? rille.FactoryRun   the one that needs this one
---@field via? string               the attribute or relation of the outer one that does
---@field recycled table<string, rille.Record[]>
---@field given? table              attributes of the caller, which count most
---@field keys? fun(n: integer): table   attributes of the n-th record that its parent decides
---@field inverse? string           the relation by which it belongs to its parent, and
---@field parent? fun(n: integer): rille.Record
---@field turn? fun(n: integer): integer  its place among those of its parent

local running = setmetatable({}, { __mode = "k" })        -- coroutine -> its innermost run

-- Ends a run, also by an error: who was at work before is again.
local Ending = {
  __close = function(self)
    running[self.owner] = self.run.outer
    Fake.go_on(Fake.shared, self.place)
  end,
}

--- The models from the last run of the same one on: "Post.author, User.favourite".
local function circle(run)
  local steps, each = {}, run
  repeat
    local outer = each.outer
    table.insert(steps, 1, outer.definition.name .. (each.via and "." .. each.via or ""))
    each = outer
  until each.definition == run.definition
  return table.concat(steps, ", ")
end

local function check_depth(run)
  local depth, each = 0, run
  while each do
    if each.definition == run.definition then depth = depth + 1 end
    each = each.outer
  end
  if depth <= NESTED then return end
  local name = run.definition.name
  Error.raise("invalid_argument", ("factory %s needs itself, and so for ever: %s (%s)"):format(name, circle(run),
    run.definition.place), { model = name,
    hint = "somewhere on the way a state must say rille.null, or recycle(record) use one that is there" })
end

--- Records of one model that may stand in for new ones, the newer ones behind.
local function merged_records(a, b)
  local all = {}
  for name, list in next, a or {} do all[name] = list end
  for name, list in next, b or {} do
    local before = all[name] or {}
    all[name] = table.move(list, 1, #list, #before + 1, table.move(before, 1, #before, 1, {}))
  end
  return all
end

local function begin(factory, fields)
  local owner = coroutine.running()
  local run, outer = fields, running[owner]
  local definition = Registry.find(factory._name)
  run.factory, run.definition, run.outer = factory, definition, outer
  run.class = require "rille.autoload".model(factory._name)
  run.info = require "rille.model".info(run.class)
  run.shape = Shape.of(run.info)
  run.recycled = merged_records(fields.recycled, factory._recycled)
  if outer then check_depth(run) end
  running[owner] = run
  return run, setmetatable({ owner = owner, run = run, place = Fake.place(Fake.shared) }, Ending)
end

local function call_all(first, second, record)
  for i = 1, #first do first[i](record) end
  for i = 1, second and #second or 0 do second[i](record) end
end

--- What the caller shall know: which factory and which of its records was refused.
local function refused(run, err, n, count)
  err.message = ("factory %s: %s%s"):format(run.definition.name, count > 1 and ("record %d: "):format(n) or "",
    err.message)
  err.index = n
  return nil, err
end

--- The records of a factory, and all that belongs to them.
---@param factory rille.Factory
---@param count integer
---@param fields table  of the run: what `begin` does not find out
---@return rille.Record[]|nil
---@return rille.Error? err
function M.run(factory, count, fields)
  local run <const>, ending <close> = begin(factory, fields)         -- luacheck: ignore 211
  local definition, records = run.definition, {}
  local belongs, why = Attributes.belonging(run, M.run)
  if not belongs then return nil, why end
  for n = 1, count do
    local record, err = Attributes.record(run, n, belongs, M.run)
    if not record then
      err.index = n
      return nil, err
    end
    call_all(definition.after_making, factory._after_making, record)
    if run.saves then
      local saved
      saved, err = record:save()
      if not saved then return refused(run, err, n, count) end
    end
    records[n] = record
  end
  for _, entry in ipairs(factory._has or {}) do
    local done, err = Children.make(run, records, entry, M.run)
    if not done then return nil, err end
  end
  if run.saves and (#definition.after_creating > 0 or factory._after_creating) then
    for n = 1, count do call_all(definition.after_creating, factory._after_creating, records[n]) end
  end
  return records
end

--- Records that are not saved.
---@param factory rille.Factory
---@param attributes? table
---@return rille.List
function M.make(factory, attributes)
  return List.wrap((M.run(factory, factory._count or 1, { saves = false, given = attributes })))
end

--- Saved records, in one transaction.
---@param factory rille.Factory
---@param attributes? table
---@return rille.List|nil
---@return rille.Error? err
function M.create(factory, attributes)
  Registry.find(factory._name)           -- a factory that is not there is told before a model is looked for
  local handle = require "rille.model".info(require "rille.autoload".model(factory._name)).handle
  local tx <close> = handle:begin()
  local records, err = M.run(factory, factory._count or 1, { saves = true, given = attributes })
  if not records then
    tx:rollback()
    return nil, err
  end
  tx:commit()
  return List.wrap(records)
end

return M
