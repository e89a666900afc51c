--- handle.sqlite: what a handle does otherwise on SQLite than on other databases.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

local OPTIONS = { "driver", "database", "readonly", "synchronous", "journal_mode", "foreign_keys", "busy_timeout_ms",
  "mmap_bytes", "cache_kib", "pragmas", "max_bytes", "create", "pooled", "tenant" }

-- A statement that fails is undone alone, and the transaction goes on.
M.fails_whole = false

-- A query beside others in FROM cannot use their columns.
M.reads_laterally = false

-- There is no round trip that several statements could share.
M.pipelines = false

-- There is one lock for all rows, which each transaction that writes has from its beginning.
M.locks_rows = false

-- A column of decimals keeps as many digits as a double does.
M.exact_decimals = false

-- How its SQL is read, and what stands for value number %d; see sql.lua.
M.syntax = { parameter = "?", names_in_brackets = true, line_ends = "\n" }

-- Who the writers are knows only the file: commits are counted in it, where sessions want to know.
M.counts_commits = false

--- What the core is told to open the database.
---@param settings table  as in config.lua
---@return table options
function M.options(settings)
  local options = {}
  for _, key in ipairs(OPTIONS) do options[key] = settings[key] end
  return options
end

--- Where the database is, for people.
---@param settings table
---@return string
function M.place(settings) return settings.database end

--- Writes what is there already and takes it back; begin alone succeeds where nothing can be written.
local function try_to_write(db, user_version)
  db:begin "immediate"
  local ok, e = pcall(db.execute, db, ("pragma user_version = %d"):format(user_version))
  db:rollback()
  if not ok then error(e, 0) end
end

--- How the database is; raises what keeps it from answering.
---@param db table  the database of the core
---@return table health
function M.probe(db)
  local function ask(sql) return select(2, next(db:query(sql)[1])) end
  local health = {
    ok = true, writable = true, version = ask "select sqlite_version()", journal_mode = ask "pragma journal_mode",
    foreign_keys = ask "pragma foreign_keys" == 1, size_bytes = ask "pragma page_count" * ask "pragma page_size",
  }
  local wrote, e = pcall(try_to_write, db, ask "pragma user_version")
  if not wrote and Error.is(e, "readonly") then
    health.writable = false
  elseif not wrote and (Error.is(e, "busy") or Error.is(e, "locked")) then
    health.locked = true                  -- somebody is writing, so one can
  elseif not wrote then
    error(e, 0)
  end
  return health
end

local function note_of(detail)
  local scanned = detail:match "^SCAN (%S+)"
  if scanned and not detail:find("USING", 1, true) and not detail:find("CONSTANT", 1, true) then
    return ("every row of %s is read; an index on the columns of the condition would help"):format(scanned)
  end
  local sorted = detail:match "^USE TEMP B%-TREE FOR (.+)$"
  if sorted then return ("rows are sorted for %s; an index in that order would help"):format(sorted:lower()) end
  local automatic = detail:match "AUTOMATIC .-INDEX"
  if automatic then return "an index is made for this one query; one in the schema would help" end
end

--- What asks for the bytes that a database takes, with what is free in it.
M.size = "select page_count * page_size as bytes from pragma_page_count, pragma_page_size"

--- What asks for the plan of a statement.
M.explain = "explain query plan "

--- What a step does, in words that all databases share: see rille.Step.
local function step_of(detail, depth)
  local step = { detail = detail, depth = depth, kind = "other" }
  local word, name = detail:match "^(%u+) (%S+)"
  if (word == "SCAN" or word == "SEARCH") and name ~= "CONSTANT" then
    step.kind, step.table = word == "SCAN" and "scan" or "index", name
    step.index = detail:match " INDEX (%S+)"
  elseif detail:find "^USE TEMP B%-TREE FOR .*ORDER BY" then
    step.kind = "sort"
  elseif detail:find "^USE TEMP B%-TREE" then
    step.kind = "group"
  end
  return step
end

--- The rows of such a plan, as steps and what may be slow of them.
---@param rows table[]
---@return rille.Step[] steps
---@return string[] notes
function M.plan(rows)
  local steps, notes, depth = {}, {}, { [0] = 0 }
  for i, row in ipairs(rows) do
    depth[row.id] = (depth[row.parent] or 0) + 1
    steps[i] = step_of(row.detail, depth[row.id])
    notes[#notes + 1] = note_of(row.detail)
  end
  return steps, notes
end

-- Collation -> two texts that are equal by it.
local ALIKE <const> = { { "NOCASE", "A", "a" }, { "RTRIM", "a", "a " }, { "rille_decimal", "1", "1.0" } }

--- Does a column of that declared type turn texts into numbers where they look like some, as "01" into 1?
-- The order counts: https://sqlite.org/datatype3.html#determination_of_column_affinity
local function makes_numbers(declared)
  local type = declared:upper()
  if type:find "INT" then return true end
  return type ~= "" and not (type:find "CHAR" or type:find "CLOB" or type:find "TEXT" or type:find "BLOB")
end

--- By what the database holds different values of a column to be equal; nil where none are.  Of the collation of a
--- view's columns it says nothing, so there it is tried.
---@param handle rille.Handle
---@param description table  of the table or view
---@param column table       of the description
---@return string? alike
function M.alike(handle, description, column)
  local declared, found, name = column.declared or "", column.collation, Name.quote(column.name)
  if makes_numbers(declared) then return ("its type %s, which makes numbers of texts,"):format(declared) end
  for _, each in ipairs(description.kind == "view" and ALIKE or {}) do
    local sql = ("select %s = ?1 as alike from (select %s from %s where 0 union all select ?2)"):format(name, name,
      Name.quote(description.name))
    if handle:_connect():query(sql, { each[2], each[3] })[1].alike == 1 then found = each[1] end
  end
  return found and "the collation " .. found
end

--- Numbers of new rows begin anew.
---@param handle rille.Handle
---@param name string  of the table
function M.count_anew(handle, name)
  if handle:_query("select 1 from sqlite_schema where name = 'sqlite_sequence'")[1] then
    handle:_execute("delete from sqlite_sequence where name = ?", name)
  end
end

--- Insert a row whose key the database makes, and read it back.
---@param handle rille.Handle
---@param name string  of the table
---@param row table
---@return table? row
---@return rille.Error? err
function M.insert_and_read(handle, name, row)
  local count, invalid = handle:table(name):insert { row }
  if not count then return nil, invalid end
  local id = handle:_query("select last_insert_rowid() as id")[1].id
  return handle:table(name):where_raw("rowid = ?", id):first()
end

return M
