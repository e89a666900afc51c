--- files: the few things a generator does to the file system; nothing is ever overwritten.
local M = {}

--- Is there a file (or folder) that can be opened?
---@param path string
---@return boolean
function M.exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- Is it a folder?  Opening one works, reading from it does not.
---@param path string
---@return boolean
function M.is_directory(path)
  local file <close> = io.open(path, "rb")
  if not file then return false end
  local _, _, code = file:read(0)
  return code == 21                          -- EISDIR
end

--- Names in a folder, sorted; none when there is no such folder.
---@param path string
---@return string[]
function M.list(path)
  local names = require "rille.core".list_directory(path) or {}
  table.sort(names)
  return names
end

--- Make a folder and those above it.
---@param path string
function M.make_directory(path)
  if M.is_directory(path) then return end
  local above = path:match "^(.*[^/])/+[^/]+/*$"
  if above then M.make_directory(above) end
  local made, why = require "rille.core".make_directory(path)
  if not made then require "rille.error".raise("script", "cannot make the folder " .. tostring(why)) end
end

--- Write a file that is not there yet, and the folders above it.
---@param path string
---@param text string
function M.write_new(path, text)
  local Error = require "rille.error"
  if M.exists(path) then
    Error.raise("script", ("%s is already there"):format(path), { hint = "it was left as it is; move it away first" })
  end
  local folder = path:match "^(.*)/[^/]*$"
  if folder and folder ~= "" then M.make_directory(folder) end
  local file, wrong = io.open(path, "wb")
  if not file then Error.raise("script", "cannot write " .. wrong) end
  local ok, why = file:write(text)
  local closed, why_not = file:close()
  if not (ok and closed) then
    os.remove(path)
    Error.raise("script", ("cannot write %s: %s"):format(path, why or why_not))
  end
end

return M
