--- types.model: the classes of one model, as an editor reads them: its records, lists, queries and itself.
local Column = require "rille.cli.types.column"
local Signature = require "rille.cli.types.signature"
local sorted_keys = require "rille.keys"

local M = {}

--- The line by which a file is known to be ours.
M.HEAD = "-- Written by `rille types`, from %s.  Not to be edited: run it again."

-- Events whose hooks may fill in what create was not given.
local FILLING = { "creating", "saving" }

local function quoted(names)
  local parts = {}
  for i, name in ipairs(names) do parts[i] = '"' .. name .. '"' end
  return parts
end

--- May a save come back with nothing?  Where no rule and no hook of the model can refuse it, it need not be asked.
local function may_refuse(def) return def.validates ~= nil or next(def.hooks) ~= nil end

--- What a word in braces of signature.lua is for this model.
local function classes_of(def, columns, primary)
  local name, key, maybe = def.name, "any", may_refuse(def) and "?" or ""
  for _, column in ipairs(columns) do
    if #primary == 1 and column.name == primary[1] then key = column.read end
  end
  return {
    Record = name, List = name .. ".List", Query = name .. ".Query", Column = name .. ".Column", Key = key,
    RelationName = name .. ".RelationName", New = name .. ".New", Changes = name .. ".Changes", Row = name .. ".Row",
    Page = name .. ".Page", CursorPage = name .. ".CursorPage", Saved = name .. maybe,
    SavedList = name .. ".List" .. maybe,
  }
end

local KEYWORD = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do KEYWORD[word] = true end

