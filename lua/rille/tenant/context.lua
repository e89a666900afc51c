--- tenant.context: what a coroutine sees of tenants' rows, as a value; and how rille itself sees others than the
-- program asked for, which scripts have no word for.
local core = require "rille.core"

local M = {}

-- A context is { id, mark, all, lifted, everybody, slug =, handle = }: never changed in place, so that it can be put
-- back as it was; but `handle`, of the tenant's own database, comes when it is first asked for (home.lua).
-- `lifted` is the set of guards (see guard.lua) of tables whose rows are everybody's, nil for none; `all`: it has every
-- guard.  `mark` tells this view of the rows from any other.  `everybody` says `lifted` to a database that keeps
-- tenants apart by itself: names of tables with commas between them, "*" for all.
-- It is read here; see core/bind/context.h for who writes it.
local tenants, enter, context_meta = core.tenants, core.enter, core.context_meta
local running, setmetatable, type = coroutine.running, setmetatable, type

local function tables_of(lifted)
  local tables = {}
  for guard in next, lifted do tables[#tables + 1] = guard.table end
  table.sort(tables)
  return tables
end

-- What is seen of whom, as a text: the tenant, then the tables that are everybody's.
local function mark_of(id, tables) return type(id) .. "\0" .. tostring(id) .. "\0" .. table.concat(tables, "\0") end

--- A context.
---@param id? integer|string    of the tenant; nil: none is set
---@param slug? string
---@param lifted? table<rille.Guard, true>
---@param all? boolean
---@return table context
function M.new(id, slug, lifted, all)
  local tables = lifted and tables_of(lifted)
  return setmetatable({ id, tables and mark_of(id, tables) or id, all or false, lifted,
    tables and table.concat(tables, ","), slug = slug }, context_meta)
end

--- Run a function for which everybody's rows of the guard's table are seen, in this coroutine.
---@param guard rille.Guard
---@param all fun(): boolean  are they of every table by then?
---@param fn function
---@return any ...
function M.lift(guard, all, fn, ...)
  local now, lifted = tenants[running()], { [guard] = true }
  for each in next, now and now[4] or {} do lifted[each] = true end
  local context = M.new(now and now[1], now and now.slug, lifted)
  local before <close> = enter(context)                    -- luacheck: ignore 211
  context[3] = all()
  return fn(...)
end

--- Run a function for which a database that keeps tenants apart by itself does not do so.
---@param fn function
---@return any ...
function M.everybody(fn, ...)
  local now = tenants[running()]
  if not now then return fn(...) end
  local context = setmetatable({ now[1], now[2], now[3], now[4], "*", slug = now.slug, handle = now.handle },
    context_meta)
  local before <close> = enter(context)                    -- luacheck: ignore 211
  return fn(...)
end

--- Run a function as no tenant, whatever holds around it: to find out who a tenant is, or where.
---@param fn fun(...): any ...
---@param ... any
---@return any ...
function M.outside(fn, ...)
  local before <close> = enter(nil)                        -- luacheck: ignore 211
  return fn(...)
end

return M
