--- validate_rule_spec: what each rule takes for right, what it says of the rest, and how it must be declared.
local world = require "spec.support.world"
local lpeg = require "lpeg"
local null, rille = world.null, world.rille
local refused = world.refused

--- The messages of one field of a new post with these rules and this value; nil when it is valid.
local function said(field, rules, value, more)
  local Post = world.blog { validates = { [field] = rules } }
  local attributes = more or {}
  attributes.title, attributes[field] = attributes.title or "A title", value
  local post, e = Post:new(attributes):validate()
  if post then return nil end
  assert.equal("validation", e.kind)
  return e.fields[field]
end

local function assert_said(expected, field, rules, value, more)
  assert.same(expected and { expected } or nil, said(field, rules, value, more))
end

describe("the rule", function()
  it("required wants a value; false and 0 are values", function()
    for _, absent in ipairs { "", null } do assert_said("must be given", "body", { required = true }, absent) end
    assert_said("must be given", "body", { required = true }, nil)
    assert_said(nil, "body", { required = true }, "x")
    assert_said(nil, "body", { required = true }, " ")
    assert_said(nil, "author_id", { required = true }, 0)
    assert_said(nil, "live", { required = true }, false)
    assert_said(nil, "body", { required = false }, nil)
    assert_said(nil, "meta", { required = true }, {})
  end)

  it("required leaves out what the database fills in", function()
    assert_said(nil, "status", { required = true }, nil)
    assert_said(nil, "created_at", { required = true }, nil)
    assert_said("must be given", "status", { required = true }, null)
    assert_said("must be given", "status", { required = true }, "")
  end)

  it("every other rule passes a value that is absent", function()
    for _, rules in ipairs { { min = 3 }, { max = 1 }, { length = 2 }, { format = "^x$" }, { one_of = { "x" } },
      { check = function() return false end }, { confirmed = true } } do
      assert_said(nil, "body", rules, nil)
      assert_said(nil, "body", rules, null)
    end
    assert_said("must have at least 3 characters", "body", { min = 3 }, "")
    assert_said("has the wrong form", "body", { format = "^x$" }, "")
  end)

  it("min and max count the characters of a text", function()
    assert_said("must have at least 3 characters", "body", { min = 3 }, "ab")
    assert_said(nil, "body", { min = 3, max = 3 }, "äöü")
    assert_said("must have at most 2 characters", "body", { max = 2 }, "äöü")
    assert_said("must have at least 1 character", "body", { min = 1 }, "")
    assert_said(nil, "body", { max = 0 }, "")
  end)

  it("min and max compare numbers", function()
    assert_said("must be at least 0", "views", { min = 0 }, -1)
    assert_said(nil, "views", { min = 0, max = 0 }, 0)
    assert_said("must be at most 5", "views", { max = 5 }, 6)
    assert_said("must be at most 0.5", "score", { max = 0.5 }, 0.75)
    assert_said(nil, "views", { max = math.maxinteger }, math.maxinteger)
    assert_said("must be at most " .. math.maxinteger - 1, "views", { max = math.maxinteger - 1 }, math.maxinteger)
  end)

  it("min and max compare decimals as numbers, though they are texts", function()
    assert_said("must be at least 10", "price", { min = 10 }, "9.50")
    assert_said(nil, "price", { min = 0.01 }, "0.01")
    assert_said("must be at most 99.99", "price", { max = 99.99 }, "100")
    assert_said("must be at least 0", "price", { min = 0 }, "-0.01")
  end)

  it("min, max and length count the entries of a list and the bytes of a blob", function()
    assert_said("must have at most 2 entries", "meta", { max = 2 }, { 1, 2, 3 })
    assert_said("must have at least 1 entry", "meta", { min = 1 }, {})
    assert_said(nil, "meta", { min = 2, max = 2 }, { a = 1, b = 2 })
    assert_said("must have 2 entries", "meta", { length = 2 }, { 1 })
    assert_said("must have at most 2 bytes", "data", { max = 2 }, "\xc3\xa4\xff")
    assert_said("must have at most 3 characters", "meta", { max = 3 }, "four")
    assert_said("must be at most 3", "meta", { max = 3 }, 4)
    assert_said("is no number, no text and no list", "meta", { max = 3 }, true)
    assert_said("is a number and has no length", "meta", { length = 3 }, 4)
  end)

  it("length is exact or has two ends", function()
    assert_said("must have 2 characters", "body", { length = 2 }, "abc")
    assert_said(nil, "body", { length = 2 }, "äö")
    assert_said("must have 2 to 3 characters", "body", { length = { 2, 3 } }, "a")
    assert_said("must have 2 to 3 characters", "body", { length = { 2, 3 } }, "abcd")
    assert_said(nil, "body", { length = { 2, 3 } }, "abc")
    assert_said("must have 1 character", "body", { length = { 1, 1 } }, "")
  end)

  it("format looks for a Lua pattern, whose anchors are its own", function()
    assert_said(nil, "body", { format = "b" }, "abc")
    assert_said("has the wrong form", "body", { format = "^b" }, "abc")
    assert_said("has the wrong form", "body", { format = "^[a-z-]+$" }, "a-B")
    assert_said("has the wrong form", "body", { format = "^[a-z]+$" }, "a\n")
    assert_said(nil, "body", { format = "()x" }, "x")
  end)

  it("format matches an LPeg pattern from the first byte to the last, whatever it captures", function()
    local word = lpeg.R "az" ^ 1
    assert_said(nil, "body", { format = word }, "abc")
    assert_said("has the wrong form", "body", { format = word }, "abc;")
    assert_said("has the wrong form", "body", { format = word }, ";abc")
    assert_said("has the wrong form", "body", { format = word }, "")
    assert_said(nil, "body", { format = word * lpeg.Cc(false) * lpeg.Cc(nil) }, "abc")
    assert_said(nil, "body", { format = lpeg.Ct(lpeg.C(word)) }, "abc")
  end)

  it("one_of knows values as the column keeps them", function()
    assert_said("must be draft or published", "status", { one_of = { "draft", "published" } }, "lost")
    assert_said(nil, "status", { one_of = { "draft", "published" } }, "draft")
    assert_said("must be 1, 2 or 3", "views", { one_of = { 1, 2, 3 } }, 4)
    assert_said("must be 1", "views", { one_of = { 1 } }, 2)
    assert_said(nil, "price", { one_of = { 1.5, 2 } }, "1.5")
    assert_said("must be true", "live", { one_of = { true } }, false)
    assert_said(nil, "live", { one_of = { true } }, 1)
    assert_said(nil, "at", { one_of = { 0 } }, "1970-01-01T00:00:00Z")
    assert_said("must be a, b, c, d, e, f, g, h … (9 values)", "body",
      { one_of = { "a", "b", "c", "d", "e", "f", "g", "h", "i" } }, "x")
  end)

  it("confirmed wants the same value typed twice", function()
    local message = "is not what was typed as its confirmation"
    assert_said(nil, "body", { confirmed = true }, "x", { body_confirmation = "x" })
    assert_said(message, "body", { confirmed = true }, "x", { body_confirmation = "y" })
    assert_said(message, "body", { confirmed = true }, "x", { body_confirmation = "" })
    assert_said(message, "body", { confirmed = true }, "x")
    assert_said(nil, "views", { confirmed = true }, 5, { views_confirmation = 5 })
    assert_said(message, "views", { confirmed = true }, 5, { views_confirmation = "5" })
  end)

  it("check asks a function, with the value as it reads and the record", function()
    local seen
    local function even(value, post)
      seen = { value, post.title }
      return value % 2 == 0, "is odd"
    end
    assert_said("is odd", "views", { check = even }, 3)
    assert.same({ 3, "A title" }, seen)
    assert_said(nil, "views", { check = even }, 4)
    assert_said("is not valid", "views", { check = function() return false end }, 3)
    assert_said("not today", "views", { check = function() return nil, "not today" end }, 3)
    assert_said(nil, "meta", { check = function(meta) return meta.lang == "de" end }, { lang = "de" })
  end)

  it("check must answer", function()
    local e = refused("invalid_argument", said, "views", { check = function() end }, 3)
    assert.matches("validates.views: the function check returned nothing", e.message, 1, true)
    refused("invalid_argument", said, "views", { check = function() return false, 5 end }, 3)
  end)

  it("message replaces what all rules say of a field, or what one says", function()
    assert_said("choose a longer name", "body", { min = 3, message = "choose a longer name" }, "x")
    assert_said("choose", "body", { required = true, message = { required = "choose" } }, nil)
    assert.same({ "longer", "has the wrong form" },
      said("body", { min = 3, format = "^a", message = { min = "longer" } }, "x"))
    assert_said("even, please", "views", { check = function() return false, "odd" end, message = "even, please" }, 3)
    for _, rules in ipairs { { length = 3 }, { max = 0 }, { one_of = { "a" } }, { confirmed = true },
      { format = "^a" } } do
      rules.message = "no"
      assert_said("no", "body", rules, "x")
    end
  end)
end)

