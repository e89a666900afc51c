--- json_schema: tables out of JSON Schemas, and JSON Schemas out of tables.  A handle's words; see rows.lua.
local Engine = require "rille.schema.engine"
local Error = require "rille.error"

local M = {}

local OPTIONS = { "apply", "diff", "lossy", "raw" }

local function words_of(changes)
  local words = {}
  for i, change in ipairs(changes) do words[i] = change.words end
  return words
end

local function check_options(options)
  options = Error.options("create_table", options, OPTIONS)
  for _, name in ipairs(OPTIONS) do
    if options[name] ~= nil and type(options[name]) ~= "boolean" then
      Error.argument("create_table." .. name, "true or false", options[name])
    end
  end
  if options.lossy and not options.apply then
    Error.raise("invalid_argument", "create_table: lossy says how far apply may go, and apply is not said", {
      hint = "{ apply = true, lossy = true }",
    })
  end
  return options
end

--- What makes the table another one: changes of its columns and keys, and one more where only the rules change.
local function changes_of(self, run, plan)
  local Apply = require "rille.json_schema.apply"
  local picture = Apply.picture_of(run, plan.table)
  local changes = require "rille.schema.diff".of(picture, require "rille.json_schema.load".picture(run, plan))
  local words, before = words_of(changes), require "rille.json_schema.store".read(self, picture.name)
  if before then
    local found = require "rille.json_schema.compare".words(before, plan.text)
    table.move(found, 1, #found, #words + 1, words)
  else
    words[#words + 1] = "the table was made by other means, and would keep this schema from now on"
  end
  return changes, words, picture
end

local function create(schema, run, plan)
  schema:create(plan.table, require "rille.json_schema.words".all(plan, Engine.of(run.handle)))
  require "rille.json_schema.store".write(run, plan.table, plan.text)
  return { table = plan.table, created = true, changed = false, changes = {} }
end

local function change(self, schema, run, plan, options)
  local changes, words, picture = changes_of(self, run, plan)
  local result = { table = plan.table, created = false, changed = false, changes = words }
  if #words == 0 or options.diff then return result end
  if not options.apply then
    Error.raise("migration", ("create_table: there is a table %q already, and it is not this one: %s"):format(
      picture.name, table.concat(words, "; ")), {
      table = picture.name, changes = words,
      hint = "{ diff = true } tells the changes, { apply = true } carries them out without losing rows",
    })
  end
  local Apply = require "rille.json_schema.apply"
  Apply.run(schema, run, plan, picture, changes, options.lossy or false)
  require "rille.json_schema.store".write(run, plan.table, plan.text)
  self:forget()
  Apply.judge_rows(self, plan, picture)
  result.changed = true
  return result
end

--- Make a table from a JSON Schema.  When there is one of that name already it has to be what the schema says: what is
--- not is raised as a list of changes, which `apply` carries out.
---@param schema_source table|string  the schema, or its JSON text
---@param name? string|table          of the table: `$id` or `title` when absent; or the options
---@param options? { apply: boolean?, diff: boolean?, lossy: boolean?, raw: boolean? }  apply: change the table that is
---  there, without losing anything; lossy: columns that go may hold values; diff: tell the changes and do nothing; raw:
---  take the words of SQL text, which end in -raw
---@return { table: string, created: boolean, changed: boolean, changes: string[] }
function M.create_table(self, schema_source, name, options)
  if type(name) == "table" and options == nil then name, options = nil, name end
  options = check_options(options)
  local plan = require "rille.json_schema.read".read(schema_source, name, options)
  local schema = require "rille.schema".on(self)
  local run = schema.run
  if options.diff then
    if not schema:has_table(plan.table) then
      return { table = plan.table, created = false, changed = false,
        changes = { ("the table %q is made"):format(plan.table) } }
    end
    return change(self, schema, run, plan, options)
  end
  require "rille.guard".check_schema("create_table", self)
  return run:change(function()
    if schema:has_table(plan.table) then return change(self, schema, run, plan, options) end
    return create(schema, run, plan)
  end)
end

-- What the kept schema says of keys, which are not the column's own: the database tells that.
local KEYS = { "x-primary-key", "x-unique", "x-index", "x-dorm-primary-key", "x-dorm-unique", "x-dorm-index" }

--- Schemas of columns that are still what the kept schema made of them, in the place of what their table tells.
local function with_kept(kept, derived)
  local root = require "rille.json".decode(kept.plan.text)
  for _, column in ipairs(kept.columns) do
    local said = type(root.properties) == "table" and root.properties[column.name]
    -- What refers to other parts of its schema says nothing without them.
    if said and derived.properties[column.name] and not require "rille.json".encode(said):find('"$ref"', 1, true) then
      for _, word in ipairs(KEYS) do said[word] = derived.properties[column.name][word] end
      derived.properties[column.name] = said
    end
  end
  return derived
end

--- The JSON Schema of a table: the one it was made from, or what the database tells of it.
---@param name string
---@return table schema  as json decodes it
function M.json_schema(self, name)
  if type(name) ~= "string" then Error.argument("json_schema", "the name of a table", name) end
  local description = self:describe(name)
  if not description then Error.unknown("no_such_table", "table", name, self:tables(), nil, { table = name }) end
  local kept = require "rille.json_schema.kept".of(self, name)
  if kept and kept.whole then return require "rille.json".decode(kept.plan.text) end
  local core_types = {}
  for _, column in ipairs(description.columns) do core_types[column.name] = column.type end
  local run = require "rille.schema.runner".new(self)
  local engine = Engine.of(self)
  local picture = engine.common_words(engine.picture(run, name))
  local derived = require "rille.json_schema.derive".schema(picture, core_types)
  return kept and with_kept(kept, derived) or derived
end

return M
