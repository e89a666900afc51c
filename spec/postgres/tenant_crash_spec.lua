--- postgres/tenant_crash_spec: `tenants:extract` and `tenants:absorb` between a file and a server, or two databases of
-- a server, are killed at any moment and run again until they end; each row is then where it would be had nothing been
-- killed, once, and as it was.  RILLE_SPEC_URL names the server, RILLE_CRASH_ROUNDS says how often in each direction.
local Moves = require "spec.support.tenancy.moves"
local Project = require "spec.support.project"
local core = require "rille.core"

local IN_DEV <const> = (os.getenv "RILLE_BUILD" or ""):find "dev$" ~= nil          -- where all is several times slower
local ROUNDS <const> = tonumber(os.getenv "RILLE_CRASH_ROUNDS") or IN_DEV and 1 or 2
local POSTS <const>, BYTES <const> = 400, 1000
local KILLS_MAX <const> = 12                   -- of one move: from then on it is left alone

local TABLES <const> = [[return {
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

local FILL <const> = ([[local db = require "rille".db "main"
  db:insert("tags", { { id = 1, name = "x" }, { id = 2, name = "y" } })
  db:transaction(function()
    for i = 1, %d do
      db:insert("posts", { id = i, org_id = i %% 3 == 0 and "globex" or "acme", slug = "s" .. i,
        data = ("%%09d"):format(i * 7919 %% 1000003):rep(%d), parent_id = i > 3 and i - 3 or require "rille".null })
      db:insert("post_tags", { post_id = i, tag_id = i %% 2 + 1, place = i })
    end
  end)]]):format(POSTS, BYTES // 9)

--- Every row of a tenant, in the words of each.
local function rows_of(slug)
  local function ask(hex)
    return ([[select 'post', id, org_id, slug, %s, parent_id from posts where org_id = '%s' order by id;
      select 'tag', p.post_id, p.tag_id, p.place from post_tags p join posts on posts.id = p.post_id
      where org_id = '%s' order by 2, 3, 4]]):format(hex, slug, slug)
  end
  return { sqlite = ask "lower(hex(data))", postgres = ask "encode(data, 'hex')" }
end

local TAGS <const> = { sqlite = "select count(*) from post_tags", postgres = "select count(*) from post_tags" }

--- The configuration as a text.
local function as_text(value)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local parts = {}
  for key, each in pairs(value) do parts[#parts + 1] = ("%s = %s"):format(key, as_text(each)) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

for _, pair in ipairs(Moves.PAIRS) do
  describe(("a move between %s and %s that is killed at any moment"):format(pair[1], pair[2]), function()
    local project, moves

    before_each(function()
      project = Project.new { ["migrations/0001_tables.lua"] = TABLES, ["fill.lua"] = FILL }
      moves = Moves.new(pair[1], pair[2], project.path)
      project:write("rille.config.lua", "return " .. as_text(moves:config()))
      for _, command in ipairs { "migrate", "run fill.lua" } do
        local status, out = project:run(command)
        assert.equal(0, status, out)
      end
    end)
    after_each(function() moves:remove() end)

    local function there(slug) return moves:ask(nil, rows_of(slug)) end
    local function here() return moves:ask("acme", rows_of "acme") end

    --- Run the command, killed after some seconds; was it done by then?
    local function run_for(command, seconds)
      return os.execute(("cd '%s' && timeout --foreground -s KILL %.4f '%s' %s >>log 2>&1 </dev/null"):format(
        project.path, seconds, os.getenv "RILLE", command)) == true
    end

    --- How long it takes when it is left alone, in seconds.
    local function time_of(command)
      local began = core.monotonic_ms()
      local status, out = project:run(command)
      assert.equal(0, status, out)
      return (core.monotonic_ms() - began) / 1000
    end

    --- Kill it until it is done; how often it was killed.
    local function move(command, seconds, mine)
      local kills = 0
      while kills < KILLS_MAX and not run_for(command, math.random() * seconds * 1.2) do
        kills = kills + 1
        assert.is_true(there "acme" == mine or here() == mine, command .. ": neither side has all")
      end
      time_of(command)                                     -- whatever a last kill left; else it does nothing
      return kills
    end

    it("loses nothing and doubles nothing, in either direction", function()
      local mine, others, kills = there "acme", there "globex", 0
      assert.is_true(#mine > BYTES * 100)
      local seconds = { out = time_of "tenants:extract acme", back = time_of "tenants:absorb acme" }
      local round = 0
      while round < ROUNDS or kills < ROUNDS and round < 5 * ROUNDS do     -- a quick one is not killed at all
        round = round + 1
        kills = kills + move("tenants:extract acme", seconds.out, mine)
        assert.same({ "", mine, others, POSTS // 3 .. "\n" },
          { there "acme", here(), there "globex", moves:ask(nil, TAGS) }, "out, round " .. round)
        kills = kills + move("tenants:absorb acme", seconds.back, mine)
        assert.same({ mine, "", others, POSTS .. "\n", "0\n" },
          { there "acme", here(), there "globex", moves:ask(nil, TAGS), moves:ask("acme", TAGS) },
          "back, round " .. round)
      end
      if os.getenv "RILLE_CRASH_ROUNDS" then print(("%d rounds, %d kills"):format(ROUNDS, kills)) end
      assert.is_true(kills >= ROUNDS)
    end)
  end)
end
