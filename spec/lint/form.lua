--- form: what every source has in common: its purpose in the first line, its length, its white space.

local LINES_MAX = 500            -- most end before 400; whoever nears this looks for the seam
local SPEC_LINES_MAX = 700       -- cases in tables take lines
local BYTES_MAX = 120            -- of one line
local LEFT_OPEN = { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX" }

-- How the first line says what the file is for, by its kind.
local PURPOSE = {
  { "%.[ch]$", "^/%* %S+ %- .", "/* path - sentence. */" },
  { "%.lua$", "^%-%-%- .-: %S", "--- name: sentence." },
  { "%.sh$", "^# %S+%.sh.* %- .", "# name.sh - sentence.  (below #!/bin/sh)" },
}

local function check(file, problems)
  local function say(number, ...)
    problems[#problems + 1] = ("%s:%d: "):format(file.path, number) .. string.format(...)
  end
  local first = file.lines[1] or ""
  if first:find "^#!" then first = file.lines[2] or "" end
  for _, rule in ipairs(PURPOSE) do
    if file.path:find(rule[1]) and not first:find(rule[2]) then say(1, "the first line should be  %s", rule[3]) end
  end
  local most = file.path:find "^spec/" and SPEC_LINES_MAX or LINES_MAX
  if #file.lines > most then
    say(#file.lines, "%d lines, more than %d: look for the seam", #file.lines, most)
  end
  for number, line in ipairs(file.lines) do
    if #line > BYTES_MAX and (utf8.len(line) or #line) > BYTES_MAX then say(number, "longer than %d", BYTES_MAX) end
    if line:find "\t" then say(number, "a tab") end
    if line:find "%s$" then say(number, "white space at the end") end
    for _, word in ipairs(LEFT_OPEN) do
      if line:find("%f[%w]" .. word .. "%f[%W]") then say(number, "left open: %s", word) end
    end
  end
end

---@param files lint.File[]
---@return string[]
return function(files)
  local problems = {}
  for _, file in ipairs(files) do check(file, problems) end
  return problems
end
