--- writer: writes row after row, each in a session that goes on, and says each with its token once it is acknowledged.
-- It goes on until it is ended from outside, or by spec/support/power/loss.c.
-- arg: PATH SYNCHRONOUS FIRST [LIBRARY FOLDER WRITES SEED]
local rille = require "rille"

local path, synchronous, first, library, folder, writes, seed = table.unpack(arg)
if library then
  local lose = assert(package.loadlib(library, "power_loss"))
  assert(lose(folder, math.tointeger(tonumber(writes)), math.tointeger(tonumber(seed))))
end
rille.configure { connections = { main = { driver = "sqlite", database = path, synchronous = synchronous,
  pragmas = { wal_autocheckpoint = 30 } } }, session = { enabled = true } }

local db, s = rille.db(), rille.session.start {}
io.stdout:setvbuf "no"

local function write(n) db:execute("insert into notes (id, body) values (?, ?)", n, ("x"):rep(n % 7 * 400)) end

for n = math.tointeger(tonumber(first)), math.maxinteger do
  if n % 3 == 0 then
    s:run(rille.transaction, function()
      db:execute("update counts set n = n + 1")
      write(n)
    end)
  else
    s:run(write, n)
  end
  io.stdout:write(("%d %s\n"):format(n, s:token()))
end
