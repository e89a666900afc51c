--- promote: take the SQLite database of the project, or those of all tenants, to PostgreSQL.
local text = require "rille.cli.text"

local WORDS <const> = { checking = "looking at", trying = "trying", copying = "copying", comparing = "comparing" }

--- A moving line on a terminal for what is done.
local function shown(term)
  return function(step)
    if step.step == "tenant" then
      term:note(("%s (%d of %d)"):format(text.escape(step.name), step.number, step.count))
    elseif step.step == "migrating" then
      term:begin(("  migration %s …"):format(text.escape(step.name)))
    elseif step.table then
      term:begin(("  %d of %d  %s %s: %s …"):format(step.number, step.count, WORDS[step.step], text.escape(step.table),
        text.count(step.rows, "row")))
    else
      term:begin(("  %s …"):format(step.step))
    end
  end
end

--- What of the source does not fit, and what stays behind.
local function print_notes(result, term)
  for _, each in ipairs(result.misfits) do
    term:note(("  %s (%s): %s"):format(text.escape(each.table), text.escape(each.row), text.escape(each.why)))
  end
  if result.misfit_count > #result.misfits then
    term:note(("  … and %d more"):format(result.misfit_count - #result.misfits))
  end
  for _, each in ipairs(result.left) do
    term:note(("  left behind: %s %s%s"):format(each.kind, text.escape(each.name), each.why and ": "
      .. text.escape(each.why) or ""))
  end
end

local function print_tables(result, term)
  for _, each in ipairs(result.tables) do
    term:note(("  %s  %s  %s"):format(text.escape(each.name), text.count(each.rows, "row"),
      term:paint("err", "dim", each.state)))
  end
end

--- What is to be changed in the configuration.
local function print_advice(result, name, term)
  term:line "Now let the configuration say so, and keep the old file until you are sure:"
  term:line(('  connections = { %s = { driver = "postgres", url = %q } }'):format(name, result.to))
end

local function print_one(result, name, term)
  print_notes(result, term)
  print_tables(result, term)
  local rows = text.count(result.rows, "row")
  if result.state == "dry_run" then
    term:line(("%s of %s would go over"):format(rows, text.count(#result.tables, "table")))
  elseif result.state == "already" then
    term:line(("nothing to do: %s went over at %s"):format(rows, result.finished_at))
  else
    term:line(("%s of %s went over, and are the same on both sides"):format(rows, text.count(#result.tables, "table")))
    print_advice(result, name, term)
  end
end

local function fail(result, message, hint)
  local e = require "rille.error".new("validation", message, { hint = hint })
  e.done = result
  error(e, 0)
end

local function report_one(result, name, term)
  if result.misfit_count > 0 then
    if not term.json then print_notes(result, term) end
    fail(result, text.count(result.misfit_count, "value") .. " of the source would not fit",
      "mend them there; nothing was copied")
  end
  term:report(result, function() print_one(result, name, term) end)
end

local function report_tenants(result, args, term)
  for _, each in ipairs(result.tenants) do
    if not term.json and each.result then print_notes(each.result, term) end
    if each.error then
      if not term.json then term:note(("  %s: %s"):format(text.escape(each.slug), text.escape(each.error.message))) end
      each.error = require "rille.cli.failure".object(each.error)
    end
  end
  if result.failed > 0 then
    fail(result, ("%s of %d did not go over"):format(text.count(result.failed, "tenant"), #result.tenants),
      "mend it and run it again: the others are done")
  end
  term:report(result, function()
    for _, each in ipairs(result.tenants) do
      term:note(("  %s  %s  %s"):format(text.escape(each.slug), text.count(each.rows, "row"), each.state))
    end
    local has_databases = args.to:find("{slug}", 1, true)
    term:line(("%s %s over, each into a %s"):format(text.count(#result.tenants, "tenant"),
      args.dry_run and "would go" or "went", has_databases and "database" or "schema"))
    if args.dry_run then return end
    term:line('Now let the configuration say so: tenancy = { strategy = ' .. (has_databases
      and '"database", pattern = "postgresql://…/{slug}" }' or '"schema" }'))
  end)
end

--- Run it; where something would stay behind and somebody is there to be asked, ask.
local function promote(options, args, term)
  local run = require "rille.promote".run
  local ok, result = pcall(run, options)
  if ok then return result end
  local left = type(result) == "table" and result.kind == "unsupported" and result.done and result.done.left
  if not left or #left == 0 or args.json or not term:is_interactive() then
    if left and not args.json then print_notes(result.done, term) end
    error(result, 0)
  end
  term:settle()
  print_notes(result.done, term)
  if term:ask "Leave these behind and go on?  [y/N] " ~= "y" then error(result, 0) end
  options.accept = true
  return run(options)
end

---@type rille.Command
return {
  summary = "take the SQLite database to PostgreSQL",
  details = "The target is empty, or has the project's migrations and no rows.  The source is not changed; stop what\n"
    .. "writes to it before.  After any end, run it again: it goes on where it was.",
  json = true,
  options = {
    { "--to", "where to: postgresql://…, or the name of a connection", value = "URL" },
    { "--from", "the name of the connection to take; the default one", value = "NAME" },
    { "--dry-run", "look at everything, and write nothing" },
    { "--schema", "where tables come from: migrations (default, where there are any) or catalog", value = "WHAT",
      choices = { "migrations", "catalog" } },
    { "--skip", "leave this table behind", value = "TABLE", many = true },
    { "--yes", "leave behind what does not go over (views, triggers …), without being asked" },
    { "--all-tenants", "the database of each tenant, to a schema, or to a database where --to says {slug}" },
  },
  run = function(args, term)
    if not args.to then
      require "rille.cli.failure".misuse("promote: says no target", "rille promote --to postgresql://me@host/app")
    end
    require "rille.cli.project".need()
    local options = { to = args.to, from = args.from, dry_run = args.dry_run, schema = args.schema, skip = args.skip,
      accept = args.yes, all_tenants = args.all_tenants, on_progress = shown(term) }
    local result = promote(options, args, term)
    if args.all_tenants then return report_tenants(result, args, term) end
    return report_one(result, args.from or require "rille.config".current().default, term)
  end,
}
