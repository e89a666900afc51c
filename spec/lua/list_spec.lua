--- list_spec: a plain array with methods.
local world = require "spec.support.world"
local List = require "rille.list"

local null = world.null

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  return e.message
end

--- A record with an id and what `appends` shows.
local function record(row)
  local _, User = world.blog(nil, {
    visible = { "id", "shown" }, appends = { "shown" }, accessors = { shown = function() return true end },
  })
  return User:new(row)
end

describe("list", function()
  local rows
  before_each(function()
    rows = List.wrap {
      { id = 1, name = "a", live = true }, { id = 2, name = "b" }, { id = 3, name = "a", live = false },
    }
  end)

  it("is a plain array", function()
    assert.equal(3, #rows)
    assert.equal(2, rows[2].id)
    assert.is_nil(rows[4])
    local seen = 0
    for i, row in ipairs(rows) do seen = seen + (row.id == i and 1 or 0) end
    assert.equal(3, seen)
    for key in pairs(rows) do assert.equal("integer", math.type(key)) end
  end)

  it("maps, and refuses a hole", function()
    local ids = rows:map(function(row, i) return row.id * 10 + i end)
    assert.same({ 11, 22, 33 }, ids)
    assert.equal(33, ids:last())
    assert.equal("map: the function returned nil for element 2", refused(rows.map, rows, function(row, i)
      return i ~= 2 and row or nil
    end))
    assert.equal("map: wants a function, got nil", refused(rows.map, rows, nil))
  end)

  it("filters by a function, by a name, and by a name with its value", function()
    assert.same({ 2, 3 }, rows:filter(function(row) return row.id > 1 end):ids())
    assert.same({ 1 }, rows:filter("live"):ids())
    assert.same({ 1, 3 }, rows:filter("name", "a"):ids())
    assert.same({ 3 }, rows:filter("live", false):ids())
    assert.same({ 2 }, rows:filter("live", null):ids())
    assert.equal("filter: wants a value, got nil", refused(rows.filter, rows, "name", nil))
  end)

  it("plucks a column, with rille.null where it is nil", function()
    assert.same({ true, null, false }, rows:pluck "live")
    assert.equal("pluck: wants a name or a function, got nil", refused(rows.pluck, rows, nil))
  end)

  it("groups and keys by a column or a function", function()
    local groups = rows:group_by "name"
    assert.same({ 1, 3 }, groups.a:ids())
    assert.same({ 2 }, groups.b:ids())
    assert.equal(rows[3], rows:key_by("name").a)
    assert.equal(rows[2], rows:key_by(function(row) return -row.id end)[-2])
    assert.equal("key_by: element 2 gives nil, which cannot be a key", refused(rows.key_by, rows, "live"))
    assert.equal("group_by: element 1 gives NaN, which cannot be a key",
      refused(rows.group_by, rows, function() return 0 / 0 end))
  end)

  it("gives the first and the last, nil of an empty one", function()
    assert.equal(1, rows:first().id)
    assert.equal(3, rows:last().id)
    assert.is_nil(List.wrap({}):first())
    assert.is_nil(List.wrap({}):last())
  end)

  it("copies plain rows and lets records show themselves", function()
    local plain = rows:to_table()
    assert.same({
      { id = 1, name = "a", live = true }, { id = 2, name = "b" }, { id = 3, name = "a", live = false },
    }, plain)
    assert.is_false(rawequal(plain[1], rows[1]))
    assert.same({ { id = 7, shown = true }, null, 3 }, List.wrap({ record { id = 7 }, null, 3 }):to_table())
    local array = require "rille.json".array()
    assert.equal(array, List.wrap({ array }):to_table()[1])
  end)

  it("writes JSON, an empty list as an empty array", function()
    assert.equal('[{"id":7,"shown":true},{"id":8},null]', List.wrap({ record { id = 7 }, { id = 8 }, null }):to_json())
    assert.equal("list[1]: a is NaN, which JSON cannot say", refused(List.to_json, List.wrap { { a = 0 / 0 } }))
    assert.equal("[]", List.wrap({}):to_json())
    assert.equal("[]", require "rille.json".encode(List.wrap {}))
  end)

  it("reads keys of records, the id of rows, and says which has none", function()
    assert.same({ 7 }, List.wrap({ record { id = 7 } }):ids())
    assert.equal("ids: element 1 has no key", refused(List.ids, List.wrap { { name = "x" } }))
  end)

  it("takes no column of a plain row for a method", function()
    assert.same({ { to_table = 1, key = 2 } }, List.wrap({ { to_table = 1, key = 2 } }):to_table())
  end)
end)
