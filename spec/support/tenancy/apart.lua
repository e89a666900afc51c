--- tenancy.apart: what one tenant may try with the database of another one.
local M = {}

local THEIRS = {
  function(_, db, entity) return db:table(entity.table):all() end,
  function(_, db, entity) return db:table(entity.table):count() end,
  function(_, db, entity) return db:select(entity.table) end,
  function(_, db, entity) return db:query(('select * from "%s"'):format(entity.table)) end,
  function(_, db, entity) return db:execute(('delete from "%s"'):format(entity.table)) end,
  function(_, db, entity) return db:table(entity.table):unfiltered():delete() end,
  function(_, db, entity) return db:table(entity.table):unfiltered():update { n = 1 } end,
  function(chain, db, entity) return db:insert(entity.table, { n = chain.draw(6) }) end,
  function(_, db, entity)
    return db:transaction(function() return db:table(entity.table):all() end)
  end,
  function(_, db, entity)
    local tx <close> = db:begin()      -- luacheck: ignore 211
    return db:table(entity.table):first()
  end,
}

--- Use what is another tenant's where each has a database.  Nothing may come of it.
---@param chain tenancy.Chain
---@param db rille.Handle  of the other one
function M.theirs(chain, db)
  local kind = chain.draw(#THEIRS)
  table.insert(chain.trace, "theirs " .. kind)
  return THEIRS[kind](chain, db, chain.draw:pick(chain.world.all))
end

return M
