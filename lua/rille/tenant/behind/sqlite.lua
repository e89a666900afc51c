--- behind.sqlite: what views, virtual tables and triggers of SQLite read and write, told by names in their SQL.
-- A name counts wherever it stands, even in a remark: better one view too many than a row too many.
local M = {}

-- Tables in which virtual tables keep what they hold are called after these with one of these endings.
local SHADOWS <const> = {}
for _, ending in ipairs { "data", "idx", "content", "docsize", "config", "segments", "segdir", "stat", "node", "rowid",
  "parent" } do
  SHADOWS[ending] = true
end

-- All that is no table: views, virtual tables, triggers.
local OBJECTS <const> = "select type, name, tbl_name, sql from sqlite_schema where rootpage = 0 or rootpage is null"

local TRIGGERS <const> = [[select t.name, t.tbl_name, t.sql from sqlite_schema t
  join sqlite_schema o on o.type = 'table' and o.name = t.tbl_name where t.type = 'trigger' order by t.name]]

--- SQL in small letters and with blanks for quotes, so that a name reads the same however it is written.
local function plain(text) return (text:lower():gsub("[\"'`%[%]]+", " ")) end

--- Is the name in the text, as a whole word?  What a virtual table keeps counts as itself.
local function names(text, name, virtual)
  local from = 1
  while true do
    local first, last = text:find(name, from, true)
    if not first then return false end
    if not text:find("^[%w_]", first - 1 > 0 and first - 1 or #text + 1) and (not text:find("^[%w_]", last + 1)
      or virtual and text:find("^_", last + 1)) then
      return true
    end
    from = first + 1
  end
end

--- What the database holds beside tables, by name: { name =, virtual =, text = all SQL that acts when it is used }.
local function objects_of(handle)
  local rows, list, by_name = handle:_connect():query(OBJECTS), {}, {}
  for _, row in ipairs(rows) do
    if row.type ~= "trigger" then
      local object = { name = plain(row.name), virtual = row.type == "table", text = plain(row.sql or "") }
      list[#list + 1], by_name[row.name] = object, object
    end
  end
  for _, row in ipairs(rows) do
    if row.type == "trigger" then
      local text = plain(row.sql or "")
      for _, object in ipairs(list) do
        -- The triggers of a table may fill a virtual one with its rows.
        if plain(row.tbl_name) == object.name or object.virtual and names(text, object.name, true) then
          object.text = object.text .. "\n" .. text
        end
      end
    end
  end
  return { list = list, by_name = by_name }
end

--- The object of that name, or the virtual table that keeps what it holds in the table of that name.
local function object_at(objects, name)
  local owner, ending = name:match "^(.+)_(%l+)$"
  local shadowed = SHADOWS[ending] and objects.by_name[owner]
  return objects.by_name[name] or shadowed and shadowed.virtual and shadowed or nil
end

--- All that acts when an object is used: the set of it and of what it names.
local function reached(objects, object, set)
  if set[object] then return set end
  set[object] = true
  for _, other in ipairs(objects.list) do
    if names(object.text, other.name, other.virtual) then reached(objects, other, set) end
  end
  return set
end

--- Is a thing of that name a table, behind which there is nothing?
---@param name string
---@param description table  as handle:describe gives it
---@return boolean
function M.is_plain(name, description)
  if description.kind ~= "table" or (description.sql or ""):find "^CREATE VIRTUAL" then return false end
  return not SHADOWS[name:match "_(%l+)$"]
end

--- The triggers of tables: what each does, in small letters and without quotes.
---@param handle rille.Handle
---@return { name: string, table: string, text: string }[]
function M.triggers(handle)
  local list = {}
  for _, row in ipairs((handle:_connect():query(TRIGGERS))) do
    local text = plain(row.sql):match "%f[%w_]begin%f[^%w_](.*)"
    list[#list + 1] = { name = row.name, table = row.tbl_name, text = text or "" }
  end
  return list
end

--- Read what there is beside tables.
---@param handle rille.Handle
---@return fun(name: string): (fun(table_name: string): boolean)?  for a name: is a table behind it?  nil: none is
function M.read(handle)
  local objects = objects_of(handle)
  return function(name)
    local object = object_at(objects, name)
    if not object then return nil end
    local set = reached(objects, object, {})
    return function(table_name)
      for each in next, set do
        if names(each.text, plain(table_name)) then return true end
      end
      return false
    end
  end
end

return M
