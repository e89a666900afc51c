--- migrate:rollback: takes back the last batch, or the last few migrations.
local text = require "rille.cli.text"

local function number_of(given)
  local number = math.tointeger(tonumber(given))
  if number and number >= 1 then return number end
  return nil, ("--step wants a number of migrations, not '%s'"):format(given)
end

---@type rille.Command
return {
  summary = "take back the last batch, or the last N migrations",
  json = true,
  options = {
    { "--step", "take back this many migrations", value = "N", convert = number_of },
    { "--pretend", "print the SQL and change nothing" },
    { "--path", "the folder of migrations", value = "DIR", complete = "directory" },
    { "--connection", "the database of this connection, not the default one", value = "NAME" },
    { "--tenant", "the database or schema of this tenant", value = "SLUG" },
  },
  run = function(args, term)
    require "rille.cli.project".need()
    local progress = require "rille.cli.progress"
    local result = require "rille.migrator".rollback {
      step = args.step, pretend = args.pretend, path = args.path,
      connection = require "rille.cli.tenants".connection(args), on_progress = progress.new(term),
    }
    term:report(result, function()
      if args.pretend then return progress.print_pretended(result.pretended, term) end
      local count = #result.rolled_back
      term:line(count > 0 and text.count(count, "migration") .. " taken back" or "nothing to take back")
    end)
  end,
}
