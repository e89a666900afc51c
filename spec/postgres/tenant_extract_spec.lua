--- postgres/tenant_extract_spec: a tenant's rows moved between a shared database and its own, where one of them at
-- least is at a server: none is lost, none doubled, none changed; RILLE_SPEC_URL names it.
local world = require "spec.support.world"
local Moved = require "spec.support.tenancy.moved"
local Moves = require "spec.support.tenancy.moves"
local Moving = require "rille.tenant.moving"
local rille, refused = world.rille, world.refused
local shared, own, there, here = Moved.shared, Moved.own, Moved.there, Moved.here

--- Both engines as the source and as the target are in these two pairs.
local MIXED <const> = { Moves.PAIRS[1], Moves.PAIRS[2] }

local function between(pairs_of, tell)
  for _, pair in ipairs(pairs_of) do
    describe(("a tenant's rows, between %s for all and %s of its own,"):format(pair[1], pair[2]), function()
      before_each(function() Moved.begin(pair) end)
      after_each(Moved.finish)
      tell()
    end)
  end
end

between(Moves.PAIRS, function()
  it("move with what hangs on them and as they are, and back", function()
    local mine, others = there "acme", there "globex"
    assert.truthy(mine:find("post|1|s1|12345678901234567890.1231|1.50|0f000000-0000-4000-8000-000000000001|", 1, true))
    assert.same({ rows = 31, tables = { posts = 16, post_tags = 15, likes = 0 } }, Moving.run("extract", "acme"))
    assert.same({ "", mine, others }, { there "acme", here "acme", there "globex" })
    assert.equal(1, own():table("tags"):count())
    assert.equal(0, Moving.run("extract", "acme").rows)
    assert.same({ "", mine }, { there "acme", here "acme" })
    local new = own():create("posts", { org_id = "acme", slug = "new" })
    assert.equal(101, new.id)                            -- ids go on behind those that came
    mine = here "acme"
    assert.equal(32, Moving.run("absorb", "acme").rows)
    assert.same({ mine, "", others }, { there "acme", here "acme", there "globex" })
    assert.equal(102, shared():create("posts", { org_id = "globex", slug = "next" }).id)
    assert.equal(32, Moving.run("extract", "acme").rows)
    assert.same({ "", mine }, { there "acme", here "acme" })
  end)

  it("are counted and looked at without anything being made or changed", function()
    local mine = there "acme"
    assert.equal(31, Moving.run("extract", "acme", { dry_run = true }).rows)
    refused("tenant_unknown", own)
    assert.is_nil(shared():describe "rille_moves")
    rille.tenant.create "acme"
    assert.equal(31, Moving.run("extract", "acme", { dry_run = true }).rows)
    assert.same({ mine, "" }, { there "acme", here "acme" })
    for _, db in ipairs { shared(), own() } do assert.is_nil(db:describe "rille_moves") end
  end)
end)

