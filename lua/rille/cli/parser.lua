--- parser: the arguments of one command, read by argparse from the command's own table.
local commands = require "rille.cli.commands"

local M = {}

local SHOWN = { ["?"] = "[%s]", ["*"] = "[%s…]", ["+"] = "%s…" }

local function element(spec)
  return {
    name = spec[1] == "--help" and "-h --help" or spec[1],
    description = spec[2],
    argname = spec.value,
    choices = spec.choices,
    convert = spec.convert,
  }
end

local function argparse_for(name, command)
  local parser = require "argparse" {
    name = "rille " .. name,
    description = command.summary:gsub("^%l", string.upper) .. ".",
    epilog = command.details,
    add_help = false,
  }
  parser:usage_max_width(100):help_max_width(100)
  for _, spec in ipairs(command.arguments or {}) do
    local argument = element(spec)
    argument.args = spec.count or 1
    argument.argname = "<" .. spec[1] .. ">"
    parser:argument(argument)
  end
  for _, spec in ipairs(commands.options(command)) do
    local option = element(spec)
    option.args = spec.value and 1 or 0
    if spec.many then option.count = "*" end
    parser:option(option)
  end
  return parser
end

--- What `--help` prints.
---@param name string
---@param command rille.Command
---@return string
function M.help(name, command)
  return argparse_for(name, command):get_help()
end

--- How a command is called, without its options: "rille new NAME".
local function usage(name, command)
  local words = { "rille", name }
  for _, argument in ipairs(command.arguments or {}) do
    local word = argument[1]:upper()
    words[#words + 1] = (SHOWN[argument.count] or "%s"):format(word)
  end
  return table.concat(words, " ")
end

--- The arguments as a table: names of arguments and options (`--no-migration` is `no_migration`) to values.
---@param name string
---@param command rille.Command
---@param args string[]
---@return table|nil values
---@return string|nil wrong  what is wrong
---@return string|nil hint
function M.parse(name, command, args)
  local ok, result = argparse_for(name, command):pparse(args)
  if ok then return result end
  local message, tip = result:match "^([^\n]*)\n(.*)$"
  return nil, message or result, tip and tip:gsub("^D", "d"):gsub("'", '"')
    or ("%s; rille help %s explains it"):format(usage(name, command), name)
end

return M
