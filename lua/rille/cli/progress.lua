--- progress: what migrations do, told as they run, or the SQL of those that only pretend to.
local text = require "rille.cli.text"

local M = {}

local WORDS = { applied = "applied", rolled_back = "taken back", skipped = "skipped: another process was faster" }

--- A listener for the migrator's `on_progress`.
---@param term rille.Term
---@return fun(step: rille.StepResult)
function M.new(term)
  return function(step)
    local name = text.escape(step.name)
    if step.state == "running" then return term:begin(("  %s …"):format(name)) end
    local line = ("  %s  %s"):format(name, WORDS[step.state] or step.state)
    if step.ms > 0 then line = line .. term:paint("err", "dim", (", %.1f ms"):format(step.ms)) end
    if step.late then line = line .. term:paint("err", "yellow", "  late: a newer one had been applied before") end
    term:note(line)
  end
end

--- The SQL that would run, on stdout: it can be read, kept, or fed to the database's own shell.
---@param pretended { name: string, statements: string[] }[]
---@param term rille.Term
function M.print_pretended(pretended, term)
  if #pretended == 0 then return term:line "-- nothing to do" end
  for _, migration in ipairs(pretended) do
    term:line(term:paint("out", "dim", "-- " .. text.escape(migration.name)))
    for _, sql in ipairs(migration.statements) do term:line(text.escape(sql, true) .. ";") end
  end
end

return M
