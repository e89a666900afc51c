--- factory: made-up records: rille.factory("Post"):state("draft"):has("comments", 3):create().
-- A factory is an immutable value, as a query is: each method gives a new one, so no state sticks to what others use.
-- Which definition it means is found when it makes something (factory/registry.lua), so that files may refer to each
-- other; how it makes it is factory/maker.lua.
local core = require "rille.core"
local Error = require "rille.error"
local copy = require "rille.copy"

local M = {}

local NOTHING <const> = {}

---@class rille.Factory
---@field _name string                 of the model
---@field _count? integer              1 when absent
---@field _steps table[]               states and sequences, in the order they were said
---@field _has table[]                 related records to make for each
---@field _belongs table[]             records that each belongs to
---@field _recycled table              records to use in the place of new ones
---@field _after_making function[]
---@field _after_creating function[]
local Factory = {}

local function sorted_methods()
  return require "rille.keys"(Factory)
end

local meta = {
  __name = "rille.Factory",
  __index = function(self, name)
    if Factory[name] then return Factory[name] end
    if type(name) == "string" and name:find "^_" then return nil end
    Error.unknown("invalid_argument", "method", name, sorted_methods(), "factory " .. self._name)
  end,
  __newindex = function(self)
    Error.raise("invalid_argument", ("factory %s: a factory is not changed; its methods give new ones"):format(
      self._name))
  end,
  __tostring = function(self) return ("factory %s"):format(self._name) end,
}

--- Is it a factory?
---@param value any
---@return boolean
function M.is(value) return getmetatable(value) == meta end

--- The same factory with one field changed.
local function with(self, field, value)
  local changed = copy(self)
  changed[field] = value
  return setmetatable(changed, meta)
end

