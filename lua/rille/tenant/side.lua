--- tenant.side: one database of a move of a tenant's rows, with the words of its engine: which rows are meant there,
-- and what is noted of the move.
local Error = require "rille.error"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Transaction = require "rille.transaction"

local Side = {}
Side.__index = Side

local M = {}

local quote = Name.quote

---@class rille.MoveSide
---@field db rille.Handle
---@field words table         side/sqlite.lua or side/postgres.lua
---@field counts integer[]    of the rows that are marked, a table of the plan each

--- Open a connection of its own to the database of a handle.
---@param handle rille.Handle
---@return rille.MoveSide
function M.open(handle)
  local words = require("rille.tenant.side." .. handle.driver)
  local db = require "rille.handle".new("move", words.settings(handle.settings))
  words.begin(db)
  return setmetatable({ db = db, words = words, counts = {} }, Side)
end

function Side:close() self.db:close() end

-- -- which rows -----------------------------------------------------------------------------------------------------

local function set_of(i) return "rille_move_" .. i end

-- SQL: a row of table number i is one of those that are meant.
function Side:meant(i, alias)
  return ("%s.%s in (select id from %s)"):format(alias, self.words.ROW, set_of(i))
end

--- Find the tenant's rows, in a transaction; how many there are.
---@param plan rille.MovedTable[]
---@param id integer|string
---@return integer
function Side:mark(plan, id)
  local db, row, total = self.db, self.words.ROW, 0
  for i, each in ipairs(plan) do
    local own = each.column and Moved.id_for(db, each, id)
    db:_execute(("create temp table if not exists %s (id %s primary key)%s"):format(set_of(i), self.words.ROW_TYPE,
      self.words.SHORT_LIVED))
    db:_execute("delete from " .. set_of(i))
    self.counts[i] = own ~= nil and db:_execute(("insert into %s select %s from %s where %s = ?"):format(set_of(i), row,
      quote(each.name), quote(each.column)), own).changes or 0
  end
  local more
  repeat
    more = 0
    for i, each in ipairs(plan) do
      for _, key in ipairs(each.column and {} or each.keys) do
        local sql = "insert into %s select c.%s from %s as c join %s as p on %s where %s on conflict do nothing"
        local added = db:_execute(sql:format(set_of(i), row, quote(each.name), quote(plan[key.to].name),
          Moved.matches("c", key.columns, "p", key.references), self:meant(key.to, "p"))).changes
        self.counts[i], more = self.counts[i] + added, more + added
      end
    end
  until more == 0
  for i = 1, #plan do total = total + self.counts[i] end
  return total
end

--- Delete the marked rows, those first that refer to others.
function Side:clear(plan, order)
  for k = #order, 1, -1 do
    local i = order[k]
    self.db:_execute(("delete from %s as t where %s"):format(quote(plan[i].name), self:meant(i, "t")))
  end
end

--- How many rows of others refer to marked ones.
---@return integer
function Side:referring(plan)
  local count = 0
  for i, each in ipairs(plan) do
    for _, key in ipairs(each.keys) do
      local sql = "select count(*) as n from %s as c join %s as p on %s where %s and not (%s)"
      count = count + self.db:_query(sql:format(quote(each.name), quote(plan[key.to].name),
        Moved.matches("c", key.columns, "p", key.references), self:meant(key.to, "p"), self:meant(i, "c")))[1].n
    end
  end
  return count
end

local function refuse_circle(a, b, key)
  Error.raise("unsupported", ("%s and %s refer to each other, and neither can be first"):format(a, b), {
    table = a, hint = ("make the foreign key of %s over %s deferrable: alter table … alter constraint … deferrable")
      :format(a, table.concat(key.columns, ", ")),
  })
end

--- The tables in an order in which rows refer to those before them, or to their own table.  Keys that go in a circle
--- are looked after at the end of the transaction; raises where one cannot be, but for tables of which rows may
--- be there already, and none may have to come.
---@param plan rille.MovedTable[]
---@param may_be_there? boolean
---@return integer[] order
---@return boolean circles
function Side:order(plan, may_be_there)
  local order, state, circles = {}, {}, false
  local function visit(i)
    state[i] = "open"
    for _, key in ipairs(self.words.keys(self.db, plan[i].name, may_be_there)) do
      local to = plan.at[key.table:lower()]
      if to and to ~= i and state[to] == "open" then
        circles = true
        if not key.deferrable and not may_be_there then refuse_circle(plan[i].name, plan[to].name, key) end
      elseif to and to ~= i and not state[to] then
        visit(to)
      end
    end
    state[i] = "done"
    order[#order + 1] = i
  end
  for i = 1, #plan do
    if not state[i] then visit(i) end
  end
  return order, circles
end

-- -- notes ----------------------------------------------------------------------------------------------------------

--- A server may refuse one of two processes that make the table at once, though neither minds that it is there.
function Side:make_notes()
  local ok, e = pcall(self.db._execute, self.db, self.words.NOTES)
  if not ok and not (Error.is(e, "unique_violation") and self.words.has_notes(self.db)) then Error.again(e) end
end

--- What is noted of a tenant, as Moved.read gives it; nil where nothing is.
---@return string? state
---@return string? digest
function Side:state(key)
  if not self.words.has_notes(self.db) then return nil end
  local row = self.db:_query(("select state from %s where tenant = ?"):format(Moved.NOTES), key)[1]
  return Moved.read(row and row.state)
end

function Side:note(key, state)
  self.db:_execute(("insert into %s (tenant, state) values (?, ?) on conflict (tenant) do update set "
    .. "state = excluded.state"):format(Moved.NOTES), key, state)
end

--- Forget what is noted, if it is that.
function Side:forget(key, state)
  if self:state(key) == state then self.db:_execute(("delete from %s where tenant = ?"):format(Moved.NOTES), key) end
end

-- -- transactions ---------------------------------------------------------------------------------------------------

--- Run `fn` in a transaction that writes; no other move of this database is under way meanwhile.  What others commit
--- until a lock is had is seen, whatever the server's default is.
function Side:write(fn)
  return self.db:transaction(function()
    self.words.durable(self.db)
    if self.words.has_notes(self.db) then self.words.lock_notes(self.db) end
    return fn()
  end, { isolation = "read_committed" })
end

--- Run `fn` as write() does, and take all of it back.
function Side:try(fn)
  local tx <close> = self.db:begin()                                           -- luacheck: ignore 211
  return fn()
end

--- Run `fn`, for which all is as it is at one moment.
function Side:read(fn) return Transaction.at_one_moment(self.db, fn) end

return M
