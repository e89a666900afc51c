--- tenant.side: one database of a move of a tenant's rows: which rows are meant there, and what is noted of the move.
-- What differs between engines is in the folder of this name; side/sqlite.lua says what each word of it is for.
local Error = require "rille.error"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Transaction = require "rille.transaction"

local quote = Name.quote

---@class rille.MoveSide
---@field db rille.Handle
---@field schema? string      what the database is called on its connection, where that has both sides
---@field counts integer[]    of the rows that are marked, a table of the plan each
local Side = {}

--- A side at an engine, which adds its words.
function Side.kind()
  local kind = setmetatable({}, { __index = Side })
  kind.__index = kind
  return kind
end

local function engine_of(handle) return require("rille.tenant.side." .. handle.driver) end

--- Open both sides on connections of their own: where they can be, one connection for two files, so that SQL sees both.
---@param from rille.Handle
---@param to? rille.Handle
---@return rille.MoveSide from
---@return rille.MoveSide? to
function Side.open(from, to)
  if to and from.driver == "sqlite" and to.driver == "sqlite" then return engine_of(from).open_both(from, to) end
  local source = engine_of(from).new(from)
  if not to then return source end
  local ok, target = xpcall(engine_of(to).new, Error.keep_trace, to)
  if ok then return source, target end
  source:close()
  Error.again(target)
end

function Side:close() self.db:close() end

--- SQL: a table of this side.
---@param name string
---@return string
function Side:place(name) return self.schema and ("%s.%s"):format(self.schema, quote(name)) or quote(name) end

-- -- which rows -----------------------------------------------------------------------------------------------------

--- The short-lived table of the marked rows of table number i.
local function set_of(self, i) return ("rille_move_%s%d"):format(self.schema or "", i) end

--- SQL: a row of table number i is one of those that are meant.
---@param i integer
---@param alias string
---@param row? string  the column that tells the rows apart; nil: as it does in the table itself
function Side:meant(i, alias, row)
  return ("%s.%s in (select id from %s)"):format(alias, row or self.ROW, set_of(self, i))
end

--- Find the tenant's rows, in a transaction; how many there are.
---@param plan rille.MovedTable[]
---@param id integer|string
---@return integer
function Side:mark(plan, id)
  local db, row, total = self.db, self.ROW, 0
  for i, each in ipairs(plan) do
    local own, set = each.column and Moved.id_for(db, each, id), set_of(self, i)
    db:_execute(("create temp table if not exists %s (id %s primary key)%s"):format(set, self.ROW_TYPE,
      self.SHORT_LIVED))
    db:_execute("delete from " .. set)
    self.counts[i] = own ~= nil and db:_execute(("insert into %s select %s from %s where %s = ?"):format(set, row,
      self:place(each.name), quote(each.column)), own).changes or 0
  end
  local more
  repeat
    more = 0
    for i, each in ipairs(plan) do
      for _, key in ipairs(each.column and {} or each.keys) do
        local sql = "insert into %s select c.%s from %s as c join %s as p on %s where %s on conflict do nothing"
        local added = db:_execute(sql:format(set_of(self, i), row, self:place(each.name),
          self:place(plan[key.to].name), Moved.matches("c", key.columns, "p", key.references),
          self:meant(key.to, "p"))).changes
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
    self.db:_execute(("delete from %s as t where %s"):format(self:place(plan[i].name), self:meant(i, "t")))
  end
end

--- Which rows of others refer to marked ones.
---@return rille.Reference[]
function Side:referring(plan)
  local list = {}
  for i, each in ipairs(plan) do
    for _, key in ipairs(each.keys) do
      local sql = "select count(*) as n from %s as c join %s as p on %s where %s and not (%s)"
      local rows = self.db:_query(sql:format(self:place(each.name), self:place(plan[key.to].name),
        Moved.matches("c", key.columns, "p", key.references), self:meant(key.to, "p"), self:meant(i, "c")))[1].n
      if rows > 0 then list[#list + 1] = { table = each.name, parent = plan[key.to].name, rows = rows } end
    end
  end
  return list
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
    for _, key in ipairs(self:keys(plan[i].name, may_be_there)) do
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
  local ok, e = pcall(self.db._execute, self.db, ("create table if not exists %s (tenant %s not null primary key, "
    .. "state text not null)"):format(self:place(Moved.NOTES), self.KEY_TYPE))
  if not ok and not (Error.is(e, "unique_violation") and self:has_notes()) then Error.again(e) end
end

--- What is noted of a tenant, as Moved.read gives it; nil where nothing is.
---@return string? state
---@return string? digest
function Side:state(key)
  if not self:has_notes() then return nil end
  local row = self.db:_query(("select state from %s where tenant = ?"):format(self:place(Moved.NOTES)), key)[1]
  return Moved.read(row and row.state)
end

function Side:note(key, state)
  self.db:_execute(("insert into %s (tenant, state) values (?, ?) on conflict (tenant) do update set "
    .. "state = excluded.state"):format(self:place(Moved.NOTES)), key, state)
end

--- Forget what is noted, if it is that.
function Side:forget(key, state)
  if self:state(key) == state then
    self.db:_execute(("delete from %s where tenant = ?"):format(self:place(Moved.NOTES)), key)
  end
end

-- -- transactions ---------------------------------------------------------------------------------------------------

local function lock_notes(self)
  local ok, e = pcall(self.lock_notes, self)
  if ok then return end
  if not Error.is(e, "busy") then Error.again(e) end
  Error.raise("busy", ("another move of a tenant's rows is under way in %s"):format(self.db:place()), {
    code = e.code, hint = "run this one again when that has ended: it goes on where it is",
  })
end

--- Run `fn` in a transaction that writes; no other move of this database is under way meanwhile.  What others commit
--- until a lock is had is seen, whatever the server's default is.  Where both sides have one connection, the one
--- inside the other is a savepoint.
function Side:write(fn)
  return self.db:transaction(function()
    self:durable()
    if self:has_notes() then lock_notes(self) end
    return fn()
  end, { isolation = "read_committed" })
end

--- Run `fn`, for which all is as it is at one moment.
function Side:read(fn) return Transaction.at_one_moment(self.db, fn) end

return Side
