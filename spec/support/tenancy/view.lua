--- tenancy.view: random views over a random world: of tables whose rows belong to tenants, or of others, or of views.
-- Some have triggers in the place of writes, which change every row of a table.
local Engine = require "spec.support.tenancy.engine"

local M = {}

local TENANT <const> = "org_id"

local function source_of(draw, world, views)
  local from = #views > 0 and draw:chance(40) and draw:pick(views) or draw:pick(world.entities)
  return from.table, from.rows
end

local function owned_of(world)
  local owned = {}
  for _, entity in ipairs(world.entities) do owned[#owned + 1] = entity.tenant and entity or nil end
  return owned
end

--- One that has the tenant's column and a model, so that it is filtered as a table is.
local function guarded(draw, world, i)
  local base = draw:pick(owned_of(world))
  return { name = "View" .. i, base = base.table, rows = base.rows, tenant = true,
    columns = { { "n", "INTEGER" }, { TENANT, world.tenant.type }, { "title", "TEXT" } },
    sql = ('select n, %s, title from "%s"'):format(TENANT, base.table) }
end

local function plain(draw, world, views)
  local name, rows = source_of(draw, world, views)
  local sql = ('select n, title from "%s"'):format(name)
  if draw:chance(30) then
    sql = ('%s union all select n, title from "%s"'):format(sql, (source_of(draw, world, views)))
  end
  return { rows = rows, tenant = false, columns = { { "n", "INTEGER" }, { "title", "TEXT" } }, sql = sql,
    base = draw:pick(draw:chance(60) and owned_of(world) or world.entities).table }
end

--- Some views, each like a table that has no key and no relations.
---@param draw tenancy.Draw
---@param world table
---@return tenancy.Entity[]
function M.invent(draw, world)
  local views = {}
  for i = 1, draw(4) do
    local view = draw:chance(25) and guarded(draw, world, i) or plain(draw, world, views)
    view.table, view.kind, view.pivot, view.view = "v" .. i, "view", true, true
    view.key, view.relations, view.refers = {}, {}, {}
    view.writes = draw:chance(50)
    views[i] = view
  end
  return views
end

--- Make a view, with its triggers.
---@param db rille.Handle
---@param view tenancy.Entity
function M.create(db, view)
  db:execute(('create view "%s" as %s'):format(view.table, view.sql))
  if not view.writes then return end
  for event, row in next, { insert = "new", update = "new", delete = "old" } do
    local of = view.tenant and (" where %s = %s.%s"):format(TENANT, row, TENANT) or ""
    Engine.current().trigger(db, view.table .. "_" .. event, event, view.table,
      ("update \"%s\" set title = 'through' || %s.n%s"):format(view.base, row, of))
  end
end

return M
