--- cli_spec: the program's commands: what they write, say and return.
local cli = require "rille.cli"
local files = require "rille.cli.files"
local json = require "dkjson"
local recorder = require "spec.support.recorder"

--- Run a command as the program does.
---@return integer status
---@return string out
---@return string err
local function rille(args, options)
  local out, err = recorder(), recorder()
  local streams = { out = out, err = err, tty = false }
  for name, value in pairs(options or {}) do streams[name] = value end
  return cli.main(args, streams), out.text, err.text
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- A folder of its own for each spec; generators write below the paths of rille.config.lua, which this one names.
local folder

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  files.make_directory(folder)
end)

after_each(function()
  os.execute("rm -rf " .. folder)
end)

describe("the program", function()
  it("lists its commands", function()
    local status, out = rille { "help" }
    assert.equal(0, status)
    for _, name in ipairs(require "rille.cli.commands".names()) do
      assert.truthy(out:find("  " .. name .. " ", 1, true), name)
    end
    assert.equal(out, (select(2, rille { "--help" })))
  end)

  it("explains each command, by help and by --help", function()
    for _, name in ipairs(require "rille.cli.commands".names()) do
      local status, out = rille { "help", name }
      assert.equal(0, status)
      assert.truthy(out:find("rille " .. name, 1, true), name)
      assert.equal(0, (rille { name, "--help" }))
    end
  end)

  it("tells its version, as an object too", function()
    local _, out = rille { "--version" }
    assert.truthy(out:find "^rille %d+%.%d+%.%d+ %(Lua 5%.4")
    local _, object = rille { "--version", "--json" }
    assert.equal(require "rille"._VERSION, json.decode(object).rille)
  end)

  it("refuses an unknown command with status 2 and the nearest one", function()
    local status, out, err = rille { "migrat" }
    assert.equal(2, status)
    assert.equal("", out)
    assert.equal('error: there is no command "migrat"\n  hint: did you mean "migrate"?\n', err)
  end)

  it("refuses an unknown option with status 2 and the nearest one", function()
    local status, _, err = rille { "migrate", "--frsh" }
    assert.equal(2, status)
    assert.truthy(err:find('did you mean "--fresh"?', 1, true))
  end)

  it("says how a command is called that misses an argument", function()
    local status, _, err = rille { "make:model" }
    assert.equal(2, status)
    assert.truthy(err:find("hint: rille make:model NAME [FIELD…]; rille help make:model explains it", 1, true), err)
  end)

  it("says what is wrong as an object when asked for JSON, and keeps stderr empty", function()
    local status, out, err = rille { "migrate", "--frsh", "--json" }
    assert.equal(2, status)
    assert.equal("", err)
    local object = json.decode(out)
    assert.is_false(object.ok)
    assert.equal("invalid_argument", object.error.kind)
    assert.equal('did you mean "--fresh"?', object.error.hint)
  end)

  it("refuses a number that is none", function()
    for _, step in ipairs { "0", "-1", "1.5", "two", "" } do
      local status, _, err = rille { "migrate:rollback", "--step=" .. step }
      assert.equal(2, status)
      assert.truthy(err:find("--step wants a number", 1, true))
    end
  end)
end)

describe("colour", function()
  local getenv = os.getenv
  local environment

  before_each(function()
    environment = { TERM = "xterm" }
    os.getenv = function(name) return environment[name] end           -- luacheck: ignore 122
  end)
  after_each(function()
    os.getenv = getenv                                                -- luacheck: ignore 122
  end)

  local function is_coloured(args, tty)
    local _, out, err = rille(args, { tty = tty })
    return (out .. err):find("\27[", 1, true) ~= nil
  end

  it("is there on a terminal, not in a pipe", function()
    assert.is_true(is_coloured({ "help" }, true))
    assert.is_false(is_coloured({ "help" }, false))
  end)

  it("is off when TERM is dumb or missing, and when NO_COLOR says something", function()
    environment.TERM = "dumb"
    assert.is_false(is_coloured({ "help" }, true))
    environment.TERM = nil
    assert.is_false(is_coloured({ "help" }, true))
    environment = { TERM = "xterm", NO_COLOR = "1" }
    assert.is_false(is_coloured({ "nonsense" }, true))
    environment.NO_COLOR = ""
    assert.is_true(is_coloured({ "nonsense" }, true))
  end)

  it("does what --color says", function()
    assert.is_true(is_coloured({ "help", "nonsense", "--color=always" }, false))
    assert.is_false(is_coloured({ "help", "nonsense", "--color=never" }, true))
  end)
end)

