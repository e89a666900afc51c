--- tenant_crash_spec: `tenants:extract` and `tenants:absorb` are killed at any moment and run again until they end;
--- each row is then where it would be had nothing been killed, once, and as it was.
-- RILLE_CRASH_ROUNDS says how often in each direction.
local core = require "rille.core"
local Project = require "spec.support.project"

local ROUNDS = tonumber(os.getenv "RILLE_CRASH_ROUNDS") or 6
local POSTS <const>, BYTES <const> = 400, 2000
local KILLS_MAX <const> = 40                   -- of one move: from then on it is left alone

local CONFIG = [[return { connections = { main = { database = "main.db" } },
  tenancy = { strategy = "database", fallback = "main", pattern = "tenants/{slug}.db" } }]]

local TABLES = [[return {
  up = function(s)
    s:create("posts", function(t)
      t:id()
      t:string "org_id":tenant()
      t:string("slug"):unique()
      t:blob "data"
      t:references("parent", "posts"):nullable()
    end)
    s:create("tags", function(t) t:id() t:string "name" end)
    s:create("post_tags", function(t)
      t:references("post", "posts")
      t:references("tag", "tags")
      t:integer "place"
    end)
  end,
  down = function(s) s:drop "post_tags" s:drop "tags" s:drop "posts" end,
}]]

local FILL = ([[local db = require "rille".db "main"
  db:insert("tags", { { id = 1, name = "x" }, { id = 2, name = "y" } })
  db:transaction(function()
    for i = 1, %d do
      db:insert("posts", { id = i, org_id = i %% 3 == 0 and "globex" or "acme", slug = "s" .. i,
        data = ("%%09d"):format(i * 7919 %% 1000003):rep(%d), parent_id = i > 3 and i - 3 or require "rille".null })
      db:insert("post_tags", { post_id = i, tag_id = i %% 2 + 1, place = i })
    end
  end)]]):format(POSTS, BYTES // 9)

--- Every row of a tenant in a database, by an independent program; "" where the file is not there.
local function rows_in(path, slug)
  if not core.file_size(path) then return "" end
  local sql = ([[select 'post', id, org_id, slug, hex(data), parent_id from posts where org_id = '%s' order by id;
    select 'tag', p.post_id, p.tag_id, p.place from post_tags p join posts on posts.id = p.post_id
    where org_id = '%s' order by 2, 3, 4]]):format(slug, slug)
  local pipe = assert(io.popen(("sqlite3 -cmd '.timeout 5000' '%s' \"%s\""):format(path, sql)))
  local text = pipe:read "a"
  assert(pipe:close())
  return text
end

local function count_in(path, table_name)
  local sql = "pragma integrity_check; pragma foreign_key_check; select count(*) from " .. table_name
  local pipe = assert(io.popen(("sqlite3 '%s' '%s'"):format(path, sql)))
  local text = pipe:read "a"
  pipe:close()
  return text
end

describe("a move of a tenant that is killed at any moment", function()
  local project, main, own
  local in_both                                          -- kills after which both sides had all

  before_each(function()
    project = Project.new {
      ["rille.config.lua"] = CONFIG, ["migrations/0001_tables.lua"] = TABLES, ["fill.lua"] = FILL,
    }
    main, own = project.path .. "/main.db", project.path .. "/tenants/acme.db"
    assert.equal(0, (project:run "migrate"))
    assert.equal(0, (project:run "run fill.lua"))
  end)
  after_each(function() project:remove() end)

  --- Run the command, killed after some seconds; was it done by then?
  local function run_for(command, seconds)
    return os.execute(("cd '%s' && timeout --foreground -s KILL %.4f '%s' %s >>log 2>&1 </dev/null"):format(
      project.path, seconds, os.getenv "RILLE", command)) == true
  end

  --- How long it takes when it is left alone, in seconds.
  local function time_of(command)
    local began = core.monotonic_ms()
    assert.equal(0, (project:run(command)))
    return (core.monotonic_ms() - began) / 1000
  end

  --- Kill it until it is done; how often it was killed.
  local function move(command, seconds, mine)
    local kills = 0
    while kills < KILLS_MAX and not run_for(command, math.random() * seconds * 1.2) do
      kills = kills + 1
      local here, there = rows_in(main, "acme"), rows_in(own, "acme")
      assert.is_true(here == mine or there == mine, command .. ": neither side has all")
      if here == there then in_both = in_both + 1 end
    end
    assert.equal(0, (project:run(command)))              -- whatever a last kill left; else it does nothing
    return kills
  end

  it("loses nothing and doubles nothing, in either direction", function()
    local mine, others = rows_in(main, "acme"), rows_in(main, "globex")
    assert.is_true(#mine > BYTES * 100)
    local seconds = { out = time_of "tenants:extract acme", back = time_of "tenants:absorb acme" }
    local kills = 0
    in_both = 0
    local round = 0
    while round < ROUNDS or kills < ROUNDS and round < 5 * ROUNDS do     -- a quick one is not killed at all
      round = round + 1
      kills = kills + move("tenants:extract acme", seconds.out, mine)
      assert.same({ "", mine, others }, { rows_in(main, "acme"), rows_in(own, "acme"), rows_in(main, "globex") },
        "out, round " .. round)
      assert.equal(("ok\n%d\n"):format(POSTS // 3), count_in(main, "post_tags"))
      kills = kills + move("tenants:absorb acme", seconds.back, mine)
      assert.same({ mine, "", others }, { rows_in(main, "acme"), rows_in(own, "acme"), rows_in(main, "globex") },
        "back, round " .. round)
      assert.equal("ok\n0\n", count_in(own, "post_tags"))
      assert.equal(("ok\n%d\n"):format(POSTS), count_in(main, "post_tags"))
    end
    if os.getenv "RILLE_CRASH_ROUNDS" then
      print(("%d rounds, %d kills, %d between two steps"):format(ROUNDS, kills, in_both))
    end
    assert.is_true(kills >= ROUNDS)
  end)

  it("is whole after the disk was full", function()
    local mine, others, failed = rows_in(main, "acme"), rows_in(main, "globex"), 0
    for _, command in ipairs { "tenants:extract acme", "tenants:absorb acme" } do
      for _, kib in ipairs { 50, 200, 500, 700, 900, 1200 } do
        -- Files may not grow beyond; WAL and the database are bounded each.
        local line = ("cd '%s' && trap '' XFSZ && ulimit -f %d && '%s' %s --json 2>/dev/null </dev/null"):format(
          project.path, kib * 1024 // 512, os.getenv "RILLE", command)
        local pipe = assert(io.popen(line))
        local done = require "dkjson".decode(pipe:read "a")
        pipe:close()
        if not done.ok then
          failed = failed + 1
          assert.matches("^disk", done.error.message)        -- what SQLite makes of a file that cannot grow
        end
        assert.is_true(rows_in(main, "acme") == mine or rows_in(own, "acme") == mine)
        assert.equal(others, rows_in(main, "globex"))
      end
      assert.equal(0, (project:run(command)))
      local there, empty = own, main
      if command:find "absorb" then there, empty = main, own end
      assert.same({ mine, "" }, { rows_in(there, "acme"), rows_in(empty, "acme") })
    end
    assert.is_true(failed >= 4)
  end)
end)
