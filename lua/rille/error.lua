--- error: the one error value, its kinds, and the ways to raise, ask and catch it.
-- Whoever fails says where, what was given and what would have been right.  What a caller must expect is returned as
-- `nil, err`; everything else is raised; both are this value.  C raises the same value: its metatable is the core's.
local core = require "rille.core"

local Error = {}

---@class rille.Error
---@field kind string           one of Error.kinds
---@field message string
---@field hint? string          what to do about it
---@field table? string
---@field column? string
---@field columns? string[]     all of a constraint's
---@field constraint? string
---@field sql? string
---@field code? integer|string  the driver's own
---@field model? string
---@field fields? table<string, string[]>   of validation: column -> messages
---@field failures? { field: string, rule: string, message: string, value: any, wanted: any }[]  the same, in order
---@field index? integer        of create_many: which of the records it is about, from 1
---@field traceback? string     of the place that raised it, once something caught it

--- Every kind there is.
Error.kinds = {
  "not_found", "not_unique", "aborted", "validation", "mass_assignment",
  "unique_violation", "foreign_key_violation", "not_null_violation", "check_violation", "stale_object",
  "busy", "timeout", "deadlock", "serialization_failure", "connection_lost", "readonly", "disk_full", "corrupt",
  "syntax", "no_such_table", "no_such_column", "no_such_relation", "no_such_model", "invalid_argument", "unsupported",
  "tenant_required", "tenant_unknown", "tenant_mismatch", "replica_lag", "unsafe_mutation", "missing_attribute",
  "transaction_aborted", "in_doubt", "invalid_token", "checksum_mismatch", "locked", "migration", "script",
  "out_of_memory", "interrupted",
}

local IS_KIND = {}
for _, kind in ipairs(Error.kinds) do IS_KIND[kind] = true end

local ABOUT_COLUMNS = { no_such_column = true, mass_assignment = true }
local MESSAGE_BYTES = 4000        -- of a whole message; what is longer helps nobody

local meta = core.error

--- What a person reads.
function meta.__tostring(e)
  return e.hint and e.message .. "\n  hint: " .. e.hint or e.message
end

-- Where an error that is not ours was first raised: a caught value cannot carry it and must not be changed.  One is
-- enough, because it is asked for right after the value was raised again.
local foreign = { value = nil, traceback = nil, again = false }

--- A message as it may be shown anywhere.  Names and values in it should have gone through `quote`; this is for those
--- that did not.
local function clean(text)
  if type(text) ~= "string" or #text <= MESSAGE_BYTES and not text:find "[^\n\t -~]" then return text end
  local is_clean = utf8.len(text) and not text:find "[\0-\8\11-\31\127]"
  if is_clean and #text <= MESSAGE_BYTES then return text end
  return core.shown(text, MESSAGE_BYTES)
end

--- An error value, not yet raised.
---@param kind string
---@param message string
---@param fields? table  hint, table, column … as in rille.Error
---@return rille.Error
function Error.new(kind, message, fields)
  assert(IS_KIND[kind], kind)
  local e = { kind = kind, message = clean(message) }
  for name, value in next, fields or {} do e[name] = value end
  e.hint = clean(e.hint)
  return setmetatable(e, meta)
end

--- Raise a new error value.
---@param kind string
---@param message string
---@param fields? table
function Error.raise(kind, message, fields)
  error(Error.new(kind, message, fields), 0)
end

--- Is `e` an error of ours, and of this kind?
---@param e any
---@param kind? string
---@return boolean
function Error.is(e, kind)
  if kind ~= nil and not IS_KIND[kind] then Error.unknown("invalid_argument", "kind", kind, Error.kinds, "is_error") end
  return type(e) == "table" and getmetatable(e) == meta and (kind == nil or e.kind == kind)
end

--- A name or a text in quotes: shortened, and nothing in it that a terminal would obey.
---@param text string
---@return string
function Error.quote(text) return '"' .. core.shown(text) .. '"' end

--- How a value is named in a message: its text and its type.
---@param value any
---@return string
function Error.show(value)
  local kind = math.type(value) or type(value)
  if value == nil then return "nil" end
  if value == core.null then return "null" end
  if kind == "table" and next(value) == nil and getmetatable(value) == nil then return "an empty table" end
  if kind == "table" or kind == "function" or kind == "thread" or kind == "userdata" then return "a " .. kind end
  local text = tostring(value)
  return ("%s (%s)"):format(kind == "string" and Error.quote(text) or text, kind)
end

