--- hostile/tenant_random_spec: whatever a tenant does, it sees nothing of another one and changes nothing of it.
-- A random world (spec/support/tenancy) is made twice, once with the rows of three tenants and once as if two of them
-- had never been, and the third one does the same random things in both.  After each of them:
--   * no result, error or event holds a text or a number of another tenant;
--   * the rows of the other tenants are what they were, bit for bit;
--   * the result, or the kind of error, is that of the database in which the others never were, and so are all rows
--     that are not theirs.
-- One world in four has a database for each tenant, in which even nobody's rows are its own.  On PostgreSQL every other
-- one has row-level security, and then SQL of one's own may be run, too; in every fourth no model says whose rows are
-- meant, so that the server alone keeps tenants apart.
-- RILLE_SEED=n begins with the world n, RILLE_SECONDS=n goes on for so long.
local world = require "spec.support.world"
local Chain = require "spec.support.tenancy.chain"
local Draw = require "spec.support.tenancy.draw"
local Engine = require "spec.support.tenancy.engine"
local Step = require "spec.support.tenancy.step"
local World = require "spec.support.tenancy.world"
local Time = require "rille.testing.time"
local json = require "rille.json"
local core = require "rille.core"
local rille = world.rille

local SECONDS <const> = tonumber(os.getenv "RILLE_SECONDS") or 8
local STEPS <const> = 40

-- -- results as texts -----------------------------------------------------------------------------------------------

local shown

