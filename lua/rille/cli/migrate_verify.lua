--- migrate:verify: does every `down` undo its `up`?  Tried on an empty copy.
local text = require "rille.cli.text"

local function print_all(result, term)
  for _, each in ipairs(result.migrations) do
    local state = each.ok and term:paint("out", "green", "ok    ") or term:paint("out", "red", "not ok")
    term:line(("%s  %s"):format(state, text.escape(each.name)))
    for _, difference in ipairs(each.differences) do term:line("  " .. text.escape(difference)) end
  end
  if #result.migrations == 0 then term:line "no migrations" end
end

---@type rille.Command
return {
  summary = "try every migration up, down and up again, on an empty copy",
  details = "The exit status is 1 where one does not undo what it did.",
  json = true,
  options = { { "--path", "the folder of migrations", value = "DIR", complete = "directory" } },
  run = function(args, term)
    require "rille.cli.project".need()
    local result = require "rille.migrator".verify { path = args.path }
    return term:report(result, function() print_all(result, term) end, result.ok and 0 or 1)
  end,
}
