--- json_schema_regex_spec: the regular expressions of `pattern`: what matches, what is refused, and that none is slow.
require "spec.support.world"
local Regex = require "rille.json_schema.regex"

--- Does the pattern fit this text?
local function finds(pattern, text)
  local regex, problem = Regex.compile(pattern)
  assert(regex, problem)
  return regex:finds(text)
end

describe("a regular expression", function()
  for pattern, texts in pairs {
    ["^[0-9]{5}(-[0-9]{4})?$"] = { yes = { "12345", "12345-6789" }, no = { "1234", "12345-", "123456" } },
    ["a|b"] = { yes = { "xbx" }, no = { "", "xyz" } },
    ["^(?:ab|a)(?<n>c)?$"] = { yes = { "ab", "abc", "ac" }, no = { "abb" } },
    ["^\\d+\\.\\d{2}$"] = { yes = { "12.50" }, no = { "12.5", "12,50" } },
    ["^[^\\s@]+@[\\w.-]+$"] = { yes = { "a@b.c" }, no = { "a b@c", "@c" } },
    ["\\bcat\\b"] = { yes = { "a cat!" }, no = { "cats" } },
    ["\\Bat"] = { yes = { "cat" }, no = { "at" } },
    ["^.$"] = { yes = { "ü", "\u{1F600}" }, no = { "", "ab", "\n" } },
    ["^[a-c\\-\\]]+$"] = { yes = { "a-]c" }, no = { "d" } },
    ["^[^a-c]$"] = { yes = { "d", "é" }, no = { "b" } },
    ["^[-a]+$"] = { yes = { "-a" }, no = { "b" } },
    ["^\\u00e9\\x41\\u{1F600}\\ud83d\\ude00$"] = { yes = { "éA\u{1F600}\u{1F600}" }, no = { "e" } },
    ["^a{2,3}?b{0}$"] = { yes = { "aa", "aaa" }, no = { "a", "aaaa", "aab" } },
    ["^(a*)*$"] = { yes = { "", "aaa" }, no = { "b" } },
    [""] = { yes = { "", "x" }, no = {} },
    ["^$"] = { yes = { "" }, no = { "x" } },
    ["^\\cA\\t$"] = { yes = { "\1\t" }, no = { "A\t" } },
  } do
    it(("%q finds what it should"):format(pattern), function()
      for _, text in ipairs(texts.yes) do assert.is_true(finds(pattern, text), text) end
      for _, text in ipairs(texts.no) do assert.is_false(finds(pattern, text), text) end
    end)
  end

  it("that is none, or that only backtracking can match, says what is wrong and where", function()
    for pattern, problem in pairs {
      ["(a"] = "a group does not end: ) is missing (character 2)",
        ["a)"] = "a group ends that did not begin (character 1)",
      ["[a"] = "a set does not end: ] is missing (character 2)",
        ["*a"] = "* stands alone; \\* is the character (character 1)",
      ["a{2,1}"] = "a count is in the wrong order (character 6)",
        ["[z-a]"] = "a range in brackets is in the wrong order (character 4)",
      ["(a)\\1"] = "references back to a group are not supported (character 5)",
      ["(?=a)"] = "look-ahead is not supported (character 2)",
        ["(?<!a)b"] = "look-behind is not supported (character 3)",
      ["\\p{L}"] = "\\p is not supported (character 2)", ["a\\"] = "it ends with a backslash (character 2)",
      ["a{99999}"] = "a count is too large (character 8)", ["((a{90}){90}){90}"] = "it is too large (character 1)",
      ["(((){4000}){4000}){4000}"] = "it is too large (character 1)",
      ["\\u12"] = "4 hexadecimal digits are missing (character 2)",
    } do
      assert.same({ nil, problem }, { Regex.compile(pattern) }, pattern)
    end
    assert.truthy(select(2, Regex.compile(("("):rep(200))):find("nested too deep", 1, true))
  end)

  it("takes a time that grows with the text, not faster", function()
    local regex = Regex.compile "^(((a+)+)+|[a-z]*)*$"
    local start = os.clock()
    assert.is_false(regex:finds(("a"):rep(2000) .. "!"))
    assert.is_true(os.clock() - start < 2)
  end)

  it("matches no text that is no UTF-8", function() assert.is_false(finds(".", "\xff")) end)

  it("finds what a plain reading of it finds", function()
    local world = require "spec.support.world"
    local seed = world.seed()
    -- A pattern made at random, with all texts up to four letters that it matches whole, by sets.
    local texts = { "" }
    for _, length in ipairs { 1, 2, 3, 4 } do
      for _, text in ipairs(table.move(texts, 1, #texts, 1, {})) do
        if #text == length - 1 then
          for _, letter in ipairs { "a", "b" } do texts[#texts + 1] = text .. letter end
        end
      end
    end
    local function joined(first, second)
      local out = {}
      for x in pairs(first) do
        for y in pairs(second) do
          if #x + #y <= 4 then out[x .. y] = true end
        end
      end
      return out
    end
    local function made(depth)
      local kind = depth == 0 and 1 or math.random(5)
      if kind == 1 then
        local letter = ({ "a", "b" })[math.random(2)]
        return letter, { [letter] = true }
      end
      local one, first = made(depth - 1)
      if kind == 2 then
        local two, second = made(depth - 1)
        return one .. two, joined(first, second)
      elseif kind == 3 then
        local two, second = made(depth - 1)
        local both = {}
        for _, each in ipairs { first, second } do
          for text in pairs(each) do both[text] = true end
        end
        return "(" .. one .. "|" .. two .. ")", both
      end
      local least, most = math.random(0, 2), math.random(2, 3)
      local all, power = {}, { [""] = true }
      for i = 0, kind == 4 and 5 or most do
        if i >= least then
          for text in pairs(power) do all[text] = true end
        end
        power = joined(power, first)
      end
      return ("(%s){%d,%s}"):format(one, least, kind == 4 and "" or most), all
    end
    for _ = 1, 300 do
      local pattern, whole = made(3)
      local regex = Regex.compile("^(?:" .. pattern .. ")$")
      for _, text in ipairs(texts) do
        assert.equal(whole[text] or false, regex:finds(text), ("seed %d: %s on %q"):format(seed, pattern, text))
      end
    end
  end)
end)
