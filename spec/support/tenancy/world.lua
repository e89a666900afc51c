--- tenancy.world: random models, some of whose rows belong to tenants, and rows of three tenants.
-- Every text of the two others holds MARK, and every number is greater than all of ours, so that one look at a result
-- tells whether something of them came through.  Rows refer across tenants as they like where no foreign key is.
local Draw = require "spec.support.tenancy.draw"
local Engine = require "spec.support.tenancy.engine"
local View = require "spec.support.tenancy.view"

local M = {}

M.MARK = "SECRET"
M.NUMBER = 7000000                -- numbers of the other tenants are above it
M.TENANT = "org_id"

local NAMES <const> = { "Ant", "Bee", "Cat", "Dog", "Elk", "Fox" }
local TABLES <const> = { Ant = "ants", Bee = "bees", Cat = "cats", Dog = "dogs", Elk = "elks", Fox = "foxes" }
-- The tenant whose eyes we have, the two others, and the column's type.
local TENANTS <const> = {
  { 1, 2, 3, type = "INTEGER" }, { 2, 1, 22, type = "INTEGER" }, { -3, 3, -2, type = "INTEGER" },
  { "a", "b", "c", type = "VARCHAR(20)" }, { "ab", "a", "abc", type = "VARCHAR(20)" },
  { "01", "1", "001", type = "VARCHAR(20)" }, { "b", "B", "b ", type = "TEXT" },
}
local OWNERS <const> = { "a", "b", "c" }      -- which of them a row is of
local ON_DELETE <const> = { "", " on delete cascade", " on delete restrict", " deferrable initially deferred" }
local SHOPS <const> = { "x", "y" }
M.NOW = "2026-11-20T12:00:00.000000Z"

---@class tenancy.Entity
---@field name string             of the model
---@field table string
---@field tenant boolean          its rows belong to tenants
---@field key { [1]: string, [2]: string }[]   name and type of each column
---@field columns { [1]: string, [2]: string }[]
---@field relations table<string, table>       kind and arguments
---@field loose boolean          its unique index leaves the tenant out
---@field rows table[]            { owner = "a"|"b"|"c"|nil, values = … }
---@field referred? boolean       a foreign key wants its tenant and id to be unique together

