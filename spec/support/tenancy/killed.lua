--- tenancy.killed: a project whose tenants' rows move while that is killed at any moment, for specs of what then holds
-- whatever is at the two ends.
local assert = require "luassert"
local Killing = require "spec.support.killing"
local Moves = require "spec.support.tenancy.moves"
local Project = require "spec.support.project"

local Killed = {}
Killed.__index = Killed

local POSTS <const>, BYTES <const> = 400, 2000

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

--- What is broken, and how many rows there are of everybody's.
local TAGS <const> = {
  sqlite = [[select * from pragma_integrity_check where integrity_check <> 'ok'; pragma foreign_key_check;
    select count(*) from post_tags]],
  postgres = "select count(*) from post_tags",
}

--- The configuration as a text.
local function as_text(value)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local parts = {}
  for key, each in pairs(value) do parts[#parts + 1] = ("%s = %s"):format(key, as_text(each)) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- The tenants acme and globex have rows among all.
---@param pair string[]  as spec.support.tenancy.moves has them
function Killed.new(pair)
  local project = Project.new { ["migrations/0001_tables.lua"] = TABLES, ["fill.lua"] = FILL }
  local self = setmetatable({ project = project, moves = Moves.new(pair[1], pair[2], project.path) }, Killed)
  project:write("rille.config.lua", "return " .. as_text(self.moves:config()))
  for _, command in ipairs { "migrate", "run fill.lua" } do Killing.time(project, command) end
  return self
end

function Killed:remove() self.moves:remove() end

--- What an independent program says of a tenant's rows among all, and of those of acme in its own database.
function Killed:there(slug) return self.moves:ask(nil, rows_of(slug)) end
function Killed:here() return self.moves:ask("acme", rows_of "acme") end

--- Kill a move until it ends; how often, and how often both sides had all when it was.
local function move(self, word, seconds, mine)
  local in_both = 0
  local kills = Killing.run(self.project, ("tenants:%s acme"):format(word), seconds, function()
    local there, here = self:there "acme", self:here()
    assert.is_true(there == mine or here == mine, word .. ": neither side has all")
    if there == here then in_both = in_both + 1 end
  end)
  return kills, in_both
end

--- Move acme's rows out and back in rounds; none is lost and none doubled, whenever that is killed.
---@param rounds integer   so often it is killed at least
function Killed:try(rounds)
  local mine, others, seconds, in_both = self:there "acme", self:there "globex", {}, 0
  assert.is_true(#mine > BYTES * 100)
  for _, word in ipairs { "extract", "absorb" } do
    seconds[word] = Killing.time(self.project, ("tenants:%s acme"):format(word))
  end
  local kills = Killing.rounds_of(rounds, function(round)
    local out, out_in_both = move(self, "extract", seconds.extract, mine)
    assert.same({ "", mine, others, POSTS // 3 .. "\n" },
      { self:there "acme", self:here(), self:there "globex", self.moves:ask(nil, TAGS) }, "out, round " .. round)
    local back, back_in_both = move(self, "absorb", seconds.absorb, mine)
    assert.same({ mine, "", others, POSTS .. "\n", "0\n" }, { self:there "acme", self:here(), self:there "globex",
      self.moves:ask(nil, TAGS), self.moves:ask("acme", TAGS) }, "back, round " .. round)
    in_both = in_both + out_in_both + back_in_both
    return out + back
  end)
  if os.getenv "RILLE_CRASH_ROUNDS" then
    print(("%d rounds, %d kills, %d between two steps"):format(rounds, kills, in_both))
  end
end

return Killed
