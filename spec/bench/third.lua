--- third: the works of the third table: tenants, with a database each or with rows in one; see rille.lua and third.c.
-- `visit` opens a database for each visit, for the pool has room for one; in `full` it has room for 100, all taken;
-- `hot` finds each one open.  `stock` makes tenants.  `hit` and those that begin with `row` are compared with the same
-- in rille without tenants: `hand` says by hand what a tenant means, `none` says nothing.
local rille = require "rille"
local core = require "rille.core"
local Place = require "rille.tenant.place"

local DATABASES, ROWS, VISITS, FULL, HOT_VISITS = 500, 10, 2000, 100, 200000
local QUESTION = "select name from users where id = ?"
local STOCK = 200
local TENANTS, NOTES, FINDS, QUERIES, CREATES = 10, 20000, 100000, 20000, 10000
local WANDERED, WANDERINGS, BOUND = 10000, 30000, 500

local folder = os.getenv "BENCH_MANY"

local function configure(max)
  rille.configure {
    default = "main", connections = require "rille.config".current().connections,
    migrations = folder .. "/migrations",
    tenancy = { strategy = "database", fallback = "main", pattern = folder .. "/{slug}.db", pool = { max = max } },
  }
  local slugs = {}
  for n = 1, DATABASES do slugs[n] = "t" .. n end
  return slugs
end

--- Queries in databases, one after the other.
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

--- The work of visits with so many of them before the clock runs.
local function visiting(count, databases, max, before)
  return {
    warm = "Post",
    prepare = function()
      local slugs = configure(max)
      visits(before, databases)(slugs)
      return slugs
    end,
    run = visits(count, databases),
  }
end

local works = {
  visit = visiting(VISITS, DATABASES, 1, 1),
  full = visiting(VISITS, DATABASES, FULL, FULL),
  hot = visiting(HOT_VISITS, FULL, DATABASES, FULL),
}

works.stock = {
  warm = "Post",
  prepare = function()
    core.make_directory(folder .. "/migrations")
    local file = assert(io.open(folder .. "/migrations/0001_users.lua", "wb"))
    file:write [[return { up = function(s) s:create("users", function(t) t:id() t:string "name" end) end,
      down = function(s) s:drop "users" end }]]
    file:close()
    configure(DATABASES)
    local prefix = "s" .. core.checksum(core.now()):sub(1, 12)     -- of this process alone
    rille.tenant.create(prefix)
    return prefix .. "-"
  end,
  run = function(prefix)
    for n = 1, STOCK do rille.tenant.create(prefix .. n) end
    return STOCK, STOCK
  end,
}

--- Random visits to many tenants of which a few may be open: memory and open files must stay as they are.
works.wander = {
  warm = "Post",
  prepare = function()
    configure(BOUND)
    for n = DATABASES + 1, WANDERED do
      if not core.file_size(("%s/t%d.db"):format(folder, n)) then
        assert(core.copy_file(folder .. "/t1.db", ("%s/t%d.db"):format(folder, n)))
      end
    end
    local random = 12345
    local function visit(count)
      for _ = 1, count do
        random = (random * 1103515245 + 12345) & 0x7fffffff
        assert(#Place.handle("t" .. random % WANDERED + 1):query(QUESTION, 1) == 1)
      end
    end
    visit(WANDERINGS)                                    -- as much as the allocator will keep
    return visit
  end,
  run = function(visit)
    visit(WANDERINGS)
    return WANDERINGS, core.pool_stats().open
  end,
  check = function() return (" files=%d"):format(#core.list_directory "/proc/self/fd") end,
}

-- -- the same in rille, without tenants -----------------------------------------------------------------------------

local function finds_of_tenants()
  local finds, slugs = {}, configure(DATABASES)
  local Guest = rille.model "Guest" { table = "users", timestamps = false }
  local function find(id) return Guest:find(id) end
  for n = 1, FULL do
    local tenant = { id = n, slug = slugs[n] }
    finds[n] = function(id) return rille.tenant.run(tenant, find, id) end
  end
  return finds
end

local function finds_of_connections()
  local finds, connections = {}, require "rille.config".current().connections
  for n = 1, FULL do connections["c" .. n] = { database = ("%s/t%d.db"):format(folder, n) } end
  rille.configure { default = "main", connections = connections }
  for n = 1, FULL do
    local One = rille.model("Guest" .. n) { table = "users", connection = "c" .. n, timestamps = false }
    finds[n] = function(id) return One:find(id) end
  end
  return finds
end

--- One record in each of 100 databases: the current tenant's, or that of a model for each.
function works.hit(side)
  return {
    warm = "Post",
    prepare = function()
      local finds = side == "rille" and finds_of_tenants() or finds_of_connections()
      for n = 1, FULL do finds[n](1) end
      return finds
    end,
    run = function(finds)
      local rows, sum = 0, 0
      for visit = 0, HOT_VISITS - 1 do
        rows, sum = rows + 1, sum + #finds[visit % FULL + 1](visit % ROWS + 1).name
      end
      return rows, sum
    end,
  }
end

--- Notes of ten tenants in one table, in batches that are one tenant's each; the model, and the condition that says the
--- tenant where nobody else does.
local function notes(side)
  rille.configure { connections = { main = { database = ":memory:" } }, tenancy = { strategy = "row" } }
  rille.schema():create("notes", function(t)
    t:id()
    if side ~= "none" then t:integer "org_id" end
    t:integer "batch"
    t:integer "views"
    t:string "title"
    t:timestamps()
    if side ~= "none" then
      t:index { "org_id", "batch" }
    else
      t:index "batch"
    end
  end)
  local rows = {}
  for i = 1, NOTES do
    local batch = (i - 1) // 20
    rows[i] = { batch = batch, views = i * 7919 % 1000, title = "note " .. i,
      org_id = side ~= "none" and batch % TENANTS + 1 or nil }
  end
  rille.db():insert("notes", rows)
  return rille.model "Note" { tenant_column = side == "rille" and "org_id" or nil }
end

local function row_work(fn)
  return function(side)
    return {
      prepare = function() return notes(side) end,
      run = function(Note)
        if side == "rille" then return rille.tenant.run({ id = 1, slug = "t1" }, fn, Note, side) end
        return fn(Note, side)
      end,
    }
  end
end

works.row_find = row_work(function(Note, side)
  local sum, by_hand = 0, side == "hand"
  for i = 1, FINDS do
    local id = i % (NOTES // 200) * 200 + i % 20 + 1               -- a note of the first tenant
    local note = by_hand and Note:where("id", id):where("org_id", 1):first() or Note:find(id)
    sum = sum + note.views
  end
  return FINDS, sum
end)

works.row_query = row_work(function(Note, side)
  local rows, sum, by_hand = 0, 0, side == "hand"
  for i = 1, QUERIES do
    local query = Note:where("batch", i % (NOTES // 200) * 10):where("views", ">", i % 900)
    if by_hand then query = query:where("org_id", 1) end
    local found = query:order_by_desc("views"):limit(10):all()
    for place, note in ipairs(found) do sum = sum + note.id * place end
    rows = rows + #found
  end
  return rows, sum
end)

works.row_create = row_work(function(Note, side)
  local sum, org_id = 0, side == "hand" and 1 or nil
  rille.transaction(function()
    for i = 1, CREATES do
      sum = sum + Note:create { org_id = org_id, batch = 0, views = i, title = "a new note" }.id
    end
  end)
  return CREATES, sum
end)

return works
