--- mirrors: what the commands about mirrors share: which databases are meant, and one after the other done.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local text = require "rille.cli.text"

local M = {}

M.arguments = { { "database", "names of mirrored databases; all of them when none is given", count = "*" } }

local function name_of(each) return each.version and each.name .. "@" .. each.version or each.name end

local function open(each) return require "rille.open".open(each.name, { version = each.version }) end

--- Handles of the databases of those names.
local function named(names)
  local known, places, handles = {}, {}, {}
  for name in next, Config.current().connections do known[#known + 1] = name end
  for _, each in ipairs(require "rille.open".list()) do
    known[#known + 1], places[name_of(each)] = name_of(each), each
  end
  for i, name in ipairs(names) do
    if Config.current().connections[name] then
      handles[i] = require "rille.database".get(name)
    elseif places[name] then
      handles[i] = open(places[name])
    else
      Error.unknown("not_found", "database", name, known)
    end
  end
  return handles
end

--- Handles of all databases that have mirrors.
local function all()
  local handles = {}
  for _, name in ipairs(require "rille.keys"(Config.current().connections)) do
    local handle = require "rille.database".get(name)
    local known, mirrored = pcall(function() return handle:_connect():mirrored() end)
    if Config.current().connections[name].mirror or known and mirrored then handles[#handles + 1] = handle end
  end
  for _, each in ipairs(require "rille.open".list()) do
    local ok, handle = pcall(open, each)               -- one that cannot be opened is told of by who mirrors to it
    if ok and handle.mirrors and #handle.mirrors > 0 then handles[#handles + 1] = handle end
  end
  return handles
end

local PAUSE_MS, LOOK_EVERY = 200, 50   -- between two passes; after so many it is looked again which databases there are

--- One pass; says what was done, and what is wrong once.
local function pass(handles, term, said)
  for _, handle in ipairs(handles) do
    local ok, done = xpcall(handle.mirror_sync, Error.keep_trace, handle)
    if Error.is(done, "interrupted") then Error.again(done) end
    local wrong = not ok and require "rille.cli.failure".object(done) or nil
    local message = wrong and wrong.message
    if message ~= said[handle.name] or ok and done.applied + done.set_aside > 0 then
      term:report({ name = handle.name, applied = ok and done.applied or nil, set_aside = ok and done.set_aside or nil,
        error = wrong }, function()
        local what = wrong and term:paint("out", "red", text.escape(message))
          or ("%d applied, %d set aside"):format(done.applied, done.set_aside)
        term:line(("%s  %s"):format(text.escape(handle.name), what))
      end, wrong and 1 or 0)
      if term.out.flush then term.out:flush() end        -- who follows it reads it now
    end
    said[handle.name] = message
  end
end

--- Bring the mirrors of the databases that are meant up to them, again and again, until it is stopped.
---@param args table
---@param term rille.Term
function M.follow(args, term)
  require "rille.cli.project".need()
  local names, said, passes, handles = args.database or {}, {}, 0, nil
  while true do
    if passes % LOOK_EVERY == 0 then handles = #names > 0 and named(names) or all() end
    pass(handles, term, said)
    passes = passes + 1
    core.pause(PAUSE_MS)
  end
end

--- Do it for each database that is meant, whatever becomes of the ones before, and report.
---@param args table
---@param term rille.Term
---@param word string  of a handle, such as mirror_retry
---@param line fun(result: table): string  what is said of one that is done
---@param is_failed? fun(result: table): boolean?
---@return integer? status
function M.each(args, term, word, line, is_failed)
  require "rille.cli.project".need()
  local names, failed = args.database or {}, 0
  local handles = #names > 0 and named(names) or all()
  local results = {}
  for i, handle in ipairs(handles) do
    local ok, result = xpcall(function() return handle[word](handle) end, Error.keep_trace)
    if not ok then
      result = { error = require "rille.cli.failure".object(result) }
    end
    result.name, results[i] = handle.name, result
    if not ok or is_failed and is_failed(result) then failed = failed + 1 end
  end
  return term:report({ databases = results }, function()
    if #results == 0 then
      term:line "no database has a mirror"
      return term:note 'rille.open(name, { mirror = "root" }) gives it one'
    end
    for _, each in ipairs(results) do
      local what = each.error and term:paint("out", "red", text.escape(each.error.message)) or line(each)
      term:line(("%s  %s"):format(text.escape(each.name), what))
    end
  end, failed > 0 and 1 or 0)
end

return M
