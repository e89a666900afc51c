--- difference: what leads from a table that is there to the one that a model describes, and back, as words.
local Diff = require "rille.schema.diff"
local Name = require "rille.schema.name"
local Recall = require "rille.schema.recall"
local Say = require "rille.schema.say"

local M = {}

---@class rille.Difference
---@field table string
---@field up string[]        words of t; none when the table is made or is the same
---@field down string[]
---@field create? boolean    the table is missing
---@field unsaid string[]    what of it no word can say
---@field changes string[]   sentences
---@field lost string[]      names of columns that go, with what they hold
---@field came string[]      names of columns that come

local function by_name(list)
  local found = {}
  for _, each in ipairs(list) do found[each.name:lower()] = each end
  return found
end

local function names_of(index)
  local names = {}
  for i, part in ipairs(index.columns) do names[i] = part[1] end
  return names
end

--- Changes of columns and keys as words; `to` is the blueprint of what shall be.
local function words(changes, to)
  local lines, columns, dropped, added = {}, by_name(to.columns), {}, {}
  local function add(text, ...) lines[#lines + 1] = text:format(...) end
  for _, change in ipairs(changes) do
    if change.kind == "drop_column" then dropped[change.column:lower()] = true end
    if change.kind == "add_column" then added[change.column:lower()] = true end
  end
  local wanted = {}                                -- indexes that come, for the columns that come to say them along
  for _, change in ipairs(changes) do
    if change.kind == "add_index" then wanted[change.now.name] = true end
  end
  for _, index in ipairs(to.indexes) do index.said = not wanted[index.name] or nil end
  local say = {
    drop_index = function(change)
      local gone = #change.was.columns > 0
      for _, name in ipairs(names_of(change.was)) do gone = gone and dropped[name:lower()] end
      if gone then return end
      if change.was.constraint then
        add("t:drop_unique(%s)", Say.list(names_of(change.was)))
      else
        add("t:drop_index { name = %s }", Say.literal(change.was.name))
      end
    end,
    drop_foreign = function(change) add("t:drop_foreign(%s)", Say.list(change.was.columns)) end,
    drop_check = function(change)
      if not change.was.name then return "a check without a name cannot be dropped: " .. change.was.sql end
      add("t:drop_check(%s)", Say.literal(change.was.name))
    end,
    drop_column = function(change) add("t:drop(%s)", Say.literal(change.column)) end,
    add_column = function(change)
      local column = columns[change.column:lower()]
      if not column then return "no word makes the column " .. Name.quote(change.column) end
      add("%s", Say.column(column, to))
    end,
    change_column = function(change)
      local column = columns[change.column:lower()]
      if not column then return "no word makes the column " .. Name.quote(change.column) end
      if column.auto or change.was.auto then return "a key that is counted up stays what it is" end
      if change.was.reference and not change.now.reference then
        add("t:drop_foreign(%s)", Say.list { change.column })
      end
      add("%s", Say.column(column, to, { change = true }))
    end,
    primary = function(change)
      if #change.was > 0 then add "t:drop_primary()" end
      if #change.now > 0 then add("t:primary(%s)", Say.list(change.now)) end
    end,
    add_check = function(change)
      local said = change.now                        -- in the words of the model rather than the server's
      for _, check in ipairs(to.checks) do
        if check.name and check.name == said.name then said = check end
      end
      add("%s", Say.check(said))
    end,
    add_foreign = function(change) add("%s", Say.foreign(change.now)) end,
    add_index = function(change)
      for _, index in ipairs(to.indexes) do
        if index.name == change.now.name and not index.said then
          index.said = true
          add("%s", Say.index(index))
        end
      end
      if change.now.sql then return "no word makes the index " .. change.now.sql end
    end,
    tail = function(change) return change.words end,
  }
  local unsaid = {}
  for _, change in ipairs(changes) do unsaid[#unsaid + 1] = say[change.kind](change) end
  return lines, unsaid, dropped, added
end

local function sorted(set)
  return require "rille.keys"(set)
end

--- What leads from one to the other.
---@param engine rille.SchemaEngine
---@param blueprint rille.Blueprint  what shall be
---@param wanted rille.Picture       the same
---@param found rille.Picture?       what is there
---@return rille.Difference
function M.of(engine, blueprint, wanted, found)
  if not found then
    return { table = blueprint.table, create = true, up = {}, down = {}, lost = {}, came = {},
      unsaid = {}, changes = { ("the table %s is made"):format(Name.quote(blueprint.table)) } }
  end
  local changes, sentences = Diff.of(found, wanted), {}
  for i, change in ipairs(changes) do sentences[i] = change.words end
  local up, unsaid, dropped, added = words(changes, blueprint)
  local down, no_way_back = words(Diff.of(wanted, found), Recall.blueprint(engine, found))
  table.move(no_way_back, 1, #no_way_back, #unsaid + 1, unsaid)
  return { table = blueprint.table, up = up, down = down, changes = sentences, lost = sorted(dropped),
    came = sorted(added), unsaid = unsaid }
end

return M