between(MIXED, function()
  it("are not said to be moved that came after the others had left", function()
    local mine = there "acme"
    pcall(Moving.run, "extract", "acme", { on_step = function(step) if step == "left" then error "killed" end end })
    shared():insert("posts", { id = 500, org_id = "acme", slug = "late" })
    local e = refused("checksum_mismatch", Moving.run, "extract", "acme")
    assert.same({ posts = { "1 row only in the source" } }, e.fields)
    assert.same({ 1, mine }, { shared():table("posts"):where("org_id", "acme"):count(), here "acme" })
    shared():delete("posts", { id = 500 })
    assert.equal(0, Moving.run("extract", "acme").rows)
  end)

  it("are in one place after any end", function()
    local mine, others = there "acme", there "globex"
    for _, last in ipairs { "checking", "copying", "arrived", "left" } do
      local stopped = {}
      local ok, e = pcall(Moving.run, "extract", "acme", { on_step = function(step)
        if step == last then error(stopped, 0) end
      end })
      assert.is_false(ok)
      assert.equal(stopped, e)
      assert.equal(last == "left" and "" or mine, there "acme")
      Moving.run("extract", "acme")
      assert.same({ "", mine, others }, { there "acme", here "acme", there "globex" })
      Moving.run("absorb", "acme")
      assert.same({ mine, "", others }, { there "acme", here "acme", there "globex" })
      rille.tenant.drop "acme"
    end
  end)

  it("are kept in the target as the tenant writes them before the others left, and what differs is named", function()
    local mine, written = there "acme", nil
    local function write(step)
      if step ~= "arrived" then return end
      own():insert("posts", { id = 1000, org_id = "acme", slug = "new" })
      own():update("posts", { id = 3 }, { slug = "written" })
      own():delete("posts", { id = 100 })
    end
    for i, options in ipairs { { on_step = write }, {}, { dry_run = true } } do
      local e = refused("checksum_mismatch", Moving.run, "extract", "acme", options)
      assert.same({ posts = { "id = 100 is missing", "id = 1000 was not copied", "id = 3 is another" } }, e.fields)
      written = i == 1 and here "acme" or written
      assert.same({ mine, written }, { there "acme", here "acme" })
    end
    shared():insert("posts", { id = 1000, org_id = "acme", slug = "new" })
    shared():update("posts", { id = 3 }, { slug = "written" })
    shared():delete("posts", { id = 100 })
    Moving.run("extract", "acme")
    assert.same({ "", written }, { there "acme", here "acme" })
  end)

  it("go no way back that was not gone to its end", function()
    local mine, others = there "acme", there "globex"
    for _, last in ipairs { "arrived", "left" } do
      pcall(Moving.run, "extract", "acme", { on_step = function(step) if step == last then error "killed" end end })
      for _, options in ipairs { {}, { dry_run = true } } do
        assert.matches("broken off", refused("locked", Moving.run, "absorb", "acme", options).message)
      end
      Moving.run("extract", "acme")
      assert.same({ "", mine, others }, { there "acme", here "acme", there "globex" })
      Moving.run("absorb", "acme")
      assert.same({ mine, "", others }, { there "acme", here "acme", there "globex" })
    end
  end)

  it("are copied anew when they changed before they left", function()
    local changed = false
    Moving.run("extract", "acme", { on_step = function(step)
      if step == "arrived" and not changed then
        changed = true
        shared():update("posts", { id = 3 }, { slug = "changed" })
        shared():delete("post_tags", { post_id = 5 })
      end
    end })
    assert.equal("changed", own():table("posts"):find(3).slug)
    assert.same({ "", 16, 14 }, { there "acme", own():table("posts"):count(), own():table("post_tags"):count() })
  end)

  it("are not lost where two processes move them at once, whichever ends first", function()
    local mine = there "acme"
    for _, last in ipairs { "left", "done" } do
      local inner = false
      Moving.run("extract", "acme", { on_step = function(step)
        if step ~= "arrived" or inner then return end
        inner = true
        pcall(Moving.run, "extract", "acme", { on_step = function(other)
          if other == last then error "killed" end
        end })
        assert.same({ "", mine }, { there "acme", here "acme" })
      end })
      assert.is_true(inner)
      assert.same({ "", mine }, { there "acme", here "acme" })
      Moving.run("absorb", "acme")
    end
    assert.equal(mine, there "acme")
  end)

  it("do not come back over rows that have their keys meanwhile", function()
    Moving.run("extract", "acme")
    shared():insert("posts", { { id = 3, org_id = "globex", slug = "a" }, { id = 5, org_id = "globex", slug = "b" } })
    local mine, others = here "acme", there "globex"
    for _, options in ipairs { { dry_run = true }, {} } do
      local e = refused("unique_violation", Moving.run, "absorb", "acme", options)
      assert.same({ ["posts.id"] = { "2 rows: 3, 5" } }, e.fields)
    end
    assert.same({ mine, "", others }, { here "acme", there "acme", there "globex" })
    shared():delete("posts", { id = 3 })
    shared():delete("posts", { id = 5 })
    Moving.run("absorb", "acme")
    assert.equal(mine, there "acme")
  end)

  it("are not mixed with rows that are there, nor with those of an earlier move", function()
    Moving.run("extract", "acme")
    shared():insert("posts", { id = 500, org_id = "acme", slug = "late" })
    assert.equal("the target has 31 rows of this tenant already",
      refused("unique_violation", Moving.run, "extract", "acme").message)
    rille.tenant.drop "acme"
    pcall(Moving.run, "extract", "acme", { on_step = function(step) if step == "arrived" then error "killed" end end })
    assert.equal(1, shared():table("posts"):where("org_id", "acme"):count())     -- "left" is not of this move
    Moving.run("extract", "acme")
    assert.same({ "", 1 }, { there "acme", own():table("posts"):count() })
  end)

  it("refer to the same rows of everybody's as before, or are refused", function()
    rille.tenant.create "acme"
    own():insert("tags", { id = 2, name = "other" })
    local mine = there "acme"
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("unique_violation", Moving.run, "extract", "acme", options)
      assert.same({ ["tags.id"] = { "1 row: 2" } }, e.fields)
      assert.matches("of everybody's", e.message)
      assert.same({ mine, "" }, { there "acme", here "acme" })
    end
    own():update("tags", { id = 2 }, { name = "y" })
    Moving.run("extract", "acme")
    assert.same({ "", mine }, { there "acme", here "acme" })
  end)

  it("take along what they need of everybody's, and what that needs", function()
    local mine = there "acme"
    shared():insert("sorts", { { id = 1, name = "all" }, { id = 2, name = "some", parent_id = 1 },
      { id = 3, name = "few", parent_id = 2 }, { id = 4, name = "none", parent_id = 1 } })
    shared():update("tags", { id = 2 }, { sort_id = 3 })
    shared():update("tags", { id = 1 }, { sort_id = 4 })
    rille.tenant.create "acme"
    own():insert("sorts", { { id = 1, name = "all" }, { id = 2, name = "other" } })
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("unique_violation", Moving.run, "extract", "acme", options)
      assert.same({ ["sorts.id"] = { "1 row: 2" } }, e.fields)
    end
    own():delete("sorts", { id = 2 })
    assert.equal(31, Moving.run("extract", "acme", { dry_run = true }).rows)
    assert.equal(1, own():table("sorts"):count())
    Moving.run("extract", "acme")
    assert.same({ "", mine }, { there "acme", here "acme" })
    assert.equal("1 2 3", table.concat(own():table("sorts"):order_by("id"):pluck "id", " "))
    assert.equal(3, own():table("tags"):find(2).sort_id)
  end)

  it("stay where rows of others refer to them", function()
    local mine, others = there "acme", there "globex"
    shared():insert("likes", { id = 1, org_id = "globex", post_id = 1 })
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("foreign_key_violation", Moving.run, "extract", "acme", options)
      assert.equal("1 row of others would refer to rows that are gone: likes to posts", e.message)
    end
    assert.equal("1 row would refer to rows that are not there: likes to posts",
      refused("foreign_key_violation", Moving.run, "extract", "globex").message)
    assert.same({ mine, others, 1 }, { there "acme", there "globex", shared():table("likes"):count() })
    assert.equal("", here "globex")
    shared():update("likes", { id = 1 }, { org_id = "acme" })
    assert.equal(32, Moving.run("extract", "acme").rows)
    assert.same({ mine, 1 }, { here "acme", own():table("likes"):count() })
  end)

  it("are not moved where triggers or other columns would make others of them", function()
    rille.tenant.create "acme"
    own():execute "alter table posts add column more text"
    local e = refused("migration", Moving.run, "extract", "acme")
    assert.equal("posts", e.table)
    own():execute "alter table posts drop column more"
    local kind = shared().driver == "sqlite" and "create trigger t after delete on posts begin select 1; end"
      or "create trigger t after delete on posts for each row execute function suppress_redundant_updates_trigger()"
    if shared().driver == "postgres" then
      shared():execute [[create function nothing() returns trigger language plpgsql as 'begin return null; end']]
      kind = kind:gsub("suppress_redundant_updates_trigger", "nothing")
    end
    shared():execute(kind)
    assert.matches("trigger t", refused("unsupported", Moving.run, "extract", "acme").message)
    assert.equal(16, shared():table("posts"):where("org_id", "acme"):count())
  end)
end)

