--- repl: reads Lua and dot commands, runs them with the models at hand and prints what comes back.
-- One session, three ways to feed it: a terminal (repl/terminal.lua), a pipe, texts of `-e`.
local text = require "rille.cli.text"

local Repl = {}
Repl.__index = Repl

local CHUNK = "=repl"

---@class rille.Repl
---@field env table        globals of what is typed
---@field out table        where results go
---@field term rille.Term  errors, echoed statements and advice are its notes
---@field failed boolean   has a line failed?
---@field interrupted boolean  was the last one stopped by Ctrl-C?
---@field buffer string[]  lines of a chunk that is not complete yet
---@field on_input? fun(lines: string[])  hears what was typed, before it runs

--- A session.
---@param term rille.Term
---@param env? table  globals; by default those of the project, models among them
---@return rille.Repl
function Repl.new(term, env)
  return setmetatable({
    term = term, out = term.out,
    env = env or require "rille.autoload".environment(),
    failed = false, interrupted = false, buffer = {},
  }, Repl)
end

--- How values are to be printed now: the width may have changed since the last line.
---@return rille.PrintOptions
function Repl:print_options()
  local width = tonumber(os.getenv "COLUMNS") or math.huge
  if self.term:is_tty "out" then
    local ok, console = pcall(require, "rille.console")
    width = ok and console.width() or 80
  end
  return { width = width, paint = function(style, shown) return self.term:paint("out", style, shown) end }
end

--- The function that a text means: an expression first, else statements.
---@param code string
---@return function|nil chunk
---@return string|nil wrong
---@return boolean|nil incomplete  more lines may complete it
function Repl:compile(code)
  local expression, wrong_as_expression = load("return " .. code, CHUNK, "t", self.env)
  if expression then return expression end
  local statements, wrong = load(code, CHUNK, "t", self.env)
  if statements then return statements end
  local incomplete = wrong:sub(-5) == "<eof>" or wrong_as_expression:sub(-5) == "<eof>"
  local first = wrong:match "unexpected symbol near '(.*)'$"
  if first and code:match "^%s*(.*)":sub(1, #first) == first then wrong = wrong_as_expression end
  return nil, wrong, incomplete
end

--- Print values as the results of a line.
---@param ... any
function Repl:print(...)
  local printer = require "rille.repl.printer"
  local options, count = self:print_options(), select("#", ...)
  if count == 2 and printer.is_result(...) then              -- of db:query: rows, and the order of their columns
    options.columns, count = select(2, ...), 1
  end
  for i = 1, count do
    self.out:write(printer.format((select(i, ...)), options), "\n")
  end
end

--- Frames that only say that something was typed.
local function is_prompt(frame)
  return frame.source == CHUNK and frame.what == "main"
end

--- Show an error; the session has failed, and goes on.
---@param value any
---@param frames? string[]
function Repl:report(value, frames)
  local failure = require "rille.cli.failure"
  self.failed, self.interrupted = true, failure.is_interrupt(value)
  local shown = failure.text(value, frames, function(style, shown) return self.term:paint("err", style, shown) end)
  self.term:note(shown)
end

--- Run a function of ours or theirs; whatever it raises is shown and the session goes on.
---@return boolean ok
---@return any result
function Repl:guard(fn, ...)
  local ok, result = require "rille.cli.trace".call(is_prompt, fn, ...)
  if ok then return true, result end
  self:report(result.value, result.frames)
  return false
end

--- A chunk that is called last has no name in a traceback but "main chunk".
local function call(chunk) return chunk() end

local function run(self, chunk)
  local results = table.pack(call(chunk))
  if results.n == 0 then return end
  rawset(self.env, "_", results[1])
  self:print(table.unpack(results, 1, results.n))
end

--- Run one complete text and print its results.
---@param code string
---@return boolean ok
function Repl:evaluate(code)
  local chunk, wrong = self:compile(code)
  if chunk then return (self:guard(run, self, chunk)) end
  self:report(require "rille.error".new("syntax", wrong))
  return false
end

--- Take one line: a dot command, a whole chunk, or a part of one.
---@param line string
---@return "done"|"more"|"quit"
function Repl:feed(line)
  if #self.buffer == 0 then
    if not line:find "%S" then return "done" end
    if line:find "^%s*%.%a" then
      if self.on_input then self.on_input { line } end
      local _, quit = self:guard(require "rille.repl.commands".run, self, (line:gsub("^%s+", "")))
      return quit and "quit" or "done"
    end
  end
  self.buffer[#self.buffer + 1] = line
  local code = table.concat(self.buffer, "\n")
  local _, _, incomplete = self:compile(code)
  if incomplete then return "more" end
  local lines = self.buffer
  self.buffer = {}
  if self.on_input then self.on_input(lines) end
  self:evaluate(code)
  return "done"
end

--- Forget the lines of an unfinished chunk.
function Repl:discard()
  self.buffer = {}
end

--- Does the session show statements?
---@return boolean
function Repl:echoes_sql()
  return self.stop_echo ~= nil
end

local function echo(self, event)
  local printer = require "rille.repl.printer"
  local line = text.escape(event.sql, true)
  if event.params and (event.params.n or #event.params) > 0 then
    line = line .. "  " .. printer.parameters(event.params)
  end
  local notes = ("  %.2f ms"):format(event.ms)
  if event.rows then notes = notes .. ", " .. text.count(event.rows, "row") end
  self.term:note(self.term:paint("err", "cyan", line) .. self.term:paint("err", "dim", notes))
end

--- Show each statement as it runs, or stop.
---@param on boolean
function Repl:echo_sql(on)
  if self.stop_echo then self.stop_echo() end
  self.stop_echo = nil
  if on then
    self.stop_echo = require "rille".on("query", function(event) echo(self, event) end)
  end
end

--- Read the models' files again.
---@return string[] names  of the models
function Repl:reload()
  return require "rille.autoload".reload(self.env)
end

--- Is a transaction open that a line began?
---@return boolean
function Repl.in_transaction()
  local transaction = package.loaded["rille.transaction"]          -- not loaded: nothing was begun
  return transaction ~= nil and #transaction.open() > 0
end

--- Leave: what was begun and not ended is rolled back, and said.  Nobody is to believe that it was kept.
---@return integer status
function Repl:leave()
  if self:in_transaction() then
    local transaction = require "rille.transaction"
    local count = #transaction.open()
    self:guard(transaction.abandon)
    self:report(require "rille.error".new("transaction_aborted", count == 1
      and "a transaction was still open: it was rolled back"
      or count .. " transactions were still open: they were rolled back",
      { hint = "tx:commit() keeps what was done; rille.transaction(fn) commits by itself" }))
  end
  return self.failed and 1 or 0
end

--- Feed all lines of a stream, as from a pipe: no prompt, results only.
---@param input table  with `lines`
---@return integer status
function Repl:pipe(input)
  for line in input:lines() do
    if self:feed(line) == "quit" or self.interrupted then break end
  end
  if #self.buffer > 0 then
    local code = table.concat(self.buffer, "\n")
    self:discard()
    self:evaluate(code)                        -- not complete: says where it ended too soon
  end
  return self:leave()
end

return Repl
