--- tenant.template: an empty database with all migrations applied, made once for each state of their folder.
-- A new tenant is a copy of that file.  SQLite has it open only while it is made, under another name.
local core = require "rille.core"
local Error = require "rille.error"
local Handle = require "rille.handle"
local Pooled = require "rille.pooled"
local copy = require "rille.copy"

local M = {}

local KEY_DIGITS = 16

--- What the migrations are now, as a few digits.
local function key_of(folder)
  local parts = {}
  for i, file in ipairs(require "rille.migrator.file".list(folder)) do
    parts[i] = file.name .. "\0" .. file.checksum
  end
  return core.checksum(table.concat(parts, "\0")):sub(1, KEY_DIGITS)
end

--- Run a function with a handle of a new file that nobody else knows, then close it; what fails leaves no file.
---@param path string
---@param settings table  of a connection
---@param fn fun(db: rille.Handle)
function M.work_on(path, settings, fn)
  local own = copy(settings)
  own.database, own.pooled = path, nil
  local db = Handle.new("new tenant", own)
  local ok, e = xpcall(function()
    db:_connect()                                         -- there is a file then, even where nothing is done in it
    fn(db)
  end, Error.keep_trace)
  db:close()                                             -- the last one: all is in the file then, and WAL is gone
  if ok and not core.file_size(path .. "-wal") then return Pooled.forget_history(path) end
  for _, ending in ipairs { "", "-wal", "-shm" } do core.remove_file(path .. ending) end
  if ok then Error.raise("busy", ("somebody else has %s open"):format(Error.quote(path))) end
  Error.again(e)
end

--- Remove the templates of migrations as they were before.
local function remove_others(folder, kept)
  for _, name in ipairs(core.list_directory(folder) or {}) do
    if name:find "^%.template%-%x+%.db$" and name ~= kept then core.remove_file(folder .. "/" .. name) end
  end
end

--- The path of the template for the migrations as they are.
---@param folder string    where templates lie
---@param settings table   of a connection
---@return string
function M.path(folder, settings)
  local migrations = require "rille.config".current().migrations
  local name = (".template-%s.db"):format(key_of(migrations))
  local path = folder .. "/" .. name
  if core.file_size(path) then return path end
  Pooled.make_folder(path)
  local new <close> = Pooled.beside(path)
  M.work_on(new.path, settings, function(db) require "rille.migrator".migrate { connection = db } end)
  local ok, why, taken = core.publish_file(new.path, path)      -- taken: another process's template is as good
  if not ok and not taken then Error.raise("readonly", "cannot make " .. why) end
  remove_others(folder, name)
  return path
end

return M
