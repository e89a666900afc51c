--- tenancy.chain: random queries over a random world, each call of them noted.
local World = require "spec.support.tenancy.world"

local M = {}

---@class tenancy.Chain
---@field draw tenancy.Draw
---@field world table
---@field db rille.Handle
---@field trace string[]   what was called

local OPERATORS <const> = { "=", "!=", "<>", "<", "<=", ">", ">=" }
local JOINS <const> = { "", "", "or_" }

local function shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) == "table" and getmetatable(value) == nil then
    local parts = {}
    for i, each in ipairs(value) do parts[i] = shown(each) end
    for name, each in next, value do
      if type(name) == "string" then parts[#parts + 1] = name .. "=" .. shown(each) end
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  return type(value) == "table" and "<query>" or tostring(value):gsub(": 0x%x+", "")
end

--- Call a method and note it.
---@param chain tenancy.Chain
function M.call(chain, query, method, ...)
  local said = {}
  for i = 1, select("#", ...) do said[i] = shown((select(i, ...))) end
  table.insert(chain.trace, (":%s(%s)"):format(method, table.concat(said, ", ")))
  return query[method](query, ...)
end
local call = M.call

-- -- columns and values ---------------------------------------------------------------------------------------------

local IS_NUMBER <const> = { INTEGER = true }

--- A column of the query's own table, perhaps with the table's name; `wanted` is "number", "text" or nil for any.
local function column(chain, scope, wanted)
  local entity, fitting = scope.entity, {}
  for _, each in ipairs(entity.columns) do
    local number = IS_NUMBER[each[2]] == true
    if (wanted == nil or (wanted == "number") == number) and not each[2]:find "JSON" and not each[2]:find "BOOL"
      and not each[2]:find "DATE" then
      fitting[#fitting + 1] = each
    end
  end
  local found = chain.draw:pick(fitting) or entity.columns[1]
  local name = found[1]
  if scope.joined or chain.draw:chance(30) then name = entity.table .. "." .. name end
  return name, IS_NUMBER[found[2]] and "number" or "text", found[1]
end
M.column = column

--- A value that a column may have, of one tenant or the other; never a whole text of the other one.
local function value(chain, scope, plain, kind)
  local draw, world = chain.draw, chain.world
  if plain == World.TENANT then return world.tenant[draw(3)] end
  local row = chain.draw:pick(scope.entity.rows)
  local found = row.values[plain]
  if found ~= nil and draw:chance(60) and not (type(found) == "string" and found:find(World.MARK, 1, true))
    and not (math.type(found) == "integer" and found > World.NUMBER) then
    return found
  end
  if kind == "number" then return draw:pick { -1, 0, 1, 2, 3, 5, 6999999 } end
  return draw:pick { "", "a", "ab", "S", "SECR", "zz", "0" }
end
M.value = value

--- A key of a row of one tenant or the other: a list of values.
function M.key(chain, entity)
  local row, key = chain.draw:pick(entity.rows), {}
  for i, part in ipairs(entity.key) do key[i] = row.values[part[1]] end
  return key
end

--- The columns of the primary key in order.
function M.by_key(chain, query, scope)
  for _, part in ipairs(scope.entity.key) do
    query = call(chain, query, "order_by", scope.entity.table .. "." .. part[1])
  end
  return query
end

-- -- conditions -----------------------------------------------------------------------------------------------------

local conditions

--- The name of a method with its twins.
local function twin(chain, method)
  local joined, negative = chain.draw:pick(JOINS), chain.draw:chance(25)
  if negative then
    method = method == "filter" and "filter_not" or "where_not" .. method:sub(#"where" + 1)
  end
  return joined .. method
end

local function other_scope(chain)
  local draw, world = chain.draw, chain.world
  if draw:chance(10) then return { entity = draw:pick(world.views) } end
  return { entity = draw:pick(draw:chance(15) and #world.pivots > 0 and world.pivots or world.entities) }
end

--- A query of a model, or of a table without one.
local function start(chain, scope)
  local class = scope.entity.name and chain.world.classes[scope.entity.name]
  if not class or chain.draw:chance(25) then
    table.insert(chain.trace, ("db:table(%q)"):format(scope.entity.table))
    scope.plain = true
    return chain.db:table(scope.entity.table)
  end
  table.insert(chain.trace, scope.entity.name)
  return class:query()
end
M.start, M.other_scope = start, other_scope

local function relation_of(chain, scope)
  local names = {}
  for name in next, scope.entity.relations do names[#names + 1] = name end
  table.sort(names)
  local name = chain.draw:pick(names)
  return name, name and scope.entity.relations[name]
end
M.relation_of = relation_of

--- A function of the query of related rows.
local function inner(chain, said, depth)
  return function(q)
    return conditions(chain, q, { entity = said.to, joined = true }, depth - 1, chain.draw(2))
  end
end
M.inner = inner

local RAW <const> = { "1 = 1", "n > 0 or n > ?", "title like ? or 1", "(n in (?, 6999999))", "length(title) > ?",
  "n between ? and 8000000", "coalesce(title, '') <> ?" }
local BAD <const> = { "1=1) or (1=1", "1 in (select 1 from %s)", "exists (select 1 from %s where 1 or n = ?)",
  "n in %s", "1 --", "n = ? or 1=1) --", "1) union all select * from %s where (1=1",
  "n in (with x as (select 1) select 1)" }

local KINDS = {
  function(chain, q, scope)
    local name, kind, plain = column(chain, scope)
    return call(chain, q, twin(chain, "where"), name, chain.draw:pick(OPERATORS), value(chain, scope, plain, kind))
  end,
  function(chain, q, scope)
    local name, kind, plain = column(chain, scope)
    return call(chain, q, twin(chain, "where"), { [name] = value(chain, scope, plain, kind) })
  end,
  function(chain, q, scope, depth)
    return call(chain, q, twin(chain, "where"), function(g)
      return conditions(chain, g, scope, depth - 1, 1 + chain.draw(2))
    end)
  end,
  function(chain, q, scope)
    local name, kind, plain = column(chain, scope)
    local list = {}
    for i = 1, chain.draw(4) do list[i] = value(chain, scope, plain, kind) end
    return call(chain, q, twin(chain, "where_in"), name, list)
  end,
  function(chain, q, scope, depth)
    local name, kind = column(chain, scope)
    local other = other_scope(chain)
    local inside = conditions(chain, start(chain, other), other, depth - 1, chain.draw(2))
    return call(chain, q, twin(chain, "where_in"), name, call(chain, inside, "select", (column(chain, other, kind))))
  end,
  function(chain, q, scope, depth)
    local other = other_scope(chain)
    local inside = conditions(chain, start(chain, other), other, depth - 1, chain.draw(2))
    if other.entity ~= scope.entity then
      local mine, kind = column(chain, { entity = scope.entity, joined = true })
      inside = call(chain, inside, "where_column", mine, chain.draw:pick(OPERATORS),
        (column(chain, { entity = other.entity, joined = true }, kind)))
    end
    return call(chain, q, twin(chain, "where_exists"), inside)
  end,
  function(chain, q, scope)
    local name, kind, plain = column(chain, scope)
    return call(chain, q, twin(chain, "where_between"), name, value(chain, scope, plain, kind),
      kind == "number" and 8000000 or "~")
  end,
  function(chain, q, scope) return call(chain, q, twin(chain, "where_null"), (column(chain, scope))) end,
  function(chain, q, scope)
    return call(chain, q, twin(chain, chain.draw:pick { "where_like", "where_ilike" }), (column(chain, scope, "text")),
      chain.draw:pick { "%", "SECR%", "a%", "_", "%e%" })
  end,
  function(chain, q, scope)
    local a, kind = column(chain, scope)
    return call(chain, q, twin(chain, "where_column"), a, chain.draw:pick(OPERATORS), (column(chain, scope, kind)))
  end,
  function(chain, q, scope)
    if scope.entity.pivot then return q end
    local name = scope.entity.table .. ".day"
    local part, given = table.unpack(chain.draw:pick { { "date", "2026-01-11" }, { "year", 2026 }, { "month", 2 },
      { "day", 12 } })
    return call(chain, q, twin(chain, "where_" .. part), name, chain.draw:pick { ">=", "=", "<" }, given)
  end,
  function(chain, q, scope)
    if scope.entity.pivot or scope.joined then return q end
    if chain.draw:chance(50) then return call(chain, q, twin(chain, "where_json"), "meta.k", ">", chain.draw(6)) end
    return call(chain, q, twin(chain, "where_json_contains"), "meta.t", chain.draw:pick { "a", "SECR" })
  end,
  function(chain, q, scope, depth)
    local name, said = relation_of(chain, scope)
    if scope.plain or not name or said[1] == "morph_to" then return q end
    local fn = chain.draw:chance(60) and inner(chain, said, depth) or nil
    if chain.draw:chance(40) then
      if fn then
        return call(chain, q, twin(chain, "where_has"), name, fn, chain.draw:pick(OPERATORS), chain.draw(3) - 1)
      end
      return call(chain, q, twin(chain, "where_has"), name, chain.draw:pick(OPERATORS), chain.draw(3) - 1)
    end
    return call(chain, q, chain.draw:pick { "where_has", "or_where_has", "where_doesnt_have", "or_where_doesnt_have" },
      name, fn)
  end,
  function(chain, q, scope, depth)
    local name, said = relation_of(chain, scope)
    if scope.plain or not name or said[1] ~= "morph_to" then return q end
    return call(chain, q, twin(chain, "where_has_morph"), name, said.to.name,
      chain.draw:chance(60) and inner(chain, said, depth) or nil)
  end,
  function(chain, q, scope)
    if scope.joined or scope.entity.pivot then return q end
    local sql = chain.draw:pick(RAW)
    if sql:find("?", 1, true) then
      return call(chain, q, twin(chain, "where_raw"), sql, sql:find "title" and "%" or chain.draw(3))
    end
    return call(chain, q, twin(chain, "where_raw"), sql)
  end,
  function(chain, q, scope)
    if scope.entity.pivot or scope.joined then return q end
    local name, said = relation_of(chain, scope)
    local paths = { "n", "n" }
    if not scope.plain and name and said[1] ~= "morph_to" and not said.to.pivot then paths[2] = name .. ".n" end
    local text = chain.draw:pick { "%s > :low or %s > 6999999", "not (%s < :low and title like 'SECR%%') or %s is null",
      "%s in (1, 2, :low) and (title != '' or %s between 0 and 8000000)" }
    return call(chain, q, twin(chain, "filter"), text:format(chain.draw:pick(paths), chain.draw:pick(paths)),
      { low = chain.draw(4) })
  end,
}

--- Some random conditions.
---@return rille.Query
function conditions(chain, q, scope, depth, count)
  for i = 1, count do
    local before = q
    local kind = depth > 0 and chain.draw(#KINDS) or chain.draw:pick { 1, 2, 4, 7, 8, 9, 10 }
    q = KINDS[kind](chain, q, scope, depth)
    if q == before and i == 1 then q = KINDS[8](chain, q, scope, depth) end        -- a group wants one
  end
  return q
end
M.conditions = conditions

--- SQL of the caller's own that tries to leave the query, or reads tables itself.
function M.bad_raw(chain)
  local sql = chain.draw:pick(BAD):format(chain.draw:pick(chain.world.entities).table)
  if sql:find("?", 1, true) then return sql, 1 end
  return sql
end

-- -- shapes ---------------------------------------------------------------------------------------------------------

local function join(chain, q, scope)
  local other = other_scope(chain)
  if other.entity == scope.entity or scope.names[other.entity.table] then return q end
  scope.joined, scope.names[other.entity.table] = true, true
  local a, kind = column(chain, scope)
  local b = column(chain, { entity = other.entity, joined = true }, kind)
  local target = other.entity.table
  if other.entity.name and chain.draw:chance(30) then target = chain.world.classes[other.entity.name] end
  if chain.draw:chance(20) then
    target = other.entity.table .. " as j"
    b = "j." .. b:match "[^.]+$"
    if scope.names.j then return q end
    scope.names.j = true
  end
  q = call(chain, q, chain.draw:pick { "join", "left_join" }, target, a, chain.draw:pick { "=", "!=", ">", "<=" }, b)
  if chain.draw:chance(40) then
    q = call(chain, q, chain.draw:pick { "where", "or_where" }, b, kind == "number" and 1 or "a")
  end
  if chain.draw:chance(40) then q = call(chain, q, "add_select", b .. " as other_column") scope.selected = true end
  return q
end

--- A query with conditions and, perhaps, joins and lifted scopes.
---@return rille.Query
---@return table scope
function M.rows(chain, scope)
  scope = scope or other_scope(chain)
  scope.names = { [scope.entity.table] = true }
  local q, draw = start(chain, scope), chain.draw
  if draw:chance(25) then q = join(chain, q, scope) end
  if draw:chance(8) then q = join(chain, q, scope) end
  q = conditions(chain, q, scope, 2, draw(4) - 1)
  if not scope.plain and draw:chance(20) then q = call(chain, q, draw:pick { "with_trashed", "only_trashed" }) end
  if not scope.plain and scope.entity.scoped and draw:chance(20) then
    q = call(chain, q, "without_global_scope", "live")
  end
  return q, scope
end

return M
