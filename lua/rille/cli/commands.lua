--- commands: the table of commands; help, completions and the look-up of a name all read it.
-- A command is a file of this folder that returns { summary, arguments, options, run }; it is loaded when it is used.

local M = {}

---@class rille.Argument
---@field [1] string  its name in `args`
---@field [2] string  one line of help
---@field count? string  "?" or "*" when it need not be there, "*" or "+" when it may repeat
---@field choices? string[]
---@field complete? "file"|"directory"|"command"  what a shell should offer

---@class rille.Option
---@field [1] string  as typed: "--step"
---@field [2] string  one line of help
---@field value? string  what stands for its value in the help; without it the option is a flag
---@field many? boolean  may be given more than once: a list
---@field convert? fun(text: string): any, string?  value, or nil and what is wrong
---@field choices? string[]
---@field complete? "file"|"directory"

---@class rille.Command
---@field summary string  one line, small letter, no full stop
---@field details? string  text under the help
---@field arguments? rille.Argument[]
---@field options? rille.Option[]
---@field json? boolean  knows `--json`
---@field run? fun(args: table, term: rille.Term): integer?  exit status; nil is 0
---@field raw? fun(args: string[], term: rille.Term): integer?  instead of `run`: gets its arguments unparsed

-- In the order of the help: { group, { name, … } }.
M.groups = {
  { "project", { "new", "make:model", "make:migration", "make:factory", "make:seed", "types" } },
  { "database", { "migrate", "migrate:status", "migrate:rollback", "migrate:verify", "migrate:generate",
    "db:seed", "db:pull", "db:lint", "promote" } },
  { "tenants", { "tenants:list", "tenants:create", "tenants:copy", "tenants:migrate", "tenants:drop",
    "tenants:extract", "tenants:absorb" } },
  { "mirrors", { "mirror:status", "mirror:sync", "mirror:retry", "mirror:resync", "mirror:verify" } },
  { "servers", { "health" } },
  { "scripts", { "run", "repl", "test" } },
  { "shell", { "env", "completion", "help" } },
}

local known
--- All names, in the order of the help.
---@return string[]
function M.names()
  local names = {}
  for _, group in ipairs(M.groups) do
    table.move(group[2], 1, #group[2], #names + 1, names)
  end
  return names
end

--- The command of that name.
---@param name string
---@return rille.Command|nil
function M.find(name)
  if not known then
    known = {}
    for _, each in ipairs(M.names()) do known[each] = "rille.cli." .. each:gsub(":", "_") end
  end
  return known[name] and require(known[name])
end

--- The options that a command knows, with those that every command has.
---@param command rille.Command
---@return rille.Option[]
function M.options(command)
  local all = table.move(command.options or {}, 1, #(command.options or {}), 1, {})
  if command.raw then return { { "--help", "show how it is called" } } end
  if command.json then all[#all + 1] = { "--json", "print the result as one JSON object" } end
  all[#all + 1] = {
    "--color", "auto (default), always or never", value = "WHEN", choices = { "auto", "always", "never" },
  }
  all[#all + 1] = { "--help", "show this help" }
  return all
end

return M
