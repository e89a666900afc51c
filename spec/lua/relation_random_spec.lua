--- relation_random_spec: over random rows every kind of relation gives what plain loops over the same rows give.
local world = require "spec.support.world"
local kin = require "spec.support.kin"
local rille = world.rille

local ROUNDS <const>, NUMBERS <const>, SHOPS <const> = 12, 4, { "a", "b" }

local function pick(list) return list[math.random(#list)] end
local function maybe(value) if math.random(4) > 1 then return value end end
local function some(max) return maybe(math.random(max)) end

-- -- rows -----------------------------------------------------------------------------------------------------------

local rows                       -- table -> its rows

--- Rows with a key, a number, and what `more` gives them.
local function fill(name, count, more)
  local list = {}
  for i = 1, count do
    local row = more and more() or {}
    row.id, row.n = i, math.random(NUMBERS)
    list[i] = row
  end
  rows[name] = list
end

local function fill_between(name, count, more)
  local list, seen = {}, {}
  for _ = 1, count do
    local row, said = more(), {}
    for _, column in ipairs(require "rille.keys"(row)) do said[#said + 1] = tostring(row[column]) end
    local key = table.concat(said, " ")
    if not seen[key] then list[#list + 1], seen[key] = row, true end
  end
  rows[name] = list
end

local DELETED <const> = "2026-11-20T12:00:00.000000Z"
local function deleted() if math.random(5) == 1 then return DELETED end end

local function invent()
  rows = {}
  fill("countries", 3)
  fill("users", 7, function() return { country_id = some(4), boss_id = some(8), deleted_at = deleted() } end)
  fill("profiles", 7, function() return { user_id = some(8) } end)
  fill("posts", 12, function() return { user_id = some(8), deleted_at = deleted() } end)
  fill("comments", 25, function() return { post_id = some(13), author_id = some(8) } end)
  fill("videos", 4)
  fill("tags", 5)
  fill("images", 14, function()
    local kind = pick { "users", "posts", "film" }
    return maybe(true) and { imageable_type = kind, imageable_id = math.random(8) } or {}
  end)
  fill("lines", 14, function() return { shop = maybe(pick(SHOPS)), number = some(4) } end)
  fill("parcels", 4)
  fill_between("post_tag", 20, function() return { post_id = math.random(13), tag_id = math.random(6) } end)
  fill_between("friendships", 12, function() return { user_id = math.random(8), friend_id = math.random(8) } end)
  fill_between("taggables", 20, function()
    return { tag_id = math.random(6), taggable_type = pick { "posts", "film" }, taggable_id = math.random(9) }
  end)
  fill_between("order_parcel", 10, function()
    return { shop = pick(SHOPS), number = math.random(4), parcel_id = math.random(5) }
  end)
  rows.orders = {}
  for _, shop in ipairs(SHOPS) do
    for number = 1, 3 do
      rows.orders[#rows.orders + 1] = { shop = shop, number = number, n = math.random(NUMBERS) }
    end
  end
end

local function store(db)
  for name, list in next, rows do
    if #list > 0 then db:table(name):insert(list) end
  end
end

-- -- what is related, by loops --------------------------------------------------------------------------------------

local function alive(row) return row.deleted_at == nil end

--- The rows of a table, none of them deleted, that have these values; a nil fits nothing.
local function matching(name, ...)
  local wanted, found = table.pack(...), {}
  for _, row in ipairs(rows[name]) do
    local fits = alive(row)
    for i = 1, wanted.n, 2 do
      fits = fits and wanted[i + 1] ~= nil and row[wanted[i]] == wanted[i + 1]
    end
    if fits then found[#found + 1] = row end
  end
  return found
end

--- What `fn` gives for each row, in one list.
local function flat(list, fn)
  local out = {}
  for _, row in ipairs(list) do
    for _, each in ipairs(fn(row)) do out[#out + 1] = each end
  end
  return out
end

local function many(name, column)
  return function(row) return matching(name, column, row.id) end
end
local function to(name, column)
  return function(row) return matching(name, "id", row[column]) end
end
local function across(between, near, far, name, kind)
  return function(row)
    return flat(matching(between, near, row.id, table.unpack(kind or {})), function(middle)
      return matching(name, "id", middle[far])
    end)
  end
end
local function through(between, first, name, second)
  return function(row)
    return flat(matching(between, first, row.id), function(middle) return matching(name, second, middle.id) end)
  end
end
local function morphs(name) return { "taggable_type", name } end

-- Model, relation, the related table, what it gives; one: how one of several is chosen.
local RELATIONS <const> = {
  { "Country", "users", "users", many("users", "country_id") },
  { "Country", "posts", "posts", through("users", "country_id", "posts", "user_id") },
  { "Country", "profile", "profiles", through("users", "country_id", "profiles", "user_id"), one = "desc" },
  { "User", "country", "countries", to("countries", "country_id"), one = true },
  { "User", "boss", "users", to("users", "boss_id"), one = true },
  { "User", "reports", "users", many("users", "boss_id") },
  { "User", "best", "posts", many("posts", "user_id"), one = "desc" },
  { "User", "posts", "posts", many("posts", "user_id") },
  { "User", "comments", "comments", through("posts", "user_id", "comments", "post_id") },
  { "User", "friends", "users", across("friendships", "user_id", "friend_id", "users") },
  { "Post", "user", "users", to("users", "user_id"), one = true },
  { "Post", "comments", "comments", many("comments", "post_id") },
  { "Post", "loud", "comments", function(row) return matching("comments", "post_id", row.id, "n", 3) end },
  { "Post", "tags", "tags", across("post_tag", "post_id", "tag_id", "tags") },
  { "Post", "plain_tags", "tags", across("post_tag", "post_id", "tag_id", "tags") },
  { "Post", "images", "images",
    function(row) return matching("images", "imageable_id", row.id, "imageable_type", "posts") end },
  { "Post", "subjects", "tags", across("taggables", "taggable_id", "tag_id", "tags", morphs "posts") },
  { "Comment", "author", "users", to("users", "author_id"), one = true },
  { "Video", "image", "images",
    function(row) return matching("images", "imageable_id", row.id, "imageable_type", "film") end, one = "asc" },
  { "Video", "subjects", "tags", across("taggables", "taggable_id", "tag_id", "tags", morphs "film") },
  { "Tag", "posts", "posts", across("post_tag", "tag_id", "post_id", "posts") },
  { "Tag", "tagged_posts", "posts", across("taggables", "tag_id", "taggable_id", "posts", morphs "posts") },
  { "Tag", "tagged_videos", "videos", across("taggables", "tag_id", "taggable_id", "videos", morphs "film") },
  { "Order", "lines", "lines", function(row) return matching("lines", "shop", row.shop, "number", row.number) end },
  { "Order", "parcels", "parcels", function(row)
    return flat(matching("order_parcel", "shop", row.shop, "number", row.number), function(middle)
      return matching("parcels", "id", middle.parcel_id)
    end)
  end },
  { "Line", "order", "orders",
    function(row) return matching("orders", "shop", row.shop, "number", row.number) end, one = true },
  { "Parcel", "orders", "orders", function(row)
    return flat(matching("order_parcel", "parcel_id", row.id), function(middle)
      return matching("orders", "shop", middle.shop, "number", middle.number)
    end)
  end },
}

-- -- comparing ------------------------------------------------------------------------------------------------------

--- A record or a row as a text.
local function said(row, table_name)
  if table_name == "orders" then return ("%s%d"):format(row.shop, row.number) end
  return tostring(row.id)
end

local function as_texts(list, table_name, in_order)
  local texts = {}
  for i, row in ipairs(list) do texts[i] = said(row, table_name) end
  if not in_order then table.sort(texts) end
  return table.concat(texts, " ")
end

--- By n in one direction, ties by the key.
local function sorted(list, direction, table_name)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy, function(a, b)
    if a.n ~= b.n then return (a.n < b.n) == (direction ~= "desc") end
    if table_name == "orders" then return said(a, table_name) < said(b, table_name) end
    return a.id < b.id
  end)
  return copy
end

local function kept(list, fits)
  local out = {}
  for _, row in ipairs(list) do
    if fits(row) then out[#out + 1] = row end
  end
  return out
end

--- What reading the relation gives, as a list.
local function listed(value)
  if value == nil then return {} end
  return rille.type(value) and { value } or value
end

local COMPARE <const> = {
  ["="] = function(x, y) return x == y end, ["!="] = function(x, y) return x ~= y end,
  ["<"] = function(x, y) return x < y end, ["<="] = function(x, y) return x <= y end,
  [">"] = function(x, y) return x > y end, [">="] = function(x, y) return x >= y end,
}
local OPERATORS <const> = { "=", "!=", "<", "<=", ">", ">=" }

--- A condition on n as the builder says it and as Lua does.
local function condition()
  local a, b = math.random(NUMBERS), math.random(NUMBERS)
  return pick {
    { apply = function(q) return q end, holds = function() return true end },
    { apply = function(q) return q:where("n", a) end, holds = function(row) return row.n == a end },
    { apply = function(q) return q:where("n", a):or_where("n", ">", b) end,
      holds = function(row) return row.n == a or row.n > b end },
    { apply = function(q) return q:or_where("n", ">=", a):where_not("n", b) end,
      holds = function(row) return row.n >= a and row.n ~= b end },
  }
end

describe("a relation over random rows", function()
  local models, parents, table_of

  local function key_of(row, name) return said(row, table_of[name]) end

  --- Parents by their keys, from a query, with what the loops say of each.
  local function each_parent(relation, list, fn)
    local name, by_key = relation[1], {}
    for _, row in ipairs(parents[name]) do by_key[key_of(row, name)] = row end
    for _, record in ipairs(list) do
      local row = by_key[key_of(record, name)]
      fn(record, row, ("%s %s of %s"):format(name, key_of(record, name), relation[2]))
    end
    assert.equal(#parents[name], #list)
  end

  local function expect(relation, list, value, table_name, where, in_order)
    local given = listed(value)
    if relation.one then
      if type(relation.one) == "string" then list = sorted(list, relation.one, table_name) end
      list = { list[1] }
    end
    assert.equal(as_texts(list, table_name, in_order), as_texts(given, table_name, in_order), where)
  end

  local CHECKS <const> = {
    with = function(class, name, relation)
      local list
      local count = #world.statements(function() list = class:with(name):all() end)
      assert.is_true(count <= 2, "too many statements")
      each_parent(relation, list, function(record, row, where)
        expect(relation, relation[4](row), record[name], relation[3], where)
      end)
    end,
    lazy = function(class, name, relation)
      local list = class:all()
      assert.is_true(#world.statements(function()
        each_parent(relation, list, function(record, row, where)
          expect(relation, relation[4](row), record[name], relation[3], where)
        end)
      end) <= 1)
    end,
    query = function(class, name, relation)
      each_parent(relation, class:all(), function(record, row, where)
        local made = condition()
        local found = made.apply(record:relation(name)):all()
        assert.equal(as_texts(kept(relation[4](row), made.holds), relation[3]), as_texts(found, relation[3]), where)
        if relation.one then found = { record:relation(name):first() } end
        expect(relation, relation[4](row), relation.one and found[1] or record:relation(name):all(), relation[3], where)
      end)
    end,
    constrained = function(class, name, relation)
      if relation.one then return end
      local made = condition()
      each_parent(relation, class:with { [name] = made.apply }:all(), function(record, row, where)
        expect(relation, kept(relation[4](row), made.holds), record[name], relation[3], where)
      end)
    end,
    limited = function(class, name, relation)
      if relation.one then return end
      local made, limit, offset, direction = condition(), math.random(0, 3), math.random(0, 2), pick { "asc", "desc" }
      local list = class:with { [name] = function(q)
        return made.apply(q):order_by("n", direction):limit(limit):offset(offset)
      end }:all()
      each_parent(relation, list, function(record, row, where)
        local all = sorted(kept(relation[4](row), made.holds), direction, relation[3])
        local wanted = table.move(all, offset + 1, math.min(#all, offset + limit), 1, {})
        expect(relation, wanted, record[name], relation[3], where, true)
      end)
    end,
    where_has = function(class, name, relation)
      local made, operator, number = condition(), pick(OPERATORS), math.random(0, 3)
      local compared = math.random(2) == 1
      local list
      if compared then
        list = class:where_has(name, made.apply, operator, number):all()
      else
        list = class:where_has(name, made.apply):all()
      end
      local wanted = kept(parents[relation[1]], function(row)
        local count = #kept(relation[4](row), made.holds)
        if compared then return COMPARE[operator](count, number) end
        return count > 0
      end)
      local table_name = table_of[relation[1]]
      assert.equal(as_texts(wanted, table_name), as_texts(list, table_name), ("%s %s"):format(operator, number))
      if not compared then
        assert.equal(#parents[relation[1]] - #wanted, class:where_doesnt_have(name, made.apply):count())
      end
    end,
    counts = function(class, name, relation)
      local made = condition()
      local constrained = { [name .. " as found"] = made.apply }
      local list = class:with_count(name, constrained):with_exists(name):with_sum(name, "n"):with_avg(name, "n")
        :with_min(name, "n"):with_max(name, "n"):all()
      each_parent(relation, list, function(record, row, where)
        local all, sum, least, most = relation[4](row), 0, nil, nil
        for _, each in ipairs(all) do
          sum = sum + each.n
          least, most = math.min(least or each.n, each.n), math.max(most or each.n, each.n)
        end
        assert.equal(#all, record[name .. "_count"], where)
        assert.equal(#all > 0, record[name .. "_exists"], where)
        assert.equal(#kept(all, made.holds), record.found, where)
        assert.equal(sum, record[name .. "_sum_n"], where)
        assert.equal(least, record[name .. "_min_n"], where)
        assert.equal(most, record[name .. "_max_n"], where)
        assert.equal(#all > 0 and sum / #all or nil, record[name .. "_avg_n"], where)
      end)
    end,
  }

  it("gives what loops give", function()
    local seed = world.seed()
    for round = 1, ROUNDS do
      local db
      models, db = kin.fresh()
      invent()
      store(db)
      parents, table_of = {}, {}
      for name, class in next, models do
        table_of[name] = class._def.table
        parents[name] = kept(rows[table_of[name]], alive)
      end
      for _, relation in ipairs(RELATIONS) do
        for word, check in next, CHECKS do
          local ok, e = xpcall(check, function(e)
            return type(e) == "table" and e or { message = debug.traceback(e) }
          end, models[relation[1]], relation[2], relation)
          if not ok then
            error(("seed %d, round %d: %s of %s.%s: %s"):format(seed, round, word, relation[1], relation[2],
              tostring(e.message)), 0)
          end
        end
      end
    end
  end)
end)
