--- match_spec: a record that fits, or a new one: of models, of relations, and of several processes at once.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille, of_each, untouched = world.rille, world.of_each, world.untouched

describe("by way of a relation", function()
  local models, db, post, comments, tags

  before_each(function()
    models, db = kin.fresh()
    post = models.Post:create { id = 1, title = "p" }
    models.Post:create { id = 2 }:relation("comments"):create { n = 1 }
    comments, tags = post:relation "comments", post:relation "tags"
  end)
  after_each(function() rille.close() end)

  it("a new record is made with the key, and not saved", function()
    local comment = comments:new { n = 3 }
    assert.same({ 1, 3, false }, { comment.post_id, comment.n, comment:exists() })
    assert.equal("posts", post:relation("images"):new().imageable_type)
    assert.is_false(tags:new({ name = "x" }):exists())
    untouched("invalid_argument", function() models.Post:new():relation("comments"):new() end)
    untouched("unsupported", function() post:relation("user"):new() end)
  end)

  it("several are created, all or none", function()
    assert.equal(0, #post.comments)
    local made = comments:create_many { { n = 1 }, { n = 2 } }
    assert.same({ 1, 1 }, of_each(made, "post_id"))
    assert.equal(2, #post.comments)
    made = tags:create_many({ { name = "a" }, { name = "b" }, { name = "c" } },
      { { position = 3 }, {}, { position = 1 } })
    assert.same({ "a", "b", "c" }, of_each(made, "name"))
    assert.same({ { 1, 3 }, { 2 }, { 3, 1 } }, post.tags:map(function(tag) return { tag.id, tag.pivot.position } end))
    untouched("no_such_column", tags.create_many, tags, { { name = "x" }, { name = "y" } }, { {}, { place = 1 } })
    untouched("mass_assignment", comments.create_many, comments, { { n = 1 }, { m = 1 } })
    untouched("invalid_argument", comments.create_many, comments, { n = 1 })
    untouched("invalid_argument", comments.create_many, comments)
    assert.same({}, comments:create_many {})
  end)

  it("and the one that was refused is named", function()
    models = kin.fresh { Comment = { validates = { n = { required = true } } } }
    local made, err = models.Post:create({ id = 1 }):relation("comments"):create_many { { n = 1 }, {} }
    assert.is_nil(made)
    assert.same({ "validation", 2 }, { err.kind, err.index })
    assert.match("^create_many: record 2: ", err.message)
    assert.equal(0, models.Comment:count())
  end)

  it("what fits is looked for among the related records alone", function()
    assert.is_false(comments:first_or_new({ n = 1 }):exists())
    local comment = comments:first_or_create({ n = 1 }, { author_id = 7 })
    assert.same({ 1, 7 }, { comment.post_id, comment.author_id })
    assert.is_true(comment:is(comments:first_or_create({ n = 1 }, { author_id = 8 })))
    assert.is_true(comment:is(comments:first_or_new { n = 1 }))
    assert.same({ comment.id, 8 }, { comments:update_or_create({ n = 1 }, { author_id = 8 }).id,
      comment:fresh().author_id })
    assert.equal(1, comments:update_or_create({ n = 2 }, { author_id = 8 }).post_id)
    assert.equal(2, #post.comments)
    assert.equal(3, models.Comment:count())
    assert.equal("posts", post:relation("images"):first_or_create({ n = 1 }).imageable_type)
    assert.equal(1, post:relation("images"):first_or_create({ n = 1 }).id)
  end)

  it("what is there and not related is attached", function()
    models.Tag:create { name = "a", n = 1 }
    local tag = tags:first_or_create({ name = "a" }, { n = 9 }, { position = 4 })
    assert.same({ 1, 1 }, { tag.id, tag.n })
    assert.equal(4, post.tags[1].pivot.position)
    tags:first_or_create({ name = "a" }, nil, { position = 5 })
    assert.equal(2, tags:first_or_create({ name = "b" }, { n = 2 }, { position = 6 }).n)
    models.Tag:create { name = "c", n = 1 }
    assert.equal(7, tags:update_or_create({ name = "c" }, { n = 7 }).n)
    assert.equal(8, tags:update_or_create({ name = "c" }, { n = 8 }).n)
    assert.same({ 1, 2, 8 }, models.Tag:order_by("id"):pluck "n")
    assert.same({ { 1, 4 }, { 2, 6 }, { 3 } }, (function()
      local rows = {}
      for i, row in ipairs(db:table("post_tag"):order_by("tag_id"):all()) do rows[i] = { row.tag_id, row.position } end
      return rows
    end)())
  end)

  it("what cannot be is refused, and nothing is written", function()
    for _, word in ipairs { "first_or_new", "first_or_create", "update_or_create" } do
      untouched("invalid_argument", comments[word], comments, {})
      untouched("invalid_argument", comments[word], comments, 3)
      untouched("invalid_argument", comments[word], comments, { n = 1 }, 3)
      untouched("no_such_column", comments[word], comments, { m = 1 })
      local user = post:relation "user"
      untouched("unsupported", user[word], user, { n = 1 })
      local new = models.Post:new():relation "comments"
      untouched("invalid_argument", new[word], new, { n = 1 })
    end
    untouched("no_such_column", tags.first_or_create, tags, { name = "x" }, {}, { place = 1 })
  end)
end)

describe("a record that is there", function()
  it("is found without a transaction, where others write and where nobody can", function()
    local db = world.fresh "create table things (id integer primary key, slug text)"
    local Thing = rille.model "Thing" {}
    Thing:create { slug = "a" }
    local begun = 0
    local stop = rille.on("transaction:start", function() begun = begun + 1 end)
    assert.equal(1, Thing:first_or_create({ slug = "a" }).id)
    assert.equal(0, begun)
    assert.equal(2, Thing:first_or_create({ slug = "b" }).id)
    assert.equal(1, begun)
    stop()
    assert.equal(2, db:table("things"):count())
  end)
end)

describe("a record in the trash", function()
  local function words(call, ...)
    local ok, record, err = pcall(call, ...)
    assert.is_nil(ok and record or nil)
    local e = ok and err or record
    return e.kind, e.message, e.hint
  end

  it("that has the place of the one to be made is named", function()
    local db = world.fresh(
      "create table things (id integer primary key, slug text unique, at text, deleted_at DATETIME TEXT)")
    local Thing = rille.model("Thing", { soft_deletes = true })
    local Careful = rille.model("Careful", { table = "things", soft_deletes = true,
      validates = { slug = { unique = true } } })
    Thing:create { slug = "a" }:delete()
    for _, word in ipairs { "first_or_create", "update_or_create" } do
      local kind, message, hint = words(Thing[word], Thing, { slug = "a" }, { at = "x" })
      assert.same({ "unique_violation", "things.slug: another row has this value already: the one that fits is in the "
        .. "trash", "with_trashed() finds it; restore() brings it back, force_delete() makes room for a new one" },
        { kind, message, hint })
      kind, message = words(Careful[word], Careful, { slug = "a" }, { at = "x" })
      assert.same({ "validation",
        "this Careful is not valid: slug is already taken: the one that fits is in the trash" }, { kind, message })
    end
    assert.equal(1, db:table("things"):count())
  end)

  it("is not named where another row has the place", function()
    world.fresh("create table things (id integer primary key, slug text unique, n integer, deleted_at DATETIME TEXT)")
    local Thing = rille.model("Thing", { soft_deletes = true })
    Thing:create { slug = "a", n = 1 }
    Thing:create { slug = "b", n = 2 }:delete()
    local _, message = words(Thing.first_or_create, Thing, { n = 3 }, { slug = "a" })
    assert.equal("things.slug: another row has this value already", message)
  end)

  it("is named by a relation too", function()
    world.fresh("create table owners (id integer primary key)", [[create table things (id integer primary key,
      owner_id integer, slug text, deleted_at DATETIME TEXT, unique (owner_id, slug))]])
    local Owner = rille.model("Owner", { relations = { things = rille.has_many "Thing" } })
    rille.model("Thing", { soft_deletes = true })
    local owner = Owner:create {}
    owner:relation("things"):create { slug = "a" }:delete()
    local things = owner:relation "things"
    local _, message = words(things.first_or_create, things, { slug = "a" })
    assert.matches("the one that fits is in the trash$", message)
  end)
end)

describe("processes at once", function()
  local ROUNDS <const>, PROCESSES <const> = 200, 3
  local path

  before_each(function()
    path = os.tmpname()
    world.fresh()
    rille.connect(path)
    for _, sql in ipairs {
      "create table uniques (id integer primary key, slug text not null unique, n integer not null default 0)",
      "create table plains (id integer primary key, slug text not null, n integer not null default 0)",
    } do rille.db():execute(sql) end
  end)
  after_each(function()
    rille.close()
    for _, ending in ipairs { "", "-wal", "-shm", ".go" } do os.remove(path .. ending) end
  end)

  local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

  --- Run a script in several processes that begin together; what each of them says at the end.
  local function at_once(script)
    local settings, place = rille.db().settings, world.engine == "sqlite" and "database" or "url"
    script = ([[local rille = require "rille"
      rille.connect { driver = %q, %s = %q, busy_timeout_ms = 60000 }
      local Unique, Plain = rille.model "Unique" {}, rille.model "Plain" {}
      io.stdout:write "ready\n"; io.stdout:flush()
      repeat local go = io.open(%q) until go
      for i = 1, %d do local slug = "s" .. i %s end
      print "done"]]):format(world.engine, place, settings[place], path .. ".go", ROUNDS, script)
    local command = ("LUA_PATH=%s LUA_CPATH=%s lua5.4 -e %s 2>&1"):format(quoted(package.path), quoted(package.cpath),
      quoted(script))
    local processes = {}
    for i = 1, PROCESSES do processes[i] = assert(io.popen(command)) end
    for _, process in ipairs(processes) do assert.equal("ready", process:read "l") end
    assert(io.open(path .. ".go", "w")):close()
    for _, process in ipairs(processes) do
      assert.equal("done\n", process:read "a")
      process:close()
    end
  end

  --- How many rows there are, how many of them differ, and the sum of n.
  local function rows_of(name)
    local row = rille.db():query("select count(*) as a, count(distinct slug) as b, sum(n) as c from " .. name)[1]
    return { row.a, row.b, row.c }
  end

  it("make one row, with a unique constraint and without one", function()
    at_once 'Unique:first_or_create({ slug = slug }, { n = 1 }) Plain:first_or_create({ slug = slug }, { n = 1 })'
    assert.same({ ROUNDS, ROUNDS, ROUNDS }, rows_of "uniques")
    if world.engine == "sqlite" then assert.same({ ROUNDS, ROUNDS, ROUNDS }, rows_of "plains") end  -- one writer
  end)

  it("lose no update", function()
    at_once [[
      Plain:update_or_create({ slug = slug }, { slug = slug })
      Unique:upsert({ slug = slug, n = i }, "slug")
      rille.transaction(function()
        local one = Plain:first_or_create { slug = slug }
        one:update { n = one.n + 1 }
      end)]]
    assert.same({ ROUNDS, ROUNDS, ROUNDS * (ROUNDS + 1) // 2 }, rows_of "uniques")
    assert.same({ ROUNDS, ROUNDS, ROUNDS * PROCESSES }, rows_of "plains")
  end)
end)