--- The same factory with one more element in a list.
local function with_more(self, field, item)
  local list = rawget(self, field) or NOTHING
  local longer = table.move(list, 1, #list, 1, {})
  longer[#longer + 1] = item
  return with(self, field, longer)
end

local function where(self, method) return ("factory %s: %s"):format(self._name, method) end

--- A name, or the class itself.
local function model_name(value)
  local def = type(value) == "table" and rawget(value, "_def")
  local name = def and def.name or value
  if type(name) ~= "string" or not name:find "^%u[%w_]*$" then
    Error.argument("factory", 'a model, such as "Post"', value)
  end
  return name
end

--- Define the factory of a model, or get the one that is defined: in `factories` of the configuration, if not before.
---@param model string|rille.Model
---@param fn? fun(fake: rille.Fake, i: integer): table   attributes of the i-th record, counted from 1 since the seed; a
--- factory among them makes the record that this one belongs to, a function gets the record when all others are set
---@param options? { states: table?, after_making: function?, after_creating: function? }
---@return rille.Factory
function M.define(model, fn, options)
  local name = model_name(model)
  if fn ~= nil or options ~= nil then require "rille.factory.registry".define(name, fn, options) end
  return setmetatable({ _name = name }, meta)
end

-- -- what it shall make ---------------------------------------------------------------------------------------------

--- So many records.
---@param n integer  0 makes none
---@return rille.Factory
function Factory:count(n)
  if type(n) ~= "number" or not math.tointeger(n) or n < 0 then
    Error.argument(where(self, "count"), "how many, a whole number", n)
  end
  return with(self, "_count", math.tointeger(n))
end

local IS_STATE = { string = true, table = true, ["function"] = true }

local function check_state(place, state)
  if not IS_STATE[type(state)] or M.is(state) then
    Error.argument(place, "the name of a state, a table of attributes or a function that returns one", state)
  end
  return state
end

--- With other attributes.
---@param state string|table|fun(attributes: table, fake: rille.Fake, i: integer): table
---@return rille.Factory
function Factory:state(state)
  return with_more(self, "_steps", { state = check_state(where(self, "state"), state) })
end

local function check_columns(place, columns)
  for name, values in next, columns do
    if type(name) ~= "string" or type(values) ~= "table" or #values == 0 then
      Error.argument(place, "a list of states, or column = { value, … }", values)
    end
  end
end

--- With states that take turns: { { status = "draft" }, { status = "published" } }, or by column: { status = { … } }.
--- Each call, and each parent of `has`, begins with the first.
---@param states table
---@return rille.Factory
function Factory:sequence(states)
  local place = where(self, "sequence")
  if type(states) ~= "table" or next(states) == nil then
    Error.argument(place, "a list of states, or column = { value, … }", states)
  end
  if #states == 0 then
    check_columns(place, states)
    return with_more(self, "_steps", { columns = states })
  end
  for key in next, states do
    if math.type(key) ~= "integer" or key < 1 or key > #states then
      Error.argument(place, "a list without holes or names", key)
    end
  end
  for _, state in ipairs(states) do check_state(place, state) end
  return with_more(self, "_steps", { turns = states })
end

--- What `has` and `recycle` are given: one record, or a list of them.  Nil for anything else.
local function records_of(value)
  if core.is_record(value) then return { value } end
  if type(value) ~= "table" or M.is(value) or #value == 0 then return nil end
  for _, each in ipairs(value) do
    if not core.is_record(each) then return nil end
  end
  return table.move(value, 1, #value, 1, {})
end

--- With related records, for relations whose keys are in the other table or between.
---@param relation string
---@param what? integer|rille.Factory|rille.Record[]  how many (1 when absent), a factory of them, or, where a table is
--- in the middle, records that are there
---@param state? string|table|function  of the related ones
---@param pivot? table|fun(n: integer): table  columns of the table in the middle, for the n-th of them
---@return rille.Factory
function Factory:has(relation, what, state, pivot)
  local place = where(self, "has")
  if type(relation) ~= "string" then Error.argument(place, "the name of a relation", relation) end
  what = what == nil and 1 or what
  local entry = { relation = relation, factory = M.is(what) and what or nil, records = records_of(what) }
  if not entry.factory and not entry.records then
    entry.count = type(what) == "number" and math.tointeger(what)
    if not entry.count or entry.count < 0 then
      Error.argument(place, "how many, a factory, or a list of records", what)
    end
  end
  if state ~= nil then entry.state = check_state(place, state) end
  if entry.state and entry.records then
    Error.raise("invalid_argument", place .. ": records that are there are not given a state")
  end
  if pivot ~= nil and type(pivot) ~= "table" and type(pivot) ~= "function" then
    Error.argument(place, "a table of columns for the pivot, or a function that returns one", pivot)
  end
  entry.pivot = pivot
  return with_more(self, "_has", entry)
end

--- Belonging to a record, or to one that a factory makes once for all.
---@param other rille.Record|rille.Factory
---@param relation? string  where more than one leads to its model
---@return rille.Factory
function Factory:belonging_to(other, relation)
  local place = where(self, "belonging_to")
  if not M.is(other) and not core.is_record(other) then Error.argument(place, "a record or a factory", other) end
  if relation ~= nil and type(relation) ~= "string" then Error.argument(place, "the name of a relation", relation) end
  return with_more(self, "_belongs", { other = other, relation = relation })
end

--- With these records wherever a factory would make one of their model for others to belong to.
---@param records rille.Record|rille.Record[]
---@return rille.Factory
function Factory:recycle(records)
  local list = records_of(records)
  if not list then Error.argument(where(self, "recycle"), "a record or a list of them", records) end
  local by_model = {}
  for name, known in next, rawget(self, "_recycled") or NOTHING do by_model[name] = known end
  for _, record in ipairs(list) do
    local name = record._class._def.name
    local known = by_model[name] or NOTHING
    known = table.move(known, 1, #known, 1, {})
    known[#known + 1], by_model[name] = record, known
  end
  return with(self, "_recycled", by_model)
end

local function check_hook(self, method, fn)
  if type(fn) ~= "function" then Error.argument(where(self, method), "a function", fn) end
  return fn
end

--- Calling a function with each record that was made, before it is saved.
---@param fn fun(record: rille.Record)
---@return rille.Factory
function Factory:after_making(fn) return with_more(self, "_after_making", check_hook(self, "after_making", fn)) end

--- Calling a function with each record that was created, when all are there, with what they have.
---@param fn fun(record: rille.Record)
---@return rille.Factory
function Factory:after_creating(fn)
  return with_more(self, "_after_creating", check_hook(self, "after_creating", fn))
end

-- -- making ---------------------------------------------------------------------------------------------------------

local function check_attributes(self, method, attributes)
  if attributes ~= nil and (type(attributes) ~= "table" or M.is(attributes)) then
    Error.argument(where(self, method), "a table of attributes", attributes)
  end
  return attributes
end

--- Records that are not saved; nothing at all is written.
---@param attributes? table  which count more than those of the factory
---@return rille.List
function Factory:make(attributes)
  return require "rille.factory.maker".make(self, check_attributes(self, "make", attributes))
end

---@param attributes? table
---@return rille.Record
function Factory:make_one(attributes)
  return require "rille.factory.maker".make(with(self, "_count", 1), check_attributes(self, "make_one", attributes))[1]
end

--- Saved records, with all that they belong to and have: all in one transaction, or none.  They run the hooks and rules
--- of their models; `fillable` and `guarded`, which are about what comes from outside, do not bind a factory.
---@param attributes? table  which count more than those of the factory
---@return rille.List|nil
---@return rille.Error? err  when a rule or a hook refused one: `index` says which; nothing was written
function Factory:create(attributes)
  return require "rille.factory.maker".create(self, check_attributes(self, "create", attributes))
end

---@param attributes? table
---@return rille.Record|nil
---@return rille.Error? err
function Factory:create_one(attributes)
  local list, err = require "rille.factory.maker".create(with(self, "_count", 1),
    check_attributes(self, "create_one", attributes))
  if not list then return nil, err end
  return list[1]
end

return M
