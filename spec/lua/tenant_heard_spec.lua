--- tenant_heard_spec: a tenant's rows moved between two files of which mirrors, or sessions, are to hear; what moves is
-- asked by tenant_extract_spec.
local Extract = require "rille.tenant.extract"
local Files = require "spec.support.tenancy.files"
local world = require "spec.support.world"
local rille = world.rille
local rows_of = Files.rows_of

local A <const> = { id = 1, slug = "a" }

describe("a tenant's rows that move between two files", function()
  local files, shared, own

  --- Both files, opened with more settings.
  local function open(session, mirror)
    files:open({ mirror_background = false, session = session }, mirror)
    shared, own = files.shared, files.own
  end

  before_each(function()
    files = Files.new()
    open()
  end)
  after_each(function() files:remove() end)

  it("reach the mirrors of both files, after any end", function()
    open(nil, { all = { tables = { "posts" } } })
    shared:mirror_resync "all"
    local function in_mirror(db)
      db:mirror_sync()
      assert.same({}, db:mirror_verify().differing)
      return rille.db "all":query("select count(*) as n from posts where org_id = 1 and source = ?", db.name)[1].n
    end
    own:_connect()
    rille.close()
    open()                                            -- the files say it by themselves
    local mine = rows_of(shared, A)
    assert.same({ 20, 0 }, { in_mirror(shared), in_mirror(own) })
    for _, last in ipairs { "arrived", "left", "done" } do
      for _, way in ipairs { { shared, own }, { own, shared } } do
        local from, to = way[1], way[2]
        pcall(Extract.run, from, to, A, { on_step = function(step) if step == last then error "killed" end end })
        assert.same({ last == "arrived" and 20 or 0, 20 }, { in_mirror(from), in_mirror(to) })
        assert.equal(last == "arrived" and 40 or 0, Extract.run(from, to, A).rows)
        assert.same({ 0, 20, "", mine }, { in_mirror(from), in_mirror(to), rows_of(from, A), rows_of(to, A) })
      end
    end
  end)

  it("are a commit of the file that they move to, which tokens of sessions count, and stay what they are", function()
    open { enabled = true }
    shared:execute [[insert into posts (id, org_id, slug, data) values (1000, 1, x'00ff', 'text'), (1002, 1, 'x', 1.5),
      (1004, 1, 'y', 7), (1006, 1, 1e300, 9007199254740993)]]
    local mine = rows_of(shared, A)
    local s = rille.session.start {}
    s:run(function() return own:table("posts"):unfiltered():count() + shared:table("posts"):unfiltered():count() end)
    s:token()
    local function position(db) return db:query "select position from rille_history"[1].position end
    for _, way in ipairs { { shared, own }, { own, shared } } do
      local before = position(way[2])
      assert.equal(44, Extract.run(way[1], way[2], A, { on_step = function(step)
        if step == "arrived" then assert.is_true(position(way[2]) > before) end
      end }).rows)
      assert.same({ "", mine }, { rows_of(way[1], A), rows_of(way[2], A) })
    end
  end)
end)
