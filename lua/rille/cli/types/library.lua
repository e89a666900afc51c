--- types.library: what `require "rille"` gives, as an editor reads it; the classes that those of a model stand on.
local Signature = require "rille.cli.types.signature"
local sorted_keys = require "rille.keys"

local M = {}

-- What stands for the words in braces of signature.lua where nothing is known of the model.
local ANY = {
  Record = "any", List = "rille.List", Query = "rille.Query", Column = "string", Key = "any", RelationName = "string",
  New = "table<string, any>", Changes = "table<string, any>", Row = "table<string, any>", Page = "rille.Page",
  CursorPage = "rille.CursorPage", Saved = "any", SavedList = "rille.List?",
}

-- Fields of rille: what the library's files say of each, as a type.
local FIELDS = {
  _VERSION = "string",
  connect = "fun(where: string|table, options?: table<string, any>): rille.Handle",
  configure = "fun(config: string|table<string, any>)",
  close = "fun()",
  db = "fun(name?: string): rille.Handle",
  model = "fun(name: string): fun(definition: rille.Definition): rille.Model",
  models = "fun(): rille.Model[]",
  repository = "fun(source: rille.Model|string, methods?: table<string, function>): rille.Repository",
  belongs_to = "fun(model: string, options?: table<string, any>): rille.Relation",
  has_one = "fun(model: string, options?: table<string, any>): rille.Relation",
  has_many = "fun(model: string, options?: table<string, any>): rille.Relation",
  belongs_to_many = "fun(model: string, options?: table<string, any>): rille.Relation",
  has_one_through = "fun(model: string, through: string, options?: table<string, any>): rille.Relation",
  has_many_through = "fun(model: string, through: string, options?: table<string, any>): rille.Relation",
  morph_to = "fun(options?: table<string, any>): rille.Relation",
  morph_one = "fun(model: string, name: string, options?: table<string, any>): rille.Relation",
  morph_many = "fun(model: string, name: string, options?: table<string, any>): rille.Relation",
  morph_to_many = "fun(model: string, name: string, options?: table<string, any>): rille.Relation",
  morphed_by_many = "fun(model: string, name: string, options?: table<string, any>): rille.Relation",
  lazy_loading = 'fun(mode?: "batch"|"single"|"error"): string',
  null = "rille.Null",
  blob = "fun(bytes: string): rille.Blob",
  type = "fun(value: any): string?",
  try = "fun(fn: function, ...: any): any, rille.Error?",
  is_error = "fun(value: any, kind?: string): boolean",
  transaction = "fun(fn: (fun(db: rille.Handle): any), options?: { isolation: string?, retries: integer? }): any",
  begin = "fun(options?: { isolation: string? }): rille.Transaction",
  snapshot = "fun(fn: fun(db: rille.Handle): any): any",
  after_commit = "fun(fn: fun())",
  on = "fun(event: string, fn: fun(event: table): any): fun()",
  schema = "fun(connection?: string): rille.Schema",
  migrate = "fun(options?: table<string, any>): table",
  promote = "fun(options: rille.PromoteOptions): table",
  tenant = "rille.TenantModule",
  factory = "fun(model: string, fn?: (fun(fake: any, i: integer): table), options?: table): rille.Factory",
  seed = "fun(seed?: integer)",
}

