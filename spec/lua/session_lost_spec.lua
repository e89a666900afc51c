--- session_lost_spec: sessions are told when what they saw is no more there, and only then.
local world = require "spec.support.world"
local base = require "spec.support.sessions.posts"
local core = require "rille.core"
local rille = world.rille

local refused, wrote = base.refused, base.wrote

describe("a session is told that its past is gone", function()
  local project, path, Post

  local function connect() Post = base.connect(path) end

  before_each(function()
    project, path = base.new()
    connect()
  end)

  after_each(function()
    rille.close()
    project:remove()
  end)

  local function backup() assert(os.execute(("cp %s %s.kept"):format(path, path))) end
  local function restore()
    rille.close()
    assert(os.execute(("mv %s.kept %s && rm -f %s-wal %s-shm"):format(path, path, path, path)))
    connect()
  end

  it("when a backup from before was put back", function()
    local before = wrote()
    rille.close() connect()
    rille.close()
    backup()
    connect()
    local after = wrote "two"
    restore()
    assert.is_false(rille.session.start { token = before }.lost)
    local heard = {}
    local stop = rille.on("session:lost", function(info) heard[#heard + 1] = info.token end)
    local s = rille.session.start { token = after }
    stop()
    assert.is_true(s.lost)
    assert.same({ after }, heard)
    assert.is_nil(s:token())
    assert.equal(1, s:run(function() return Post:count() end))
    assert.is_false(rille.session.start { token = s:token() }.lost)
  end)

  it("when the process goes on that had left the database where the backup has it", function()
    local before = wrote()
    local kept <close> = core.open { database = path .. ".kept" }
    local other <close> = core.open { database = path }
    kept:copy(other)
    other:execute "insert into posts (title) values ('lost')"
    other:execute "update rille_history set position = position + 1"      -- as another process, in the same epoch
    local s = rille.session.start { token = before }
    s:run(function() assert.equal(2, Post:count()) end)
    local after = s:token()
    rille.close()
    other:copy(kept)
    connect()
    wrote "another"
    assert.is_true(rille.session.start { token = after }.lost)
    assert.is_false(rille.session.start { token = before }.lost)
  end)

  --- Others count in the epoch of this process, and a session of theirs tells where they are; the file is closed then.
  local function others_went_on()
    local other <close> = core.open { database = path }
    other:execute "insert into posts (title) values ('lost')"
    other:execute "update rille_history set position = position + 1"
    other:close()
    connect()
    local s = rille.session.start {}
    s:run(function() assert.equal(2, Post:count()) end)
    rille.close()
    return s:token()
  end

  it("when the file in which the process goes on was copied over while it was closed", function()
    local before = wrote()
    rille.close()
    backup()
    local after = others_went_on()
    assert(os.execute(("cp -p %s.kept %s && rm -f %s-wal %s-shm"):format(path, path, path, path)))
    connect()
    wrote "another"
    assert.equal(2, Post:count())
    assert.is_true(rille.session.start { token = after }.lost)
    assert.is_false(rille.session.start { token = before }.lost)
  end)

  it("but not when the file is opened again, moved away and back, or written by others", function()
    local tokens = { wrote() }
    local function epochs() return rille.db():query("select count(*) as n from rille_epochs")[1].n end
    local before = epochs()
    for _ = 1, 3 do
      rille.close() connect()
      tokens[#tokens + 1] = wrote()
    end
    assert.equal(before, epochs())                         -- it went on where it was
    rille.close()
    assert(os.execute(("mv %s %s.away && mv %s.away %s"):format(path, path, path, path)))
    connect()
    tokens[#tokens + 1] = wrote()
    project:write("more.lua", [[local rille = require "rille"
      rille.connect "app.db"
      rille.session.start {}:run(function() rille.db():execute "insert into posts (title) values ('more')" end)]])
    assert.same({ 0, "" }, { project:run "run more.lua" })
    tokens[#tokens + 1] = wrote()
    for i, token in ipairs(tokens) do assert.is_false(rille.session.start { token = token }.lost, i) end
  end)

  it("when others wrote since as much as was lost", function()
    wrote()
    rille.close()
    backup()
    connect()
    local after = wrote "two"
    restore()
    for i = 1, 20 do Post:create { title = "other " .. i } end
    assert.is_true(rille.session.start { token = after }.lost)
  end)

  describe("under an open connection,", function()
    local s, before, after

    before_each(function()
      before = wrote()
      rille.close()
      backup()
      connect()
      s = rille.session.start {}
      s:run(function() Post:create { title = "two" } end)
      after = s:token()
    end)

    local function told()
      local later = rille.session.start { token = after }
      assert.is_true(later.lost)
      assert.is_false(rille.session.start { token = before }.lost)
      s:run(function() assert.is_nil(Post:where("title", "two"):first()) end)
      assert.is_true(s.lost)
      assert.is_false(rille.session.start { token = s:token() }.lost)
    end

    local function in_its_place()
      assert(os.execute(("mv %s.kept %s && rm -f %s-wal %s-shm"):format(path, path, path, path)))
    end

    local function into_it()
      local from <close> = core.open { database = path .. ".kept" }
      local to <close> = core.open { database = path }
      to:copy(from)
    end

    it("where a backup was put in the place of the file", function()
      in_its_place()
      told()
    end)

    it("where others wrote into that file since", function()
      in_its_place()
      project:write("more.lua", [[local rille = require "rille"
        rille.connect "app.db"
        rille.session.start {}
        local Post = rille.model "Post" {}
        for i = 1, 20 do Post:create { title = "other" } end]])
      assert.same({ 0, "" }, { project:run "run more.lua" })
      told()
    end)

    it("where a backup was copied into the database", function()
      into_it()
      told()
    end)

    it("where as much was written since the backup was copied into the database", function()
      into_it()
      for i = 1, 20 do Post:create { title = "other " .. i } end
      told()
    end)

    describe("behind what is done in it", function()
      local restored

      local function told_of(fn, options)
        restored = function() end
        local own = rille.session.start(options or { token = before })
        assert.is_false(own.lost)
        own:run(function()
          fn()
          into_it()
          restored()
        end)
        assert.is_true(own.lost)
        assert.is_false(rille.session.start { token = own:token() }.lost)
      end

      it("once it has read", function()
        told_of(function() assert.equal(2, Post:count()) end)
      end)

      it("once it has written", function()
        told_of(function() Post:create { title = "three" } end)
      end)

      it("once it has read, and others wrote since", function()
        told_of(function()
          assert.equal(2, Post:count())
          restored = function() for i = 1, 20 do Post:create { title = "other " .. i } end end
        end)
      end)

      it("in one that knew nothing before", function()
        told_of(function() assert.equal(2, Post:count()) end, {})
      end)

      it("where the backup takes the place of the file", function()
        local own = rille.session.start { token = before }
        own:run(function()
          assert.equal(2, Post:count())
          in_its_place()
        end)
        assert.is_true(own.lost)
      end)

      it("but not in one that begins after it", function()
        into_it()
        local own = rille.session.start {}
        own:run(function() assert.equal(1, Post:count()) end)
        assert.is_false(own.lost)
      end)

      it("nor where it changes the schema itself", function()
        local own = rille.session.start { token = before }
        own:run(function()
          rille.db():execute "create table more (id integer primary key)"
          pcall(rille.transaction, function()
            rille.db():execute "create table yet_more (id integer primary key)"
            error "no"
          end)
          Post:create { title = "three" }
        end)
        assert.is_false(own.lost)
      end)
    end)

    it("but not where a migration changed the schema", function()
      rille.db():execute "create table more (id integer primary key)"
      Post:create { title = "three" }
      assert.is_false(rille.session.start { token = after }.lost)
      s:run(function() Post:count() end)
      assert.is_false(s.lost)
    end)

    it("and a transaction that was begun on the old file commits nothing", function()
      refused("connection_lost", "into the old one", rille.transaction, function()
        in_its_place()
        Post:create { title = "three" }
        rille.session.start {}:run(function() assert.equal(3, Post:count()) end)
      end)
      assert.equal(1, Post:count())
      told()
    end)

    it("and a statement alone writes nothing into the old file", function()
      in_its_place()
      refused("connection_lost", "into the old one", Post.insert, Post, { title = "three" })
      assert.equal(1, Post:insert { title = "four" })
      assert.equal(2, Post:count())
      told()
    end)

    it("and nothing is made where the file is gone", function()
      os.rename(path, path .. ".gone")
      refused("connection_lost", "no more at its path", Post.insert, Post, { title = "three" })
      assert.is_nil(io.open(path))
      os.rename(path .. ".gone", path)
      assert.equal(1, Post:insert { title = "four" })
    end)
  end)

  describe("by a backup that is newer than its last look,", function()
    local s

    local function copied(from, to)
      local source <close> = core.open { database = from }
      local target <close> = core.open { database = to }
      target:copy(source)
    end
    local function put_back() copied(path .. ".kept", path) end

    local function others_write()
      local other <close> = core.open { database = path }
      other:count(true)
      other:execute "insert into posts (title) values ('other')"
    end

    before_each(function()
      wrote()
      s = rille.session.start {}
      s:run(function() assert.equal(1, Post:count()) end)
      others_write()
      copied(path, path .. ".kept")
      others_write()
    end)

    it("once it has read what came after that", function()
      s:run(function()
        assert.equal(3, Post:count())
        put_back()
      end)
      assert.is_true(s.lost)
    end)

    it("once it has written", function()
      s:run(function()
        Post:create { title = "lost" }
        put_back()
      end)
      assert.is_true(s.lost)
    end)

    it("and others wrote since", function()
      s:run(function()
        assert.equal(3, Post:count())
        put_back()
        for _ = 1, 20 do others_write() end
      end)
      assert.is_true(s.lost)
    end)

    it("between two things that it read, and it knew nothing before", function()
      local own = rille.session.start {}
      own:run(function()
        assert.equal(3, Post:count())
        put_back()
        assert.equal(2, Post:count())
      end)
      assert.is_true(own.lost)
    end)

    it("each time, also where it is the same backup", function()
      for _ = 1, 3 do
        s = rille.session.start {}
        s:run(function()
          assert.equal(3, Post:count())
          put_back()
        end)
        assert.is_true(s.lost)
        others_write()
      end
    end)

    it("where it took the place of a file that the pool had closed meanwhile", function()
      project:write("migrations/0001_notes.lua", [[return {
        up = function(schema) schema:create("notes", function(t) t:id() end) end,
        down = function(schema) schema:drop "notes" end }]])
      project:write("tenants.lua", [[local rille = require "rille"
        local core = require "rille.core"
        rille.configure { connections = { main = "main.db" }, session = { enabled = true },
          tenancy = { strategy = "database", pattern = "tenants/{slug}.db", pool = { max = 1 } } }
        local Note = rille.model "Note" {}
        local function count(slug) return rille.tenant.run(slug, function() return Note:count() end) end
        for _, slug in ipairs { "a", "b" } do
          rille.tenant.create(slug)
          rille.tenant.run(slug, function() Note:create {} end)
        end
        local function others_write()
          local other <close> = core.open { database = "tenants/a.db" }
          other:count(true)
          other:execute "insert into notes default values"
          other:query "pragma wal_checkpoint(truncate)"
        end
        local s = rille.session.start {}
        s:run(count, "a")
        s:run(count, "b")
        others_write()
        os.execute "cp tenants/a.db kept.db"
        others_write()
        s:run(function()
          assert(count "a" == 3 and count "b" == 1)
          assert(os.rename("kept.db", "tenants/a.db"))
        end)
        print(s.lost, count "a")]])
      assert.same({ 0, "true\t2\n" }, { project:run "run tenants.lua" })
    end)

    it("but not where it came before the first thing that it did", function()
      local token = s:token()
      put_back()
      for _, known in ipairs { {}, { token = token } } do
        local own = rille.session.start(known)
        own:run(function() assert.equal(2, Post:count()) end)
        assert.is_false(own.lost)
        own:run(function() Post:create { title = "three" } end)
        assert.is_false(own.lost)
        put_back()
      end
    end)

    it("but not where nothing is put back, whatever else is done to the database", function()
      project:write("others.lua", [[local rille = require "rille"
        rille.connect "app.db"
        local schema = rille.schema()
        schema:create("more", function(t) t:id() t:string "name" end)
        schema:table("posts", function(t) t:string("body"):nullable() end)
        rille.transaction(function()
          rille.db():execute "insert into more (name) values ('one')"
          rille.db():execute "create index more_names on more (name)"
        end)
        schema:drop "more"
        for _, sql in ipairs { "vacuum", "analyze", "reindex", "pragma optimize" } do rille.db():execute(sql) end
        rille.session.start {}
        rille.db():execute "create table last (id integer primary key)"]])
      local token = s:token()
      s:run(function()
        assert.equal(3, rille.db():table("posts"):count())
        assert.same({ 0, "" }, { project:run "run others.lua" })
        assert.equal(3, rille.db():table("posts"):count())
      end)
      assert.is_false(s.lost)
      assert.is_false(rille.session.start { token = token }.lost)
    end)
  end)

  it("when its epoch is too long ago to be known", function()
    local token = wrote()
    rille.db():execute "delete from rille_epochs"
    rille.db():execute "insert into rille_epochs values (20000, 1, 100)"
    assert.is_true(rille.session.start { token = token }.lost)
  end)
end)
