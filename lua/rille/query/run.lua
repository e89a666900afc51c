--- query.run: a query is run with what its model's scopes demand of it; whoever runs one does it here.
local Error = require "rille.error"
local Event = require "rille.record.event"
local Root = require "rille.query.root"
local Scope = require "rille.scope"
local core = require "rille.core"
local fetch = require "rille.fetch"
local hook = require "rille.hook"

local op <const> = core.op
local call, marks, ready = fetch.call, Scope.marks, Root.ready
local listening = hook.listening

local M = {}

--- A query inside another one: its scopes become conditions of its own.
---@param outer rille.Query
---@param word string       the method that takes it, for messages
---@param query rille.Query
---@return rille.Query
function M.subquery(outer, word, query)
  local root, _, lifted = ready(query), nil, nil
  if root.handle ~= ready(outer).handle then
    Error.raise("invalid_argument", ("%s: the query reads the database %q, this one %q"):format(word, root.handle.name,
      outer[1].handle.name), { hint = "pluck its values first, and give the list" })
  end
  if root.marked then _, lifted = marks(query) end
  if root.joined or lifted then query = Scope.joined(query, lifted) end
  local scopes = Scope.own(query, lifted)
  if not scopes then return query end
  return setmetatable({ query[1], query, op.sealed, scopes }, query[1].meta)
end

--- A lock ends with the transaction, which in SQLite is the lock itself.
---@return rille.Query query
local function with_lock(query, lock, handle)
  local word, options = lock[5], lock[6]
  local locks_rows = handle:engine().locks_rows
  if not locks_rows and (options.skip_locked or options.nowait) then
    Error.raise("unsupported", word .. ": SQLite locks the whole database, not rows", {
      hint = "skip_locked and nowait are for PostgreSQL",
    })
  elseif options.skip_locked and options.nowait then
    Error.raise("invalid_argument", word .. ": skip_locked and nowait are two answers to one question")
  elseif not require "rille.transaction".is_inside(handle) then
    Error.raise("invalid_argument", word .. ": wants a transaction, for a lock ends with one")
  end
  if not locks_rows then return query end
  return setmetatable({ query[1], query, op.lock, word == "shared_lock" and "share" or "update",
    options.skip_locked and "skip" or options.nowait and "fail" or false }, query[1].meta)
end

--- Methods of the core that give records -> what tells that these have been read.
local READS = {
  first = function(def, record)
    if record then Event.retrieved(def, { record }) end
    return record
  end,
  all = function(def, records)
    Event.retrieved(def, records)
    return records
  end,
  related = function(def, records, ...)
    Event.retrieved(def, records)
    return records, ...
  end,
  cursor = function(def, step, ...)
    return function()
      local record = step()
      if record then Event.retrieved(def, { record }) end
      return record
    end, ...
  end,
}

--- A cursor over the database in which the current tenant's rows are.
local function of_tenant(handle, step, ...)
  return function()
    require "rille.tenant.home".check(handle, true)
    return step()
  end, ...
end

--- The query as it is run, and what its model's scopes demand.
local function demanded(query, root)
  local lock, lifted
  if root.marked then                    -- some query of the root is; most roots never see one
    lock, lifted = marks(query)
    if lock then query = with_lock(query, lock, root.handle) end
  end
  if root.joined or lifted then query = Scope.joined(query, lifted) end
  local class = root.class
  if class and class._def.scoped then return query, Scope.own(query, lifted) end
  return query, nil
end

--- Run a method of the core that reads, with the query and what its model's scopes demand.
---@param query rille.Query
---@param method string
---@param a any  further arguments
---@param b any
local function run(query, method, a, b)
  local root = ready(query)
  local class, scopes = root.class, nil
  local def = class and class._def
  if root.marked or root.joined or def and def.scoped then query, scopes = demanded(query, root) end
  if def and (listening.model or def.hooked) and READS[method] and Event.any(def) and root[1] == def.root[1] then
    return READS[method](def, call(root.handle, method, query, scopes, a, b))
  end
  return call(root.handle, method, query, scopes, a, b)
end
M.run = run

--- The same for "update" and "delete".
---@param query rille.Query
---@param method string
---@param a any  a further argument
---@return integer  how many rows
function M.write(query, method, a)
  local root = ready(query)
  local meant, scopes = demanded(query, root)
  return (fetch.write(root.handle, root.class, method, meant, scopes, a))
end

--- A cursor over the rows; one that may be a tenant's looks before each of them whether it still is.
---@param query rille.Query
---@return fun(): any ...  what a generic for wants
function M.cursor(query)
  local root = ready(query)
  if root.handle.tenant or root.class and root.info.of_tenant then
    return of_tenant(root.handle, run(query, "cursor"))
  end
  return run(query, "cursor")
end

--- Tell that records have been read, and hand them on.
local function tell_read(root, method, ...)
  local tell = root.class and READS[method]
  local def = tell and root.class._def
  if def and Event.any(def) and root[1] == def.root[1] then return tell(def, ...) end
  return ...
end

--- Run reads that do not know of each other: in one round trip where they are of one database that has any, and nobody
--- listens to each statement.
---@param reads table[]  { query, method, … } as `run` takes them
---@param closing? rille.Handle  nothing else is done in the transaction that is open on it, which wrote nothing
---@return table[]  what each gave, packed
function M.together(reads, closing)
  local results, handle, asked = {}, #reads > (closing and 0 or 1) and ready(reads[1][1]).handle, {}
  local apart = not handle or not handle:engine().pipelines or hook.listening.query
  for i = 2, apart and 0 or #reads do apart = apart or ready(reads[i][1]).handle ~= handle end
  if apart then
    for i, read in ipairs(reads) do results[i] = table.pack(run(table.unpack(read, 1, 4))) end
    return results
  end
  for i, read in ipairs(reads) do
    local query, scopes = demanded(read[1], read[1][1])
    asked[i] = { read[2], query, scopes or false, read[3] or nil, read[4] or nil }
  end
  for i, given in ipairs(call(handle, "together", asked, closing == handle)) do
    results[i] = table.pack(tell_read(reads[i][1][1], reads[i][2], table.unpack(given, 1, #given)))
  end
  return results
end

return M
