--- exact_spec: numbers that a database changes: none of them wraps, is rounded or turns into another without a word.
local world = require "spec.support.world"
local rille, null = world.rille, world.null
local refused, untouched = world.refused, world.untouched

local function things(columns, declaration)
  local db = world.fresh(("create table things (id integer primary key, %s)"):format(columns))
  return rille.model("Thing", declaration or {}), db
end

describe("an increment", function()
  local Thing, db
  before_each(function()
    Thing, db = things "n INTEGER, x DOUBLE, price DECIMAL(10,2), big DECIMAL_TEXT(30,4), free, text TEXT"
  end)

  it("past the last integer is an error, and nothing is written", function()
    for _, case in ipairs { { math.maxinteger, "increment", 1 }, { math.mininteger, "decrement", 1 },
      { 1, "increment", math.maxinteger }, { -2, "decrement", math.maxinteger },
      { 0, "decrement", math.mininteger } } do
      db:execute("delete from things")
      Thing:insert { { id = 1, n = 5 }, { id = 2, n = case[1] } }
      local e = untouched("invalid_argument", function()
        local query = Thing:where("id", ">", 0)
        return query[case[2]](query, "n", case[3])
      end)
      assert.matches("things%.n: integer overflow", e.message)
      assert.matches("nothing of this statement was kept", e.hint)
      assert.same({ "things", "n", "Thing" }, { e.table, e.column, e.model })
      untouched("invalid_argument", function()
        local thing = Thing:find(2)
        return thing[case[2]](thing, "n", case[3])
      end)
    end
  end)

  it("up to the last integer is none", function()
    local thing = Thing:create { n = math.maxinteger - 1 }
    assert.equal(math.maxinteger, thing:increment("n").n)
    assert.equal(math.mininteger + 1, thing:decrement("n", math.maxinteger):decrement("n", math.maxinteger).n)
    assert.equal("integer", db:query("select typeof(n) as kind from things")[1].kind)
  end)

  it("by a fraction is refused for integers before any SQL", function()
    local thing = Thing:create { n = 1 }
    for _, by in ipairs { 0.5, -1.25, 2.0 ^ 63 } do
      local statements = world.statements(function()
        assert.matches("things%.n wants an integer",
          refused("invalid_argument", function() Thing:where("id", 1):increment("n", by) end).message)
        refused("invalid_argument", thing.increment, thing, "n", by)
      end)
      assert.same({}, statements)
    end
    assert.equal(3, thing:increment("n", 2.0).n)
  end)

  it("of NULL stays NULL", function()
    local thing = Thing:create { n = null }
    assert.equal(1, Thing:where("id", 1):increment "n")
    assert.equal(1, Thing:where("id", 1):increment("price", "0.10"))
    assert.equal(1, Thing:where("id", 1):decrement("big", 1))
    assert.equal(1, Thing:where("id", 1):increment("x", 1))
    thing:refresh()
    assert.same({}, { thing.n, thing.price, thing.big, thing.x })
  end)

  it("never gives infinity, nor makes a number of a text", function()
    db:execute("insert into things (x, free) values (1.7e308, 'twelve')")
    assert.matches("number overflow", untouched("invalid_argument", function()
      Thing:where("id", 1):increment("x", 1.7e308)
    end).message)
    assert.matches("no number", untouched("invalid_argument", function()
      Thing:where("id", 1):increment("free", 1)
    end).message)
  end)

  it("counts on where the type is not known", function()
    db:execute("insert into things (free) values (9223372036854775807), (1.5)")
    assert.matches("things%.free: integer overflow", untouched("invalid_argument", function()
      Thing:where("id", 1):increment("free")
    end).message)
    Thing:where("id", 2):increment("free", 2)
    assert.equal(3.5, Thing:find(2).free)
  end)

  it("of a decimal is exact, or an error", function()
    local thing = Thing:create { price = "0.10", big = "12345678901234567890.1234" }
    for _ = 1, 20 do thing:increment("price", "0.10") end
    assert.equal("2.10", thing.price)
    assert.equal("12345678901234567890.1235", thing:increment("big", "0.0001").big)
    assert.equal("-12345678901234567890.1235",
      thing:decrement("big", "24691357802469135780.2470").big)
    thing:update { price = "99999999.99", big = "99999999999999999999999999.9999" }
    assert.matches("things%.price: decimal overflow",
      untouched("invalid_argument", thing.increment, thing, "price", "0.01").message)
    untouched("invalid_argument", thing.increment, thing, "big", "0.0001")
  end)
end)

