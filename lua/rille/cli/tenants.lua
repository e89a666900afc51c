--- tenants: what the commands about tenants share: progress of many, and how one ended.
local text = require "rille.cli.text"

local M = {}

local STYLES = { migrated = "green", current = "dim", failed = "red" }

--- Raises where the configuration of the project keeps no tenants in databases of their own.
function M.need()
  require "rille.cli.project".need()
  require "rille.tenant.place".tenancy()
end

--- A listener for rille.tenant.migrate: a line for each tenant in which something was done, a moving one for the rest.
---@param term rille.Term
---@return fun(each: rille.TenantMigrated)
function M.progress(term)
  return function(each)
    if each.state == "running" then
      return term:begin(("  %d of %d  %s …"):format(each.number, each.count, each.slug))
    elseif each.state == "current" then
      return nil
    end
    local line = ("  %s  %s"):format(each.slug, term:paint("err", STYLES[each.state], each.state))
    if each.state == "failed" then line = line .. ": " .. text.escape(each.error.message) end
    if each.applied then line = line .. ": " .. table.concat(each.applied, ", ") end
    term:note(line)
  end
end

--- Migrate tenants and report.
---@param slugs string[]|nil  all when absent
---@param term rille.Term
---@return integer|nil status
function M.migrate(slugs, term)
  M.need()
  local result = require "rille.tenant".migrate(slugs, M.progress(term))
  local changed, failed = 0, result.failed
  for _, each in ipairs(result.tenants) do
    each.number, each.count = nil, nil
    if each.state == "migrated" then changed = changed + 1 end
    if each.error then each.error = require "rille.cli.failure".object(each.error) end
  end
  if failed > 0 then
    local e = require "rille.error".new("migration", ("%s of %s not migrated"):format(
      text.count(failed, "tenant"), #result.tenants), { hint = "mend it and run it again: the others are done" })
    e.done = result
    error(e, 0)
  end
  term:report(result, function()
    term:line(("%s migrated, %d were current"):format(text.count(changed, "tenant"), #result.tenants - changed))
  end)
end

return M
