--- project: a folder for a spec in which the program runs as from a shell; gone afterwards.
local core = require "rille.core"
local json = require "dkjson"

local Project = {}
Project.__index = Project

--- A new folder with these files: name -> text; a name may begin with a folder.
---@param files table<string, string>
function Project.new(files)
  local self = setmetatable({ path = os.tmpname() }, Project)
  os.remove(self.path)
  assert(core.make_directory(self.path))
  for name, text in pairs(files) do self:write(name, text) end
  return self
end

function Project:write(name, text)
  local folder = name:match "^(.*)/"
  if folder then assert(core.make_directory(self.path .. "/" .. folder)) end
  local file <close> = assert(io.open(self.path .. "/" .. name, "wb"))
  file:write(text)
end

--- What a file in it says.
---@return string
function Project:read(name)
  local file <close> = assert(io.open(self.path .. "/" .. name, "rb"))
  return file:read "a"
end

local function run(self, command, errors)
  local line = ("cd '%s' && %s %s %s </dev/null"):format(self.path, os.getenv "RILLE", command, errors)
  local pipe = assert(io.popen(line))
  local text = pipe:read "a"
  local _, _, status = pipe:close()
  return status, text
end

--- Run the program.
---@param command string
---@return integer status
---@return string out  with what went to stderr
function Project:run(command) return run(self, command, "2>&1") end

--- The object that a command prints with --json.
---@param command string
---@return table
function Project:json(command)
  local _, out = run(self, command .. " --json", "2>/dev/null")
  return json.decode(out)
end

function Project:remove() os.execute("rm -rf '" .. self.path .. "'") end

return Project
