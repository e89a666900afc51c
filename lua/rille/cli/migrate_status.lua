--- migrate:status: which migrations are applied, pending, changed or missing.
local text = require "rille.cli.text"

local STYLES = { applied = "green", pending = "yellow", changed = "red", missing = "red" }
local ADVICE = {
  pending = "rille migrate applies what is pending",
  changed = "changed: the file is not what was applied; put it back, and say the rest in a new migration",
  missing = "missing: applied, but its file is gone; without it there is no way back",
}

local function print_table(migrations, term)
  if #migrations == 0 then
    term:line "no migrations"
    return term:note "rille make:migration writes one"
  end
  local widest, seen = 9, {}
  for _, each in ipairs(migrations) do
    widest = math.max(widest, text.width(text.escape(each.name)))
    seen[each.state] = true
  end
  term:line(term:paint("out", "bold", text.pad("migration", widest) .. "  state    batch  applied at"))
  for _, each in ipairs(migrations) do
    local state = term:paint("out", STYLES[each.state] or "bold", text.pad(each.state, 7))
    local rest = each.batch and ("  %5d  %s"):format(each.batch, each.applied_at) or ""
    term:line(text.pad(text.escape(each.name), widest) .. "  " .. state .. rest)
  end
  for _, state in ipairs { "pending", "changed", "missing" } do
    if seen[state] then term:note(term:paint("err", "dim", ADVICE[state])) end
  end
end

---@type rille.Command
return {
  summary = "list migrations and their state",
  json = true,
  options = {
    { "--path", "the folder of migrations", value = "DIR", complete = "directory" },
    { "--connection", "the database of this connection, not the default one", value = "NAME" },
    { "--tenant", "the database or schema of this tenant", value = "SLUG" },
  },
  run = function(args, term)
    require "rille.cli.project".need()
    local connection = require "rille.cli.tenants".connection(args)
    local result = require "rille.migrator".status { path = args.path, connection = connection }
    term:report(result, function() print_table(result.migrations, term) end)
  end,
}
