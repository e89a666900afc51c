--- help: all commands, or one of them.
local commands = require "rille.cli.commands"

local function overview(term)
  term:line(require "rille.cli.version".text())
  term:line ""
  term:line "usage: rille COMMAND [ARGUMENT…] [OPTION…]"
  for _, group in ipairs(commands.groups) do
    term:line ""
    term:line(term:paint("out", "bold", group[1]))
    for _, name in ipairs(group[2]) do
      term:line(("  %-18s %s"):format(name, commands.find(name).summary))
    end
  end
  term:line ""
  term:line "rille help COMMAND explains one.  Exit status: 0 done, 1 failed, 2 misused."
end

---@type rille.Command
return {
  summary = "explain a command, or list them all",
  arguments = { { "command", "the command to explain", count = "?", complete = "command" } },
  run = function(args, term)
    if not args.command then return overview(term) end
    local command = commands.find(args.command)
    if not command then
      local Error = require "rille.error"
      require "rille.cli.failure".misuse("there is no command " .. Error.quote(args.command),
        Error.did_you_mean(args.command, commands.names()) or "rille help lists them")
    end
    term:line(require "rille.cli.parser".help(args.command, command))
  end,
}
