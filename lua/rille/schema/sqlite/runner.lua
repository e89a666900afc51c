--- sqlite.runner: schema statements on SQLite, with foreign keys off where a table is rebuilt.
-- SQLite can change most of a table only by making a new one and dropping the old, and with foreign keys on, DROP TABLE
-- deletes the rows that refer to it.  They can be switched off only while no transaction is open.  So a change is first
-- tried as it is; when it turns out to need a rebuild, what was done is taken back, foreign keys are switched off, and
-- it runs again, with a look for dangling references before the commit.
local Base = require "rille.schema.runner"
local Error = require "rille.error"

---@class rille.SqliteRunner: rille.SchemaRunner
local Runner = setmetatable({}, { __index = Base })
Runner.__index = Runner

-- Handle -> { wanted = boolean } while a change runs that can begin again without foreign keys.
local changes = setmetatable({}, { __mode = "k" })

--- A switch of the connection that is set back when the scope is left.
local Switch = { __close = function(self) self.db:execute(("pragma %s = %d"):format(self.name, self.before)) end }

--- Set a switch of the connection: `local guard <close> = run:switch("legacy_alter_table", 1)`.
---@param name string
---@param value 0|1
function Runner:switch(name, value)
  local db = self.handle:_connect()
  local before = db:query("pragma " .. name)[1][name]
  db:execute(("pragma %s = %d"):format(name, value))
  return setmetatable({ db = db, name = name, before = before }, Switch)
end

---@return boolean
function Runner:foreign_keys_are_on()
  return self.handle:_connect():query("pragma foreign_keys")[1].foreign_keys == 1
end

--- Before a table is dropped to be made anew: raises, if foreign keys are on, what makes the change begin again.
---@param table_name string
function Runner:want_foreign_keys_off(table_name)
  if not self:foreign_keys_are_on() then return end
  local change = changes[self.handle]
  if change then change.wanted = true end
  Error.raise("migration", ("the table %q must be rebuilt, which wants foreign keys switched off"):format(table_name), {
    table = table_name, hint = "SQLite can do that only outside a transaction: call it before one, or in a migration",
  })
end

--- Child table -> { rows = parent -> how many refer to nothing there, mismatch = why that cannot be said }.
local function dangling(self)
  local found = {}
  for _, child in ipairs(self:rows [[select distinct m.name as name from sqlite_schema as m,
      pragma_foreign_key_list(m.name) where m.type = 'table']]) do
    local rows, e = self:try(
      [[select "parent" as parent, count(*) as n from pragma_foreign_key_check(?) group by 1 order by 1]], child.name)
    local counts = {}
    for _, row in ipairs(rows or {}) do counts[row.parent] = row.n end
    found[child.name] = { rows = counts, mismatch = e }
  end
  return found
end

--- Raise for references that dangle now and did not before.
local function compare_dangling(before, after)
  for child, now in pairs(after) do
    local was = before[child] or { rows = {} }
    if now.mismatch and not was.mismatch then
      local why = now.mismatch.message
      Error.raise("migration", ("the foreign keys of %q do not fit any more: %s"):format(child, why), {
        table = child, hint = "what a foreign key references must be a primary key or unique",
      })
    end
    for parent, count in pairs(now.rows) do
      local more = count - (was.rows[parent] or 0)
      if more > 0 then
        Error.raise("migration", ("%d row%s of %q would refer to rows of %q that are not there"):format(more,
          more == 1 and "" or "s", child, parent), { table = child, hint = "change or delete these rows first" })
      end
    end
  end
end

--- Run `fn` in a transaction with foreign keys off; they are looked after at its end instead.
---@param fn fun(): any
---@return any
function Runner:without_foreign_keys(fn)
  if self:in_transaction() then
    Error.raise("invalid_argument", "foreign keys cannot be switched off inside a transaction")
  end
  local guard <close> = self:switch("foreign_keys", 0)                          -- luacheck: ignore 211
  return self:transact(function()
    if self:foreign_keys_are_on() then
      Error.raise("busy", "foreign keys cannot be switched off: another coroutine has a transaction open")
    end
    local before = dangling(self)
    local result = fn()
    compare_dangling(before, dangling(self))
    return result
  end)
end

--- Run `fn`: all of it happens or nothing.  Outside a transaction it may be called a second time, after what the first
--- call did was taken back, when a table has to be rebuilt.  Inside one, whoever began that decides.
---@param fn fun(): any
---@return any
function Runner:change(fn)
  if self:in_transaction() then return self:transact(fn) end
  local state <close> = setmetatable({ wanted = false }, { __close = function() changes[self.handle] = nil end })
  changes[self.handle] = state
  local result = table.pack(xpcall(self.transact, Error.keep_trace, self, function()
    local value = fn()
    if state.wanted then Error.raise("migration", "a table must be rebuilt") end       -- somebody caught it
    return value
  end))
  if result[1] then return result[2] end
  if not state.wanted then Error.again(result[2]) end
  return self:without_foreign_keys(fn)
end

return Runner
