--- session_crash_spec: whoever writes is killed, or loses the power; the tokens that were given out tell what is left.
-- RILLE_CRASH_ROUNDS says how often.
local core = require "rille.core"
local Killing = require "spec.support.killing"
local world = require "spec.support.world"
local rille = world.rille

local ROUNDS <const> = Killing.rounds(8)
local EACH <const> = 100000                -- more rows than one process writes

describe("the tokens of a SQLite database", function()
  local folder, path, given, synchronous

  local function connect()
    rille.configure { connections = { main = { driver = "sqlite", database = path, synchronous = synchronous } },
      session = { enabled = true } }
    return rille.db()
  end

  local function begin(how)
    world.seed()
    synchronous, given = how, {}
    folder = os.tmpname()
    os.remove(folder)
    assert(core.make_directory(folder))
    assert(core.make_directory(folder .. "/left"))
    path = folder .. "/app.db"
    local db = connect()
    db:execute "create table notes (id integer primary key, body text)"
    db:execute "create table counts (n integer)"
    db:execute "insert into counts values (0)"
    rille.close()
  end

  after_each(function()
    rille.close()
    os.execute(("rm -r '%s'"):format(folder))
  end)

  --- A process that writes rows from the first of the round on; `more` are further arguments.
  ---@return file* pipe
  ---@return string pid
  local function start(round, ...)
    local line = ("echo $$; exec '%s' run spec/support/sessions/writer.lua '%s' %s %d %s"):format(os.getenv "RILLE",
      path, synchronous, round * EACH, table.concat({ ... }, " "))
    local pipe = assert(io.popen(line))
    return pipe, pipe:read()
  end

  --- What it acknowledges, for so many rows at most; a line that was cut off was not.
  ---@return integer count
  local function hear(pipe, most)
    local count = 0
    while count < most do
      local line = pipe:read "L"
      local n, token = (line or ""):match "^(%d+) (%S+)\n$"
      if not n then
        assert(line == nil or not line:find "\n", line)
        break
      end
      given[#given + 1] = { n = tonumber(n), token = token }
      count = count + 1
    end
    return count
  end

  --- Each token is told to be lost if what it knew of is, and only then.
  ---@return integer lost  how many are
  local function judge()
    local db, lost, there = connect(), 0, {}
    assert.equal("ok", db:query("pragma integrity_check")[1].integrity_check)
    local thirds = 0
    for _, row in ipairs(db:query "select id, length(body) as length from notes") do
      there[row.id] = row.length == row.id % 7 * 400
      thirds = thirds + (row.id % 3 == 0 and 1 or 0)
    end
    assert.equal(thirds, db:query "select n from counts"[1].n, "a transaction is there in part")
    for _, each in ipairs(given) do
      local told = rille.session.start { token = each.token }.lost
      assert.equal(not there[each.n], told, ("row %d: %s"):format(each.n, each.token))
      lost = lost + (told and 1 or 0)
    end
    rille.close()
    return lost
  end

  for _, how in ipairs { "full", "normal" } do
    it(("are all good after each kill of who writes, synchronous = %s"):format(how), function()
      begin(how)
      for round = 1, ROUNDS do
        local pipe, pid = start(round)
        hear(pipe, math.random(200))
        assert(os.execute("kill -9 " .. pid))
        hear(pipe, math.huge)
        pipe:close()
        assert.equal(0, judge())
      end
      assert.is_true(#given >= ROUNDS)
    end)
  end

  --- Rounds in which the power fails; the next goes on with what was left.
  ---@return integer lost  tokens
  local function fail_power()
    local library, lost, before = os.getenv "RILLE_BUILD" .. "/spec_power.so", 0, 0
    for round = 1, ROUNDS do
      local pipe = start(round, library, folder .. "/left", math.random(20, 1500), math.random(1 << 30))
      hear(pipe, math.huge)
      assert.same({ nil, "exit", 86 }, { pipe:close() })
      assert(os.execute(("rm -f '%s'* && mv '%s'/left/* '%s'"):format(path, folder, folder)))
      lost = judge()
      assert.is_true(lost >= before)                       -- what was lost once is lost for ever
      before = lost
    end
    assert.is_true(#given >= ROUNDS)
    return lost
  end

  it("are all good after each loss of power, synchronous = full", function()
    begin "full"
    assert.equal(0, fail_power())
  end)

  it("tell what each loss of power took with it, synchronous = normal", function()
    begin "normal"
    local lost = fail_power()
    assert.is_true(lost > 0, "no power loss took anything")
    assert.is_true(lost < #given)
  end)
end)
