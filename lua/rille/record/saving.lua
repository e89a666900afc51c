--- record.saving: the methods of a record that write it, delete it or read it again.
local core = require "rille.core"
local clock = require "rille.clock"
local Error = require "rille.error"
local State = require "rille.record.state"
local Undo = require "rille.record.undo"
local Event = require "rille.record.event"
local fetch = require "rille.fetch"
local innermost = require "rille.transaction".innermost

local PREVIOUS <const>, DECODED <const>, EXTRA <const>, RELATIONS <const> = 2, 3, 4, 5
local state_of, put = core.record_state, core.record_put
local was_selected, collect_decoded, info_of, changes_of = State.was_selected, State.collect_decoded, State.info_of,
  State.changes_of
local is_dirty, check_name, stored_key, gone = State.is_dirty, State.check_name, State.stored_key, State.gone
local has_row, check_there, overtaken = State.has_row, State.check_there, State.overtaken
local original = core.record_original

---@class rille.Record
local Record = State.methods

--- Raise for a record that is in another database than the current tenant's rows, where the tenant decides that.
local function check_home(info) require "rille.tenant.home".check(info.handle, true) end

--- fetch.call where a statement that fails would end the whole transaction: it is undone alone.
local function call_alone(handle, method, record, ...)
  local db = handle:_connect()
  if db:depth() == 0 then return fetch.call(handle, method, record, ...) end
  db:guard_saves(true)
  local ok, a, b = pcall(fetch.call, handle, method, record, ...)
  db:guard_saves(false)
  if ok then return a, b end
  error(a, 0)
end

--- Run a method of the core that writes the record; what was stamped for it is taken back when it fails.  What breaks
--- a declared rule comes back as `false, err`, for the caller to pass on; any other error is raised.
local function write(record, info, stamped, also, method, ...)
  if info.of_tenant then check_home(info) end
  local ok, a, b = pcall(info.stands_alone and call_alone or fetch.call, info.handle, method, record, ...)
  if ok then return a, b end
  local state = state_of(record)
  if stamped then state[stamped] = nil end
  if also then state[also] = nil end
  local invalid = info.rules and info.rules:explain(record, a)
  if invalid then return false, invalid end
  error(fetch.failed_write(a, info.handle, info.class, method, record), 0)
end

local function stamp(record, info, state, name, now)
  if info.stamps_plain then state[name] = now else put(record, name, now) end
end

--- The record is about to change; the innermost transaction notes what it was.
local function note(record, info)
  local level = innermost(info.handle)
  if level then Undo.before(level, record) end
  return level
end

local function insert(record, class, info)
  if has_row(record, info) then gone(record, class, "saved") end
  collect_decoded(record, info)
  local created_at, updated_at = info.created_at, info.updated_at
  if created_at or updated_at then
    local state, now = state_of(record), clock.now()
    created_at = created_at and state[created_at] == nil and created_at or nil
    updated_at = updated_at and state[updated_at] == nil and updated_at or nil
    if created_at then stamp(record, info, state, created_at, now) end
    if updated_at then stamp(record, info, state, updated_at, now) end
  end
  local lock = class._def.lock_column
  if lock and state_of(record)[lock] == nil and not info.has[lock].default then put(record, lock, 1) end
  local done, err = write(record, info, created_at, updated_at, "insert_record")
  if done == false then return false, err end
  local level = innermost(info.handle)
  if level then Undo.inserted(level, record, info, created_at, updated_at) end
end

--- Take the row as it is now; changes that wait are dropped, and what its query computed unless it says `keep`.
local function read_again(record, class, info, as_read, keep)
  if info.of_tenant then check_home(info) end
  local fresh = fetch.find_by(info.handle, info.source, stored_key(record, info, as_read))
  if not fresh then gone(record, class, "read again") end
  note(record, info)
  core.record_take(record, fresh, keep)
end

--- The same after a write of ours: what else belongs to the record stays.
local function read_written(record, class, info, as_read)
  local before = state_of(record)
  read_again(record, class, info, as_read, true)
  local state = state_of(record)
  state[EXTRA], state[RELATIONS] = before[EXTRA], before[RELATIONS]
end

--- What the row must still hold for the record to be written: the lock as it was read, where the model has one.
local function guards_of(record, class)
  local lock = class._def.lock_column
  if not lock then return nil end
  local held, has = original(record, lock)
  if not has then State.missing(class, lock) end
  return { { lock, held == nil and core.null or held } }
end

