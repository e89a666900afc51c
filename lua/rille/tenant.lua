--- tenant: whose rows a coroutine sees.  The core reads it with each statement; see core/bind/tenant.h.
-- A tenant belongs to the coroutine that set it: another one, even if made inside, has none until it says so itself.
local core = require "rille.core"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Kept = require "rille.kept"
local Transaction = require "rille.transaction"

local M = {}

local SLUG_MAX = 63
local KEPT <const> = 1000          -- contexts

local type, running = type, coroutine.running

local tenants, enter, known_tenant = core.tenants, core.enter, core.known_tenant    -- coroutine -> its context
local new = Context.new
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

--- In a transaction the tenant stays: what is rolled back together belongs to one.  One that was begun without a tenant
--- is the first one's that comes, where that does not decide in which database it is.
local function check_switch(co, before, id)
  local from = before and before[1]
  local transaction = from ~= id and Transaction.first_of(co)
  if not transaction then return end
  local of = transaction.whose
  if from == nil and (of == nil or of == id) and not require "rille.tenant.home".decides() then
    transaction.whose = id
    return
  end
  if from == nil then from = of end
  Error.raise("tenant_mismatch", ("the tenant cannot change from %s to %s inside a transaction"):format(
    from == nil and "none" or Error.quote(tostring(from)), id == nil and "none" or Error.quote(tostring(id))), {
    hint = "end the transaction first",
  })
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

--- Run a function as no tenant, whatever holds around it: to change the schema, say, or to read of all.  Inside a
--- tenant it is told as the event `tenant:bypass`.
---@param fn fun(...): any ...
---@param ... any
---@return any ...  what fn returns
function M.outside(fn, ...)
  if type(fn) ~= "function" then Error.argument("tenant.outside", "a function", fn) end
  if M.current() then require "rille.guard".told "outside" end
  return Context.outside(fn, ...)
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

-- Words about tenants that have databases of their own.
local STOCK_WORDS = { create = true, drop = true, copy = true, list = true, migrate = true }

return setmetatable(M, {
  __index = function(_, name)
    if name == "resolver" then return require "rille.tenant.resolver".new end
    return STOCK_WORDS[name] and require "rille.tenant.stock"[name] or nil
  end,
})
