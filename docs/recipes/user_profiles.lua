--- user_profiles: what a person chose and where a person was, in a database of that person's own; visits also together.
--
--   local Profiles = require "docs.recipes.user_profiles"          -- or wherever you put your copy
--   Profiles.choose(42, { theme = "dark" })
--   print(Profiles.choices(42).theme)
--
-- A person's rows lie together and apart from everybody else's: no condition can forget whose they are, one who writes
-- much makes nobody else wait, and who leaves takes a file along.  It is made when it is first written; how many there
-- are does not matter, for only those in use are open (see "Any number of databases" in the README).
--
-- What is asked of all of them is asked of one: visits are mirrored into the database "profiles", each with the user it
-- came from; choices are nobody else's business and stay where they are.  That goes on in the background, a moment
-- after each visit; Profiles.gather waits for it, before a report.  Until then a database keeps what it has.
--
-- STATEMENTS run once in each.  Whoever changes them says a new VERSION, and that is another, empty database: what
-- shall be carried over from the old one is the business of who changes them.
local rille = require "rille"

local Profiles = {}

local VERSION = "v1"
local STATEMENTS = {
  "create table choices (name text primary key, value text not null)",
  "create table visits (id integer primary key, page text not null, at text not null)",
}
local MAX_BYTES = 16 * 1024 * 1024

local TOGETHER = "profiles"
local TOGETHER_STATEMENTS = {
  [[create table visits (source text not null, id integer not null, page text not null, at text not null,
      primary key (source, id))]],
  "create index visits_page on visits (page)",
}

local function name_of(user_id)
  if math.type(user_id) ~= "integer" then error("the id of a user is a whole number", 3) end
  return ("user:%d"):format(user_id)
end

local function is_there(name) return #rille.databases(name) > 0 end

local function together() return rille.open(TOGETHER, { statements = TOGETHER_STATEMENTS }) end

local function open(name)
  together()                                   -- before visits come to it: it has an index that a mirror would not make
  return rille.open(name, { version = VERSION, statements = STATEMENTS, max_bytes = MAX_BYTES,
    mirror = { [TOGETHER] = { tables = { "visits" } } } })
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

--- Bring the visits of all up to one user's.  Who was put back from a backup has another history than was handed over:
--- then everything is compared.
local function hand_over(db)
  local done, err = rille.try(db.mirror_sync, db)
  if rille.is_error(err, "checksum_mismatch") then return db:mirror_resync() end
  return done or error(err, 0)
end

--- Hand over what is not among the visits of all yet.  Whose database cannot be, because it is busy or harmed, keeps
--- nobody else's back.
---@return table<integer, rille.Error> failed  by user; empty when all is there
function Profiles.gather()
  together()
  local failed = {}
  for _, user_id in ipairs(Profiles.users()) do
    local _, err = rille.try(function() return hand_over(Profiles.of(user_id)) end)
    failed[user_id] = err
  end
  return failed
end

--- How often users were at each page, at least as of the last Profiles.gather.
---@return table<string, integer>
function Profiles.visits()
  local visits = {}
  for _, row in ipairs(together():query "select page, count(*) as n from visits group by page") do
    visits[row.page] = row.n
  end
  return visits
end

--- Delete all that is known of a user, among the visits of all too; raises `busy` while something goes on in that
--- database.  Cut short, it is called again: the file goes last.
---@param user_id integer
---@return boolean there_was_something
function Profiles.forget(user_id)
  local name = name_of(user_id)
  if not is_there(name) then return false end
  together()
  local db = open(name)
  db:execute "delete from visits"
  hand_over(db)
  db:drop(name)
  return true
end

return Profiles
