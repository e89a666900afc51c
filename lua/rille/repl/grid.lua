--- grid: rows as a table of box characters, cut to the width of the terminal.
local text = require "rille.cli.text"

local M = {}

local LEAST = 8             -- columns of the terminal below which a column tells nothing: rather leave it out

---@class rille.Cell
---@field text string   already escaped
---@field right? boolean  set at the right: numbers
---@field style? string  of term.lua, for what is no data: NULL

--- The greatest cap with which the columns fit, or nil when not even LEAST does.
local function cap_for(widths, count, room)
  local widest = 0
  for i = 1, count do widest = math.max(widest, widths[i]) end
  for cap = math.max(widest, LEAST), LEAST, -1 do
    local sum = 0
    for i = 1, count do sum = sum + math.min(widths[i], cap) end
    if sum <= room then return cap, room - sum end
  end
end

--- Shares what the cap left over among the columns that it cut.
local function fit(widths, total)
  for count = #widths, 1, -1 do
    local cap, left = cap_for(widths, count, total - 3 * count - 1)
    if cap or count == 1 then
      local out = {}
      cap, left = cap or math.max(total - 4, 1), left or 0
      for i = 1, count do
        local extra = math.min(math.max(widths[i] - cap, 0), left)
        out[i], left = math.min(widths[i], cap) + extra, left - extra
      end
      return out
    end
  end
  return {}
end

local function measure(header, rows)
  local widths = {}
  for i, name in ipairs(header) do
    widths[i] = text.width(name)
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], text.width(row[i].text)) end
    widths[i] = math.max(widths[i], 1)
  end
  return widths
end

local function rule(widths, left, middle, right)
  local out = {}
  for i, width in ipairs(widths) do out[i] = ("─"):rep(width + 2) end
  return left .. table.concat(out, middle) .. right
end

local function line_of(cells, widths, paint)
  local out = {}
  for i, width in ipairs(widths) do
    local cell = cells[i]
    local shown = text.pad(text.cut(cell.text, width), width, cell.right)
    out[i] = cell.style and paint(cell.style, shown) or shown
  end
  return "│ " .. table.concat(out, " │ ") .. " │"
end

--- The rows as a box.
---@param header string[]  escaped
---@param rows rille.Cell[][]
---@param width integer  columns of the terminal; math.huge cuts nothing
---@param paint fun(style: string, text: string): string
---@return string box
---@return string[] left_out  names of columns that did not fit
function M.draw(header, rows, width, paint)
  local widths = fit(measure(header, rows), width)
  local head, left_out = {}, {}
  for i, name in ipairs(header) do
    head[i] = { text = name, style = "bold" }
    if i > #widths then left_out[#left_out + 1] = name end
  end
  local lines = { rule(widths, "┌", "┬", "┐"), line_of(head, widths, paint), rule(widths, "├", "┼", "┤") }
  for _, row in ipairs(rows) do lines[#lines + 1] = line_of(row, widths, paint) end
  lines[#lines + 1] = rule(widths, "└", "┴", "┘")
  return table.concat(lines, "\n"), left_out
end

return M
