--- tenant_lint_spec: what lets tenants meet in a schema, and the bypasses in scripts; the command that reports both.
local world = require "spec.support.world"
local Bypass = require "rille.tenant.bypass"
local Lint = require "rille.tenant.lint"
local core = require "rille.core"
local json = require "dkjson"
local rille = world.rille

describe("what lets tenants meet", function()
  local schema

  before_each(function()
    world.fresh()
    schema = rille.schema()
    schema:create("orgs", function(t) t:id() end)
    schema:create("posts", function(t)
      t:id()
      t:references("org", "orgs"):tenant()
      t:string("slug"):unique()
      t:string("code"):unique { global = true }
    end)
    schema:create("comments", function(t)
      t:id()
      t:references("org", "orgs"):tenant()
      t:references("post", "posts")
      t:references("any", "posts"):global()
    end)
    rille.model "Post" { tenant_column = "org_id" }
    rille.model "Comment" { tenant_column = "org_id" }
    rille.model "Org" {}
  end)
  after_each(function() rille.close() end)

  --- "kind table column-or-index" of each finding.
  local function found()
    local list = {}
    for i, each in ipairs(Lint.run()) do
      list[i] = ("%s %s %s"):format(each.kind, each.table, each.index or each.trigger or each.column)
      assert.is_string(each.message)
      assert.is_string(each.hint)
    end
    table.sort(list)
    return list
  end

  it("is nothing where the words of schemas say whose the rows are", function() assert.same({}, found()) end)

  it("is an index or a key without the tenant", function()
    schema:table("posts", function(t) t:unique { "slug", global = true, name = "slugs" } end)
    schema:table("comments", function(t) t:foreign { "post_id" }:references "posts" end)
    rille.db():execute [[create table codes (code TEXT primary key, org_id INTEGER not null references orgs (id),
      post_id INTEGER references posts (id), unique (org_id, code))]]
    rille.model "Code" { tenant_column = "org_id" }
    local key = world.engine == "postgres" and "codes_pkey" or "sqlite_autoindex_codes_1"
    assert.same({ "references codes post_id", "references comments post_id", "unique codes " .. key,
      "unique posts slugs" }, found())
  end)

  it("is a column that may be NULL or that no index begins with", function()
    rille.db():execute "create table notes (id integer primary key, org_id INTEGER)"
    rille.model "Note" { tenant_column = "org_id" }
    assert.same({ "no_index notes org_id", "nullable notes org_id" }, found())
  end)

  it("is a column by which different ids are equal", function()
    local typed = world.engine == "postgres" and "character(9)" or "text collate nocase"
    rille.db():execute(("create table notes (org_id %s not null, n integer, primary key (org_id, n))"):format(typed))
    rille.model "Note" { tenant_column = "org_id" }
    assert.same({ "alike notes org_id" }, found())
    assert.matches("two tenants would be one", Lint.run()[1].message)
  end)

  --- A trigger behind each insert into a table.
  local function make_trigger(name, on, body)
    if world.engine == "sqlite" then
      rille.db():execute(("create trigger %s after insert on %s begin %s; end"):format(name, on, body))
    else
      rille.db():execute(("create function %s() returns trigger language plpgsql as $$ begin %s; return new; end $$")
        :format(name, body))
      rille.db():execute(("create trigger %s after insert on %s for each row execute function %s()"):format(name, on,
        name))
    end
  end

  it("is a trigger that touches rows of tenants and does not say whose", function()
    rille.db():execute "create table counts (n integer)"
    make_trigger("counts_all", "posts", "update counts set n = n + 1")
    make_trigger("says_whose", "posts", 'insert into comments (id, org_id, post_id) values (1, new."org_id", new.id)')
    make_trigger("says_by_key", "orgs", "insert into comments (id, org_id) values (1, new.id)")
    make_trigger("meets_all", "posts", [[update comments set post_id = new.id]])
    make_trigger("meets_any", "orgs", "delete from posts where org_id > 7")
    make_trigger("is_no_word", "orgs", "update counts set n = (select 1 as posts_too)")
    assert.same({ "trigger orgs meets_any", "trigger posts meets_all" }, found())
  end)

  it("is a model and a table that say different things", function()
    rille.db():execute "create table notes (id integer primary key, org_id INTEGER not null)"
    rille.db():execute "create table tags (id integer primary key)"
    rille.db():execute "create table stones (id integer primary key, org_id INTEGER not null)"
    rille.model "Note" {}
    rille.model "Tag" { tenant_column = "org_id" }
    assert.same({ "no_column tags org_id", "no_model notes org_id", "no_model stones org_id" }, found())
  end)
end)

