--- schema: tables made, changed and dropped: the words of migrations.
local Engine = require "rille.schema.engine"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

---@class rille.Schema
---@field private run rille.SchemaRunner
local Schema = {}
Schema.__name = "rille.Schema"

local WORDS = { "create", "table", "rename", "drop", "drop_if_exists", "has_table", "has_column", "raw", "pretend" }

Schema.__index = function(_, name)
  if Schema[name] then return Schema[name] end
  Error.unknown("invalid_argument", "word", name, WORDS, "schema")
end

-- These end the transaction in which a migration runs, or do nothing inside one.
local CONTROL = { begin = true, commit = true, ["end"] = true, rollback = true, savepoint = true, release = true }

--- Raise for a statement that would take the transaction away from whoever runs it.
---@param where string
---@param sql string
function M.refuse_control(where, sql)
  local first = sql:match "^%s*(%a+)" or ""
  if CONTROL[first:lower()] then
    Error.raise("invalid_argument", ("%s: %q would end or begin a transaction"):format(where, first:lower()), {
      sql = sql, hint = "a migration is one transaction; outside, rille.transaction(fn) runs one",
    })
  end
  if sql:lower():find "^%s*pragma%s+[%w.]*foreign_keys%s*[=(]" then
    Error.raise("invalid_argument", where .. ": foreign keys cannot be switched inside a transaction", {
      sql = sql, hint = "schema:table(name, fn) switches them off where a table has to be rebuilt",
    })
  end
end

-- Runs `fn`, which changes tables: all of it or nothing.
local function change(self, word, fn)
  require "rille.guard".check_schema("schema:" .. word, self.run.handle)
  self.run:change(fn)
end

--- Make a table.
---@param name string
---@param fn fun(t: rille.TableWords)
function Schema:create(name, fn)
  local blueprint = require "rille.schema.table".describe(name, fn)
  local run = self.run
  change(self, "create", function()
    require "rille.schema.tenant".complete(run, blueprint, "create")
    local engine = Engine.of(run.handle)
    for _, statement in ipairs(engine.create(blueprint)) do run:execute(statement) end
    if engine.created then engine.created(run, blueprint) end
  end)
end

--- Change a table.  On SQLite a change that ALTER TABLE cannot do makes the table anew, with all its rows, indexes and
--- triggers; where rows would not fit, nothing happens and the error says how many.  A column that is changed keeps its
--- rows, indexes, key, foreign key and collation; all else is what the words say, its own checks included.
---@param name string
---@param fn fun(t: rille.TableWords)
function Schema:table(name, fn)
  local blueprint = require "rille.schema.table".alter(name, fn)
  local run, engine = self.run, Engine.of(self.run.handle)
  local later = engine.put_off and engine.put_off(run, blueprint) or {}
  change(self, "table", function()
    require "rille.schema.tenant".complete(run, blueprint, "alter")
    engine.alter(run, blueprint)
  end)
  for _, index in ipairs(later) do engine.create_concurrently(run, name, index) end
end

--- Give a table another name; foreign keys, views and triggers follow.
---@param from string
---@param to string
function Schema:rename(from, to)
  Name.check_table("rename", from)
  Name.check_table("rename", to)
  local run = self.run
  change(self, "rename", function()
    Engine.of(run.handle).rename(run, from, to)
    require "rille.json_schema.store".moved(run, from, to)
  end)
end

local function drop(run, name)
  Engine.of(run.handle).drop(run, name)
  require "rille.json_schema.store".moved(run, name)
end

--- Drop a table with its rows.  Refused while another table refers to it, or a view or a trigger needs it.
---@param name string
function Schema:drop(name)
  Name.check_table("drop", name)
  change(self, "drop", function() drop(self.run, name) end)
end

--- The same, or nothing when there is no such table.
---@param name string
function Schema:drop_if_exists(name)
  Name.check_table("drop_if_exists", name)
  change(self, "drop_if_exists", function()
    if self:has_table(name) then drop(self.run, name) end
  end)
end

--- Is there a table, and not a view, of this name?
---@param name string
---@return boolean
function Schema:has_table(name)
  Name.check_table("has_table", name)
  return Engine.of(self.run.handle).has_table(self.run, name)
end

--- Has the table, if it is there, this column?
---@param table_name string
---@param column string
---@return boolean
function Schema:has_column(table_name, column)
  Name.check_table("has_column", table_name)
  Name.check("has_column", column)
  local run, engine = self.run, Engine.of(self.run.handle)
  return engine.has_table(run, table_name) and engine.has_column(run, table_name, column)
end

--- Run one statement as it is.
---@param sql string  `?` for each value, or `:name` with one table
---@param ... any     as in db:execute
---@return { changes: integer, last_id: integer }
function Schema:raw(sql, ...)
  if type(sql) ~= "string" then Error.argument("raw", "SQL text", sql) end
  M.refuse_control("raw", sql)
  local run = self.run
  local function execute(_, ...) return run:execute(...) end
  local done = run.handle._with_leave("raw", execute, run.handle, sql, ...)
  run.handle:forget()
  return done
end

--- The SQL that `fn(schema)` would run; it runs on an empty copy, and the database stays as it is.
---@param fn fun(schema: rille.Schema)
---@return string[] statements
function Schema:pretend(fn)
  return require "rille.schema.rehearsal".statements(self.run.handle, function() fn(self) end)
end

--- rille.schema: the words for a connection.
---@param connection? string|rille.Handle  the default connection when absent
---@return rille.Schema
function M.on(connection)
  local handle = connection
  if type(connection) ~= "table" then handle = require "rille.database".get(connection) end
  return setmetatable({ run = require "rille.schema.runner".new(handle) }, Schema)
end

return M
