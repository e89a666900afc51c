--- migrate:rollback: takes back the last batch, or the last few migrations.
local text = require "rille.cli.text"

local function count(given)
  local number = math.tointeger(tonumber(given))
  if number and number >= 1 then return number end
  return nil, ("--step wants a number of migrations, not '%s'"):format(given)
end

---@type rille.Command
return {
  summary = "take back the last batch, or the last N migrations",
  json = true,
  options = {
    { "--step", "take back this many migrations", value = "N", convert = count },
    { "--pretend", "print the SQL and change nothing" },
    { "--path", "the folder of migrations", value = "DIR", complete = "directory" },
  },
  run = function(args, term)
    require "rille.cli.project".load()
    local result = require "rille.migrator".rollback {
      step = args.step, pretend = args.pretend, path = args.path,
      on_progress = require "rille.cli.progress".new(term),
    }
    term:report(result, function()
      if #result.rolled_back == 0 then return term:line "nothing to take back" end
      term:line(("%s taken back"):format(text.count(#result.rolled_back, "migration")))
    end)
  end,
}
