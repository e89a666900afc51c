--- health: do the databases answer, can they be written, how far behind are their replicas?
local Config = require "rille.config"
local Database = require "rille.database"
local core = require "rille.core"
local keys = require "rille.keys"
local text = require "rille.cli.text"

local MIB <const> = 1048576

--- Errors as objects, so that all of it is JSON.
local function as_objects(health)
  if health.error then health.error = require "rille.cli.failure".object(health.error) end
  for _, replica in ipairs(health.replicas or {}) do as_objects(replica) end
end

local function is_well(health)
  for _, replica in ipairs(health.replicas or {}) do
    if not replica.ok then return false end
  end
  return health.ok
end

local function words_of(health)
  if not health.ok then return "failed, " .. health.error.message end
  return ("ok, %s %s, %s, %.1f MiB, %.1f ms"):format(health.driver, health.version,
    health.locked and "locked by a writer" or health.writable and "writable" or "read only",
    health.size_bytes / MIB, health.ms)
end

local function words_of_replica(replica)
  if not replica.ok then return "failed, " .. (replica.error and replica.error.message or "it does not answer") end
  return ("ok, %d bytes behind%s"):format(replica.behind_bytes, replica.paused and ", paused" or "")
end

---@type rille.Command
return {
  summary = "show whether the databases answer, and how far behind replicas are",
  details = "The exit status is 1 when a database or a replica does not answer.",
  json = true,
  arguments = { { "connection", "names of connections; all of them when none is given", count = "*" } },
  run = function(args, term)
    require "rille.cli.project".need()
    local names = args.connection or {}
    if #names == 0 then names = keys(Config.current().connections) end
    local list, status = {}, 0
    for i, name in ipairs(names) do
      local health = Database.get(name):health()
      if not is_well(health) then status = 1 end
      as_objects(health)
      list[i] = health
      if not term.json then
        term:line(("%s: %s"):format(text.escape(name), text.escape(words_of(health))))
        for _, replica in ipairs(health.replicas or {}) do
          term:line(("  replica %d: %s"):format(replica.number, text.escape(words_of_replica(replica))))
        end
      end
    end
    if term.json then term:object { connections = list, pool = core.pool_stats(), ok = status == 0 } end
    return status
  end,
}