describe("a sum", function()
  it("of integers that no integer holds is an error in words", function()
    local Thing = things "n INTEGER"
    Thing:insert { { n = math.maxinteger }, { n = 1 } }
    local e = refused("invalid_argument", function() return Thing:sum "n" end)
    assert.matches("^integer overflow: the result lies outside", e.message)
  end)

  it("of decimals is exact, in either form", function()
    for _, declared in ipairs { "DECIMAL(15,2)", "DECIMAL_TEXT(30,2)" } do
      local Thing = things("v " .. declared)
      for _ = 1, 1000 do Thing:insert { v = "9999999999999.99" } end
      Thing:insert { { v = "0.07" }, { v = null }, { v = "-5" }, { v = "1000" } }
      assert.equal("10000000000000985.07", Thing:sum "v")
      assert.equal("9970089730808.55939182", Thing:avg "v")
      assert.equal("9999999999999.99", Thing:max "v")
      assert.equal("-5.00", Thing:min "v")
      assert.equal("10000000000000985.07", Thing:where("id", ">", 0):limit(9999):sum "v")
      local none = Thing:where("id", -1)
      assert.same({ "0.00", nil, nil, nil }, { none:sum "v", none:avg "v", none:min "v", none:max "v" })
    end
  end)

  it("of decimals with thirty digits loses none of them", function()
    local Thing = things "v DECIMAL_TEXT(30,4)"
    Thing:insert { { v = "12345678901234567890.1234" }, { v = "0.0001" }, { v = "-2345678901234567890" } }
    assert.equal("10000000000000000000.1235", Thing:sum "v")
    assert.equal("3333333333333333333.3745000000", Thing:avg "v")
    assert.equal("12345678901234567890.1234", Thing:max "v")
    assert.equal("-2345678901234567890.0000", Thing:min "v")
  end)

  it("says when a row holds no decimal", function()
    local Thing, db = things "v DECIMAL_TEXT(30,4)"
    db:execute("insert into things (v) values ('1.5'), ('much')")
    refused("corrupt", function() return Thing:sum "v" end)
    refused("corrupt", function() return Thing:avg "v" end)
  end)
end)

describe("decimals that are kept as text", function()
  local Thing
  local VALUES <const> = { "9.5000", "10.0000", "-3.0000", "100.0000", "0.0000", "-20.0000",
    "12345678901234567890.1234", "12345678901234567890.1235" }
  local ORDER <const> = { "-20.0000", "-3.0000", "0.0000", "9.5000", "10.0000", "100.0000",
    "12345678901234567890.1234", "12345678901234567890.1235" }

  before_each(function()
    Thing = things "v DECIMAL_TEXT(30,4)"
    for _, value in ipairs(VALUES) do Thing:create { v = value } end
  end)

  it("are ordered by what they are worth", function()
    assert.same(ORDER, Thing:order_by("v"):pluck "v")
    assert.equal("12345678901234567890.1235", Thing:order_by_desc("v"):value "v")
    local seen = {}
    Thing:order_by("v"):chunk(3, function(rows)
      for _, row in ipairs(rows) do seen[#seen + 1] = row.v end
    end)
    assert.same(ORDER, seen)
  end)

  it("are compared so", function()
    assert.same({ "9.5000", "0.0000", "-3.0000", "-20.0000" },
      Thing:where("v", "<", 10):order_by_desc("v"):pluck "v")
    assert.equal(4, Thing:where("v", ">=", "10"):count())
    assert.equal(1, Thing:where("v", ">", "12345678901234567890.1234"):count())
    assert.equal(4, Thing:where_between("v", -3, "10.0"):count())
    assert.equal(4, Thing:where_not_between("v", -3, "10.0"):count())
    assert.equal(2, Thing:where_in("v", { 10, "100" }):count())
    local many = {}
    for i = 1, 100 do many[i] = i end
    assert.equal(2, Thing:where_in("v", many):count())
    assert.equal(3, Thing:filter("v > 9.5 and v <= :top", { top = "12345678901234567890.1234" }):count())
  end)

  it("are found in whatever form others wrote them", function()
    rille.db():execute("insert into things (id, v) values (50, '7'), (51, '+07.0'), (52, '7.00000')")
    assert.same({ 50, 51, 52 }, Thing:where("v", 7):order_by("id"):pluck "id")
    assert.same({ 50, 51, 52 }, Thing:where("v", ">", 0):where("v", "<", 9):order_by("v"):order_by("id"):pluck "id")
    assert.equal(1, #Thing:select("v"):where("v", 7):group_by("v"):all())
  end)

  it("are not compared with numbers, which would be doubles", function()
    Thing = things "v DECIMAL_TEXT(30,4), w DECIMAL(10,2), u DECIMAL_TEXT(20,1)"
    Thing:insert { { v = "10", w = 9, u = "9.5" }, { v = "9.5", w = 9, u = "10" } }
    assert.same({ 1 }, Thing:where_column("v", ">", "u"):pluck "id")
    local e = refused("unsupported", function() return Thing:where_column("v", ">", "w"):all() end)
    assert.matches("declare both columns alike", e.message)
    refused("unsupported", function() return Thing:where_in("w", Thing:select "v"):all() end)
  end)

  it("are what a cast makes of a column of text", function()
    Thing = things("v TEXT, n VARCHAR(20)", { casts = { v = "decimal:2", n = "integer" } })
    Thing:insert { { v = "9.5", n = 9 }, { v = 10, n = 10 }, { v = "123456789012345678901.25", n = -1 } }
    assert.same({ "9.50", "10.00", "123456789012345678901.25" }, Thing:order_by("v"):pluck "v")
    assert.equal("123456789012345678920.75", Thing:sum "v")
    assert.same({ -1, 9, 10 }, Thing:order_by("n"):pluck "n")
    assert.equal("integer", math.type(Thing:find(1).n))
    assert.equal(1, Thing:where("n", ">", 9):count())
    assert.same({ 18, -1, 10 }, { Thing:sum "n", Thing:min "n", Thing:max "n" })
  end)

  it("keep their digits beside the fields of a model", function()
    Thing = things("v DECIMAL_TEXT(30,4)", { fields = function(t) t:id() t:decimal("v", 30, 4) end })
    assert.equal("12345678901234567890.1234", Thing:create({ v = "12345678901234567890.1234" }):fresh().v)
  end)
end)

describe("a real number", function()
  it("reads as it was kept, -0.0 too", function()
    local Thing = things "x DOUBLE"
    local thing = Thing:create { x = -0.0 }
    assert.equal(tostring(thing:fresh().x), tostring(thing.x))
  end)
end)
