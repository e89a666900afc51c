--- carriage.staged: the rows of a table between two databases that no SQL sees both of, for one of them at least is at
-- a server, or somebody is to hear of what is written to each.
-- They are carried as `rille promote` carries them: every value is looked at for the column that is to keep it before
-- anything is written, and both sides are added up.  On their way they wait in a short-lived table of the target,
-- where they are compared with what is there.
local Error = require "rille.error"
local Rows = require "rille.promote.rows"
local Target = require "rille.promote.target"

local Staged = {}
Staged.__index = Staged

--- Columns of the target that the source has not: what is in them would not find its way back.
local function tell_more(source, target, tell)
  local known = {}
  for _, column in ipairs(source.columns) do known[column.name:lower()] = true end
  for _, column in ipairs(target.columns) do
    if not column.generated and not known[column.name:lower()] then
      tell(("%s.%s of the target has no place in the source"):format(target.name, column.name))
    end
  end
end

--- Between two servers what a column of the same type prints says all of a value, NaN and infinite days too.
local function take_as_text(source, columns)
  local declared = {}
  for _, column in ipairs(source.columns) do declared[column.name] = column.declared end
  for _, column in ipairs(columns) do
    if not column.key and column.declared == declared[column.source] then
      column.as_text, column.declared = true, "text"
    end
  end
end

--- Between two files a column of the same type keeps whatever is in the other one.
local function take_as_it_is(source, columns)
  local declared = {}
  for _, column in ipairs(source.columns) do declared[column.name] = column.declared or "" end
  for _, column in ipairs(columns) do
    if column.declared == declared[column.source] then column.declared = "" end
  end
end

--- Which column of a table takes which.
local function columns_of(from, to, name)
  local source, target, wrong = from.db:describe(name), to.db:describe(name), {}
  local function tell(why) wrong[#wrong + 1] = why end
  if not target then
    tell "the target has no such table"
  else
    local columns = Target.columns(source.columns, target, tell)
    tell_more(source, target, tell)
    if from.db.driver == to.db.driver then
      (to.db.driver == "postgres" and take_as_text or take_as_it_is)(source, columns)
    end
    if #wrong == 0 then return columns end
  end
  Error.raise("migration", ("%s is another table in the target: %s"):format(name, table.concat(wrong, "; ")), {
    table = name, hint = "both databases must have the same migrations",
  })
end

---@param from rille.MoveSide
---@param to rille.MoveSide
---@param name string
---@param stage string         where they wait
---@param where string         SQL: which rows of the source
---@param where_there? string  SQL: which rows of the target are to be the same then
---@return rille.Carriage
function Staged.new(from, to, name, stage, where, where_there)
  local exact, columns = to.db:engine().exact_decimals, columns_of(from, to, name)
  local function plan(there, wheres)
    return { name = there, source = name, columns = columns, exact = exact, where = wheres }
  end
  return setmetatable({ from = from, to = to, name = name, columns = columns, waits_in = stage,
    rows = plan(name, { source = where, name = where_there }), way = plan(stage, { source = where }) }, Staged)
end

function Staged:look() self.seen = Rows.look(self.from.db, self.rows) end

function Staged:sum() return Rows.sum(self.to.db, self.rows) end

function Staged:differences() return Rows.differences(self.from.db, self.to.db, self.rows) end

--- Raises where they are others there.
function Staged:stage()
  self.to:make_like(self.waits_in, self.name, self.columns)
  Rows.copy(self.from.db, self.to.db, self.way)
  local there = Rows.sum(self.to.db, self.way)
  if there.rows == self.seen.rows and there.digest == self.seen.digest then return end
  Error.raise("checksum_mismatch", ("%s: the target does not keep these rows as they are: %s"):format(self.name,
    table.concat(Rows.differences(self.from.db, self.to.db, self.way), "; ")), {
    table = self.name, hint = "nothing was moved; what type have its columns in the target?",
  })
end

function Staged:coming() return self.waits_in end

return Staged
