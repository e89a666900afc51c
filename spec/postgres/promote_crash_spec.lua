--- promote_crash_spec: `rille promote` is killed at any moment and run again until it ends; both sides are then the
-- same, as if nothing had been killed.  RILLE_SPEC_URL names a server, RILLE_CRASH_ROUNDS says how often it is killed.
local Database = require "spec.support.database"
local Killing = require "spec.support.killing"
local Project = require "spec.support.project"

local KILLS <const> = Killing.rounds(60, 8)
local POSTS <const> = 12000

local CONFIG = [[return { connections = { main = { database = "main.db" } } }]]

local TABLES = [[return {
  up = function(s, db)
    s:create("posts", function(t)
      t:id()
      t:string("slug"):unique()
      t:json("meta"):nullable()
      t:blob "data"
      t:references("parent", "posts"):nullable()
    end)
    s:create("tags", function(t) t:id() t:string "name" end)
    db:insert("tags", { { name = "x" }, { name = "y" } })
    s:create("empty", function(t) t:id() t:references("tag", "tags") end)
  end,
  down = function(s) s:drop "empty" s:drop "tags" s:drop "posts" end,
}]]
local MORE = [[return { transaction = false,
  up = function(s)
    s:create("post_tags", function(t)
      t:references("post", "posts")
      t:references("tag", "tags")
      t:integer("place"):index()
      t:primary { "post_id", "tag_id" }
    end)
    s:table("posts", function(t) t:index("data", { concurrently = true }) end)
  end,
  down = function(s) s:table("posts", function(t) t:drop_index "data" end) s:drop "post_tags" end,
}]]

local FILL = ([[local db = require "rille".db "main"
  db:execute "create table loose (id integer primary key, name text unique, post_id integer references posts (id))"
  db:transaction(function()
    for i = 1, %d do
      db:insert("posts", { id = i, slug = "s" .. i, data = ("%%09d"):format(i * 7919 %% 1000003):rep(20),
        meta = i %% 3 == 0 and '{"n":' .. i .. '}' or require "rille".null,
        parent_id = i > 3 and i - 3 or require "rille".null })
      db:insert("post_tags", { post_id = i, tag_id = i %% 2 + 1, place = i })
      db:insert("loose", { name = "l" .. i, post_id = i })
    end
    db:execute "update tags set name = name || '!'"
  end)]]):format(POSTS)

-- The same of both, by independent programs: { SQLite, PostgreSQL }.
local ASK <const> = {
  { "select id, slug, json_extract(meta, '$.n'), lower(hex(data)), parent_id from posts order by id",
    "select id, slug, meta->>'n', encode(data, 'hex'), parent_id from posts order by id" },
  { "select * from tags order by id" }, { "select * from post_tags order by post_id, tag_id" },
  { "select * from loose order by id" }, { "select count(*) from empty" },
  { "select name, checksum, batch, duration_ms from rille_migrations order by name" },
}

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close(), command)
  return text
end

describe("a promotion that is killed at any moment", function()
  local project, url
  setup(function()
    project = Project.new { ["rille.config.lua"] = CONFIG, ["migrations/0001_tables.lua"] = TABLES,
      ["migrations/0002_more.lua"] = MORE, ["fill.lua"] = FILL }
    for _, command in ipairs { "migrate", "run fill.lua" } do
      local status, out = project:run(command)
      assert.equal(0, status, out)
    end
    url = Database.settings().url
  end)
  teardown(function() project:remove() end)

  local function psql(sql)
    return output(("unset LD_PRELOAD; psql '%s' -XqAt -v ON_ERROR_STOP=1 -c %q"):format(url, sql))
  end

  local function check()
    for _, ask in ipairs(ASK) do
      local here = output(("sqlite3 '%s/main.db' %q"):format(project.path, ask[1]))
      assert.equal(here, psql(ask[2] or ask[1]), ask[1])
    end
    assert.equal("5\n", psql [[select count(*) from pg_constraint where contype = 'f' and convalidated
      and connamespace = current_schema()::regnamespace]])
    assert.equal(POSTS + 1 .. "\n", psql "insert into posts (slug, data) values ('next', '') returning id")
  end

  it("ends the same as one that is not", function()
    local rille = require "rille"
    rille.configure { connections = { main = Database.settings() } }
    local command = ("promote --to '%s'"):format(url)
    Database.empty(rille.db())
    local seconds = Killing.time(project, command)
    check()
    local killed, tried = 0, 0
    while killed < KILLS and tried < KILLS + 10 do       -- one that is quicker than the first may not be killed at all
      Database.empty(rille.db())
      killed, tried = killed + Killing.run(project, command, seconds, nil, KILLS - killed), tried + 1
      check()
    end
    assert.is_true(killed > 0)
    rille.close()
  end)
end)
