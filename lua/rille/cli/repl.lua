--- repl: the command that opens the REPL, reads it from a pipe, or evaluates one text.

--- One line that says where one is.
local function greeting(session)
  local rille = require "rille"
  local text = require "rille.cli.text"
  local line = "rille " .. rille._VERSION
  local config = require "rille.config".current()
  local settings = config.connections[config.default]
  line = line .. (settings and " on " .. text.escape(tostring(settings.database or settings.url)) or ", no database")
  local names = require "rille.repl.values".model_names()
  if #names > 0 then line = line .. ": " .. table.concat(names, ", ") end
  return session.term:paint("err", "dim", line .. "\n.help explains, Ctrl-D leaves")
end

local function evaluate_all(session, texts)
  for _, code in ipairs(texts) do
    if not session:evaluate(code) then break end
  end
  return session:leave()
end

---@type rille.Command
return {
  summary = "talk to the models, line by line",
  details = "Without a terminal it reads standard input, prints results only, and ends with status 1 if a line failed.",
  options = { { "-e", "evaluate this text and leave; may be repeated", value = "CODE", many = true } },
  run = function(args, term)
    require "rille.cli.project".load()
    local session = require "rille.repl".new(term)
    if args.e and #args.e > 0 then return evaluate_all(session, args.e) end
    local ok, console = pcall(require, "rille.console")
    if not (ok and term:is_tty "in") then return session:pipe(term.input) end
    return require "rille.repl.terminal".run(session, console, greeting(session))
  end,
}
