--- promote_demo_spec: the demo's database taken to PostgreSQL answers what it answered before; RILLE_SPEC_URL names a
-- server.
local Database = require "spec.support.database"
local rille = require "rille"

local TENANT <const> = { id = 3, slug = "northgate-courier" }
local MODELS <const> = { Organization = "organization", User = "user", Post = "post", Comment = "comment", Tag = "tag",
  PostTag = "post_tag" }

-- What of the steps leaves the order to the database, and is said here, so that there is one answer.
local ORDERS <const> = { ['order_by_desc%("comments_count"%)'] = '%0:order_by("id")',
  ['order_by_desc%("votes"%):limit%(3%)'] = 'order_by_desc("votes"):order_by("id"):limit(3)',
  ['where_has%("tags"%)'] = '%0:order_by("id")' }

--- The Lua of each step that the demo shows.
local function steps()
  local file <close> = assert(io.open "host/demo.lua")
  local list = {}
  for code in file:read "a":gmatch "%{ \"[^\n]-\",\n%s+%[%[(.-)%]%] %}" do
    for what, ordered in pairs(ORDERS) do code = code:gsub(what, ordered) end
    list[#list + 1] = code
  end
  return list
end

--- A value as the demo shows it.
local function shown(value)
  if rille.is_error(value) then return value.kind .. ": " .. tostring(value) end
  return require "rille.repl.printer".format(value, { width = math.huge, paint = function(_, text) return text end })
end

describe("the demo, promoted,", function()
  local folder, there
  local models = {}

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(require "rille.core".make_directory(folder))
    require "rille.model".forget_all()
    for name, file in pairs(MODELS) do models[name] = require("models." .. file) end
    there = Database.settings()
    rille.configure { connections = { main = there } }
    Database.empty(rille.db())
    rille.configure { connections = { main = { database = folder .. "/demo.db" } } }
    rille.migrate()
    dofile "migrations/seeds/publication.lua"(rille)
  end)
  teardown(function()
    rille.close()
    os.execute("rm -rf '" .. folder .. "'")
  end)

  --- What each step answers on the database that is connected; nothing of it stays.
  local function answers()
    local list = {}
    for i, code in ipairs(steps()) do
      local chunk = assert(load("return " .. code, "=demo", "t", setmetatable({ rille = rille }, {
        __index = function(_, name) return models[name] or _G[name] end,
      })))
      rille.tenant.run(TENANT, function()
        local tx <close> = rille.begin()
        local result, err = rille.try(chunk)
        list[i] = code .. "\n" .. shown(err == nil and result or err)
        tx:rollback()
      end)
    end
    return list
  end

  it("answers the same, whatever it is asked", function()
    local before = answers()
    assert.is_true(#before >= 20)
    local done = rille.promote { to = there }
    assert.same({ "done", 19685, 0 }, { done.state, done.rows, #done.left })
    rille.configure { connections = { main = there } }
    local counted = {}
    for i, name in ipairs { "organizations", "users", "tags", "posts", "post_tags", "comments" } do
      local sql = ('select count(*) as n from "%s"'):format(name)
      counted[i] = rille.db():query(sql, { all_tenants = true })[1].n
    end
    assert.same({ 20, 500, 160, 3000, 5999, 10000 }, counted)
    for i, answer in ipairs(answers()) do assert.equal(before[i], answer) end
  end)
end)