describe("text for a terminal", function()
  local text = require "rille.cli.text"

  it("shows what a terminal would obey", function()
    assert.equal("a\\x1B[31m\\n\\t\\x00\\x7F", text.escape "a\27[31m\n\t\0\127")
    assert.equal("\\u{9B}31m \\u{202E}", text.escape "\u{9b}31m \u{202e}")
    assert.equal("\\xFF\\xC3", text.escape "\xff\xc3")
    assert.equal("é 日本 \u{1F600}", text.escape "é 日本 \u{1F600}")
    assert.equal("a\n\tb\\x0D", text.escape("a\n\tb\r", true):gsub("\\r", "\\x0D"))
  end)

  it("cuts by characters and says that something is missing", function()
    assert.equal("hello", text.cut("hello", 5))
    assert.equal("hell…", text.cut("hello!", 5))
    assert.equal("é…", text.cut("éèà", 2))
  end)
end)

describe("new", function()
  it("writes a project", function()
    local status, out = rille { "new", folder .. "/shop" }
    assert.equal(0, status)
    assert.truthy(out:find("cd " .. folder .. "/shop", 1, true))
    for _, path in ipairs { "rille.config.lua", "models/note.lua", "migrations/0001_create_notes.lua",
      "migrations/seeds/notes.lua", "spec/note_spec.lua", "hello.lua" } do
      assert(loadfile(folder .. "/shop/" .. path))
    end
    assert.truthy(read(folder .. "/shop/README.md"):find("# shop", 1, true))
    assert.truthy(read(folder .. "/shop/.gitignore"):find("*.db", 1, true))
    assert.equal("shop.db", dofile(folder .. "/shop/rille.config.lua").connections.main.database)
  end)

  it("takes an empty folder that is there", function()
    files.make_directory(folder .. "/empty")
    assert.equal(0, (rille { "new", folder .. "/empty/" }))
  end)

  it("refuses a folder that holds something, and touches nothing", function()
    files.write_new(folder .. "/shop/notes.txt", "mine")
    local status, _, err = rille { "new", folder .. "/shop" }
    assert.equal(1, status)
    assert.truthy(err:find("not empty: it has notes.txt", 1, true))
    assert.same({ "notes.txt" }, files.list(folder .. "/shop"))
  end)

  it("refuses a name that is none", function()
    for _, name in ipairs { "", "/", "..", "a\nb" } do
      assert.equal(2, (rille { "new", name }), name)
    end
  end)

  it("quotes what it advises to type", function()
    local _, out = rille { "new", folder .. "/my shop" }
    assert.truthy(out:find("cd '" .. folder .. "/my shop'", 1, true))
    assert.equal("my_shop.db", dofile(folder .. "/my shop/rille.config.lua").connections.main.database)
  end)
end)

