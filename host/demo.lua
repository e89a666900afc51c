--- demo: fills the publication if it is empty, then shows some queries, the SQL that they became, and how long it took.
-- Started by demo.sh; by hand: build/release/rille run host/demo.lua
local rille = require "rille"
local core = require "rille.core"
local printer = require "rille.repl.printer"

local SQL_BYTES_MAX = 240        -- of a statement shown

local models = {
  Organization = require "models.organization", User = require "models.user", Post = require "models.post",
  Comment = require "models.comment", Tag = require "models.tag", PostTag = require "models.post_tag",
}

-- What to show: why, and the Lua for it, which is run as it stands here.
local STEPS = {
  { "A record by its key; `settings` is JSON in the database and a table here.",
    [[Organization:find(3)]] },
  { "Scopes chain; each call is a new query, and nothing is read before the end of the chain.",
    [[Post:published():in_org(3):newest():select("id", "title", "published_at"):limit(3):all()]] },
  { "A subquery: posts that have tag 18, by way of post_tags.",
    [[Post:tagged(18):published():count()]] },
  { "Relations, each in one statement; a limit counts for each post.",
    [[Post:published():in_org(3):newest():limit(2):select("id", "title", "author_id"):with("author", "tags", {
      comments = function(query) return query:order_by_desc("votes"):limit(2) end,
    }):all():map(function(post)
      return { title = post.title, author = post.author.name, tags = post.tags:pluck("name"),
        best = post.comments:pluck("votes") }
    end)]] },
  { "A relation that is read is loaded for all that came together: two statements, not eleven.",
    [[User:staff():limit(10):all():map(function(user) return #user.posts end)]] },
  { "Counts beside the rows, and conditions about what is related; each is a part of the same statement.",
    [[Post:published():where_has("comments", ">=", 10):with_count {
      "tags", comments = function(query) return query:where("approved", false) end,
    }:order_by_desc("comments_count"):limit(3):all():map(function(post)
      return { id = post.id, tags = post.tags_count, waiting = post.comments_count }
    end)]] },
  { "Groups: the publishers with the most readers.",
    [[Post:select("org_id"):select_raw("count(*) as posts, sum(views) as views"):group_by("org_id")
      :having_raw("sum(views) > ?", 300000):order_by_raw("sum(views) desc"):limit(4):all()]] },
  { "Into JSON columns.",
    [[Post:written_in("de"):popular(5000):select("title", "views", "meta"):limit(2):all()]] },
  { "A predicate as text, parsed into the same tree; its values are bound.",
    [[Comment:filter("votes >= :votes and approved = true and body like '%map%'", { votes = 20 })
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
      local post = Post:with("tags"):find(3)
      local changed = post:relation("tags"):sync { { post.tags[1].id, position = 2 }, { 18, position = 1 } }
      return { attached = changed.attached, detached = changed.detached, updated = changed.updated,
        tags = post.tags:map(function(tag) return tag.pivot.position .. " " .. tag.name end) }
    end)()]] },
  { "What the model's rules refuse is not written; the answer says why, by field.",
    [[select(2, User:create { org_id = 3, email = "nobody" }).fields]] },
  { "A hook of the model has the last word.",
    [[select(2, Comment:create { org_id = 3, post_id = Post:where("status", "archived"):first().id, body = "…" })]] },
  { "Two editors, one post: the second is told, and overwrites nothing.",
    [[(function()
      local mine, theirs = Post:find(7), Post:find(7)
      theirs:update { title = "Their title" }
      return mine:update { title = "My title" }
    end)()]] },
  { "A deletion that can be taken back, for every query sees to it by itself.",
    [[(function()
      local post = Post:find(7)
      post:delete()
      local gone = Post:find(7) == nil
      return { gone = gone, kept = Post:only_trashed():where("id", 7):exists(), restored = post:restore().id }
    end)()]] },
  { "Ten thousand rows, one at a time, in constant memory.",
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

local function indented(text)
  return "    " .. text:gsub("\n", "\n    ")
end

--- Plain output, as wide as it needs.
local SHOW = { width = math.huge, paint = function(_, text) return text end }

--- One step: its Lua, its statements with their times, its result or its error.
local function show(number, why, code)
  print(("\n%d. %s\n"):format(number, why))
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
local function tour()
  local tx <close> = rille.begin()
  for number, step in ipairs(STEPS) do show(number, step[1], step[2]) end
  tx:rollback()
end

dofile "migrations/seeds/publication.lua"(rille)
print(("%d publishers, %d people, %d posts, %d comments"):format(
  models.Organization:count(), models.User:count(), models.Post:with_trashed():count(), models.Comment:count()))
tour()
