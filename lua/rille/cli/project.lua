--- project: the folders and numbers that generators need to know of the project in the current directory.
local files = require "rille.cli.files"

local M = {}

M.CONFIG = "rille.config.lua"

--- Is there a project in the current directory?
---@return boolean
function M.exists()
  return files.exists(M.CONFIG)
end

--- Read the configuration of the current directory, where there is one.
---@return boolean found
function M.load()
  local found = M.exists()
  if found then require "rille.config".load_file(M.CONFIG) end
  return found
end

--- The same for who needs its database: raises where neither the directory nor DATABASE_URL says which one.
function M.need()
  if M.load() or (os.getenv "DATABASE_URL" or "") ~= "" then return end
  require "rille.error".raise("not_found", "there is no project here: no " .. M.CONFIG, {
    hint = "go to its folder; `rille new shop` starts one; DATABASE_URL names a database without one",
  })
end

--- Generators work without a project too, but say that there is none.
---@param term rille.Term
function M.note_missing(term)
  if not M.exists() then term:note("note: there is no project here: no " .. M.CONFIG) end
end

--- A folder of the project, as its configuration names it.
---@param kind "models"|"migrations"|"seeds"|"factories"
---@return string path
function M.folder(kind)
  M.load()
  return require "rille.config".current()[kind]
end

--- The number of the next migration: four digits, or a time where the migrations of the project are numbered by it.
---@param names string[]  file names in the folder of migrations
---@return string
local function next_number(names)
  local greatest, digits = 0, 4
  for _, name in ipairs(names) do
    local number = name:match "^(%d+)_"
    if number then
      greatest, digits = math.max(greatest, math.tointeger(number)), math.max(digits, #number)
    end
  end
  if digits >= 14 then return os.date "!%Y%m%d%H%M%S" end
  return ("%0" .. digits .. "d"):format(greatest + 1)
end

--- Path of a new migration, less its ending; raises when one of that name is there.
---@param name string  such as create_posts
---@return string
function M.new_migration(name)
  local folder = M.folder "migrations"
  local names = files.list(folder)
  for _, each in ipairs(names) do
    if each:match "^%d+_([^.]*)%." == name then
      require "rille.error".raise("script", ("the migration %s is already there: %s/%s"):format(name, folder, each), {
        hint = "choose another name, or edit it if it has not been applied anywhere",
      })
    end
  end
  return ("%s/%s_%s"):format(folder, next_number(names), name)
end

return M