local CLASSES = [[
---@class rille.PromoteOptions
---@field to string|table  a URL, the name of a connection, or its settings
---@field from? string
---@field dry_run? boolean
---@field schema? "migrations"|"catalog"
---@field skip? string[]
---@field accept? boolean
---@field path? string
---@field all_tenants? boolean
---@field on_progress? fun(step: table)

---@class rille.Null
---@class rille.Blob
---@class rille.Relation

---@class rille.Error
---@field kind string  what sort of failure: not_found, validation, unique_violation …
---@field message string
---@field hint string?  what to do about it
---@field table string?
---@field column string?
---@field constraint string?
---@field sql string?
---@field code integer|string|nil  the driver's own
---@field model string?
---@field fields table<string, string[]>?  of validation: column -> messages
---@field traceback string?

---@class rille.Transaction
---@field commit fun(self: rille.Transaction)
---@field rollback fun(self: rille.Transaction)

---@class rille.Handle
---@field name string
---@field query fun(self: rille.Handle, sql: string, ...: any): rille.List, string[]
---@field execute fun(self: rille.Handle, sql: string, ...: any): { changes: integer, last_id: integer }
---@field result fun(self: rille.Handle, sql: string, ...: any): table
---@field table fun(self: rille.Handle, name: string, options?: { all_tenants: boolean? }): rille.Query
---@field transaction fun(self: rille.Handle, fn: (fun(db: rille.Handle): any), options?: table): any
---@field begin fun(self: rille.Handle, options?: table): rille.Transaction
---@field snapshot fun(self: rille.Handle, fn: fun(db: rille.Handle): any): any
---@field tables fun(self: rille.Handle): string[]
---@field describe fun(self: rille.Handle, name: string): table?
---@field health fun(self: rille.Handle): table
---@field create fun(self: rille.Handle, table: string, row: table<string, any>): table<string, any>?, rille.Error?
---@field insert fun(self: rille.Handle, table: string, rows: table, options?: table): integer?, rille.Error?
---@field find_by_id fun(self: rille.Handle, table: string, ...: any): table<string, any>?
---@field find_by_id_with fun(self: rille.Handle, model: rille.Model|string, id: any, with: any): rille.Record?
---@field find_one_with fun(self: rille.Handle, model: any, where: any, with: any, options?: table): rille.Record?
---@field find_all_with fun(self: rille.Handle, model: any, where: any, with: any, options?: table): rille.List
---@field select fun(self: rille.Handle, table: string, where?: table|function, options?: table): rille.List
---@field update fun(self: rille.Handle, table: string, where: table|function, changes: table): integer?, rille.Error?
---@field delete fun(self: rille.Handle, table: string, where: table|function): integer
---@field remove fun(self: rille.Handle, table: string, where: table|function): integer
---@field bulk_insert fun(self: rille.Handle, table: string, rows: table[]): integer?, rille.Error?
---@field bulk_update fun(self: rille.Handle, table: string, changes: table[]): integer?, rille.Error?
---@field bulk_delete fun(self: rille.Handle, table: string, conditions: table[]): integer
---@field create_table fun(self: rille.Handle, schema: table|string, name?: string|table, options?: table): table
---@field json_schema fun(self: rille.Handle, table: string): table<string, any>
---@field close fun(self: rille.Handle)

---@class rille.Repository
---@field find fun(self: rille.Repository, ...: any): table<string, any>?
---@field find_by fun(self: rille.Repository, match: table<string, any>): table<string, any>?
---@field all fun(self: rille.Repository, ...: any): table<string, any>[]
---@field create fun(self: rille.Repository, row: table<string, any>): table<string, any>?, rille.Error?
---@field update fun(self: rille.Repository, key: any, changes: table<string, any>): table<string, any>?, rille.Error?
---@field delete fun(self: rille.Repository, key: any): boolean?, rille.Error?
---@field [string] any  methods of its own

---@class rille.Schema
---@field create fun(self: rille.Schema, name: string, fn: fun(t: rille.TableWords))
---@field table fun(self: rille.Schema, name: string, fn: fun(t: rille.TableWords))
---@field rename fun(self: rille.Schema, from: string, to: string)
---@field drop fun(self: rille.Schema, name: string)
---@field drop_if_exists fun(self: rille.Schema, name: string)
---@field has_table fun(self: rille.Schema, name: string): boolean
---@field has_column fun(self: rille.Schema, table: string, column: string): boolean
---@field raw fun(self: rille.Schema, sql: string, ...: any)

---@class rille.TenantModule
---@field run fun(tenant: string|rille.Tenant, fn: (fun(...: any): any), ...: any): any
---@field outside fun(fn: (fun(...: any): any), ...: any): any  as no tenant, whatever holds around it
---@field set fun(tenant: string|rille.Tenant)
---@field clear fun()
---@field current fun(): rille.Tenant?

---@class rille.Tenant
---@field id any
---@field slug string?

---@class rille.Factory
---@field count fun(self: rille.Factory, n: integer): rille.Factory
---@field state fun(self: rille.Factory, state: string|table|function): rille.Factory
---@field sequence fun(self: rille.Factory, states: table): rille.Factory
---@field has fun(self: rille.Factory, relation: string, what?: any, state?: any, pivot?: table): rille.Factory
---@field belonging_to fun(self: rille.Factory, other: any, relation?: string): rille.Factory
---@field recycle fun(self: rille.Factory, records: any): rille.Factory
---@field after_making fun(self: rille.Factory, fn: fun(record: any)): rille.Factory
---@field after_creating fun(self: rille.Factory, fn: fun(record: any)): rille.Factory
---@field make fun(self: rille.Factory, attributes?: table<string, any>): rille.List
---@field make_one fun(self: rille.Factory, attributes?: table<string, any>): any
---@field create fun(self: rille.Factory, attributes?: table<string, any>): rille.List?, rille.Error?
---@field create_one fun(self: rille.Factory, attributes?: table<string, any>): any, rille.Error?

---@class rille.Plan
---@field sql string
---@field params any[]
---@field steps { detail: string, depth: integer }[]
---@field notes string[]

---@class rille.Page
---@field data rille.List
---@field total integer?  of paginate
---@field per_page integer
---@field current_page integer
---@field last_page integer?  of paginate
---@field from integer?
---@field to integer?
---@field has_more boolean

---@class rille.CursorPage
---@field data rille.List
---@field next_cursor string?
---@field prev_cursor string?

---@class rille.Definition
---@field table? string
---@field primary_key? string|string[]
---@field connection? string
---@field fields? fun(t: rille.TableWords)
---@field timestamps? boolean|{ created_at: string|false|nil, updated_at: string|false|nil }
---@field soft_deletes? boolean|string
---@field lock_column? string
---@field tenant_column? string
---@field fillable? string[]
---@field guarded? string[]
---@field hidden? string[]
---@field visible? string[]
---@field appends? string[]
---@field casts? table<string, string|{ get: fun(stored: any): any, set: fun(value: any): any }>
---@field accessors? table<string, fun(record: any): any>
---@field mutators? table<string, fun(record: any, value: any): any>
---@field scopes? table<string, fun(query: any, ...: any): any>
---@field global_scopes? table<string, fun(query: any): any>
---@field validates? table<string, table<string, any>>
---@field relations? table<string, rille.Relation>
---@field hooks? table<string, function|function[]>
---@field methods? table<string, function>
---@field morph_name? string
]]

