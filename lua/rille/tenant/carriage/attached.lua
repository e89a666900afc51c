--- carriage.attached: the rows of a table between two files that one connection has: SQL brings them, and they wait
-- nowhere.  Values are compared as SQLite writes them, for the columns of both sides are the same.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local Attached = {}
Attached.__index = Attached

local SHOWN <const> = 5            -- rows of a table that differ

local quote = Name.quote

--- Raise unless a table has the same columns on both sides.
local function check_columns(from, to, name)
  local function names_on(side)
    local names = {}
    for i, row in ipairs(side.db:_query("select name from pragma_table_info(?, ?) order by name", name, side.schema)) do
      names[i] = row.name
    end
    return table.concat(names, ", ")
  end
  local here, there = names_on(from), names_on(to)
  if here == there then return end
  Error.raise("migration", ("%s has other columns in the target: %s; and here: %s"):format(name, there, here), {
    table = name, hint = "both databases must have the same migrations",
  })
end

---@param from rille.MoveSide
---@param to rille.MoveSide
---@param name string
---@param stage string         what staged.lua would call where they wait
---@param where string         SQL: which rows of the source
---@param where_there? string  SQL: which rows of the target are to be the same then
---@return rille.Carriage
function Attached.new(from, to, name, stage, where, where_there)               -- luacheck: ignore 212
  check_columns(from, to, name)
  local columns = {}
  for _, column in ipairs(from.db:describe(name).columns) do
    if not column.generated then columns[#columns + 1] = column end
  end
  return setmetatable({ from = from, to = to, name = name, columns = columns, where = where,
    where_there = where_there }, Attached)
end

--- The columns in a form that tells all values apart.
local function exact(self)
  local parts = {}
  for i, column in ipairs(self.columns) do parts[i] = ("quote(%s)"):format(quote(column.name)) end
  return table.concat(parts, ", ")
end

local function sum(self, side, where)
  local columns = {}
  for i, column in ipairs(self.columns) do columns[i] = { name = column.name, declared = "TEXT" } end
  return side.db:_connect():carry { table = self.name, columns = columns, exact = true, most = 1,
    sql = ("select %s from %s where %s"):format(exact(self), side:place(self.name), where) }
end

function Attached:look() self.seen = sum(self, self.from, self.where) end

function Attached:sum() return sum(self, self.to, self.where_there) end

--- Which rows of a side the other one has not, in words.
local function only_in(self, word, side, where, other, where_other)
  local rows = ("from %s where %s and (%s) not in (select %s from %s where %s)"):format(side:place(self.name), where,
    exact(self), exact(self), other:place(self.name), where_other)
  local count, ids = side.db:_query("select count(*) as n " .. rows)[1].n, {}
  if count == 0 then return nil end
  for i, row in ipairs(side.db:_query(("select rowid as id %s order by rowid limit %d"):format(rows, SHOWN))) do
    ids[i] = tostring(row.id)
  end
  return ("%d row%s only in the %s: %s%s"):format(count, count == 1 and "" or "s", word, table.concat(ids, ", "),
    count > #ids and " …" or "")
end

function Attached:differences()
  local words = { only_in(self, "target", self.to, self.where_there, self.from, self.where) }
  words[#words + 1] = only_in(self, "source", self.from, self.where, self.to, self.where_there)
  return words
end

function Attached:coming()
  return ("(select * from %s where %s)"):format(self.from:place(self.name), self.where)
end

return Attached