describe("a bypass in a script", function()
  local function lines(text)
    local list = {}
    for i, each in ipairs(Bypass.scan(text)) do list[i] = each.line .. " " .. each.word end
    return list
  end

  it("is found where Lua would read it", function()
    assert.same({ "1 without_tenant_scope", "3 all_tenants", "4 without_tenant_scope", "6 all_tenants" }, lines(
      'Post:without_tenant_scope(fn)\nlocal x = [==[\n]==] db:query("x", { all_tenants = true })\n'
      .. 'Post["without_tenant_scope"](Post)\n\nlocal a = #t-all_tenants'))
    assert.same({ "1 outside", "2 outside", "3 outside" }, lines(
      'rille.tenant.outside(fn)\nlocal out = (T) . outside\nt[ "outside" ](fn)'))
  end)

  it("is none in a comment, in a text or as a part of a name", function()
    for _, text in ipairs {
      "-- Post:without_tenant_scope", "--[[\nall_tenants\n]]", "--[==[ ]] all_tenants ]==]", '"no all_tenants"',
      "'it\\'s all_tenants'", "[[ all_tenants ]]", "[=[ ]] all_tenants ]=]", "not_all_tenants = all_tenants_too",
      '"a\\\nall_tenants b"',
      "outside", "local outside = x", "a..outside", '"outside"', "f { outside = 1 }", "t.outsider", "a:outside()",
      '"\\\\" .. "\\" all_tenants"', "", "--", "'", "[[", "x.all_tenants2", "a[b] = c--all_tenants",
    } do
      assert.same({}, lines(text), text)
    end
  end)
end)

describe("rille db:lint", function()
  it("reports both, and fails where something is found", function()
    local folder = os.tmpname()
    os.remove(folder)
    for _, name in ipairs { "", "/models", "/migrations", "/scripts" } do
      assert(core.make_directory(folder .. name))
    end
    local function write(name, text)
      local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(text)
    end
    local function run(command)
      local pipe = assert(io.popen(("cd '%s' && %s %s 2>/dev/null </dev/null"):format(folder, os.getenv "RILLE",
        command)))
      local text = pipe:read "a"
      return select(3, pipe:close()), text
    end
    write("rille.config.lua", 'return { connections = { main = { database = "main.db" } } }')
    write("models/post.lua", 'return rille.model "Post" { tenant_column = "org_id",\n'
      .. '  methods = { all = function() return Post:without_tenant_scope(print) end } }')
    write("scripts/report.lua", 'rille.db():query("select 1", { all_tenants = true })')
    write("migrations/0001_posts.lua", [[return { up = function(s) s:create("posts", function(t)
      t:id() t:integer("org_id"):tenant() t:string("slug"):unique() end) end, down = function(s) s:drop "posts" end }]])
    assert.equal(0, (run "migrate"))
    local status, out = run "db:lint --json"
    local result = json.decode(out)
    assert.same({ 0, true, {}, "models/post.lua", 2 }, { status, result.ok, result.findings, result.bypasses[1].file,
      result.bypasses[1].line })
    assert.same({ "models", "migrations" }, result.paths)
    write("migrations/0002_code.lua", [[return { up = function(s) s:table("posts", function(t)
      t:unique { "slug", global = true, name = "slugs" } end) end,
      down = function(s) s:table("posts", function(t) t:drop_unique { name = "slugs" } end) end }]])
    assert.equal(0, (run "migrate"))
    status, out = run "db:lint scripts models/post.lua"
    assert.equal(1, status)
    assert.matches("posts: unique %(slug%) is so for all tenants together", out)
    assert.matches("scripts/report.lua:1: all_tenants", out)
    assert.matches("1 finding; 2 bypasses in scripts, models/post.lua\n", out, 1, true)
    assert.matches("1 finding; 1 bypass in models, migrations\n", select(2, run "db:lint"), 1, true)
    assert.is_false(json.decode(select(2, run "db:lint --json")).ok)
    assert.equal(1, (run "db:lint nowhere"))
    os.execute("rm -rf '" .. folder .. "'")
  end)
end)
