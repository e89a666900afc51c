--- memo_spec: what was computed once is kept, for a bounded number of texts.
local Memo = require "rille.memo"

describe("memo", function()
  local computed
  local function counting(bound)
    computed = {}
    return Memo.new(bound, function(text)
      computed[text] = (computed[text] or 0) + 1
      return { text }
    end)
  end

  it("computes once and gives the same value", function()
    local memo = counting(4)
    assert.equal(memo "a", memo "a")
    assert.equal("a", memo("a")[1])
    assert.same({ a = 1 }, computed)
  end)

  it("keeps what is used and drops what is not", function()
    local memo = counting(4)
    memo "used"
    memo "unused"
    for i = 1, 100 do
      memo("other " .. i)
      memo "used"
    end
    assert.equal(1, computed.used)
    memo "unused"
    assert.equal(2, computed.unused)
  end)

  it("keeps at most twice its bound", function()
    local memo, alive = counting(10), setmetatable({}, { __mode = "v" })
    for i = 1, 1000 do alive[i] = memo("text " .. i) end
    collectgarbage()
    collectgarbage()
    local count = 0
    for _ in pairs(alive) do count = count + 1 end
    assert.is_true(count <= 20)
    assert.is_true(count >= 10)
  end)

  it("keeps no very long text, and nothing that failed", function()
    local memo = counting(4)
    local long = ("x"):rep(20000)
    memo(long)
    memo(long)
    assert.equal(2, computed[long])
    local calls = 0
    local failing = Memo.new(4, function() calls = calls + 1 error("no", 0) end)
    for _ = 1, 2 do assert.is_false(pcall(failing, "a")) end
    assert.equal(2, calls)
  end)
end)
