--- unique_trashed_spec: unique indexes that leave soft-deleted rows out, from the word of a migration to the upsert.
local world = require "spec.support.world"
local rille, null, of_each, refused, untouched = world.rille, world.null, world.of_each, world.refused, world.untouched

local db, schema
before_each(function()
  db = world.fresh()
  schema = rille.schema()
end)

--- The texts of the indexes that somebody made.
local function indexes()
  local texts = of_each(db:query "select sql from sqlite_schema where type = 'index' and sql is not null order by name",
    "sql")
  for i, text in ipairs(texts) do texts[i] = text:gsub("^[%u ]+", string.lower) end
  return texts
end

local LIVE <const> = 'create unique index "pages_slug_unique" on "pages" ("slug") where "deleted_at" is null'

describe("ignore_trashed", function()
  it("makes an index over the rows that are not deleted, behind a column and for several", function()
    schema:create("pages", function(t)
      t:id()
      t:string("slug"):unique { ignore_trashed = true }
      t:integer("org")
      t:soft_deletes()
      t:unique({ "org", "slug" }, { ignore_trashed = true, where = { org = 1 }, name = "a" })
      t:unique { "org", ignore_trashed = true, where = "org > 2 or org < 0", name = "b" }
      t:index({ "slug" }, { ignore_trashed = true, name = "c" })
    end)
    assert.same({
      'create unique index "a" on "pages" ("org", "slug") where ("org" = 1) and "deleted_at" is null',
      'create unique index "b" on "pages" ("org") where (org > 2 or org < 0) and "deleted_at" is null',
      'create index "c" on "pages" ("slug") where "deleted_at" is null', LIVE,
    }, indexes())
  end)

  it("takes the table's own column of soft deletes, or the one that is named", function()
    schema:create("pages", function(t)
      t:string("slug"):unique { ignore_trashed = true }
      t:string("mail"):unique { ignore_trashed = "gone" }
      t:datetime("gone"):nullable()
      t:soft_deletes("removed_at")
    end)
    assert.matches('%("mail"%) where "gone" is null', indexes()[1])
    assert.matches('%("slug"%) where "removed_at" is null', indexes()[2])
  end)

  it("wants a column of soft deletes", function()
    local e = untouched("invalid_argument", schema.create, schema, "pages", function(t)
      t:string("slug"):unique { ignore_trashed = true }
    end)
    assert.equal('create: ignore_trashed of "pages_slug_unique": the table deletes no rows softly', e.message)
    assert.matches("t:soft_deletes%(%)", e.hint)
    untouched("no_such_column", schema.create, schema, "pages", function(t)
      t:string("slug"):unique { ignore_trashed = "gone" }
    end)
    for _, wrong in ipairs { 1, {}, "" } do
      untouched("invalid_argument", schema.create, schema, "pages", function(t)
        t:string("slug"):unique { ignore_trashed = wrong }
      end)
    end
    untouched("invalid_argument", schema.create, schema, "pages", function(t)
      t:string("slug"):unique { where = {} }
    end)
    schema:create("pages", function(t) t:string "slug" end)
    untouched("no_such_column", schema.table, schema, "pages", function(t)
      t:unique({ "slug" }, { ignore_trashed = true })
    end)
  end)

  it("goes with a table that is changed, and through its rebuild", function()
    schema:create("pages", function(t)
      t:id()
      t:string "slug"
    end)
    db:table("pages"):insert { { slug = "a" }, { slug = "a" } }
    schema:table("pages", function(t) t:soft_deletes() end)
    local e = untouched("migration", schema.table, schema, "pages", function(t)
      t:unique({ "slug" }, { ignore_trashed = true })
    end)
    assert.matches('1 value of "slug" in "pages" comes more than once', e.message)
    db:table("pages"):where("id", 1):update { deleted_at = 1 }
    schema:table("pages", function(t) t:unique({ "slug" }, { ignore_trashed = true }) end)
    schema:table("pages", function(t) t:string("slug", 40):nullable():change() end)
    assert.same({ LIVE }, indexes())
    refused("unique_violation", function() db:table("pages"):insert { slug = "a" } end)
    untouched("migration", schema.table, schema, "pages", function(t) t:drop "deleted_at" end)
    schema:table("pages", function(t)
      t:drop_unique { "slug" }
      t:drop "deleted_at"
    end)
    assert.same({}, indexes())
  end)
end)