--- Write what changed.  `made` is a column that was not assigned but changed by what is done.
local function update(record, class, info, made)
  local guards, lock = guards_of(record, class), class._def.lock_column
  if lock then put(record, lock, (guards[1][2] == core.null and 0 or guards[1][2]) + 1) end
  local updated_at, state = info.updated_at, state_of(record)
  if updated_at and state[updated_at] == nil then
    stamp(record, info, state, updated_at, clock.now())
  else
    updated_at = nil
  end
  local previous, level = { updated = changes_of(record, info) }, note(record, info)
  local changed, whole = write(record, info, updated_at, lock, "update_record", guards, previous)
  if changed == false then return false, whole end
  if changed ~= 1 then
    state = state_of(record)
    if updated_at then state[updated_at] = nil end
    if not lock then gone(record, class, "saved") end
    state[lock] = nil
    overtaken(record, class, "saved")
  end
  if level then
    Undo.wrote(level, record, previous.updated, { [updated_at or 1] = true, [made or 1] = true, [lock or 1] = true })
  end
  if not whole then
    read_written(record, class, info)
    state_of(record)[PREVIOUS] = previous
  end
end

--- Put the changes that wait aside, but for some columns; the function that is returned puts them back.
local function set_aside(record, info, ...)
  collect_decoded(record, info)
  local state, changes = state_of(record), {}
  local decoded = state[DECODED] or {}
  for name, value in next, state do
    if type(name) == "string" then changes[name] = value end
  end
  for _, name in ipairs { ... } do changes[name] = nil end
  for name in next, changes do state[name] = nil end
  return function()
    local now = state_of(record)
    now[DECODED] = now[DECODED] or {}
    for name, value in next, changes do
      put(record, name, value)
      now[DECODED][name] = decoded[name]
    end
  end
end

--- Write what was changed, by the rules.
---@return rille.Record|nil record
---@return rille.Error? err
---@return boolean? changed  false when there was nothing to write
local function store(record, info, made)
  local rules, exists = info.rules, core.record_exists(record)
  if exists and not is_dirty(record, info) then return record, nil, false end
  local invalid = rules and rules:check(record, not exists)
  if invalid then return nil, invalid end
  local done, err = (exists and update or insert)(record, info.class, info, made)
  if done == false then return nil, err end
  return record
end

local INSERT <const> = { before = { "saving", "creating" }, after = { "created", "saved" } }
local UPDATE <const> = { before = { "saving", "updating" }, after = { "updated", "saved" } }

--- Write what was changed, between the events of the record.
---@param record rille.Record
---@param info table
---@param made? string  a column that was not assigned but changed by what is done
---@return rille.Record|nil record
---@return rille.Error? err
local function save(record, info, made)
  if not Event.any(info.class._def) then
    local saved, err = store(record, info, made)
    return saved, err
  end
  local events = INSERT
  if core.record_exists(record) then
    if not is_dirty(record, info) then return record end
    events = UPDATE
  end
  return Event.around(record, info, events.before, events.after, store, made)
end

--- Write what was changed; nothing when nothing was.  The rules of `validates` see what would be stored.
---@return rille.Record|nil self
---@return rille.Error? err  of the kind validation; nothing was written
function Record:save() return save(self, info_of(self)) end

--- Would a save be valid?  Asks the database about `unique` and `references` too, and writes nothing.
---@return rille.Record|nil self
---@return rille.Error? err  of the kind validation
function Record:validate()
  local info = info_of(self)
  collect_decoded(self, info)
  local invalid = info.rules and info.rules:check(self, not core.record_exists(self), true)
  if invalid then return nil, invalid end
  return self
end

--- Set attributes and save.
---@param attributes table<string, any>
---@return rille.Record|nil self
---@return rille.Error? err
function Record:update(attributes)
  return Record.save(Record.fill(self, attributes))
end

local function remove(record, info)
  local class = info.class
  check_there(record, class, "deleted")
  if info.of_tenant then check_home(info) end
  note(record, info)
  if fetch.write(info.handle, class, "delete_record", record, guards_of(record, class)) ~= 1 then
    if class._def.lock_column then overtaken(record, class, "deleted") end
    gone(record, class, "deleted")
  end
  return true
end

local function soft_column(record, method)
  local class = info_of(record).class
  local column = class._def.soft_deletes
  if not column then
    Error.raise("unsupported", ("%s: the model %s does not delete softly"):format(method, class._def.name), {
      model = class._def.name,
    })
  end
  return column
end

--- Mark the row as deleted; nothing else of the record is written, and what waits goes on waiting.
local function mark(record, info, column)
  local put_back = set_aside(record, info)
  put(record, column, clock.now())
  local ok, done, err = pcall(update, record, info.class, info, column)
  if not ok or done == false then state_of(record)[column] = nil end
  put_back()
  if not ok then error(done, 0) end
  if done == false then return nil, err end
  return true
end

--- Do something to the row between its events, if anything listens to them.
local function between(record, info, before, after, fn, ...)
  if Event.any(info.class._def) then return Event.around(record, info, before, after, fn, ...) end
  local result, err = fn(record, info, ...)
  return result, err
end

