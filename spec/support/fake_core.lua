--- fake_core: stands for the C module where a spec needs no database: it records statements and answers from a list.
local fake = {}

-- As in the core a userdata: any of them will do.
fake.tenants = setmetatable({}, { __mode = "k" })
fake.null = debug.setmetatable(require "lpeg".P(1), {
  __tostring = function() return "null" end,
  __tojson = function() return "null" end,
})
fake.sqlite_version = "0.0.0"

fake.error = { __name = "rille.error" }

--- Edits between two words, swaps of neighbours among them, without regard to case.
local function distance(a, b)
  a, b = a:lower(), b:lower()
  local rows = { [0] = {} }
  for j = 0, #b do rows[0][j] = j end
  for i = 1, #a do
    rows[i] = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local least = math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        least = math.min(least, rows[i - 2][j - 2] + 1)
      end
      rows[i][j] = least
    end
  end
  return rows[#a][#b]
end

local COMPARED_BYTES = 64            -- longer names are near to none, as in the core

--- How far a name may be: one edit for short ones, else a third of it, at most five.
local function tolerance(name) return #name < 6 and 1 or math.min(#name // 3, 5) end

function fake.nearest(name, known)
  local best, least = nil, tolerance(name) + 1
  if #name > COMPARED_BYTES then return nil end
  for _, candidate in ipairs(known) do
    local edits = distance(name, candidate)
    if edits < least then best, least = candidate, edits end
  end
  return best
end

local SHOWN_BYTES = 64

--- As the core shows a text: escaped, and cut between characters.
function fake.shown(text, bytes)
  local escaped = require "rille.cli.text".escape(text)
  if #escaped <= (bytes or SHOWN_BYTES) then return escaped end
  return escaped:sub(1, utf8.offset(escaped, 0, (bytes or SHOWN_BYTES) + 1) - 1) .. "…"
end

--- A record of a spec: a table whose metatable says so.
function fake.is_record(value)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and rawget(meta, "is_record") or false
end

function fake.now() return "2026-11-20T12:00:00.000000Z" end

local clock = 0
--- One millisecond later at each call, so that durations are known.
function fake.monotonic_ms()
  clock = clock + 1
  return clock
end

--- path -> names; what fake.list_directory answers.
fake.directories = {}
function fake.list_directory(path)
  return fake.directories[path], "No such file or directory"
end

local Db = {}
Db.__index = Db

function Db.mirrored() return false end

--- What the next statements are answered with: a list of rows, { changes =, last_id = }, or an error value.
fake.answers = {}
--- Every connection that was opened, in order.
fake.opened = {}
--- Statements of all connections, in order.
fake.statements = {}

--- Word of a transaction statement -> the error it fails with, once: { commit = error value }.
fake.fail = {}

--- Forget all of the above.
function fake.reset()
  fake.fail, fake.refuse_open, fake.tables = {}, nil, nil
  fake.answers, fake.opened, fake.statements, fake.directories = {}, {}, {}, {}
end

function fake.open(options)
  if fake.refuse_open then error(fake.refuse_open, 0) end
  local db = setmetatable({ options = options, levels = {}, closed = false, params = {} }, Db)
  fake.opened[#fake.opened + 1] = db
  return db
end

local function record(db, sql, params)
  assert(not db.closed, "the fake connection is closed")
  db.latest = { sql = sql, params = params, ms = 1, rows = 0 }
  fake.statements[#fake.statements + 1] = sql
  db.params[#db.params + 1] = params or false
end

local function answer(db, sql, params)
  record(db, sql, params)
  local next_answer = table.remove(fake.answers, 1) or {}
  if type(next_answer) == "function" then next_answer = next_answer(sql, params) end
  if getmetatable(next_answer) == fake.error or type(next_answer) == "string" then error(next_answer, 0) end
  return next_answer
end

function Db:query(sql, params)
  local rows = answer(self, sql, params)
  local names = {}
  for name in pairs(rows[1] or {}) do names[#names + 1] = name end
  table.sort(names)
  self.latest.rows = #rows
  return rows, names
end

function Db:execute(sql, params)
  local result = answer(self, sql, params)
  self.latest.rows = result.changes or 0
  return result.changes or 0, result.last_id or 0
end

local function levels(db)
  local owner = coroutine.running()
  db.levels[owner] = db.levels[owner] or 0
  return owner, db.levels[owner]
end

local function control(db, word)
  record(db, word)
  local failure = fake.fail[word]
  if failure then
    fake.fail[word] = nil
    error(failure, 0)
  end
end

function Db:begin(mode)
  local owner, open = levels(self)
  control(self, open == 0 and "begin " .. (mode or "immediate") or "savepoint")
  self.levels[owner] = open + 1
end

function Db.guard() return {} end

function Db:commit()
  local owner, open = levels(self)
  assert(open > 0, "the fake connection has no transaction")
  control(self, open == 1 and "commit" or "release")
  self.levels[owner] = open - 1
end

function Db:rollback()
  local owner, open = levels(self)
  assert(open > 0, "the fake connection has no transaction")
  self.levels[owner] = open - 1
  control(self, open == 1 and "rollback" or "rollback to")
end

function Db:depth() return select(2, levels(self)) end
function Db.tables() return { "posts", "users" } end
function Db.describe(_, name) return fake.tables and fake.tables[name] end
function Db.forget() end
function Db:trace(on) self.traced = on end
function Db:last() return self.traced and self.latest or nil end
function Db:path() return self.options.database end
function Db:close() self.closed = true end

return fake