local WORDS = { "id", "uuid_id", "string", "text", "integer", "bigint", "float", "decimal", "boolean", "date",
  "datetime", "json", "blob", "uuid", "enum", "references", "morphs", "timestamps", "soft_deletes" }
local MODIFIERS = { "nullable", "default", "default_sql", "default_now", "unique", "index", "primary", "check",
  "references", "on_delete", "on_update", "tenant", "global", "comment", "change" }
local OF_TABLES = { "rename", "drop", "index", "unique", "primary", "foreign" }

local function add_words(lines, class, names, result)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "---@class " .. class
  for _, name in ipairs(names) do
    lines[#lines + 1] = ("---@field %s fun(self: %s, ...: any): %s"):format(name, class, result)
  end
end

local function add_class(lines, class, fields)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "---@class " .. class
  table.move(fields, 1, #fields, #lines + 1, lines)
end

--- The text of the library's file.
---@param context rille.TypesContext
---@param head string  the line that says whose file it is
---@return string
function M.text(context, head)
  local lines = { "---@meta rille", head, "", CLASSES:gsub("\n$", "") .. "" }
  local record_classes = setmetatable({ Record = "rille.Record", Saved = "rille.Record?" }, { __index = ANY })
  local events = {}
  for i, event in ipairs(require "rille.hook".model_events) do events[i] = '"' .. event .. '"' end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "---@alias rille.ModelEvent " .. table.concat(events, "|")
  add_words(lines, "rille.TableWords", table.move(OF_TABLES, 1, #OF_TABLES, #WORDS + 1,
    table.move(WORDS, 1, #WORDS, 1, {})), "rille.ColumnWords")
  add_words(lines, "rille.ColumnWords", MODIFIERS, "rille.ColumnWords")
  add_class(lines, "rille.Record", Signature.fields("rille.Record", Signature.record, record_classes,
    context.record_methods))
  local list = Signature.fields("rille.List", Signature.list, ANY, context.list_methods)
  table.insert(list, 1, "---@field [integer] any")
  add_class(lines, "rille.List", list)
  add_class(lines, "rille.Query", Signature.fields("rille.Query", Signature.query, ANY, context.query_methods))
  add_class(lines, "rille.Related : rille.Query", Signature.fields("rille.Related", Signature.related, ANY))
  add_class(lines, "rille.Model : rille.Query", Signature.fields("rille.Model", Signature.class, ANY,
    context.class_methods))
  lines[#lines + 1] = ""
  lines[#lines + 1] = "---@class rille"
  local names = { _VERSION = true }
  for name in next, getmetatable(require "rille").__names do names[name] = true end
  for _, name in ipairs(sorted_keys(names)) do
    lines[#lines + 1] = ("---@field %s %s"):format(name, FIELDS[name] or "any")
  end
  for _, line in ipairs { "local rille = {}", "", "return rille" } do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

return M
