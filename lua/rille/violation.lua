--- violation: which reference a refused statement broke, in words; SQLite itself says only that there is one.
local core = require "rille.core"

local M = {}

local ROWS_LOOKED_AT <const> = 100            -- of an insert of many, to find whose reference it is
local DELETES <const> = { delete = true, delete_record = true }
local TAKES_CARE <const> = { CASCADE = true, ["SET NULL"] = true, ["SET DEFAULT"] = true }

---@class rille.Reference
---@field place string      "posts.author_id"
---@field table string      whose column it is
---@field columns string[]
---@field target string     the table it refers to
---@field references string?  the column, when it is one; its primary key where the declaration says none

local function reference(table_name, key)
  local columns = table.concat(key.columns, ", ")
  return {
    place = #key.columns == 1 and table_name .. "." .. columns or ("%s (%s)"):format(table_name, columns),
    table = table_name, columns = key.columns, target = key.table, on_delete = key.on_delete,
    references = #key.columns == 1 and key.references or nil,
  }
end

--- The references of a table, and those of any table to it.
local function references_of(handle, name)
  local own, incoming = {}, {}
  for _, other in ipairs(handle:tables()) do
    for _, key in ipairs((handle:describe(other) or { foreign = {} }).foreign) do
      if other == name then own[#own + 1] = reference(other, key) end
      if key.table == name then incoming[#incoming + 1] = reference(other, key) end
    end
  end
  return own, incoming
end

--- Name of the table that a method of the core writes, and the rows it gave as functions of a column.
local function what_was_written(method, a, b, c)
  local rows = {}
  if method == "insert" then
    for i = 1, math.min(#b, ROWS_LOOKED_AT) do rows[i] = function(name) return b[i][name] end end
    return a:name(), rows
  elseif method == "update" then
    local set = {}
    for _, assignment in ipairs(c) do
      if not assignment[3] then set[assignment[1]] = assignment[2] end
    end
    return a[1][1]:name(), { function(name) return set[name] end }
  elseif method == "delete" then
    return a[1][1]:name(), rows
  end
  local state = core.record_state(a)
  local _, source = core.is_record(a)
  return source:name(), { function(name) return state[name] end }
end

--- The value with which a row refers to nothing, or nil.
local function missing_target(handle, key, rows)
  local column = key.references
  if #key.columns ~= 1 then return nil end
  column = column or handle:describe(key.target).primary[1]
  for _, value_of in ipairs(rows) do
    local value = value_of(key.columns[1])
    if value ~= nil and value ~= core.null and not handle:table(key.target):where(column, value):exists() then
      return value
    end
  end
end

local function say(e, message, hint, key)
  e.message = (e.message:match "^row %d+ of %d+: " or "") .. message
  e.hint = hint
  if key then e.table, e.column, e.columns = key.table, key.columns[1], key.columns end
end

local function places(keys)
  local names = {}
  for i, key in ipairs(keys) do names[i] = key.place end
  table.sort(names)
  return table.concat(names, ", ")
end

local function explain_write(e, handle, name, own, incoming, rows)
  local written = {}
  for _, key in ipairs(own) do
    for _, value_of in ipairs(rows) do
      local value = value_of(key.columns[1])
      if value ~= nil and value ~= core.null then
        written[#written + 1] = key
        break
      end
    end
  end
  for _, key in ipairs(written) do
    local value = missing_target(handle, key, rows)
    if value ~= nil then
      return say(e, ("%s refers to a row of %s that is missing: %s"):format(key.place, key.target,
        require "rille.error".show(value)), "write that row first, or refer to one that there is", key)
    end
  end
  if #written > 0 then
    say(e, ("%s refers to a row that is missing"):format(places(written)), "write that row first",
      #written == 1 and written[1] or nil)
  elseif #incoming > 0 then
    say(e, ("%s: rows of %s still refer to it by its key"):format(name, places(incoming)),
      "change what refers to it first")
  end
end

local function explain_delete(e, name, incoming)
  local holding = {}
  for _, key in ipairs(incoming) do
    if not TAKES_CARE[key.on_delete] then holding[#holding + 1] = key end
  end
  if #holding == 0 then return end
  say(e, ("%s: a row is still referred to by %s"):format(name, places(holding)),
    "delete or change those rows first, or declare the reference with on_delete")
  e.table, e.columns, e.column = name, nil, nil
end

local function explain(e, handle, method, a, b, c)
  local name, rows = what_was_written(method, a, b, c)
  local own, incoming = references_of(handle, name)
  if not e.table then e.table = name end
  if DELETES[method] then explain_delete(e, name, incoming) else explain_write(e, handle, name, own, incoming, rows) end
end

--- Say in a foreign_key_violation which reference it is; the error stays as it is where that cannot be found out.
---@param e rille.Error
---@param handle rille.Handle
---@param method string  of the core: insert, update, delete, insert_record …
---@param a any          its arguments
---@param b any
---@param c any
function M.explain(e, handle, method, a, b, c)
  pcall(explain, e, handle, method, a, b, c)
end

return M
