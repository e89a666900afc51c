--- session.token: the text that users pass on, taken apart and shown to the databases that may have made it.
local Config = require "rille.config"
local Database = require "rille.database"
local Error = require "rille.error"
local Handle = require "rille.handle"
local Place = require "rille.session.place"

local M = {}

M.PARTS_MAX = 8                        -- databases of one token

local PART_BYTES <const> = Place.BYTES

local function bad_token(token, why)
  Error.raise("invalid_token", ("session.start: %s is not a session's token: %s"):format(Error.show(token), why), {
    hint = "pass on what session:token() gave, whole and unchanged; without a token, leave it out",
  })
end

local function split(token)
  if type(token) ~= "string" then Error.argument("session.start", "a text for token", token) end
  if token == "" then bad_token(token, "it is empty") end
  if #token > M.PARTS_MAX * (PART_BYTES + 1) then bad_token(token:sub(1, PART_BYTES), "it is too long") end
  local parts = {}
  for part in (token .. ","):gmatch "([^,]*)," do
    if #part ~= PART_BYTES then bad_token(part, ("its %d bytes should be %d"):format(#part, PART_BYTES)) end
    parts[#parts + 1] = part
  end
  return parts
end

--- The databases that may have made a token: those that are open, the default one first, then all that are configured.
local function candidates()
  local list, seen = {}, {}
  local function add(handle)
    if not seen[handle] then list[#list + 1], seen[handle] = handle, true end
  end
  local config = Config.current()
  local ok, default = pcall(Database.get)               -- with a database for each tenant, and none set, there is none
  if ok then add(default) end
  for handle in Handle.each_open() do add(handle) end
  for _, name in ipairs(require "rille.keys"(config.connections)) do add(Database.get(name)) end
  return list
end

--- Is the part of one of them?
local function is_known(part, recognized)
  local failed
  for _, handle in ipairs(candidates()) do
    local ok, answer = pcall(recognized, handle, part)
    if ok and answer then return true end
    if not ok then
      if not Error.is(answer) or answer.kind == "invalid_token" then error(answer, 0) end
      failed = failed or answer                           -- it may be of one that does not answer
    end
  end
  if failed then Error.again(failed) end
  return false
end

--- Read a token; invalid_token when it is none, or not of a database that is configured.
---@param token any
---@param recognized fun(handle: rille.Handle, part: string): boolean  is the part of that database?
---@param wait fun(part: string)  takes one that may be of a tenant's database, which is not open
function M.read(token, recognized, wait)
  local deferred = Config.current().tenancy ~= nil and require "rille.tenant.home".decides()
  for _, part in ipairs(split(token)) do
    if is_known(part, recognized) then goto continue end
    if not deferred then bad_token(part, "no database that is configured made it") end
    wait(part)
    ::continue::
  end
end

return M
