--- diff: how two pictures of a table differ: a list of changes that lead from one to the other, each with its words.
local Name = require "rille.schema.name"

local M = {}

---@class rille.Change
---@field kind string                  add_ or drop_ with column, index, foreign or check; change_column, primary, tail
---@field words string                 what it is, as a sentence begins
---@field column? string
---@field was? any                     a column, an index, a key, of a picture
---@field now? any

local function quoted_list(names) return Name.quote_all(names) end

local function by_name(list)
  local found = {}
  for _, each in ipairs(list) do found[each.name:lower()] = each end
  return found
end

local function set_text(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return table.concat(copy, " and ")
end

local function key_text(key)
  if not key then return "" end
  local to = #key.references > 0 and " (" .. quoted_list(key.references) .. ")" or ""
  return ("references %s%s%s%s%s"):format(Name.quote(key.table), to,
    key.on_delete and " on delete " .. key.on_delete or "", key.on_update and " on update " .. key.on_update or "",
    key.deferrable and " deferrable" or "")
end

-- What a column is: the words for it, and how that is told.
local ASPECTS = {
  { "type", function(column) return column.type:upper() end },
  { "null", function(column) return column.nullable and "nullable" or "not null" end },
  { "counter", function(column) return column.auto and "counted up" or "not counted up" end },
  { "default", function(column) return column.default or "none" end },
  { "check", function(column) return set_text(column.checks) end },
  { "foreign key", function(column) return key_text(column.reference) end },
  { "collation", function(column) return (column.collate or "binary"):lower() end },
  { "expression", function(column) return column.generated or "" end },
}

--- What of a column is another, in words; nil for nothing.
---@param was rille.PictureColumn
---@param now rille.PictureColumn
---@return string?
function M.column(was, now)
  local words = {}
  for _, aspect in ipairs(ASPECTS) do
    local before, after = aspect[2](was), aspect[2](now)
    if before ~= after then
      words[#words + 1] = ("%s: %s -> %s"):format(aspect[1], before == "" and "none" or before,
        after == "" and "none" or after)
    end
  end
  return words[1] and table.concat(words, ", ") or nil
end

local function type_text(column) return column.type .. (column.nullable and "" or " not null") end

local function columns(add, old, new)
  local was, now = by_name(old.columns), by_name(new.columns)
  for _, column in ipairs(old.columns) do
    if not now[column.name:lower()] then
      add { kind = "drop_column", column = column.name, was = column,
        words = ("the column %s is removed"):format(Name.quote(column.name)) }
    end
  end
  for _, column in ipairs(new.columns) do
    local before = was[column.name:lower()]
    local words = before and M.column(before, column)
    if not before then
      add { kind = "add_column", column = column.name, now = column,
        words = ("the column %s is added (%s)"):format(Name.quote(column.name), type_text(column)) }
    elseif words then
      add { kind = "change_column", column = column.name, was = before, now = column,
        words = ("the column %s is changed (%s)"):format(Name.quote(column.name), words) }
    end
  end
end

--- Tell which elements went and which came, by a text that stands for each.
local function compare(old, new, text_of, gone, came)
  local was, now = {}, {}
  for _, each in ipairs(old) do was[text_of(each)] = true end
  for _, each in ipairs(new) do now[text_of(each)] = true end
  for _, each in ipairs(old) do
    if not now[text_of(each)] then gone(each, text_of(each)) end
  end
  for _, each in ipairs(new) do
    if not was[text_of(each)] then came(each, text_of(each)) end
  end
end

local function index_text(index)
  local parts = {}
  for i, part in ipairs(index.columns) do parts[i] = Name.quote(part[1]) .. (part[2] == "desc" and " desc" or "") end
  local name = not index.constraint and " " .. Name.quote(index.name) or ""
  return ("%s%s over %s%s"):format(index.unique and "unique index" or "index", name,
    index.sql or table.concat(parts, ", "), index.where and " where " .. index.where or "")
end

local function foreign_text(key) return ("foreign key (%s) %s"):format(quoted_list(key.columns), key_text(key)) end

--- A unique constraint and a unique index keep the same: where one stands for the other, neither is a change.
local function indexes_to_compare(old, new)
  local function columns_text(index) return not index.where and index.unique and index_text { unique = true,
    constraint = true, columns = index.columns } or "" end
  local constraints, wanted = {}, {}
  for _, index in ipairs(old) do constraints[index.constraint and columns_text(index) or ""] = true end
  for _, index in ipairs(new) do wanted[columns_text(index)] = true end
  local function without(list, other, is_old)
    local kept = {}
    for _, index in ipairs(list) do
      local text = columns_text(index)
      if text == "" or not other[text] or is_old and not index.constraint then kept[#kept + 1] = index end
    end
    return kept
  end
  return without(old, wanted, true), without(new, constraints, false)
end

--- What leads from one picture to another, in an order in which it can be done.
---@param old rille.Picture
---@param new rille.Picture
---@return rille.Change[]
function M.of(old, new)
  local changes = {}
  local function add(change) changes[#changes + 1] = change end
  local function each(kind, verb)
    return function(value, text) add { kind = kind, [kind:find "^drop" and "was" or "now"] = value,
      words = ("the %s is %s"):format(text, verb) } end
  end
  local old_indexes, new_indexes = indexes_to_compare(old.indexes, new.indexes)
  compare(old_indexes, new_indexes, index_text, each("drop_index", "removed"), function() end)
  compare(old.foreign, new.foreign, foreign_text, each("drop_foreign", "removed"), function() end)
  local function check_text(check) return "check " .. check.sql end
  compare(old.checks, new.checks, check_text, each("drop_check", "removed"), function() end)
  columns(add, old, new)
  if not Name.same_list(old.primary, new.primary) then
    add { kind = "primary", was = old.primary, now = new.primary,
      words = ("the primary key is changed (%s -> %s)"):format(quoted_list(old.primary), quoted_list(new.primary)) }
  end
  compare(old.checks, new.checks, check_text, function() end, each("add_check", "added"))
  compare(old.foreign, new.foreign, foreign_text, function() end, each("add_foreign", "added"))
  compare(old_indexes, new_indexes, index_text, function() end, each("add_index", "added"))
  if old.tail ~= new.tail then
    add { kind = "tail", was = old.tail, now = new.tail,
      words = ("the table is %s instead of %s"):format(new.tail == "" and "plain" or new.tail,
        old.tail == "" and "plain" or old.tail) }
  end
  return changes
end

return M
