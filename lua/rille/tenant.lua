--- tenant: whose rows a coroutine sees.  The core reads it with each statement; see core/bind/tenant.h.
-- A tenant belongs to the coroutine that set it: another one, even if made inside, has none until it says so itself.
local core = require "rille.core"
local Error = require "rille.error"
local Kept = require "rille.kept"
local Transaction = require "rille.transaction"

local M = {}

local SLUG_MAX = 63
local KEPT <const> = 1000          -- contexts

local type, setmetatable, running = type, setmetatable, coroutine.running

-- Coroutine -> its context, { id, mark, all, lifted, everybody, slug =, handle = }: never changed in place, so that it
-- can be put back as it was; but `handle`, of the tenant's own database, comes when it is first asked for (home.lua).
-- `lifted` is the set of guards (see guard.lua) of tables whose rows are everybody's, nil for none; `all`: it has every
-- guard.  `mark` tells this view of the rows from any other.  `everybody` says `lifted` to a database that keeps
-- tenants apart by itself: names of tables with commas between them, "*" for all.
-- It is read here; see core/bind/context.h for who writes it.
local tenants, enter, context_meta, known_tenant = core.tenants, core.enter, core.context_meta, core.known_tenant
local transactions = Transaction.newest

local contexts = Kept.new(KEPT)    -- slug -> the context of the tenant that was met under it last, with nothing lifted

---@class rille.Tenant
---@field id integer|string  what the tenant's column keeps
---@field slug? string       its name, as addresses and files have it

--- Is it a name that a tenant may have?
---@param slug any
---@return boolean
function M.is_slug(slug)
  return type(slug) == "string" and #slug <= SLUG_MAX and slug:find "^[a-z0-9][a-z0-9_-]*$" ~= nil
end

--- The name of a tenant, checked before it becomes part of an address, a path or a statement.
---@param slug any
---@return string slug
function M.slug(slug)
  if not M.is_slug(slug) then
    Error.argument("tenant", "a slug: at most 63 small letters, digits, - and _, with a letter or digit first", slug,
      type(slug) == "number" and ("a tenant without a slug is { id = %d }"):format(slug) or nil)
  end
  return slug
end

local FIELDS = { "id", "slug" }
local FIELD <const> = { id = true, slug = true }

--- The id of a tenant, checked.
---@param id any
---@param where? string  for messages
---@return integer|string id
function M.id(id, where)
  if math.type(id) ~= "integer" and (type(id) ~= "string" or id == "") then
    Error.argument(where or "tenant.id", "an integer or a text", id)
  end
  return id
end

