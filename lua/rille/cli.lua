--- cli: the program `rille`: finds the command, runs it, turns what went wrong into words and an exit status.
-- Nothing is loaded that the given command does not need; `rille run` never sees argparse.

local M = {}

M.DONE, M.FAILED, M.MISUSED = 0, 1, 2

local ALIASES = { ["--help"] = "help", ["-h"] = "help", ["--version"] = "version", ["-V"] = "version" }

--- Does the caller want JSON?  Asked before the arguments are known to be right.
local function wants_json(args)
  for _, arg in ipairs(args) do
    if arg == "--" then return false end
    if arg == "--json" then return true end
  end
  return false
end

--- Say what went wrong: words on stderr, or an object on stdout for who asked for JSON.
local function report(term, caught)
  local value = caught.value
  local failure = require "rille.cli.failure"
  term:settle()
  if term.json then
    local object = failure.done(value)
    object.ok, object.error = false, failure.object(value)
    term:object(object)
  else
    term:note(failure.text(value, caught.frames, function(style, text) return term:paint("err", style, text) end))
  end
  return failure.status(value)
end

--- Run one command with parsed arguments.
local function run(name, command, args, term)
  local failure = require "rille.cli.failure"
  local parser = require "rille.cli.parser"
  local values, wrong, hint = parser.parse(name, command, args)
  for _, arg in ipairs(args) do
    if arg == "--" then break end
    if arg == "--help" or arg == "-h" then return term:line(parser.help(name, command)) end
  end
  if not values then failure.misuse(wrong, hint) end
  term.color = values.color or term.color
  return command.run(values, term)
end

local function dispatch(args, term)
  local given = args[1]
  if given == nil then return require "rille.cli.welcome".run(term) end
  local name = ALIASES[given] or given
  local command = name == "version" and require "rille.cli.version" or require "rille.cli.commands".find(name)
  if not command then
    local Error = require "rille.error"
    local nearest = Error.did_you_mean(name, require "rille.cli.commands".names())
    local what = name:sub(1, 1) == "-" and "option" or "command"
    require "rille.cli.failure".misuse(("there is no %s %s"):format(what, Error.quote(name)),
      nearest or "rille help lists them")
  end
  local rest = table.move(args, 2, #args, 1, {})
  if command.raw then return command.raw(rest, term) end
  term.json = wants_json(rest)
  return run(name, command, rest, term)
end

--- Run the program.
---@param args string[]  what stands after the program's name
---@param streams? table  of Term.new; the process's own by default
---@return integer status  0 done, 1 failed, 2 misused; 130 interrupted
function M.main(args, streams)
  local term = require "rille.cli.term".new(streams)
  local ok, result = require "rille.cli.trace".call(nil, dispatch, args, term)
  if ok then return result or M.DONE end
  return report(term, result)
end

return M