describe("generators", function()
  local project = require "rille.cli.project"
  local real = project.folder

  before_each(function()
    project.folder = function(kind) return folder .. "/" .. kind end
  end)
  after_each(function()
    project.folder = real
  end)

  it("write a model and the migration of its table from the same fields", function()
    local status, out = rille { "make:model", "BlogPost", "title:string,80:unique", "body:text?",
      "price:decimal,10,2", "status:enum,draft,published:default=draft:index", "author:references,users",
      "views:integer:default=0", "live:boolean:nullable" }
    assert.equal(0, status)
    assert.equal(folder .. "/models/blog_post.lua\n" .. folder .. "/migrations/0001_create_blog_posts.lua\n", out)
    local words = [[
    t:id()
    t:string("title", 80):unique()
    t:text("body"):nullable()
    t:decimal("price", 10, 2)
    t:enum("status", { "draft", "published" }):default("draft"):index()
    t:references("author", "users")
    t:integer("views"):default(0)
    t:boolean("live"):nullable()
    t:timestamps()
]]
    local model = read(folder .. "/models/blog_post.lua")
    assert.truthy(model:find(words, 1, true))
    assert.truthy(model:find('rille.model "BlogPost"', 1, true))
    assert.truthy(model:find('"status", "author_id", "views"', 1, true))
    local migration = read(folder .. "/migrations/0001_create_blog_posts.lua")
    assert.truthy(migration:gsub("\n  ", "\n"):find(words, 1, true))
    assert.truthy(migration:find('schema:drop("blog_posts")', 1, true))
    assert(load(model))
    assert(load(migration))
  end)

  it("write defaults as their types want them", function()
    local fields = { "views:integer:default=-3", "price:decimal,20,2:default=12345678901234567.89",
      "owner:references:default=1", "rate:float:default=0.5", "title:string:default=12", "live:boolean:default=true" }
    assert.equal(0, (rille { "make:model", "Post", table.unpack(fields) }))
    local model = read(folder .. "/models/post.lua")
    for _, word in ipairs { "default(-3)", 'default("12345678901234567.89")', "default(1)", "default(0.5)",
      'default("12")', "default(true)" } do
      assert.truthy(model:find(word, 1, true), word)
    end
  end)

  it("say whose a row is in both, and leave it out of what may be filled", function()
    assert.equal(0, (rille { "make:model", "Post", "org:references,orgs:tenant", "slug:string:unique" }))
    local model = read(folder .. "/models/post.lua")
    local migration = read(folder .. "/migrations/0001_create_posts.lua")
    assert.truthy(model:find('tenant_column = "org_id"', 1, true))
    assert.truthy(model:find('fillable = { "slug" }', 1, true))
    for _, text in ipairs { model, migration } do
      assert.truthy(text:find('t:references("org", "orgs"):tenant()', 1, true))
    end
  end)

  it("write a factory, with a value for each column that wants one", function()
    local database = require "rille.config"
    database.configure { models = folder .. "/models" }
    finally(function()
      database.clear()
      require "rille.model".forget_all()
    end)
    rille { "make:model", "Post", "title:string", "slug:string,80", "body:text", "price:decimal,8,3", "note:text?",
      "status:enum,draft,live", "views:integer:default=0", "author:references,users", "at:datetime", "on:date",
      "meta:json", "email:string", "live:boolean" }
    local model = read(folder .. "/models/post.lua")
    local file <close> = assert(io.open(folder .. "/models/post.lua", "wb"))
    file:write((model:gsub("  fillable", '  relations = { author = rille.belongs_to("Member") },\n%0')))
    file:close()
    local status, out = rille { "make:factory", "Post" }
    assert.same({ 0, folder .. "/factories/post.lua\n" }, { status, out })
    local text = read(folder .. "/factories/post.lua")
    assert.equal([[
--- Post: how one is made up.
local rille = require "rille"

return rille.factory("Post", function(fake)
  return {
    title = fake:sentence(),
    slug = fake:text(80),
    body = fake:paragraph(),
    price = fake:decimal(0, 9, 3),
    status = fake:pick { "draft", "live" },
    author = rille.factory("Member"),
    at = fake:datetime(),
    on = fake:date(),
    meta = {},
    email = fake:email(),
    live = fake:boolean(),
  }
end)
]], text)
    assert(load(text))
    assert.equal(1, (rille { "make:factory", "Post" }))
    local _, _, err = rille { "make:factory", "Nobody" }
    assert.truthy(err:find("there is no model Nobody yet", 1, true))
    assert(load(read(folder .. "/factories/nobody.lua")))
    status, _, err = rille { "make:factory", "blog-post" }
    assert.equal(2, status)
    assert.truthy(err:find("write BlogPost", 1, true))
  end)

  it("write a seed, which fails until it is written", function()
    local status, out = rille { "make:seed", "first_posts" }
    assert.same({ 0, folder .. "/seeds/first_posts.lua\n" }, { status, out })
    assert.is_false(pcall(assert(loadfile(folder .. "/seeds/first_posts.lua"))()))
    assert.equal(1, (rille { "make:seed", "first_posts" }))
    local _, _, err = rille { "make:seed", "FirstPosts" }
    assert.truthy(err:find("write first_posts", 1, true))
  end)

  it("write a migration only when there is something to say", function()
    rille { "make:model", "Post" }
    assert.same({}, files.list(folder .. "/migrations"))
    rille { "make:model", "Tag", "--migration" }
    assert.same({ "0001_create_tags.lua" }, files.list(folder .. "/migrations"))
    rille { "make:model", "User", "name:string", "--no-migration" }
    assert.same({ "0001_create_tags.lua" }, files.list(folder .. "/migrations"))
  end)

  it("never overwrite, and leave nothing half written", function()
    files.write_new(folder .. "/models/post.lua", "mine")
    local status, _, err = rille { "make:model", "Post", "title:string" }
    assert.equal(1, status)
    assert.truthy(err:find "post%.lua is already there")
    assert.equal("mine", read(folder .. "/models/post.lua"))
    assert.same({}, files.list(folder .. "/migrations"))
    rille { "make:migration", "create_users" }
    assert.equal(1, (rille { "make:model", "User", "name:string" }))
    assert.same({ "post.lua" }, files.list(folder .. "/models"))
  end)

  it("refuse names and fields that are none, with what would have been right", function()
    local wrong = {
      { { "make:model", "blog-post" }, "write BlogPost" },
      { { "make:model", "1st" }, "write St" },
      { { "make:model", "Post", "title" }, "write title:string" },
      { { "make:model", "Post", "title:strng" }, 'did you mean "string"?' },
      { { "make:model", "Post", "Title:string" }, "small letters" },
      { { "make:model", "Post", "id:integer" }, "leave it out" },
      { { "make:model", "Post", "status:enum" }, "status:enum,draft,published" },
      { { "make:model", "Post", "title:string:uniqe" }, 'did you mean "unique"?' },
      { { "make:model", "Post", "title:string,many" }, "" },
      { { "make:model", "Post", "body:text,5" }, "" },
      { { "make:model", "Post", "a:string", "a:text" }, "" },
      { { "make:model", "Post", "author:references", "author_id:integer" }, "" },
      { { "make:model", "Post", "title:string:default" }, "" },
      { { "make:model", "Post", "views:integer:default=abc" }, 'default: wants an integer, got "abc"' },
      { { "make:model", "Post", "on:date:default=2026-02-30" }, "default: wants a date" },
      { { "make:model", "Post", "title:string,3:default=four" }, "at most 3 characters" },
      { { "make:model", "Post", "meta:json:default={" }, "default: wants JSON" },
      { { "make:model", "Post", "status:enum,draft,live:default=drft" }, 'did you mean "draft"?' },
      { { "make:model", "Post", "price:decimal,99" }, "from 1 to 38" },
      { { "make:model", "Post", "status:enum,a,a" }, "comes twice" },
      { { "make:model", "Post", "a:string:tenant", "b:string:tenant" }, "whose a row is, a says already" },
      { { "make:model", "Post", "price:decimal:tenant" }, "an integer" },
      { { "make:migration", "AddViews" }, "write add_views" },
      { { "make:migration", "tidy_up", "views:integer" }, "add_SOMETHING_to_TABLE" },
      { { "make:migration", "create_posts", "views:integer", "--sql" }, "write the SQL" },
    }
    for _, case in ipairs(wrong) do
      local status, _, err = rille(case[1])
      assert.equal(2, status, table.concat(case[1], " "))
      assert.truthy(err:find(case[2], 1, true), err)
    end
    assert.same({}, files.list(folder))
  end)

  it("number migrations after the last one", function()
    files.write_new(folder .. "/migrations/0041_before.lua", "")
    rille { "make:migration", "tidy_up" }
    rille { "make:migration", "fix_totals", "--sql" }
    assert.same({ "0041_before.lua", "0042_tidy_up.lua", "0043_fix_totals.down.sql", "0043_fix_totals.up.sql" },
      files.list(folder .. "/migrations"))
  end)

  it("number by time where the project does", function()
    files.write_new(folder .. "/migrations/20240101120000_before.lua", "")
    rille { "make:migration", "tidy_up" }
    assert.truthy(files.list(folder .. "/migrations")[2]:find "^20%d%d%d%d%d%d%d%d%d%d%d%d_tidy_up%.lua$")
  end)

  it("write both directions of what a migration's name says", function()
    rille { "make:migration", "add_views_to_posts", "views:integer:default=0", "owner:references,users" }
    local text = read(folder .. "/migrations/0001_add_views_to_posts.lua")
    local up, down = text:match "up = (.*)down = (.*)"
    assert.truthy(up:find('t:integer("views"):default(0)', 1, true))
    assert.truthy(down:find('t:drop("views")', 1, true))
    assert.truthy(down:find('t:drop("owner_id")', 1, true))
    rille { "make:migration", "drop_views_from_posts", "views:integer:default=0" }
    text = read(folder .. "/migrations/0002_drop_views_from_posts.lua")
    up, down = text:match "up = (.*)down = (.*)"
    assert.truthy(up:find('t:drop("views")', 1, true))
    assert.truthy(down:find('t:integer("views"):default(0)', 1, true))
  end)

  it("refuse a second migration of one name", function()
    rille { "make:migration", "tidy_up" }
    local status, _, err = rille { "make:migration", "tidy_up", "--sql" }
    assert.equal(1, status)
    assert.truthy(err:find("0001_tidy_up.lua", 1, true))
  end)

  it("report the files they wrote as an object", function()
    local _, out = rille { "make:migration", "tidy_up", "--json" }
    assert.same({ ok = true, files = { folder .. "/migrations/0001_tidy_up.lua" } }, json.decode(out))
  end)
end)

