--- open_spec: databases by name: which names there may be, what is done once in each, and what becomes of them.
local Root = require "spec.support.root"
local world = require "spec.support.world"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local root

local function configure(tenancy)
  rille.configure { connections = { main = { database = ":memory:" } }, databases = root, tenancy = tenancy }
end

local function names(list)
  local found = {}
  for i, each in ipairs(list) do found[i] = each.name .. (each.version and "@" .. each.version or "") end
  return table.concat(found, " ")
end

local NOTES = { "create table notes (id integer primary key, body text)", "insert into notes (body) values ('first')" }

describe("rille.open", function()
  before_each(function()
    root = Root.new()
    configure()
  end)
  after_each(function() Root.leave(root) end)

  it("makes a database, and opens it the next time", function()
    rille.open "root":execute "create table t (n integer)"
    rille.open "root":create("t", { n = 1 })
    rille.close()
    configure()
    assert.equal(1, rille.open "root":query "select n from t"[1].n)
  end)

  it("gives the same handle for the same name", function()
    local db = rille.open "root"
    assert.equal(db, rille.open "root")
    assert.not_equal(db, rille.open("root", { version = "v1" }))
    db:close()
    assert.not_equal(db, rille.open "root")
  end)

  it("keeps versions apart", function()
    for _, version in ipairs { "v1", "v2" } do
      local db = rille.open("shop", { version = version, statements = "create table t (v text)" })
      db:create("t", { v = version })
    end
    assert.equal("v1", rille.open("shop", { version = "v1" }):query "select v from t"[1].v)
    assert.equal("v2", rille.open("shop", { version = "v2" }):query "select v from t"[1].v)
    assert.equal("shop@v1 shop@v2", names(rille.databases()))
  end)

  it("runs its statements once in each database", function()
    for _ = 1, 3 do
      rille.open("a", { statements = NOTES })
      rille.open("b", { statements = NOTES })
    end
    rille.close()
    configure()
    for _, name in ipairs { "a", "b" } do
      assert.equal(1, rille.open(name, { statements = NOTES }):query "select count(*) as n from notes"[1].n)
    end
  end)

  it("refuses other statements under the same version", function()
    rille.open("a", { version = "v1", statements = NOTES })
    local e = refused("checksum_mismatch", rille.open, "a", { version = "v1", statements = { NOTES[1] } })
    assert.is_truthy(e.hint:find("version = …", 1, true))
    rille.open("a", { version = "v2", statements = { NOTES[1] } })
  end)

  it("keeps nothing of statements of which one fails", function()
    refused("no_such_table", rille.open, "a", { statements = { NOTES[1], "insert into nowhere values (1)" } })
    assert.same({}, rille.open "a":tables())
    rille.open("a", { statements = NOTES })
  end)

  it("runs them once though many processes come at once", function()
    local ROUNDS <const> = 20
    local script = ([[
      local rille = require "rille"
      rille.configure { connections = { main = { database = ":memory:" } }, databases = %q }
      rille.open("a" .. arg[1], { statements = { "create table t (n integer)", "insert into t values (1)" } })
    ]]):format(root)
    local file = os.tmpname()
    local output = assert(io.open(file, "wb"))
    output:write(script)
    output:close()
    local ok = os.execute(([[
      for round in $(seq %d); do
        all=
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "$RILLE" run '%s' $round & all="$all $!"; done
        for each in $all; do wait "$each" || exit 1; done
      done]]):format(ROUNDS, file))
    os.remove(file)
    assert.is_true(ok)
    for round = 1, ROUNDS do
      assert.equal(1, rille.open("a" .. round):query "select count(*) as n from t"[1].n)
    end
  end)

  it("refuses what is no name", function()
    for _, name in ipairs { "", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", "Root", "TENANT:a", "a:", ":a", "-a",
      "a-", "a.", ".a", "a b", "a\0b", "a\n", "rооt", "é", "a@v1", "a=b", "%41", "~", "*",
      ("a"):rep(129), ":memory:" } do
      refused("invalid_argument", rille.open, name)
    end
    for _, name in pairs { 1, true, print } do refused("invalid_argument", rille.open, name) end
    refused("invalid_argument", rille.open)
    for _, version in ipairs { "", "V1", "a/b", "..", "v1@v2", ("v"):rep(33), 1, "v:1" } do
      refused("invalid_argument", rille.open, "a", { version = version })
    end
    assert.is_nil(core.list_directory(root))
  end)

  it("makes two files of two names, on any file system", function()
    local list = { "a-b", "a_b", "a.b", "a:b", "ab", "a--b", "a:b.c", "a.b:c", "con", ("a"):rep(128) }
    for i, name in ipairs(list) do rille.open(name):execute(("create table t%d (n integer)"):format(i)) end
    for i, name in ipairs(list) do assert.same({ "t" .. i }, rille.open(name):tables()) end
    assert.equal(#list, #rille.databases())
  end)

  it("refuses options that it does not know", function()
    local e = refused("invalid_argument", rille.open, "a", { statement = {} })
    assert.is_truthy(tostring(e):find("statements", 1, true))
    for _, statements in ipairs { {}, { 1 }, 5, { {} } } do
      refused("invalid_argument", rille.open, "a", { statements = statements })
    end
    for _, bytes in ipairs { 0, -1, 1.5, "1 MB", 100 } do
      refused("invalid_argument", rille.open, "a", { max_bytes = bytes })
    end
  end)

  it("lists by name", function()
    for _, name in ipairs { "tenant:b", "tenant:a", "root", "tenants" } do rille.open(name) end
    rille.open("tenant:a", { version = "v2" })
    assert.equal("root tenant:a tenant:a@v2 tenant:b tenants", names(rille.databases()))
    assert.equal("tenant:a tenant:a@v2 tenant:b", names(rille.databases "tenant:*"))
    assert.equal("root", names(rille.databases "root"))
    assert.equal("", names(rille.databases "."))
    assert.is_true(rille.databases "root"[1].size_bytes > 0)
    refused("invalid_argument", rille.databases, 1)
  end)

  it("has the words of a handle", function()
    local db = rille.open("a", { statements = NOTES })
    local row = db:create("notes", { body = "x" })
    assert.equal("x", db:find_by_id("notes", row.id).body)
    assert.equal(1, db:update("notes", { id = row.id }, { body = "y" }))
    assert.equal("y", db:select("notes", { id = row.id })[1].body)
    assert.equal(1, db:remove("notes", { id = row.id }))
    assert.is_true(db:result("select 1").ok)
    assert.equal(1, db:transaction(function(tx) return #tx:query "select * from notes" end))
    assert.is_true(db:health().ok)
    assert.is_true(db:size() >= 8192)
  end)

  it("copies a database whole, or not at all", function()
    local db = rille.open("a", { statements = NOTES })
    local copy = db:copy_to("b", { version = "v9" })
    copy:create("notes", { body = "of the copy" })
    assert.same({ 1, 2 }, { #db:query "select * from notes", #copy:query "select * from notes" })
    refused("not_unique", db.copy_to, db, "b", { version = "v9" })
    refused("invalid_argument", db.copy_to, db, "../b")
    db:transaction(function() assert.is_false(pcall(db.copy_to, db, "c")) end)
    assert.equal("a b@v9", names(rille.databases()))
    assert.equal(0, #rille.databases "c")
  end)

  it("drops a database for who says its name again", function()
    local db = rille.open("a", { statements = NOTES })
    rille.open("a", { version = "v2" })
    refused("invalid_argument", db.drop, db)
    refused("invalid_argument", db.drop, db, "b")
    db:transaction(function() refused("busy", db.drop, db, "a") end)
    db:drop "a"
    refused("invalid_argument", db.query, db, "select 1")
    assert.equal("a@v2", names(rille.databases()))
    assert.same({}, rille.open "a":tables())
    refused("unsupported", rille.db().drop, rille.db(), "main")
  end)

  it("lets a database grow to its quota and no further", function()
    local db = rille.open("a", { max_bytes = 100000, statements = "create table t (data blob)" })
    local e = refused("disk_full", function()
      for _ = 1, 100 do db:execute "insert into t values (randomblob(3000))" end
    end)
    assert.is_truthy(e.message:find("max_bytes is 100000", 1, true))
    assert.is_true(db:size() <= 100000)
    assert.equal(503, db:result "insert into t values (randomblob(90000))".status)
    refused("invalid_argument", rille.open, "a", { max_bytes = 200000 })
  end)

  it("bears more databases than may be open, and keeps none that nobody holds", function()
    configure { pool = { max = 4 } }
    local held = {}
    for i = 1, 30 do held[i] = rille.open("d" .. i, { statements = "create table t (n integer)" }) end
    for i = 1, 30 do held[i]:create("t", { n = i }) end
    for i = 1, 30 do assert.equal(i, held[i]:query "select n from t"[1].n) end
    assert.is_true(core.pool_stats().open <= 4)
  end)
end)
