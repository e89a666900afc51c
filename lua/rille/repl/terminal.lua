--- terminal: a REPL session at a terminal: prompts, history, completion, Ctrl-C.
local M = {}

-- The star says, as in psql, that a transaction is open.
local PROMPT, IN_TRANSACTION, MORE = "rille> ", "rille*> ", "   ..> "

--- Where the history is kept; nil when there is no home.
local function history_folder()
  local state = os.getenv "XDG_STATE_HOME"
  if state and state:sub(1, 1) == "/" then return state .. "/rille" end
  local home = os.getenv "HOME"
  return home and home ~= "" and home .. "/.local/state/rille" or nil
end

--- Path of the history file, its folder made; nil when it cannot be kept.
local function history_file()
  local folder = history_folder()
  if not folder then return nil end
  local ok = pcall(require "rille.cli.files".make_directory, folder)
  return ok and folder .. "/history" or nil
end

--- A chunk of several lines as history entries: one line where that means the same, else each as it was typed.
---@param lines string[]
---@return string[] entries
function M.entries(lines)
  local code = table.concat(lines, "\n")
  if #lines == 1 or code:find("--", 1, true) or code:find "%[=*%[" or code:find "\\\n" then return lines end
  return { (code:gsub("\n%s*", " ")) }
end

--- Keep what was typed, unless it begins with a blank.
local function remember(console, path, lines)
  if lines[1]:find "^%s" then return end
  for _, entry in ipairs(M.entries(lines)) do
    console.add_history(entry)
    if path then console.append_history(path, entry) end
  end
end

local function complete_with(session)
  local complete = require "rille.repl.complete"
  return function(word, line, _, last)
    local candidates, found = complete.candidates(session.env, line:sub(1, last or #line))
    local out = {}
    for i, candidate in ipairs(candidates) do             -- the editor's word may be longer or shorter than ours
      if #word >= #found then
        out[i] = word:sub(1, #word - #found) .. candidate
      else
        out[i] = candidate:sub(#found - #word + 1)
      end
    end
    return out
  end
end

--- Talk until the end of input or `.quit`.
---@param session rille.Repl
---@param console table  rille.console, or what stands for it
---@param greeting string
---@return integer status
function M.run(session, console, greeting)
  local path = history_file()
  if path then console.load_history(path) end
  console.set_completer(complete_with(session))
  session.term:note(greeting)
  session.on_input = function(lines) remember(console, path, lines) end
  local state = "done"
  while state ~= "quit" do
    local prompt = state == "more" and MORE or session:in_transaction() and IN_TRANSACTION or PROMPT
    local line, why = console.readline(prompt)
    if line then
      state = session:feed(line)
    elseif why == "interrupted" then
      session:discard()
      state = "done"
    else
      session.term:note ""
      break
    end
  end
  session:leave()
  return 0
end

return M
