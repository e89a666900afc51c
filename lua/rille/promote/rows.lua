--- promote.rows: the rows of a table carried from one database into another, or looked at, and compared.
-- A row is told apart by its primary key.  Values are compared by what the target's column makes of them, on both sides
-- alike (core/run/carry.h); sums of rows do not depend on their order, so no collation matters.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

local BUCKETS <const> = 1 << 16      -- as many as the core deals rows out to
local SUM_BYTES <const> = 24         -- of a bucket
local MOST <const> = 20              -- rows that are named, of a table

---@class rille.CarryColumn
---@field name string       in the target
---@field source string     in the source
---@field declared string   its type in the target
---@field required boolean  the target takes no NULL
---@field key boolean       of the primary key
---@field as_text? boolean  both sides are of one engine and one type, and what it prints says all

---@class rille.CarryTable
---@field name string       in the target
---@field source string     in the source
---@field columns rille.CarryColumn[]
---@field order? string     SQL: in which the source's rows are read fastest
---@field where? { source: string?, name: string? }  SQL: of which rows of the source, and of the target; all where
---  absent
---@field exact boolean     the target keeps every digit of a decimal

---@class rille.Carried
---@field rows integer
---@field digest string     of all rows, whatever their order
---@field misfit_count integer  values that the target would not take
---@field misfits rille.Misfit[]  some of them

---@class rille.Misfit
---@field table string
---@field row string        which one, in words
---@field column string
---@field why string

local function select_of(plan, side)
  local names = {}
  for i, column in ipairs(plan.columns) do
    local name = Name.quote(column[side])
    if column.as_text then
      names[i] = ("%s::text as %s"):format(name, Name.quote(column.name))
    else
      names[i] = side == "source" and column.source ~= column.name and ("%s as %s"):format(name,
        Name.quote(column.name)) or name
    end
  end
  local sql = ("select %s from %s"):format(table.concat(names, ", "), Name.quote(side == "source" and plan.source
    or plan.name))
  if side == "source" and plan.order then sql = sql .. " not indexed" end
  local where = plan.where and plan.where[side]
  if where then sql = sql .. " where " .. where end
  return side == "source" and plan.order and sql .. " order by " .. plan.order or sql
end

--- A row in words: by its key, or by its place where it has none.
local function named(row)
  local parts = {}
  for _, name in ipairs(require "rille.keys"(row.key)) do
    local value = row.key[name]
    parts[#parts + 1] = ("%s = %s"):format(require "rille.core".shown(name), type(value) == "string"
      and Error.quote(value) or tostring(value))
  end
  return parts[1] and table.concat(parts, ", ") or ("row %d"):format(row.number)
end

local function carry(handle, plan, side, more)
  more.sql, more.table, more.columns, more.exact = select_of(plan, side), plan.name, plan.columns, plan.exact
  more.most = more.most or MOST
  local done = handle:_connect():carry(more)
  for _, each in ipairs(done.misfits) do
    each.table, each.row, each.key, each.number = plan.name, named(each), nil, nil
  end
  return done
end

--- Add up the rows of the source, and find what the target would not take.
---@param from rille.Handle
---@param plan rille.CarryTable
---@param on_progress? fun(rows: integer)
---@return rille.Carried
function M.look(from, plan, on_progress) return carry(from, plan, "source", { progress = on_progress }) end

--- Add up the rows that the target has.
---@param to rille.Handle
---@param plan rille.CarryTable
---@param on_progress? fun(rows: integer)
---@return rille.Carried
function M.sum(to, plan, on_progress) return carry(to, plan, "name", { progress = on_progress }) end

--- Copy the rows into the target, which is in a transaction.  Where a value does not fit no row is kept, and the
--- transaction is to be rolled back.
---@param from rille.Handle
---@param to rille.Handle
---@param plan rille.CarryTable
---@param on_progress? fun(rows: integer)
---@return rille.Carried
function M.copy(from, to, plan, on_progress)
  return carry(from, plan, "source", { target = to:_connect(), progress = on_progress })
end

--- Marks for the buckets in which both sides differ, at most so many that their rows can be named.
local function differing(here, there)
  local marks, count = {}, 0
  for i = 0, BUCKETS - 1 do
    local from = i * SUM_BYTES + 1
    local differs = count < MOST and here:sub(from, from + SUM_BYTES - 1) ~= there:sub(from, from + SUM_BYTES - 1)
    marks[i + 1] = differs and "\1" or "\0"
    if differs then count = count + 1 end
  end
  return table.concat(marks)
end

--- The rows in which both sides differ, some of them, in words: "id = 7 is missing".
---@param from rille.Handle
---@param to rille.Handle
---@param plan rille.CarryTable
---@return string[]
function M.differences(from, to, plan)
  local here, there = carry(from, plan, "source", { buckets = true }), carry(to, plan, "name", { buckets = true })
  local picks = differing(here.buckets, there.buckets)
  local found, sides = {}, {}
  for i, side in ipairs { { from, "source" }, { to, "name" } } do
    local rows = {}
    local picked = carry(side[1], plan, side[2], { picks = picks, most = MOST * BUCKETS }).picked
    for _, row in ipairs(picked) do
      rows[next(row.key) and named(row) or "a row of digest " .. row.digest] = row.digest
    end
    sides[i] = rows
  end
  for row, digest in next, sides[1] do
    local other = sides[2][row]
    if other ~= digest then found[#found + 1] = row .. (other and " is another" or " is missing") end
  end
  for row in next, sides[2] do
    if not sides[1][row] then found[#found + 1] = row .. " was not copied" end
  end
  table.sort(found)
  return table.move(found, 1, math.min(#found, MOST), 1, {})
end

return M
