--- record.undo: what a transaction did to records is taken back with it.
-- A rollback leaves the rows as they were.  A record that was inserted, updated or deleted in between must not go on
-- believing otherwise, or its next save would write nothing, or too little.  So each level of a transaction notes what
-- a record was when that level first touched it, and what it wrote since.  Taken back, the record is what it was, and
-- what had been assigned to it waits to be saved.
--
-- The notes hold no record alive, and cost an insert one entry: what it inserted is the state it keeps anyway.
local core = require "rille.core"
local State = require "rille.record.state"

local PREVIOUS <const>, DECODED <const> = 2, 3
local EMPTY <const> = {}
local peek, original, put = core.record_peek, core.record_original, core.record_put

local M = {}

local WEAK = { __mode = "k" }

---@class rille.Undo                 of one level of a transaction
---@field record rille.Record|false  of a savepoint, which is short: the first that it touched, if by an insert; most
---                                  are around the save of one record and need no other notes
---@field state? table               what was inserted of it
---@field inserted table<rille.Record, table>      first touched by an insert: the state that was inserted
---@field before table<rille.Record, userdata>     first touched otherwise: what it was
---@field wrote table<rille.Record, table<string, true>>   columns written since
---@field related table<rille.Record, table<string, true>>  relations whose rows were written
---@field more boolean               is there anything but `record`?

-- A part of the notes is made when it is first needed.
local Undo = { inserted = EMPTY, before = EMPTY, wrote = EMPTY, related = EMPTY, more = false }
local Notes = { __index = Undo }

local function undo_of(level)
  local undo = level.undo
  if not undo then
    undo = setmetatable({ record = false }, Notes)
    level.undo = undo
  end
  return undo
end

local function note(undo, part, record, value)
  local notes = undo[part]
  if notes == EMPTY then
    notes = setmetatable({}, WEAK)
    undo[part], undo.more = notes, true
  end
  notes[record] = value
end

local function note_inserted(undo, record, state)
  if undo.record == record then undo.state = state else note(undo, "inserted", record, state) end
end

--- Did the level touch the record before?
local function knows(undo, record)
  return undo.record == record or undo.inserted[record] or undo.before[record]
end

local function add_names(undo, record, names)
  local wrote = undo.wrote[record]
  if not wrote then
    wrote = {}
    note(undo, "wrote", record, wrote)
  end
  for name in next, names do
    if type(name) == "string" then wrote[name] = true end
  end
  return wrote
end

--- The record is about to be changed otherwise than by an insert.
---@param level rille.Transaction
---@param record rille.Record
function M.before(level, record)
  local undo = undo_of(level)
  if not knows(undo, record) then note(undo, "before", record, core.record_snapshot(record)) end
end

--- The record has been inserted.
---@param level rille.Transaction
---@param record rille.Record
---@param info table            of its model
---@param created_at? string    the column, when the time was stamped and not given
---@param updated_at? string
function M.inserted(level, record, info, created_at, updated_at)
  local undo, state = level.undo, peek(record)[PREVIOUS]
  if not undo and level.parent then
    undo = setmetatable({ record = record, state = state }, Notes)
    level.undo = undo
  else
    undo = undo or undo_of(level)
    note_inserted(undo, record, state)
  end
  if info.created_at ~= created_at then add_names(undo, record, { [info.created_at] = true }) end
  if info.updated_at ~= updated_at then add_names(undo, record, { [info.updated_at] = true }) end
end

--- Columns of the record have been written, after `before`.
---@param level rille.Transaction
---@param record rille.Record
---@param changes table<string, any>   by the names of the columns
---@param made table<string, true>     among them, those that nobody assigned
function M.wrote(level, record, changes, made)
  local wrote = add_names(level.undo, record, changes)
  for name in next, made do wrote[name] = nil end
end

--- Rows of a relation have been written: what the record reads of it from now on is gone with the transaction.
---@param level rille.Transaction
---@param record rille.Record
---@param name string
function M.related(level, record, name)
  local undo = undo_of(level)
  local names = undo.related[record] or {}
  names[name] = true
  note(undo, "related", record, names)
end

--- The level, a savepoint, is kept: what it touched is up to the level around it.
---@param level rille.Transaction   the level around it
function Undo:merge_into(level)
  local undo, first = undo_of(level), self.record
  if first and not undo.before[first] then note_inserted(undo, first, self.state) end
  if not self.more then return end
  for record, state in next, self.inserted do
    if not undo.before[record] then note_inserted(undo, record, state) end
  end
  for record, before in next, self.before do
    if not knows(undo, record) then note(undo, "before", record, before) end
  end
  for record, names in next, self.wrote do add_names(undo, record, names) end
  for record, names in next, self.related do
    for name in next, names do M.related(level, record, name) end
  end
end

--- The record as it was; the columns in `names` keep the values they have now, as changes that wait.
local function restore(record, before, names)
  local info = State.info_of(record)
  State.collect_decoded(record, info)
  local state, waiting = peek(record) or {}, {}
  for name in next, names do
    local value = info.casts[name] and original(record, name, true) or original(record, name)
    waiting[name] = value == nil and core.null or value
  end
  for name, value in next, state do
    if type(name) == "string" then waiting[name] = value end
  end
  core.record_restore(record, before)
  for name, value in next, waiting do put(record, name, value) end
  local decoded = state[DECODED] or {}
  for name in next, decoded do
    if waiting[name] == nil then decoded[name] = nil end
  end
end

--- The columns that somebody gave a record which was then inserted.
local function given(record, inserted, wrote)
  local info, names = State.info_of(record), {}
  for name in next, inserted do
    if type(name) == "string" and name ~= info.created_at and name ~= info.updated_at then names[name] = true end
  end
  for name in next, wrote or {} do names[name] = true end
  return names
end

--- The level is rolled back.
function Undo:take_back()
  local function take_back(record, state) restore(record, nil, given(record, state, self.wrote[record])) end
  if self.record then take_back(self.record, self.state) end
  for record, state in next, self.inserted do take_back(record, state) end
  for record, before in next, self.before do restore(record, before, self.wrote[record] or {}) end
  for record, names in next, self.related do
    for name in next, names do core.record_relate(record, name, nil) end
  end
end

return M
