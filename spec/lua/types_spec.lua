--- types_spec: `rille types` writes what an editor must know of the models, the same each time, and overwrites nothing.
local files = require "rille.cli.files"
local json = require "dkjson"
local luacats = require "spec.support.luacats"
local quote = require "rille.cli.text".shell_quoted

local program = assert(os.getenv "RILLE", "RILLE names the program; spec/busted.sh sets it")
local folder

--- Run a command line in a project; `rille` in it is the program.
---@return integer status
---@return string out
---@return string err
local function shell(line)
  local script = ("rille() { %s \"$@\"; }\n%s"):format(quote(program), line)
  local _, _, status = os.execute(("cd %s && sh -c %s >../%s.out 2>../%s.err </dev/null"):format(folder, quote(script),
    folder:match "[^/]+$", folder:match "[^/]+$"))
  local function said(ending)
    local file <close> = assert(io.open(folder .. ending))
    return file:read "a"
  end
  return status, said ".out", said ".err"
end

local function read(path)
  local file <close> = assert(io.open(folder .. "/" .. path), path)
  return file:read "a"
end

local function write(path, text)
  os.remove(folder .. "/" .. path)
  files.write_new(folder .. "/" .. path, text)
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  files.make_directory(folder)
end)
after_each(function() os.execute(("rm -rf %s %s.out %s.err"):format(folder, folder, folder)) end)

--- The fields of all classes of the files that were written.
local function fields_of(...)
  local fields = {}
  for _, path in ipairs { ... } do
    for class, members in pairs(luacats.read(read(path)).fields) do fields[class] = members end
  end
  return fields
end

