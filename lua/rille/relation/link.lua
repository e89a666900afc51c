--- relation.link: which tables and columns a relation means, found when it is first used and kept with what is known of
--- the parent's table.
-- Every kind comes down to one form: columns of the parent (`near`) equal columns of the related table (`far`), either
-- at once or by way of a table in the middle; `fixed` columns hold the name of a morph.
local Error = require "rille.error"
local inflect = require "rille.inflect"

local M = {}

---@class rille.LinkMiddle
---@field table string
---@field has table<string, table>        its columns
---@field near string[]                   columns that equal those of the parent
---@field far string[]                    columns that equal those of the related table
---@field fixed table<string, string>
---@field class? rille.Model              of has_many_through
---@field pivot? string[]                 columns, beside `near`, that records show as their pivot
---@field stamped? boolean                has created_at and updated_at

---@class rille.Link
---@field name string
---@field kind string
---@field many boolean
---@field parent rille.Model
---@field related? rille.Model            nil for morph_to, whose rows say which
---@field near string[]                   columns of the parent
---@field far string[]                    columns of the related table
---@field fixed table<string, string>     columns of the related table with a fixed value
---@field middle? rille.LinkMiddle
---@field type_column? string             of morph_to
---@field order? { [1]: string, [2]: string }
---@field where? table|fun(query: rille.Query): rille.Query

local function info_of(class) return require "rille.model".info(class) end

--- Everything that goes wrong says which relation of which model, and where that is written.
local function fail(link, kind, message, fields)
  fields = fields or {}
  fields.model = link.parent._def.name
  Error.raise(kind, ("relation %s.%s (%s): %s"):format(link.parent._def.name, link.name, link.declared.place, message),
    fields)
end

local function class_of(link, name)
  local ok, class = pcall(require "rille.autoload".model, name)
  if ok then return class end
  if Error.is(class, "no_such_model") then fail(link, "no_such_model", class.message, { hint = class.hint }) end
  Error.again(class)
end

--- The name under which rows of a model are known to morphs.
---@param class rille.Model
---@return string
function M.morph_name(class) return class._def.morph_name or class._def.table end

--- Foreign keys of a table that lead to another one: what a missing column may have meant.
local function hint_of(link, table_name, target, option)
  local found = {}
  for _, key in ipairs(link.handle:described(table_name).foreign) do
    if key.table == target and #key.columns == 1 then found[#found + 1] = key.columns[1] end
  end
  if #found == 1 then
    return ('%s.%s refers to %s: %s = "%s"'):format(table_name, found[1], target, option, found[1])
  end
  return ('say which one it is: %s = "…"'):format(option)
end

--- Columns that must be there; `option` is how they are said, `target` the table they lead to, if they lead to one.
local function checked(link, columns, has, table_name, option, target)
  for _, name in ipairs(columns) do
    if not has[name] then
      local known = require "rille.keys"(has)
      fail(link, "no_such_column", ("%s has no column %q"):format(table_name, name), {
        table = table_name, column = name,
        hint = Error.did_you_mean(name, known) or target and hint_of(link, table_name, target, option) or option,
      })
    end
  end
  return columns
end

--- What a morph called `name` wants of a table: NAME_type beside NAME_id.
local function morph_columns(link, name, has, table_name)
  local hint = ("the morph %q is kept in %s_type and %s_id"):format(name, name, name)
  return checked(link, { name .. "_id" }, has, table_name, hint), checked(link, { name .. "_type" }, has, table_name,
    hint)[1]
end

local function same_number(link, a, b, words)
  if #a ~= #b then
    fail(link, "invalid_argument", ("%s: %d column%s (%s) cannot equal %d (%s)"):format(words, #a,
      #a == 1 and "" or "s", table.concat(a, ", "), #b, table.concat(b, ", ")), {
      hint = "a composite key wants a list of as many columns",
    })
  end
end

local function key_of(link, class, given, option)
  local info = info_of(class)
  if given then
    return checked(link, given, info.has, class._def.table, ("%s = … names columns of it"):format(option))
  end
  if #info.primary == 0 then
    fail(link, "unsupported", ("%s has no primary key"):format(class._def.table), { hint = ("say %s"):format(option) })
  end
  return info.primary
end

local function default_key(class) return { inflect.underscore(class._def.name) .. "_id" } end

-- -- the kinds ------------------------------------------------------------------------------------------------------

local RESOLVE = {}

function RESOLVE.belongs_to(link, options)
  local class = class_of(link, link.declared.model)
  link.related = class
  link.near = checked(link, options.foreign_key or { link.name .. "_id" }, link.info.has, link.parent._def.table,
    "foreign_key", class._def.table)
  link.far = key_of(link, class, options.owner_key, "owner_key")
end

