--- env: prints shell lines after which a stock lua5.4 finds rille.
local files = require "rille.cli.files"

--- The folder above, or nil at the top.
local function above(folder)
  local parent = folder:match "^(.*)/[^/]+$"
  return parent ~= folder and parent or nil
end

--- First of these folders that holds the file.
local function holding(folders, file)
  for _, folder in ipairs(folders) do
    if files.exists(folder .. "/" .. file) then return folder end
  end
end

--- Folders of the Lua files and of the C module, as they lie beside the program: in its build tree or installed.
---@param program string  path of the executable, absolute
---@return string|nil lua_folder
---@return string|nil c_folder
local function folders(program)
  local here = program:match "^(.*)/[^/]+$" or "."
  local prefix = above(here) or ""
  local lua, c = { prefix .. "/share/lua/5.4" }, { here .. "/lua" }
  local folder = here
  for _ = 1, 4 do                                          -- build/release/rille: the sources are two above
    folder = folder and above(folder)
    if folder then lua[#lua + 1] = folder .. "/lua" end
  end
  c[#c + 1] = prefix .. "/lib/lua/5.4"
  for _, name in ipairs(files.list(prefix .. "/lib")) do
    c[#c + 1] = ("%s/lib/%s/lua/5.4"):format(prefix, name)  -- lib/x86_64-linux-gnu on Debian
  end
  return holding(lua, "rille.lua"), holding(c, "rille/core.so")
end

local quote = require "rille.cli.text".shell_quoted

--- `export NAME=…` with the entry in front of what is set, once.
local function export(name, entry)
  local variable = os.getenv(name .. "_5_4") and name .. "_5_4" or name      -- the one that lua5.4 reads
  local before = os.getenv(variable)
  if before == nil or before == "" then before = ";" end                    -- ";;" stands for the default path
  local is_there = (";" .. before .. ";"):find(";" .. entry .. ";", 1, true)
  return ("export %s=%s"):format(variable, quote(is_there and before or entry .. ";" .. before))
end

---@type rille.Command
return {
  summary = "print shell lines that make require \"rille\" work in lua5.4",
  details = 'Use it as:  eval "$(rille env)"\nThen require "rille" reads rille.config.lua of the current directory and '
    .. "DATABASE_URL, as rille run does.",
  run = function(_, term)
    local program = require "rille.cli.host".program
    local lua, c
    if program then lua, c = folders(program) end
    if not (lua and c) then
      require "rille.error".raise("script", "the Lua files and the C module of rille are not beside the program", {
        hint = program and ("looked around " .. program .. "; install it, or build the target `all`") or nil,
      })
    end
    term:line(export("LUA_PATH", lua .. "/?.lua"))
    term:line(export("LUA_CPATH", c .. "/?.so"))
  end,
}
