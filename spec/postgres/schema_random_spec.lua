--- postgres/schema_random_spec: words drawn at random, on SQLite and on PostgreSQL: the same tables, rows, refusals.
-- RILLE_SPEC_URL names a server; RILLE_SECONDS says for how long, RILLE_SEED repeats.
local Database = require "spec.support.database"
local Engine = require "rille.schema.engine"
local Recall = require "rille.schema.recall"
local Runner = require "rille.schema.runner"
local Say = require "rille.schema.say"
local rille = require "rille"

local SECONDS <const> = tonumber(os.getenv "RILLE_SECONDS") or 5
local SEED <const> = tonumber(os.getenv "RILLE_SEED") or os.time()

local random = math.random
local function one_of(list) return list[random(#list)] end

local NAMES <const> = { "a", "b", "c", "d" }
local TEXTS <const> = { "", "1", "0", "7.50", "-12", "x", "2024-02-29", "2023-02-29", "2024-02-29T10:00:00Z", "{}",
  "null", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "99999999999999999999", "1e3", " 5", "yes", "ümlaut", "0.1", "it's" }

-- Word -> its arguments behind the name, and values that fit it.
local WORDS <const> = {
  string = { function() return one_of { 1, 5, 40 } end, function() return one_of(TEXTS) end },
  text = { nil, function() return one_of(TEXTS) end },
  integer = { nil, function() return one_of { 0, 1, -7, 42, 123456789 } end },
  bigint = { nil, function() return one_of { 0, 1, math.maxinteger, math.mininteger } end },
  float = { nil, function() return one_of { 0.5, 1.0, -2.25, 1e300 } end },
  decimal = { function() return one_of { 4, 10, 20 } end,
    function() return one_of { "1.50", "0", "-3.25", "99.99" } end },
  boolean = { nil, function() return random(2) == 1 end },
  date = { nil, function() return one_of { "2024-02-29", "1999-12-31" } end },
  datetime = { nil, function() return one_of { "2024-02-29T23:59:59Z", "2026-11-20T12:00:00.5Z" } end },
  json = { nil, function() return one_of { "{}", "[1, 2]", "null", '"x"' } end },
  uuid = { nil, function() return "6f9619ff-8b86-d011-b42d-00c04fc964ff" end },
  enum = { function() return { "x", "1", "0" } end, function() return one_of { "x", "1", "0" } end },
}
local WORD_NAMES <const> = require "rille.keys"(WORDS)

--- A column as text of words, and a value for it.
local function column_words(name, changing)
  local word = one_of(WORD_NAMES)
  local arguments, value = WORDS[word][1], WORDS[word][2]
  local out = { ("t:%s(%q"):format(word, name) }
  local argument = arguments and arguments()
  if argument then out[#out + 1] = ", " .. (type(argument) == "table" and Say.list(argument) or argument) end
  out[#out + 1] = ")"
  if random(2) == 1 then out[#out + 1] = ":nullable()" end
  if random(2) == 1 then out[#out + 1] = (":default(%s)"):format(Say.literal(value())) end
  if not changing and random(4) == 1 then out[#out + 1] = one_of { ":unique()", ":index()" } end
  if changing then out[#out + 1] = ":change()" end
  return table.concat(out)
end

local function alteration()
  local draw = random(14)
  local a, b = one_of(NAMES), one_of(NAMES)
  if draw <= 4 then return column_words(a, true) end
  if draw <= 6 then return column_words(a) end
  return ({
    function() return ("t:drop(%q)"):format(a) end,
    function() return ("t:rename(%q, %q)"):format(a, b) end,
    function() return ("t:%s { %s%s }"):format(one_of { "index", "unique" }, ("%q"):format(a),
      a ~= b and (", %q"):format(b) or "") end,
    function() return ("t:%s(%q)"):format(one_of { "drop_index", "drop_unique", "drop_foreign" }, a) end,
    function() return one_of { "t:drop_primary()", ("t:primary(%q)"):format(a) } end,
    function() return ("t:foreign(%q):references('others')"):format(a) end,
    function() return ("t:check(%q, %q)"):format(a .. " is not null", "check_" .. a) end,
    function() return one_of { "t:timestamps()", ("t:drop_check(%q)"):format("check_" .. a),
      ("t:references(%q, 'others'):nullable()"):format(a), ("t:drop(%q, %q)"):format(a, b) } end,
  })[draw - 6]()
end

local function function_of(words)
  local chunk = assert(load("local t, rille = ...\n" .. words, "=words", "t", {}))
  return function(t) chunk(t, rille) end
end

describe("words drawn at random", function()
  local handles

  --- What came of a call, as text.
  local function outcome(call, ...)
    local ok, e = pcall(call, ...)
    if ok then return "done" end
    return rille.is_error(e) and ("%s: %s"):format(e.kind, e.message) or error(e, 0)
  end

  local function kind_of(text) return text:match "^[^:]*" end

  local function both(call)
    local results = {}
    for i, handle in ipairs(handles) do results[i] = call(handle, rille.schema(handle)) end
    return results[1], results[2]
  end

  --- The words that would make a table, in which what the engines call by different words is the same.
  local function words_of(handle, name)
    local engine, run = Engine.of(handle), Runner.new(handle)
    local blueprint = Recall.blueprint(engine, engine.picture(run, name))
    for _, column in ipairs(blueprint.columns) do
      if column.word == "integer" then column.word = "bigint" end
    end
    for _, list in ipairs { blueprint.indexes, blueprint.checks } do
      table.sort(list, function(x, y) return x.name < y.name end)
    end
    local text = table.concat(Say.table(blueprint), "\n")
    text = text:gsub('check%("(.-)", "check_', function(sql)
      return ('check("%s", "check_'):format(sql:lower():gsub('[()\\"]', ""))
    end)
    return (text:gsub("(%d%d:%d%d:%d%d%.%d-)0*Z", "%1Z"):gsub("%.Z", "Z"))
  end

  --- A number without an exponent: jsonb keeps no other way to write it.
  local function plain(text)
    local whole, fraction, exponent = text:match "^(%-?%d+)%.?(%d-)0*e%+?(%d+)$"
    return whole and whole .. fraction .. ("0"):rep(exponent - #fraction) or text
  end

  local function rows_of(handle, name)
    local lines = {}
    for i, row in ipairs(handle:table(name):order_by("id"):all()) do
      local values = {}
      for _, key in ipairs(require "rille.keys"(row)) do
        local value = plain((tostring(row[key]):gsub("^ ", "")))
        if value:find "^%-?%d+%.%d+$" then value = value:gsub("0+$", ""):gsub("%.$", "") end   -- 1.50 is 1.5
        values[#values + 1] = key .. "=" .. value
      end
      lines[i] = table.concat(values, " ")
    end
    return table.concat(lines, "\n")
  end

  --- Foreign keys between columns of different types, which only SQLite takes.
  local function refers_to_another_type(words)
    local name = words:match '%("(%a)"'
    local picture = Engine.of(handles[2]).picture(Runner.new(handles[2]), "things")
    for _, column in ipairs(picture.columns) do
      if column.name == name and words:find "^t:foreign" then return column.type ~= "bigint" end
      if column.name == name and words:find ":change" then return column.reference ~= nil end
    end
    return false
  end

  before_each(function()
    rille.configure { connections = { lite = { database = ":memory:" }, main = Database.settings() } }
    handles = { rille.db "lite", rille.db "main" }
    Database.empty(handles[2])
  end)
  after_each(function() rille.close() end)

  it(("mean the same on both (seed %d)"):format(SEED), function()
    math.randomseed(SEED)
    local deadline, rounds, refusals = os.time() + SECONDS, 0, {}
    repeat
      rounds = rounds + 1
      local said = {}
      local function say(words, name, kind)
        said[#said + 1] = words
        local fn = function_of(words)
        if name == "things" and not kind and refers_to_another_type(words) then return end
        local a, b = both(function(_, schema) return outcome(schema[kind or "table"], schema, name, fn) end)
        -- The text of a condition, and what a database says of it, is its own.
        local in_sql = words:find("t:check", 1, true) or a:find('constraint "check_', 1, true)
        assert.equal(in_sql and kind_of(a) or a, in_sql and kind_of(b) or b, table.concat(said, "\n"))
        refusals[kind_of(a)] = (refusals[kind_of(a)] or 0) + 1
        return a == "done"
      end
      both(function(_, schema) schema:drop_if_exists "things" schema:drop_if_exists "others" end)
      assert(say("t:id()", "others", "create"))
      while not say("t:id()\n" .. column_words "a" .. "\n" .. column_words "b", "things", "create") do said = {} end
      for _ = 1, random(3) do
        local row = {}
        for _, column in ipairs(handles[1]:describe("things").columns) do
          if column.name ~= "id" and random(5) > 1 then
            row[column.name] = WORDS[one_of(WORD_NAMES)][2]()
          end
        end
        local one = outcome(handles[1].insert, handles[1], "things", row)
        local other = one == "done" and outcome(handles[2].insert, handles[2], "things", row)
        if other and other ~= "done" then
          handles[1]:execute "delete from things where id = (select max(id) from things)"
        end
      end
      for _ = 1, 6 do say(alteration(), "things") end
      local made, other = both(function(handle) return words_of(handle, "things") end)
      assert.equal(made, other, table.concat(said, "\n"))
      made, other = both(function(handle) return rows_of(handle, "things") end)
      assert.equal(made, other, table.concat(said, "\n"))
    until os.time() >= deadline
    local told = {}
    for _, kind in ipairs(require "rille.keys"(refusals)) do
      told[#told + 1] = ("%s %d"):format(kind, refusals[kind])
    end
    print(("-- seed %d: %d rounds; %s"):format(SEED, rounds, table.concat(told, ", ")))
  end)
end)
