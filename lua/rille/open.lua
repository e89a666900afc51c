--- open: any number of databases by name, made when they are first opened; rille.open and rille.databases.
-- A name never becomes a path as it is: it has a small alphabet, in which two names that differ are two files wherever.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Folder = require "rille.folder"
local Pooled = require "rille.pooled"

local M = {}

local NAME_MAX, VERSION_MAX = 128, 32
local OPTIONS = { "version", "statements", "max_bytes", "mirror" }
local TABLE = "rille_statements"
local ENDING = "%.db$"

local handles = Pooled.registry()

-- -- names ----------------------------------------------------------------------------------------------------------

local function check_word(where, what, text, most, letters)
  local fits = type(text) == "string" and #text <= most and text:find("^[a-z0-9][" .. letters .. "]*$")
  if fits and text:find "[a-z0-9]$" then return text end
  local hint = type(text) == "string" and text:lower() ~= text
    and "small letters only: some file systems do not tell them from capital ones" or nil
  Error.argument(where, ("%s: at most %d small letters, digits and %s, with a letter or digit at both ends"):format(
    what, most, letters == "a-z0-9._:-" and "- _ . :" or "- _ ."), text, hint)
end

local function check_name(where, name, version)
  check_word(where, "the name of a database", name, NAME_MAX, "a-z0-9._:-")
  if version ~= nil then check_word(where .. ".version", "a version", version, VERSION_MAX, "a-z0-9._-") end
end

local function key_of(name, version) return version and name .. "@" .. version or name end

local function path_of(name, version)
  return ("%s/%s/%s.db"):format(Config.current().databases, Pooled.hash(name), (key_of(name, version):gsub(":", "=")))
end

-- -- statements -----------------------------------------------------------------------------------------------------

local function check_statements(statements)
  if type(statements) == "string" then statements = { statements } end
  if type(statements) ~= "table" or #statements == 0 then
    Error.argument("open.statements", "a statement, or a list of them", statements)
  end
  for i, sql in ipairs(statements) do
    if type(sql) ~= "string" then Error.argument(("open.statements[%d]"):format(i), "the text of a statement", sql) end
  end
  return statements, core.checksum(table.concat(statements, "\0"))
end

local function recorded(db)
  if not db:describe(TABLE) then return nil end
  local row = db:_query('select "checksum" from "rille_statements"')[1]
  return row and row.checksum
end

local function check_same(handle, before, checksum)
  if before == checksum then return end
  Error.raise("checksum_mismatch", ("the statements of %s are not those it was made with"):format(
    Error.quote(handle.name)), {
    hint = "put them back as they were; another version of the database is { version = … }, and a change of one that "
      .. "has rows is a migration",
  })
end

local function run_statements(handle, statements, checksum)
  local before = recorded(handle)                        -- again: another process may have been faster
  if before then return check_same(handle, before, checksum) end
  for _, sql in ipairs(statements) do handle:_execute(sql) end
  handle:_execute 'create table "rille_statements" ("checksum" TEXT not null, "applied_at" DATETIME TEXT not null)'
  handle:_execute('insert into "rille_statements" ("checksum", "applied_at") values (?, ?)', checksum, core.now())
end

local function apply(handle, statements)
  local list, checksum = check_statements(statements)
  local before = recorded(handle)
  if before then return check_same(handle, before, checksum) end
  require "rille.mirror".quietly(handle, function()
    handle:transaction(function() run_statements(handle, list, checksum) end)
  end)
end

-- -- opening --------------------------------------------------------------------------------------------------------

local function make(key, name, options)
  local path = path_of(name, options.version)
  Pooled.make_folder(path)
  local handle = handles:add(key, path, { max_bytes = options.max_bytes })
  handle.identity = { name = name, version = options.version }
  local ok, e = pcall(handle._connect, handle)
  if not ok then
    handles:drop(key)
    error(e, 0)
  end
  return handle
end

local function check_quota(handle, max_bytes)
  if max_bytes == nil or max_bytes == handle.settings.max_bytes then return end
  Error.raise("invalid_argument", ("open.max_bytes: %s is open with %s"):format(Error.quote(handle.name),
    handle.settings.max_bytes or "no bound"), { hint = "close it first" })
end

--- "root@v2" -> "root", "v2"; "root" -> "root", nil.
local function read_key(key)
  local name, version = key:match "^([^@]*)@(.*)$"
  return name or key, version
end

--- How a database is opened, whose name may say a version, as in "root@v2": as it is, or else as one would be that says
--- no more.
---@param key string
---@return table
function M.settings(key)
  local name, version = read_key(key)
  check_name("mirror", name, version)
  local handle = handles:get(key)
  return handle and handle.settings or Pooled.settings(path_of(name, version))
end

--- Which database a name means beside one of a version: the one without a version, or, where there is none of these,
--- the one of the same version, if that is there.
---@param name string
---@param version? string
---@return string key
function M.beside(name, version)
  local there = core.file_size(M.settings(name).database)
  if there or not version or name:find("@", 1, true) then return name end
  local key = key_of(name, version)
  return core.file_size(M.settings(key).database) and key or name
