--- validate_constraint_spec: rules that the database keeps, and what it refuses as validation.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, statements = world.refused, world.statements

local TABLES <const> = {
  "create table orgs (id integer primary key, parent_id INTEGER references orgs (id), code TEXT unique)",
  [[create table pages (id integer primary key, org_id INTEGER references orgs (id), slug TEXT, name TEXT not null,
    place INTEGER unique, price DECIMAL(8,2) unique, live BOOLEAN unique, at DATETIME TEXT unique,
    meta JSON TEXT unique, email TEXT collate nocase, votes INTEGER check (votes >= 0 and name <> 'the place'),
    rank INTEGER constraint rank_in_range check ((rank > 0) and rank < 10), deleted_at DATETIME TEXT,
    unique (org_id, slug))]],
  "create unique index pages_email on pages (email) where deleted_at is null",
  "create unique index pages_lower on pages (name, lower(slug)) where votes = 4",
  "create unique index pages_gone on pages (votes) where deleted_at is not null",
  "insert into orgs values (1, null, 'a'), (2, 1, 'b')",
}

local Page, db

local function pages(validates, options)
  db = world.fresh(table.unpack(TABLES))
  options = options or {}
  options.validates = validates
  Page = rille.model("Page", options)
  Page:first()
  return Page
end

--- The fields of the error that a call returns; rows are as before.
local function fields(fn, ...)
  local before = world.picture()
  local record, e = fn(...)
  assert.is_nil(record)
  assert.is_true(rille.is_error(e, "validation"))
  assert.equal(before, world.picture())
  return e.fields, e
end

local function create(attributes)
  attributes.name = attributes.name or "x"
  return Page:create(attributes)
end

local TAKEN, NOWHERE <const> = { "is already taken" }, { "refers to nothing that exists" }