describe("a unique index that leaves soft-deleted rows out", function()
  local Page

  before_each(function()
    local function fields(t)
      t:id()
      t:string("slug"):unique { ignore_trashed = true }
      t:integer("votes"):default(0)
      t:timestamps()
      t:soft_deletes()
    end
    schema:create("pages", fields)
    Page = rille.model "Page" { soft_deletes = true, fields = fields, validates = { slug = { unique = true } } }
  end)

  it("lets a name be used again, and stops a restore where it is used", function()
    local old = Page:create { slug = "a" }
    old:delete()
    local new = Page:create { slug = "a" }
    local none, err = Page:create { slug = "a" }
    assert.is_nil(none)
    assert.same({ slug = { "is already taken" } }, err.fields)
    none, err = old:restore()
    assert.is_nil(none)
    assert.same({ "validation", { slug = { "is already taken" } } }, { err.kind, err.fields })
    assert.is_true(Page:with_trashed():find(old.id):trashed())
    local e = refused("unique_violation", function() Page:where("id", old.id):restore() end)
    assert.equal("pages.slug: another row has this value already", e.message)
    new:delete()
    assert.is_truthy(old:restore())
  end)

  it("holds no deleted record to be in the way of itself", function()
    local old = Page:create { slug = "a" }
    old:delete()
    Page:create { slug = "b" }
    old.slug = "b"
    assert.is_truthy(old:validate())
    assert.is_truthy(old:save())
  end)

  it("is what an upsert goes by", function()
    Page:create({ slug = "a", votes = 1 }):delete()
    assert.equal(2, Page:upsert({ { slug = "a", votes = 2 }, { slug = "b", votes = 3 } }, "slug"))
    assert.equal(1, Page:upsert({ slug = "a", votes = 4 }, "slug"))
    assert.same({ 1, 4, 3 }, Page:with_trashed():order_by("id"):pluck "votes")
    assert.equal(0, Page:upsert({ slug = "a", votes = 9 }, { "slug" }, {}))
    assert.equal(1, db:table("pages"):upsert({ slug = "b", votes = 5 }, "slug"))
    assert.equal(5, Page:where("slug", "b"):value "votes")
  end)

  it("is not chosen where one over all rows is there", function()
    db:execute 'create unique index every_slug on pages (slug)'
    Page:create({ slug = "a", votes = 1 }):delete()
    assert.equal(1, Page:upsert({ slug = "a", votes = 2 }, "slug"))
    assert.same({ 2 }, Page:with_trashed():pluck "votes")
  end)
end)

describe("an upsert", function()
  it("says which index it misses, and which there are", function()
    db:execute "create table pages (id integer primary key, slug text, org integer, mail text unique)"
    db:execute "create unique index both on pages (org, slug)"
    local pages = db:table "pages"
    local e = untouched("invalid_argument", pages.upsert, pages, { slug = "a", org = null }, "slug")
    assert.equal("upsert: pages has no unique index on (slug), which could say that a row is there", e.message)
    assert.equal('t:unique { "slug" } in a migration makes one; there are those on (id), (mail), (org, slug)', e.hint)
    assert.equal('did you mean "slug"?', untouched("no_such_column", pages.upsert, pages, { slug = "a" }, "slgu").hint)
    assert.equal(1, pages:upsert({ slug = "a", org = 1 }, { "slug", "org" }))
    db:execute "create unique index slugs on pages (slug)"
    assert.equal(1, pages:upsert({ slug = "a", org = 2 }, "slug"))
  end)
end)
