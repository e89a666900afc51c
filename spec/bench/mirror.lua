--- mirror: the works about mirrors; see rille.lua.
-- Where the others stand beside raw C, these stand beside themselves in a database without a mirror: each write is a
-- transaction of its own.  What writers pay is measured apart from what the background does, which is mirror_apply.
local rille = require "rille"

local WRITES, CHANGES = 10000, 20000
local INSERT = "insert into posts (author_id, title, body, status, views, created_at, updated_at) "
  .. "values (?, ?, ?, 'draft', ?, ?, ?)"
local TIME = "2026-01-01T00:00:00.000000Z"

local function insert(db, count)
  local body = ("x"):rep(200)
  for i = 1, count do db:execute(INSERT, i, "A new post " .. i, body, i, TIME, TIME) end
end

return {
  mirror_insert = {
    warm = "Post",
    run = function()
      insert(rille.db(), WRITES)
      return WRITES, 0
    end,
  },
  mirror_update = {
    warm = "Post",
    run = function()
      local db, changes = rille.db(), 0
      for i = 1, WRITES do
        changes = changes + db:execute("update posts set views = views + 1 where id = ?", i * 7919 % 100000 + 1).changes
      end
      return WRITES, changes
    end,
  },
  mirror_apply = {
    warm = "Post",
    prepare = function()
      local db = rille.db()
      insert(db, CHANGES // 2)
      for i = 1, CHANGES // 2 do db:execute("update posts set views = views + 1 where id = ?", i) end
    end,
    run = function()
      local done = rille.db():mirror_sync()
      return done.applied, 0
    end,
  },
}
