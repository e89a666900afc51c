--- recipes_spec: docs/recipes/ does what it says, with real processes where it says so.
local rille = require "rille"
local oracle = require "spec.story.debian.oracle"

local folder

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
end

--- Run a script of the program in some processes at once.
---@return string[] lines  that they printed
local function in_processes(count, script)
  write("worker.lua", script)
  return oracle.shell(([[
    for i in $(seq %d); do "$RILLE" run %s/worker.lua >%s/out.$i 2>&1 & all="$all $!"; done
    for each in $all; do wait $each || { cat %s/out.*; exit 1; } done
    cat %s/out.*]]):format(count, folder, folder, folder, folder))
end

describe("docs/recipes", function()
  before_each(function() folder = oracle.shell("mktemp -d")[1] end)
  after_each(function()
    rille.close()
    require "rille.config".clear()
    oracle.shell("rm -rf " .. folder)
  end)

  describe("rate_limiter.lua", function()
    local RateLimiter = require "docs.recipes.rate_limiter"
    local db, now

    before_each(function()
      db, now = rille.connect(folder .. "/limits.db", { synchronous = "normal" }), 1000000
    end)

    local function limiter(max, window_ms, name)
      return RateLimiter.new(db, { max = max, window_ms = window_ms, name = name, now_ms = function() return now end })
    end
    local function take(from, ...) return { from:take(...) } end
    local function rows() return db:query "select count(*) as n from rate_limits"[1].n end

    it("allows so many in any window, and says when there will be room", function()
      local three = limiter(3, 100)
      assert.same({ true, 2, 0 }, take(three, "a"))
      now = now + 60
      assert.same({ true, 1, 0 }, take(three, "a"))
      assert.same({ true, 0, 0 }, take(three, "a"))
      assert.same({ false, 0, 40 }, take(three, "a"))
      now = now + 39
      assert.same({ false, 0, 1 }, take(three, "a"))
      now = now + 1
      assert.same({ true, 0, 0 }, take(three, "a"))           -- the first is 100 ms old, the other two are not
      assert.same({ false, 0, 60 }, take(three, "a"))
    end)

    it("counts each key, and each limiter, for itself", function()
      local a_second, an_hour = limiter(1, 1000), limiter(2, 3600000)
      assert.same({ true, false, true }, { take(a_second, "a")[1], take(a_second, "a")[1], take(a_second, "b")[1] })
      assert.same({ true, 1, 0 }, take(an_hour, "a"))
      take(limiter(5, 1000, "shared"), "a", 5)
      assert.same({ false, 0, 1000 }, take(limiter(5, 1000, "shared"), "a"))
    end)

    it("takes several or none", function()
      local ten = limiter(10, 100)
      assert.same({ true, 6, 0 }, take(ten, "a", 4))
      now = now + 30
      assert.same({ true, 1, 0 }, take(ten, "a", 5))
      assert.same({ false, 1, 70 }, take(ten, "a", 2))
      assert.same({ false, 1, 100 }, take(ten, "a", 10))
      assert.same({ true, 0, 0 }, take(ten, "a"))
      for _, n in pairs { 0, -1, 1.5, 11, "2" } do assert.is_false(pcall(ten.take, ten, "a", n)) end
      assert.is_false(pcall(ten.take, ten))
      for _, max in pairs { 0, 1.5, "1" } do assert.is_false(pcall(limiter, max, 100)) end
    end)

    it("refuses without writing, and without waiting for who writes", function()
      local one = limiter(1, 100)
      take(one, "a")
      local other <close> = require "rille.core".open { database = folder .. "/limits.db" }
      other:begin "immediate"
      assert.same({ false, 0, 100 }, take(one, "a"))
      other:rollback()
    end)

    it("refuses longer when the clock is set back, and allows no more", function()
      local one = limiter(1, 100)
      take(one, "a")
      now = now - 5000
      assert.same({ false, 0, 5100 }, take(one, "a"))
    end)

    it("deletes what no longer counts, a few rows at a time", function()
      local one = limiter(1, 100)
      for i = 1, 40 do take(one, "key " .. i) end
      assert.equal(40, rows())
      now = now + 100
      take(one, "new 1")
      assert.equal(25, rows())
      take(one, "new 2")
      take(one, "new 3")
      assert.equal(3, rows())
      for _ = 1, 1000 do
        now = now + 50
        take(one, "another")
        assert.is_true(rows() <= 5)
      end
      local plan = ""
      for _, step in ipairs(db:query([[explain query plan delete from rate_limits where (limiter, key, until_ms) in (
        select limiter, key, until_ms from rate_limits where until_ms <= 1 order by until_ms limit 16)]])) do
        plan = plan .. step.detail .. "\n"
      end
      assert.is_nil(plan:find "SCAN rate_limits" or plan:find "TEMP B%-TREE", plan)
    end)

    it("counts exactly though many processes take at once", function()
      local lines = in_processes(6, ([[
        local rille = require "rille"
        local db = rille.connect("%s/limits.db", { synchronous = "normal", busy_timeout_ms = 60000 })
        local limiter = require "docs.recipes.rate_limiter".new(db, { max = 500, window_ms = 3600000 })
        local taken = 0
        for _ = 1, 300 do if limiter:take("all") then taken = taken + 1 end end
        print(taken)]]):format(folder))
      local taken = 0
      for _, line in ipairs(lines) do taken = taken + tonumber(line) end
      assert.same({ 6, 500 }, { #lines, taken })
      assert.equal(500, db:query "select sum(n) as n from rate_limits"[1].n)
    end)

    it("lets no window have more, wherever it begins", function()
      limiter(1, 1)
      db:execute "create table told (until_ms integer, n integer)"
      db:execute [[create trigger told_insert after insert on rate_limits
        begin insert into told values (new.until_ms, new.n); end]]
      db:execute [[create trigger told_update after update on rate_limits
        begin insert into told values (new.until_ms, new.n - old.n); end]]
      local lines = in_processes(4, ([[
        local rille = require "rille"
        local db = rille.connect("%s/limits.db", { synchronous = "normal", busy_timeout_ms = 60000 })
        local limiter = require "docs.recipes.rate_limiter".new(db, { max = 20, window_ms = 100 })
        local refused, stop = 0, os.time() + 2
        while os.time() < stop do if not limiter:take("all") then refused = refused + 1 end end
        print(refused)]]):format(folder))
      for _, line in ipairs(lines) do assert.is_true(tonumber(line) > 0) end
      local most = db:query [[select max(n) as n, count(*) as windows from (select sum(n) over (
        order by until_ms range between 99 preceding and current row) as n from told)]][1]
      assert.equal(20, most.n)
      assert.is_true(most.windows >= 100)
      assert.is_true(rows() <= 40)
    end)
  end)

  describe("user_profiles.lua", function()
    local Profiles = require "docs.recipes.user_profiles"

    local function configure(background)
      rille.configure {
        connections = { main = folder .. "/main.db" }, databases = folder .. "/databases",
        tenancy = { pool = { max = 4 } }, mirror_background = background,
      }
    end
    before_each(function() configure(true) end)

    it("keeps what each user chose, apart from everybody else", function()
      Profiles.choose(1, { theme = "dark", language = "de" })
      Profiles.choose(2, { theme = "light" })
      Profiles.choose(1, { theme = "blue" })
      assert.same({ theme = "blue", language = "de" }, Profiles.choices(1))
      assert.same({ theme = "light" }, Profiles.choices(2))
      assert.same({ { name = "theme", value = "light" } }, { table.unpack(Profiles.of(2):table("choices"):all()) })
    end)

    it("makes no database for who only asks", function()
      assert.same({}, Profiles.choices(1))
      assert.is_false(Profiles.forget(1))
      assert.same({}, Profiles.users())
      for _, id in pairs { "1", "../1", 1.5, true } do assert.is_false(pcall(Profiles.choices, id)) end
    end)

    it("keeps all choices of a call or none", function()
      local choices = { language = {} }                      -- in whatever order they are written, one of them fails
      for i = 1, 30 do choices["choice " .. i] = "x" end
      Profiles.choose(1, { theme = "dark" })
      assert.is_false(pcall(Profiles.choose, 1, choices))
      assert.same({ theme = "dark" }, Profiles.choices(1))
    end)

    it("has any number of users, adds up what they did, and forgets one of them", function()
      for id = 1, 30 do
        Profiles.visit(id, "start")
        Profiles.choose(id, { theme = "dark" })
        if id % 3 == 0 then Profiles.visit(id, "shop") end
      end
      assert.equal(30, #Profiles.users())
      assert.same({}, Profiles.gather())
      assert.same({ start = 30, shop = 10 }, Profiles.visits())
      assert.is_nil(rille.open "profiles":describe "choices")
      assert.is_true(require "rille.core".pool_stats().open <= 4)
      assert.is_true(Profiles.forget(3))
      assert.same({ start = 29, shop = 9 }, Profiles.visits())
      assert.same({}, Profiles.choices(3))
      assert.equal(29, #Profiles.users())
      assert.same({}, oracle.shell(("find %s/databases -name '*=3@*'"):format(folder)))
      Profiles.visit(3, "back, and gone")
      assert.is_true(Profiles.forget(3))
      Profiles.visit(3, "back again")
      assert.same({}, Profiles.gather())
      assert.is_nil(Profiles.visits()["back, and gone"])
      assert.equal(1, Profiles.visits()["back again"])
    end)

    it("gathers once what was written once, and goes on where one database is not to be had", function()
      configure(false)
      for id = 1, 3 do Profiles.visit(id, "start") end
      local path = Profiles.of(2).settings.database
      rille.close()
      os.rename(path, path .. ".away")
      oracle.shell(("rm -f %s-wal %s-shm; echo 'no database' >%s"):format(path, path, path))
      local failed = Profiles.gather()
      assert.same({ "2" }, { tostring(next(failed)) })
      assert.same({ start = 2 }, Profiles.visits())
      rille.close()
      os.rename(path .. ".away", path)
      for _ = 1, 2 do assert.same({}, Profiles.gather()) end
      assert.same({ start = 3 }, Profiles.visits())
    end)

    it("loses nothing of what many processes write to one user", function()
      in_processes(5, ([[
        local rille = require "rille"
        rille.configure { connections = { main = "%s/main.db" }, databases = "%s/databases" }
        local Profiles = require "docs.recipes.user_profiles"
        for _ = 1, 20 do Profiles.visit(7, "start") end
        assert(next(Profiles.gather()) == nil)]]):format(folder, folder))
      assert.same({}, Profiles.gather())
      assert.same({ start = 100 }, Profiles.visits())
    end)
  end)

  describe("tenants/story.lua", function()
    --- The story's lines: what -> what came of it; the last two, and the others in order.
    local function told(strategy)
      local own = ("%s/%s"):format(folder, strategy)
      local lines = oracle.shell(([[mkdir %s && cd docs/recipes/tenants && STRATEGY=%s FOLDER=%s env -u LUA_PATH \
        -u DATABASE_URL "$RILLE" run story.lua]]):format(own, strategy, own))
      local last = { table.remove(lines, #lines - 1), table.remove(lines) }
      for i, line in ipairs(last) do last[i] = line:match "%s%s+(.*)$" end
      return lines, last, own
    end
    local POSTS = "select org_id, count(*) from posts group by org_id"

    it("is the same in a database for all and in a database for each", function()
      local row, last_row, shared = told "row"
      local database, last_database, apart = told "database"
      assert.same(row, database)
      assert.same({ "7 heard of: Post", "tenant_required" }, last_row)
      assert.same({ "3 heard of: Post", "3" }, last_database)
      assert.same({ "1\t3", "2\t4" }, oracle.sqlite(shared .. "/main.db", POSTS))
      assert.same({}, oracle.sqlite(apart .. "/main.db", POSTS))
      assert.same({ "1\t3" }, oracle.sqlite(apart .. "/tenants/acme.db", POSTS))
      assert.same({ "2\t4" }, oracle.sqlite(apart .. "/tenants/globex.db", POSTS))
    end)

    it("keeps the tenants apart", function()
      local lines = told "row"
      for i, line in ipairs(lines) do lines[i] = line:gsub("%s%s+", " = ", 1) end
      assert.same({
        "acme: posts = acme 1, acme 2, acme 3", "acme: popular, with comments = 2 1 news",
        "acme: posts about news = 3", "acme: joined = 3",
        "globex: posts = globex 1, globex 2, globex 3, globex 4", "globex: popular, with comments = 3 1 news",
        "globex: posts about news = 4", "globex: joined = 4",
        "acme: deletes every comment = 3", "globex: still has = 4",
        "nobody: reads = tenant_required", "initech: reads = tenant_unknown",
        "acme: looks for a post of globex = nil", "acme: saves a post of globex = tenant_mismatch",
        "acme: deletes it = tenant_mismatch", "acme: reads its comments = tenant_mismatch",
        "acme: writes as globex = tenant_mismatch", "acme: becomes globex midway = tenant_mismatch",
        "a report, tenant by tenant = 7",
      }, lines)
    end)

    it("has no schema for each where there is no PostgreSQL", function()
      local lines = oracle.shell(([[mkdir %s/schema && cd docs/recipes/tenants && unset LUA_PATH && \
        STRATEGY=schema FOLDER=%s/schema "$RILLE" run story.lua 2>&1 || echo "status $?"]]):format(folder, folder))
      assert.equal("status 1", lines[#lines])
      assert.truthy(table.concat(lines, "\n"):find("a schema for each tenant wants PostgreSQL", 1, true))
    end)
  end)
end)
