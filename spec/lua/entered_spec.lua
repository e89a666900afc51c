--- entered_spec: a stack for each coroutine of what was before.
local Entered = require "rille.entered"

describe("what was before each enter", function()
  it("comes back in the opposite order, false too, and then nothing", function()
    local entered = Entered.new()
    assert.is_nil(entered:top())
    assert.is_nil(entered:pop())
    entered:push "a"
    entered:push(false)
    assert.is_false(entered:top())
    assert.is_false(entered:pop())
    assert.equal("a", entered:pop())
    assert.is_nil(entered:pop())
  end)

  it("is each coroutine's own, and goes with it", function()
    local entered = Entered.new()
    entered:push "mine"
    local co = coroutine.create(function()
      assert.is_nil(entered:top())
      entered:push "theirs"
      assert.equal("theirs", entered:top())
    end)
    assert(coroutine.resume(co))
    assert.equal("mine", entered:pop())
    co = nil                                                          -- luacheck: ignore 311
    collectgarbage()
    assert.is_nil(next(entered.of, coroutine.running()))
  end)
end)
