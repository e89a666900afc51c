--- check: runs the checks named as arguments over the sources; prints what is wrong, exit status 1 if anything is.
-- `lua5.4 spec/lint/check.lua includes contracts form`, from the root of the project.

local FOLDERS = "core docs host lua spec models migrations"

---@class lint.File
---@field path string      from the root of the project, "core/base/arena.h"
---@field lines string[]   without their ends

--- All C, Lua and shell sources.
---@return lint.File[]
local function sources()
  local files = {}
  local find <close> = assert(io.popen("find " .. FOLDERS .. [[ -name '*.[ch]' -o -name '*.lua' -o -name '*.sh']]))
  for path in find:lines() do
    local file = { path = path, lines = {} }
    for line in io.lines(path) do file.lines[#file.lines + 1] = line end
    files[#files + 1] = file
  end
  table.sort(files, function(a, b) return a.path < b.path end)
  return files
end

local files = sources()
local wrong = 0
for _, name in ipairs(arg) do
  for _, problem in ipairs(require("spec.lint." .. name)(files)) do
    print(problem)
    wrong = wrong + 1
  end
end
os.exit(wrong == 0, true)
