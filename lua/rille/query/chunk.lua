--- query.chunk: all rows of a query, a list at a time, each row once even if it changes meanwhile.
local core = require "rille.core"
local Error = require "rille.error"
local Root = require "rille.query.root"
local Tenant = require "rille.tenant"
local Walk = require "rille.query.walk"

local M = {}

local op <const> = core.op

local EACH_ROWS = 1000            -- that `each` reads at once

--- Lists of rows in the order of the primary key, each behind the one before.
local function walk_by_key(query, word, size, order, left, fn)
  local values
  query = Walk.ordered(query, order, false)
  while left > 0 do
    local page = values and Walk.seek(query, order, false, values) or query
    local rows = page:limit(math.tointeger(math.min(size, left))):all()
    local count = #rows
    if count == 0 then return end
    values, left = Walk.place(rows[count], order, word), left - count
    if fn(rows) == false or count < size then return end
  end
end

--- The keys of the query's rows in its order, each once: a join may give a row more than once.
local function keys_of(query, word, key)
  local outputs = Walk.outputs(query)
  if not outputs then
    local columns = {}
    for i, term in ipairs(key) do columns[i] = term.column end
    query = query:select(columns)
  end
  local joined = Walk.has_node(query, op.join) ~= nil
  local keys, seen = {}, {}
  for row in query:plain():cursor() do
    local values = Walk.place(row, key, word, outputs)
    local text = #keys
    if joined then
      text = {}
      for i, value in ipairs(values) do text[i] = tostring(value) end
      text = table.concat(text, "\0")
    end
    if not seen[text] then
      seen[text] = joined
      keys[#keys + 1] = values
    end
  end
  return keys
end

--- Lists of rows in any other order.  A row whose place in it changes meanwhile would be seen twice or never, so the
--- keys are read first, and the rows by their keys.
local function walk_by_order(query, word, size, order, key, fn)
  query = Walk.ordered(query, order, false)
  local keys = keys_of(query, word, key)
  query = query:unlimited()
  for from = 1, #keys, size do
    local some = table.move(keys, from, math.min(from + size - 1, #keys), 1, {})
    local rows = Walk.with_keys(query, key, some):all()
    if #rows > 0 and fn(rows) == false then return end
  end
end

--- Whose rows a query gives: is that the current tenant's business?  `ask` where only a look behind a view can tell.
local function of_tenants(query)
  local root = Root.ready(query)
  local class, handle = root.class, root.handle
  if class and (class._def.guard or class._def.infos) or handle.tenant or Walk.mixes(query)
    or Walk.asks_tenants(query) then
    return true
  end
  local name = root[1]:name()
  if not class and require "rille.guard".of(handle, name) then return true end
  return false, require "rille.tenant.behind".ask(handle, name, handle:described(name), root.all_tenants)
end

--- A function that raises once other rows are seen than when the walk began, where that depends on the tenant.
---@param query rille.Query
---@param word string  the method that walks
---@return function
function M.same_tenant(query, word)
  local depends, ask = of_tenants(query)
  if not depends and not ask then return function() end end
  local mark = Tenant.mark()
  return function()
    local now = Tenant.mark()
    if now == mark then return end
    if not depends then
      if Tenant.current() then ask() end                   -- as before a statement: it raises
      mark = now
      return
    end
    local class = query[1].class
    Error.raise("tenant_mismatch", word .. ": the rows are of a tenant that is no longer the current one", {
      model = class and class._def.name, hint = "end the walk before another tenant is set, or a bypass begins or ends",
    })
  end
end

local function walk(query, word, size, call)
  if math.type(size) ~= "integer" or size < 1 then Error.argument(word, "a whole number, at least 1", size) end
  if type(call) ~= "function" then Error.argument(word, "a function", call) end
  local check = M.same_tenant(query, word)
  local function fn(rows)
    local answer = call(rows)
    check()
    return answer
  end
  local order, key = Walk.order(query, word)
  Walk.check_selected(query, key, word)
  local limit = Walk.has_node(query, op.limit)
  local by_key = #order == #key              -- the order is that of the key, whose values do not change
  if by_key and not Walk.has_node(query, op.offset) and not Walk.has_node(query, op.join) then
    return walk_by_key(query, word, size, order, limit and limit[4] or math.huge, fn)
  end
  return walk_by_order(query, word, size, order, key, fn)
end

--- Lists of up to `size` rows in the order of the query, until fn returns false.
---@param size integer
---@param fn fun(rows: rille.List): boolean?
function M.chunk(query, size, fn) walk(query, "chunk", size, fn) end

--- The same in the order of the primary key alone.
---@param size integer
---@param fn fun(rows: rille.List): boolean?
function M.chunk_by_id(query, size, fn) walk(query:reorder(), "chunk_by_id", size, fn) end

--- Each row, read in chunks, until fn returns false.
---@param fn fun(row: any): boolean?
function M.each(query, fn)
  if type(fn) ~= "function" then Error.argument("each", "a function", fn) end
  local check = M.same_tenant(query, "each")
  walk(query, "each", EACH_ROWS, function(rows)
    for _, row in ipairs(rows) do
      check()
      if fn(row) == false then return false end
    end
  end)
end

return M
