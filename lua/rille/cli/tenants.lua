--- tenants: what the commands about tenants share: progress of many, and how one ended.
local text = require "rille.cli.text"

local M = {}

local STYLES = { migrated = "green", current = "dim", failed = "red" }

--- Raises where the configuration of the project keeps no tenants in databases or schemas of their own.
function M.need()
  require "rille.cli.project".need()
  require "rille.tenant.place".tenancy()
end

--- The database that a command is told to work on: a tenant's, or that of a connection.
---@param args { tenant: string?, connection: string? }
---@return rille.Handle|string|nil
function M.connection(args)
  if not args.tenant then return args.connection end
  if args.connection then
    require "rille.cli.failure".misuse("--tenant and --connection say different things", "leave one of them out")
  end
  M.need()
  return require "rille.tenant.place".handle(require "rille.tenant".slug(args.tenant))
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
    local current = #result.tenants - changed
    term:line(("%s migrated, %d %s current"):format(text.count(changed, "tenant"), current,
      current == 1 and "was" or "were"))
  end)
end

--- A listener for a move: on a terminal a moving line.
local function step_shown(term)
  return function(step, name, rows)
    if step == "checking" or step == "copying" then
      term:begin(("  %s %s: %s …"):format(step, text.escape(name), text.count(rows, "row")))
    elseif step == "arrived" then
      term:begin "  comparing both sides …"
    end
  end
end

--- Move a tenant's rows between the shared database and its own, and report.
---@param word "extract"|"absorb"
---@param args table
---@param term rille.Term
function M.move(word, args, term)
  M.need()
  local options = { dry_run = args.dry_run, on_step = step_shown(term) }
  local moved = require "rille.tenant.moving".run(word, args.slug, options)
  moved.tenant, moved.dry_run = args.slug, args.dry_run or false
  term:report(moved, function()
    for _, name in ipairs(require "rille.keys"(moved.tables)) do
      term:note(("  %s  %s"):format(text.escape(name), text.count(moved.tables[name], "row")))
    end
    term:line(("%s of %s %s"):format(text.count(moved.rows, "row"), args.slug,
      args.dry_run and "would move" or "moved"))
  end)
end

return M
