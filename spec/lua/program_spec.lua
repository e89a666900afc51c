--- program_spec: what the built program does, in a project of its own.
local files = require "rille.cli.files"
local json = require "dkjson"
local quote = require "rille.cli.text".shell_quoted

local program = assert(os.getenv "RILLE", "RILLE names the program; spec/busted.sh sets it")
local folder

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

describe("the built program", function()
  --- Run a command line in the project; `rille` in it is the program.
  ---@return integer status
  ---@return string out
  ---@return string err
  local function shell(line, input)
    local script = ("cd %s/shop && rille() { %s \"$@\"; }\n%s"):format(folder, quote(program), line)
    files.write_new(folder .. "/input", input or "")
    local _, _, status = os.execute(("cd %s && sh -c %s <input >out 2>err"):format(folder, quote(script)))
    local out, err = read(folder .. "/out"), read(folder .. "/err")
    os.remove(folder .. "/input")
    return status, out, err
  end

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    files.make_directory(folder .. "/shop")
    assert.equal(0, (shell "rille new ."))
  end)
  after_each(function()
    os.execute("rm -rf " .. folder)
  end)

  it("makes a project that runs", function()
    local status, out, err = shell "rille migrate --seed"
    assert.equal(0, status, err)
    assert.equal("1 migration applied as batch 1\n1 seed sown\n", out)
    assert.truthy(err:find("0001_create_notes  applied", 1, true))
    status, out = shell "rille run hello.lua 'Buy milk'"
    assert.equal(0, status)
    assert.truthy(out:find "^2\tDeclare a model of my own\t%d.-\n3\tBuy milk\t%d.-\n$")
  end)

  it("runs the specs of a new project, with busted's own arguments", function()
    local status, out = shell "unset LUA_PATH LUA_CPATH; rille test --output=TAP"
    assert.equal(0, status)
    assert.matches("\nok 1 %- a note is open until it is finished\n", "\n" .. out)
    assert.matches("\n1%.%.2\n", out)
    files.write_new(folder .. "/shop/spec/wrong_spec.lua", [[
      require "rille.testing".fresh_database()
      it("leaves a transaction open", function() kept = require "rille".begin() end)
      it("counts", function() assert.statements(1, function() require "models.note":all():ids() end) end)
      it("counts wrong", function() assert.statements(2, function() require "models.note":all() end) end)]])
    status, out = shell "rille test --output=plainTerminal spec/wrong_spec.lua"
    assert.equal(1, status)
    assert.matches("2 successes / 1 failure / 1 error", out)
    assert.matches("the test left a transaction open: what it did was taken back", out, 1, true)
    assert.matches('exactly 2 statements expected, 1 sent:\n  1  select .* from "notes"  %[%]', out)
    local _, _, err = shell "PATH=/nowhere rille test"
    assert.matches("busted is not installed\n  hint: apt install lua-busted", err, 1, true)
    assert.matches("^rille test %[ARG…%]\n", (select(2, shell "rille test --help")))
  end)

  it("makes a project that works in a stock Lua, in the environment that env prints", function()
    local status, out = shell([[unset LUA_PATH LUA_CPATH; eval "$(rille env)"
      lua5.4 -e 'local rille = require "rille"; rille.connect ":memory:"; rille.migrate()
        print(require "models.note":create { title = "x" }.title)']])
    assert.same({ 0, "x\n" }, { status, out })
  end)

  it("reads the project's configuration in a stock Lua by itself, and what DATABASE_URL says", function()
    shell "rille migrate --seed"
    local count = [[unset LUA_PATH LUA_CPATH; eval "$(rille env)"
      lua5.4 -e 'require "rille"; print(require "models.note":count())']]
    assert.same({ 0, "2\n", "" }, { shell(count) })
    shell "DATABASE_URL=other.db rille migrate"
    assert.same({ 0, "0\n", "" }, { shell("export DATABASE_URL=other.db; " .. count) })
    local status, _, err = shell("mkdir elsewhere; cp -r models elsewhere; cd elsewhere; " .. count)
    assert.equal(1, status)
    assert.truthy(err:find("no database is configured", 1, true), err)
  end)

  it("adds to what LUA_PATH says, once", function()
    local _, out = shell [[unset LUA_PATH_5_4; LUA_PATH='./mine/?.lua' rille env | head -n 1]]
    assert.truthy(out:find "^export LUA_PATH='/.*/%?%.lua;%./mine/%?%.lua'\n$")
    local _, again = shell(([[unset LUA_PATH_5_4; %s; rille env | head -n 1]]):format(out:gsub("\n", "")))
    assert.equal(out, again)
    local _, versioned = shell [[LUA_PATH_5_4='x;;' rille env | head -n 1]]
    assert.truthy(versioned:find "^export LUA_PATH_5_4='")
  end)

  it("migrates, tells how it stands, and takes back", function()
    shell "rille make:model Author name:string email:string:unique bio:text:nullable"
    local _, pretended = shell "rille migrate --pretend"
    assert.truthy(pretended:find('create table "authors"', 1, true))
    local _, status = shell "rille migrate:status"
    assert.truthy(status:find("0002_create_authors  pending\n", 1, true))
    assert.equal("2 migrations applied as batch 1\n", (select(2, shell "rille migrate")))
    assert.equal("nothing to migrate\n", (select(2, shell "rille migrate")))
    local object = json.decode((select(2, shell "rille migrate:rollback --step 1 --json")))
    assert.is_true(object.ok)
    assert.equal("0002_create_authors", object.rolled_back[1].name)
    object = json.decode((select(2, shell "rille migrate:status --json")))
    assert.same({ "applied", "pending" }, { object.migrations[1].state, object.migrations[2].state })
    assert.equal("1 migration taken back\n", (select(2, shell "rille migrate:rollback")))
    assert.equal("nothing to take back\n", (select(2, shell "rille migrate:rollback")))
  end)

  it("migrates the database of another connection where one is named", function()
    shell [[printf 'return { default = "a", connections = { a = "a.db", b = "b.db" } }' > rille.config.lua]]
    assert.equal("1 migration applied as batch 1\n", (select(2, shell "rille migrate --connection b")))
    for name, state in pairs { a = "pending", b = "applied" } do
      local _, status = shell("rille migrate:status --connection " .. name)
      assert.truthy(status:find(" " .. state, 1, true), status)
    end
    local status, _, err = shell "rille migrate --fresh --yes a.db --connection b"
    assert.equal(1, status)
    assert.truthy(err:find('the database is "b.db"', 1, true))
    assert.equal("1 migration taken back\n", (select(2, shell "rille migrate:rollback --connection b")))
    assert.equal(1, (shell "rille migrate --connection none"))
    assert.equal(2, (shell "rille migrate --connection b --seed"))
  end)

  it("drops everything for --fresh, but not in a database that --yes does not name", function()
    shell "rille migrate --seed"
    local status, _, err = shell "rille migrate --fresh --yes production.db"
    assert.equal(1, status)
    assert.truthy(err:find('the database is "shop.db"', 1, true))
    assert.equal("2\n", (select(2, shell "rille repl -e 'Note:count()'")))
    status, _, err = shell "rille migrate --fresh"
    assert.equal(0, status)
    assert.truthy(err:find("dropping 1 table of shop.db with 2 rows", 1, true))
    assert.equal("0\n", (select(2, shell "rille repl -e 'Note:count()'")))
  end)

  it("asks for the database's name at a terminal before it drops", function()
    shell "rille migrate --seed"
    local line = ("script -qec %s /dev/null"):format(quote(quote(program) .. " migrate --fresh"))
    local status, out = shell(line, "shop\n")
    assert.equal(1, status)
    assert.truthy(out:find("Type shop.db to go on", 1, true))
    assert.equal("2\n", (select(2, shell "rille repl -e 'Note:count()'")))
    assert.equal(0, (shell(line, "shop.db\n")))
    assert.equal("0\n", (select(2, shell "rille repl -e 'Note:count()'")))
  end)

  it("runs a script with its arguments, from a file or standard input", function()
    local script = "#!/usr/bin/env rille\nprint(arg[0], arg[1], #arg, ...)"
    assert.same({ 0, "-\ta\t2\ta\tb c\n", "" }, { shell("rille run - a 'b c'", script) })
    files.write_new(folder .. "/shop/two words.lua", script)
    assert.same({ 0, "two words.lua\t-x\t1\t-x\n", "" }, { shell "rille run 'two words.lua' -x" })
  end)

  it("says that there is no project where a command needs one, and where a generator may not mean to write", function()
    local status, out, err = shell "mkdir empty; cd empty; rille migrate"
    assert.same({ 1, "" }, { status, out })
    assert.truthy(err:find("error: there is no project here: no rille.config.lua\n  hint: go to", 1, true), err)
    assert.equal(0, (shell "cd empty; DATABASE_URL=x.db rille migrate --path ../migrations"))
    status, out, err = shell "cd empty; rille make:model Tag"
    assert.same({ 0, "models/tag.lua\n" }, { status, out })
    assert.truthy(err:find("note: there is no project here", 1, true), err)
  end)

  it("says once why a folder cannot be made or read", function()
    files.write_new(folder .. "/shop/taken", "")
    local status, _, err = shell "rille new taken/inside/shop"
    assert.equal(1, status)
    assert.equal("error: cannot make the folder taken: File exists\n", err)
    _, _, err = shell "rille migrate --path nowhere"
    assert.truthy(err:find("cannot be read: nowhere: No such file or directory\n", 1, true), err)
  end)

  it("names the line of a model's file whose fields make no sense", function()
    files.write_new(folder .. "/shop/models/label.lua", [[
local rille = require "rille"
return rille.model "Label" { fields = function(t)
  t:integer("n"):default "abc"
end }]])
    local status, _, err = shell "rille repl -e 'Label:all()'"
    assert.equal(1, status)
    assert.equal('error: models/label.lua:3: model Label: fields: t:integer("n"):default: wants an integer, got "abc" '
      .. "(string)\nstack traceback:\n  models/label.lua:3: in local 'fn'\n", err)
    _, _, err = shell("rille run -", 'require "models.label"')
    assert.truthy(err:find("models/label.lua:3: in local 'fn'\n  stdin:1: in main chunk", 1, true), err)
  end)

  it("tells a database that is not there yet from one that cannot be", function()
    local status, out = shell "DATABASE_URL=not_yet.db rille migrate:status"
    assert.equal(0, status)
    assert.truthy(out:find("pending", 1, true))
    assert.is_nil(io.open(folder .. "/shop/not_yet.db"))
    local _, err
    status, _, err = shell "DATABASE_URL=no_folder/x.db rille migrate:status"
    assert.equal(1, status)
    assert.truthy(err:find('cannot open the database "no_folder/x.db"', 1, true), err)
  end)

  it("says where a script failed, and ends with its status", function()
    local status, out, err = shell("rille run -", "local function f()\n  Note:fnd(1)\n  return 1\nend\nf()")
    assert.same({ 1, "" }, { status, out })
    assert.equal('error: Note has no method "fnd"\n  hint: did you mean "find"?\nstack traceback:\n'
      .. "  stdin:2: in local 'f'\n  stdin:5: in main chunk\n", err)
    assert.equal(1, (shell("rille run -", "x = = 1")))
    assert.equal(1, (shell "rille run missing.lua"))
    assert.equal(2, (shell "rille run"))
    assert.equal(7, (shell("rille run -", "os.exit(7)")))
  end)

  it("tells the next step when it is called with nothing", function()
    local function next_step() return (select(2, shell "rille")) end
    assert.truthy(next_step():find("rille migrate ", 1, true))
    shell "rille migrate"
    assert.truthy(next_step():find("rille repl ", 1, true))
    shell "rm rille.config.lua"
    assert.truthy(next_step():find("rille new ", 1, true))
  end)

  it("names the line of a migration that fails, and leaves the database as it was", function()
    shell "rille migrate"
    files.write_new(folder .. "/shop/migrations/0002_wrong.lua", [[
      return {
        up = function(schema)
          schema:create("tags", function(t) t:id() end)
          schema:table("notes", function(t)
            t:strng("colour")
          end)
        end,
        down = function() end,
      }]])
    local status, _, err = shell "rille migrate"
    assert.equal(1, status)
    assert.truthy(err:find('did you mean "string"?\nstack traceback:\n  migrations/0002_wrong.lua:5:', 1, true), err)
    assert.equal("notes\nrille_migrations\n", (select(2, shell("rille repl", ".tables"))))
  end)

  it("reports as an object what was applied before the one that failed, and where it failed", function()
    files.write_new(folder .. "/shop/migrations/0002_tags.lua", [[return {
      up = function(schema)
        schema:create("tags", function(t) t:id(); t:string("name"):unique() end)
        schema:raw "insert into tags (name) values ('a'), ('a')"
      end,
      down = function() error "no way back" end,
    }]])
    local status, out = shell "rille migrate --json"
    assert.equal(1, status)
    local object = json.decode(out)
    assert.same({ false, "0001_create_notes", "applied", 1 },
      { object.ok, object.applied[1].name, object.applied[1].state, #object.applied })
    assert.truthy(object.applied[1].applied_at:find "^%d%d%d%d%-%d%d%-%d%dT" and object.applied[1].ms > 0)
    assert.same({ "0002_tags", "failed", "up" }, { object.failed.name, object.failed.state, object.failed.direction })
    assert.truthy(object.failed.ms > 0)
    assert.same({ "migration", "unique_violation", "migrations/0002_tags.lua", 4 },
      { object.error.kind, object.error.cause.kind, object.error.file, object.error.line })
    assert.truthy(object.error.message:find("0002_tags.lua:4: up failed: ", 1, true))
    shell "sed -i \"s/, ('a')//\" migrations/0002_tags.lua"
    assert.equal(0, (shell "rille migrate"))
    files.write_new(folder .. "/shop/migrations/0003_last.lua", "return { up = print, down = function() end }")
    assert.equal(0, (shell "rille migrate"))
    status, out = shell "rille migrate:rollback --step 3 --json"
    object = json.decode(out)
    assert.same({ 1, "0003_last", 1, "0002_tags", "down" },
      { status, object.rolled_back[1].name, #object.rolled_back, object.failed.name, object.failed.direction })
    assert.equal("migrations/0002_tags.lua:6: down failed: no way back", object.error.message)
    object = json.decode((select(2, shell "rille migrate:status --json")))
    assert.same({ "applied", "applied", "pending" },
      { object.migrations[1].state, object.migrations[2].state, object.migrations[3].state })
  end)

  it("says which seed failed and which were sown", function()
    files.write_new(folder .. "/shop/migrations/seeds/other.lua", "return function(rille)\n  error 'dry'\nend")
    local status, out = shell "rille migrate --seed --json"
    local object = json.decode(out)
    assert.same({ 1, "notes", 1, "0001_create_notes" },
      { status, object.seeded[1], #object.seeded, object.applied[1].name })
    assert.equal("migrations/seeds/other.lua:2: seed failed: dry", object.error.message)
    shell "echo 'return = 1' >migrations/seeds/other.lua"
    local _, _, err = shell "rille migrate --seed"
    assert.truthy(err:find("error: migrations/seeds/other.lua:1: loading failed: unexpected symbol", 1, true), err)
  end)

  it("seeds what factories make up, all of it or one seed", function()
    shell "rille migrate && rille make:factory Note"
    files.write_new(folder .. "/shop/migrations/seeds/more.lua",
      "return function(rille) assert(rille.factory('Note'):count(3):create()) end")
    local status, out, err = shell "rille db:seed"
    assert.same({ 0, "2 seeds sown\n", "  more  sown\n  notes  sown\n" }, { status, out, err })
    status, out = shell "rille db:seed --class more --json"
    assert.same({ 0, '{"ok":true,"seeded":["more"]}\n' }, { status, out })
    files.write_new(folder .. "/shop/count.lua", "print(Note:count())")
    assert.equal("6\n", (select(2, shell "rille run count.lua")))        -- notes.lua found some and did nothing
    status, out, err = shell "rille db:seed --class mroe"
    assert.same({ 1, "" }, { status, out })
    assert.truthy(err:find('did you mean "more"?', 1, true), err)
  end)

  it("keeps results on stdout and errors on stderr, in JSON too", function()
    local status, out, err = shell "rille migrate --path nowhere"
    assert.same({ 1, "" }, { status, out })
    assert.truthy(err:find("error: the folder of migrations cannot be read: nowhere", 1, true))
    status, out, err = shell "rille migrate --path nowhere --json"
    assert.same({ 1, "" }, { status, err })
    local object = json.decode(out)
    assert.same({ false, "migration" }, { object.ok, object.error.kind })
  end)

  it("reads the REPL's lines from a pipe, and tells in its status whether one failed", function()
    local status, out, err = shell("rille repl", "Note:create { title = 'x' }.title\nfor i = 1, 2 do\nprint(i)\nend\n")
    assert.same({ 1, '1\n2\n' }, { status, out })
    assert.truthy(err:find("no such table", 1, true) or err:find("there is no table", 1, true), err)
    shell "rille migrate --seed"
    status, out, err = shell("rille repl", "Note:find(1).title\nNote:open():count()\n")
    assert.same({ 0, '"Read the README"\n1\n', "" }, { status, out, err })
    assert.equal(1, (shell "rille repl -e 'Note:fnd(1)'"))
  end)

  it("says that a transaction which the REPL's lines left open was rolled back", function()
    shell "rille migrate --seed"
    local lines = "tx = rille.begin()\nNote:create { title = 'x' } and 1\nNote:count()\n"
    local status, out, err = shell("rille repl", lines)
    assert.same({ 1, "1\n3\n" }, { status, out })
    assert.truthy(err:find("a transaction was still open: it was rolled back\n  hint: tx:commit() keeps", 1, true), err)
    status, out = shell "rille repl -e 'tx = rille.begin()' -e 'Note:unfiltered():delete()'"
    assert.same({ 1, "2\n" }, { status, out })
    assert.same({ 0, "2\n", "" }, { shell "rille repl -e 'Note:count()'" })
    assert.same({ 0, "1\n", "" }, { shell "rille repl -e 'tx = rille.begin()' -e 'tx:commit(); return 1'" })
  end)

  it("prints records as a table, one as a card, a query as its SQL", function()
    shell "rille migrate --seed"
    local _, list = shell "rille repl -e 'Note:select(\"id\", \"title\", \"done\"):all()'"
    assert.equal([[
┌────┬───────────────────────────┬───────┐
│ id │ title                     │ done  │
├────┼───────────────────────────┼───────┤
│  1 │ Read the README           │ true  │
│  2 │ Declare a model of my own │ false │
└────┴───────────────────────────┴───────┘
2 rows
]], list)
    local _, card = shell "rille repl -e 'Note:select(\"id\", \"body\"):first()'"
    assert.equal([[
Note(1)
┌────────┬───────┬─────────┐
│ column │ value │ type    │
├────────┼───────┼─────────┤
│ id     │ 1     │ integer │
│ body   │ null  │ text    │
└────────┴───────┴─────────┘
]], card)
    local _, query = shell "rille repl -e 'Note:select(\"id\"):where(\"title\", \"x\")'"
    assert.equal('select "id" from "notes" where "title" = ?\nwith ["x"]\n:all() runs it\n', query)
  end)

  it("reloads models, describes tables and shows statements in the REPL", function()
    shell "rille migrate --seed"
    local _, out, err = shell("rille repl", [[
.tables
.schema Note
.sql on
Note:count()
.sql off
os.execute "sed -i 's/open = /unfinished = /' models/note.lua" and nil
.reload
Note:unfinished():count()
]])
    assert.truthy(out:find("notes\nrille_migrations\n", 1, true))
    assert.truthy(out:find("│ title      │ text     │ VARCHAR(200)  │", 1, true))
    assert.truthy(err:find 'select count%(%*%) from "notes"  %d+%.%d%d ms, 1 row\n')
    assert.truthy(err:find("read again: Note\n", 1, true))
    assert.truthy(out:find "\n1\n$")
  end)

  describe("at a terminal", function()
    local function at_terminal(typing)
      local command = quote(quote(program) .. " repl")
      local state = folder .. "/state"
      local _, out = shell(("{ %s; } | XDG_STATE_HOME=%s script -qec %s /dev/null"):format(typing, state, command))
      return out
    end

    it("completes, and keeps what was typed in a file that nobody else may read", function()
      shell "rille migrate --seed"
      local out = at_terminal [[printf 'Note:cou\t()\n secret = 1\n{\n7 }\n.quit\n']]
      assert.truthy(out:find("\r\n2\r\n", 1, true), out)
      assert.truthy(out:find("{ 7 }", 1, true), out)
      local history = folder .. "/state/rille/history"
      assert.equal("Note:count()\n{ 7 }\n.quit\n", read(history))
      assert.equal("600\n", (select(2, shell("stat -c %a " .. history))))
    end)

    it("marks the prompt while a transaction is open, and says at the end that it was rolled back", function()
      local out = at_terminal [[printf 'tx = rille.begin()\ntx:rollback()\ntx = rille.begin()\n.quit\n']]
      assert.truthy(out:find("rille*> tx:rollback()", 1, true), out)
      assert.truthy(out:find("rille> tx = rille.begin()", 1, true), out)
      assert.truthy(out:find("a transaction was still open: it was rolled back", 1, true), out)
    end)

    it("stops a loop or a statement at Ctrl-C, and goes on", function()
      local sql = "with recursive c(x) as (select 1 union all select x from c) select count(*) from c"
      local forever = ('rille.db():query "%s"'):format(sql)
      local out = at_terminal(([[
        printf 'while true do end\n'; sleep 0.7; printf '\003'; sleep 0.3
        printf '%%s\n' %s; sleep 0.7; printf '\003'; sleep 0.3
        printf '20 + 1\n.quit\n']]):format(quote(forever)))
      local _, stopped = out:gsub("interrupted", "")
      assert.equal(2, stopped, out)
      assert.truthy(out:find("\r\n21\r\n", 1, true), out)
    end)
  end)
end)
