--- json_schema_test_spec: what each keyword of JSON Schema says of a value, inside a column of JSON.
require "spec.support.world"
local Json = require "rille.json"
local Format = require "rille.json_schema.format"
local Test = require "rille.json_schema.test"

--- What is wrong with a value, and where; both are JSON texts.
local function judged(schema, value)
  local root = Json.decode(schema)
  local message, path = Test.compile(Test.new(root), root, "#")(Json.decode(value))
  return message and (path or "") .. " " .. message or "right"
end

describe("a keyword", function()
  for _, case in ipairs {
    { '{"type":"integer"}', "1.0", "right" }, { '{"type":"integer"}', "1.5", " must be an integer" },
    { '{"type":["null","array"]}', "{}", " must be null or a list" }, { '{"type":"number"}', "true",
      " must be a number" },
    { '{"enum":[1,"a",null,{"b":[1]}]}', '{"b":[1.0]}', "right" },
    { '{"enum":[1,"a",null]}', "2", ' must be 1, a or null' }, { '{"const":"x"}', '"y"', " must be x" },
    { '{"minimum":2}', "2", "right" }, { '{"minimum":2}', "1.9", " must be at least 2" }, { '{"minimum":2}', '"a"',
      "right" },
    { '{"exclusiveMinimum":2}', "2", " must be more than 2" }, { '{"maximum":2}', "3", " must be at most 2" },
    { '{"exclusiveMaximum":2}', "2", " must be less than 2" }, { '{"multipleOf":0.01}', "19.99", "right" },
    { '{"multipleOf":0.01}', "0.005", " must be a multiple of 0.01" },
    { '{"multipleOf":3}', "9223372036854775807", " must be a multiple of 3" },
    { '{"minLength":2}', '"é"', " must have at least 2 characters" }, { '{"maxLength":1}', '"é"', "right" },
    { '{"maxLength":1}', '"ab"', " must have at most 1 character" }, { '{"pattern":"^a"}', '"ba"',
      " has the wrong form" },
    { '{"items":{"type":"integer"}}', '[1,"x"]', "/1 must be an integer" },
    { '{"prefixItems":[{"type":"string"}],"items":false}', '["a",1]', "/1 must not be given" },
    { '{"prefixItems":[{"type":"string"}],"items":{"type":"integer"}}', '["a",1]', "right" },
    { '{"contains":{"const":1},"maxContains":1}', "[1,1]",
      " has too many entries of the kind that it must contain" },
    { '{"contains":{"const":1}}', "[2]", " has too few entries of the kind that it must contain" },
    { '{"contains":{"const":1},"minContains":0}', "[2]", "right" },
    { '{"minItems":1}', "[]", " must have at least 1 entry" }, { '{"maxItems":1}', "[1,2]",
      " must have at most 1 entry" },
    { '{"uniqueItems":true}', '[{"a":1},{"a":1.0}]', "/1 must not have the same entry twice" },
    { '{"uniqueItems":true}', '[1,"1",true]', "right" }, { '{"uniqueItems":false}', "[1,1]", "right" },
    { '{"required":["a"]}', '{"b":1}', "/a must be given" }, { '{"required":["a"]}', '{"a":null}', "right" },
    { '{"properties":{"a/b":{"type":"string"}}}', '{"a/b":1}', "/a~1b must be a text" },
    { '{"properties":{"a":true},"patternProperties":{"^x":{"type":"null"}},"additionalProperties":false}',
      '{"a":1,"x1":null,"b":1}', "/b must not be given" },
    { '{"patternProperties":{"^x":{"type":"null"}}}', '{"x1":1}', "/x1 must be null" },
    { '{"propertyNames":{"maxLength":1}}', '{"ab":1}', "/ab has a name that must have at most 1 character" },
    { '{"minProperties":1}', "{}", " must have at least 1 member" },
    { '{"maxProperties":1}', '{"a":1,"b":2}', " must have at most 1 member" },
    { '{"dependentRequired":{"a":["b"]}}', '{"a":1}', "/b must be given with a" },
    { '{"allOf":[{"minimum":1},{"maximum":2}]}', "3", " must be at most 2" },
    { '{"anyOf":[{"type":"string"},{"type":"null"}]}', "1", " must be a text" },
    { '{"anyOf":[{"type":"string"},{"type":"null"}]}', "null", "right" },
    { '{"oneOf":[{"minimum":1},{"minimum":2}]}', "2", " fits 2 of the forms of which it must fit one" },
    { '{"oneOf":[{"minimum":1},{"minimum":2}]}', "1", "right" }, { '{"not":{"const":1}}', "1",
      " has a form that is not allowed" },
    { '{"if":{"minimum":5},"then":{"multipleOf":5},"else":{"maximum":3}}', "6", " must be a multiple of 5" },
    { '{"if":{"minimum":5},"then":{"multipleOf":5},"else":{"maximum":3}}', "4", " must be at most 3" },
    { '{"$defs":{"n":{"type":["null","object"],"properties":{"next":{"$ref":"#/$defs/n"}},"required":["next"]}},'
      .. '"$ref":"#/$defs/n"}', '{"next":{"next":{}}}', "/next/next/next must be given" },
    { "false", "1", " must not be given" }, { "true", "1", "right" },
  } do
    it(("%s says of %s: %s"):format(case[1], case[2], case[3]), function() assert.equal(case[3], judged(case[1],
      case[2])) end)
  end

  it("that refers to itself without a value in between is refused or ends", function()
    local world = require "spec.support.world"
    world.refused("invalid_argument", judged,
      '{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}', "1")
    world.refused("invalid_argument", judged, '{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}',
      "1")
  end)

  for name, texts in pairs {
    email = { yes = { "a@b.org", "a.b+c@x-y.example", '"a b"@c.d', "a@[127.0.0.1]", "a@[IPv6:::1]" },
      no = { "a", "@b", "a@", "a..b@c", ".a@b", "a@b..c", "a b@c", "a@-b.c", ("x"):rep(65) .. "@b.c" } },
    ["idn-email"] = { yes = { "ü@ö.org" }, no = { "ü" } },
    hostname = { yes = { "a", "a-b.c1" }, no = { "", "-a", "a-", "a..b", "a_b", ("x"):rep(64), "ü.de" } },
    ["idn-hostname"] = { yes = { "ü.de" }, no = { "ü_.de" } },
    ipv4 = { yes = { "127.0.0.1", "255.255.255.255" }, no = { "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 " } },
    ipv6 = { yes = { "::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2::7:8", "1:2:3:4:5:6:1.2.3.4" },
      no = { "", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "1::2::3", "1.2.3.4", "::1.2.3.256",
        "g::" } },
    uri = { yes = { "https://a.b/c?d=e#f", "urn:x:y", "mailto:a@b" }, no = { "a/b", "//a", "http://a b",
      "http://a/%zz", "1:b" } },
    ["uri-reference"] = { yes = { "../a?b#c", "" }, no = { "a b", "a#b#c", "<a>" } },
    iri = { yes = { "http://ü/é" }, no = { "ü" } }, ["iri-reference"] = { yes = { "é" }, no = { "é é" } },
    date = { yes = { "2024-02-29" }, no = { "2023-02-29", "2023-13-01", "2023-1-1", "1900-02-29" } },
    time = { yes = { "12:00:00Z", "23:59:60.5+05:30" }, no = { "12:00:00", "24:00:00Z", "12:00Z", "12:00:00+25:00" } },
    ["date-time"] = { yes = { "2024-02-29T12:00:00.123Z", "2024-02-29t12:00:00-01:00" }, no = { "2024-02-29",
      "2024-02-30T12:00:00Z" } },
    duration = { yes = { "P1D", "P1Y2M3DT4H5M6S", "PT1S", "P3W" }, no = { "P", "PT", "1D", "P1S", "P1DT", "P1D1Y" } },
    uuid = { yes = { "01234567-89ab-CDEF-0123-456789abcdef" }, no = { "0123",
      "01234567-89ab-cdef-0123-456789abcdeg" } },
    ["json-pointer"] = { yes = { "", "/a/b~0~1" }, no = { "a", "/~2" } },
    ["relative-json-pointer"] = { yes = { "0#", "1/a" }, no = { "/a", "01", "-1" } },
    regex = { yes = { "^a$" }, no = { "(" } },
  } do
    it("format " .. name .. " tells texts apart", function()
      for _, text in ipairs(texts.yes) do assert.is_true(Format.kinds[name][2](text) and true, text) end
      for _, text in ipairs(texts.no) do assert.is_false(Format.kinds[name][2](text) and true or false, text) end
    end)
  end
end)
