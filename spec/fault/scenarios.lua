--- scenarios: what a program in Lua does with a database while its memory runs out.
-- Loaded by lua_test.c once for each trial, with all of memory; `open` and a scenario's `run` are called without some
-- of it.
local core = require "rille.core"
local rille = require "rille"

for _, name in ipairs { "rille.query.find", "rille.record", "rille.rows", "rille.list", "rille.sql", "rille.json",
  "rille.record.data", "rille.tenant.stock", "rille.tenant.home", "rille.tenant.lookup", "rille.migrator",
  "rille.schema" } do
  require(name)
end

local Post = rille.model "Post" { casts = { meta = "json" } }

local Note = rille.model "Note" {
  relations = { post = rille.belongs_to("Post"), tags = rille.belongs_to_many("Tag") },
}
rille.model "Tag" {}
Post:has_many("notes", "Note", { order_by = "id" })

local Visit = rille.model "Visit" {}

local M = {}

M.base = {
  [[create table posts (id integer primary key autoincrement not null, title VARCHAR(255) not null,
    views INTEGER not null
    default 0, price DECIMAL(10,2), meta JSON TEXT, created_at DATETIME TEXT, updated_at DATETIME TEXT)]],
  "create unique index posts_title on posts (title)",
  "create table notes (id integer primary key, post_id integer)",
  "create table tags (id integer primary key)",
  "create table note_tag (note_id integer not null, tag_id integer not null)",
  "insert into notes values (1, 1), (2, 1), (3, 2)",
  "insert into tags values (1), (2)",
  "insert into note_tag values (1, 1), (1, 2), (3, 2)",
  "insert into posts (title, views, price) values ('one', 1, 12.5), ('two', 2, null), ('three', 3, 1)",
}

local opened = false
local resumed                                            -- { coroutine, database, another one }

--- The database of the models.
function M.open(path)
  rille.configure { connections = { main = { database = path, synchronous = "normal" } }, mirror_background = false }
  opened = true
end

--- Memory as Lua or as the core says that it is gone, or a transaction that was spoilt by it.
function M.is_memory_error(e)
  return rille.is_error(e, "out_of_memory") or rille.is_error(e, "transaction_aborted")
    or tostring(e):find("not enough memory", 1, true) ~= nil
    or rille.is_error(e, "migration") and e.message:find("out of memory", 1, true) ~= nil
end

-- -- tenants with databases of their own ----------------------------------------------------------------------------

local ACME <const>, FEW <const> = { id = 7, slug = "acme" }, 1

local function tenants_of(path) return path .. ".tenants" end

local function configure_tenants(path)
  rille.configure { connections = { main = { database = path, synchronous = "normal" } },
    migrations = "spec/fault/migrations",
    tenancy = { strategy = "database", fallback = "main", pattern = tenants_of(path) .. "/{slug}.db",
      pool = { max = FEW }, resolve = function(slug)
        assert(Post:count() == 3)                          -- no tenant is set while it looks
        return { id = ACME.id, slug = slug }
      end } }
end