local function shown_table(value)
  local list, names = {}, {}
  for i = 1, #value do list[i] = shown(value[i]) end
  table.sort(list)                                       -- the order of rows is not promised
  for name, each in next, value do
    if type(name) ~= "number" or name > #value then
      if name == "next_cursor" or name == "prev_cursor" then
        each = each:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
      end
      names[#names + 1] = shown(name) .. "=" .. shown(each)
    end
  end
  table.sort(names)
  return ("{%s|%s}"):format(table.concat(list, ","), table.concat(names, ","))
end

function shown(value)
  if value == rille.null then return "null" end
  if rille.type(value) then return rille.type(value) .. shown_table(value:to_table()) end
  if rille.is_error(value) then return "error " .. value.kind end
  if math.type(value) == "float" then return ("%.10g"):format(value) end
  if type(value) == "table" then return shown_table(value) end
  if type(value) == "string" and value:find "^[%[{]" then
    local ok, read = pcall(json.decode, value)
    if ok then return "json" .. shown_table(read) end    -- nor that of rows in a document
  end
  return tostring(value)
end

local function shown_all(...)
  local values = {}
  for i = 1, select("#", ...) do values[i] = shown((select(i, ...))) end
  return table.concat(values, "; ")
end

--- Does the text hold something of another tenant?
local function is_marked(text) return text:find(World.MARK, 1, true) or text:find "70000%d%d" end

-- -- one world ------------------------------------------------------------------------------------------------------

local totals

--- Run a step as one tenant: what came of it, all that was said meanwhile, and how the step reads.
local function run(made, db, number, kind, record, what)
  local chain = { draw = Draw.new(made.seed, number), world = made, db = db, trace = { kind .. " " } }
  local heard = {}
  local stops = {
    rille.on("query", function(event)
      heard[#heard + 1] = event.sql
      for _, param in ipairs(event.params or {}) do heard[#heard + 1] = tostring(param) end
    end),
    rille.on("model:retrieved", function(event) heard[#heard + 1] = shown(event.instance) end),
  }
  local outcome = table.pack(pcall(rille.tenant.run, World.tenant(made, 1), function()
    local given = table.pack(Step[kind](chain, record or number, what, number))
    return shown_all(table.unpack(given, 1, given.n)), given
  end))
  for _, stop in ipairs(stops) do stop() end
  local ok, text = outcome[1], outcome[2]
  if not ok then
    if not rille.is_error(text) then error(("%s\n%s"):format(tostring(text), table.concat(chain.trace)), 0) end
    heard[#heard + 1] = tostring(text)
    heard[#heard + 1] = text.hint
    text = "error " .. text.kind
  else
    for _, value in ipairs(outcome[3]) do
      if rille.is_error(value) then heard[#heard + 1] = tostring(value) end
    end
    totals.ok = totals.ok + 1
  end
  return text, table.concat(heard, "\n"), table.concat(chain.trace)
end

-- What a step wants of another tenant: a record and what goes with it, or nil.
local FROM_OTHER = {
  foreign = function(made, draw)
    local entity = draw:pick(made.entities)
    if not entity.tenant then return nil end
    return draw:pick(made.classes[entity.name]:all()), entity
  end,
  taken = function(made, draw)
    local entity = draw:pick(made.entities)
    local row = entity.loose and draw:pick(entity.rows)
    return row and row.owner ~= "a" and row.values.slug or nil, entity
  end,
  theirs = function(made, draw) return made.handles and made.handles[1 + draw(2)] end,
  shared = function(made, draw)
    local entity = draw:pick(made.entities)
    local name = Chain.relation_of({ draw = draw }, { entity = entity })
    if entity.tenant or not name or entity.relations[name][1] == "morph_to" then return nil end
    return draw:pick(made.classes[entity.name]:with(name):all()), name
  end,
}

--- All steps in one world: what came of each.
local function live(seed, with_others, root)
  local engine = Engine.current()
  local made = World.invent(seed)
  local build = root and World.build_apart or World.build
  local db, picture = build(rille, made, with_others, root)
  local before, outcomes = picture(true), {}
  assert.is_true(with_others or before == "")
  for number = 1, STEPS do
    local kind = Draw.new(seed, number, 2):pick(Step.kinds)
    local from_other, text, heard, said = FROM_OTHER[kind], "nothing", "", ""
    if not from_other then
      text, heard, said = run(made, db, number, kind)
    elseif with_others then
      local draw = Draw.new(seed, number, 1)
      local record, what = rille.tenant.run(World.tenant(made, 1 + draw(2)), from_other, made, draw)
      local counted = engine.counters(db)            -- a refused insert counts on, which what never was did not
      -- (in a database of one's own a text is not taken by others, nor a record shared)
      -- (... and where no model says whose rows are meant, nobody refuses a record that was read as somebody else)
      if record and not made.bare and not (root and kind ~= "foreign" and kind ~= "theirs") then
        text, heard, said = run(made, db, number, kind, record, what)
      end
      engine.put_back(db, counted)
    end
    local where = ("RILLE_SEED=%d, step %d: %s"):format(seed, number, said)
    if is_marked(text) or is_marked(heard) then
      error(("%s\nshows what is another tenant's:\n%s\n%s"):format(where, text, heard), 0)
    end
    local after = picture(true)
    if after ~= before then
      error(("%s\nchanged rows of another tenant:\n%s\n-- was\n%s"):format(where, after, before), 0)
    end
    totals.steps = totals.steps + 1
    totals[kind] = (totals[kind] or 0) + 1
    outcomes[number] = { text = from_other and "" or text, where = where, ours = picture(false) }
  end
  rille.close()
  return outcomes
end

--- The same with a database for each tenant, in a folder that goes afterwards.
local function live_apart(seed, with_others)
  local root = os.tmpname()
  os.remove(root)
  assert(core.make_directory(root) and core.make_directory(root .. "/migrations"))
  local ok, outcomes = pcall(live, seed, with_others, root)
  rille.close()
  os.execute("rm -rf '" .. root .. "'")
  require "rille.config".clear()
  if not ok then error(outcomes, 0) end
  return outcomes
end

--- Is the tenant as it would be alone?
local function same(outcome, alone)
  if outcome.text ~= alone.text then
    error(("%s\ngives other things than alone:\n%s\n-- alone\n%s"):format(outcome.where, outcome.text, alone.text), 0)
  elseif outcome.ours ~= alone.ours then
    error(("%s\nleaves other rows than alone:\n%s\n-- alone\n%s"):format(outcome.where, outcome.ours, alone.ours), 0)
  end
end

describe("a tenant among random models, rows and calls", function()
  after_each(function()
    Time.unfreeze()
    rille.close()
    require "rille.model".forget_all()
  end)

  it("sees nothing of others, changes nothing of them, and is as if it were alone", function()
    local seed, worlds, started = world.seed(), 0, core.monotonic_ms()
    totals = { steps = 0, ok = 0 }
    Time.freeze(World.NOW)
    repeat
      local each = seed % 4 == 0 and world.engine == "sqlite" and live_apart or live
      local with, alone = each(seed, true), each(seed, false)
      for number, outcome in ipairs(with) do same(outcome, alone[number]) end
      seed, worlds = seed + 1, worlds + 1
    until core.monotonic_ms() - started > SECONDS * 1000
    print(("-- %d worlds, %d steps, of which %d did something"):format(worlds, totals.steps, totals.ok))
    assert.is_true(totals.ok > totals.steps / 2)
  end)
end)
