--- tenant.lookup: which tenant a slug names, by `tenancy.resolve` of the configuration; answers are kept for a while.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"

local M = {}

local KEPT = 1000                 -- answers
local KEPT_MS = 60000

local tenants = core.tenants
local answers, count, of = {}, 0, nil             -- slug -> { tenant, until_ms }; `of` is the function that gave them

local Restore = { __close = function(self) tenants[self.co] = self.before end }

--- The function is outside of any tenant: who is looked up is not yet known.
local function ask(resolve, slug)
  local co = coroutine.running()
  local leaving <close> = setmetatable({ co = co, before = tenants[co] }, Restore)      -- luacheck: ignore 211
  tenants[co] = nil
  local found = resolve(slug)
  if found == nil or found == false then
    Error.raise("tenant_unknown", ("there is no tenant %s"):format(Error.quote(slug)), {
      hint = "tenancy.resolve knows no such slug",
    })
  end
  local id = type(found) == "table" and found.id or nil
  if math.type(id) ~= "integer" and (type(id) ~= "string" or id == "") then
    Error.argument("tenancy.resolve", "a table with the tenant's id, or nil", found)
  end
  return { id = id, slug = slug }
end

--- The tenant of that name.  Without `tenancy.resolve` the slug is the id.
---@param slug string  checked already
---@return rille.Tenant
function M.find(slug)
  local tenancy = Config.current().tenancy
  local resolve = tenancy and tenancy.resolve
  if not resolve then return { id = slug, slug = slug } end
  if resolve ~= of then M.forget() end
  local answer = answers[slug]
  if answer and answer.until_ms > core.monotonic_ms() then return answer.tenant end
  local tenant = ask(resolve, slug)
  if not answer then
    if count >= KEPT then M.forget() end
    count = count + 1
  end
  answers[slug], of = { tenant = tenant, until_ms = core.monotonic_ms() + KEPT_MS }, resolve
  return tenant
end

--- Forget what was looked up: a tenant was renamed or is gone.
function M.forget() answers, count, of = {}, 0, nil end

return M
