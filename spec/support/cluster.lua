--- cluster: a PostgreSQL primary with streaming replicas, of a spec's own; gone when the spec's process is.
local core = require "rille.core"

local Cluster = {}
Cluster.__index = Cluster

local SCRIPT <const> = "spec/support/postgres.sh"

--- What a command says.  Into a file: a server that it starts would keep a pipe open.  Nor shall that have what the
-- sanitizers load into every program.
local function output(command)
  local path = os.tmpname()
  local ok = os.execute(("unset LD_PRELOAD; %s >%s 2>&1"):format(command, path))
  local file <close> = assert(io.open(path))
  local text = file:read "a"
  os.remove(path)
  assert(ok, command .. ": " .. text)
  return text
end

--- Start one, in the folder that RILLE_SPEC_SERVERS names, or in /tmp.
---@param replicas integer
function Cluster.start(replicas)
  local folder = os.tmpname()
  os.remove(folder)
  folder = folder:gsub("^.*/", (os.getenv "RILLE_SPEC_SERVERS" or "/tmp") .. "/")
  local self = setmetatable({ folder = folder, urls = {} }, Cluster)
  local text = output(('sh %s start %s %d "$PPID"'):format(SCRIPT, folder, replicas))
  self.urls[0] = text:match "PG_URL='(.-)'"
  for number = 1, replicas do self.urls[number] = text:match("PG_REPLICA" .. number .. "_URL='(.-)'") end
  assert(self.urls[0] and (replicas == 0 or self.urls[replicas]), text)
  return self
end

--- pause, resume, delay, cut, join, kill, stop, begin, promote: see the script.
function Cluster:tell(verb, ...)
  output(("sh %s %s %s %s"):format(SCRIPT, verb, self.folder, table.concat({ ... }, " ")))
end

--- Run SQL on a node as the servers' superuser; what it says.
function Cluster:sql(node, sql)
  local url = self.urls[node]:gsub("//rille@/rille", "//postgres@/rille")
  return (output(("psql -X -qAt -v ON_ERROR_STOP=1 -d '%s' -c \"%s\""):format(url, sql)):gsub("%s+$", ""))
end

--- Wait until all replicas have everything that is written.
function Cluster:catch_up()
  local lsn = self:sql(0, "select pg_current_wal_lsn()")
  for node = 1, #self.urls do
    for _ = 1, 500 do
      if self:sql(node, ("select pg_last_wal_replay_lsn() >= '%s'"):format(lsn)) == "t" then break end
      core.pause(10)
    end
  end
end

--- One address for whichever node can be written.
function Cluster:any_primary()
  local hosts, ports = {}, {}
  for number = 0, #self.urls do
    hosts[#hosts + 1] = self.urls[number]:match "host=([^&]+)"
    ports[#ports + 1] = self.urls[number]:match "port=(%d+)"
  end
  return ("postgresql://rille@/rille?host=%s&port=%s&target_session_attrs=read-write"):format(table.concat(hosts, ","),
    table.concat(ports, ","))
end

function Cluster:destroy() output(("sh %s destroy %s"):format(SCRIPT, self.folder)) end

return Cluster