--- Delete the row; a model with soft_deletes marks it instead.
---@return boolean|nil true
---@return rille.Error? err
function Record:delete()
  local info = info_of(self)
  local column = info.class._def.soft_deletes
  check_there(self, info.class, "deleted")
  if not column then return between(self, info, { "deleting" }, { "deleted" }, remove) end
  if self[column] ~= nil then return true end
  return between(self, info, { "deleting" }, { "deleted" }, mark, column)
end

--- Delete the row for good.
---@return boolean|nil true
---@return rille.Error? err
function Record:force_delete()
  local info = info_of(self)
  check_there(self, info.class, "deleted")
  return between(self, info, { "force_deleting", "deleting" }, { "deleted", "force_deleted" }, remove)
end

--- Is it soft-deleted?
function Record:trashed() return self[soft_column(self, "trashed")] ~= nil end

local function unmark(record, info, column)
  record[column] = nil
  return save(record, info, column)
end

--- Take a soft deletion back.
---@return rille.Record|nil self
---@return rille.Error? err
function Record:restore()
  local column, info = soft_column(self, "restore"), info_of(self)
  check_there(self, info.class, "restored")
  if self[column] == nil then return save(self, info) end
  return between(self, info, { "restoring" }, { "restored" }, unmark, column)
end

--- Read the row again, dropping what was changed.
---@return rille.Record self
function Record:refresh()
  local info = info_of(self)
  local class = info.class
  if not has_row(self, info) then check_there(self, class, "read again") end
  read_again(self, class, info, true)
  return self
end

--- The row as it is now, as another record; nil when it is gone.
function Record:fresh()
  local info = info_of(self)
  local class = info.class
  if not has_row(self, info) then check_there(self, class, "read again") end
  if info.of_tenant then check_home(info) end
  return fetch.find_by(info.handle, info.source, stored_key(self, info, true))
end

--- A copy that is not saved: without key and timestamps.
---@return rille.Record
function Record:replicate()
  local info = info_of(self)
  local copy = core.record_new(info.source)
  local leave = { [info.created_at or 1] = true, [info.updated_at or 1] = true }
  for _, name in ipairs(info.primary) do leave[name] = true end
  leave[info.class._def.tenant_column or 1] = nil          -- a copy is of the same tenant, or of none
  for _, name in ipairs(info.names) do
    local column = info.has[name]
    if not leave[name] and not column.generated and was_selected(self, name) then
      local value = Record.raw(self, name)
      if value ~= nil then put(copy, name, value) end
    end
  end
  return copy
end

--- Set updated_at to now and save.
---@return rille.Record|nil self
---@return rille.Error? err
function Record:touch()
  local info = info_of(self)
  local class, column = info.class, info.updated_at
  if not column then
    Error.raise("unsupported", ("touch: the model %s has no updated_at"):format(class._def.name),
      { model = class._def.name })
  end
  check_there(self, class, "touched")
  self[column] = clock.now()
  return save(self, info, column)
end

--- Load relations, again where they had been loaded; or only where they had not.
---@param ... any  names, as `with` takes them
---@return rille.Record self
function Record:load(...)
  require "rille.preload".load({ self }, ...)
  return self
end

function Record:load_missing(...)
  require "rille.preload".load_missing({ self }, ...)
  return self
end

--- A relation of this record, as a query that can write too: record:relation("tags"):attach(3).
---@param name string
---@return rille.Query
function Record:relation(name)
  info_of(self)
  return require "rille.relation.write".query(self, name)
end

--- The query of the record's row alone, in the record's own database, whatever scopes the model has.
local function row_query(record, info)
  if info.of_tenant then check_home(info) end
  local Query = require "rille.query"
  local query = Query.of_source(info.handle, info.source, info.class._def.root.meta)
  query[1].lock_column = info.class._def.lock_column
  for i, value in ipairs(stored_key(record, info, true)) do
    query = Query.node(query, core.op.compare, 0, info.primary[i], "=", value)
  end
  return query
end

local function add(record, word, name, by)
  local info = info_of(record)
  local class = info.class
  check_name(class, info, name)
  if name == class._def.lock_column then
    Error.raise("invalid_argument", ("%s: %s.%s says which change the row has seen, and counts by itself"):format(word,
      class._def.name, name), { model = class._def.name, column = name })
  end
  if by == nil then by = 1 end
  check_there(record, class, "changed")
  local query, updated_at = row_query(record, info), info.updated_at
  local extra = updated_at and updated_at ~= name and { [updated_at] = clock.now() } or nil
  if query[word](query, name, by, extra) ~= 1 then gone(record, class, "changed") end
  local put_back = set_aside(record, info, name, info.updated_at)
  read_written(record, class, info, true)
  put_back()
  return record
end

--- Add to a column in the database, whatever others do meanwhile, and read the row again; changes of other columns
--- wait on.
---@return rille.Record self
function Record:increment(name, by) return add(self, "increment", name, by) end
function Record:decrement(name, by) return add(self, "decrement", name, by) end

return { save = save }