function RESOLVE.has_many(link, options)
  local class = class_of(link, link.declared.model)
  link.related = class
  link.near = key_of(link, link.parent, options.local_key, "local_key")
  link.far = checked(link, options.foreign_key or default_key(link.parent), info_of(class).has, class._def.table,
    "foreign_key", link.parent._def.table)
end
RESOLVE.has_one = RESOLVE.has_many

--- A table in the middle: its columns, from what the database says.
local function middle_of(link, table_name)
  local description = link.handle:described(table_name)
  if not description then
    fail(link, "no_such_table", ("there is no table %q"):format(table_name), {
      table = table_name, hint = Error.did_you_mean(table_name, link.handle:tables()) or 'pivot = "…" names it',
    })
  end
  local has = {}
  for _, column in ipairs(description.columns) do has[column.name] = column end
  return { table = table_name, has = has, fixed = {} }
end

local function same_database(link, class)
  if info_of(class).handle ~= link.handle then
    fail(link, "unsupported", ("%s and %s are in different databases, which no statement reads together"):format(
      link.parent._def.table, class._def.table))
  end
end

--- The columns of the pivot that records of the relation show; nil for none.
local function pivot_columns(link, options, middle)
  if not options.with_pivot and not options.timestamps then return nil end
  local list, seen = {}, {}
  local function add(names)
    for _, name in ipairs(names) do
      if not seen[name] then list[#list + 1], seen[name] = name, true end
    end
  end
  for _, name in ipairs(middle.near) do seen[name] = true end     -- read anyway, to know whose a row is
  add(middle.far)
  add(checked(link, options.with_pivot or {}, middle.has, middle.table))
  if options.timestamps then
    add(checked(link, { "created_at", "updated_at" }, middle.has, middle.table,
      "timestamps = true wants created_at and updated_at in it"))
  end
  return list
end

local function through_pivot(link, options, table_name, near, far)
  local middle = middle_of(link, table_name)
  link.middle = middle
  same_database(link, link.related)
  link.near = key_of(link, link.parent, options.local_key, "local_key")
  link.far = key_of(link, link.related, options.owner_key, "owner_key")
  middle.near = checked(link, near, middle.has, table_name, "foreign_key", link.parent._def.table)
  middle.far = checked(link, far, middle.has, table_name, "related_key", link.related._def.table)
  middle.pivot = pivot_columns(link, options, middle)
  middle.stamped = options.timestamps
end

--- The two singular names in the order of the alphabet: post_tag.
local function pivot_name(a, b)
  local names = { inflect.singularize(a._def.table), inflect.singularize(b._def.table) }
  table.sort(names)
  return table.concat(names, "_")
end

function RESOLVE.belongs_to_many(link, options)
  link.related = class_of(link, link.declared.model)
  through_pivot(link, options, options.pivot or pivot_name(link.parent, link.related),
    options.foreign_key or default_key(link.parent), options.related_key or default_key(link.related))
end

function RESOLVE.morph_to_many(link, options)
  local name = link.declared.name
  link.related = class_of(link, link.declared.model)
  through_pivot(link, options, options.pivot or inflect.pluralize(name), options.foreign_key or { name .. "_id" },
    options.related_key or default_key(link.related))
  local _, kind = morph_columns(link, name, link.middle.has, link.middle.table)
  link.middle.fixed[kind] = M.morph_name(link.parent)
end

function RESOLVE.morphed_by_many(link, options)
  local name = link.declared.name
  link.related = class_of(link, link.declared.model)
  through_pivot(link, options, options.pivot or inflect.pluralize(name),
    options.foreign_key or default_key(link.parent), options.related_key or { name .. "_id" })
  local _, kind = morph_columns(link, name, link.middle.has, link.middle.table)
  link.middle.fixed[kind] = M.morph_name(link.related)
end

function RESOLVE.has_many_through(link, options)
  local between = class_of(link, link.declared.through)
  link.related = class_of(link, link.declared.model)
  same_database(link, between)
  same_database(link, link.related)
  local has = info_of(between).has
  local middle = { table = between._def.table, class = between, has = has, fixed = {} }
  link.middle = middle
  link.near = key_of(link, link.parent, options.local_key, "local_key")
  middle.near = checked(link, options.first_key or default_key(link.parent), has, middle.table, "first_key",
    link.parent._def.table)
  middle.far = key_of(link, between, options.second_local_key, "second_local_key")
  link.far = checked(link, options.second_key or default_key(between), info_of(link.related).has,
    link.related._def.table, "second_key", middle.table)
end
RESOLVE.has_one_through = RESOLVE.has_many_through

function RESOLVE.morph_many(link, options)
  local name, class = link.declared.name, class_of(link, link.declared.model)
  link.related = class
  link.near = key_of(link, link.parent, options.local_key, "local_key")
  local kind
  link.far, kind = morph_columns(link, name, info_of(class).has, class._def.table)
  link.fixed[kind] = M.morph_name(link.parent)
end
RESOLVE.morph_one = RESOLVE.morph_many

function RESOLVE.morph_to(link, options)
  local name = options.name or link.name
  link.near, link.type_column = morph_columns(link, name, link.info.has, link.parent._def.table)
end

-- -- finding --------------------------------------------------------------------------------------------------------

--- Columns that `order_by` and `where` name, as far as they are the related table's.
local function check_said(link)
  local has, table_name, names = info_of(link.related).has, link.related._def.table, {}
  if link.order then names[1] = link.order[1] end
  if type(link.where) == "table" then
    for _, name in ipairs(require "rille.keys"(link.where)) do names[#names + 1] = name end
  end
  for _, name in ipairs(names) do
    if not name:find(".", 1, true) then checked(link, { name }, has, table_name) end
  end
end

local function resolve(class, info, name, declared)
  local link = {
    name = name, kind = declared.kind, many = declared.many, declared = declared, parent = class, info = info,
    handle = info.handle, fixed = {}, order = declared.options.order_by, where = declared.options.where,
  }
  RESOLVE[declared.kind](link, declared.options)
  if link.related then check_said(link) end
  if link.middle then
    same_number(link, link.near, link.middle.near, link.parent._def.table .. " and " .. link.middle.table)
    same_number(link, link.middle.far, link.far, link.middle.table .. " and " .. link.related._def.table)
  elseif link.related then
    same_number(link, link.near, link.far, link.parent._def.table .. " and " .. link.related._def.table)
  end
  return link
end

--- What the relation of that name means.  Raises no_such_relation when the model has none.
---@param class rille.Model
---@param name string
---@return rille.Link
function M.of(class, name)
  local info = info_of(class)
  local links = info.links
  if not links then
    links = {}
    info.links = links
  end
  local link = links[name]
  if link then return link end
  local declared = class._def.relations[name]
  if not declared then
    Error.unknown("no_such_relation", "relation", name, require "rille.keys"(class._def.relations), class._def.name, {
      model = class._def.name,
    })
  end
  link = resolve(class, info, name, declared)
  links[name] = link
  return link
end

--- The model whose rows a morph calls by that name.
---@param link rille.Link
---@param name string
---@return rille.Model
function M.morph(link, name)
  local by_name = link.morphs
  if not by_name or not by_name[name] then
    by_name = {}
    for _, each in ipairs(require "rille.autoload".load_all()) do by_name[M.morph_name(each)] = each end
    link.morphs = by_name
  end
  local class = by_name[name]
  if not class then
    fail(link, "no_such_model", ("no model is called %q by morphs"):format(name), {
      hint = Error.did_you_mean(name, require "rille.keys"(by_name)) or "the model option morph_name says it",
    })
  end
  return class
end

--- The morph as it leads to one of its models: by the one column of that model's key.
---@param link rille.Link
---@param class rille.Model
---@return rille.Link
function M.toward(link, class)
  local primary = info_of(class).primary
  if #primary ~= 1 then
    fail(link, "unsupported", ("%s holds one value, and the key of %s has %s"):format(link.near[1], class._def.table,
      #primary == 0 and "none" or #primary .. " columns"), {
      hint = "a morph leads to tables whose key is one column",
    })
  end
  return setmetatable({ related = class, far = primary }, { __index = link })
end

-- Collation -> the form in which texts are alike that it holds to be equal.
local FOLDS = {
  NOCASE = function(text) return (text:gsub("%u", string.lower)) end,       -- ASCII alone, as SQLite has it
  RTRIM = function(text) return (text:gsub(" +$", "")) end,
}

local function folds_of(link, columns, has)
  local folds = {}
  for i, name in ipairs(columns) do
    local collation = has[name].collation
    folds[i] = collation and (FOLDS[collation:upper()] or fail(link, "unsupported",
      ("%s compares its texts by the collation %s, which only the database knows"):format(name, collation))) or false
  end
  return folds
end

--- How the database compares the columns that say whose a row is: for each of them a function, or false for "by bytes".
---@param link rille.Link
---@param class? rille.Model  of morph_to
---@return (false|fun(text: string): string)[]
function M.folds(link, class)
  if link.middle then return folds_of(link, link.middle.near, link.middle.has) end
  return folds_of(link, link.far, info_of(class or link.related).has)
end

--- The same of the columns in the middle that refer to the related rows.
---@param link rille.Link
---@return (false|fun(text: string): string)[]
function M.folds_of_related(link) return folds_of(link, link.middle.far, link.middle.has) end

M.fail = fail

return M
