--- tenancy.step: what a tenant may do with a random world: read it, write it, with and without models.
-- Each step is drawn from its own numbers, so that it does the same in the database in which the other tenant never
-- was.
local Apart = require "spec.support.tenancy.apart"
local Chain = require "spec.support.tenancy.chain"
local Level = require "spec.support.tenancy.level"
local World = require "spec.support.tenancy.world"

local call, rows = Chain.call, Chain.rows

local M = {}

local AGGREGATES <const> = { "sum", "avg", "min", "max" }

-- -- ends of queries ------------------------------------------------------------------------------------------------

local function ordered(chain, q, scope) return Chain.by_key(chain, q, scope) end

local function loaded(chain, q, scope)
  local draw = chain.draw
  if scope.plain then return q end
  for _ = 1, draw(2) do
    local name, said = Chain.relation_of(chain, scope)
    if not name then return q end
    local kind = draw(6)
    if kind <= 2 then
      q = call(chain, q, "with", name)
    elseif kind == 3 and said[1] ~= "morph_to" then
      local constrain, limit = Chain.inner(chain, said, 1), draw(3)
      q = call(chain, q, "with", { [name] = function(r)
        r = constrain(r)
        return limit == 3 and r or r:order_by(said.to.table .. ".n"):limit(limit)
      end })
    elseif kind == 4 then
      local next_name = Chain.relation_of(chain, { entity = said.to })
      q = call(chain, q, "with", next_name and said[1] ~= "morph_to" and name .. "." .. next_name or name)
    elseif said[1] ~= "morph_to" then
      if kind == 5 then
        q = call(chain, q, draw:pick { "with_count", "with_exists" }, name)
      else
        q = call(chain, q, "with_" .. draw:pick(AGGREGATES), name, "n")
      end
    end
  end
  return q
end

