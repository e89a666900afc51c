--- autoload_spec: models found by their names in files, and the globals that such files, scripts and the REPL see.
local autoload = require "rille.autoload"
local config = require "rille.config"
local core = require "rille.core"
local model = require "rille.model"
local refused = require "spec.support.refused"

describe("autoload", function()
  local directory, written

  --- Write a file of the models' directory.
  local function file(name, text)
    local path = directory .. "/" .. name
    local out = assert(io.open(path, "wb"))
    out:write(text)
    out:close()
    written[#written + 1] = path
    return path
  end

  before_each(function()
    directory, written = os.tmpname(), {}
    os.remove(directory)
    core.make_directory(directory)
    config.configure { connections = { main = ":memory:" }, models = directory }
    model.forget_all()
  end)
  after_each(function()
    model.forget_all()
    config.clear()
    for _, path in ipairs(written) do os.remove(path) end
    os.remove(directory)
  end)

  it("runs the file of a name when the name is first used, once", function()
    file("user_profile.lua", 'return require "rille".model "UserProfile" {}')
    assert.is_nil(model.declared.UserProfile)
    local class = autoload.model "UserProfile"
    assert.equal(class, model.declared.UserProfile)
    assert.equal(class, autoload.model "UserProfile")
  end)

  it("finds a model that was declared without a file", function()
    local class = model.declare "Post" {}
    assert.equal(class, autoload.model "Post")
    assert.equal(class, autoload.find "Post")
  end)

  it("names the nearest one when there is none", function()
    file("post.lua", 'return rille.model "Post" {}')
    model.declare "Comment" {}
    local e = refused(autoload.model, "Pots")
    assert.equal("no_such_model", e.kind)
    assert.equal('there is no model "Pots"\n  hint: did you mean "Post"?', tostring(e))
    assert.equal("Xyzzy", refused(autoload.model, "Xyzzy").model)
    assert.equal(directory .. "/xyzzy.lua would declare it", refused(autoload.model, "Xyzzy").hint)
    assert.is_nil(autoload.find "Xyzzy")
    assert.is_nil(autoload.find "../Post")
    assert.equal("model: wants the name of a model, got nil", refused(autoload.model, nil).message)
  end)

  it("lets files refer to each other, and says when they wait for each other", function()
    file("author.lua", 'return rille.model "Author" { methods = { books = function() return Book end } }')
    file("book.lua", [[local author = Author
      return rille.model "Book" { methods = { author = function() return author end } }]])
    assert.equal(autoload.model "Author", autoload.model("Book")._def.methods.author())
    assert.equal(model.declared.Book, model.declared.Author._def.methods.books())

    local egg = file("egg.lua", 'local _ = Hen return rille.model "Egg" {}')
    file("hen.lua", 'local _ = Egg return rille.model "Hen" {}')
    local e = refused(autoload.model, "Egg")
    assert.equal("script", e.kind)
    assert.is_truthy(e.message:find(egg .. " is needed while it is being loaded", 1, true))
    assert.equal("script", refused(autoload.model, "Egg").kind)
  end)

  it("says file and line of what is wrong in a file", function()
    for text, message in pairs {
      ["return {"] = ":1: unexpected symbol near <eof>",
      ["\nerror 'no'"] = ":2: no",
      ["\n\nlocal x = nil + 1"] = ":3: attempt to perform arithmetic on a nil value",
      ['\nlocal post = rille.model "Post" { tabel = "x" } return post'] = ':2: model Post has no option "tabel"',
      ['return rille.model "Post" { tabel = "x" }'] = ": model Post has no option",    -- a tail call has no line
      ["\nprint(undefined_name)"] = ':2: there is no global variable "undefined_name"',
      ["\nlocal _ = Pst"] = ':2: there is no model "Pst"',
      ["\nglobal = 1"] = ":2: the file of a model sets no globals: global",
      ["return 1"] = ' declares no model "Post"',
    } do
      local path = file("post.lua", text)
      local e = refused(autoload.model, "Post")
      assert.equal(path .. message, e.message:sub(1, #path + #message))
      assert.is_nil(model.declared.Post)
    end
    file("post.lua", 'return rille.model "Post" {}')
    assert.equal(autoload.model "Post", model.declared.Post)
  end)

  it("loads all files in order, and only those", function()
    file("b.lua", 'return rille.model "B" {}')
    file("a.lua", 'return rille.model "A" {}')
    file("notes.txt", "no model")
    file(".hidden.lua", "error 'hidden'")
    core.make_directory(directory .. "/factories")
    model.declare "Zebra" {}
    assert.same({ "A", "B", "Zebra" }, autoload.names())
    local names = {}
    for i, class in ipairs(autoload.load_all()) do names[i] = class._def.name end
    assert.same({ "A", "B", "Zebra" }, names)
    assert.equal(3, #autoload.load_all())
    os.remove(directory .. "/factories")
  end)

  it("is content without a directory", function()
    config.configure { connections = { main = ":memory:" }, models = directory .. "/absent" }
    assert.same({}, autoload.load_all())
    assert.same({}, autoload.names())
  end)

  it("says which file of all declares nothing", function()
    local path = file("widget.lua", "return {}")
    assert.equal(path .. ' declares no model "Widget"', refused(autoload.load_all).message)
  end)

  it("reads the files again", function()
    file("post.lua", 'return rille.model "Post" { table = "old" }')
    local environment = autoload.environment()
    environment.Post = autoload.model "Post"
    file("post.lua", 'return rille.model "Post" { table = "new" }')
    assert.same({ "Post" }, autoload.reload(environment))
    assert.equal("new", environment.Post._def.table)
  end)

  describe("an environment", function()
    local function run(environment, code) return assert(load(code, "=code", "t", environment))() end

    it("has Lua's globals, rille, and the models by name", function()
      file("post.lua", 'return rille.model "Post" {}')
      local environment = autoload.environment()
      assert.equal(print, run(environment, "return print"))
      assert.equal(require "rille", run(environment, "return rille"))
      assert.equal(model.declared.Post or "not yet", "not yet")
      assert.equal(autoload.model "Post", run(environment, "return Post"))
    end)

    it("raises for a name that nobody knows", function()
      file("post.lua", 'return rille.model "Post" {}')
      local environment = autoload.environment()
      assert.equal('there is no model "Posst"\n  hint: did you mean "Post"?',
        tostring(refused(run, environment, "return Posst")))
      assert.equal('there is no global variable "pritn"\n  hint: did you mean "print"?',
        tostring(refused(run, environment, "return pritn")))
    end)

    it("keeps what a script sets to itself", function()
      local environment = autoload.environment()
      assert.equal(1, run(environment, "mine = 1 return mine"))
      assert.is_nil(rawget(_G, "mine"))
      assert.equal("the file of a model sets no globals: mine",
        refused(run, autoload.environment { writable = false }, "mine = 1").message)
    end)
  end)
end)
