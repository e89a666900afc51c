--- factory.attributes: the attributes of one record: what the definition says, then states and sequences in their
--- order, then what it belongs to, then what the caller gave.  What is said later counts.
local core = require "rille.core"
local Error = require "rille.error"
local Factory = require "rille.factory"
local Fake = require "rille.fake"
local sorted_keys = require "rille.keys"

local is_record, is_factory = core.is_record, Factory.is
local fake = Fake.shared
local NOTHING <const> = {}

local M = {}

-- -- layers ---------------------------------------------------------------------------------------------------------

--- A value for one record alone: what that record does to a table inside is not done to the factory's.
local function own(value)
  if type(value) ~= "table" or is_factory(value) then return value end
  local copy = {}
  for key, each in next, value do copy[key] = own(each) end
  return setmetatable(copy, getmetatable(value))
end

--- Put attributes above those that are there.
local function add(run, attributes, layer)
  local rivals, same = run.shape.rivals, run.shape.same
  for name in next, layer do
    local others = rivals[name]
    for i = 1, others and #others or 0 do attributes[others[i]] = nil end
    if same[name] and layer[same[name]] ~= nil then
      Error.raise("invalid_argument", ("factory %s: %s and %s are given at once, and say the same"):format(
        run.definition.name, name, same[name]), { model = run.definition.name, hint = "leave one of them out" })
    end
  end
  for name, value in next, layer do attributes[name] = own(value) end
end

local function check_layer(run, what, layer)
  if type(layer) == "table" and not is_factory(layer) then return layer end
  Error.raise("invalid_argument", ("factory %s: %s returned no table of attributes but %s"):format(run.definition.name,
    what, Error.show(layer)), { model = run.definition.name, hint = run.definition.place })
end

--- Add a state: by its name, as a table, or as a function of what is there.
local function add_state(run, attributes, state, number)
  local what = "a state"
  if type(state) == "string" then
    local states = run.definition.states
    if states[state] == nil then
      Error.unknown("invalid_argument", "state", state, sorted_keys(states), ("factory %s (%s)"):format(
        run.definition.name, run.definition.place), { model = run.definition.name })
    end
    what, state = ("the state %q"):format(state), states[state]
  end
  if type(state) == "function" then state = check_layer(run, what, state(attributes, fake, number)) end
  add(run, attributes, state)
end