describe("a tenant's rows that the target cannot keep", function()
  after_each(Moved.finish)

  --- Give one of the tenant's rows a value; it is refused, by its place, and nothing is made.
  local function refuses(place, row, why)
    local mine = there "acme"
    for _, options in ipairs { {}, { dry_run = true } } do
      local e = refused("validation", Moving.run, "extract", "acme", options)
      assert.same({ place }, require "rille.keys"(e.fields))
      assert.truthy(e.fields[place][1]:find("id = " .. row, 1, true), e.fields[place][1])
      assert.matches(why, e.fields[place][1])
      refused("tenant_unknown", own)
    end
    assert.same({ mine, "" }, { there "acme", here "acme" })
  end

  it("are refused in a file, by their place", function()
    Moved.begin { "postgres", "sqlite" }
    shared():execute "update posts set score = 'NaN' where id = 7"
    refuses("posts.score", 7, "NaN")
    shared():execute "update posts set score = 1 where id = 7"
    shared():execute "alter table posts alter column cheap type numeric(30, 2)"
    shared():execute "update posts set cheap = 12345678901234567.89 where id = 9"
    refuses("posts.cheap", 9, "12345678901234567.89")
  end)

  it("are refused at a server, by their place", function()
    Moved.begin { "sqlite", "postgres" }
    local db = shared()
    db:execute "update posts set day = 'soon' where id = 7"
    refuses("posts.day", 7, "soon")
    db:execute "update posts set day = null, key = 'no key' where id = 7"
    refuses("posts.key", 7, "no key")
    db:execute "update posts set key = null, slug = char(97, 0, 98) where id = 7"
    refuses("posts.slug", 7, "NUL")
    db:execute "update posts set slug = printf('%50s', 'long') where id = 7"
    refuses("posts.slug", 7, "40")
    db:execute "update posts set slug = 'fits', big = 1.5 where id = 7"
    refuses("posts.big", 7, "1.5")
  end)
end)

