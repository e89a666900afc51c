--- query_random_spec: random conditions find what a plain reading of them in Lua finds.
local world = require "spec.support.world"
local null = world.null

local ROWS <const>, ROUNDS <const> = 60, 400
local INTEGERS <const>, TEXTS <const>, REALS <const> = { -2, -1, 0, 1, 2, 3 },
  { "", "a", "A", "ab", "b%", "b_", "\\" }, { -0.5, 0.0, 0.5, 1.0 }

local function pick(list) return list[math.random(#list)] end

-- Column -> values that it may have, beside NULL.
local COLUMNS <const> = { a = INTEGERS, b = INTEGERS, t = TEXTS, r = REALS }
local NAMES <const> = { "a", "b", "t", "r" }

-- -- three values: true, false, nil (unknown) ------------------------------------------------------------------------

local function negate(value)
  if value == nil then return nil end
  return not value
end

local function both(x, y)
  if x == false or y == false then return false end
  if x == nil or y == nil then return nil end
  return true
end

local function either(x, y) return negate(both(negate(x), negate(y))) end

local COMPARE <const> = {
  ["="] = function(x, y) return x == y end, ["!="] = function(x, y) return x ~= y end,
  ["<"] = function(x, y) return x < y end, ["<="] = function(x, y) return x <= y end,
  [">"] = function(x, y) return x > y end, [">="] = function(x, y) return x >= y end,
}
local OPERATORS <const> = { "=", "!=", "<", "<=", ">", ">=" }

local function compare(x, operator, y)
  if x == nil or y == nil then return nil end
  return COMPARE[operator](x, y)
end

local function any_of(x, list)
  local found = false
  for _, y in ipairs(list) do found = either(found, compare(x, "=", y)) end
  return found
end

-- -- conditions: { apply = fn(q, prefix) -> q, holds = fn(row) -> three values, said = text } -------------------------

local function some(values, count)
  local list = {}
  for i = 1, count do list[i] = pick(values) end
  return list
end

local condition

local function group(depth)
  local parts = {}
  for i = 1, math.random(1, 3) do
    parts[i] = { made = condition(depth - 1), joined = i > 1 and math.random(2) == 1 and "or_" or "" }
  end
  local said = {}
  for i, part in ipairs(parts) do
    said[i] = (i > 1 and (part.joined == "or_" and "or " or "and ") or "") .. part.made.said
  end
  return {
    said = "(" .. table.concat(said, " ") .. ")",
    apply = function(q)
      for _, part in ipairs(parts) do q = part.made.apply(q, part.joined) end
      return q
    end,
    holds = function(row)
      local result, all = nil, nil
      for i, part in ipairs(parts) do                    -- `and` binds before `or`
        local value = part.made.holds(row)
        if i == 1 then all = value
        elseif part.joined == "or_" then
          result = result == nil and { all } or { either(result[1], all) }
          all = value
        else all = both(all, value) end
      end
      if result then return either(result[1], all) end
      return all
    end,
  }
end

--- A method with its twins: where_in -> or_where_not_in.
local function simple(method, arguments, holds)
  local negative = math.random(3) == 1
  local name = negative and "where_not" .. method:sub(#"where" + 1) or method
  local texts = {}
  for i, value in ipairs(arguments) do
    texts[i] = type(value) == "table" and ("{%s}"):format(table.concat(value, ",")) or tostring(value)
  end
  return {
    said = ("%s(%s)"):format(name, table.concat(texts, ", ")),
    apply = function(q, joined) return q[joined .. name](q, table.unpack(arguments)) end,
    holds = function(row)
      if negative then return negate(holds(row)) end
      return holds(row)
    end,
  }
end

local KINDS <const> = {
  function()
    local name, operator = pick(NAMES), pick(OPERATORS)
    local value = pick(COLUMNS[name])
    return simple("where", { name, operator, value }, function(row) return compare(row[name], operator, value) end)
  end,
  function()
    local name = pick(NAMES)
    return simple("where", { name, pick { "=", "is" }, null }, function(row) return row[name] == nil end)
  end,
  function()
    local name = pick(NAMES)
    return simple("where_null", { name }, function(row) return row[name] == nil end)
  end,
  function()
    local name = pick(NAMES)
    local list = some(COLUMNS[name], pick { 0, 1, 2, 5, 32, 33, 40 })
    return simple("where_in", { name, list }, function(row) return any_of(row[name], list) end)
  end,
  function()
    local name = pick(NAMES)
    local low, high = pick(COLUMNS[name]), pick(COLUMNS[name])
    return simple("where_between", { name, low, high }, function(row)
      return both(compare(row[name], ">=", low), compare(row[name], "<=", high))
    end)
  end,
  function()
    local operator = pick(OPERATORS)
    return simple("where_column", { "a", operator, "b" }, function(row) return compare(row.a, operator, row.b) end)
  end,
  function()
    local text = pick(TEXTS)
    return simple("where_like", { "t", (text:gsub("[%%_\\]", "\\%0")) .. "%" }, function(row)
      if row.t == nil then return nil end
      return row.t:sub(1, #text) == text
    end)
  end,
  function()
    local a, r = pick(INTEGERS), pick(REALS)
    return simple("where", { { a = a, r = r } }, function(row)
      return both(compare(row.a, "=", a), compare(row.r, "=", r))
    end)
  end,
}

function condition(depth)
  if depth > 0 and math.random(3) == 1 then
    local inner = group(depth)
    local negative = math.random(3) == 1
    return {
      said = (negative and "not " or "") .. inner.said,
      apply = function(q, joined)
        return q[joined .. (negative and "where_not" or "where")](q, inner.apply)
      end,
      holds = function(row)
        if negative then return negate(inner.holds(row)) end
        return inner.holds(row)
      end,
    }
  end
  return pick(KINDS)()
end

describe("random queries", function()
  local Thing, rows

  before_each(function()
    world.fresh "create table things (id integer primary key, a INTEGER, b INTEGER, t TEXT, r DOUBLE)"
    Thing, rows = world.rille.model "Thing" {}, {}
    for id = 1, ROWS do
      local row = { id = id }
      for name, values in pairs(COLUMNS) do
        if math.random(4) > 1 then row[name] = pick(values) end
      end
      rows[id] = row
    end
    Thing:insert(rows)
  end)

  it("find what their conditions say", function()
    world.seed()
    local found_some = 0
    for round = 1, ROUNDS do
      local made = group(3)
      local want = {}
      for id, row in ipairs(rows) do
        if made.holds(row) then want[#want + 1] = id end
      end
      local query = made.apply(Thing:query())
      local said = ("round %d: %s\n%s"):format(round, made.said, (query:to_sql()))
      assert.same(want, query:order_by("id"):pluck "id", said)
      assert.equal(#want, query:count(), said)
      assert.equal(#want > 0, query:exists(), said)
      local other = Thing:where_in("id", query:select "id"):order_by "id"
      assert.same(want, other:pluck "id", said)
      found_some = found_some + (#want > 0 and #want < ROWS and 1 or 0)
    end
    assert.is_true(found_some > ROUNDS / 4, found_some)
  end)

  it("change and delete exactly the rows that they find", function()
    world.seed()
    for round = 1, ROUNDS // 8 do                    -- unfiltered: some conditions hold for every row
      local made = group(2)
      local query = made.apply(Thing:query())
      local said = ("round %d: %s"):format(round, made.said)
      local want = query:order_by("id"):pluck "id"
      assert.equal(#want, query:unfiltered():update { t = "changed" .. round }, said)
      assert.same(want, Thing:where("t", "changed" .. round):order_by("id"):pluck "id", said)
      Thing:truncate()
      Thing:insert(rows)
      assert.equal(#want, query:unfiltered():delete(), said)
      assert.equal(ROWS - #want, Thing:count(), said)
      Thing:truncate()
      Thing:insert(rows)
    end
  end)
end)
