--- json_spec: what is written, what is read, and what is refused with its place.
local null = require "spec.support.world".null
local json = require "rille.json"

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("invalid_argument", e.kind)
  return e.message
end

describe("json.encode", function()
  it("writes scalars", function()
    assert.equal("true", json.encode(true))
    assert.equal("null", json.encode(null))
    assert.equal('"a\\"\\\\\\n\\u0001é"', json.encode 'a"\\\n\1é')
    assert.equal("0", json.encode(0))
    assert.equal('""', json.encode "")
  end)

  it("keeps every integer of 64 bits, and a float a float", function()
    assert.equal("9223372036854775807", json.encode(math.maxinteger))
    assert.equal("-9223372036854775808", json.encode(math.mininteger))
    assert.equal("1.0", json.encode(1.0))
    assert.equal("0.1", json.encode(0.1))
    assert.equal("1e+300", json.encode(1e300))
    for _, value in ipairs { 1 / 3, 0.1 + 0.2, 1e-320, 123456789.123456789, 2.0 ^ 60 } do
      local back = json.decode(json.encode(value))
      assert.equal(value, back)
      assert.equal("float", math.type(back))
    end
  end)

  it("sorts keys, so that the same value is the same text", function()
    assert.equal('{"a":1,"b":[1,{"c":2,"d":3}],"é":4}', json.encode { b = { 1, { d = 3, c = 2 } }, ["é"] = 4, a = 1 })
  end)

  it("writes an empty table as what it is marked to be, and as an array when it is not", function()
    assert.equal("[]", json.encode {})
    assert.equal("[]", json.encode(json.array()))
    assert.equal("{}", json.encode(json.object()))
    assert.equal('{"a":{},"b":[]}', json.encode(json.decode '{"a":{},"b":[]}'))
  end)

  it("lets a value say itself", function()
    assert.equal("[7]", json.encode { setmetatable({}, { __tojson = function() return "7" end }) })
  end)

  it("refuses what JSON cannot say, and says where it stands", function()
    local loop = {}
    loop.a = { loop }
    local deep = {}
    for _ = 1, 101 do deep = { deep } end
    for problem, value in pairs {
      ["meta: price is NaN, which JSON cannot say"] = { price = 0 / 0 },
      ["meta: a[2] is infinite, which JSON cannot say"] = { a = { 1, 1 / 0 } },
      ["meta: a.f is a function, which JSON cannot say"] = { a = { f = print } },
      ["meta: a[1] contains itself"] = loop,
      ["meta: \\x1B[2J is a function, which JSON cannot say"] = { ["\27[2J"] = print },
      ["meta: t is no UTF-8 text, which JSON cannot say"] = { t = "\xff" },
      ["meta: t holds a NUL byte"] = { t = "a\0" },
      ["meta has a key that is 1.5 (float); JSON has texts"] = { [1.5] = 1 },
      ["meta has a key that is true (boolean); JSON has texts"] = { [true] = 1 },
      ["meta has keys that are numbers; an object has texts"] = { 1, a = 2 },
      ["meta has no element 2 but later ones"] = { 1, nil, 3 },
      ["meta has no element 1 but later ones"] = { [10] = 1 },
      ["meta is marked as an array but has names"] = json.array { a = 1 },
    } do
      assert.equal(problem, refused(json.encode, value, "meta"))
    end
    assert.is_truthy(refused(json.encode, deep, "meta"):find "is nested more than 100 deep$")
    assert.equal("json is nil, which JSON cannot say", refused(json.encode, nil))
  end)

  it("writes the same table twice when it stands there twice", function()
    local shared = { 1 }
    assert.equal('{"a":[1],"b":[1]}', json.encode { a = shared, b = shared })
  end)
end)

describe("json.decode", function()
  it("reads what encode writes", function()
    local value = { a = { 1, 2.5, null, "x" }, b = { c = true, d = false } }
    assert.same(value, json.decode(json.encode(value)))
  end)

  it("reads integers exactly and as integers", function()
    local value = json.decode "[9223372036854775807, -9223372036854775808, 1.0]"
    assert.same({ math.maxinteger, math.mininteger, 1.0 }, value)
    assert.equal("integer", math.type(value[1]))
    assert.equal("float", math.type(value[3]))
  end)

  it("reads null as rille.null, alone too, and keeps the last of two equal keys", function()
    assert.equal(null, json.decode "null")
    assert.equal(null, json.decode '{"a":null}'.a)
    assert.equal(2, json.decode '{"a":1,"a":2}'.a)
  end)

  it("refuses what is no JSON, and says why", function()
    for _, text in ipairs { "", "{", "[1,", '{"a"}', "nope", '{"a":1} x', "[1] [2]", '"\xff"', "[1 2]",
      "[1,]", '{"a":1,}', "01", "+1", ".5", "1.", "NaN", '"a\nb"', '"\\x"', "/**/1", "{a:1}", "'a'", '"\\ud800"',
      "[1]]", ("["):rep(101) .. ("]"):rep(101) } do
      assert.is_truthy(refused(json.decode, text, "meta"):find("^meta: is no JSON: "), text)
    end
    assert.equal("meta: wants JSON text, got 1 (integer)", refused(json.decode, 1, "meta"))
  end)

  it("says how far the text was JSON", function()
    assert.equal('meta: is no JSON: byte 9, "}" (string)', refused(json.decode, '{"a":[1 }', "meta"))
    assert.equal("meta: is no JSON: it ends too soon", refused(json.decode, '{"a":"b', "meta"))
  end)

  it("reads escapes, pairs of surrogates among them", function()
    assert.equal('a"\\/\b\f\n\r\té😀', json.decode [["a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]])
  end)

  it("reads what is 100 deep, of arrays and of objects", function()
    for _, ends in ipairs { { "[", "]" }, { '{"a":', "}" } } do
      local text = ends[1]:rep(99) .. '["é\\u00e9"]' .. ends[2]:rep(99)
      assert.equal(text:gsub("\\u00e9", "é"), json.encode(json.decode(text)))
    end
  end)

  it("counts depth by brackets outside of texts", function()
    local brackets = ("["):rep(200)
    assert.equal(brackets, json.decode('["\\"' .. brackets .. '"]')[1]:sub(2))
    assert.equal(100, #json.decode("[" .. ("[],"):rep(99) .. "[]]"))
  end)
end)
