--- validate: the rules of `validates`: checked where a model is declared, compiled once for its table, run on a save.
-- All rules of a record run before anything is written, and all that fails is told at once.  Compiled rules are a list
-- of groups in the order of the columns; nothing is allocated while all is well.
local core = require "rille.core"
local Constraint = require "rille.validate.constraint"
local Error = require "rille.error"
local Rule = require "rille.validate.rule"
local State = require "rille.record.state"
local copy = require "rille.copy"

local null = core.null
local state_of, original = core.record_state, core.record_original
local was_selected, read_column = State.was_selected, State.read_column

local M = {}

-- What may stand beside the rules of a field.
local ABOUT = { "when", "on", "message" }
local KNOWN = table.move(ABOUT, 1, #ABOUT, #Rule.names + 1, table.move(Rule.names, 1, #Rule.names, 1, {}))

-- Messages of rules that have no test of their own.
local SAID = { required = "must be given", unique = "is already taken", references = "refers to nothing that exists",
  check = "is not valid" }

-- -- the declaration ------------------------------------------------------------------------------------------------

--- A field has one table of rules, or a list of them, each with its own conditions.
local function specs_of(declared)
  return declared[1] == nil and { declared } or declared
end

local function check_message(place, message)
  if message == nil or type(message) == "string" then return end
  if type(message) ~= "table" then Error.argument(place, "a text, or a text for each rule", message) end
  Error.options(place, message, Rule.names)
  for rule, text in next, message do
    if type(text) ~= "string" then Error.argument(place .. "." .. rule, "a text", text) end
  end
end

local function check_spec(place, spec)
  if type(spec) ~= "table" then Error.argument(place, "a table of rules", spec) end
  Error.options(place, spec, KNOWN)
  if spec.when ~= nil and type(spec.when) ~= "function" then
    Error.argument(place .. ".when", "a function of the record", spec.when)
  end
  if spec.on ~= nil and spec.on ~= "create" and spec.on ~= "update" then
    Error.argument(place .. ".on", '"create" or "update"', spec.on)
  end
  check_message(place .. ".message", spec.message)
  local some = false
  for rule, kind in next, Rule.kinds do
    if spec[rule] ~= nil then
      kind.check(place .. "." .. rule, spec[rule], spec)
      some = true
    end
  end
  if not some then Error.argument(place, "at least one rule: " .. table.concat(Rule.names, ", "), spec) end
end

--- Raise unless the rules are such, as far as one can tell without the table.
---@param name string      of the model
---@param validates table  as declared
function M.check(name, validates)
  for field, declared in next, validates do
    if type(field) ~= "string" then
      Error.argument(("model %s: validates"):format(name), "rules under the name of a column", field)
    end
    local place = ("model %s: validates.%s"):format(name, field)
    if type(declared) ~= "table" then Error.argument(place, "a table of rules", declared) end
    local count = rawlen(declared)
    for key in next, declared do
      if count > 0 and not (math.type(key) == "integer" and key >= 1 and key <= count) then
        Error.argument(place, "one table of rules, or a list of them", key)
      end
    end
    for _, spec in ipairs(specs_of(declared)) do check_spec(place, spec) end
  end
end

--- What was typed for a column that is confirmed is noted on its way in.
local function confirm(def, field)
  local confirmation, own, typed = Rule.confirmation(field), def.mutators[field], Rule.typed
  for _, option in ipairs { "accessors", "mutators", "methods" } do
    if def[option][confirmation] then
      Error.raise("invalid_argument", ("model %s: %s.%s is what validates.%s.confirmed keeps for itself"):format(
        def.name, option, confirmation, field), { model = def.name })
    end
  end
  local function note(record, name, value)
    local given = typed[record] or {}
    typed[record] = given
    given[name] = value
  end
  def.mutators[field] = function(record, value)
    note(record, field, value)
    if own then return own(record, value) end
    return value
  end
  def.mutators[confirmation] = function(record, value) note(record, confirmation, value) end
  def.accessors[confirmation] = function(record)
    local given = typed[record]
    return given and given[confirmation]
  end
end

--- Give a model the attributes that its rules need beside the columns.
---@param def table  the completed declaration
function M.complete(def)
  local confirmed = {}
  for field, declared in next, def.validates do
    for _, spec in ipairs(specs_of(declared)) do
      if spec.confirmed then confirmed[field] = true end
    end
  end
  if next(confirmed) == nil then return end
  def.mutators, def.accessors = copy(def.mutators), copy(def.accessors)
  for field in next, confirmed do confirm(def, field) end
end

-- -- compiling ------------------------------------------------------------------------------------------------------

---@class rille.RuleGroup
---@field name string               of the column
---@field cast boolean              Lua decodes its values
---@field plain boolean             its value stands as it is in the state, and nothing but the column decides its turn
---@field filled boolean            the database or a stamp fills it in where a new record leaves it out
---@field required? string          the message; nil when it may be absent
---@field blank? string             the value that counts as absent, too
---@field tests function[]          as rule.lua makes them
---@field rules string[]            the rule of each test
---@field look_ups table[]          as constraint.lua makes them
---@field when? fun(record): any
---@field create boolean            runs on a new record
---@field update boolean            runs on one that is there already
---@field always boolean            may depend on other columns: runs when its own did not change, too
---@field spec table                as declared
---@field said table<string, string?>  messages that were declared, by rule

---@class rille.Rules  a list of groups
---@field creating rille.RuleGroup[]  those that run on a new record
---@field updating rille.RuleGroup[]  those that run on one that is there already
---@field info table
---@field sql? string  in which the conditions of its CHECKs stand, once they were asked for
local Rules = {}
Rules.__index = Rules

--- The form that a column gives a value, so that one_of compares like with like.
local function canonical_in(info, name, place)
  if info.casts[name] then return function(value) return value end end
  local scratch = core.record_new(info.source)
  return function(value)
    local ok, e = pcall(core.record_put, scratch, name, value)
    if not ok then Error.raise("invalid_argument", ("%s: one_of: %s"):format(place, e.message), { column = name }) end
    return state_of(scratch)[name]
  end
end

local function messages_of(spec)
  if type(spec.message) ~= "string" then return spec.message or {} end
  return setmetatable({}, { __index = function() return spec.message end })
end

local function compile_group(def, info, description, name, spec)
  local place, said = ("model %s: validates.%s"):format(def.name, name), messages_of(spec)
  local column = {
    name = name, place = place, type = info.source:type(name), canonical = canonical_in(info, name, place),
  }
  local declared = info.has[name]
  local group = {
    name = name, spec = spec, said = said, cast = info.casts[name] ~= nil, when = spec.when,
    plain = info.casts[name] == nil and spec.when == nil,
    create = spec.on ~= "update", update = spec.on ~= "create",
    filled = declared.default or declared.generated or name == info.created_at or name == info.updated_at,
    always = spec.when ~= nil or spec.check ~= nil,
    required = spec.required and (said.required or SAID.required) or nil, blank = "",
    tests = {}, rules = {}, look_ups = {},
  }
  for _, rule in ipairs(Rule.names) do
    local option, make = spec[rule], Rule.kinds[rule].make
    if option and make then
      table.insert(group.tests, make(option, column, said[rule]))
      table.insert(group.rules, rule)
    elseif option and Constraint[rule] then
      table.insert(group.look_ups, Constraint[rule](option, column, def, info, description))
    end
  end
  return group
end

--- The confirmation of a column may be assigned wherever the column may.
local function open_confirmation(def, info, field)
  local name = Rule.confirmation(field)
  if info.has[name] then
    Error.raise("unsupported", ("model %s: validates.%s: confirmed keeps %s for what was typed, but %s has a column "
      .. "of that name"):format(def.name, field, name, def.table), { model = def.name, column = name })
  end
  info.assignable[name] = info.assignable[field]
end

--- What the JSON Schema that made the table says of a column.
local function compile_kept(def, info, description, column)
  local own = (def.validates or {})[column.name]
  local spec = {}
  for _, each in ipairs(own and specs_of(own) or {}) do
    spec.unique, spec.references = spec.unique or each.unique, spec.references or each.references
  end
  spec.unique = not spec.unique and column.unique or nil
  spec.references = not spec.references and column.references or nil
  local group = compile_group(def, info, description, column.name, spec)
  group.cast, group.plain, group.blank = false, true, nil                 -- it judges what is stored
  group.required = column.not_null and SAID.required or nil
  group.tests, group.rules = { column.test }, { "json_schema" }
  return group
end

local function add_group(rules, group)
  rules[#rules + 1] = group
  if group.create then table.insert(rules.creating, group) end
  if group.update then table.insert(rules.updating, group) end
end

--- The rules for a table.
---@param def table          the completed declaration
---@param info table         as model/table.lua makes it
---@param description table  what the database says of the table
---@return rille.Rules
function M.compile(def, info, description)
  local rules = setmetatable({ creating = {}, updating = {}, info = info, sql = description.sql }, Rules)
  local validates = def.validates or {}
  for name in next, validates do
    if not info.has[name] then
      Error.unknown("no_such_column", "column", name, info.names, ("model %s: validates: %s"):format(def.name,
        def.table), { model = def.name })
    end
  end
  for _, name in ipairs(info.names) do
    for _, spec in ipairs(validates[name] and specs_of(validates[name]) or {}) do
      add_group(rules, compile_group(def, info, description, name, spec))
      if spec.confirmed then open_confirmation(def, info, name) end
    end
    local kept = info.kept and info.kept.by_name[name]
    if kept then add_group(rules, compile_kept(def, info, description, kept)) end
  end
  return rules
end

-- -- running --------------------------------------------------------------------------------------------------------

--- The value that will be stored: past accessors, cast as its column says.
local function value_of(group, record, state, info)
  if group.cast then return read_column(record, info, group.name) end
  local value = state[group.name]
  if value == nil then value = original(record, group.name) end
  if value == null then return nil end
  return value
end

local function add(failures, group, rule, message, value)
  failures = failures or {}
  failures[#failures + 1] = {
    field = group.name, rule = rule, message = message, value = value, wanted = group.spec[rule],
  }
  return failures
end

local function run_tests(group, record, value, changed, failures)
  local tests = group.tests
  for i = 1, #tests do
    local message = tests[i](value, record, changed)
    if message then failures = add(failures, group, group.rules[i], message, value) end
  end
  return failures
end

--- Is it this group's turn: did its column change, or may it depend on another that did?
local function applies(group, record, changed)
  return (changed or group.always and was_selected(record, group.name)) and (group.when == nil or group.when(record))
end

--- All failures of the rules that need no look-up; nil when there are none.
local function run(self, record, creating)
  local state, info, groups, failures = state_of(record), self.info, creating and self.creating or self.updating, nil
  for i = 1, #groups do
    local group = groups[i]
    local value = state[group.name]
    local turn = group.plain and value ~= nil
    if not turn and applies(group, record, creating or value ~= nil) then
      turn, value = true, value_of(group, record, state, info)
    end
    if turn then
      if value == null then value = nil end
      if group.required and (value == nil or value == group.blank) then
        if not (creating and group.filled and state[group.name] == nil) then
          failures = add(failures, group, "required", group.required, value)
        end
      elseif value ~= nil and group.tests[1] then
        failures = run_tests(group, record, value, creating or state[group.name] ~= nil, failures)
      end
    end
  end
  return failures
end

--- Of a rule that the database keeps.
local function add_refused(failures, group, rule, record, info)
  local value = value_of(group, record, state_of(record), info)
  return add(failures, group, rule, group.said[rule] or SAID[rule], value)
end

local function any_changed(state, columns)
  for _, name in ipairs(columns) do
    if state[name] ~= nil then return true end
  end
  return false
end

--- Is it the turn of a rule that the database keeps?
local function may_fail(group, look_up, record, state, creating)
  if not (creating and group.create or not creating and group.update and any_changed(state, look_up.columns)) then
    return false
  end
  return group.when == nil or group.when(record)
end

--- Add what the database would refuse, in fields of which nothing else is wrong.
local function look_up_all(self, record, creating, failures)
  local state, failed = state_of(record), {}
  for _, failure in ipairs(failures or {}) do failed[failure.field] = true end
  for i = 1, #self do
    local group = self[i]
    for _, look_up in ipairs(failed[group.name] and {} or group.look_ups) do
      if may_fail(group, look_up, record, state, creating) and Constraint.fails(record, self.info, look_up) then
        failures = add_refused(failures, group, look_up.rule, record, self.info)
      end
    end
  end
  return failures
end

--- The error value of failures.
local function error_of(self, failures)
  local def, fields, sentences = self.info.class._def, {}, {}
  for i, failure in ipairs(failures) do
    local messages = fields[failure.field] or {}
    fields[failure.field] = messages
    messages[#messages + 1] = failure.message
    sentences[i] = failure.field .. " " .. failure.message
  end
  return Error.new("validation", ("this %s is not valid: %s"):format(def.name, table.concat(sentences, "; ")), {
    model = def.name, table = def.table, fields = fields, failures = failures,
  })
end

--- Run the rules on what a record would store.
---@param record rille.Record
---@param creating boolean  it is not in the database yet
---@param look_up? boolean  ask the database about unique and references even when nothing else is wrong
---@return rille.Error?
function Rules:check(record, creating, look_up)
  local failures = run(self, record, creating)
  if failures or look_up then failures = look_up_all(self, record, creating, failures) end
  return failures and error_of(self, failures)
end

--- SQL in which the conditions of the table's CHECKs stand, as far as an error is about one.
local function checks_of(self, e)
  if not self.sql and e.kind == "check_violation" then
    local handle = self.info.handle
    self.sql = handle:engine().checks(handle, self.info.class._def.table)
  end
  return self.sql or ""
end

--- An error of the database as one of validation, when it is about a rule.
---@param record rille.Record
---@param e any  what writing the record raised
---@return rille.Error?
function Rules:explain(record, e)
  if not Error.is(e) then return nil end
  local failures
  for i = 1, #self do
    local group = self[i]
    local rule = Constraint.broken(e, group, record, self.info, checks_of(self, e))
    if rule then failures = add_refused(failures, group, rule, record, self.info) end
  end
  if not failures then return nil end
  local found = error_of(self, look_up_all(self, record, not core.record_exists(record), failures))
  found.constraint, found.code, found.sql = e.constraint, e.code, e.sql
  return found
end

return M
