--- mirror: databases that repeat what is written to another one; see core/run/mirror.h for how.
-- A database remembers its mirrors: they are in its table rille_mirrors, and whoever opens it by name mirrors too.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"

local M = {}

local OPTIONS = { "tables" }
local SYNC_OPTIONS = { "timeout_ms" }
local BATCH = 1000                 -- transactions of a source that a mirror takes at once
local DROP_MS = 5000
local VERIFY_TRIES = 5
local PAUSES_MS = { 10, 40, 160 }  -- before a transaction is tried again; then it is set aside

---@class rille.Mirror
---@field name string
---@field source string
---@field tables? string[]  those that are mirrored; nil: all

-- -- which ----------------------------------------------------------------------------------------------------------

--- "root", { "root", audit = { tables = { … } } } -> { root = {}, audit = { tables = … } }
local function read_option(given)
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" or next(given) == nil then
    Error.argument("mirror", "the name of a database, or a table of them", given)
  end
  local found = {}
  for key, value in next, given do
    local name, options = key, value
    if math.type(key) == "integer" then name, options = value, {} end
    if type(name) ~= "string" then Error.argument("mirror", "names of databases", name) end
    options = Error.options("mirror." .. name, options, OPTIONS)
    local tables = options.tables
    if tables ~= nil and (type(tables) ~= "table" or #tables == 0) then
      Error.argument(("mirror.%s.tables"):format(name), "a list of names of tables", tables)
    end
    for i, each in ipairs(tables or {}) do
      if type(each) ~= "string" then Error.argument(("mirror.%s.tables[%d]"):format(name, i), "a name", each) end
    end
    found[name] = { tables = tables }
  end
  return found
end

--- The mirror that a name means: one that the database has, or one that it is to get.
---@param handle rille.Handle
---@param name string
---@param known table<string, any>  those that it has
---@return string name  "root@v1" where it is the one of the version that the handle's database is of
local function meant(handle, name, known)
  local version = handle.identity and handle.identity.version
  local same = version and name .. "@" .. version
  if known[name] or Config.current().connections[name] then return name end
  if same == handle.name then return name end
  return known[same] and same or require "rille.open".beside(name, version)
end

local function split(text)
  local list = {}
  for name in text:gmatch "[^\n]+" do list[#list + 1] = name end
  return list
end

local function recorded(handle)
  local list = handle:_query('select "name", "source", "tables" from "rille_mirrors" order by "name"')
  for _, each in ipairs(list) do each.tables = each.tables and split(each.tables) end
  return list
end

--- How the database is opened that a mirror is; it is not opened.  Nothing where it would have to be made, unless that
--- is wanted.
local function settings_of(name, make)
  local settings = Config.current().connections[name] or require "rille.open".settings(name)
  if settings.driver ~= "sqlite" or settings.database == ":memory:" then return nil end
  if not core.file_size(settings.database) then
    if not make then return nil end
    require "rille.pooled".make_folder(settings.database)
  end
  local options = require "rille.handle.sqlite".options(settings)
  options.later = true
  return options
end

--- Have the mirrors brought up to the database in the background, and at once when they are behind.
---@param handle rille.Handle
---@param make boolean  a mirror that is not there is made; else whoever says that there is one may mean another place
local function follow(handle, make)
  local db, followed = handle._core, handle.followed
  if Config.current().mirror_background == false or handle.settings.database == ":memory:" then return end
  for _, mirror in ipairs(handle.mirrors) do
    local settings = not followed[mirror.name] and settings_of(mirror.name, make)
    if settings then
      followed[mirror.name] = db:mirror_follow(core.open(settings), mirror)
    end
  end
  local behind = [[select 1 from "rille_outbox" where "seq" > (select min("applied") from "rille_mirrors") limit 1]]
  if next(followed) and db:query(behind, nil)[1] then db:mirror_ring() end
end

local function begin(handle, mirrors)
  handle.mirrors, handle.followed = mirrors, {}
  handle._core:mirror_look()
  follow(handle, true)
end

--- Forget that there are mirrors.
local function forget(handle)
  handle:transaction(function()
    for _, name in ipairs { "rille_mirrors", "rille_outbox", "rille_mirror_skips" } do
      handle:_execute(('delete from "%s"'):format(name))
    end
  end)
end

--- The database was opened and says that it is mirrored: its writes fill the outbox already, see core/run/opening.h.
---@param handle rille.Handle
function M.remember(handle)
  handle.mirrors, handle.followed = recorded(handle), {}
  follow(handle, false)
end

--- A copy in a file that nobody else has yet is not mirrored, and is none that mirrors know.
---@param path string
function M.not_of_a_copy(path)
  local db <close> = core.open { database = path, journal_mode = "delete" }
  if not db:query("select 1 from sqlite_schema where name = 'rille_mirror_origin'", nil)[1] then return end
  for _, name in ipairs { "rille_mirrors", "rille_outbox", "rille_mirror_skips", "rille_mirror_origin" } do
    db:execute(('delete from "%s"'):format(name))
  end
end

local function record(handle, name, tables)
  local last = handle:_query 'select "seq", "made_at" from "rille_outbox" order by "seq" desc limit 1'[1]
  local seq, made_at = last and last.seq or 0, last and last.made_at or 0
  handle:_execute([[insert into "rille_mirrors" ("name", "source", "tables", "since", "since_made_at", "applied")
    values (?, ?, ?, ?, ?, ?) on conflict ("name") do update set "tables" = excluded."tables"]],
    name, handle.name, tables or core.null, seq, made_at, seq)
end

--- From now on what is written to the database is mirrored, too, to those that are named.
---@param handle rille.Handle
---@param given string|table  "root", a list of names, or { root = { tables = { "users" } } }
function M.register(handle, given)
  local wanted, known, same = {}, {}, true
  for _, each in ipairs(handle:_connect():mirrored() and recorded(handle) or {}) do known[each.name] = each end
  for said, options in next, read_option(given) do
    local name = meant(handle, said, known)
    if name == handle.name then Error.argument("mirror", "another database", said) end
    wanted[name] = options
    options.text = options.tables and table.concat(options.tables, "\n")
    local before = known[name]
    same = same and before ~= nil and (before.tables and table.concat(before.tables, "\n")) == options.text
  end
  if same then return follow(handle, true) end
  M.quietly(handle, function()
    handle:transaction(function()
      handle._core:mirror_create()
      for name, options in next, wanted do record(handle, name, options.text) end
    end)
  end)
  begin(handle, recorded(handle))
end

--- The database goes: what its mirrors do not have yet they get now, or it stays.
---@param self rille.Handle
function M.before_drop(self)
  if not self:_connect():mirrored() then return end
  local ok, e = xpcall(M.mirror_sync, Error.keep_trace, self, { timeout_ms = DROP_MS })
  if ok then return end
  Error.raise(Error.is(e) and e.kind or "script", ("drop: a mirror of %s lacks what was written last: %s"):format(
    Error.quote(self.name), Error.is(e) and e.message or tostring(e)), {
    hint = "try again once the mirror is well (mirror_resync copies all rows anew); or mirror_stop(its name), and what "
      .. "it lacks is lost",
  })
end

--- The database that a mirror is: a configured connection of that name, or one of rille.open.
local function target_of(name)
  if Config.current().connections[name] then return require "rille.database".get(name) end
  return require "rille.open".open_key(name)
end

--- The same, unless it would have to be made.
local function existing(name)
  local settings = Config.current().connections[name] or require "rille.open".settings(name)
  if settings.database == ":memory:" or core.file_size(settings.database) then return target_of(name) end
end

local function mirrors_of(self, word)
  local mirrors = self:_connect():mirrored() and recorded(self)
  if mirrors and #mirrors > 0 then return mirrors end
  Error.raise("invalid_argument", ("%s: %s has no mirror"):format(word, Error.quote(self.name)), {
    hint = 'rille.open(name, { mirror = "root" }) gives it one',
  })
end

-- -- not mirrored ---------------------------------------------------------------------------------------------------

local function put_back(db, before, ok, ...)
  db:mirror_mode(before)
  if ok then return ... end
  Error.again((...))
end

local function in_mode(handle, mode, fn, ...)
  local db = handle:_connect()
  return put_back(db, db:mirror_mode(mode), xpcall(fn, Error.keep_trace, ...))
end

--- Call `fn`; what it writes to the database is not mirrored where the options say skip_mirror.
---@param handle rille.Handle
---@param options { skip_mirror: boolean? }
---@param fn function
---@return any ...  what fn returns
function M.skipping(handle, options, fn, ...)
  if type(options.skip_mirror) ~= "boolean" then
    Error.argument("skip_mirror", "true or false", options.skip_mirror)
  end
  if not options.skip_mirror then return fn(...) end
  return in_mode(handle, "skip", fn, ...)
end

--- Call `fn`; what it writes is not mirrored, and not counted as skipped either: it is rille's own.
---@param handle rille.Handle
---@param fn function
function M.quietly(handle, fn) return in_mode(handle, "quiet", fn) end

--- Run `fn`, which may write through models too; nothing of it is mirrored, and all of it counted as skipped.  If it
--- yields, that holds for what others write meanwhile, too.
---@param self rille.Handle
---@param fn fun(handle: rille.Handle): any ...
---@return any ...  what fn returns
function M.skip_mirror(self, fn)
  if type(fn) ~= "function" then Error.argument("skip_mirror", "a function", fn) end
  return in_mode(self, "skip", fn, self)
end

-- -- bringing them up to it -----------------------------------------------------------------------------------------

--- Apply what there is; a transaction that cannot be applied is tried again, and then set aside.
local function sync(self, mirror, deadline)
  local db, target, tries = self:_connect(), target_of(mirror.name):_connect(), 0
  local applied, set_aside = 0, 0
  while true do
    local count, aside, more, blocked = db:mirror_apply(target, mirror, BATCH, tries > #PAUSES_MS)
    applied, set_aside = applied + count - aside, set_aside + aside
    if blocked and count == 0 then
      tries = tries + 1
      if PAUSES_MS[tries] then core.pause(PAUSES_MS[tries]) end
    else
      more, tries = more or blocked or tries > 0, 0
      if not more then return applied, set_aside end
    end
    if deadline and core.monotonic_ms() > deadline then
      Error.raise("timeout", ("mirror_sync: %s is not up to %s yet"):format(Error.quote(mirror.name),
        Error.quote(self.name)))
    end
  end
end

--- Every mirror is tried; then the first error is raised.
local function each_mirror(self, word, fn)
  local first
  for _, mirror in ipairs(mirrors_of(self, word)) do
    local ok, e = xpcall(fn, Error.keep_trace, mirror)
    if not ok then first = first or { e } end
  end
  if first then Error.again(first[1]) end
end

--- Wait until the mirrors have all that was committed.  Raises what keeps a mirror from it, such as busy.
---@param self rille.Handle
---@param options? { timeout_ms: integer? }
---@return { applied: integer, set_aside: integer }  transactions
function M.mirror_sync(self, options)
  options = Error.options("mirror_sync", options, SYNC_OPTIONS)
  local deadline = options.timeout_ms and core.monotonic_ms() + options.timeout_ms
  local done = { applied = 0, set_aside = 0 }
  each_mirror(self, "mirror_sync", function(mirror)
    local applied, set_aside = sync(self, mirror, deadline)
    done.applied, done.set_aside = done.applied + applied, done.set_aside + set_aside
  end)
  return done
end

--- Try again what was set aside: each row becomes what it is in the source now.
---@param self rille.Handle
---@return { applied: integer, failed: integer }  transactions
function M.mirror_retry(self)
  local done = { applied = 0, failed = 0 }
  each_mirror(self, "mirror_retry", function(mirror)
    sync(self, mirror)
    local applied, failed = self._core:mirror_retry(target_of(mirror.name):_connect(), mirror)
    done.applied, done.failed = done.applied + applied, done.failed + failed
  end)
  return done
end

--- Make the mirrors hold what the database holds, whatever they held of it: all rows are copied and compared.
---@param self rille.Handle
---@return { rows: integer, left_out: integer }  `left_out`: tables that have no primary key
function M.mirror_resync(self)
  local done = { rows = 0, left_out = 0 }
  each_mirror(self, "mirror_resync", function(mirror)
    local target = target_of(mirror.name)
    local rows, left_out = self._core:mirror_resync(target:_connect(), mirror)
    target:forget()                                      -- tables may be new
    self._core:mirror_ring()                              -- what kept it from going on may be over
    done.rows, done.left_out = done.rows + rows, done.left_out + left_out
  end)
  return done
end

--- Compare all rows of the database with those that the mirrors hold, by number and sum; nothing is changed.  It finds
--- what came in or went past rille, on either side, and rows that were there before the mirror or were skipped.
---@param self rille.Handle
---@return { rows: integer, differing: { mirror: string, table: string }[] }
function M.mirror_verify(self)
  local done = { rows = 0, differing = {} }
  each_mirror(self, "mirror_verify", function(mirror)
    local rows, names
    for _ = 1, VERIFY_TRIES do
      sync(self, mirror)
      rows, names = self._core:mirror_verify(target_of(mirror.name):_connect(), mirror)
      if rows then break end                             -- else somebody wrote in between
    end
    if not rows then
      Error.raise("busy", ("mirror_verify: %s is written to all the time"):format(Error.quote(self.name)), {
        hint = "do it when less is written",
      })
    end
    done.rows = done.rows + rows
    for _, name in ipairs(split(names)) do
      done.differing[#done.differing + 1] = { mirror = mirror.name, table = name }
    end
  end)
  return done
end

--- End a mirror: nothing more comes to it, what it has stays.  Who begins it again is told to resync it.
---@param self rille.Handle
---@param name string
function M.mirror_stop(self, name)
  local names, known = {}, {}
  for i, each in ipairs(mirrors_of(self, "mirror_stop")) do names[i], known[each.name] = each.name, true end
  if type(name) == "string" then name = meant(self, name, known) end
  if not known[name] then Error.unknown("invalid_argument", "mirror", tostring(name), names, self.name) end
  if #names == 1 then
    forget(self)                                         -- with the outbox: from here on nobody fills it
  else
    self:_execute('delete from "rille_mirrors" where "name" = ?', name)
  end
  begin(self, recorded(self))
end

-- -- how they are ---------------------------------------------------------------------------------------------------

local function exists(handle, name)
  return handle:_query("select 1 from sqlite_schema where name = ?", name)[1] ~= nil
end

--- How far the mirror is, by its own account.
local function place_in(mirror)
  local target, source = existing(mirror.name), mirror.source
  if not target or not exists(target, "rille_mirror_ledger") then return nil, 0 end
  local place = target:_query('select "seq" from "rille_mirror_ledger" where "source" = ?', source)[1]
  local failed = target:_query('select count(*) as "count" from "rille_mirror_failed" where "source" = ?', source)[1]
  return place and place.seq, failed.count
end

local function look(self, mirror)
  local status = { name = mirror.name, tables = mirror.tables, failed = 0 }
  local ok, seq, failed = xpcall(place_in, Error.keep_trace, mirror)
  if ok then status.failed = failed else status.error = seq end
  local since = self:_query('select "since", "applied" from "rille_mirrors" where "name" = ?', mirror.name)[1]
  seq = ok and (seq or since.since) or since.applied
  local waiting = self:_query(
    'select count(*) as "count", min("made_at") as "first" from "rille_outbox" where "seq" > ?', seq)[1]
  status.lag = waiting.count
  local _, now = core.moment(core.now())
  if ok and status.lag == 0 and status.failed == 0 then
    local looked, differing = pcall(require "rille.mirror_ends".differing, self, existing(mirror.name), mirror)
    status.differing = looked and differing and #differing > 0 and differing or nil
  end
  status.lag_ms = waiting.first and math.max(0, (now - waiting.first) // 1000) or 0
  return status
end

--- How the mirrors are: transactions that they do not have yet, those that were set aside, rows that were skipped.
---@param self rille.Handle
---@return { lag: integer, lag_ms: integer, failed: integer, skipped: integer, mirrors: table[] }
-- `lag` is the one of the mirror that is furthest behind.  Each mirror says whether it is kept up in the `background`
-- by this process; one that cannot be asked, or that this fails for, has an `error`.  One is `differing` in tables of
-- which the last row is not that of the source: other programs wrote there, or there were rows before the mirror.
function M.mirror_status(self)
  local status = { lag = 0, lag_ms = 0, failed = 0, mirrors = {} }
  for i, mirror in ipairs(mirrors_of(self, "mirror_status")) do
    local each, n = look(self, mirror), (self.followed or {})[mirror.name]
    each.background = n ~= nil
    local kind, message = self._core:mirror_fails(n or 0)
    if kind and not each.error then each.error = Error.new(kind, message) end
    status.mirrors[i] = each
    status.lag, status.lag_ms = math.max(status.lag, each.lag), math.max(status.lag_ms, each.lag_ms)
    status.failed = status.failed + each.failed
  end
  status.skipped = self:_query('select coalesce(sum("rows"), 0) as "rows" from "rille_mirror_skips"')[1].rows
  return status
end

--- What was set aside, oldest first.
---@param self rille.Handle
---@return { mirror: string, seq: integer, kind: string, error: string }[]
function M.mirror_failed(self)
  local list = {}
  each_mirror(self, "mirror_failed", function(mirror)
    local target = existing(mirror.name)
    if not target or not exists(target, "rille_mirror_failed") then return end
    for _, each in ipairs(target:_query([[select "seq", "kind", "error" from "rille_mirror_failed"
      where "source" = ? order by "seq"]], mirror.source)) do
      each.mirror = mirror.name
      list[#list + 1] = each
    end
  end)
  return list
end

return M