local function walked(chain, q, word)
  local seen = {}
  q[word](q, chain.draw(3), function(list)
    for _, row in ipairs(list) do seen[#seen + 1] = row end
  end)
  return seen
end

local ENDS = {
  function(chain, q) return call(chain, q, "all") end,
  function(chain, q, scope) return call(chain, loaded(chain, q, scope), "all") end,
  function(chain, q, scope)
    local list = call(chain, loaded(chain, q, scope), "all")
    return list:to_json(), list:to_table()
  end,
  function(chain, q, scope) return call(chain, ordered(chain, loaded(chain, q, scope), scope), "first") end,
  function(chain, q) return call(chain, q, "sole") end,
  function(chain, q, scope) return call(chain, ordered(chain, q, scope), "value", (Chain.column(chain, scope))) end,
  function(chain, q, scope) return call(chain, q, "pluck", (Chain.column(chain, scope))) end,
  function(chain, q, scope)
    return call(chain, ordered(chain, q, scope), "pluck", scope.entity.table .. ".n",
      scope.entity.table .. "." .. scope.entity.columns[1][1])
  end,
  function(chain, q) return call(chain, q, "count") end,
  function(chain, q, scope) return call(chain, q, "count", (Chain.column(chain, scope))) end,
  function(chain, q, scope)
    return call(chain, q, chain.draw:pick(AGGREGATES), (Chain.column(chain, scope, "number")))
  end,
  function(chain, q) return call(chain, q, chain.draw:pick { "exists", "doesnt_exist" }) end,
  function(chain, q, scope)
    return call(chain, ordered(chain, q, scope), chain.draw:pick { "paginate", "simple_paginate" }, chain.draw(2),
      chain.draw(3))
  end,
  function(chain, q)
    local page = call(chain, q, "cursor_paginate", { per_page = chain.draw(3) })
    return page, page.next_cursor and q:cursor_paginate { per_page = 2, cursor = page.next_cursor }
  end,
  function(chain, q) return walked(chain, q, chain.draw:pick { "chunk", "chunk_by_id" }) end,
  function(_, q)
    local seen = {}
    q:each(function(row) seen[#seen + 1] = row end)
    return seen
  end,
  function(_, q)
    local seen = {}
    for row in q:cursor() do seen[#seen + 1] = row end
    return seen
  end,
  function(chain, q) return call(chain, q, "to_sql") end,
  function(chain, q, scope)
    local a, b = Chain.column(chain, scope), Chain.column(chain, scope)
    return call(chain, call(chain, call(chain, q, "select", a, b .. " as other"), "distinct"), "all")
  end,
  function(chain, q, scope)
    local by = Chain.column(chain, scope)
    q = call(chain, call(chain, q, "select", by), "group_by", by)
    q = call(chain, q, "select_raw", "count(*) as many, max(n) as most, group_concat(title) as titles")
    if chain.draw:chance(50) then q = call(chain, q, "having", "many", ">", chain.draw(2) - 1) end
    if chain.draw:chance(30) then q = call(chain, q, "having_raw", "count(*) > ? or 1", 1) end
    return call(chain, q, chain.draw:pick { "all", "count" })
  end,
  function(chain, q, scope)
    local other = Chain.other_scope(chain)
    local b = rows(chain, chain.draw:chance(50) and { entity = scope.entity } or other)
    local names = { "n", "title" }
    q = call(chain, call(chain, q, "select", names), chain.draw:pick { "union", "union_all" },
      call(chain, b, "select", names))
    return call(chain, q, chain.draw:pick { "all", "count", "exists" })
  end,
  function(chain, q, scope)
    local key = Chain.key(chain, scope.entity)
    if #key == 0 then return nil end
    return call(chain, q, chain.draw:pick { "find", "find_or_fail" }, table.unpack(key))
  end,
  function(chain, q, scope)
    local keys = {}
    for i = 1, 3 do
      keys[i] = Chain.key(chain, scope.entity)
      if #keys[i] == 1 then keys[i] = keys[i][1] end
    end
    return call(chain, q, "find", keys)
  end,
  function(chain, q)
    local word = chain.draw:pick { "where_raw", "select_raw", "order_by_raw", "having_raw" }
    return call(chain, call(chain, q, word, Chain.bad_raw(chain)), "all")
  end,
  function(chain, q) return call(chain, call(chain, q, "plain"), "all") end,
  function(chain, q) return call(chain, q, "explain") end,
  function(chain, q) return call(chain, call(chain, q, "lock_for_update"), "all") end,
}

function M.read(chain)
  local q, scope = rows(chain)
  return chain.draw:pick(ENDS)(chain, q, scope)
end

-- -- writes by query ------------------------------------------------------------------------------------------------

local function changes(chain, entity)
  local draw, set = chain.draw, {}
  set.n = draw(6)
  if not entity.pivot then set.title = draw:pick { "changed", "ab" } end
  if entity.tenant and draw:chance(15) then set[World.TENANT] = chain.world.tenant[draw(3)] end
  for _, to in ipairs(entity.refers) do
    if draw:chance(10) then set[to.column] = draw:pick(to.to.rows).values[to.part] end
  end
  return set
end

local WRITES = {
  function(chain, q, scope) return call(chain, q, "update", changes(chain, scope.entity)) end,
  function(chain, q, scope) return call(chain, q, "update", changes(chain, scope.entity)) end,
  function(chain, q) return call(chain, q, chain.draw:pick { "increment", "decrement" }, "n", chain.draw(2)) end,
  function(chain, q) return call(chain, q, "increment", World.TENANT, 1) end,
  function(chain, q) return call(chain, q, "delete") end,
  function(chain, q) return call(chain, q, chain.draw:pick { "delete", "force_delete", "restore" }) end,
  function(chain, q, scope)
    return call(chain, call(chain, ordered(chain, q, scope), "limit", chain.draw(2)), "update",
      changes(chain, scope.entity))
  end,
}

function M.change(chain)
  local q, scope = rows(chain)
  if chain.draw:chance(40) then q = call(chain, q, "unfiltered") end
  return chain.draw:pick(WRITES)(chain, q, scope)
end

-- -- rows -----------------------------------------------------------------------------------------------------------

local function new_row(chain, entity, step)
  local draw, row = chain.draw, changes(chain, entity)
  row[World.TENANT] = entity.tenant and draw:chance(20) and chain.world.tenant[draw(3)] or nil
  for i, part in ipairs(entity.key) do
    if part[1] == "code" or part[1] == "shop" then row[part[1]] = "new" .. i end
    if part[1] == "number" then row.number = 100 + step end
  end
  if not entity.pivot then row.slug = draw:chance(30) and "s1" or "new" .. step end
  return row
end

local INSERTS = {
  function(chain, on, row) return call(chain, on, "insert", row) end,
  function(chain, on, row) return call(chain, on, "insert_or_ignore", { row }) end,
  function(chain, on, row, entity)
    return call(chain, on, "upsert", row, entity.tenant and not entity.loose and { World.TENANT, "slug" } or "slug",
      chain.draw:chance(50) and { "title", "n" } or nil)
  end,
}

function M.insert(chain, step)
  local scope = Chain.other_scope(chain)
  return chain.draw:pick(INSERTS)(chain, Chain.start(chain, scope), new_row(chain, scope.entity, step), scope.entity)
end

local function class_of(chain)
  local entity = chain.draw:pick(chain.world.entities)
  table.insert(chain.trace, entity.name)
  return chain.world.classes[entity.name], entity
end

local CREATES = {
  function(chain, class, row) return call(chain, class, "create", row) end,
  function(chain, class, row) return call(chain, class, "create_many", { row }) end,
  function(chain, class, row) return call(chain, class, "first_or_create", { slug = row.slug }, row) end,
  function(chain, class, row) return call(chain, class, "update_or_create", { slug = row.slug }, row) end,
  function(chain, class, row) return call(chain, class, "first_or_new", { n = row.n }, row) end,
}

function M.create(chain, step)
  local class, entity = class_of(chain)
  local row = new_row(chain, entity, step)
  local draw = chain.draw
  if draw:chance(4) then return call(chain, class, "truncate") end
  if draw:chance(20) then
    local keys = {}
    for i = 1, draw(3) do
      keys[i] = Chain.key(chain, entity)
      if #keys[i] == 1 then keys[i] = keys[i][1] end
    end
    return call(chain, class, "destroy", keys)
  end
  return draw:pick(CREATES)(chain, class, row)
end

-- -- records --------------------------------------------------------------------------------------------------------

--- One of the records that are seen.
local function record_of(chain)
  local class, entity = class_of(chain)
  local list = Chain.by_key(chain, class:query(), { entity = entity }):all()
  if #list == 0 then return nil end
  table.insert(chain.trace, ("record %d"):format(#list))
  return chain.draw:pick(list), entity
end

--- What a many-to-many relation may be given: keys of anybody's rows.
local function keys_for(chain, entity)
  local keys = {}
  for i = 1, chain.draw(3) do keys[i] = Chain.key(chain, entity)[1] end
  return keys
end

local PIVOT_WORDS <const> = { "attach", "detach", "sync", "toggle", "update_existing_pivot" }

local function write_relation(chain, relation, said, record, step)
  local draw, entity = chain.draw, said.to
  if said[1] == "belongs_to" or said[1] == "morph_to" then
    local other = chain.world.classes[entity.name]:first()
    if other and draw:chance(70) then call(chain, relation, "associate", other) else relation:dissociate() end
    return record:save()
  elseif said[1]:find "to_many" or said[1]:find "by_many" then
    local word = draw:pick(PIVOT_WORDS)
    local keys = keys_for(chain, entity)
    if word == "update_existing_pivot" then return call(chain, relation, word, keys[1], { n = 2 }) end
    return call(chain, relation, word, keys)
  end
  return call(chain, relation, draw:pick { "create", "first_or_create", "update_or_create" },
    new_row(chain, entity, step))
end

local RECORD = {
  function(chain, record, entity) return call(chain, record, "update", changes(chain, entity)) end,
  function(chain, record, entity)
    record.title = "assigned"
    if entity.tenant and chain.draw:chance(30) then record[World.TENANT] = chain.world.tenant[1 + chain.draw(2)] end
    return record:save()
  end,
  function(chain, record) return call(chain, record, chain.draw:pick { "delete", "force_delete", "restore" }) end,
  function(chain, record) return call(chain, record, "increment", "n", chain.draw(2)) end,
  function(chain, record) return call(chain, record, chain.draw:pick { "fresh", "refresh", "touch", "to_json" }) end,
  function(_, record, entity, step)
    local copy = record:replicate()
    copy.slug = "copy" .. step
    for i, part in ipairs(entity.key) do
      if part[1] == "code" or part[1] == "shop" then copy[part[1]] = "copy" .. i end
      if part[1] == "number" then copy.number = 200 + step end
    end
    return copy:save()
  end,
}

function M.record(chain, step)
  local record, entity = record_of(chain)
  if not record then return nil end
  local name, said = Chain.relation_of(chain, { entity = entity })
  local kind = chain.draw(10)
  if not name or kind <= 3 then return chain.draw:pick(RECORD)(chain, record, entity, step) end
  table.insert(chain.trace, "." .. name)
  if kind == 4 then return record[name] end
  if kind == 5 then
    record:load(name)
    return record:to_table(), record:to_json()
  end
  local relation = record:relation(name)
  if kind >= 8 then return write_relation(chain, relation, said, record, step) end
  if said[1] ~= "morph_to" then relation = Chain.inner(chain, said, 1)(relation) end
  local word = chain.draw:pick { "all", "count", "first", "exists", "delete", "update" }
  if word == "update" then return call(chain, relation, "update", { n = 3 }) end
  return call(chain, relation, word)
end

-- -- without models -------------------------------------------------------------------------------------------------

local function where_of(chain, entity)
  local scope = { entity = entity }
  local name, kind, plain = Chain.column(chain, scope)
  return { [plain] = Chain.value(chain, scope, plain, kind) }, name
end

local HANDLE = {
  function(chain, db, entity) return call(chain, db, "select", entity.table, (where_of(chain, entity))) end,
  function(chain, db, entity) return call(chain, db, "select", entity.table) end,
  function(chain, db, entity)
    return call(chain, db, "update", entity.table, where_of(chain, entity), changes(chain, entity))
  end,
  function(chain, db, entity) return call(chain, db, "delete", entity.table, (where_of(chain, entity))) end,
  function(chain, db, entity, step) return call(chain, db, "create", entity.table, new_row(chain, entity, step)) end,
  function(chain, db, entity, step) return call(chain, db, "insert", entity.table, new_row(chain, entity, step)) end,
  function(chain, db, entity)
    if entity.pivot then return nil end
    return call(chain, db, "find_by_id", entity.table, table.unpack(Chain.key(chain, entity)))
  end,
  function(chain, db, entity)
    return call(chain, db, "bulk_update", entity.table,
      { { where = where_of(chain, entity), data = changes(chain, entity) } })
  end,
  function(chain, db, entity) return call(chain, db, "bulk_delete", entity.table, { (where_of(chain, entity)) }) end,
  function(chain, db, entity) return call(chain, db, "query", ('select * from "%s"'):format(entity.table)) end,
  function(chain, db, entity)                            -- (last_id is what anybody inserted last)
    return call(chain, db, "execute", ('delete from "%s"'):format(entity.table)).changes
  end,
  function(chain, db, entity) return db:result(('select * from "%s"'):format(entity.table)).ok, #chain.trace end,
}

function M.handle(chain, step)
  local entity = chain.draw:pick(chain.world.readable)
  return chain.draw:pick(HANDLE)(chain, chain.db, entity, step)
end

function M.repository(chain, step)
  local rille = require "rille"
  local entity = chain.draw:pick(chain.world.entities)
  local repository = rille.repository(chain.draw:chance(50) and chain.world.classes[entity.name] or entity.table)
  table.insert(chain.trace, "repository of " .. entity.table)
  local key = Chain.key(chain, entity)
  local word = chain.draw:pick { "find", "all", "find_by", "create", "update", "delete" }
  if word == "find" then return call(chain, repository, "find", table.unpack(key)) end
  if word == "all" or word == "find_by" then return call(chain, repository, word, (where_of(chain, entity))) end
  if word == "create" then return call(chain, repository, "create", new_row(chain, entity, step)) end
  if word == "update" then return call(chain, repository, "update", key, changes(chain, entity)) end
  return call(chain, repository, "delete", key)
end

-- -- records of the other tenant ------------------------------------------------------------------------------------

local FOREIGN = {
  function(_, foreign)
    foreign.title = "stolen"
    return foreign:save()
  end,
  function(_, foreign) return foreign:update { n = 1 } end,
  function(_, foreign) return foreign:delete() end,
  function(_, foreign, entity) return entity.soft and foreign:force_delete() end,
  function(_, foreign) return foreign:increment "n" end,
  function(_, foreign) return foreign:fresh() end,
  function(_, foreign)
    foreign:refresh()
    return "refreshed"
  end,
  function(_, foreign) return foreign:touch() and "touched" end,
  function(_, foreign) return foreign:replicate():save() end,
  function(chain, foreign, entity)
    local name = Chain.relation_of(chain, { entity = entity })
    return name and foreign[name]
  end,
  function(chain, foreign, entity)
    local name = Chain.relation_of(chain, { entity = entity })
    if not name then return nil end
    foreign:load(name)
    return foreign:to_table()[name]
  end,
  function(chain, foreign, entity)
    local name = Chain.relation_of(chain, { entity = entity })
    return name and foreign:relation(name):all()
  end,
  function(chain, foreign, entity, step)
    local name, said = Chain.relation_of(chain, { entity = entity })
    return name and write_relation(chain, foreign:relation(name), said, foreign, step) and "written"
  end,
  function(chain, foreign, entity)                       -- given to a record of ours
    local record, mine = record_of(chain)
    local name = record and Chain.relation_of(chain, { entity = mine })
    if not name or mine.relations[name].to ~= entity then return nil end
    local said, relation = mine.relations[name], record:relation(name)
    if said[1] == "belongs_to" or said[1] == "morph_to" then
      relation:associate(foreign)
      return record:save() and "written"
    end
    local word = said[1]:find "_many$" and not said[1]:find "^has" and said[1] ~= "morph_many"
      and chain.draw:pick { "attach", "sync", "toggle" } or "save"
    return relation[word](relation, foreign) and "written"
  end,
}

-- What another tenant's row has already, where the unique index leaves the tenant out.
local TAKEN = {
  function(chain, on, row) return call(chain, on, "upsert", row, "slug") end,
  function(chain, on, row) return call(chain, on, "upsert", row, "slug", { "title" }) end,
  function(chain, on, row) return call(chain, on, "upsert", row, "slug", {}) end,
  function(chain, on, row) return call(chain, on, "insert", row) end,
  function(chain, on, row) return call(chain, on, "insert_or_ignore", row) end,
  function(chain, on, row)
    return call(chain, call(chain, on, "limit", 1), "update", { title = "changed", slug = row.slug })
  end,
}

--- Give a row a text that a unique index has for one of the other tenant's.
---@param chain tenancy.Chain
---@param slug string
---@param entity tenancy.Entity
function M.taken(chain, slug, entity, step)
  local row = new_row(chain, entity, step)
  row.slug, row[World.TENANT] = slug, nil
  return chain.draw:pick(TAKEN)(chain, Chain.start(chain, { entity = entity }), row)
end

-- Of a row that belongs to nobody, with relations that were read as the other tenant.
local SHARED = {
  function(_, shared) return shared:to_table(), shared:to_json() end,
  function(_, shared, name) return shared[name] end,
  function(_, shared, name)
    shared:load_missing(name)
    return shared:to_table()
  end,
  function(_, shared) return require "rille.list".wrap { shared }:to_json() end,
  function(_, shared, name) return shared:relation(name):all() end,
  function(_, shared) return shared:replicate():to_table() end,
}

--- Read what the other tenant read of a record that is nobody's.
---@param chain tenancy.Chain
---@param shared rille.Record
---@param name string          of a relation
function M.shared(chain, shared, name)
  table.insert(chain.trace, name)
  return chain.draw:pick(SHARED)(chain, shared, name)
end

--- Do something with a record that the other tenant read.  Nothing may come of it.
---@param chain tenancy.Chain
---@param foreign rille.Record
---@param entity tenancy.Entity
function M.foreign(chain, foreign, entity, step)
  local kind = chain.draw(#FOREIGN)
  table.insert(chain.trace, ("foreign %s, %d"):format(entity.name, kind))
  return FOREIGN[kind](chain, foreign, entity, step)
end

M.theirs = Apart.theirs

-- -- more ----------------------------------------------------------------------------------------------------------

--- Write through a view, whose triggers write other tables.
function M.through(chain)
  local draw, view = chain.draw, chain.draw:pick(chain.world.views)
  local q = Chain.start(chain, { entity = view })
  local word = draw:pick { "insert", "update", "delete", "increment" }
  if word == "insert" then return call(chain, q, word, { n = draw(6), title = "through" }) end
  if draw:chance(70) then q = call(chain, q, "unfiltered") else q = call(chain, q, "where", "n", ">", draw(4)) end
  if word == "update" then return call(chain, q, word, { title = "through" }) end
  if word == "increment" then return call(chain, q, word, "n") end
  return call(chain, q, word)
end

--- Some steps in a transaction.
function M.transaction(chain, step) return Level.run(chain, step, M) end

M.kinds = { "read", "read", "read", "read", "read", "read", "change", "change", "insert", "create", "record", "record",
  "record", "handle", "repository", "foreign", "shared", "taken", "transaction", "transaction", "through",
  "theirs" }

return M
