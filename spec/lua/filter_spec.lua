--- filter_spec: a predicate as text becomes calls of the builder, or an error that points at the place.
local recording = require "spec.support.recording"
local query = require "spec.support.saying_query"
local filter = require "rille.filter"

local null = recording().core.null

local function said(text, params) return filter.apply(query.new(), text, params).said end

local function refused(text, params)
  local ok, e = pcall(filter.apply, query.new(), text, params)
  assert.is_false(ok, text)
  return e
end

describe("filter", function()
  it("says a comparison with every operator and every literal", function()
    for _, operator in ipairs { "=", "!=", "<>", "<", "<=", ">", ">=" } do
      assert.equal(("where a %s 1"):format(operator), said(("a %s 1"):format(operator)))
    end
    assert.equal("where a = it's", said "a='it''s'")
    assert.equal("where a = -12", said "a = -12")
    assert.equal("where a = 1500.0", said "a = 1.5e3")
    assert.equal("where a = true; where b = false; where c = null", said "a = TRUE and b = false and c = Null")
    assert.equal("where a = 9223372036854775807", said "a = 9223372036854775807")
  end)

  it("says like, in, between and is null, each with its not", function()
    assert.equal("where a like A%; where b not_like _", said "a like 'A%' and b not like '_'")
    assert.equal("where_in a {1 x}; where_not_in b {2}", said "a in (1, 'x') and b NOT IN (2)")
    assert.equal("where_between a 1 2; where_not_between b x y", said "a between 1 and 2 and b not between 'x' and 'y'")
    assert.equal("where_null a; where_not_null b", said "a is null and b is not null")
  end)

  it("binds and, or and not as SQL does", function()
    assert.equal("where (where a = 1; or_where (where b = 2; where c = 3))", said "a = 1 or b = 2 and c = 3")
    assert.equal("where (where a = 1; or_where b = 2); where c = 3", said "(a = 1 or b = 2) and c = 3")
    assert.equal("where_not (where a = 1); where b = 2", said "not a = 1 and b = 2")
    assert.equal("where (where_null a; or_where_in b {1}; or_where_not (where c = 1); or_where_between d 1 2)",
      said "a is null or b in (1) or not c = 1 or d between 1 and 2")
  end)

  it("adds itself as one condition to what was there", function()
    local before = query.new "where z = 0"
    assert.equal("where z = 0; where (where a = 1; or_where b = 2)", filter.apply(before, "a = 1 or b = 2").said)
  end)

  it("takes values by name, a list after in", function()
    assert.equal("where a > 10; where b < 10", said("a > :n and b < :n", { n = 10 }))
    assert.equal("where a = null", said("a = :n", { n = null }))
    assert.equal("where a = false", said("a = :n", { n = false }))
    assert.equal("where_in a {1 2}; where_in b {3 4}", said("a in :list and b in (:x, 4)", { list = { 1, 2 }, x = 3 }))
    assert.equal("where_in a {}", said("a in :list", { list = {} }))
  end)

  it("compares columns, and reads a quoted word as a name", function()
    assert.equal("where_column a > t.b", said "a > t.b")
    assert.equal('where order = 1; where a"b = 2', said '"order" = 1 and "a""b" = 2')
    assert.equal("where android = 1; where notes = 2; where inn = 3", said "android = 1 and notes = 2 and inn = 3")
  end)

  it("travels relations, and takes other dotted names for a table's column", function()
    assert.equal("where_has author (where name like A%)", said "author.name like 'A%'")
    assert.equal("where_has comments (where_has author (where_null name))", said "comments.author.name is null")
    assert.equal("where posts.title = x", said "posts.title = 'x'")
    assert.equal("where (where a = 1; or_where_has author (where_in name {x}))", said "a = 1 or author.name in ('x')")
    assert.equal("where author = 1", said "author = 1")
  end)

  it("points at the place that is wrong and says what it wants there", function()
    for text, message in pairs {
      ["views > and x = 1"] = 'filter: wants a value or a column, found "and"\n  views > and x = 1\n          ^',
      ["views"] = "filter: wants an operator, found the end\n  views\n       ^",
      [""] = "filter: wants a condition or a column, found the end\n  \n  ^",
      ["a = 1 b"] = 'filter: wants "and", "or" or the end, found "b"\n  a = 1 b\n        ^',
      ["(a = 1"] = 'filter: wants "and", "or" or ")", found the end\n  (a = 1\n        ^',
      ["a in ()"] = 'filter: wants a value, found ")"\n  a in ()\n        ^',
      ["a is 3"] = 'filter: wants "not" or "null", found "3"\n  a is 3\n       ^',
      ["a = 1 and\n  b = 'x"] = "filter: a text is not closed\n    b = 'x\n        ^",
      ["é = 1 ; drop"] = 'filter: wants "and", "or" or the end, found ";"\n  é = 1 ; drop\n        ^',
      ["a = 99999999999999999999"] = "filter: the number has more than 64 bits\n  a = 99999999999999999999\n      ^",
    } do
      local e = refused(text)
      assert.equal("syntax", e.kind)
      assert.equal(message, e.message)
    end
  end)

  it("shows the part of a long line where it went wrong", function()
    local e = refused(("x"):rep(200) .. " = 1 and b ~ 3 and " .. ("y"):rep(200) .. " = 1")
    local line, caret = e.message:match "\n  ([^\n]*)\n  ( *)%^$"
    assert.is_true(#line <= 70)
    assert.equal("~", line:sub(#caret + 1, #caret + 1))
  end)

  it("lets nothing but a predicate through", function()
    for _, text in ipairs { "1 = 1", "a = 1; delete from t", "a = (select 1)", "a = b()", "a == 1", "a = 1 --",
      "a || b", "a = 1 or", "not", "a = 12x", "a = ''''' or 1=1" } do
      assert.equal("syntax", refused(text).kind)
    end
  end)

  it("refuses names without a value, values without a name, and a list that is not after in", function()
    assert.equal("filter: :min has no value (nil)", refused("a > :min", {}).message)
    assert.equal("filter: :min has no value (nil)", refused("a > :min").message)
    assert.equal('filter: the text has no :mni\n  hint: did you mean "min"?',
      tostring(refused("a > :min", { min = 1, mni = 2 })))
    assert.equal("filter: :x is a list, which fits only after `in`", refused("a = :x", { x = { 1 } }).message)
    assert.equal("filter: wants a table of values for its names, got 1 (integer)", refused("a = :x", 1).message)
    assert.equal("filter: wants a predicate as text, got nil", refused(nil).message)
  end)

  it("takes a long chain and a deep one, and refuses one that is too deep", function()
    local _, count = said(("a = 1 and "):rep(2000) .. "a = 1"):gsub("where", "")
    assert.equal(2001, count)
    assert.equal("where a = 1", said(("("):rep(40) .. "a = 1" .. (")"):rep(40)))
    local e = refused(("("):rep(5000) .. "a = 1" .. (")"):rep(5000))
    assert.equal("syntax", e.kind)
    assert.is_truthy(e.message:find("nested too deeply", 1, true))
  end)
end)