local function add(entity, name, kind)
  entity.columns[#entity.columns + 1] = { name, kind }
  return name
end

--- Columns of one table that refer to the rows of another one; perhaps a foreign key that no row crosses tenants by.
local function refer(draw, holder, name, target)
  local columns, bound = {}, nil
  if target.kind == "id" and target.tenant == holder.tenant and draw:chance(30) then
    bound, target.referred = draw:pick(ON_DELETE), true
  end
  for i, part in ipairs(target.key) do
    columns[i] = add(holder, ("%s_%s"):format(name, part[1]), part[2])
    holder.refers[#holder.refers + 1] = { column = columns[i], to = target, part = part[1], group = name,
      bound = bound }
  end
  return columns
end

local function key_of(draw, tenant, kind)
  if kind == "id" then return { { "id", "INTEGER" } } end
  if kind == "code" then return { { "code", "VARCHAR(20)" } } end
  if kind == "own" then return { { M.TENANT, tenant.type }, { "number", "INTEGER" } } end
  return draw:chance(50) and { { "shop", "VARCHAR(20)" }, { "number", "INTEGER" } }
    or { { "number", "INTEGER" }, { "shop", "VARCHAR(20)" } }
end

local function new_entity(draw, world, name, table_name, kind, owned)
  local entity = { name = name, table = table_name, tenant = owned, kind = kind, key = key_of(draw, world.tenant, kind),
    columns = {}, relations = {}, refers = {}, rows = {}, soft = draw:chance(40), scoped = draw:chance(30),
    stamped = draw:chance(30), json = draw:chance(50), loose = owned and draw:chance(25) }
  for _, part in ipairs(entity.key) do add(entity, part[1], part[2]) end
  if owned and kind ~= "own" then add(entity, M.TENANT, world.tenant.type) end
  add(entity, "n", "INTEGER")
  add(entity, "title", "TEXT")
  add(entity, "slug", "VARCHAR(40)")
  add(entity, "day", "DATE TEXT")
  add(entity, "meta", "JSON TEXT")
  if entity.soft then add(entity, "deleted_at", "DATETIME TEXT") end
  if entity.scoped then add(entity, "live", "BOOLEAN not null default 1") end
  if entity.stamped then
    add(entity, "created_at", "DATETIME TEXT")
    add(entity, "updated_at", "DATETIME TEXT")
  end
  return entity
end

-- -- relations ------------------------------------------------------------------------------------------------------

--- A table between two others, perhaps with a model, perhaps with rows that belong to tenants.
local function new_pivot(draw, world, name)
  local owned = draw:chance(40)
  local pivot = { name = owned and "Link" .. name or nil, table = name .. "_links", tenant = owned, key = {},
    columns = {}, relations = {}, refers = {}, rows = {}, pivot = true, kind = "pivot" }
  add(pivot, "n", "INTEGER")
  if owned then
    add(pivot, M.TENANT, world.tenant.type)
    add(pivot, "title", "TEXT")
  end
  world.pivots[#world.pivots + 1] = pivot
  return pivot
end

local function pivot_options(draw, pivot)
  return { pivot = pivot.table, with_pivot = draw:chance(60) and { "n" } or nil }
end

--- What a relation says beside its keys.
local function more(draw, options)
  if draw:chance(25) then options.order_by = { "n", draw:chance(50) and "desc" or "asc" } end
  if draw:chance(15) then options.where = function(q) return q:where("n", ">", 1):or_where("n", ">", 6999999) end end
  return options
end

local function with_id(draw, world)
  local list = {}
  for _, entity in ipairs(world.entities) do
    if entity.kind == "id" then list[#list + 1] = entity end
  end
  return draw:pick(list)
end

local MAKE = {}

function MAKE.belongs_to(draw, _, name, a, b)
  a.relations[name] = { "belongs_to", b.name, { foreign_key = refer(draw, a, name, b) }, to = b }
end

local function has(kind)
  return function(draw, _, name, a, b)
    a.relations[name] = { kind, b.name, more(draw, { foreign_key = refer(draw, b, name, a) }), to = b }
  end
end
MAKE.has_one, MAKE.has_many = has "has_one", has "has_many"

function MAKE.belongs_to_many(draw, world, name, a, b)
  local pivot = new_pivot(draw, world, name)
  local near, far = refer(draw, pivot, "near", a), refer(draw, pivot, "far", b)
  local options = more(draw, pivot_options(draw, pivot))
  options.foreign_key, options.related_key = near, far
  a.relations[name] = { "belongs_to_many", b.name, options, to = b }
end

local function through(kind)
  return function(draw, world, name, a, b)
    local between = draw:pick(world.entities)
    a.relations[name] = { kind, b.name, between.name, more(draw, {
      first_key = refer(draw, between, name .. "x", a), second_key = refer(draw, b, name .. "y", between),
    }), to = b }
  end
end
MAKE.has_one_through, MAKE.has_many_through = through "has_one_through", through "has_many_through"

local function morph_columns(holder, name, target)
  add(holder, name .. "_type", "VARCHAR(20)")
  add(holder, name .. "_id", "INTEGER")
  holder.refers[#holder.refers + 1] = { column = name .. "_id", to = target, part = "id", group = name,
    kind = name .. "_type" }
end

local function morph(kind)
  return function(draw, world, name, _, b)
    local a = with_id(draw, world)
    morph_columns(b, name, a)
    a.relations[name .. "s"] = { kind, b.name, name, kind == "morph_one" and { order_by = "n" } or {}, to = b }
    b.relations[name] = { "morph_to", to = a }
  end
end
MAKE.morph_one, MAKE.morph_many = morph "morph_one", morph "morph_many"

function MAKE.morph_to_many(draw, world, name, _, b)
  local a, pivot = with_id(draw, world), new_pivot(draw, world, name)
  morph_columns(pivot, name, a)
  local other = refer(draw, pivot, "other", b)
  local there, back = pivot_options(draw, pivot), pivot_options(draw, pivot)
  there.related_key, back.foreign_key = other, other
  a.relations[name .. "s"] = { "morph_to_many", b.name, name, there, to = b }
  b.relations[name .. "b"] = { "morphed_by_many", a.name, name, back, to = a }
end

local KINDS <const> = { "belongs_to", "has_one", "has_many", "belongs_to_many", "has_one_through", "has_many_through",
  "morph_one", "morph_many", "morph_to_many" }

-- -- rows -----------------------------------------------------------------------------------------------------------

local function key_values(draw, entity, i, numbers, owner_id, mine)
  if entity.kind == "id" then return { id = i } end
  if entity.kind == "code" then return { code = "k" .. i } end
  if entity.kind == "own" then
    numbers[mine] = (numbers[mine] or 0) + 1
    return { [M.TENANT] = owner_id, number = numbers[mine] }
  end
  return { shop = draw:pick(SHOPS), number = i }
end

local function fill(draw, entity, row, i)
  local values, other = row.values, row.owner ~= nil and row.owner ~= "a"
  values.n = (other and M.NUMBER or 0) + draw(6)
  if entity.tenant or not entity.pivot then
    values.title = other and ("%s %d"):format(M.MARK, draw(9)) or draw:pick { "a", "ab", "B", "a%", "", "zz" }
  end
  for _, to in ipairs(entity.refers) do
    local chosen = to.to.rows[draw(#to.to.rows + 1)]                 -- one more than there are: a row that is not there
    if values[to.group] == nil then values[to.group] = chosen or false end
    chosen = values[to.group]
    if to.bound and chosen and chosen.owner ~= row.owner then chosen = false end
    values[to.column] = chosen and chosen.values[to.part] or nil
    if to.kind then values[to.kind] = draw:chance(85) and to.to.table or draw:pick(NAMES) end
  end
  for _, to in ipairs(entity.refers) do values[to.group] = nil end
  if entity.pivot then return end
  values.slug = ("%s%d"):format(other and (entity.loose and "taken" or M.MARK) or "s", i)
  values.day = draw:chance(70) and ("2026-0%d-1%d"):format(draw(3), draw(3)) or nil
  values.meta = draw:chance(70) and ('{"k":%d,"t":%q}'):format(values.n, values.title) or nil
  if entity.soft and draw:chance(20) then values.deleted_at = M.NOW end
  if entity.scoped then values.live = draw:chance(80) end
end

local function new_rows(draw, world, entity)
  local numbers = {}
  for i = 1, 3 + draw(8) do
    local which = draw:pick { 1, 1, 2, 3 }
    local owner = entity.tenant and OWNERS[which] or nil
    local owner_id = owner and world.tenant[which]
    local values = entity.pivot and {} or key_values(draw, entity, i, numbers, owner_id, owner)
    if entity.tenant then values[M.TENANT] = owner_id end
    entity.rows[i] = { owner = owner, values = values }
  end
end

--- Models and rows, by a number.
---@param seed integer
---@return table world
function M.invent(seed)
  local draw = Draw.new(seed)
  local world = { seed = seed, entities = {}, pivots = {}, by_name = {}, tenant = draw:pick(TENANTS) }
  for i = 1, 3 + draw(3) do
    local name, owned = NAMES[i], i == 1 or i ~= 2 and draw:chance(65)
    local kind = i <= 2 and "id" or draw:pick { "id", "id", "code", "pair", owned and "own" or "id" }
    world.entities[i] = new_entity(draw, world, name, TABLES[name], kind, owned)
    world.by_name[name] = world.entities[i]
  end
  for i = 1, #KINDS + draw(4) do
    local kind = KINDS[i] or draw:pick(KINDS)
    MAKE[kind](draw, world, "r" .. i, draw:pick(world.entities), draw:pick(world.entities))
  end
  world.all = table.move(world.pivots, 1, #world.pivots, #world.entities + 1, table.move(world.entities, 1,
    #world.entities, 1, {}))
  for _, entity in ipairs(world.all) do new_rows(draw, world, entity) end
  for _, entity in ipairs(world.all) do
    for i, row in ipairs(entity.rows) do fill(draw, entity, row, i) end
  end
  world.views = View.invent(draw, world)
  world.readable = table.move(world.views, 1, #world.views, #world.all + 1, table.move(world.all, 1, #world.all, 1, {}))
  return world
end

-- -- a database -----------------------------------------------------------------------------------------------------

local function foreign_keys(entity)
  local keys, tenant = {}, entity.tenant and M.TENANT .. ", " or ""
  for _, to in ipairs(entity.refers) do
    if to.bound then
      keys[#keys + 1] = ('foreign key (%s"%s") references "%s" (%sid)%s'):format(tenant, to.column, to.to.table,
        tenant, to.bound)
    end
  end
  return keys
end

local function constraints(entity, parts)
  local keys = {}
  for i, part in ipairs(entity.key) do keys[i] = '"' .. part[1] .. '"' end
  if entity.kind ~= "id" and not entity.pivot then
    parts[#parts + 1] = ("primary key (%s)"):format(table.concat(keys, ", "))
  end
  local tenant = entity.tenant and M.TENANT .. ", " or ""
  if not entity.pivot then
    parts[#parts + 1] = ("unique (%sslug)"):format(not entity.loose and tenant or "")
  end
  if entity.referred then parts[#parts + 1] = ("unique (%sid)"):format(tenant) end
  return Engine.current().keys_late and parts or table.move(foreign_keys(entity), 1, #entity.refers, #parts + 1, parts)
end

local function create(db, entity)
  local parts = {}
  for i, column in ipairs(entity.columns) do
    parts[i] = ('"%s" %s%s'):format(column[1], column[2], entity.kind == "id" and i == 1
      and " primary key autoincrement not null" or "")
  end
  db:execute(('create table "%s" (%s)'):format(entity.table, table.concat(constraints(entity, parts), ", ")))
end

local function declare(rille, entity, bare)
  local relations = {}
  for name, said in next, entity.relations do relations[name] = rille[said[1]](table.unpack(said, 2)) end
  return rille.model(entity.name, {
    table = entity.table, tenant_column = entity.tenant and not bare and M.TENANT or nil,
    soft_deletes = entity.soft or nil, casts = entity.json and { meta = "json" } or nil, relations = relations,
    global_scopes = entity.scoped and { live = function(q) return q:where("live", true) end } or nil,
  })
end

local function declare_all(rille, world)
  world.classes = {}
  for _, entity in ipairs(world.readable) do
    if entity.name then world.classes[entity.name] = declare(rille, entity, world.bare) end
  end
end

--- Nobody's rows are marked, too, where a tenant has them for itself.
local function marked(values)
  local copy = {}
  for name, value in next, values do copy[name] = value end
  copy.n = M.NUMBER + values.n
  copy.title = values.title and M.MARK .. values.title
  return copy
end

--- The tables of the world, with the rows that `pick` gives for a row.
local function fill_tables(db, world, pick)
  local engine = Engine.current()
  for _, entity in ipairs(world.all) do create(db, entity) end
  db:transaction(function()
    engine.defer(db)
    for _, entity in ipairs(world.all) do
      local rows = {}
      for _, row in ipairs(entity.rows) do rows[#rows + 1] = pick(row) end
      db:table(entity.table):insert(rows)
      if entity.kind == "id" then
        engine.count_from(db, entity.table, 50)
      end
    end
  end)
  for _, entity in ipairs(engine.keys_late and world.all or {}) do
    for _, key in ipairs(foreign_keys(entity)) do db:execute(('alter table "%s" add %s'):format(entity.table, key)) end
    if world.walled and entity.tenant then
      require "rille.schema".on(db):table(entity.table, function(t) t:row_security(M.TENANT) end)
    end
  end
  for _, view in ipairs(world.views) do View.create(db, view) end
end

--- SQL for one text of all rows: those of the other tenants, all but those, or (nil) every one.
local function picture_sql(world, others)
  local parts, ids, engine = {}, {}, Engine.current()
  for i = 2, 3 do
    local id = world.tenant[i]
    ids[i - 1] = type(id) == "number" and tostring(id) or ("'%s'"):format(id)
  end
  for _, entity in ipairs(world.all) do
    if entity.tenant or not others then
      local columns, condition = {}, ""
      for i, column in ipairs(entity.columns) do columns[i] = engine.quoted(column[1]) end
      if entity.tenant and others ~= nil then
        condition = (" where %s (%s is not null and %s in (%s))"):format(others and "" or "not", M.TENANT, M.TENANT,
          table.concat(ids, ", "))
      end
      parts[#parts + 1] = ("select '%s ' || %s as line from \"%s\"%s"):format(entity.table, table.concat(columns,
        " || ',' || "), entity.table, condition)
    end
  end
  return engine.gather:format(table.concat(parts, " union all "))
end

local function look(db, sql) return db:_query(sql)[1].text or "" end

--- The world in one database: with the rows of the other tenants, or as if these had never been.
---@param rille table
---@param world table
---@param with_others boolean
---@return rille.Handle db
---@return fun(others: boolean): string picture  of the others' rows, or of all but those
function M.build(rille, world, with_others)
  require "rille.model".forget_all()
  world.handles = nil
  local db = Engine.current().connect(rille, world)
  fill_tables(db, world, function(row)
    return (with_others or not row.owner or row.owner == "a") and row.values or nil
  end)
  declare_all(rille, world)
  local sql = { [true] = picture_sql(world, true), [false] = picture_sql(world, false) }
  return db, function(others) return look(db, sql[others]) end
end

--- The world in a database for each tenant.
---@param root string  a folder
---@return rille.Handle db  of the tenant whose eyes we have
---@return fun(others: boolean): string picture
function M.build_apart(rille, world, with_others, root)
  require "rille.model".forget_all()
  rille.configure { connections = { main = ":memory:" }, migrations = root .. "/migrations", tenancy = {
    strategy = "database", pattern = root .. "/{slug}.db",
    create = function(db, tenant)
      fill_tables(db, world, function(row)
        if row.owner == tenant.slug then return row.values end
        return not row.owner and (tenant.slug == "a" and row.values or marked(row.values)) or nil
      end)
    end,
  } }
  local handles, sql = {}, picture_sql(world, nil)
  for i, slug in ipairs(with_others and OWNERS or { "a" }) do
    handles[i] = rille.tenant.create { id = world.tenant[i], slug = slug }
  end
  declare_all(rille, world)
  world.handles = handles
  return handles[1], function(others)
    if not others then return look(handles[1], sql) end
    return handles[2] and look(handles[2], sql) .. look(handles[3], sql) or ""
  end
end

--- One of the three, as rille.tenant.run takes it.
---@param world table
---@param which integer
---@return rille.Tenant
function M.tenant(world, which) return { id = world.tenant[which], slug = OWNERS[which] } end

return M
