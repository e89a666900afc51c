--- rille: what `require "rille"` returns; a field is looked up, and its module loaded, when it is first used.

-- Field -> where it lives: "module.member", or "module" for the module itself.
local FIELDS = {
  -- connections
  connect = "config.connect", configure = "config.configure", close = "database.close", db = "database.get",
  open = "open.open", databases = "open.list",
  -- models
  model = "model.declare", models = "autoload.load_all", repository = "repository.new",
  belongs_to = "relation.belongs_to", has_one = "relation.has_one", has_many = "relation.has_many",
  belongs_to_many = "relation.belongs_to_many", has_one_through = "relation.has_one_through",
  has_many_through = "relation.has_many_through", morph_to = "relation.morph_to", morph_one = "relation.morph_one",
  morph_many = "relation.morph_many", morph_to_many = "relation.morph_to_many",
  morphed_by_many = "relation.morphed_by_many", lazy_loading = "preload.lazy_loading",
  -- values and errors
  null = "core.null", blob = "core.blob", type = "record.type", try = "error.try", is_error = "error.is",
  -- transactions and events
  transaction = "transaction.default", begin = "transaction.begin_default", snapshot = "transaction.snapshot_default",
  after_commit = "transaction.after_commit", on = "hook.on",
  -- tables and rows to begin with
  schema = "schema.on", migrate = "migrator.migrate", promote = "promote.run",
  factory = "factory.define", seed = "fake.seed",
  fake = "fake.shared",
  -- whose data
  tenant = "tenant", session = "session",
}

local rille = { _VERSION = "0.1.0" }

local function unknown(name)
  local known = { "_VERSION" }
  for field in next, FIELDS do known[#known + 1] = field end
  table.sort(known)
  require "rille.error".unknown("invalid_argument", "field", name, known, "rille")
end

return setmetatable(rille, {
  __names = FIELDS,                -- for whoever completes names
  __index = function(self, name)
    local place = FIELDS[name]
    if not place then unknown(name) end
    local module, member = place:match "^(%w+)%.?(.*)$"
    local value = require "rille.part"(module, "rille." .. name)
    if member ~= "" then value = value[member] end
    rawset(self, name, value)
    return value
  end,
})
