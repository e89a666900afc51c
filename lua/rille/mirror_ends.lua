--- mirror_ends: a cheap look at whether a mirror holds what its source holds: the last row of each table, by number.
-- What other programs insert or delete at the end is seen in the time of two look-ups a table; mirror_verify sees all.
local M = {}

-- Tables whose key is the number of the row.
local TABLES = [[select t.name as "table", c.name as "key" from pragma_table_list as t, pragma_table_info(t.name) as c
  where t.schema = 'main' and t.type = 'table' and t.wr = 0 and c.pk = 1 and lower(c.type) = 'integer'
    and (select count(*) from pragma_table_info(t.name) where pk > 0) = 1
    and t.name not like 'sqlite\_%' escape '\' and t.name not like 'rille\_%' escape '\' order by 1]]

local WHOSE = [[select name from pragma_table_info(?) where pk = 1 and lower(name) in ('source', 'mirror_source')]]

local function quoted(name) return '"' .. name:gsub('"', '""') .. '"' end

local function last(handle, each, condition, ...)
  local sql = ('select max(%s) as "last" from %s%s'):format(quoted(each.key), quoted(each.table), condition)
  return handle:_query(sql, ...)[1].last or false
end

--- Table -> its last key in the mirror, and how far the mirror is; at one moment.
local function ends_of_mirror(target, mirror, tables)
  local ends = {}
  local place = target:_query('select "seq" from "rille_mirror_ledger" where "source" = ?', mirror.source)[1]
  for _, each in ipairs(tables) do
    local whose = target:_query(WHOSE, each.table)[1]
    local condition = whose and (" where %s = ?"):format(quoted(whose.name))
    ends[each.table] = condition and last(target, each, condition, mirror.source) or false
  end
  return ends, place and place.seq
end

local function wanted(mirror, tables)
  if not mirror.tables then return tables end
  local names, list = {}, {}
  for _, name in ipairs(mirror.tables) do names[name] = true end
  for _, each in ipairs(tables) do list[#list + 1] = names[each.table] and each or nil end
  return list
end

--- Tables whose last row the mirror does not have, or has and should not; nil where that cannot be said: the mirror is
--- behind, or somebody writes.
---@param source rille.Handle
---@param target rille.Handle
---@param mirror rille.Mirror
---@return string[]?
function M.differing(source, target, mirror)
  local tables = wanted(mirror, source:_query(TABLES))
  local ends, seq
  target:snapshot(function() ends, seq = ends_of_mirror(target, mirror, tables) end)
  local list = {}
  source:snapshot(function()
    local now = source:_query 'select max("seq") as "seq" from "rille_outbox"'[1].seq
    if not seq or now ~= seq then list = nil return end
    for _, each in ipairs(tables) do
      if last(source, each, "") ~= ends[each.table] then list[#list + 1] = each.table end
    end
  end)
  return list
end

return M
