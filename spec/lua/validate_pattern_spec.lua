--- validate_pattern_spec: what is a Lua pattern, before any value is matched with it.
local world = require "spec.support.world"
local Pattern = require "rille.validate.pattern"

describe("a Lua pattern", function()
  it("is what Lua takes", function()
    for _, pattern in ipairs { "", "^", "$", "^$", "a", "^[a-z0-9-]+$", "%%", "%d+%.?%d*", "[]]", "[^]]", "[%]]",
      "[%a-z]",
      "[a-]", "%b()", "%b%%", "%f[%w]%w+", "(a)(b)%2%1", "()a()", "((a)b)%1", "a**", "*", ("(a)"):rep(32), "é+", "\0",
      "[[]", "[(]", "%(" } do
      assert.is_nil(Pattern.problem(pattern), pattern)
      string.match("a", pattern)
    end
  end)

  it("is nothing at which Lua would stumble, and the mistake has a name", function()
    for pattern, case in pairs {
      ["a%"] = { "a", "ends with %%" }, ["[%"] = { "a", "] is missing" },
      ["a["] = { "a", "] is missing" }, ["a[^"] = { "a", "] is missing" },
      ["[]"] = { "a", "] is missing" }, ["[^]"] = { "a", "] is missing" }, ["[a%]"] = { "a", "] is missing" },
      ["x%b("] = { "x", "%%b" }, ["x%b"] = { "x", "%%b" }, ["%fa"] = { "a", "%%f" }, ["%f"] = { "a", "%%f" },
      ["%f[a"] = { "a", "] is missing" }, ["(a"] = { "a", "%) is missing" }, ["a)"] = { "a", "did not begin" },
      ["%1"] = { "a", "no capture" }, ["(a%1)"] = { "aa", "no capture" }, ["(a)%2"] = { "a", "no capture" },
      ["(a)%0"] = { "a", "no capture" }, [("(a)"):rep(33)] = { ("a"):rep(33), "too many" },
    } do
      assert.matches(case[2], Pattern.problem(pattern) or pattern .. " passed")
      assert.is_false(pcall(string.match, case[1], pattern), pattern)
    end
  end)

  it("never fails later once it passed", function()
    world.seed()
    local parts = { "a", "b", "%", "[", "]", "^", "$", "(", ")", "*", "-", "?", ".", "%a", "%1", "%2", "%b", "%f", "x" }
    local subjects = { "", "a", "ab", "abab", "aab]x^", "(a)(b)", "%[]", "xx--ba", "a1b2" }
    local passed = 0
    for _ = 1, 20000 do
      local made = {}
      for i = 1, math.random(1, 7) do made[i] = parts[math.random(#parts)] end
      local pattern = table.concat(made)
      if Pattern.problem(pattern) == nil then
        passed = passed + 1
        for _, subject in ipairs(subjects) do
          local ok, e = pcall(string.match, subject, pattern)
          assert.is_true(ok, pattern .. ": " .. tostring(e))
        end
      end
    end
    assert.is_true(passed > 1000)
  end)
end)
