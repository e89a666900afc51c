--- tenant_extract_spec: a tenant's rows moved into another database and back: none is lost and none doubled.
local core = require "rille.core"
local Extract = require "rille.tenant.extract"
local Files = require "spec.support.tenancy.files"
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused
local rows_of = Files.rows_of

local A <const>, B <const> = { id = 1, slug = "a" }, { id = 2, slug = "b" }

describe("a tenant's rows", function()
  local files, folder, shared, own

  before_each(function()
    files = Files.new()
    folder, shared, own = files.folder, files.shared, files.own
  end)
  after_each(function() files:remove() end)

  it("take along what they need of everybody's, and what that needs", function()
    local mine = rows_of(shared, B)
    shared:insert("kinds", { { id = 1, name = "all" }, { id = 2, name = "some", parent_id = 1 },
      { id = 3, name = "few", parent_id = 2 }, { id = 4, name = "none", parent_id = 1 } })
    shared:update("tags", { id = 1 }, { kind_id = 3 })
    shared:update("tags", { id = 2 }, { kind_id = 4 })
    own:insert("kinds", { { id = 1, name = "all" }, { id = 2, name = "other" } })
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("unique_violation", Extract.run, shared, own, B, options)
      assert.same({ ["kinds.id"] = { "1 row: 2" } }, e.fields)
    end
    own:delete("kinds", { id = 2 })
    assert.equal(40, Extract.run(shared, own, B, { dry_run = true }).rows)
    assert.equal(1, own:table("kinds"):count())
    Extract.run(shared, own, B)
    assert.same({ "", mine }, { rows_of(shared, B), rows_of(own, B) })
    assert.equal("1 2 3", table.concat(own:table("kinds"):order_by("id"):pluck "id", " "))
    assert.equal(3, own:table("tags"):find(1).kind_id)
  end)

  it("are not moved where a reference leads nowhere in the target", function()
    shared:execute "pragma foreign_keys = off"
    shared:insert("tags", { id = 3, name = "z", kind_id = 9 })
    shared:insert("post_tags", { post_id = 2, tag_id = 3 })
    shared:execute "pragma foreign_keys = on"
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("foreign_key_violation", Extract.run, shared, own, A, options)
      assert.equal("1 row would refer to rows that are not there: tags to kinds", e.message)
      assert.same({ tags = { "1 row to kinds" } }, e.fields)
    end
    assert.equal(0, own:table("posts"):count())
  end)

  it("are held against references that led nowhere before, of which none hides one of theirs", function()
    for _, name in ipairs { "shared", "own" } do
      rille.schema(name):create("likes", function(t)
        t:id()
        t:references("org", "orgs"):tenant()
        t:references("post", "posts"):nullable():global()
      end)
    end
    own:execute "pragma foreign_keys = off"
    own:insert("orgs", { id = 2, name = "b" })
    own:insert("likes", { { id = 1, org_id = 2, post_id = 2 }, { id = 2, org_id = 2, post_id = 4 },
      { id = 3, org_id = 2, post_id = 900 } })
    own:execute "alter table likes rename to old"
    own:execute [[create table likes (id integer primary key, org_id integer not null references orgs,
      post_id integer references posts, kind_id integer references kinds)]]
    own:execute "insert into likes (id, org_id, post_id) select id, org_id, post_id from old"
    own:execute "drop table old"
    shared:execute "alter table likes add column kind_id integer"        -- which refers to nothing here
    shared:insert("likes", { id = 10, org_id = 1, kind_id = 7 })
    local mine = rows_of(shared, A)
    local e = refused("foreign_key_violation", Extract.run, shared, own, A)
    assert.equal("1 row would refer to rows that are not there: likes to kinds", e.message)
    assert.same({ mine, "" }, { rows_of(shared, A), rows_of(own, A) })
    shared:update("likes", { id = 10 }, { kind_id = rille.null })
    assert.equal(41, Extract.run(shared, own, A).rows)
    assert.same({ "", mine, 4 }, { rows_of(shared, A), rows_of(own, A), own:table("likes"):unfiltered():count() })
  end)

  it("move with what hangs on them, and back", function()
    local mine, others = rows_of(shared, A), rows_of(shared, B)
    assert.same({ rows = 40, tables = { posts = 20, post_tags = 20 } }, Extract.run(shared, own, A, { dry_run = true }))
    assert.equal(mine, rows_of(shared, A))
    assert.equal(40, Extract.run(shared, own, A).rows)
    assert.same({ "", mine, others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
    assert.same({ 1, 2, 20 }, { own:table("orgs"):count(), own:table("tags"):count(), own:table("post_tags"):count() })
    assert.equal(0, Extract.run(shared, own, A).rows)
    assert.equal(mine, rows_of(own, A))
    own:insert("posts", { id = 1000, org_id = 1, slug = "new" })
    mine = rows_of(own, A)
    assert.equal(41, Extract.run(own, shared, A).rows)
    assert.same({ mine, "", others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
    assert.equal(41, Extract.run(shared, own, A).rows)
    assert.same({ "", mine, others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
  end)

  it("are in one place after any end", function()
    local mine, others = rows_of(shared, A), rows_of(shared, B)
    for _, last in ipairs { "arrived", "left" } do
      local stopped = {}
      local ok, e = pcall(Extract.run, shared, own, A, { on_step = function(step)
        if step == last then error(stopped, 0) end
      end })
      assert.is_false(ok)
      assert.equal(stopped, e)
      assert.equal(last == "left" and "" or mine, rows_of(shared, A))
      Extract.run(shared, own, A)
      assert.same({ "", mine, others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
      Extract.run(own, shared, A)
      assert.same({ mine, "", others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
    end
  end)

  it("are not lost where two processes move them at once, whichever ends first", function()
    local mine = rows_of(shared, A)
    for _, last in ipairs { "left", "done" } do
      local inner = false
      Extract.run(shared, own, A, { on_step = function(step)
        if step ~= "arrived" or inner then return end
        inner = true
        pcall(Extract.run, shared, own, A, { on_step = function(other)
          if other == last then error "killed" end
        end })
        assert.same({ "", mine }, { rows_of(shared, A), rows_of(own, A) })
      end })
      assert.is_true(inner)
      assert.same({ "", mine }, { rows_of(shared, A), rows_of(own, A) })
      Extract.run(own, shared, A)
    end
    assert.equal(mine, rows_of(shared, A))
  end)

  it("are counted by the run that moved them, and by no other one", function()
    local inner
    local outer = Extract.run(shared, own, A, { on_step = function(step)
      if step == "arrived" and not inner then inner = Extract.run(shared, own, A) end
    end })
    assert.same({ rows = 40, tables = { posts = 20, post_tags = 20 } }, inner)
    assert.same({ rows = 0, tables = { posts = 0, post_tags = 0 } }, outer)
    pcall(Extract.run, own, shared, A, { on_step = function(step) if step == "arrived" then error "killed" end end })
    own:insert("posts", { id = 1000, org_id = 1, slug = "new" })
    assert.same({ rows = 41, tables = { posts = 21, post_tags = 20 } }, Extract.run(own, shared, A))
  end)

  it("are not said to be moved that came after the others had left, whichever run notices", function()
    local mine = rows_of(shared, A)
    local function late() shared:insert("posts", { { id = 500, org_id = 1, slug = "late" },
      { id = 502, org_id = 1, slug = "later" } }) end
    local function check(...)
      local e = refused("checksum_mismatch", ...)
      assert.equal("the tenant's rows were moved, and some were written into the source after they had left (posts: 2)",
        e.message)
      assert.same({ posts = { "2 rows only in the source" } }, e.fields)
      assert.matches("write them in the target, and delete them in the source", e.hint)
      assert.same({ 2, mine }, { shared:table("posts"):where("org_id", 1):count(), rows_of(own, A) })
    end
    pcall(Extract.run, shared, own, A, { on_step = function(step) if step == "left" then error "killed" end end })
    late()
    check(Extract.run, shared, own, A, { dry_run = true })
    check(Extract.run, shared, own, A)
    refused("unique_violation", Extract.run, shared, own, A)       -- that move is at its end
    shared:table("posts"):unfiltered():where("org_id", 1):delete()
    Extract.run(own, shared, A)
    check(Extract.run, shared, own, A, { on_step = function(step) if step == "left" then late() end end })
  end)

  it("are not taken for gone by what is noted of an earlier move", function()
    Extract.run(shared, own, A)
    own:table("post_tags"):unfiltered():delete()
    own:table("posts"):unfiltered():update { parent_id = rille.null }
    own:table("posts"):unfiltered():delete()
    shared:insert("posts", { id = 500, org_id = 1, slug = "late" })
    pcall(Extract.run, shared, own, A, { on_step = function(step) if step == "arrived" then error "killed" end end })
    Extract.run(shared, own, A)
    assert.same({ "", 1 }, { rows_of(shared, A), own:table("posts"):count() })
  end)

  --- Move them in a process of its own; what that prints.
  local function moved_elsewhere(before, code)
    local file <close> = assert(io.open(folder .. "/move.lua", "wb"))
    file:write(([[local rille = require "rille"
      rille.configure { default = "shared", models = "none", connections = { shared = { database = "%s/shared.db" },
        own = { database = "%s/own.db" } } }
      %s
      require "rille.tenant.extract".run(rille.db "shared", rille.db "own", { id = 1 })
      io.stdout:write "done"]]):format(folder, folder, code))
    file:flush()
    local pipe = assert(io.popen(("%s lua5.4 '%s/move.lua' 2>/dev/null"):format(before, folder)))
    local out = pipe:read "a"
    pipe:close()
    return out
  end

  --- Whatever happened: they are whole on one side at least, and all others too; the next run ends it.
  local function goes_on(mine, others, where)
    assert.is_true(rows_of(shared, A) == mine or rows_of(own, A) == mine, where)
    assert.equal(others, rows_of(shared, B))
    Extract.run(shared, own, A)
    assert.same({ "", mine }, { rows_of(shared, A), rows_of(own, A) })
    Extract.run(own, shared, A)
    assert.same({ mine, "", others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
  end

  it("are so when the process is killed, too", function()
    local mine, others = rows_of(shared, A), rows_of(shared, B)
    local in_dev = (os.getenv "RILLE_BUILD" or ""):find "dev$" ~= nil
    local at, step = 1, in_dev and math.random(3, 5) or 1                        -- at some statements, where it is slow
    repeat
      local out = moved_elsewhere("", ([[local Handle, count = getmetatable(rille.db()), 0
        local execute = rawget(Handle, "_execute")
        Handle._execute = function(...)
          count = count + 1
          if count == %d then os.execute "kill -9 $PPID" end
          return execute(...)
        end]]):format(at))
      goes_on(mine, others, "killed at statement " .. at)
      at = at + (at < 12 and 4 or step)
    until out == "done"
    assert.is_true(at > 20)
  end)

  it("are so when the disk is full, too", function()
    local data = rille.blob(("x"):rep(3000))
    shared:table("posts"):unfiltered():update { data = data }
    local mine, others, done = rows_of(shared, A), rows_of(shared, B), {}
    for i, blocks in ipairs { "40", "100", "180", "300", "unlimited" } do
      done[i] = moved_elsewhere(("trap '' XFSZ; ulimit -f %s;"):format(blocks), "")
      goes_on(mine, others, ("a file of at most %s blocks"):format(blocks))
    end
    assert.same({ "", "done" }, { done[1], done[5] })
  end)

  it("are copied anew when they changed before they left", function()
    local changed = false
    Extract.run(shared, own, A, { on_step = function(step)
      if step == "arrived" and not changed then
        changed = true
        shared:update("posts", { id = 2 }, { slug = "changed" })
        shared:delete("post_tags", { post_id = 4 })
      end
    end })
    assert.equal("changed", own:table("posts"):find(2).slug)
    assert.same({ 0, 20, 19 }, { shared:table("posts"):where("org_id", 1):count(), own:table("posts"):count(),
      own:table("post_tags"):count() })
  end)

  it("are refused where others have their keys, all of which are named and nothing is written", function()
    own:insert("orgs", { { id = 1, name = "a" }, { id = 2, name = "b" } })
    own:execute "create table more (org_id integer, a integer, b TEXT, primary key (a, b))"
    shared:execute "create table more (org_id integer, a integer, b TEXT, primary key (a, b))"
    for _, db in ipairs { shared, own } do
      db:execute "create unique index more_org on more (org_id, a, b)"
      db:execute "create unique index more_some on more (b) where a > 100"
      db:execute "create unique index more_lower on more (lower(b) || a)"
    end
    for i = 1, 9 do
      shared:insert("more", { org_id = 1, a = i, b = "it's" })
      own:insert("more", { org_id = 2, a = i + 6, b = "it's" })
    end
    own:insert("posts", { { id = 2, org_id = 2, slug = "s2" }, { id = 3, org_id = 2, slug = "free" } })
    local before, mine = rows_of(own, B), rows_of(shared, A)
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("unique_violation", Extract.run, shared, own, A, options)
      assert.same({
        ["posts.id"] = { "1 row: 2" },
        ["more (a, b)"] = { "3 rows: 7, 'it''s'; 8, 'it''s'; 9, 'it''s'" },
      }, e.fields)
      assert.equal("4 rows of the tenant cannot be moved: rows of others in the target have the same keys", e.message)
    end
    assert.same({ before, mine, "" }, { rows_of(own, B), rows_of(shared, A), rows_of(own, A) })
    own:table("posts"):unfiltered():delete()
    own:table("more"):unfiltered():delete()
    assert.equal(49, Extract.run(shared, own, A).rows)
  end)

  it("refer to the same rows of everybody's as before, or are refused", function()
    for _, db in ipairs { shared, own } do db:execute "alter table tags add column created_at TEXT" end
    own:insert("tags", { { id = 1, name = "other", created_at = "2026-01-01" }, { id = 3, name = "z" } })
    local mine = rows_of(shared, A)
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("unique_violation", Extract.run, shared, own, A, options)
      assert.same({ ["tags.id"] = { "1 row: 1" } }, e.fields)
      assert.matches("of everybody's", e.message)
      assert.same({ mine, "" }, { rows_of(shared, A), rows_of(own, A) })
    end
    own:update("tags", { id = 1 }, { name = "x" })                 -- when it was written does not matter
    Extract.run(shared, own, A)
    assert.same({ "", mine }, { rows_of(shared, A), rows_of(own, A) })
  end)

  it("stay where rows of others refer to them, or they to those", function()
    for _, name in ipairs { "shared", "own" } do
      rille.schema(name):create("likes", function(t)
        t:id()
        t:references("org", "orgs"):tenant()
        t:references("post", "posts"):global()
      end)
    end
    shared:insert("likes", { id = 1, org_id = B.id, post_id = 2 })               -- a post of A's
    local mine, others = rows_of(shared, A), rows_of(shared, B)
    for _, case in ipairs { { B, "1 row would refer to rows that are not there: likes to posts" },
      { A, "1 row of others would refer to rows that are gone: likes to posts" } } do
      for _, options in ipairs { {}, { dry_run = true } } do
        local e = refused("foreign_key_violation", Extract.run, shared, own, case[1], options)
        assert.equal(case[2], e.message)
        assert.same({ mine, others, "", "" }, { rows_of(shared, A), rows_of(shared, B), rows_of(own, A),
          rows_of(own, B) })
      end
    end
    shared:update("likes", { id = 1 }, { org_id = A.id })
    assert.equal(41, Extract.run(shared, own, A).rows)
  end)

  it("stay where rows hang on them that only the models know of, by a morph, a key or a table in the middle", function()
    for _, db in ipairs { shared, own } do
      db:execute "create table notes (id integer primary key, on_type text, on_id integer)"
      db:execute "create table marks (id integer primary key, post_id integer)"
      db:execute "create table post_kinds (post_id integer, kind_id integer)"
      db:execute "create table plugs (plug_type text, plug_id integer, kind_id integer)"
    end
    rille.model "Kind" {}
    rille.model "Note" { relations = { on = rille.morph_to() } }
    rille.model "Mark" {}
    rille.model "Post" { tenant_column = "org_id", relations = {
      notes = rille.morph_many("Note", "on"), marks = rille.has_many "Mark", gone = rille.has_many "Kind",
      kinds = rille.belongs_to_many("Kind", { pivot = "post_kinds" }), plugs = rille.morph_to_many("Kind", "plug"),
    } }
    local of_a = shared:query("select id from posts where org_id = 1 limit 1")[1].id
    local of_b = shared:query("select id from posts where org_id = 2 limit 1")[1].id
    for table_name, row in next, {
      notes = function(id) return { on_type = "posts", on_id = id } end,
      marks = function(id) return { post_id = id } end,
      post_kinds = function(id) return { post_id = id, kind_id = 1 } end,
      plugs = function(id) return { plug_type = "posts", plug_id = id, kind_id = 1 } end,
    } do
      shared:insert(table_name, { row(of_a), row(of_b) })
      for _, options in ipairs { { dry_run = true }, {} } do
        local e = refused("foreign_key_violation", Extract.run, shared, own, A, options)
        assert.matches("1 row would be left behind: " .. table_name .. " to posts", e.message)
      end
      assert.equal(20, shared:query("select count(*) as n from posts where org_id = 1")[1].n)
      shared:execute("delete from " .. table_name .. " where rowid = 1")
    end
    shared:insert("notes", { on_type = "kinds", on_id = of_a })
    assert.equal(20, Extract.run(shared, own, A).tables.posts)
  end)

  it("bring rows of everybody's by the names of their columns, which are the same", function()
    own:execute "drop table post_tags"
    own:execute "drop table tags"
    own:execute "create table tags (name TEXT not null, id integer primary key, kind_id integer references kinds)"
    rille.schema("own"):create("post_tags", function(t) t:references("post", "posts") t:references("tag", "tags") end)
    Extract.run(shared, own, A)
    assert.equal("x", own:table("tags"):find(1).name)
    Extract.run(own, shared, A)
    own:execute "alter table tags add column more TEXT"
    assert.equal("tags", refused("migration", Extract.run, shared, own, A).table)
  end)

  it("are not looked for in a database that is not there, which is not made", function()
    rille.configure { default = "shared", models = folder .. "/models", connections = {
      shared = { database = folder .. "/shared.db" }, none = { database = folder .. "/none.db" },
    } }
    refused("not_found", Extract.run, rille.db "none", rille.db "shared", A)
    refused("not_found", Extract.run, rille.db "shared", rille.db "none", A)
    refused("not_found", Extract.run, rille.db "none", nil, A, { dry_run = true })
    assert.is_nil(core.file_size(folder .. "/none.db"))
  end)

  it("are not those of another tenant whose number can be written so, too", function()
    shared:insert("orgs", { id = 1000, name = "thousand" })
    shared:insert("posts", { id = 900, org_id = 1000, slug = "k" })
    for _, id in ipairs { "1e3", "01000", "0x3e8", "1000.0", "1e0", "01" } do
      for _, options in ipairs { {}, { dry_run = true } } do
        local e = refused("invalid_argument", Extract.run, shared, own, { id = id }, options)
        assert.equal("posts", e.table)
      end
    end
    assert.same({ 1, 0 }, { shared:table("posts"):where("org_id", 1000):count(), own:table("posts"):count() })
    assert.equal(0, Extract.run(shared, own, { id = "acme" }).rows)
    assert.equal(1, Extract.run(shared, own, { id = "1000" }).rows)
    assert.equal(1000, own:table("posts"):find(900).org_id)
  end)

  it("are kept in the target as the tenant writes them before the others left, and what differs is named", function()
    local mine = rows_of(shared, A)
    local function write(step)
      if step == "arrived" then
        own:insert("posts", { id = 1000, org_id = 1, slug = "new" })
        own:update("posts", { id = 2 }, { slug = "written" })
        own:delete("post_tags", { post_id = 4 })
      end
    end
    local there
    for i, options in ipairs { { on_step = write }, {}, { dry_run = true } } do
      local e = refused("checksum_mismatch", Extract.run, shared, own, A, options)
      assert.same({ posts = { "2 rows only in the target: 2, 1000", "1 row only in the source: 2" },
        post_tags = { "1 row only in the source: 4" } }, e.fields)
      assert.matches("written after they had arrived", e.message)
      there = i == 1 and rows_of(own, A) or there
      assert.same({ mine, there }, { rows_of(shared, A), rows_of(own, A) })
    end
    shared:insert("posts", { id = 1000, org_id = 1, slug = "new" })
    shared:update("posts", { id = 2 }, { slug = "written" })
    shared:delete("post_tags", { post_id = 4 })
    Extract.run(shared, own, A)
    assert.same({ "", there }, { rows_of(shared, A), rows_of(own, A) })
  end)

  it("are not deleted in the target because the source has none any more", function()
    local mine = rows_of(shared, A)
    pcall(Extract.run, shared, own, A, { on_step = function(step) if step == "arrived" then error "killed" end end })
    shared:execute "delete from post_tags where post_id in (select id from posts where org_id = 1)"
    shared:execute "delete from posts where org_id = 1"
    refused("checksum_mismatch", Extract.run, shared, own, A)
    assert.equal(mine, rows_of(own, A))
  end)

  it("go no way back that was not gone to its end", function()
    local mine, others = rows_of(shared, A), rows_of(shared, B)
    for _, last in ipairs { "arrived", "left" } do
      pcall(Extract.run, shared, own, A, { on_step = function(step) if step == last then error "killed" end end })
      for _, options in ipairs { {}, { dry_run = true } } do
        local e = refused("locked", Extract.run, own, shared, A, options)
        assert.matches("broken off", e.message)
        assert.matches("run that one again first", e.hint)
      end
      Extract.run(shared, own, A)
      assert.same({ "", mine, others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
      Extract.run(own, shared, A)
      assert.same({ mine, "", others }, { rows_of(shared, A), rows_of(own, A), rows_of(shared, B) })
    end
  end)

  it("are not those of a table whose rows have no number", function()
    shared:execute "create table pairs (org_id integer, a integer, primary key (a)) without rowid"
    shared:execute "create unique index pairs_org on pairs (org_id, a)"
    assert.equal("pairs", refused("unsupported", Extract.run, shared, own, A).table)
  end)

  it("are not mixed with rows that are there, and fit or stay", function()
    own:insert("orgs", { id = 1, name = "a" })
    own:insert("posts", { id = 999, org_id = 1, slug = "there" })
    refused("unique_violation", Extract.run, shared, own, A)
    own:delete("posts", { id = 999 })
    own:execute "create trigger t after insert on posts begin select 1; end"
    refused("unsupported", Extract.run, shared, own, A)
    own:execute "drop trigger t"
    own:execute "alter table posts add column more TEXT"
    refused("migration", Extract.run, shared, own, A)
    own:execute "alter table posts drop column more"
    assert.equal(20, shared:table("posts"):where("org_id", 1):count())
    assert.equal(40, Extract.run(shared, own, A).rows)
  end)
end)