describe("a tenant's rows between two places at servers", function()
  after_each(Moved.finish)

  it("are whatever PostgreSQL keeps", function()
    Moved.begin { "postgres", "postgres" }
    rille.tenant.create "acme"
    for _, db in ipairs { shared(), own() } do
      db:execute "alter table posts add column tries interval, add column parts bigint[], add column span int4range"
    end
    shared():execute [[update posts set score = 'NaN', price = 'NaN', at = 'infinity', day = '-infinity',
      tries = '90 s', parts = '{1,null,3}', span = '[1,9)' where id = 7]]
    shared():execute "update posts set score = '-infinity', day = '4000-01-01 BC', at = '294276-12-31' where id = 9"
    local function odd(db)
      local rows = db:query [[select concat_ws(' ', score, price, at, day, tries, parts, span) as line from posts
        where id in (7, 9) order by id]]
      return rows[1] and rows[1].line .. "\n" .. rows[2].line
    end
    local before = odd(shared())
    assert.matches("NaN NaN infinity %-infinity", before)
    Moving.run("extract", "acme")
    assert.same({ nil, before }, { odd(shared()), odd(own()) })
    Moving.run("absorb", "acme")
    assert.same({ before, nil }, { odd(shared()), odd(own()) })
  end)

  it("are looked at as they would be in a schema, which is gone afterwards", function()
    Moved.begin { "postgres", "schema" }
    shared():execute "alter table posts alter column slug type varchar(60)"
    shared():execute "update posts set slug = repeat('x', 50) where id = 7"
    local mine = there "acme"
    local e = refused("validation", Moving.run, "extract", "acme", { dry_run = true })
    assert.same({ "posts.slug" }, require "rille.keys"(e.fields))
    refused("tenant_unknown", own)
    assert.equal(0, shared():query "select count(*) as n from pg_namespace where nspname like 'rille_new%'"[1].n)
    assert.equal(mine, there "acme")
  end)

  it("wait for no move that goes the other way, and for others no longer than for a lock", function()
    Moved.begin { "postgres", "postgres" }
    rille.tenant.create "acme"
    local words, locked = require "rille.tenant.side.postgres", {}
    local lock_notes = words.lock_notes
    words.lock_notes = function(side)
      locked[#locked + 1] = side.db:query "select current_database() as name"[1].name:match "_([^_]*)$"
      return lock_notes(side)
    end
    local ok, e = pcall(function()
      for _, way in ipairs { "extract", "absorb" } do
        locked = {}
        Moving.run(way, "acme")
        assert.equal("acme main", table.concat(locked, " ", 1, 2))       -- to see what an earlier one left
        assert.equal("acme main", table.concat(locked, " ", 4, 5))       -- to delete in the one what the other has
      end
    end)
    words.lock_notes = lock_notes
    assert.is_true(ok, e)
    shared().settings.busy_timeout_ms = 50
    shared():transaction(function()
      shared():execute "lock table rille_moves in exclusive mode"
      assert.matches("another move", refused("busy", Moving.run, "extract", "acme").message)
    end)
    Moving.run("extract", "acme")
  end)
end)
