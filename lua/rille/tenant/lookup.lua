--- tenant.lookup: which tenant a slug names, by `tenancy.resolve` of the configuration; answers are kept for a while.
local core = require "rille.core"
local Config = require "rille.config"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Kept = require "rille.kept"
local Tenant = require "rille.tenant"

local M = {}

local KEPT <const> = 1000         -- answers
local KEPT_MS <const> = 60000

local answers, of = Kept.new(KEPT), nil           -- slug -> { tenant, until_ms }; `of` is the function that gave them

local function ask(resolve, slug)
  local found = Context.outside(resolve, slug)
  if found == nil or found == false then
    Error.raise("tenant_unknown", ("there is no tenant %s"):format(Error.quote(slug)), {
      hint = "tenancy.resolve knows no such slug",
    })
  elseif type(found) ~= "table" then
    Error.argument("tenancy.resolve", "a table with the tenant's id, or nil", found)
  end
  if found.id == nil then
    Error.argument("tenancy.resolve: id", "an integer or a text", nil,
      "where there is no such tenant the function returns nil, and no table")
  end
  return { id = Tenant.id(found.id, "tenancy.resolve: id"), slug = slug }
end

--- The tenant of that name.  Without `tenancy.resolve` the slug is the id.
---@param slug string  checked already
---@return rille.Tenant
function M.find(slug)
  local tenancy = Config.current().tenancy
  local resolve = tenancy and tenancy.resolve
  if not resolve then return { id = slug, slug = slug } end
  if resolve ~= of then M.forget() end
  local answer = answers:get(slug)
  if answer and answer.until_ms > core.monotonic_ms() then return answer.tenant end
  local tenant = ask(resolve, slug)
  of = resolve
  answers:put(slug, { tenant = tenant, until_ms = core.monotonic_ms() + KEPT_MS })
  return tenant
end

--- Forget what was looked up: a tenant was renamed or is gone.
function M.forget()
  answers:clear()
  of = nil
end

return M
