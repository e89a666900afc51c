--- new: a project that runs: configuration, one model, its migration, seeds, a script, a spec.
local files = require "rille.cli.files"
local templates = require "rille.cli.templates"

--- The last part of a path; of "." the name of the current directory.
local function base_name(path)
  local base = path:gsub("/+$", ""):match "([^/]+)$"
  if base == "." then base = (os.getenv "PWD" or ""):match "([^/]+)$" end
  return base
end

local function check(path)
  local base = base_name(path)
  if base and base ~= ".." and not path:find "%c" and path:sub(1, 1) ~= "-" then return base end
  require "rille.cli.failure".misuse(require "rille.error".quote(path) .. " is no name for a project", "rille new shop")
end

local function refuse_used(path)
  local Error = require "rille.error"
  if not files.exists(path) then return end
  if not files.is_directory(path) then Error.raise("script", path .. " is a file") end
  local names = files.list(path)
  if #names > 0 then
    Error.raise("script", ("the folder %s is not empty: it has %s"):format(path, names[1]), {
      hint = "nothing was written; choose another name",
    })
  end
end

---@type rille.Command
return {
  summary = "start a project in a new folder",
  json = true,
  arguments = { { "name", "the folder to make", complete = "directory" } },
  run = function(args, term)
    local base = check(args.name)
    local path = #args.name > 1 and args.name:gsub("/+$", "") or args.name
    refuse_used(path)
    local values = { name = base, database = (base:gsub("[^%w_-]", "_")) }
    local written = {}
    for i, file in ipairs(templates.project) do
      files.write_new(path .. "/" .. file[1], templates.fill(file[2], values))
      written[i] = file[1]
    end
    term:report({ project = path, files = written }, function()
      for _, each in ipairs(written) do term:note(term:paint("err", "dim", "  " .. path .. "/" .. each)) end
      term:line(("%s is ready.  Next:"):format(base))
      if path ~= "." then term:line("  cd " .. require "rille.cli.text".shell_word(path)) end
      term:line "  rille migrate --seed"
      term:line "  rille run hello.lua"
      term:line "  rille repl"
      term:line "  rille test"
      term:line "  rille types"
    end)
  end,
}