local function turn_of(list, turn) return list[(turn - 1) % #list + 1] end

local function add_step(run, attributes, step, number, turn)
  if step.state then return add_state(run, attributes, step.state, number) end
  if step.turns then return add_state(run, attributes, turn_of(step.turns, turn), number) end
  local layer = {}
  for name, values in next, step.columns do layer[name] = turn_of(values, turn) end
  add(run, attributes, layer)
end

-- -- what a record belongs to ---------------------------------------------------------------------------------------

--- The relation by which records of the run belong to those of another model.
local function relation_to(run, name, said)
  local def, found, morphs = run.class._def, {}, {}
  for _, relation in ipairs(sorted_keys(def.relations)) do
    local declared = def.relations[relation]
    if declared.kind == "belongs_to" and declared.model == name then found[#found + 1] = relation end
    if declared.kind == "morph_to" then morphs[#morphs + 1] = relation end
  end
  if #found == 0 then found = morphs end
  local where = ("factory %s: belonging_to"):format(run.definition.name)
  if said then
    local kind = def.relations[said] and def.relations[said].kind
    if kind == "belongs_to" or kind == "morph_to" then return said end
    Error.unknown("no_such_relation", "relation that belongs to another record,", said, found, where, {
      model = def.name, hint = kind and ("%s is a %s: has() makes its records"):format(said, kind),
    })
  elseif #found == 1 then
    return found[1]
  elseif #found == 0 then
    Error.raise("no_such_relation", ("%s: no relation of %s belongs to a %s"):format(where, def.name, name), {
      model = def.name,
    })
  end
  Error.raise("invalid_argument", ("%s: %s belongs to a %s in several ways: %s"):format(where, def.name, name,
    table.concat(found, ", ")), { model = def.name, hint = ("belonging_to(record, %q) says which"):format(found[1]) })
end

--- One record of a factory that others belong to: one that is there, where some are to be used again, or a new one.
local function one_of(run, factory, via, make)
  local known = run.recycled[factory._name]
  if known then return fake:pick(known) end
  if factory._count and factory._count ~= 1 then
    Error.raise("invalid_argument", ("factory %s: %s belongs to one record, and this factory makes %d"):format(
      run.definition.name, via, factory._count), { model = run.definition.name })
  end
  local records, err = make(factory, 1, { saves = run.saves, recycled = run.recycled, via = via })
  if not records then return nil, err end
  return records[1]
end

--- What all records of the run belong to, made where it is a factory.
---@param run rille.FactoryRun
---@param make function  maker.run
---@return table<string, rille.Record>|nil
---@return rille.Error? err
function M.belonging(run, make)
  local layer = {}
  for _, entry in ipairs(run.factory._belongs or {}) do
    local other, err = entry.other, nil
    local name = is_factory(other) and other._name or other._class._def.name
    local relation = relation_to(run, name, entry.relation)
    if is_factory(other) then other, err = one_of(run, other, relation, make) end
    if not other then return nil, err end
    layer[relation] = other
  end
  return layer
end

-- -- one record -----------------------------------------------------------------------------------------------------

--- Names of the attributes that are factories, in order, for what is made up must not depend on the order of a table;
--- the functions, taken out of them; and whether there are records.
local function special(attributes)
  local factories, functions, has_records
  for name, value in next, attributes do
    local kind = type(value)
    if kind == "function" then
      functions = functions or {}
      functions[name] = value
    elseif kind == "table" and is_factory(value) then
      factories = factories or {}
      factories[#factories + 1] = name
    elseif kind == "userdata" and is_record(value) then
      has_records = true
    end
  end
  for name in next, functions or NOTHING do attributes[name] = nil end
  if factories then table.sort(factories) end
  return factories, functions, has_records
end

--- Take the records out of the attributes: by relation, where one leads there, else by their key.
local function take_related(run, attributes)
  local related = {}
  for _, name in ipairs(sorted_keys(attributes)) do
    local value = attributes[name]
    if type(value) == "userdata" and is_record(value) then
      local relation = run.class._def.relations[name] and name or run.shape.by_column[name]
      attributes[name] = not relation and value:key() or nil
      if relation then related[#related + 1] = { relation, value } end
    end
  end
  return related
end

local function refuse(run, name)
  local model, open = run.definition.name, run.shape.open
  local where = ("factory %s (%s)"):format(model, run.definition.place)
  if open[name] == false then
    Error.raise("mass_assignment", ("%s: %s is the lock's own column"):format(where, name), {
      model = model, column = name,
    })
  end
  Error.unknown("no_such_column", "attribute", name, sorted_keys(open), where, {
    model = model, column = tostring(name),
  })
end

--- Refer to another record; to one that is not saved in memory alone.
local function refer(run, record, relation, other)
  if run.saves or core.record_exists(other) then
    record[relation] = other
  else
    core.record_relate(record, relation, other)
  end
end

local function fill(run, record, attributes)
  local refused = core.record_fill(record, attributes, run.shape.open, run.info.direct)
  if refused ~= nil then refuse(run, refused) end
end

--- The attributes of the n-th record, with all that was said of them.
local function said(run, n, belongs, number)
  local definition, steps, attributes = run.definition, run.factory._steps, {}
  add(run, attributes, check_layer(run, "its function", definition.fn(fake, number)))
  for i = 1, steps and #steps or 0 do
    add_step(run, attributes, steps[i], number, run.turn and run.turn(n) or n)
  end
  add(run, attributes, belongs)
  if run.keys then add(run, attributes, run.keys(n)) end
  if run.given then add(run, attributes, run.given) end
  return attributes
end

--- The n-th record of a run, not saved.
---@param run rille.FactoryRun
---@param n integer
---@param belongs table<string, rille.Record>  of M.belonging
---@param make function  maker.run
---@return rille.Record|nil
---@return rille.Error? err
function M.record(run, n, belongs, make)
  local number = Fake.next_record(fake, run.definition.name)
  local attributes = said(run, n, belongs, number)
  local factories, functions, has_records = special(attributes)
  for _, name in ipairs(factories or NOTHING) do
    local other, err = one_of(run, attributes[name], name, make)
    if not other then return nil, err end
    attributes[name] = other
  end
  local related = (factories or has_records) and take_related(run, attributes) or NOTHING
  local record = core.record_new(run.info.source)
  fill(run, record, attributes)
  for i = 1, #related do refer(run, record, related[i][1], related[i][2]) end
  if run.inverse then core.record_relate(record, run.inverse, run.parent(n)) end
  for _, name in ipairs(functions and sorted_keys(functions) or NOTHING) do
    fill(run, record, { [name] = functions[name](record, fake, number) })
  end
  return record
end

return M