describe("types of the demo", function()
  local paths = { "types/rille.lua", "types/rille/testing.lua" }
  for _, name in ipairs { "comment", "organization", "post", "post_tag", "tag", "user" } do
    paths[#paths + 1] = ("types/models/%s.lua"):format(name)
  end

  before_each(function()
    os.execute(("cp -r models migrations rille.config.lua %s && mkdir %s/build"):format(folder, folder))
  end)

  local function texts()
    local all = {}
    for _, path in ipairs(paths) do all[path] = read(path) end
    return all
  end

  it("are LuaCATS and Lua, and name no class that is not declared", function()
    assert.same({ 0, "" }, { shell "rille types", (select(3, shell "rille types --check")) })
    assert.same({}, luacats.problems(texts()))
    for path, text in pairs(texts()) do assert(load(text, path, "t", {})) end
  end)

  it("are the same from `fields`, before there is a database, and from the database; none is made", function()
    local status, out = shell "rille types"
    assert.equal(0, status)
    assert.equal(#paths, select(2, out:gsub("\n", "")))
    assert.is_false(files.exists(folder .. "/build/demo.db"))
    local before = texts()
    assert.equal(0, (shell "rille migrate"))
    assert.same({ 0, "", "types is up to date\n" }, { shell "rille types" })
    assert.same(before, texts())
  end)

  it("know columns by what is read, and what the database lets be nothing", function()
    shell "rille migrate && rille types"
    local post = fields_of "types/models/post.lua".Post
    local function is(expected, name) assert.same({ expected }, post[name], name) end
    is("integer", "id")
    is("string", "title")
    is('"draft"|"scheduled"|"published"|"archived"', "status")
    is("string?", "price")
    is("any", "meta")
    is("string?", "published_at")
    is("any", "excerpt")
    is("User?", "author")
    is("Comment.List", "comments")
    is("integer?", "comments_count")
    is("boolean?", "author_exists")
    is("fun(self: Post, moment?: any): any, any", "publish")
    is("fun(self: Post): Post?, rille.Error?", "save")
    assert.truthy(table.concat(post.relation, "\n"):find('fun(self: Post, name: "tags"): Tag.Related', 1, true))
  end)

  it("know what create takes", function()
    shell "rille types"
    local fields = fields_of("types/models/post.lua", "types/models/tag.lua")
    local new = fields["Post.New"]
    assert.is_nil(new["views?"])                            -- not fillable
    assert.is_nil(new["id?"])
    assert.same({ "string|number|rille.Null" }, new["price?"])
    assert.same({ "rille.Record" }, new["author?"])
    assert.same({ "integer" }, new["author_id?"])           -- the author says it, too
    assert.same({ "string" }, fields["Post.Changes"]["slug?"])
    assert.same({ "integer" }, fields["Post.Row"]["views?"])
    assert.same({ "table<string, any>?" }, fields.Tag.pivot)
  end)

  it("give each query method the model's own classes, each scope its parameters", function()
    shell "rille types"
    local fields = fields_of("types/models/post.lua", "types/rille.lua")
    local query = fields["Post.Query"]
    assert.same({ "fun(self: Post.Query, views?: any): Post.Query" }, query.popular)
    assert.same({ "fun(self: Post.Query): Post.List" }, query.all)
    assert.same({ "fun(self: Post.Query): Post?" }, query.first)
    assert.equal(2, #query.find)
    for name in pairs(require "rille.query".methods()) do
      if name ~= "check_path" and name ~= "has_relation" then
        assert.truthy(query[name], name)
        assert.truthy(fields["rille.Query"][name], name)
      end
    end
    assert.same({ "fun(self: Post.Model, attributes: Post.New): Post?, rille.Error?" }, fields["Post.Model"].create)
    assert.same({ 'fun(name: "Post"): fun(definition: Post.Definition): Post.Model' },
      fields_of "types/models/post.lua".rille.model)
  end)

  it("know every field of rille, every method of records and lists", function()
    shell "rille types"
    local fields = fields_of "types/rille.lua"
    for name in pairs(getmetatable(require "rille").__names) do assert.truthy(fields.rille[name], name) end
    require "rille.record"
    for name in pairs(require "rille.record.state".methods) do assert.truthy(fields["rille.Record"][name], name) end
    for name in pairs(require "rille.testing") do
      assert.truthy(fields_of "types/rille/testing.lua"["rille.testing"][name], name)
    end
  end)
end)

describe("types of a project", function()
  before_each(function() assert.equal(0, (shell "rille new .")) end)

  it("are out of date when a model changes, which --check tells without writing", function()
    assert.equal(0, (shell "rille types"))
    assert.equal(0, (shell "rille types --check"))
    write("models/note.lua", [[
      return require "rille".model "Note" {
        fields = function(t) t:id() t:string("title") t:array("x") end,
      }]])
    assert.equal(1, (shell "rille types --check"))          -- it does not load
    write("models/note.lua", [[
      return require "rille".model "Note" {
        fields = function(t) t:id() t:string("name") t:blob("data"):nullable() t:morphs("about") end,
        casts = { data = { get = function(x) return x end, set = function(x) return x end } },
        relations = { about = rille.morph_to(), old = rille.has_one("Gone") },
        methods = { call = function(_, ...) return ... end },
      }]])
    local before = read "types/models/note.lua"
    local status, out, err = shell "rille types --check"
    assert.same({ 1, "types/models/note.lua\n", "out of date; rille types writes them anew\n" }, { status, out, err })
    assert.equal(before, read "types/models/note.lua")
    status, out = shell "rille types --check --json"
    assert.equal(1, status)
    assert.same({ "models/note.lua" }, json.decode(out).stale)
    assert.is_false(json.decode(out).ok)
    assert.equal(0, (shell "rille types"))
    local note = fields_of "types/models/note.lua".Note
    assert.same({ "string" }, note.name)
    assert.same({ "any" }, note.data)
    assert.same({ "rille.Record?" }, note.about)
    assert.same({ "rille.Record?" }, note.old)
    assert.same({ "fun(self: Note, ...: any): any, any" }, note.call)
    assert.same({ "fun(self: Note): Note, rille.Error?" }, note.save)       -- nothing can refuse it
    assert.same({}, luacats.problems { read "types/models/note.lua", read "types/rille.lua" })
  end)

  it("know what create wants: what nobody else fills in", function()
    local fields = [[fields = function(t)
      t:id() t:references("org", "orgs") t:references("author", "authors") t:string("title"):unique() t:text("body")
      t:integer("views"):default(0) t:string("note"):nullable() t:timestamps()
    end, tenant_column = "org_id", relations = { author = rille.belongs_to("Author") },
    mutators = { body = function(_, body) return body or "" end },]]
    write("models/note.lua", ([[return require "rille".model "Note" { %s }]]):format(fields))
    for _, source in ipairs { "fields", "database" } do
      if source == "database" then
        write("migrations/0001_create_notes.lua", [[return {
          up = function(schema)
            schema:create("orgs", function(t) t:id() end)
            schema:create("authors", function(t) t:id() end)
            schema:create("notes", function(t)
              t:id() t:references("org", "orgs") t:references("author", "authors") t:string("title"):unique()
              t:text("body") t:integer("views"):default(0) t:string("note"):nullable() t:timestamps()
            end)
          end,
          down = function(schema) schema:drop("notes") schema:drop("authors") schema:drop("orgs") end,
        }]])
        assert.equal(0, (shell "rille migrate"))
      end
      assert.same({ 0, "" }, { (shell "rille types"), select(3, shell "rille types --check") })
      local wanted = {}
      for name in pairs(fields_of "types/models/note.lua"["Note.New"]) do
        if not name:find("?", 1, true) then wanted[#wanted + 1] = name end
      end
      assert.same({ "title" }, wanted, source)
    end
    write("models/note.lua", ([[return require "rille".model "Note" { %s hooks = { creating = function() end } }]])
      :format(fields))
    assert.equal(0, (shell "rille types"))
    assert.is_nil(fields_of "types/models/note.lua"["Note.New"].title)       -- the hook may fill it in
    assert.same({ "string" }, fields_of "types/models/note.lua"["Note.New"]["title?"])
  end)

  it("go where --out says, and go with their model", function()
    shell "rille make:model Author name:string"
    assert.equal(0, (shell "rille types --out editor/lua/"))
    assert.truthy(files.exists(folder .. "/editor/lua/models/author.lua"))
    os.remove(folder .. "/models/author.lua")
    local status, out = shell "rille types --check --out editor/lua"
    assert.same({ 1, "editor/lua/models/author.lua\n" }, { status, out })
    assert.equal(0, (shell "rille types --out editor/lua"))
    assert.is_false(files.exists(folder .. "/editor/lua/models/author.lua"))
  end)

  it("take the place of no file that they did not write", function()
    write("types/models/note.lua", "-- mine\n")
    write("types/models/other.lua", "-- mine, too\n")
    local status, _, err = shell "rille types"
    assert.equal(1, status)
    assert.matches("types/models/note.lua was not written by rille types", err, 1, true)
    assert.equal("-- mine\n", read "types/models/note.lua")
    assert.is_false(files.exists(folder .. "/types/rille.lua"))
    os.remove(folder .. "/types/models/note.lua")
    assert.equal(0, (shell "rille types"))
    assert.equal("-- mine, too\n", read "types/models/other.lua")
  end)

  it("want a table, or fields", function()
    write("models/note.lua", [[return require "rille".model "Note" {}]])
    local status, _, err = shell "rille types"
    assert.equal(1, status)
    assert.matches('there is no table "notes", and the model says no fields\n  hint: rille migrate', err, 1, true)
    assert.equal(0, (shell "rille migrate && rille types"))
    assert.same({ "boolean" }, fields_of "types/models/note.lua".Note.done)
    os.remove(folder .. "/rille.config.lua")
    status, _, err = shell "rille types"
    assert.equal(1, status)
    assert.matches("there is no project here", err, 1, true)
  end)
end)