describe("completions", function()
  it("know every command and every option", function()
    local commands = require "rille.cli.commands"
    for _, shell in ipairs { "bash", "zsh", "fish" } do
      local status, out = rille { "completion", shell }
      assert.equal(0, status)
      for _, name in ipairs(commands.names()) do
        assert.truthy(out:find(name, 1, true), name)
        for _, option in ipairs(commands.options(commands.find(name))) do
          local flag = shell == "fish" and option[1]:gsub("^%-+", "") or option[1]
          assert.truthy(out:find(flag, 1, true), flag)
        end
      end
    end
  end)

  it("complete commands with a colon, options and values in fish, where it is installed", function()
    if not os.execute "command -v fish >/dev/null" then return pending "fish is not installed" end
    local script = folder .. "/rille.fish"
    files.write_new(script, (select(2, rille { "completion", "fish" })))
    local function complete(line)
      local pipe <close> = assert(io.popen(([[HOME=%s fish --no-config -c 'source %s; complete -C "%s"']]):format(
        folder, script, line)))
      local words = {}
      for candidate in pipe:lines() do words[#words + 1] = candidate:match "^[^\t]+" end
      return table.concat(words, " ")
    end
    assert.equal("make:migration make:model", complete "rille make:m")
    assert.equal("migrate migrate:generate migrate:rollback migrate:status migrate:verify",
      complete "rille mig")
    assert.equal("--force --fresh", complete "rille migrate --f")
    assert.equal("always auto never", complete "rille migrate --color ")
    assert.equal("bash fish zsh", complete "rille completion ")
    assert.equal("migrate:rollback", complete "rille help migrate:r")
  end)

  it("complete commands with a colon, options and values in bash", function()
    local script = folder .. "/rille.bash"
    files.write_new(script, (select(2, rille { "completion", "bash" })))
    local function complete(line)
      local pipe <close> = assert(io.popen(([[bash --norc -c '
        . %s
        compopt() { :; }
        COMP_LINE="%s" COMP_POINT=${#COMP_LINE} COMP_WORDBREAKS=" :="
        _rille
        echo "${COMPREPLY[*]}"']]):format(script, line)))
      return pipe:read "l"
    end
    assert.equal("model migration", complete "rille make:m")
    assert.equal("migrate migrate:status migrate:rollback migrate:verify migrate:generate", complete "rille mig")
    assert.equal("--fresh --force", complete "rille migrate --f")
    assert.equal("auto always never", complete "rille migrate --color ")
    assert.equal("auto always", complete "rille migrate --color=a")
    assert.equal("bash zsh fish", complete "rille completion ")
    assert.equal("rollback", complete "rille help migrate:r")
  end)
end)
