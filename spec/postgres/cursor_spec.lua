--- postgres/cursor_spec: a cursor asks the server for some hundred rows at a time; RILLE_SPEC_URL names a server.
local Cluster = require "spec.support.cluster"
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local ROWS <const> = 2000

local db, Post

before_each(function()
  db = world.fresh("create table posts (id integer primary key autoincrement, title TEXT, views INTEGER)")
  Post = rille.model "Post" {}
  local rows = {}
  for i = 1, ROWS do rows[i] = { title = "post " .. i, views = i } end
  Post:insert(rows)
end)

--- The sum of the ids that a cursor gives; `each` is called with each post and how many came so far.
local function sum_of(query, each)
  local sum, rows = 0, 0
  for post in query:order_by("id"):cursor() do
    sum, rows = sum + post.id, rows + 1
    if each then each(post, rows) end
  end
  return sum
end

local ALL <const> = ROWS * (ROWS + 1) // 2

describe("a cursor", function()
  it("gives all rows beside whatever else its loop does", function()
    assert.equal(ALL, sum_of(Post:query()))
    assert.equal(ALL, sum_of(Post:query(), function(post, rows)
      if rows % 300 == 7 then assert.equal(post.title, Post:find(post.id).title) end
    end))
    assert.equal(ALL, sum_of(Post:query(), function(post)
      if post.id % 500 == 0 then post:update { title = "seen" } end
    end))
    assert.equal(ROWS // 500, Post:where("title", "seen"):count())
    assert.equal(ALL, sum_of(Post:query(), function(_, rows)
      if rows == 30 or rows == 1000 then assert.equal(ALL, sum_of(Post:query())) end
    end))
    assert.equal(ALL - ROWS, sum_of(Post:where("id", "<", ROWS)))
  end)

  it("gives the same in a transaction, which goes on behind it, left early or not", function()
    rille.transaction(function()
      Post:create { title = "new" }
      assert.equal(ALL + ROWS + 1, sum_of(Post:query()))
      for post in Post:order_by("id"):cursor() do if post.id == 700 then break end end
      collectgarbage()
      assert.equal(ALL + ROWS + 1, sum_of(Post:query(), function(_, rows)
        if rows == 100 then
          pcall(rille.transaction, function()
            Post:where("id", ">", 10):delete()
            error "undo"
          end)
        end
      end))
      db:execute "alter table posts add column note text"
    end)
    assert.equal(ROWS + 1, Post:count())
  end)

  it("is told of once, as the statement that it is", function()
    local heard = world.heard(function() sum_of(Post:where("views", ">", 0)) end)
    assert.equal(1, #heard)
    assert.matches('^select .*from "posts"', heard[1].sql)
    assert.same({ 0 }, heard[1].params)
  end)

  it("leaves no transaction behind in a coroutine that nobody resumes, nor one that failed", function()
    local pid = db:query "select pg_backend_pid() as pid"[1].pid
    for way = 1, 2 do
      local co = coroutine.create(function()
        for post in Post:order_by("id"):cursor() do
          if way == 2 and post.id == 50 then error "stop" end
          if post.id == 100 then coroutine.yield() end
        end
      end)
      assert.equal(way == 1, (coroutine.resume(co)))
      co = nil                                             -- luacheck: ignore 311
      collectgarbage()
      collectgarbage()
      local other <close> = world.beside(db)
      local found = other:query("select count(*) as n from pg_stat_activity where datname = current_database() and " ..
        "state <> 'idle' and pid <> pg_backend_pid() and query like '%rille_cursor%'")
      assert.equal(0, found[1].n)
    end
    assert.equal(pid, db:query "select pg_backend_pid() as pid"[1].pid)
  end)

  it("says that its rows were taken away on a replica, as something to be tried again", function()
    local cluster = Cluster.start(1)
    finally(function()
      rille.close()
      cluster:destroy()
    end)
    cluster:sql(1, "alter system set max_standby_streaming_delay = '200ms'")
    cluster:sql(1, "select pg_reload_conf()")
    rille.configure { default = "primary", connections = { primary = cluster.urls[0], replica = cluster.urls[1] } }
    local primary, replica = rille.db "primary", rille.db "replica"
    primary:execute "create table posts as select i as id from generate_series(1, 2000) i"
    cluster:catch_up()
    local rows = 0
    local e = refused("serialization_failure", function()
      for _ in replica:table("posts"):order_by("id"):cursor() do
        rows = rows + 1
        if rows == 30 then
          primary:execute "delete from posts"
          primary:execute "vacuum posts"
          cluster:catch_up()                               -- which waits until nobody is in the way
        end
      end
    end)
    assert.matches("conflict with recovery", e.message)
    assert.is_true(rows >= 30 and rows < ROWS)
    assert.equal(1, replica:query "select 1 as n"[1].n)
  end)
end)