describe("rules in a declaration", function()
  --- Declare and use.
  local function declare(validates)
    local Post = world.blog { validates = validates }
    return Post:first()
  end

  it("are known by name", function()
    local e = refused("invalid_argument", declare, { title = { requierd = true } })
    assert.same({ 'model Post: validates.title has no option "requierd"', 'did you mean "required"?' },
      { e.message, e.hint })
    assert.equal('did you mean "unique"?', refused("invalid_argument", declare,
      { title = { message = { uniqe = "x" } } }).hint)
    assert.equal('did you mean "within"?', refused("invalid_argument", declare,
      { title = { unique = { witin = "x" } } }).hint)
  end)

  it("are wrong before any value comes, where they are wrong", function()
    for rule, bads in pairs {
      required = { 1, "yes", {} }, min = { "3", true, 0 / 0 }, max = { "3", {}, 0 / 0 },
      length = { -1, 1.5, "3", { 1 }, { 3, 2 }, { 1, 2, 3 }, { 1, "2" }, { least = 1 }, { 1, 2, x = 3 } },
      format = { 5, true, {}, print, "[a", "a%", io.stdout },
      one_of = { "draft", {}, { a = 1 }, { "a", [3] = "b" }, { {} }, { 0 / 0 } },
      confirmed = { "x", 1 }, check = { true, "fn" }, when = { true, "fn" }, on = { "save", true, { "create" } },
      message = { 5, { "x" }, { min = 5 } }, unique = { 1, "x", {}, { within = {} }, { within = { 5 } } },
      references = { 1, {} },
    } do
      for _, bad in ipairs(bads) do
        local e = refused("invalid_argument", rille.model, "Fresh",
          { validates = { title = { required = rule ~= "required" or nil, [rule] = bad } } })
        assert.matches("model Fresh: validates.title", e.message, 1, true)
      end
    end
    refused("invalid_argument", rille.model, "Fresh", { validates = { title = { min = 3, max = 2 } } })
    for _, bad in ipairs { {}, { on = "create" }, { {} }, { "required" }, { required = true, { min = 3 } },
      "required" } do
      refused("invalid_argument", rille.model, "Fresh", { validates = { title = bad } })
    end
    refused("invalid_argument", rille.model, "Fresh", { validates = { { required = true } } })
    refused("invalid_argument", rille.model, "Fresh", { validates = "title" })
  end)

  it("are about columns that there are", function()
    local e = refused("no_such_column", declare, { titel = { required = true } })
    assert.same({ 'model Post: validates: posts has no column "titel"', 'did you mean "title"?' },
      { e.message, e.hint })
    e = refused("no_such_column", declare, { title = { unique = { within = "autor_id" } } })
    assert.equal('did you mean "author_id"?', e.hint)
  end)

  it("fit the type of their column", function()
    for field, rules in pairs { at = { min = 3 }, live = { max = 1 }, day = { length = 10 }, views = { length = 3 },
      score = { format = "%d" }, body = { min = -1 }, title = { max = 2.5 }, data = { min = 0.5 },
      author_id = { one_of = { "Ada" } } } do
      local e = refused("invalid_argument", declare, { [field] = rules })
      assert.matches("model Post: validates." .. field, e.message, 1, true)
    end
  end)

  it("keep the name of a confirmation for themselves", function()
    local function own(option)
      world.fresh()
      rille.model("Mine", { validates = { body = { confirmed = true } }, [option] = { body_confirmation = print } })
    end
    for _, option in ipairs { "accessors", "mutators", "methods" } do
      assert.matches("body_confirmation", refused("invalid_argument", own, option).message)
    end
    world.fresh "create table twice (id integer primary key, body TEXT, body_confirmation TEXT)"
    local Twice = rille.model "Twice" { table = "twice", validates = { body = { confirmed = true } } }
    refused("unsupported", Twice.first, Twice)
  end)

  it("cost a model nothing that has none", function()
    for _, name in ipairs { "rille.validate", "rille.validate.rule", "rille.validate.constraint" } do
      package.loaded[name] = nil
    end
    local Post = world.blog()
    Post:create({ title = "x" }):update { title = "y" }
    assert.is_nil(package.loaded["rille.validate"])
    assert.equal(Post, select(2, pcall(function() return Post:new { title = "x" }:validate()._class end)))
  end)
end)
