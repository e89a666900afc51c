--- postgres/per_spec: a limit for each of several records, along an index and without one.
local world = require "spec.support.world"
local rille = world.rille

local function posts(name)
  return ("create table %s (id integer primary key autoincrement, user_id INTEGER, uid UUID TEXT, of TEXT, "
    .. "views INTEGER, title TEXT)"):format(name)
end

local db, User

before_each(function()
  db = world.fresh("create table users (id integer primary key autoincrement, uid UUID TEXT, name TEXT)",
    posts "indexed", posts "plain")
  for _, key in ipairs { "user_id", "uid", "of" } do db:execute(("create index on indexed (%s, views)"):format(key)) end
  rille.model "Indexed" { table = "indexed" }
  rille.model "Plain" { table = "plain" }
  User = rille.model "User" { relations = {} }
  for _, model in ipairs { "Indexed", "Plain" } do
    User:has_many(model:lower() .. "_by_id", model, { foreign_key = "user_id" })
    User:has_many(model:lower() .. "_by_uid", model, { foreign_key = "uid", local_key = "uid" })
    User:has_many(model:lower() .. "_by_name", model, { foreign_key = "of", local_key = "name" })
    User:has_one(model:lower() .. "_first", model, { foreign_key = "user_id", order_by = { "views", "desc" } })
  end
end)

local function uid(n) return ("00000000-0000-4000-8000-%012x"):format(n) end

local function fill()
  local users, rows = {}, {}
  for i = 1, 30 do users[i] = { name = "user " .. i, uid = uid(i) } end
  db:insert("users", users)
  for i = 1, 400 do
    local of = math.random(0, 35)
    rows[i] = { user_id = of > 0 and of or nil, uid = uid(of), of = of % 5 ~= 0 and "user " .. of or rille.null,
      views = math.random(4) > 1 and math.random(20) or rille.null, title = "title " .. math.random(3) }
  end
  db:insert("indexed", rows)
  db:insert("plain", rows)
end

--- The ids of the rows of each user, of one relation and the other, and the SQL that read the first.
local function both(relation, fn, users)
  local list = {}
  local heard = world.heard(function()
    for _, kind in ipairs { "indexed_", "plain_" } do
      local found = {}
      for _, user in ipairs((users or User:query():order_by "id"):with { [kind .. relation] = fn }:all()) do
        local rows = user[kind .. relation]
        local ids = {}
        for i, row in ipairs(rows and rows.id and { rows } or rows or {}) do ids[i] = row.id end
        found[user.name] = table.concat(ids, " ")
      end
      list[#list + 1] = found
    end
  end)
  return list[1], list[2], heard[2].sql, heard[4].sql
end

describe("a limit for each record", function()
  it("gives along an index what it gives without", function()
    fill()
    local shapes = {
      function(q) return q:order_by_desc("views"):limit(3) end,
      function(q) return q:order_by("views"):limit(2):offset(1) end,
      function(q) return q:where("title", "title 1"):order_by("views"):limit(1) end,
      function(q) return q:where("title", "title 1"):or_where("views", ">", 10):order_by_desc("views"):limit(4) end,
      function(q) return q:order_by("views"):order_by("title"):offset(2) end,
      function(q) return q:select("id", "title"):order_by("views"):limit(2) end,
      function(q) return q:where_in("user_id", { 1, 2, 3, 4, 5 }):order_by("views"):limit(2) end,
    }
    for _, relation in ipairs { "by_id", "by_uid", "by_name" } do
      for i, shape in ipairs(shapes) do
        local along, without, sql, other = both(relation, shape)
        assert.same(without, along, relation .. i)
        assert.truthy(sql:find("cross join lateral", 1, true), sql)
        assert.is_nil(other:find("lateral", 1, true))
      end
    end
    local along, without, sql = both("first")
    assert.same(without, along)
    assert.truthy(sql:find("cross join lateral", 1, true), sql)
  end)

  it("reads so for few records as well as for many", function()
    fill()
    local shape = function(q) return q:order_by("views"):limit(2) end
    for _, ids in ipairs { { 7 }, { 1, 2, 3 } } do
      local along, without = both("by_id", shape, User:where_in("id", ids):order_by "id")
      assert.same(without, along)
    end
    local alone, rows = User:find(3), {}
    for i, row in ipairs(alone:relation("indexed_by_id"):order_by("views"):order_by("id"):limit(2):all()) do
      rows[i] = row.id
    end
    assert.equal(both("by_id", shape)["user 3"], table.concat(rows, " "))
  end)

  it("goes along no index that has another order, or none of the rows", function()
    local _, _, sql = both("by_id", function(q) return q:order_by("title"):limit(2) end, (fill()))
    assert.is_nil(sql:find("lateral", 1, true))
    db:execute "drop index indexed_user_id_views_idx"
    db:execute "create index on indexed (user_id, views) where views > 3"
    db:forget()
    _, _, sql = both("by_id", function(q) return q:order_by("views"):limit(2) end)
    assert.is_nil(sql:find("lateral", 1, true))
  end)
end)
