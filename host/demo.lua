--- demo: fills the publication if it is empty, then shows some queries, the SQL that they became, and how long it took.
-- Twenty publishers share it, each a tenant: what follows is done as one of them and so sees the rows of that one.
-- Started by demo.sh; by hand: build/release/rille run host/demo.lua, with STRATEGY=row before it; `tenants` behind it
-- shows the steps about tenants alone.
local rille = require "rille"
local core = require "rille.core"
local printer = require "rille.repl.printer"

local SQL_BYTES_MAX = 240        -- of a statement shown
local TENANT = "northgate-courier"

local models = {
  Organization = require "models.organization", User = require "models.user", Post = require "models.post",
  Comment = require "models.comment", Tag = require "models.tag", PostTag = require "models.post_tag",
}

-- What to show: why, and the Lua for it, which is run as it stands here.
local STEPS = {
  { "A record; `settings` is JSON in the database and a table here.",
    [[Organization:where("slug", rille.tenant.current().slug):first()]] },
  { "Scopes chain; each call is a new query, and nothing is read before the end of the chain.",
    [[Post:published():newest():select("id", "title", "published_at"):limit(3):all()]] },
  { "A subquery: posts that have tag 18, by way of post_tags.",
    [[Post:tagged(18):published():count()]] },
  { "Relations, each in one statement; a limit counts for each post.",
    [[Post:published():newest():limit(2):select("id", "org_id", "title", "author_id"):with("author", "tags", {
      comments = function(query) return query:order_by_desc("votes"):limit(2) end,
    }):all():map(function(post)
      return { title = post.title, author = post.author.name, tags = post.tags:pluck("name"),
        best = post.comments:pluck("votes") }
    end)]] },
  { "A relation that is read is loaded for all that came together: two statements, however many there are.",
    [[User:staff():limit(10):all():map(function(user) return #user.posts end)]] },
  { "Counts beside the rows, and conditions about what is related; each is a part of the same statement.",
    [[Post:published():where_has("comments", ">=", 2):with_count {
      "tags", comments = function(query) return query:where("approved", false) end,
    }:order_by_desc("comments_count"):limit(3):all():map(function(post)
      return { id = post.id, tags = post.tags_count, waiting = post.comments_count }
    end)]] },
  { "Groups: the authors with the most readers.",
    [[Post:select("author_id"):select_raw("count(*) as posts, sum(views) as views"):group_by("author_id")
      :having_raw("sum(views) > ?", 10000):order_by_raw("sum(views) desc"):limit(4):all()]] },
  { "Into JSON columns.",
    [[Post:written_in("en"):popular(5000):select("title", "views", "meta"):limit(2):all()]] },
  { "A predicate as text, parsed into the same tree; its values are bound.",
    [[Comment:filter("votes >= :votes and approved = true and post.status = 'published'", { votes = 20 })
      :select("id", "votes", "body"):order_by_desc("votes"):limit(3):all()]] },
  { "A page by cursor: its price does not grow with the page's number.",
    [[User:active():order_by("name"):select("id", "name", "role"):cursor_paginate { per_page = 3 }.data]] },
  { "A save writes what changed and nothing else.",
    [[rille.transaction(function()
      local post = Post:drafts():first()
      post.title = "  The title, again  "
      post.meta.words.minutes = 3
      post:save()
      return post:fresh():to_table().title
    end)]] },
  { "Many-to-many: the row between the two keeps the tag's place; sync writes the difference.",
    [[(function()
      local post = Post:with("tags"):where_has("tags"):first()
      local changed = post:relation("tags"):sync { { post.tags[1].id, position = 2 }, { 18, position = 1 } }
      return { attached = changed.attached, detached = changed.detached, updated = changed.updated,
        tags = post.tags:map(function(tag) return tag.pivot.position .. " " .. tag.name end) }
    end)()]] },
  { "What the model's rules refuse is not written; the answer says why, by field.",
    [[select(2, User:create { email = "nobody" }).fields]] },
  { "A hook of the model has the last word.",
    [[select(2, Comment:create { post_id = Post:where("status", "archived"):first().id, body = "…" })]] },
  { "Two editors, one post: the second is told, and overwrites nothing.",
    [[(function()
      local mine, theirs = Post:find(3), Post:find(3)
      theirs:update { title = "Their title" }
      return mine:update { title = "My title" }
    end)()]] },
  { "A deletion that can be taken back, for every query sees to it by itself.",
    [[(function()
      local post = Post:find(3)
      post:delete()
      local gone = Post:find(3) == nil
      return { gone = gone, kept = Post:only_trashed():where("id", 3):exists(), restored = post:restore().id }
    end)()]] },
  { "All comments, one at a time, in constant memory however many there are.",
    [[(function()
      local votes = 0
      for comment in Comment:select("votes"):cursor() do votes = votes + comment.votes end
      return votes
    end)()]] },
  { "A typo never reaches the database.",
    [[Post:where("titel", "like", "The%"):all()]] },
  { "Neither does a delete that forgot its condition.",
    [[Comment:query():delete()]] },
}

-- Of tenants: the same whether all publishers share a database (STRATEGY=row) or each has its own (STRATEGY=database).
local TENANT_STEPS = {
  { "Which tenant this is; a request would say it by its host or path, see rille.tenant.resolver.",
    [[rille.tenant.current()]] },
  { "Its posts, and not those of the nineteen others: look at the SQL.",
    [[Post:count()]] },
  { "What is written is its own by itself.",
    [[Tag:create { name = "Local history" }.org_id]] },
  { "A post of somebody else is not there, by whatever way one comes to it.",
    [[{ by_key = Post:find(1) or "nothing", by_condition = Post:where("id", 1):or_where("id", 2):count(),
      by_comments = Comment:where_has("post", function(query) return query:where("id", 1) end):count() }]] },
  { "Nor can a row be given away.",
    [[Post:first():update { org_id = 1 }]] },
  { "Who has no tenant reads nothing (here another coroutine, which has none until it says so).",
    [[coroutine.wrap(function() return rille.try(function() return Post:find(3) end) end)()]] },
}

local function indented(text)
  return "    " .. text:gsub("\n", "\n    ")
end

--- Plain output, as wide as it needs.
local SHOW = { width = math.huge, paint = function(_, text) return text end }

--- One step: its Lua, its statements with their times, its result or its error.
local function show(number, why, code)
  print(("\n%s. %s\n"):format(number, why))
  print(indented("> " .. code))
  local stop = rille.on("query", function(query)
    local sql = #query.sql > SQL_BYTES_MAX and query.sql:sub(1, SQL_BYTES_MAX) .. " …" or query.sql
    print(indented(("  %s   -- %.3f ms"):format(sql, query.ms)))
  end)
  local chunk = assert(load("return " .. code, "=demo", "t", setmetatable({ rille = rille }, {
    __index = function(_, name) return models[name] or _G[name] end,
  })))
  local began = core.monotonic_ms()
  local result, err = rille.try(chunk)
  local took = core.monotonic_ms() - began
  stop()
  print(indented(err and tostring(err) or printer.format(result, SHOW)))
  print(indented(("(%.3f ms in all)"):format(took)))
end

--- Nothing that the tour writes stays.
local function tour(steps)
  local tx <close> = rille.begin()
  for number, step in ipairs(steps) do show(number, step[1], step[2]) end
  tx:rollback()
end

--- The rows of everybody, which is said model by model.
local function count_all(name)
  local class = models[name]
  return class:without_tenant_scope(function() return class:count() end)
end

local only_tenants = ... == "tenants"
if not only_tenants then
  dofile "migrations/seeds/publication.lua"(rille)
  print(("%d publishers, %d people, %d posts, %d comments; what follows is done as %s"):format(
    models.Organization:count(), count_all "User", count_all "Post", count_all "Comment", TENANT))
  rille.tenant.run(TENANT, tour, STEPS)
end
print(("\nTenants, strategy %s"):format(require "rille.config".current().tenancy.strategy))
rille.tenant.run(TENANT, tour, TENANT_STEPS)
