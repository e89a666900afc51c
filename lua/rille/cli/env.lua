--- env: prints shell lines after which a stock lua5.4 finds rille.
local quote = require "rille.cli.text".shell_quoted

---@type rille.Command
return {
  summary = "print shell lines that make require \"rille\" work in lua5.4",
  details = 'Use it as:  eval "$(rille env)"\nThen require "rille" reads rille.config.lua of the current directory and '
    .. "DATABASE_URL, as rille run does.",
  run = function(_, term)
    for _, each in ipairs(require "rille.cli.paths".variables()) do
      term:line(("export %s=%s"):format(each.name, quote(each.value)))
    end
  end,
}
