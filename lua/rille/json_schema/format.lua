--- format: the texts that a `format` of JSON Schema allows.
-- A format is checked, not only noted: what a schema says of a value is what the table keeps.
local M = {}

local MAX_HOST <const>, MAX_LABEL <const>, MAX_EMAIL <const> = 253, 63, 254

local function hostname(text)
  if #text == 0 or #text > MAX_HOST then return false end
  for label in (text .. "."):gmatch "([^.]*)%." do
    if #label > MAX_LABEL or not label:find "^%w[%w-]*$" or label:find "%-$" then return false end
  end
  return true
end

local function ipv4(text)
  local parts = { text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 or part:find "^0." then return false end
  end
  return #parts == 4
end

--- Groups of four hexadecimal digits between colons; the last one may be an IPv4 address, which counts as two.
local function count_groups(text)
  if text == "" then return 0 end
  local count = 0
  for group, last in (text .. ":"):gmatch "([^:]*):()" do
    local is_last = last == #text + 2
    if is_last and ipv4(group) then
      count = count + 2
    elseif group:find "^%x%x?%x?%x?$" then
      count = count + 1
    else
      return nil
    end
  end
  return count
end

local function ipv6(text)
  local before, after = text:match "^(.-)::(.*)$"
  if not before then return count_groups(text) == 8 end
  local left, right = count_groups(before), count_groups(after)
  return left ~= nil and right ~= nil and not before:find "%." and left + right <= 7
end

local function email(text)
  local user, host = text:match "^(.+)@([^@]+)$"
  if not user or #text > MAX_EMAIL or #user > 64 then return false end
  local address = host:match "^%[(.*)%]$"
  if address and not ipv4(address) and not ipv6(address:match "^IPv6:(.*)$" or "") then return false end
  if not address and not hostname(host) then return false end
  if user:find '^"[^"\\%c]*"$' then return true end
  return user:find "^[%w!#$%%&'*+/=?^_`{|}~.-]+$" ~= nil and not user:find "^%." and not user:find "%.$"
    and not user:find("..", 1, true)
end

--- The same with letters of any script.
local function idn(check)
  return function(text)
    return utf8.len(text) ~= nil and check((text:gsub("[\xC2-\xF4][\x80-\xBF]+", "x")))
  end
end

local function reference(text)
  return not text:find "[^%w%-._~:/?#%[%]@!$&'()*+,;=%%]" and not text:gsub("%%%x%x", ""):find "%%"
    and select(2, text:gsub("#", "")) <= 1
end

local function uri(text) return text:find "^%a[%w+.-]*:" ~= nil and reference(text) end

local DAYS <const> = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function date(text)
  local year, month, day = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or not DAYS[month] or day < 1 or day > DAYS[month] then return false end
  return month ~= 2 or day < 29 or year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

local function time(text)
  local hour, minute, second, rest = text:match "^(%d%d):(%d%d):(%d%d)(.*)$"
  if not hour or tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second) > 60 then return false end
  local zone = rest:gsub("^%.%d+", "")
  local zone_hour, zone_minute = zone:match "^[+-](%d%d):(%d%d)$"
  if zone_hour then return tonumber(zone_hour) < 24 and tonumber(zone_minute) < 60 end
  return zone == "Z" or zone == "z"
end

local function date_time(text)
  local day, clock = text:match "^([%d-]+)[Tt](.*)$"
  return day ~= nil and date(day) and time(clock)
end

local function duration(text)
  local body = text:match "^P(.+)$"
  if not body then return false end
  if body:find "^%d+W$" then return true end
  local day, clock = body:match "^([^T]*)T?(.*)$"
  if body:find "T" and clock == "" then return false end
  local function fits(part, units)
    for _, unit in ipairs(units) do part = part:gsub("^%d+" .. unit, "") end
    return part == ""
  end
  return fits(day, { "Y", "M", "D" }) and fits(clock, { "H", "M", "S" })
end

local function uuid(text)
  return text:find("^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$") ~= nil
end

local function json_pointer(text)
  return utf8.len(text) ~= nil and (text == "" or text:find "^/" ~= nil) and not text:gsub("~[01]", ""):find "~"
end

local function relative_pointer(text)
  local number, rest = text:match "^(%d+)(.*)$"
  return number ~= nil and (number == "0" or not number:find "^0") and (rest == "#" or json_pointer(rest))
end

-- Format -> { what a text has to be, in words, and whether one is }.
M.kinds = {
  date = { "a date (YYYY-MM-DD)", date },
  time = { "a time with its zone (12:00:00Z)", time },
  ["date-time"] = { "a moment (2026-11-20T12:00:00Z)", date_time },
  duration = { "a duration (P1DT12H)", duration },
  email = { "an e-mail address", email },
  ["idn-email"] = { "an e-mail address", idn(email) },
  hostname = { "the name of a host", hostname },
  ["idn-hostname"] = { "the name of a host", idn(hostname) },
  ipv4 = { "an IPv4 address", ipv4 },
  ipv6 = { "an IPv6 address", ipv6 },
  uri = { "a URI", uri },
  ["uri-reference"] = { "a URI or a reference to one", reference },
  iri = { "an IRI", idn(uri) },
  ["iri-reference"] = { "an IRI or a reference to one", idn(reference) },
  uuid = { "a UUID", uuid },
  ["json-pointer"] = { "a JSON pointer", json_pointer },
  ["relative-json-pointer"] = { "a relative JSON pointer", relative_pointer },
  regex = { "a regular expression", function(text)
    return utf8.len(text) ~= nil and require "rille.json_schema.regex".compile(text) ~= nil
  end },
}

M.names = require "rille.keys"(M.kinds)

return M
