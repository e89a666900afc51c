--- mirror_crash_spec: a program that writes, and two that apply, are killed at any moment; nothing is lost or doubled.
-- RILLE_CRASH_ROUNDS says how often; the mirror counts by triggers what is applied to it, so that doing the same twice
-- shows even where it changes nothing.
local core = require "rille.core"
local Killing = require "spec.support.killing"
local rille = require "rille"

local ROUNDS = Killing.rounds(8)

local CONFIG = 'return { connections = { main = { database = "main.db", synchronous = "normal" } } }'

local BOTH = [[
  local rille = require "rille"
  local function source()
    return rille.open("source", { mirror = "root", statements = {
      "create table notes (id integer primary key, body text)",
      "create table done (id integer primary key, changes integer)",
      "insert into done values (1, 0)",
    } })
  end
]]

-- Each transaction changes one or two rows of notes and says so in `done`.
local WRITER = BOTH .. [[
  local db, long = source(), ("long "):rep(300)
  math.randomseed(os.time(), os.clock() * 1e6 // 1)
  while true do
    db:transaction(function()
      local before = db:query "select coalesce(max(id), 0) as last from notes"[1].last
      db:insert("notes", { body = long })
      local changes = 1
      if before > 0 and math.random() < 0.5 then
        changes = changes + db:update("notes", { id = math.random(before) }, { body = "short " .. before })
      end
      if before > 0 and math.random() < 0.3 then
        changes = changes + db:delete("notes", { id = math.random(before) })
      end
      db:execute("update done set changes = changes + ?", changes)
    end)
    if math.random() < 0.2 then pcall(db.mirror_sync, db) end
  end
]]

local SYNCER = BOTH .. [[
  local db = source()
  while true do pcall(db.mirror_sync, db) end
]]

local TABLES = {
  "create table notes (source text, id integer, body text, primary key (source, id))",
  "create table applied (n integer)",
  "insert into applied values (0)",
  "create trigger i after insert on notes begin update applied set n = n + 1; end",
  "create trigger u after update on notes begin update applied set n = n + 1; end",
  "create trigger d after delete on notes begin update applied set n = n + 1; end",
}

describe("a mirror whose processes are killed", function()
  local folder, here

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(core.make_directory(folder))
    for name, text in next, { ["rille.config.lua"] = CONFIG, ["writer.lua"] = WRITER, ["syncer.lua"] = SYNCER } do
      local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(text)
    end
    rille.configure { connections = { main = { database = ":memory:", synchronous = "normal" } },
      databases = folder .. "/databases" }
    rille.open("root", { statements = TABLES })
    here = rille.open("source", { mirror = "root", statements = {
      "create table notes (id integer primary key, body text)",
      "create table done (id integer primary key, changes integer)",
      "insert into done values (1, 0)",
    } })
    here:update("done", { id = 1 }, { changes = 0 })     -- so that the mirror has this row
  end)
  after_each(function()
    rille.close()
    os.execute("rm -rf '" .. folder .. "'")
    require "rille.config".clear()
  end)

  local function run_all(seconds)
    local parts = { ("cd '%s'"):format(folder) }
    for i, script in ipairs { "writer.lua", "syncer.lua", "syncer.lua" } do
      parts[#parts + 1] = ("{ timeout -s KILL %.3f %s run %s >/dev/null 2>&1 & }"):format(seconds[i],
        os.getenv "RILLE", script)
    end
    parts[#parts + 1] = "wait"
    os.execute("sh -c \"" .. table.concat(parts, "\n") .. "\" 2>/dev/null")
  end

  it("has each change once", function()
    local root = rille.open "root"
    for round = 1, ROUNDS do
      run_all { 0.05 + math.random() * 0.3, 0.04 + math.random() * 0.3, 0.04 + math.random() * 0.3 }
      if round % 4 == 0 then
        assert.same({}, here:mirror_failed())
        here:mirror_sync()
        assert.same(here:query "select id, body from notes order by id",
          root:query "select id, body from notes order by id", "round " .. round)
        local changes = here:query "select changes as n from done"[1].n
        assert.equal(changes, root:query "select n from applied"[1].n, "round " .. round)
        assert.equal(changes, root:query "select changes as n from done"[1].n)
      end
    end
    assert.is_true(here:query "select changes as n from done"[1].n > ROUNDS)
    assert.equal("ok", root:query("pragma integrity_check")[1].integrity_check)
    assert.same({ 0, 0 }, { here:mirror_status().lag, here:mirror_status().failed })
  end)
end)
