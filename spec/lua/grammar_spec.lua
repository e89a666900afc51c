--- grammar_spec: a pattern is compiled when it is made.  What happens without memory is swept by spec/fault.
local Grammar = require "rille.grammar"
local lpeg = require "lpeg"

describe("grammar", function()
  it("gives the pattern itself and calls none of its functions", function()
    local called = false
    local pattern = lpeg.P(function() called = true return true end) * "a"
    assert.equal(pattern, Grammar.compile(pattern))
    assert.is_false(called)
    assert.equal(2, pattern:match "a")
    assert.is_true(called)
  end)

  it("raises what LPeg says of something that is no pattern", function()
    local ok, problem = pcall(Grammar.compile, {})
    assert.is_false(ok)
    assert.matches("grammar has no initial rule", problem)
  end)
end)
