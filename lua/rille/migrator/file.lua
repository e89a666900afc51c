--- file: the migrations of a folder: NAME.lua, or NAME.up.sql with NAME.down.sql.  Other files and folders are ignored.
local core = require "rille.core"
local Error = require "rille.error"
local Failure = require "rille.migrator.failure"

local M = {}

---@class rille.MigrationFile
---@field name string
---@field up string        path
---@field down string      path; the same for Lua
---@field checksum string  of what is applied: the Lua file, or the SQL that goes up

---@class rille.Migration: rille.MigrationFile
---@field run table<"up"|"down", fun(schema: rille.Schema, db: rille.Handle)>
---@field foreign_keys_off table<"up"|"down", boolean>  the file itself wants them off
---@field outside table<"up"|"down", boolean>  not in a transaction, where the database can do more outside of one

local function fail(path, message, hint)
  Error.raise("migration", ("%s: %s"):format(path, message), { file = path, hint = hint })
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then fail(path, "cannot be read: " .. tostring(why)) end
  local text = file:read "a"
  file:close()
  if not text then fail(path, "cannot be read") end
  return text
end

--- Line ends are no part of what a migration says: Git may change them.
local function checksum(text) return core.checksum((text:gsub("\r\n", "\n"))) end

--- Name and role of a file: "lua", "up", "down"; nothing for other files.
local function role_of(folder, file)
  if file:find "^%." then return end
  local name = file:match "^(.+)%.lua$"
  if name then return name, "lua" end
  local direction
  name, direction = file:match "^(.+)%.(%a+)%.sql$"
  if direction == "up" or direction == "down" then return name, direction end
  if file:find "%.sql$" then
    fail(folder .. "/" .. file, "says no direction", "a migration in SQL is NAME.up.sql and NAME.down.sql")
  end
end

local function pair(folder, name, roles)
  local path = folder .. "/" .. name
  if roles.lua then
    if roles.up or roles.down then fail(path .. ".lua", "there are SQL files of this name too") end
    return { name = name, up = path .. ".lua", down = path .. ".lua" }
  end
  for _, direction in ipairs { "up", "down" } do
    if not roles[direction] then
      fail(("%s.%s.sql"):format(path, direction), "is missing", direction == "down" and
        "a migration says how it is taken back; without that it is not applied" or nil)
    end
  end
  return { name = name, up = path .. ".up.sql", down = path .. ".down.sql" }
end

--- The migrations of a folder by name; none of them is run.
---@param folder string
---@return rille.MigrationFile[]
function M.list(folder)
  local files, why = core.list_directory(folder)
  if not files then
    Error.raise("migration", "the folder of migrations cannot be read: " .. tostring(why), {
      file = folder, hint = "`migrations` in the configuration, or the option path, says where it is",
    })
  end
  local roles, names = {}, {}
  for _, file in ipairs(files) do
    local name, role = role_of(folder, file)
    if name then
      if not roles[name] then
        names[#names + 1], roles[name] = name, {}
      end
      roles[name][role] = true
    end
  end
  table.sort(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = pair(folder, name, roles[name])
    list[i].checksum = checksum(read(list[i].up))
  end
  return list
end

local function load_lua(migration)
  local path = migration.up
  local chunk, wrong = load(read(path), "@" .. path, "t")
  if not chunk then error(Failure.new(path, "loading", wrong), 0) end
  local ok, value = xpcall(chunk, Error.keep_trace)
  if not ok then error(Failure.new(path, "loading", value), 0) end
  if type(value) ~= "table" then fail(path, "returns no table", "return { up = function(schema) … end, down = … }") end
  for key in pairs(value) do
    if key ~= "up" and key ~= "down" and key ~= "transaction" then
      fail(path, ("%s is not known"):format(Error.show(key)), Error.did_you_mean(key, { "up", "down", "transaction" }))
    end
  end
  if value.transaction ~= nil and type(value.transaction) ~= "boolean" then
    fail(path, ("transaction is %s"):format(Error.show(value.transaction)),
      "transaction = false runs it outside of one, where the database can do more there")
  end
  for _, direction in ipairs { "up", "down" } do
    if type(value[direction]) ~= "function" then
      fail(path, ("there is no function %q"):format(direction), direction == "down" and
        "a migration says how it is taken back; without that it is not applied" or nil)
    end
  end
  migration.run, migration.foreign_keys_off = { up = value.up, down = value.down }, {}
  migration.outside = { up = value.transaction == false, down = value.transaction == false }
end

local OFF = { off = true, ["0"] = true, ["false"] = true, no = true }

--- What a file of SQL does.  It is one transaction, in which SQLite ignores `pragma foreign_keys`; a file that wants
--- them off gets them off before it begins.
local function load_sql(migration, direction, driver)
  local path = migration[direction]
  local ok, statements, lines = pcall(require "rille.sql".split, read(path), driver)
  if not ok then
    local message = Error.is(statements) and statements.message or tostring(statements)
    Error.raise("migration", ("%s: %s"):format(path, message), { file = path, cause = statements })
  end
  local kept = {}
  for i, statement in ipairs(statements) do
    local setting = statement:lower():match "^pragma%s+[%w.]*foreign_keys%s*[=(]%s*'?(%w+)"
    if OFF[setting] then
      migration.foreign_keys_off[direction] = true
    elseif not setting then
      local allowed, e = pcall(require "rille.schema".refuse_control, ("%s:%d"):format(path, lines[i]), statement)
      if not allowed then Error.raise("migration", e.message, { file = path, sql = e.sql, hint = e.hint }) end
      kept[#kept + 1] = { sql = statement, line = lines[i] }
      if require "rille.schema.postgres.outside".wants(statement) then migration.outside[direction] = true end
    end
  end
  if #kept == 0 then fail(path, "holds no statement", "`select 1;` says that there is nothing to do") end
  migration.run[direction] = function(_, db)
    local run = require "rille.schema.runner".new(db)
    for _, statement in ipairs(kept) do
      local done, e = xpcall(run.literally, Error.keep_trace, run, statement.sql)
      if not done then
        if Error.is(e) then e.line = statement.line end
        Error.again(e)
      end
    end
  end
end

--- Load what a migration does; raises where it does not say how to go up and down.
---@param file rille.MigrationFile
---@param driver string  of the database that it is for
---@return rille.Migration
function M.load(file, driver)
  local migration = { name = file.name, up = file.up, down = file.down, checksum = file.checksum }
  if file.up == file.down then
    load_lua(migration)
  else
    migration.run, migration.foreign_keys_off, migration.outside = {}, {}, {}
    load_sql(migration, "up", driver)
    load_sql(migration, "down", driver)
  end
  return migration
end

return M
