--- record_lock_spec: optimistic locking: whoever saves what somebody else has changed meanwhile is told.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

describe("a model with a lock_column", function()
  local Page, db
  before_each(function()
    db = world.fresh [[create table pages (id integer primary key, title TEXT, lock_version INTEGER,
      deleted_at DATETIME TEXT)]]
    Page = rille.model "Page" { lock_column = "lock_version" }
  end)
  local function version() return db:query("select lock_version as v from pages")[1].v end

  it("counts each save", function()
    local page = Page:create { title = "a" }
    assert.same({ 1, 1 }, { page.lock_version, version() })
    page:update { title = "b" }
    assert.same({ 2, 2 }, { page.lock_version, version() })
    page:save()
    assert.equal(2, version())
    assert.is_false(page:is_dirty())
  end)

  it("refuses what was overtaken, and the record waits as it was", function()
    Page:create { title = "a" }
    local mine, theirs = Page:find(1), Page:find(1)
    theirs:update { title = "theirs" }
    mine.title = "mine"
    local e = refused("stale_object", mine.save, mine)
    assert.equal("the Page with the key 1 was changed or deleted by somebody else: it cannot be saved", e.message)
    assert.same({ "Page", "pages", "lock_version" }, { e.model, e.table, e.column })
    assert.same({ title = { "a", "mine" } }, mine:changes())
    assert.equal("theirs", Page:find(1).title)
    refused("stale_object", mine.delete, mine)
    assert.equal(1, Page:count())
    mine:refresh():update { title = "mine" }
    assert.same({ "mine", 3 }, { Page:find(1).title, version() })
    Page:find(1):delete()
    refused("stale_object", mine.update, mine, { title = "gone" })
  end)

  it("begins with rows that were never counted", function()
    db:execute "insert into pages (title) values ('old')"
    local one, two = Page:find(1), Page:find(1)
    one:update { title = "a" }
    assert.equal(1, version())
    refused("stale_object", two.update, two, { title = "b" })
  end)

  it("takes a default of the database to begin with", function()
    db = world.fresh [[create table pages (id integer primary key, title TEXT,
      lock_version INTEGER not null default 0)]]
    Page = rille.model "Page" { lock_column = "lock_version" }
    local page = Page:create { title = "a" }
    assert.equal(0, page.lock_version)
    page:update { title = "b" }
    assert.equal(1, version())
  end)

  it("counts what queries change, so that records read before are told", function()
    local page = Page:create { title = "a" }
    for i, change in ipairs {
      function() Page:where("id", 1):update { title = "b" } end,
      function() Page:where("id", 1):increment("id", 0, { title = "c" }) end,
      function() Page:upsert({ id = 1, title = "d" }, "id") end,
      function() Page:upsert({ id = 1, title = "e" }, "id", { "title" }) end,
      function() Page:find(1):increment("id", 0) end,
    } do
      change()
      assert.equal(1 + i, version())
      page.title = "mine"
      refused("stale_object", page.save, page)
    end
    Page:upsert({ id = 1, title = "f" }, "id", {})
    assert.equal(6, version())
    Page:where("id", 1):update { lock_version = 40 }
    assert.equal(40, version())
  end)

  it("gives rows that are inserted by query their first value", function()
    Page:insert { { title = "a" }, { title = "b", lock_version = 7 } }
    assert.same({ 1, 7 }, Page:order_by("id"):pluck "lock_version")
  end)

  it("lets nobody count but itself", function()
    local page = Page:create { title = "a" }
    assert.equal("increment: Page.lock_version says which change the row has seen, and counts by itself",
      refused("invalid_argument", page.increment, page, "lock_version").message)
    refused("invalid_argument", page.decrement, page, "lock_version")
    refused("invalid_argument", function() Page:where("id", 1):increment "lock_version" end)
    assert.equal(1, version())
  end)

  it("marks a deletion and a touch by the same rule", function()
    require "rille.model".forget_all()
    Page = rille.model "Page" { lock_column = "lock_version", soft_deletes = true }
    Page:create { title = "a" }
    local one, two = Page:find(1), Page:find(1)
    one.title = "waits"
    one:delete()
    assert.is_true(one:is_dirty "title")
    assert.equal(2, version())
    refused("stale_object", two.delete, two)
    assert.is_false(two:trashed())
    one:restore()
    assert.equal(3, version())
  end)

  it("is taken back with its transaction", function()
    local page = Page:create { title = "a" }
    pcall(rille.transaction, function()
      page:update { title = "b" }
      error "no"
    end)
    assert.same({ title = { "a", "b" } }, page:changes())
    page:save()
    assert.equal(2, version())
  end)

  it("assigns the column itself, and needs it", function()
    refused("mass_assignment", Page.create, Page, { title = "a", lock_version = 7 })
    Page:create { title = "a" }
    local part = Page:select("id", "title"):first()
    refused("missing_attribute", part.update, part, { title = "b" })
    require "rille.model".forget_all()
    Page = rille.model "Page" { lock_column = "lock_versoin" }
    local e = refused("no_such_column", Page.first, Page)
    assert.matches("lock_version", e.hint)
  end)
end)
