--- third: the works of the third table: many small databases, each a tenant's; see rille.lua and third.c.
-- `visit` opens each of 500 when 100 may be open, so that none is open when its turn comes; `hot` finds each open.
local rille = require "rille"
local Place = require "rille.tenant.place"

local DATABASES, ROWS, VISITS, HOT, HOT_VISITS = 500, 10, 2000, 100, 200000
local QUESTION = "select name from users where id = ?"

local function configure(max)
  rille.configure {
    connections = require "rille.config".current().connections,
    tenancy = { strategy = "database", fallback = "main", pattern = assert(os.getenv "BENCH_MANY") .. "/{slug}.db",
      pool = { max = max } },
  }
  local slugs = {}
  for n = 1, DATABASES do slugs[n] = "t" .. n end
  return slugs
end

local function visits(count, databases)
  return function(slugs)
    local handle, rows, sum = Place.handle, 0, 0
    for visit = 0, count - 1 do
      local found = handle(slugs[visit % databases + 1]):query(QUESTION, visit % ROWS + 1)
      rows, sum = rows + 1, sum + #found[1].name
    end
    return rows, sum
  end
end

return {
  visit = { warm = "Post", prepare = function() return configure(100) end, run = visits(VISITS, DATABASES) },
  hot = {
    warm = "Post",
    prepare = function()
      local slugs = configure(500)
      for n = 1, HOT do Place.handle(slugs[n]):query(QUESTION, 1) end
      return slugs
    end,
    run = visits(HOT_VISITS, HOT),
  },
}