--- Each tenant is whole or not there, nothing else lies beside them, and all can be made and dropped.
local function check_tenants(path)
  if not core.list_directory(tenants_of(path)) then return end
  configure_tenants(path)
  for _, each in ipairs(rille.tenant.list()) do
    rille.tenant.run(each.slug, function()
      local pages = Visit:pluck "page"
      assert(#pages <= 2 and (pages[1] or "first") == "first" and (pages[2] or "second") == "second")
    end)
    rille.tenant.drop(each.slug)
  end
  rille.tenant.create "acme"
  rille.tenant.drop "acme"
  assert(core.pool_stats().open == 0 and core.pool_stats().pinned == 0)
  for _, name in ipairs(core.list_directory(tenants_of(path))) do
    assert(name:find "^%.template%-%x+%.db$", name .. " was left")
    os.remove(tenants_of(path) .. "/" .. name)
  end
  os.remove(tenants_of(path))
end

--- There is one connection for two databases: a call in a coroutine that died on one of them must not hold it.
local function check_resumed()
  if not resumed then return end
  assert(coroutine.status(resumed[1]) == "dead")
  for _ = 1, 2 do
    for i = 2, 3 do assert(resumed[i]:query "select 1 as n"[1].n == 1) end
  end
  assert(core.pool_stats().pinned == 0 and core.pool_stats().open == 1)
  assert(coroutine.close(resumed[1]) ~= nil)
  assert(resumed[2]:query "select 2 as n"[1].n == 2)
end

--- After whatever happened the program goes on: the database can be read and written, and no transaction is open.
function M.go_on(path)
  if not opened then M.open(path) end                    -- it was connecting that failed
  assert(rille.db():_connect():depth() == 0, "a transaction is still open")
  rille.transaction(function()
    local post = Post:create { title = "probe", meta = { a = { 1, 2 } } }
    assert(Post:find(post.id).meta.a[2] == 2)
    post:delete()
  end)
  assert(Post:where("id", "<", 4):count() == 3)
  assert(Post:filter("id < :most and title is not null", { most = 4 }):count() == 3)
  assert(#rille.db():query("select id from posts where id < ? -- and a remark", 4) == 3)
  check_resumed()
  check_tenants(path)
end

local PICKS <const> = ("\1"):rep(1 << 16)                -- all rows of a table, for db:carry

--- Each with a query whose one number says how far it came, and what it says before and after.  `runs`: how many of
--- Lua's allocations are tried, where more are needed than elsewhere to come by all the places.
M.scenarios = {
  {
    name = "reads and writes SQL text", state = "select sum(views) from posts", before = 6, after = 60,
    run = function(path)
      local db <close> = core.open { database = path, synchronous = "normal" }
      local rows, names = db:query("select * from posts where views > ? order by id", { 1, n = 1 })
      assert(#rows == 2 and names[2] == "title" and rows[1].title == "two" and rows[1].price == nil)
      assert(#db:describe("posts").columns == 7 and db:tables()[3] == "posts")
      db:trace(true)
      assert(db:execute("update posts set views = views * ?", { 10 }) == 3)
      local last = db:last()
      assert(last == nil or last.rows == 3)              -- there may have been no memory for it
    end,
  },
  {
    name = "takes a transaction of SQL text back", state = "select sum(views) from posts", before = 6, after = 16,
    run = function(path)
      local db <close> = core.open { database = path, synchronous = "normal" }
      db:begin()
      db:execute "update posts set views = views + 10 where id = 1"
      db:begin()
      pcall(db.execute, db, "update posts set views = views + 1000")
      db:rollback()
      db:commit()
    end,
  },
  {
    name = "refuses what is wrong", state = "select sum(views) from posts", before = 6, after = 6,
    run = function(path)
      local db <close> = core.open { database = path, synchronous = "normal" }
      local function refused(kind, ...)
        local ok, e = pcall(...)
        if ok or M.is_memory_error(e) then error(e, 0) end
        assert(e.kind == kind, tostring(e))
      end
      refused("unique_violation", db.execute, db, "insert into posts (title) values ('one')")
      refused("no_such_table", db.query, db, "select * from nowhere")
      refused("invalid_argument", db.query, db, "select ?", {})
      assert(core.nearest("titel", { "id", "title" }) == "title" and #core.checksum "text" == 64)
    end,
  },
  {
    name = "adds rows up", state = "select sum(views) from posts", before = 6, after = 6,
    run = function(path)
      local db <close> = core.open { database = path, synchronous = "normal" }
      local told = 0
      local spec = { table = "posts", exact = true, most = 5, sql = [[select id, title, views,
          '{"b":[1,{"\\u00e9":2.50}],"a":"\\n","a":1e2}' as meta, 12.5 as price from posts]],
        progress = function() told = told + 1 end,
        columns = { { name = "id", declared = "bigint", key = true }, { name = "title", declared = "text" },
          { name = "views", declared = "boolean" }, { name = "meta", declared = "jsonb" },
          { name = "price", declared = "numeric(10,2)" } } }
      local sum = db:carry(spec)
      assert(sum.rows == 3 and sum.misfit_count == 2 and #sum.misfits == 2 and sum.misfits[2].key.id == 3)
      spec.columns[3].declared, spec.picks = "smallint", PICKS
      sum = db:carry(spec)
      assert(sum.rows == 3 and sum.misfit_count == 0 and #sum.misfits == 0 and #sum.picked == 3 and told == 0)
    end,
  },
  {
    name = "is mirrored", before = 60, after = 361,
    state = "select sum(views) * 10 + (select count(*) from sqlite_schema where name = 'rille_outbox') from posts",
    run = function(path)
      local which = { name = "mirror", source = "here", tables = { "posts", "notes" } }
      local mirror <close> = core.open { database = ":memory:" }
      local db <close> = core.open { database = path, synchronous = "normal" }
      db:begin()
      db:mirror_create()
      db:execute("insert into rille_mirrors values ('mirror', 'here', 'posts\nnotes', 0, 0, 0)")
      db:mirror_look()
      db:begin()
      db:execute "update posts set views = views + 1000, title = title || ' and a long text that is not short at all'"
      db:rollback()
      db:execute "update posts set views = views + 10"
      db:commit()
      local applied = db:mirror_apply(mirror, which, 10, false)
      assert(applied == 1)
      assert(mirror:query("select sum(views) as n from posts")[1].n == 36)
      assert(db:mirror_apply(mirror, which, 10, true) == 0 and db:mirror_retry(mirror, which) == 0)
      assert(db:mirror_resync(mirror, which) == 6)
      assert(mirror:query("select count(*) as n from posts where source = 'here'")[1].n == 3)
    end,
  },
  {
    name = "works in a coroutine that is only resumed", state = "select sum(views) from posts", before = 6, after = 16,
    runs = 200,
    run = function(path)
      core.pool_configure { max = 1, wait_ms = 50, idle_ms = 60000 }
      local db = core.open { database = path, synchronous = "normal", pooled = true, later = true }
      local other = core.open { database = path, synchronous = "normal", pooled = true, later = true }
      local co = coroutine.create(function()
        local rows = db:query "select * from posts order by id"
        assert(#rows == 3 and rows[3].title == "three")
        db:execute("update posts set views = views + ? where id = ?", { 10, 1 })
        assert(#db:describe("posts").columns == 7)
      end)
      resumed = { co, db, other }
      local ok, e = coroutine.resume(co)                 -- which closes nothing of what the coroutine left
      if not ok then error(e, 0) end
    end,
  },
  {
    name = "creates a record", state = "select count(*) * 100 + sum(views) from posts", before = 306, after = 406,
    run = function()
      local post = assert(Post:create { title = "four", price = "7.25", meta = { tags = { "a", "b" } } })
      assert(post.price == "7.25" and post.meta.tags[2] == "b" and post.created_at and post.id == 4)
    end,
  },
  {
    name = "saves a record", state = "select sum(views) * 1000 + sum(length(title)) from posts", before = 6011,
      after = 15018,
    run = function()
      local post = Post:find(1)
      post.views = post.views + 9
      post.title = "one, saved"
      post.meta = { deep = { er = true } }
      assert(post:save())
      assert(not post:is_dirty())
    end,
  },
  {
    name = "queries", state = "select sum(views) from posts", before = 6, after = 6,
    run = function()
      local posts = Post:where("views", ">", 1):where_in("title", { "two",
        "three" }):order_by_desc("views"):limit(5):all()
      assert(#posts == 2 and posts[1].title == "three" and posts[1].price == "1.00")
      assert(Post:where(function(q) q = q:where("id", 1) return q:or_where("id", 2) end):count() == 2)
      assert(Post:sum "views" == 6 and #Post:pluck "title" == 3)
      local sql, params = Post:where_like("title", "t%"):to_sql()
      assert(sql:find("glob", 1, true) and params[1] == "t*")
      local seen = 0
      for post in Post:order_by("id"):cursor() do
        seen = seen + post.views
        if post.id == 2 then break end
      end
      assert(seen == 3)
    end,
  },
  {
    -- LPeg compiles a pattern when it first matches: one left half compiled would end the process at the next match.
    name = "reads texts by grammars", state = "select sum(views) from posts", before = 6, after = 6, runs = 1500,
    run = function()
      assert(require "rille.json".decode '{"a": [1, "two", null]}'.a[2] == "two")
      assert(#rille.db():query("select id from posts where title = ? /* ? */", "one") == 1)
      assert(Post:filter("views > 1 and title like 't%'"):count() == 2)
    end,
  },
  {
    name = "writes JSON", state = "select sum(views) from posts", before = 6, after = 6,
    run = function()
      local posts = Post:order_by("id"):all()
      core.record_relate(posts[1], "next", posts[2])
      core.record_relate(posts[2], "others", posts)
      posts[3].title, posts[3].meta = ("a \"text\" "):rep(500), { list = { 1, 2.5, core.null, "x" } }
      posts[2]:make_hidden("views")
      local text = posts:to_json { hidden = { "created_at", "updated_at" } }
      local back = require "rille.json".decode(text)
      assert(#back == 3 and back[1].next.title == "two" and back[1].next.views == nil and back[1].price == "12.50")
      assert(back[3].meta.list[2] == 2.5 and back[3].title == posts[3].title and #back[2].others == 2)
      assert(#posts:to_table()[2].others == 2)
    end,
  },
  {
    name = "loads relations", state = "select count(*) from note_tag", before = 3, after = 4, runs = 1500,
    run = function()
      local posts = Post:order_by("id"):with { notes = function(q) return q:limit(2) end, "notes.tags" }:all()
      assert(#posts[1].notes == 2 and #posts[1].notes[1].tags == 2 and #posts[3].notes == 0)
      assert(rawequal(posts[1].notes[1].tags[2], posts[2].notes[1].tags[1]))
      for _, note in ipairs(Note:all()) do assert(note.post.id == note.post_id) end
      assert(Post:where_has("notes.tags"):with_count("notes"):order_by("id"):first().notes_count == 2)
      assert(#Note:find(3):relation("tags"):sync({ 1, 2 }).attached == 1)
    end,
  },
  {
    name = "inserts rows", state = "select count(*) * 100 + sum(views) from posts", before = 306, after = 600,
    run = function()
      local rows = {}
      for i = 1, 3 do rows[i] = { title = "row " .. i, views = i - 4 } end
      assert(Post:insert(rows) == 3)
    end,
  },
  {
    name = "has tenants with databases of their own", state = "select sum(views) from posts", before = 6, after = 16,
    runs = 100,
    run = function(path)
      configure_tenants(path)
      rille.tenant.create(ACME)
      rille.tenant.run("acme", function()
        Visit:create { page = "first" }
        rille.transaction(function()
          Visit:create { page = "second" }
          assert(Visit:count() == 2)
        end)
      end)
      rille.tenant.copy("acme", "twin")
      for _ = 1, 2 do                                      -- there is one connection for both
        for _, slug in ipairs { "acme", "twin" } do
          rille.tenant.run({ id = slug, slug = slug }, function() assert(Visit:count() == 2) end)
        end
      end
      rille.tenant.drop "twin"
      assert(#rille.tenant.list() == 1)
      Post:where("id", 1):update { views = 11 }
    end,
  },
  {
    name = "transfers", before = 123, after = 213,        -- the views of the three
    state = "select group_concat(views, '') + 0 from (select views from posts order by id)",
    run = function()
      rille.transaction(function()
        Post:where("id", 1):update { views = 2 }
        pcall(rille.transaction, function()
          Post:where("id", ">", 0):update { views = 1000 }
          error "changed my mind"
        end)
        rille.transaction(function() Post:find(2):update { views = 1 } end)
      end)
    end,
  },
  {
    name = "takes back what a transaction did to records", before = 306, after = 409,
    state = "select count(*) * 100 + sum(views) from posts",
    run = function()
      local old, new = Post:find(3), Post:new { title = "four" }
      local _, e = pcall(rille.transaction, function()
        new:save()
        old:update { views = 6, meta = { n = 1 } }
        error("changed my mind", 0)
      end)
      if e ~= "changed my mind" then error(e, 0) end
      rille.transaction(function()
        new:save()
        old:save()
      end)
      assert(old.meta.n == 1 and new:exists())
    end,
  },
}

return M