end

--- The database of that name, made when it is not there; the same handle each time while somebody holds it.
---@param name string
---@param options? { version: string?, statements: string|string[]|nil, max_bytes: integer?,
---  mirror: string|table|nil }
-- `version` is part of which database it is; `statements` run once in each, in a transaction; it grows to `max_bytes`.
---@return rille.Handle
function M.open(name, options)
  options = Error.options("open", options, OPTIONS)
  check_name("open", name, options.version)
  local max_bytes = options.max_bytes
  if max_bytes ~= nil and (math.type(max_bytes) ~= "integer" or max_bytes < 4096) then
    Error.argument("open.max_bytes", "a number of bytes, at least 4096", max_bytes)
  end
  if options.statements ~= nil then check_statements(options.statements) end
  local key = key_of(name, options.version)
  local handle = handles:get(key)
  if handle then check_quota(handle, max_bytes) else handle = make(key, name, options) end
  if options.statements ~= nil then apply(handle, options.statements) end
  if options.mirror ~= nil then require "rille.mirror".register(handle, options.mirror) end
  return handle
end

--- The same, by a name that may say a version.
---@param key string
---@return rille.Handle
function M.open_key(key)
  local name, version = read_key(key)
  return M.open(name, { version = version })
end

-- -- all of them ----------------------------------------------------------------------------------------------------

--- "tenant:*" as a Lua pattern.
local function pattern_of(given)
  if given == nil then return "" end
  if type(given) ~= "string" then Error.argument("databases", "a name in which * stands for anything", given) end
  return "^" .. given:gsub("%W", "%%%0"):gsub("%%%*", ".*") .. "$"
end

local function read_name(file)
  local name, version = file:match("^(.-)@(.+)" .. ENDING)
  return (name or file:match("^(.+)" .. ENDING) or ""):gsub("=", ":"), version
end

--- Is the path one that rille.open gives to a name?
---@param path string
---@return boolean
function M.is_own(path)
  local root, hash, file = path:match "^(.-)/*(%x%x)/+([^/]+)$"
  local name, version = read_name(file or "")
  local root_of = require "rille.site".of_file
  return name ~= "" and path_of(name, version):match "[^/]+/[^/]+$" == hash .. "/" .. file
    and root_of(root == "" and (path:sub(1, 1) == "/" and "/" or ".") or root) == root_of(Config.current().databases)
end

--- What databases there are, all versions of them, by name.
---@param pattern? string  of names; * stands for anything
---@return { name: string, version: string?, size_bytes: integer }[]
function M.list(pattern)
  local wanted, list, root = pattern_of(pattern), {}, Config.current().databases
  for _, folder in ipairs(Folder.names(root)) do
    for _, file in ipairs(Folder.names(root .. "/" .. folder)) do
      local name, version = read_name(file)
      if name ~= "" and name:find(wanted) and path_of(name, version) == ("%s/%s/%s"):format(root, folder, file) then
        list[#list + 1] = { name = name, version = version, size_bytes = core.file_size(path_of(name, version)) }
      end
    end
  end
  table.sort(list, function(a, b)
    if a.name ~= b.name then return a.name < b.name end
    return (a.version or "") < (b.version or "")
  end)
  return list
end

-- -- words of a handle ----------------------------------------------------------------------------------------------

--- Bytes that the database takes, with what is free in it.
---@param self rille.Handle
---@return integer
function M.size(self) return self:_query(self:engine().size)[1].bytes end

local function identity_of(self, word)
  if self.identity then return self.identity end
  Error.raise("unsupported", ("%s: %s was not opened with rille.open"):format(word, Error.quote(self.name)), {
    hint = "rille.tenant has these words for tenants",
  })
end

--- Make a copy, at one moment, under another name.  It is whole or not there.
---@param self rille.Handle
---@param name string
---@param options? { version: string? }
---@return rille.Handle copy
function M.copy_to(self, name, options)
  options = Error.options("copy_to", options, { "version" })
  identity_of(self, "copy_to")
  check_name("copy_to", name, options.version)
  Pooled.copy(self, path_of(name, options.version), "a database " .. Error.quote(key_of(name, options.version)))
  return M.open(name, options)
end

--- Delete the database with all it holds; `busy` while something goes on in it.
---@param self rille.Handle
---@param name string  its name once more
function M.drop(self, name)
  local identity = identity_of(self, "drop")
  if name ~= identity.name then
    Error.raise("invalid_argument", ("drop: the database is %s, not %s"):format(Error.quote(identity.name),
      Error.show(name)), { hint = "its name, once more, says that all it holds shall go" })
  end
  require "rille.mirror".before_drop(self)
  core.pool_remove(path_of(identity.name, identity.version))
  handles:drop(key_of(identity.name, identity.version))
  self:close()
end

return M
