--- paths: what a stock lua5.4 needs in LUA_PATH and LUA_CPATH to find rille.
local files = require "rille.cli.files"

local M = {}

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

--- The variable that lua5.4 reads, and its value with the entry in front of what is set, once.
local function variable(name, entry)
  local known = os.getenv(name .. "_5_4") and name .. "_5_4" or name
  local before = os.getenv(known)
  if before == nil or before == "" then before = ";" end                    -- ";;" stands for the default path
  local is_there = (";" .. before .. ";"):find(";" .. entry .. ";", 1, true)
  return { name = known, value = is_there and before or entry .. ";" .. before }
end

--- Both, in the order in which they are told.
---@return { name: string, value: string }[]
function M.variables()
  local program = require "rille.cli.host".program
  local lua, c
  if program then lua, c = folders(program) end
  if not (lua and c) then
    require "rille.error".raise("script", "the Lua files and the C module of rille are not beside the program", {
      hint = program and ("looked around " .. program .. "; install it, or build the target `all`") or nil,
    })
  end
  return { variable("LUA_PATH", lua .. "/?.lua"), variable("LUA_CPATH", c .. "/?.so") }
end

return M