describe("unique", function()
  it("is kept by the database, without a look-up", function()
    pages { place = { unique = true } }
    assert.equal(1, #statements(create, { place = 1 }))
    assert.is_truthy(create { place = 2 })
    local messages, e = fields(create, { place = 1 })
    assert.same({ place = TAKEN }, messages)
    assert.same({ "place", "unique", 1, true }, { e.failures[1].field, e.failures[1].rule, e.failures[1].value,
      e.failures[1].wanted })
    assert.equal("pages.place", e.constraint)
    assert.matches("insert into", e.sql)
    assert.is_truthy(create { place = null })
    assert.is_truthy(create { place = null })
  end)

  it("is unique within other columns", function()
    pages { slug = { unique = { within = "org_id" } } }
    assert.is_truthy(create { org_id = 1, slug = "a" })
    assert.is_truthy(create { org_id = 2, slug = "a" })
    assert.is_truthy(create { slug = "a" })
    local other = assert(create { slug = "a" })
    assert.same({ slug = TAKEN }, fields(create, { org_id = 1, slug = "a" }))
    assert.same({ slug = TAKEN }, fields(other.update, other, { org_id = 1 }))
    pages { slug = { unique = { within = { "org_id" } }, message = "choose another one" } }
    create { org_id = 1, slug = "a" }
    assert.same({ slug = { "choose another one" } }, fields(create, { org_id = 1, slug = "a" }))
  end)

  it("is looked up once something else is wrong, so that all is told at once", function()
    pages { place = { unique = true }, name = { min = 3 }, org_id = { references = true },
      slug = { unique = { within = "org_id" } } }
    local page = assert(create { name = "long", place = 1, org_id = 1, slug = "a" })
    assert.same({ name = { "must have at least 3 characters" }, place = TAKEN, slug = TAKEN },
      fields(create, { place = 1, org_id = 1, slug = "a" }))
    assert.same({ name = { "must have at least 3 characters" }, org_id = NOWHERE },
      fields(page.update, page, { name = "x", place = 1, org_id = 9 }))
    page:refresh()
    assert.same({ place = TAKEN, slug = TAKEN },
      fields(create, { name = "other", place = 1, org_id = 1, slug = "a" }))
    assert.same({ place = TAKEN, org_id = NOWHERE }, fields(create, { name = "other", place = 1, org_id = 9 }))
  end)

  it("does not find the record itself", function()
    pages { place = { unique = true }, name = { min = 3 } }
    local page = assert(create { name = "long", place = 1 })
    page.place = 2
    page:save()
    page.place, page.name = 2, "x"
    assert.same({ name = { "must have at least 3 characters" } }, fields(page.save, page))
    page:refresh()
    page.place = 3
    assert.is_truthy(page:validate())
    create { name = "other", place = 3 }
    assert.same({ place = TAKEN }, fields(page.validate, page))
    assert.same({ place = TAKEN }, fields(page.save, page))
    pages { email = { unique = true }, name = { min = 3 } }
    page = assert(create { name = "long", email = "a@b" })
    page.email = "A@B"
    assert.is_truthy(page:validate())
    assert.is_truthy(page:save())
  end)

  it("looks up no more than what changed and is not known to be wrong", function()
    pages { place = { unique = true }, price = { unique = true, min = 0 }, name = { min = 3 },
      org_id = { references = true } }
    local page = assert(create { name = "long", place = 1, price = 1, org_id = 1 })
    page:fill { name = "x" }
    assert.equal(0, #statements(page.save, page))
    page:fill { place = 2, price = -1 }
    assert.equal(1, #statements(page.save, page))
    page = Page:select("name", "place"):first()
    page.place = 3
    assert.is_truthy(page:validate())
  end)

  it("is looked up where its conditions say, but kept by the database everywhere", function()
    local function in_first(page) return page.org_id == 1 end
    pages { email = { unique = true, when = in_first }, place = { unique = true, on = "update" }, name = { min = 3 } }
    create { name = "long", org_id = 1, email = "a@b", place = 1 }
    local short = { "must have at least 3 characters" }
    assert.same({ name = short }, fields(create, { name = "x", org_id = 2, email = "a@b", place = 1 }))
    assert.same({ name = short, email = TAKEN }, fields(create, { name = "x", org_id = 1, email = "a@b", place = 1 }))
    assert.same({ email = TAKEN }, fields(create, { name = "long", org_id = 2, email = "a@b" }))
    assert.same({ place = TAKEN }, fields(create, { name = "long", place = 1 }))
  end)

  it("stops a soft deletion that it stands against", function()
    pages({ votes = { unique = true } }, { soft_deletes = true })
    assert(create { votes = 1 }):delete()
    local page = assert(create { votes = 1 })
    assert.same({ votes = TAKEN }, fields(page.delete, page))
    assert.is_false(page:trashed())
  end)

  it("compares values as their columns keep them", function()
    pages { place = { unique = true }, price = { unique = true }, live = { unique = true }, at = { unique = true },
      meta = { unique = true } }
    local given = { place = 1, price = 1.5, live = true, at = 86400, meta = { 1 } }
    local taken = { place = TAKEN, price = TAKEN, live = TAKEN, at = TAKEN, meta = TAKEN }
    local page = assert(create(given))
    local new = Page:new(given)
    assert.same(taken, fields(new.validate, new))
    assert.same(taken, fields(new.save, Page:new(given)))
    assert.is_truthy(page:validate())
    page = Page:first()
    assert.is_truthy(page:replicate())
    assert.same(taken, fields(page.validate, page:replicate()))
  end)

  it("follows a partial index: what the model's scopes hide is not in the way", function()
    pages({ email = { unique = true }, name = { min = 3 } }, { soft_deletes = true })
    local gone = assert(create { name = "long", email = "a@b" })
    gone:delete()
    assert.same({ name = { "must have at least 3 characters" } }, fields(create, { name = "x", email = "a@b" }))
    assert.is_truthy(create { name = "long", email = "a@b" })
    assert.same({ name = { "must have at least 3 characters" }, email = TAKEN },
      fields(create, { name = "x", email = "A@B" }))
    assert.same({ email = TAKEN }, fields(create, { name = "long", email = "A@B" }))
    assert.same({ email = TAKEN }, fields(gone.restore, gone))
  end)

  it("finds what a whole index knows behind soft deletion and scopes", function()
    pages({ place = { unique = true }, name = { min = 3 } },
      { soft_deletes = true, global_scopes = { live = function(q) return q:where("live", true) end } })
    assert(create { name = "long", place = 1 }):delete()
    assert.same({ name = { "must have at least 3 characters" }, place = TAKEN },
      fields(create, { name = "x", place = 1 }))
    assert.same({ place = TAKEN }, fields(create, { name = "long", place = 1 }))
  end)

  it("gives the same error when another writer is faster", function()
    local function faster(place)
      if Page:where("place", place):doesnt_exist() then db:table("pages"):insert { name = "other", place = place } end
      return true
    end
    pages { place = { unique = true, check = faster } }
    local _, e = create { place = 7 }
    local _, again = create { place = 7 }
    assert.same({ place = TAKEN }, e.fields)
    assert.same({ again.message, again.fields, again.failures }, { e.message, e.fields, e.failures })
  end)

  it("asks in the transaction of the record", function()
    pages { place = { unique = true }, name = { min = 3 } }
    local tx <close> = rille.begin()
    create { name = "long", place = 1 }
    assert.same({ "must have at least 3 characters" }, select(2, create { name = "x", place = 2 }).fields.name)
    assert.same(TAKEN, select(2, create { name = "x", place = 1 }).fields.place)
    assert.same(TAKEN, select(2, create { name = "other", place = 1 }).fields.place)
    tx:commit()
    assert.equal(1, Page:count())
  end)

  it("knows the primary key, one column or several", function()
    db = world.fresh "create table seats (row TEXT, number INTEGER, who TEXT unique, primary key (row, number))"
    local Seat = rille.model "Seat" {
      validates = { number = { unique = { within = "row" } }, who = { unique = true } },
    }
    local seat = assert(Seat:create { row = "a", number = 1, who = "Ada" })
    assert.same({ number = TAKEN, who = TAKEN }, fields(Seat.create, Seat, { row = "a", number = 1, who = "Ada" }))
    assert.is_truthy(seat:validate())
    local other = assert(Seat:create { row = "a", number = 2 })
    assert.same({ who = TAKEN }, fields(other.update, other, { who = "Ada" }))
    assert.is_truthy(seat:update { who = "Bob" })
    pages { id = { unique = true } }
    create { id = 5 }
    assert.same({ id = TAKEN }, fields(create, { id = 5 }))
  end)

  it("is found by a look-up where the names are longer than an error holds", function()
    local a, b = ("a"):rep(60), ("b"):rep(60)
    world.fresh(("create table wide (id integer primary key, %s TEXT, %s TEXT, unique (%s, %s))"):format(a, b, a, b))
    local Wide = rille.model "Wide" { table = "wide", validates = { [a] = { unique = { within = b } } } }
    assert(Wide:create { [a] = "x", [b] = "y" })
    assert.same({ [a] = TAKEN }, fields(Wide.create, Wide, { [a] = "x", [b] = "y" }))
  end)

  it("wants a unique index over just its columns", function()
    for field, option in pairs { name = true, slug = true, org_id = true, votes = { within = "rank" },
      place = { within = "org_id" } } do
      local e = refused("invalid_argument", pages, { [field] = { unique = option } })
      assert.matches("validates." .. field .. ": unique wants a unique index on pages (" .. field, e.message, 1, true)
      assert.matches("in a migration", e.hint)
    end
  end)

  it("leaves a violation alone that is about something else", function()
    pages { place = { unique = true } }
    create { price = 1 }
    assert.equal("pages.price", refused("unique_violation", create, { price = 1 }).constraint)
    db:execute [[create trigger copies after insert on pages when new.votes > 5
      begin insert into orgs (code) values ('a'); end]]
    refused("unique_violation", create, { place = 5, votes = 6 })
    pages { name = { required = true } }
    db:execute "create table notes (name TEXT not null)"
    db:execute "create trigger notes after insert on pages begin insert into notes values (null); end"
    assert.equal("notes", refused("not_null_violation", create, {}).table)
  end)
end)

describe("references", function()
  it("is kept by the foreign key, without a look-up", function()
    pages { org_id = { references = true } }
    assert.equal(1, #statements(create, { org_id = 1 }))
    local page = assert(create { org_id = null })
    local messages, e = fields(create, { org_id = 9 })
    assert.same({ org_id = NOWHERE }, messages)
    assert.equal("references", e.failures[1].rule)
    assert.same({ org_id = NOWHERE }, fields(page.update, page, { org_id = 9 }))
    assert.same({ org_id = NOWHERE }, fields(page.validate, page))
    assert.is_truthy(page:update { org_id = 2 })
  end)

  it("may refer to the row itself", function()
    world.fresh(table.unpack(TABLES))
    local Org = rille.model "Org" { validates = { parent_id = { references = "orgs" } } }
    assert.is_truthy(Org:new({ id = 7, parent_id = 7 }):validate())
    assert.is_truthy(Org:create { id = 7, parent_id = 7 })
    assert.same({ parent_id = NOWHERE }, fields(Org.create, Org, { id = 8, parent_id = 9 }))
  end)

  it("wants a foreign key, to the table it names, that is switched on", function()
    for field, option in pairs { name = true, place = true, org_id = "pages" } do
      local e = refused("invalid_argument", pages, { [field] = { references = option } })
      assert.matches("validates." .. field .. ": references wants a foreign key", e.message, 1, true)
    end
    assert.is_truthy(pages { org_id = { references = "orgs" } })
    world.fresh()
    rille.configure { default = "main", connections = { main = { driver = "sqlite", database = ":memory:",
      foreign_keys = false } } }
    for i = 1, 3 do rille.db():execute(TABLES[i]) end
    Page = rille.model("Loose", { table = "pages", validates = { org_id = { references = true } } })
    assert.matches("foreign_keys = false", refused("invalid_argument", Page.first, Page).hint, 1, true)
  end)

  it("leaves a violation alone that is about something else", function()
    world.fresh(table.unpack(TABLES))
    local Org = rille.model "Org" { validates = { parent_id = { references = true } } }
    refused("foreign_key_violation", Org:find(1).update, Org:find(1), { id = 5 })
  end)
end)

describe("what the database refuses otherwise", function()
  it("is required where a rule says so, though the rule had no turn", function()
    pages { name = { required = true, on = "update" } }
    assert.same({ name = { "must be given" } }, fields(Page.create, Page, {}))
    assert.same({ name = { "must be given" } }, fields(Page.create, Page, { name = null }))
    pages { name = { max = 5 } }
    refused("not_null_violation", Page.create, Page, {})
  end)

  it("is the field's that a CHECK names, if it has rules", function()
    pages { votes = { max = 5 }, name = { required = true }, place = { max = 5 } }
    assert.same({ votes = { "is not valid" }, name = { "is not valid" } }, fields(create, { votes = -1 }))
    pages { votes = { max = 5, message = { check = "cannot be less than nothing" } } }
    assert.same({ votes = { "cannot be less than nothing" } }, fields(create, { votes = -1 }))
    refused("check_violation", create, { rank = 0 })
    pages { name = { required = true } }
    refused("check_violation", create, { rank = 0 })
  end)

  it("and where the CHECK has a name, the table says what it is about", function()
    pages { rank = { required = true }, place = { max = 5 } }
    local messages, e = fields(create, { rank = 12 })
    assert.same({ rank = { "is not valid" } }, messages)
    assert.same({ "check", "rank_in_range" }, { e.failures[1].rule, e.constraint })
  end)

  it("leaves a record that can be put right, also in a transaction", function()
    pages({ place = { unique = true } })
    local page = Page:new { name = "x", place = 1 }
    rille.transaction(function()
      create { place = 1 }
      assert.is_nil(page:save())
      assert.is_false(page:exists())
      page.place = 2
      assert.equal(page, page:save())
    end)
    assert.equal(2, Page:count())
    page.place = 1
    assert.is_nil(page:save())
    assert.same({ place = { 2, 1 } }, page:changes())
  end)
end)
