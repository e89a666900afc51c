--- printer: what a value looks like in the REPL: lists of rows as a table, one record as a card, a query as its SQL.
local grid = require "rille.repl.grid"
local pretty = require "rille.repl.pretty"
local text = require "rille.cli.text"
local values = require "rille.repl.values"

local M = {}

M.MAX_ROWS = 100
local CELL_BYTES = 400              -- of one value in a table; a card shows more
local CARD_BYTES = 4000

--- Bytes that are no text, in SQL's own way of writing them.
local function hexadecimal(value, bytes)
  local shown = value:sub(1, bytes // 4):gsub(".", function(char) return ("%02X"):format(char:byte()) end)
  return ("x'%s%s' (%d bytes)"):format(shown, #value > bytes // 4 and "…" or "", #value)
end

--- One value as a cell.
local function cell_of(value, bytes)
  if value == nil or values.is_null(value) then return { text = "null", style = "dim" } end
  if type(value) == "number" then return { text = tostring(value), right = true } end
  if type(value) ~= "string" then
    return { text = (pretty.clip(pretty.format(value), bytes)) }
  end
  if value == "" or value == "null" then return { text = '"' .. value .. '"' } end
  local start, cut = pretty.clip(value, bytes)
  if start:find "\0" or not utf8.len(start) then return { text = hexadecimal(value, 64) } end
  return { text = text.escape(start) .. (cut and "…" or "") }
end

--- Rows that are plain tables: names of all columns, in the order they first appear, sorted within a row.
local function columns_of_rows(rows, count)
  local columns, seen = {}, {}
  for i = 1, count do
    local fresh = {}
    for name in next, rows[i] do
      if not seen[name] then
        seen[name] = true
        fresh[#fresh + 1] = name
      end
    end
    table.sort(fresh)
    table.move(fresh, 1, #fresh, #columns + 1, columns)
  end
  return columns
end

local function header_of(columns)
  local header = {}
  for i, name in ipairs(columns) do header[i] = text.escape(name) end
  return header
end

local function draw_list(list, columns, read, options)
  local count = math.min(#list, M.MAX_ROWS)
  columns = columns or columns_of_rows(list, count)
  local rows = {}
  for i = 1, count do
    local row = {}
    for j, name in ipairs(columns) do row[j] = cell_of(read(list[i], name), CELL_BYTES) end
    rows[i] = row
  end
  local box, left_out = grid.draw(header_of(columns), rows, options.width, options.paint)
  local notes = { text.count(#list, "row") }
  if #list > count then notes[#notes + 1] = ("the first %d shown"):format(count) end
  if #left_out > 0 then notes[#notes + 1] = "no room for " .. table.concat(left_out, ", ") end
  return box .. "\n" .. options.paint("dim", table.concat(notes, "; "))
end

local function draw_card(record, options)
  local rows = {}
  for i, column in ipairs(values.columns_of(record)) do
    rows[i] = {
      { text = text.escape(column.name), style = "bold" },
      cell_of(values.read(record, column.name), CARD_BYTES),
      { text = column.type or "", style = "dim" },
    }
    rows[i][2].right = nil
  end
  local title = values.title(record)
  if #rows == 0 then return title .. " without attributes" end
  local box = grid.draw({ "column", "value", "type" }, rows, options.width, options.paint)
  return options.paint("bold", title) .. "\n" .. box
end

local function draw_query(query, options)
  local sql, params = query:to_sql()
  local lines = { text.escape(sql, true) }
  if params and (params.n or #params) > 0 then
    lines[2] = options.paint("dim", "with " .. M.parameters(params))
  end
  lines[#lines + 1] = options.paint("dim", ":all() runs it")
  return table.concat(lines, "\n")
end

local function draw_error(value, options)
  local failure = require "rille.cli.failure"
  return ("%s (%s)"):format(text.escape(failure.text(value, nil, options.paint), true), tostring(value.kind))
end

--- Bound values on one line.
---@param params table
---@return string
function M.parameters(params)
  local out = {}
  for i = 1, params.n or #params do
    local value = params[i]
    if value == nil or values.is_null(value) then
      out[i] = "null"
    elseif type(value) == "string" and (value:find "\0" or not utf8.len(value)) then
      out[i] = hexadecimal(value, 64)
    else
      out[i] = pretty.format(value)
    end
  end
  return "[" .. table.concat(out, ", ") .. "]"
end

local DRAW = {
  record = draw_card,
  query = draw_query,
  error = draw_error,
  records = function(list, options)
    local columns = {}
    for i, column in ipairs(values.columns_of(list[1])) do columns[i] = column.name end
    return draw_list(list, columns, values.read, options)
  end,
  rows = function(list, options)
    return draw_list(list, options.columns, function(row, name) return row[name] end, options)
  end,
  model = function(class) return values.title(class) end,
}

---@class rille.PrintOptions
---@field width integer  columns of the terminal; math.huge cuts nothing
---@field paint fun(style: string, text: string): string
---@field columns? string[]  of plain rows, in order

--- Are these the rows of a statement and the names of its columns?
---@param rows any
---@param names any
---@return boolean
function M.is_result(rows, names)
  if type(rows) ~= "table" or type(names) ~= "table" or getmetatable(names) ~= nil or #names == 0 then return false end
  for _, name in ipairs(names) do
    if type(name) ~= "string" then return false end
  end
  return values.kind(rows) == "rows" or values.is_list(rows) and #rows == 0
end

--- The value as text for a person.
---@param value any
---@param options rille.PrintOptions
---@return string
function M.format(value, options)
  local draw = DRAW[options.columns and "rows" or values.kind(value)]
  if draw then return draw(value, options) end
  if value == nil then return options.paint("dim", "nil") end
  return pretty.format(value, math.min(options.width, 100))
end

return M
