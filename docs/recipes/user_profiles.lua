--- user_profiles: what a person chose and where a person was, in a database of that person's own.
--
--   local Profiles = require "docs.recipes.user_profiles"          -- or wherever you put your copy
--   Profiles.choose(42, { theme = "dark" })
--   print(Profiles.choices(42).theme)
--
-- A person's rows lie together and apart from everybody else's: no condition can forget whose they are, one who writes
-- much makes nobody else wait, and who leaves takes a file along.  It is made when it is first written; how many there
-- are does not matter, for only those in use are open (see "Any number of databases" in the README).
--
-- STATEMENTS run once in each.  Whoever changes them says a new VERSION, and that is another, empty database: what
-- shall be carried over from the old one is the business of who changes them.
local rille = require "rille"

local Profiles = {}

local VERSION = "v1"
local STATEMENTS = {
  "create table choices (name text primary key, value text not null)",
  "create table visits (id integer primary key, page text not null, at text not null)",
  "create index visits_page on visits (page)",
}
local MAX_BYTES = 16 * 1024 * 1024

local function name_of(user_id)
  if math.type(user_id) ~= "integer" then error("the id of a user is a whole number", 3) end
  return ("user:%d"):format(user_id)
end

local function is_there(name) return #rille.databases(name) > 0 end

local function open(name)
  return rille.open(name, { version = VERSION, statements = STATEMENTS, max_bytes = MAX_BYTES })
end

--- The database of a user, made when it is not there.
---@param user_id integer
---@return rille.Handle
function Profiles.of(user_id) return open(name_of(user_id)) end

--- Keep choices; those that are not said stay as they are.
---@param user_id integer
---@param choices table<string, string>
function Profiles.choose(user_id, choices)
  Profiles.of(user_id):transaction(function(db)
    for name, value in pairs(choices) do
      db:execute([[insert into choices (name, value) values (?, ?)
        on conflict (name) do update set value = excluded.value]], name, value)
    end
  end)
end

--- What a user chose.  Who asks makes no database.
---@param user_id integer
---@return table<string, string>
function Profiles.choices(user_id)
  local name, choices = name_of(user_id), {}
  if not is_there(name) then return choices end
  for _, row in ipairs(open(name):query "select name, value from choices") do choices[row.name] = row.value end
  return choices
end

--- Remember that a user was somewhere.
---@param user_id integer
---@param page string
---@param at? string  the moment; now when absent
function Profiles.visit(user_id, page, at)
  Profiles.of(user_id):create("visits", { page = page, at = at or os.date "!%Y-%m-%dT%H:%M:%SZ" })
end

--- The users that have a database, sorted.
---@return integer[]
function Profiles.users()
  local ids = {}
  for _, each in ipairs(rille.databases "user:*") do
    if each.version == VERSION then ids[#ids + 1] = math.tointeger(each.name:match "^user:(%d+)$") end
  end
  table.sort(ids)
  return ids
end

--- How often users were at each page: each database is asked, one after the other, so this is for a report at night.
---@return table<string, integer>
function Profiles.visits()
  local visits = {}
  for _, user_id in ipairs(Profiles.users()) do
    for _, row in ipairs(Profiles.of(user_id):query "select page, count(*) as n from visits group by page") do
      visits[row.page] = (visits[row.page] or 0) + row.n
    end
  end
  return visits
end

--- Delete all that is known of a user; raises `busy` while something goes on in that database.
---@param user_id integer
---@return boolean there_was_something
function Profiles.forget(user_id)
  local name = name_of(user_id)
  if not is_there(name) then return false end
  open(name):drop(name)
  return true
end

return Profiles