--- The parameters of a function behind its first one, by the names that its author gave them.
local function parameters(fn)
  local info, list = debug.getinfo(fn, "u"), {}
  for i = 2, info.nparams do
    local name = debug.getlocal(fn, i)
    if not name or not name:find "^%a[%w_]*$" or KEYWORD[name] then name = "argument_" .. i - 1 end
    list[#list + 1] = ", " .. name .. "?: any"
  end
  if info.isvararg then list[#list + 1] = ", ...: any" end
  return table.concat(list)
end

local function is_filled_by_hooks(def)
  for _, event in ipairs(FILLING) do
    if def.hooks[event] and next(def.hooks[event]) ~= nil then return true end
  end
  return false
end

local Text = {}
Text.__index = Text

function Text:add(format, ...) self[#self + 1] = select("#", ...) > 0 and format:format(...) or format end

function Text:all(lines) table.move(lines, 1, #lines, #self + 1, self) end

function Text:class(name, parent)
  self:add ""
  self:add("---@class %s%s", name, parent and " : " .. parent or "")
end

--- The class of a related record.
local function related(relation, declared)
  return relation.model and declared[relation.model] and relation.model or nil
end

local function add_attributes(text, def, columns)
  for _, column in ipairs(columns) do
    local type = def.accessors[column.name] and "any" or column.read
    if column.nullable and type ~= "any" then
      type = type:find("|", 1, true) and ("(%s)?"):format(type) or type .. "?"
    end
    text:add("---@field %s %s", column.name, type)
  end
end

local function add_accessors(text, def, columns)
  local is_column = {}
  for _, column in ipairs(columns) do is_column[column.name] = true end
  for _, name in ipairs(sorted_keys(def.accessors)) do
    if not is_column[name] then text:add("---@field %s any", name) end
  end
end

local function add_relations(text, def, declared)
  local overloads = {}
  for _, name in ipairs(sorted_keys(def.relations)) do
    local relation = def.relations[name]
    local target = related(relation, declared)
    if relation.many then
      text:add("---@field %s %s", name, target and target .. ".List" or "rille.List")
      text:add("---@field %s_count integer?  after with_count", name)
    else
      text:add("---@field %s %s?", name, target or "rille.Record")
    end
    text:add("---@field %s_exists boolean?  after with_exists", name)
    overloads[#overloads + 1] = ('---@field relation fun(self: %s, name: "%s"): %s'):format(def.name, name,
      target and target .. ".Related" or "rille.Related")
  end
  return overloads
end

local function add_record(text, def, columns, classes, context)
  text:class(def.name, "rille.Record")
  add_attributes(text, def, columns)
  add_accessors(text, def, columns)
  local overloads = add_relations(text, def, context.declared)
  if context.is_pivoted[def.name] then text:add "---@field pivot table<string, any>?  of a relation with a pivot" end
  for _, name in ipairs(sorted_keys(def.methods)) do
    text:add("---@field %s fun(self: %s%s): any, any", name, def.name, parameters(def.methods[name]))
  end
  text:all(overloads)
  text:all(Signature.fields(def.name, Signature.record, classes, context.record_methods))
end

--- Tables of attributes: what create takes, what fill and update take, any column for conditions and rows.
local function add_tables(text, def, columns, assignable)
  local name, keys, owners = def.name, {}, {}
  for relation_name, relation in next, def.relations do
    if relation.kind == "belongs_to" or relation.kind == "morph_to" then
      for _, key in ipairs(relation.options.foreign_key or { (relation.options.name or relation_name) .. "_id" }) do
        keys[key] = true
      end
      if assignable[relation_name] then owners[#owners + 1] = relation_name end
    end
  end
  table.sort(owners)
  local free = is_filled_by_hooks(def)
  local function add(class, is_required, takes)
    text:class(name .. class)
    for _, column in ipairs(columns) do
      if takes(column.name) then
        local type = column.nullable and column.write ~= "any" and column.write .. "|rille.Null" or column.write
        text:add("---@field %s%s %s", column.name, is_required(column) and "" or "?", type)
      end
    end
    for _, owner in ipairs(class ~= ".Row" and owners or {}) do
      text:add("---@field %s? rille.Record", owner)
    end
  end
  local function never() return false end
  local function may_be_set(column) return assignable[column] == true end
  add(".New", function(column)
    return not (free or column.nullable or column.given or keys[column.name] or def.mutators[column.name])
  end, may_be_set)
  add(".Changes", never, may_be_set)
  for _, mutator in ipairs(sorted_keys(def.mutators)) do
    local is_column = false
    for _, column in ipairs(columns) do is_column = is_column or column.name == mutator end
    if not is_column and assignable[mutator] then text:add("---@field %s? any", mutator) end
  end
  add(".Row", never, function() return true end)
end

local function add_results(text, def, classes, context)
  local name = def.name
  text:class(name .. ".List", "rille.List")
  text:add("---@field [integer] %s", name)
  text:all(Signature.fields(name .. ".List", Signature.list, classes, context.list_methods))
  text:class(name .. ".Page", "rille.Page")
  text:add("---@field data %s.List", name)
  text:class(name .. ".CursorPage", "rille.CursorPage")
  text:add("---@field data %s.List", name)
end

local function add_queries(text, def, classes, context)
  local name = def.name
  text:class(name .. ".Query", "rille.Query")
  for _, scope in ipairs(sorted_keys(def.scopes)) do
    text:add("---@field %s fun(self: %s.Query%s): %s.Query", scope, name, parameters(def.scopes[scope]), name)
  end
  text:all(Signature.fields(name .. ".Query", Signature.query, classes, context.query_methods))
  text:class(name .. ".Related", name .. ".Query, rille.Related")
  text:all(Signature.fields(name .. ".Related", Signature.related, classes))
  text:class(name .. ".Definition", "rille.Definition")
  text:add("---@field accessors? table<string, fun(record: %s): any>", name)
  text:add("---@field mutators? table<string, fun(record: %s, value: any): any>", name)
  text:add("---@field methods? table<string, (fun(record: %s, ...: any): any)>", name)
  text:add("---@field scopes? table<string, fun(query: %s.Query, ...: any): rille.Query?>", name)
  text:add("---@field global_scopes? table<string, fun(query: %s.Query): rille.Query?>", name)
  text:add("---@field hooks? table<rille.ModelEvent, fun(record: %s): any>", name)
end

---@class rille.TypesContext
---@field declared table<string, rille.Model>  all models
---@field is_pivoted table<string, boolean>    those that a relation with a pivot gives
---@field record_methods string[]              all there are, and the same of others
---@field list_methods string[]
---@field query_methods string[]
---@field class_methods string[]

--- The text of a model's file.
---@param class rille.Model
---@param context rille.TypesContext
---@return string
function M.text(class, context)
  local def, text = class._def, setmetatable({}, Text)
  local columns, assignable, primary = Column.of(class)
  local classes, names = classes_of(def, columns, primary), {}
  for i, column in ipairs(columns) do names[i] = column.name end
  text:add "---@meta _"
  text:add(M.HEAD:format(("the model %s and its table %s"):format(def.name, def.table)))
  text:add ""
  text:add("---@alias %s.Column %s|string", def.name, table.concat(quoted(names), "|"))
  text:add("---@alias %s.RelationName %s", def.name, table.concat({
    table.concat(quoted(sorted_keys(def.relations)), "|"), "string",
  }, next(def.relations) and "|" or ""))
  add_record(text, def, columns, classes, context)
  add_tables(text, def, columns, assignable)
  add_results(text, def, classes, context)
  add_queries(text, def, classes, context)
  text:class "rille"
  text:add('---@field model fun(name: "%s"): fun(definition: %s.Definition): %s.Model', def.name, def.name, def.name)
  text:class(def.name .. ".Model", def.name .. ".Query, rille.Model")
  text:all(Signature.fields(def.name .. ".Model", Signature.class, classes, context.class_methods))
  text:add("%s = {}", def.name)
  return table.concat(text, "\n") .. "\n"
end

return M
