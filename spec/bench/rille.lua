--- rille: the works of raw.c through models; usage: rille run rille.lua WORK|settings DB [MODE]: snapshot, plain, hand
-- or none.
-- Each work says what it needs before the clock runs (`prepare`), what it does while the clock runs (`run`, which gives
-- rows, sum and what must outlive the clock), what a text that it wrote amounts to (`check`, after the clock), and of
-- which model one row is read to know the table beforehand (`warm`).  A work of several sides is a function of one of
-- them: "rille", "hand" or "none".
-- No setting of the collector is touched: what a work drops on the way is collected on the way.
local rille = require "rille"
local core = require "rille.core"

local USERS, POSTS, BODY_BYTES = 10000, 100000, 200

---@class rille.bench.Work
---@field warm string?
---@field prepare (fun(): any)?
---@field run fun(given: any): integer, integer, any
---@field check (fun(text: string): string)?

---@type table<string, rille.bench.Work>
local WORKS = {}

--- The sequence of bench_random in common.c.
---@return fun(below: integer): integer
local function random_from(state)
  return function(below)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % below
  end
end

local function random_ids(n)
  local random, ids = random_from(42), {}
  for i = 1, n do ids[i] = random(POSTS) + 1 end
  return ids
end

--- The moment that post `id` was created at, as data.c wrote it.
local function post_time(id)
  return os.date("!%Y-%m-%dT%H:%M:%S.000000Z", 1700000000 + id * 600)
end

local Post, Event, User = rille.model "Post" {}, rille.model "Event" {}, rille.model "User" {}

WORKS.find = {
  warm = "Post",
  prepare = function() return random_ids(100000) end,
  run = function(ids)
    local rows, sum = 0, 0
    for i = 1, #ids do
      local post = Post:find(ids[i])
      rows, sum = rows + 1, sum + post.views
    end
    return rows, sum
  end,
}

WORKS.all = {
  warm = "Post",
  run = function()
    local posts = Post:all()
    local sum = 0
    for _, post in ipairs(posts) do
      sum = sum + #post.title + post.views
      if post.status == "published" then sum = sum + 1 end
    end
    return #posts, sum, posts
  end,
}

WORKS.query = {
  warm = "Post",
  prepare = function()
    local random, searches = random_from(7), {}
    for i = 1, 20000 do
      searches[i] = { author_id = random(USERS) + 1, views = random(50000), since = post_time(25000 + random(75000)) }
    end
    return searches
  end,
  run = function(searches)
    local rows, sum = 0, 0
    for _, search in ipairs(searches) do
      local found = Post:where("author_id", search.author_id):where("status", "published")
        :where("views", ">", search.views):where("created_at", ">=", search.since)
        :order_by("views", "desc"):limit(10):all()
      for place, post in ipairs(found) do sum = sum + post.id * place end
      rows = rows + #found
    end
    return rows, sum
  end,
}

WORKS.create = {
  warm = "Post",
  prepare = function() return ("x"):rep(BODY_BYTES) end,
  run = function(body)
    local sum = 0
    rille.transaction(function()
      for i = 1, 10000 do
        local post = Post:create { author_id = i, title = "A new post " .. i, body = body, status = "draft", views = i }
        sum = sum + post.id
      end
    end)
    return 10000, sum
  end,
}

WORKS.insert = {
  warm = "Post",
  prepare = function()
    local body, time, rows = ("x"):rep(BODY_BYTES), post_time(0), {}
    for i = 1, 100000 do
      rows[i] = { author_id = i % USERS + 1, title = "An inserted post " .. i, body = body, status = "published",
                  views = i, created_at = time, updated_at = time }
    end
    return rows
  end,
  run = function(rows)
    local inserted, sum = Post:insert(rows), 0
    for i = 1, #rows do sum = sum + rows[i].views end
    return inserted, sum
  end,
}

WORKS.save = {
  warm = "Post",
  prepare = function() return random_ids(10000) end,
  run = function(ids)
    local rows, sum = 0, 0
    rille.transaction(function()
      for _, id in ipairs(ids) do
        local post = Post:find(id)
        post.views = post.views + 1
        assert(post:save())
        rows, sum = rows + 1, sum + post.views
      end
    end)
    return rows, sum
  end,
}

