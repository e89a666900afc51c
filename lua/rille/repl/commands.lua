--- commands: the words with a dot that the REPL knows beside Lua.
local text = require "rille.cli.text"

local M = {}

---@class rille.DotCommand
---@field [1] string  how it is written
---@field [2] string  what it does
---@field [3] fun(session: rille.Repl, argument: string): boolean|nil  true ends the REPL

local function misuse(message, hint)
  require "rille.error".raise("invalid_argument", message, { hint = hint })
end

local function sql(session, argument)
  if argument ~= "on" and argument ~= "off" and argument ~= "" then misuse(".sql wants on or off") end
  local on = argument == "on" or argument == "" and not session:echoes_sql()
  session:echo_sql(on)
  session.term:note(on and "statements are shown as they run" or "statements are no longer shown")
end

local function tables(session)
  local names = require "rille".db():tables()
  if #names == 0 then return session.term:note "no tables yet; rille migrate makes them" end
  for _, name in ipairs(names) do session.out:write(text.escape(name), "\n") end
end

--- A table's name as it is, or that of a model's table.
local function table_named(name)
  local values = require "rille.repl.values"
  return values.table_of(name) or name
end

local function yes(condition, word) return condition and word or "" end

local function describe_column(column, unique)
  return {
    { text = text.escape(column.name), style = "bold" },
    { text = text.escape(column.type or "") },
    { text = text.escape(column.declared or ""), style = "dim" },
    { text = yes(not column.not_null and column.primary == 0, "yes") },
    { text = text.escape(column.default or "") },
    { text = column.primary > 0 and "primary" or yes(unique[column.name], "unique") },
  }
end

local function schema(session, argument)
  if argument == "" then misuse(".schema wants a table or a model", ".tables lists the tables") end
  local db = require "rille".db()
  local found = db:describe(table_named(argument))
  if not found then
    local Error = require "rille.error"
    Error.unknown("no_such_table", "table", argument, db:tables())
  end
  local unique, rows, options = {}, {}, session:print_options()
  for _, index in ipairs(found.indexes or {}) do
    if index.unique and #index.columns == 1 then unique[index.columns[1]] = true end
  end
  for i, column in ipairs(found.columns) do rows[i] = describe_column(column, unique) end
  local header = { "column", "type", "declared", "null", "default", "key" }
  local box = require "rille.repl.grid".draw(header, rows, options.width, options.paint)
  session.out:write(text.escape(found.name), "\n", box, "\n")
  for _, index in ipairs(found.indexes or {}) do
    if index.origin ~= "pk" then
      session.out:write(("%s (%s)%s\n"):format(text.escape(index.name), text.escape(table.concat(index.columns, ", ")),
        yes(index.unique, " unique")))
    end
  end
  for _, key in ipairs(found.foreign or {}) do
    session.out:write(text.escape(("%s references %s (%s)"):format(table.concat(key.columns, ", "), key.table,
      table.concat(key.references or {}, ", "))), yes(key.on_delete and key.on_delete:lower() ~= "no action",
      " on delete " .. tostring(key.on_delete):lower()), "\n")
  end
end

local function reload(session)
  local names = session:reload()
  session.term:note(#names == 0 and "there are no models" or "read again: " .. table.concat(names, ", "))
end

local help

---@type rille.DotCommand[]
M.list = {
  { ".sql on|off", "show each statement with its values and time", sql },
  { ".tables", "list the tables", tables },
  { ".schema NAME", "columns, indexes and keys of a table or model", schema },
  { ".reload", "read the files of the models again", reload },
  { ".help", "show this", function(session) help(session) end },
  { ".quit", "leave; Ctrl-D does too", function() return true end },
}

local ADVICE = [[
Anything else is Lua: an expression is printed, `_` is the last result, an open bracket or `do` waits for more lines.
A `local` lasts for its line; leave the word out to keep the value.  Ctrl-C stops what runs.
]]

function help(session)
  for _, command in ipairs(M.list) do session.out:write(("%-14s %s\n"):format(command[1], command[2])) end
  session.out:write(ADVICE)
end

--- Names of all dot commands.
---@return string[]
function M.names()
  local names = {}
  for i, command in ipairs(M.list) do names[i] = command[1]:match "^%S+" end
  return names
end

--- Run the dot command in the line; raises when there is none of that name.
---@param session rille.Repl
---@param line string  begins with a dot
---@return boolean|nil quit
function M.run(session, line)
  local name, argument = line:match "^(%.%S*)%s*(.-)%s*$"
  for _, command in ipairs(M.list) do
    if command[1]:match "^%S+" == name then return command[3](session, argument) end
  end
  require "rille.error".unknown("invalid_argument", "command", name, M.names(), nil, { hint = ".help lists them" })
end

return M
