--- world: a fresh database in memory with real models on it, what was said to it, and what it holds.
-- Requiring this puts the real core in the place of a fake one, for the spec file that does so.
for name in pairs(package.loaded) do
  if name == "rille" or name:find("rille.", 1, true) == 1 then package.loaded[name] = nil end
end
local assert = require "luassert"
local rille = require "rille"

local M = { rille = rille, null = rille.null, engine = os.getenv "RILLE_SPEC_URL" and "postgres" or "sqlite" }

if M.engine == "postgres" then require "spec.support.on_postgres".install(rille) end

local BLOG <const> = {
  [[create table "users" ("id" integer primary key autoincrement not null, "name" VARCHAR(255) not null,
    "email" VARCHAR(255) unique, "age" INTEGER)]],
  [[create table "posts" ("id" integer primary key autoincrement not null,
    "author_id" INTEGER references "users" ("id"), "title" VARCHAR(255) not null, "body" TEXT,
    "status" TEXT not null default 'draft', "views" INTEGER not null default 0,
    "price" DECIMAL(10,2), "live" BOOLEAN not null default 1, "meta" JSON TEXT, "at" DATETIME TEXT, "day" DATE TEXT,
    "score" DOUBLE, "data" BLOB, "created_at" DATETIME TEXT, "updated_at" DATETIME TEXT)]],
}

--- Connect to a new database in memory and forget all models.
---@param ... string  statements that make its tables
---@return rille.Handle
function M.fresh(...)
  require "rille.model".forget_all()
  local db = rille.connect ":memory:"
  for _, sql in ipairs { ... } do db:execute(sql) end
  db:forget()
  return db
end

--- A new database with users and posts, and a model for each.
---@param post? table  what the model Post declares
---@param user? table
---@return rille.Model Post
---@return rille.Model User
---@return rille.Handle db
function M.blog(post, user)
  local db = M.fresh(table.unpack(BLOG))
  return rille.model("Post", post or {}), rille.model("User", user or {}), db
end

--- Call a function and note the statements it sends.
---@param fn function
---@return { sql: string, params: any[] }[]
function M.heard(fn, ...)
  local heard = {}
  local stop = rille.on("query", function(info) heard[#heard + 1] = info end)
  local ok, e = pcall(fn, ...)
  stop()
  if not ok then error(e, 0) end
  return heard
end

--- SQL with a ? for each parameter, as whichever database marks it, and without words on where NULL goes.
---@param sql string
---@return string
function M.marked(sql) return (sql:gsub("%$%d+", "?"):gsub(" nulls %a+", "")) end

--- The same, as texts, with a ? for each parameter.
---@return string[]
function M.statements(fn, ...)
  local texts = {}
  for i, info in ipairs(M.heard(fn, ...)) do texts[i] = M.marked(info.sql) end
  return texts
end

--- Another connection to the database of a handle, to see what others see; a value to be closed.
---@param handle rille.Handle
---@return table db  of the core
function M.beside(handle) return require "rille.core".open(handle:engine().options(handle.settings)) end

--- Assert that a call raises an error of a kind.
---@param kind string
---@param fn function
---@return rille.Error
function M.refused(kind, fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok, "nothing was raised, where " .. kind .. " should be")
  if not rille.is_error(e) then error(("raised what is no error of ours: %s"):format(tostring(e)), 2) end
  if e.kind ~= kind then error(("raised %s, not %s: %s"):format(e.kind, kind, tostring(e)), 2) end
  return e
end

--- The schema and every row of a database, as one text.
---@param db? rille.Handle
---@return string
function M.picture(db)
  db = db or rille.db()
  local lines = {}
  if M.engine == "postgres" then return require "spec.support.on_postgres".picture(db) end
  for _, object in ipairs(db:query "select name, type, sql from sqlite_schema order by type, name") do
    lines[#lines + 1] = ("%s %s: %s"):format(object.type, object.name, object.sql)
    if object.type == "table" then
      local columns = {}
      for i, column in ipairs(db:query("select name from pragma_table_xinfo(?) order by cid", object.name)) do
        columns[i] = ('quote("%s")'):format(column.name:gsub('"', '""'))
      end
      local rows = ('select %s as "row" from "%s"'):format(table.concat(columns, " || ',' || "),
        object.name:gsub('"', '""'))
      for _, row in ipairs(db:query(rows)) do lines[#lines + 1] = "  " .. row.row end
    end
  end
  return table.concat(lines, "\n")
end

--- Assert that a call raises an error of a kind and leaves the database as it was.
---@param kind string
---@param fn function
---@return rille.Error
function M.untouched(kind, fn, ...)
  local before = M.picture()
  local e = M.refused(kind, fn, ...)
  assert.equal(before, M.picture())
  return e
end

--- A value of each row.
---@param rows table[]
---@param name? string  "id" when absent
---@return any[]
function M.of_each(rows, name)
  local values = {}
  for i, row in ipairs(rows) do values[i] = row[name or "id"] end
  return values
end

--- Begin a series of random numbers that can be repeated; `RILLE_SEED` repeats it.
---@return integer
function M.seed()
  local seed = tonumber(os.getenv "RILLE_SEED") or os.time()
  print(("-- seed %d"):format(seed))
  math.randomseed(seed)
  return seed
end

return M