--- Raise invalid_argument: `where: wants what, got given`.
---@param where string  the method or option, such as "find"
---@param what string   what would have been right
---@param given any
---@param hint? string
function Error.argument(where, what, given, hint)
  Error.raise("invalid_argument", ("%s: wants %s, got %s"):format(where, what, Error.show(given)), { hint = hint })
end

--- The known name nearest to one that is not known.
---@param name any
---@param known string[]
---@return string?
function Error.nearest(name, known)
  return type(name) == "string" and core.nearest(name, known) or nil
end

--- The same as a question: `did you mean "title"?`
---@param name any
---@param known string[]
---@return string?
function Error.did_you_mean(name, known)
  local near = Error.nearest(name, known)
  return near and ("did you mean %s?"):format(Error.quote(near)) or nil
end

--- Raise that a name is not known: `posts has no column "titel"`, with the nearest known one as the hint.
---@param kind string
---@param what string     what the name should name: "column"
---@param name any
---@param known string[]
---@param where? string   whose names these are: "posts"
---@param fields? table   further fields of the error
function Error.unknown(kind, what, name, known, where, fields)
  local shown = type(name) == "string" and Error.quote(name) or Error.show(name)
  local message = where and ("%s has no %s %s"):format(where, what, shown) or ("there is no %s %s"):format(what, shown)
  local e = Error.new(kind, message, fields)
  e.hint = Error.did_you_mean(name, known) or e.hint
  if ABOUT_COLUMNS[kind] and meta.__unknown then meta.__unknown(e) end
  error(e, 0)
end

--- Check a table of options: a table, and no key but these.
---@param where string     the method, such as "transaction"
---@param options any      nil is no options
---@param known string[]
---@return table options
function Error.options(where, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then Error.argument(where, "a table of options", options) end
  for name in next, options do
    local found = false
    for i = 1, #known do found = found or known[i] == name end
    if not found then Error.unknown("invalid_argument", "option", name, known, where) end
  end
  return options
end

--- A message handler for xpcall: the value stays what it is, the place that raised it is kept.
---@param e any
---@return any e
function Error.keep_trace(e)
  if Error.is(e) then
    e.traceback = e.traceback or debug.traceback(nil, 2)
  elseif foreign.again and rawequal(foreign.value, e) then
    foreign.again = false         -- raised again by try(): the first place is the one that counts
  else
    foreign.value, foreign.traceback, foreign.again = e, debug.traceback(nil, 2), false
  end
  return e
end

--- Raise a caught value again, as it is; its traceback stays that of the first time.
---@param e any
function Error.again(e)
  foreign.again = rawequal(foreign.value, e)
  error(e, 0)
end

--- Where a caught value was first raised, as far as that is known.
---@param e any
---@return string?
function Error.traceback(e)
  if Error.is(e) then return e.traceback end
  return rawequal(foreign.value, e) and foreign.traceback or nil
end

--- Is this how Lua writes the path in a message?  It cuts a long one at its beginning.
---@param written string
---@param path string
---@return boolean
function Error.is_path(written, path)
  local tail = written:match "^%.%.%.(.*)$"
  return written == path or tail ~= nil and path:sub(-#tail) == tail
end

--- The line of a file that a traceback leads through first.
---@param path string
---@param traceback? string
---@return integer?
function Error.line_of(path, traceback)
  for source, line in (traceback or ""):gmatch "\n\t([^\n]-):(%d+):" do
    if Error.is_path(source, path) then return math.tointeger(line) end
  end
end

local function caught(ok, ...)
  if ok then return ... end
  local e = ...
  if Error.is(e) then return nil, e end
  Error.again(e)
end

--- Call a function; an error of ours comes back as `nil, err`, any other is raised as it is.
---@param fn function
---@param ... any  its arguments
---@return any ...  its results
function Error.try(fn, ...)
  if type(fn) ~= "function" then Error.argument("try", "a function", fn) end
  return caught(xpcall(fn, Error.keep_trace, ...))
end

--- Call a function that raises what a caller must expect: an error of this kind comes back as `nil, err`.
---@param kind string
---@param fn function
---@param ... any  its arguments
---@return any ...
function Error.expected(kind, fn, ...)
  local results = table.pack(xpcall(fn, Error.keep_trace, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  if Error.is(results[2], kind) then return nil, results[2] end
  Error.again(results[2])
end

--- The result, or raise the error that stands in its place.
---@param result any
---@param err? rille.Error
---@return any result
function Error.must(result, err)
  if err then Error.again(err) end
  return result
end

return Error