-- What is seen of whom, as a text: the tenant, then the tables that are everybody's.
local function mark_of(id, lifted)
  local tables = {}
  for guard in next, lifted do tables[#tables + 1] = guard.table end
  table.sort(tables)
  return type(id) .. "\0" .. tostring(id) .. "\0" .. table.concat(tables, "\0")
end

local function tables_of(lifted)
  local tables = {}
  for guard in next, lifted do tables[#tables + 1] = guard.table end
  return table.concat(tables, ",")
end

local function new(id, slug, lifted, all)
  return setmetatable({ id, lifted and mark_of(id, lifted) or id, all or false, lifted, lifted and tables_of(lifted),
    slug = slug }, context_meta)
end

--- The context of the tenant that the caller means, with nothing lifted.
local function context_of(tenant)
  local id, slug
  if type(tenant) == "table" then
    for field in next, tenant do
      if not FIELD[field] then Error.options("tenant", tenant, FIELDS) end
    end
    id, slug = tenant.id, tenant.slug
  else
    slug = contexts:get(tenant) and tenant or M.slug(tenant)
    id = require "rille.tenant.lookup".find(slug).id
  end
  local context = slug ~= nil and contexts:get(slug)
  if context and rawequal(context[1], id) then return context end
  if slug ~= nil and not context then M.slug(slug) end
  context = new(M.id(id), slug)
  if slug ~= nil then contexts:put(slug, context) end
  return context
end

--- In a transaction the tenant stays: what is rolled back together belongs to one.
local function check_switch(co, before, id)
  local from = before and before[1]
  if from ~= id and Transaction.begun_by(co) and (from ~= nil or require "rille.tenant.home".decides()) then
    Error.raise("tenant_mismatch", ("the tenant cannot change from %s to %s inside a transaction"):format(
      from == nil and "none" or Error.quote(tostring(from)), id == nil and "none" or Error.quote(tostring(id))), {
      hint = "end the transaction first",
    })
  end
end

--- The context as this coroutine would have it, if it may: what is lifted stays so.
local function allowed(context)
  local co = running()
  local before = tenants[co]
  if before == context then return context end
  check_switch(co, before, context[1])
  if before and before[4] then return new(context[1], context.slug, before[4], before[3]) end
  return context
end

local function to_run(tenant, fn)
  if type(fn) ~= "function" then Error.argument("tenant.run", "a function", fn) end
  return context_of(tenant)
end

--- Run a function as a tenant: what it reads and writes of models with a tenant's column is that tenant's.
---@param tenant string|rille.Tenant  a slug, which tenancy.resolve looks up where there is one; else it is the id too
---@param fn fun(...): any ...
---@param ... any        for fn
---@return any ...       what fn returns
function M.run(tenant, fn, ...)
  local context = known_tenant(tenant, fn, contexts.young) or to_run(tenant, fn)
  local before <close> = enter(context, transactions) or enter(allowed(context))      -- luacheck: ignore 211
  return fn(...)
end

--- Run a function as no tenant, whatever holds around it: to find out who a tenant is.
---@param fn fun(...): any ...
---@param ... any
---@return any ...
function M.outside(fn, ...)
  local before <close> = enter(nil)                        -- luacheck: ignore 211
  return fn(...)
end

--- Be a tenant from here on, in this coroutine; the innermost `run` around puts back what was before it.
---@param tenant string|rille.Tenant
function M.set(tenant) enter(allowed(context_of(tenant))) end

--- Be no tenant from here on, in this coroutine.
function M.clear()
  local co = running()
  local before = tenants[co]
  check_switch(co, before, nil)
  enter(before and before[4] and new(nil, nil, before[4], before[3]) or nil)
end

local entered = require "rille.entered".new()

--- Be a tenant until M.leave; for programs in C, see rille_tenant_enter.
---@param tenant string|rille.Tenant
function M.enter(tenant)
  local was = tenants[running()]
  M.set(tenant)
  entered:push { was = was, now = tenants[running()] }
end

--- Be the tenant of the last M.enter again, whatever a call has set since.
function M.restore()
  local top = entered:top()
  if top and tenants[running()] ~= top.now then enter(top.now) end
end

--- End the last M.enter; nothing happens without one.
function M.leave()
  local last = entered:pop()
  if last then enter(last.was) end
end

--- The tenant of this coroutine, or nil.
---@return rille.Tenant?
function M.current()
  local context = tenants[running()]
  if not context or context[1] == nil then return nil end
  return { id = context[1], slug = context.slug }
end

--- What tells rows read now from those of another tenant; nil where there is neither tenant nor bypass.
---@return any mark
function M.mark()
  local context = tenants[running()]
  return context and context[2]
end

--- Does this coroutine see everybody's rows of the guard's table?
---@param guard rille.Guard
---@return boolean
function M.is_lifted(guard)
  local context = tenants[running()]
  return context ~= nil and context[4] ~= nil and context[4][guard] == true
end

--- Run a function for which everybody's rows of the guard's table are seen, in this coroutine.
---@param guard rille.Guard
---@param all fun(): boolean  are they of every table by then?
---@param fn function
---@return any ...
function M.lift(guard, all, fn, ...)
  local now, lifted = tenants[running()], { [guard] = true }
  for each in next, now and now[4] or {} do lifted[each] = true end
  local context = new(now and now[1], now and now.slug, lifted)
  local before <close> = enter(context)                    -- luacheck: ignore 211
  context[3] = all()
  return fn(...)
end

--- Run a function of rille's own for which a database that keeps tenants apart by itself does not do so.
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

-- Words about tenants that have databases of their own.
local STOCK_WORDS = { create = true, drop = true, copy = true, list = true, migrate = true }

return setmetatable(M, {
  __index = function(_, name)
    if name == "resolver" then return require "rille.tenant.resolver".new end
    return STOCK_WORDS[name] and require "rille.tenant.stock"[name] or nil
  end,
})