WORKS.cursor = {
  warm = "Event",
  run = function()
    local rows, sum = 0, 0
    for event in Event:query():cursor() do
      rows, sum = rows + 1, sum + event.amount
    end
    return rows, sum
  end,
}

WORKS.json = {
  warm = "Post",
  prepare = function()
    local set_relation = require "rille.record.state".set_relation
    local posts, authors = Post:where("id", "<=", 10000):order_by("id"):all(), User:all():key_by "id"
    for _, post in ipairs(posts) do set_relation(post, "author", authors[post.author_id]) end
    return posts
  end,
  run = function(posts)
    local text = posts:to_json()
    return #posts, #text, text
  end,
  check = function(text)
    local sum = #text
    for at = 1, #text, 8 do
      local word = string.unpack("<i8", text:sub(at, at + 7) .. ("\0"):rep(at + 7 - #text))
      sum = (sum ~ word) * 6364136223846793005 + 1442695040888963407
    end
    return (" check=%016x"):format(sum)
  end,
}

--- The settings of the connection in the words of raw.c, so that the two can be compared as text.
local function settings()
  local db, words = rille.db(), {}
  for _, name in ipairs { "journal_mode", "synchronous", "mmap_size", "foreign_keys", "cache_size", "page_size",
                          "temp_store", "locking_mode" } do
    local _, value = next(db:query("pragma " .. name)[1])
    words[#words + 1] = name .. "=" .. tostring(value)
  end
  local library = db:query("select sqlite_version() as version, sqlite_source_id() as source")[1]
  local options = {}
  for i, row in ipairs(db:query "pragma compile_options") do options[i] = row.compile_options end
  return table.concat(words, " ") .. (" sqlite=%s source=%s\n"):format(library.version, library.source)
    .. table.concat(options, " ")
end

---@return integer  the largest resident size that this process ever had
local function peak_kib()
  local file <close> = assert(io.open("/proc/self/status"))
  return math.tointeger(tonumber(file:read("a"):match("VmHWM:%s*(%d+)")))
end

---@return string  what raw.c prints after the same work
local function measure(work, in_snapshot)
  local given = work.prepare and work.prepare()
  if work.warm then assert((work.warm == "Post" and Post or Event):first()) end
  collectgarbage()
  local rows, sum, kept
  local function run() rows, sum, kept = work.run(given) end
  local peak_before = peak_kib()
  local started = core.monotonic_ms()
  if in_snapshot then rille.snapshot(run) else run() end
  local ms = core.monotonic_ms() - started
  local peak = peak_kib()
  assert(kept == nil or work.check or #kept == rows)
  return ("ms=%.3f rows=%d sum=%d peak_kib=%d growth_kib=%d"):format(ms, rows, sum, peak, peak - peak_before)
    .. (work.check and work.check(kept) or "")
end

local function main(name, path, mode)
  local function connection(database, mirror)
    return {
      driver = "sqlite", database = database, synchronous = os.getenv "BENCH_SYNCHRONOUS" or "normal", mirror = mirror,
      mmap_bytes = math.tointeger(tonumber(os.getenv "BENCH_MMAP")),
      cache_kib = math.tointeger(tonumber(os.getenv "BENCH_CACHE_KIB")),
    }
  end
  local mirrored = name:find "^mirror_" and mode ~= "plain"
  rille.configure { default = "main", mirror_background = false, connections = {
    main = connection(path, mirrored and "aside" or nil), aside = connection(path .. "-mirror"),
  } }
  if name == "settings" then return print(settings()) end
  local second = dofile(arg[0]:match "^(.*)/" .. "/second.lua")
  local work = WORKS[name] or second({ Post = Post, User = User })[name]
    or dofile(arg[0]:match "^(.*)/" .. "/third.lua")[name] or dofile(arg[0]:match "^(.*)/" .. "/mirror.lua")[name]
  if type(work) == "function" then
    work = work(mode or "rille")
  elseif not work or (mode and mode ~= "snapshot" and mode ~= "plain") then
    io.stderr:write("usage: rille run rille.lua WORK|settings DB [snapshot|plain|hand|none]\n")
    os.exit(2)
  end
  print(measure(work, mode == "snapshot"))
end

main(...)
