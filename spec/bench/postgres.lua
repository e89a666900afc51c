--- postgres: the works of postgres.c through models; usage: rille run postgres.lua WORK URL [SIDE [REPLICA_URL]].
-- Two have no counterpart in C: `pg_token` creates records in a session, whose token each commit tells, and without one
-- (SIDE hand); `pg_replica` finds in a session, which reads at the replica, and at the replica itself.
local rille = require "rille"
local core = require "rille.core"

local FINDS, QUERIES, CREATES, INSERTS, POSTS, TOKENS = 20000, 5000, 10000, 100000, 100000, 2000
local SINCE <const> = "2024-01-31T07:06:40.000000Z"

local function random_from(state)
  return function(below)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % below
  end
end

local works, Post, User, Event = {}, nil, nil, nil

function works.pg_find()
  local random, sum = random_from(42), 0
  return function()
    for _ = 1, FINDS do sum = sum + Post:find(random(POSTS) + 1).views end
    return FINDS, sum
  end
end

function works.pg_all()
  return function()
    local posts, sum = Post:all(), 0
    for _, post in ipairs(posts) do sum = sum + post.views + #post.title + #post.status end
    return #posts, sum, posts
  end
end

function works.pg_query()
  local random, rows, sum = random_from(7), 0, 0
  return function()
    for _ = 1, QUERIES do
      local found = Post:where("author_id", random(10000) + 1):where("status", "published")
        :where("views", ">", random(50000)):where("created_at", ">=", SINCE):order_by("views", "desc"):limit(10):all()
      for place, post in ipairs(found) do sum = sum + post.id * place end
      rows = rows + #found
    end
    return rows, sum
  end
end

function works.pg_create()
  local body, sum = ("x"):rep(200), 0
  return function()
    rille.transaction(function()
      for i = 1, CREATES do
        local post = Post:create { author_id = i, title = "A new post " .. i, body = body, status = "draft", views = i }
        sum = sum + (post.id > 0 and i or 0)
      end
    end)
    return CREATES, sum
  end
end

function works.pg_insert()
  local body, rows, sum = ("x"):rep(200), {}, 0
  for i = 1, INSERTS do
    rows[i] = { author_id = i % 10000 + 1, title = "An inserted post " .. i, body = body, status = "published",
      views = i, created_at = SINCE, updated_at = SINCE }
  end
  return function()
    local inserted = Post:insert(rows)
    for i = 1, #rows do sum = sum + rows[i].views end
    return inserted, sum
  end
end

function works.pg_cursor()
  return function()
    local rows, sum = 0, 0
    for event in Event:query():cursor() do rows, sum = rows + 1, sum + event.amount end
    return rows, sum
  end
end

function works.pg_graph()
  return function()
    local users = User:where("id", "<=", 1000):order_by("id"):with {
      posts = function(q) return q:order_by "id" end, "posts.tags",
    }:all()
    local rows, sum = #users, 0
    for _, user in ipairs(users) do
      local posts = user.posts
      sum, rows = sum * 31 + #user.name, rows + #posts
      for _, post in ipairs(posts) do
        local tags = post.tags
        sum, rows = sum * 31 + #post.title + post.views, rows + #tags
        for _, tag in ipairs(tags) do sum = sum * 31 + #tag.name end
      end
    end
    return rows, sum, users
  end
end

--- In a session, or without one.
local function in_session(side, fn)
  if side == "hand" then return fn end
  local session = rille.session.start()
  return function() return session:run(fn) end
end

function works.pg_token(side)
  local body = ("x"):rep(200)
  return in_session(side, function()
    for i = 1, TOKENS do
      Post:create { author_id = i, title = "A new post " .. i, body = body, status = "draft", views = i }
    end
    return TOKENS, TOKENS
  end)
end

function works.pg_replica(side)
  local random, sum = random_from(42), 0
  return in_session(side, function()
    for _ = 1, FINDS // 2 do sum = sum + Post:find(random(POSTS) + 1).views end
    return FINDS // 2, sum
  end)
end

local function peak_kib()
  local file <close> = assert(io.open("/proc/self/status"))
  return math.tointeger(tonumber(file:read("a"):match("VmHWM:%s*(%d+)")))
end

local name, url, side, replica = ...
if name == "version" then
  return print(rille.connect(url):query "show server_version"[1].server_version)
end
local at_replica = name == "pg_replica" and side ~= "hand"
rille.configure { default = "main", connections = { main = {
  driver = "postgres", url = name == "pg_replica" and side == "hand" and replica or url,
  replicas = at_replica and { replica } or nil } } }
Post = rille.model "Post" { relations = { tags = rille.belongs_to_many("Tag", { pivot = "post_tags",
  order_by = "id" }) } }
User = rille.model "User" { relations = { posts = rille.has_many("Post", { foreign_key = "author_id" }) } }
Event = rille.model "Event" {}
local Tag = rille.model "Tag" {}
local run = assert(works[name], "no such work")(side)
assert(Post:first() and User:first() and Tag:first() and Event:first())   -- the catalog has been read
collectgarbage()
local before, started = peak_kib(), core.monotonic_ms()
local rows, sum, kept = run()
local ms = core.monotonic_ms() - started
assert(kept == nil or #kept > 0)
print(("ms=%.3f rows=%d sum=%d peak_kib=%d growth_kib=%d"):format(ms, rows, sum, peak_kib(), peak_kib() - before))
