--- run: a Lua file in which `require "rille"` works and the models are there by name.
-- The shortest way into the program: it parses its arguments itself and loads nothing that the script does not ask for.

local CONFIG = "rille.config.lua"
local USAGE = "rille run FILE [ARG…]; - reads standard input"

--- `arg` as Lua sets it: the script at 0, its arguments after it, what came before below 0.
local function set_arg(args)
  local arg = { [-2] = require "rille.cli.host".program or "rille", [-1] = "run", [0] = args[1] }
  table.move(args, 2, #args, 1, arg)
  _G.arg = arg          -- luacheck: ignore 122 (Lua's own name for it)
end

--- The script as a function, or its syntax error raised.
local function load_script(path, environment)
  local chunk, wrong = loadfile(path ~= "-" and path or nil, "bt", environment)      -- nil is standard input
  if chunk then return chunk end
  local missing = wrong:match "^cannot open "
  require "rille.error".raise("script", wrong, {
    hint = missing and "the path is read from the current directory" or nil,
  })
end

--- The configuration of the current directory, where there is one; none is needed.
local function load_config()
  local file = io.open(CONFIG, "rb")
  if not file then return end
  file:close()
  require "rille.config".load_file(CONFIG)
end

local function explain(term)
  term:line(USAGE)
  term:line "Runs a Lua file.  Models are there by name, arguments are in `arg` and `...`; no configuration is needed."
end

---@type rille.Command
return {
  summary = "run a Lua file with rille and the models at hand",
  arguments = {
    { "file", "the script, - for standard input", complete = "file" },
    { "arg", "its arguments", count = "*", complete = "file" },
  },
  raw = function(args, term)
    local first = args[1]
    if first == "--help" or first == "-h" then return explain(term) end
    if first == "--" then
      args = table.move(args, 2, #args, 1, {})
    elseif first and first:match "^%-." then
      require "rille.cli.failure".misuse("run: there is no option " .. require "rille.error".quote(first), USAGE)
    end
    if not args[1] then require "rille.cli.failure".misuse("run wants the file to run", USAGE) end
    set_arg(args)
    load_config()
    load_script(args[1], require "rille.autoload".environment())(table.unpack(args, 2))
  end,
}
