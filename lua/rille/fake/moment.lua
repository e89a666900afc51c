--- fake.moment: days and moments as whole numbers, and back to the text that columns keep.
local Error = require "rille.error"

local M = {}

local SECONDS_OF_DAY <const> = 86400
local FIRST <const>, LAST <const> = -62167219200, 253402300799       -- of the years 0 to 9999, which columns know
local DAYS_BEFORE = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 }

local function is_leap(year) return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) end

--- Days from 1970-01-01 to the first day of a year.
local function days_to_year(year)
  local before = year - 1
  return 365 * (year - 1970) + (before // 4 - before // 100 + before // 400) - 477
end

--- Days from 1970-01-01 to the first day of a month, which may be the 13th.
local function days_to_month(year, month)
  return days_to_year(year) + DAYS_BEFORE[month] + (month > 2 and is_leap(year) and 1 or 0)
end

local FORMS = { "^(%d%d%d%d)-(%d%d)-(%d%d)$", "^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d)%.?%d*Z?$" }

--- Year, month and so on of a text; nil when it is none.
local function read(text)
  for _, form in ipairs(FORMS) do
    local parts = { text:match(form) }
    for i, part in ipairs(parts) do parts[i] = math.tointeger(part) end
    local year, month, day = table.unpack(parts)
    if year and month >= 1 and month <= 12 and day >= 1
      and day <= days_to_month(year, month + 1) - days_to_month(year, month)
      and (not parts[4] or parts[4] < 24 and parts[5] < 60 and parts[6] < 60) then
      return parts
    end
  end
end

--- Seconds from 1970-01-01T00:00:00Z.  A day without a time is its first second, or its last.
---@param where string         for messages
---@param value string|integer  a day, a moment in UTC, or the seconds themselves
---@param last boolean
---@return integer
function M.seconds(where, value, last)
  local seconds = type(value) == "number" and math.tointeger(value)
  if seconds and seconds >= FIRST and seconds <= LAST then return seconds end
  local parts = type(value) == "string" and read(value)
  if not parts then
    Error.argument(where, "a day such as 2024-02-29, a moment 2024-02-29T12:00:00Z or seconds since 1970", value)
  end
  local days = days_to_month(parts[1], parts[2]) + parts[3] - 1
  if not parts[4] then return days * SECONDS_OF_DAY + (last and SECONDS_OF_DAY - 1 or 0) end
  return days * SECONDS_OF_DAY + parts[4] * 3600 + parts[5] * 60 + parts[6]
end

--- The day that holds that second, as 2024-02-29.
---@param seconds integer  since 1970
---@return string
function M.date(seconds)
  local days = seconds // SECONDS_OF_DAY
  local year = 1970 + days // (days < 0 and 365 or 366)       -- at most too early
  while days_to_year(year + 1) <= days do year = year + 1 end
  local month = 1
  while days_to_month(year, month + 1) <= days do month = month + 1 end
  return ("%04d-%02d-%02d"):format(year, month, days - days_to_month(year, month) + 1)
end

--- The moment, as columns keep it: 2024-02-29T12:00:00.000000Z.
---@param seconds integer
---@return string
function M.datetime(seconds)
  local rest = seconds % SECONDS_OF_DAY
  return ("%sT%02d:%02d:%02d.000000Z"):format(M.date(seconds), rest // 3600, rest // 60 % 60, rest % 60)
end

return M
