--- includes: the rule of who may know whom, for #include in C and for require in Lua.

-- A layer includes itself and the layers named here.  `query` and `driver` never meet.
local MAY_INCLUDE = {
  ["core/base"] = {},
  ["core/query"] = { "core/base" },
  ["core/driver"] = { "core/base" },
  ["core/run"] = { "core/query", "core/driver", "core/base" },
  ["core/bind"] = { "core/run", "core/driver", "core/query", "core/base" },
  ["host"] = { "core/bind/open.h", "core/base/stop.h" },
}

-- A header of somebody else, and the only paths that may include it.
local RESERVED = {
  ["^lua"] = { "^core/bind/", "^host/", "^spec/" },
  ["^lauxlib%.h$"] = { "^core/bind/", "^host/", "^spec/" },
  ["^sqlite3%.h$"] = { "^core/driver/sqlite[%w_]*%.[ch]$", "^spec/" },
  ["^libpq"] = { "^core/driver/postgres[%w_]*%.[ch]$", "^spec/" },
  ["^histedit%.h$"] = { "^host/" },
}

-- Lua modules (patterns) and the modules that they may not require, wherever the require stands.
local MAY_NOT_REQUIRE = {
  { "^rille%.error$", "^rille%.", except = "^rille%.core$" },
  { "^rille%.record$", "^rille%.query$" },
  { "^rille%.fetch$", "^rille%.model$" },
}

-- The program stands on the library and not the other way round; rille.cli is what the host starts.
local PROGRAM = { "^rille%.cli$", "^rille%.cli%.", "^rille%.repl$", "^rille%.repl%." }

local function matches_any(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

local function layer_of(path)
  return path:match "^(core/%w+)/" or path:match "^(host)/"
end

local function include_problem(path, quoted, name)
  for pattern, allowed in pairs(RESERVED) do
    if name:find(pattern) and not matches_any(path, allowed) then return "may not include " .. name end
  end
  local layer = layer_of(path)
  if not quoted or not layer then return nil end
  local target = layer_of(name)
  if not target then
    if layer == "host" then return nil end            -- a neighbour, included by its bare name
    return ("includes \"%s\": say the path from the root of the project"):format(name)
  end
  if target == layer then return nil end
  for _, allowed in ipairs(MAY_INCLUDE[layer] or {}) do
    if allowed == target or allowed == name then return nil end
  end
  return ("%s may not include %s"):format(layer, name)
end

local function check_c(file, problems)
  for number, line in ipairs(file.lines) do
    local open, name = line:match '^%s*#%s*include%s*([<"])([^>"]+)'
    local problem = name and include_problem(file.path, open == '"', name)
    if problem then problems[#problems + 1] = ("%s:%d: %s"):format(file.path, number, problem) end
  end
end

--- "lua/rille/cli/run.lua" -> "rille.cli.run"; nil for what is no module of the library.
local function module_of(path)
  local inner = path:match "^lua/(.+)%.lua$"
  return inner and (inner:gsub("/", "."))
end

local function require_problem(module, target)
  for _, rule in ipairs(MAY_NOT_REQUIRE) do
    if module:find(rule[1]) and target:find(rule[2]) and not (rule.except and target:find(rule.except)) then
      return ("%s may not require %s"):format(module, target)
    end
  end
  if matches_any(target, PROGRAM) and not matches_any(module, PROGRAM) then
    return ("%s, which belongs to the library, may not require %s, which belongs to the program"):format(module, target)
  end
end

--- Also fills `loads[module]` with what the module requires as soon as it is loaded (not inside a function).
local function check_lua(file, problems, loads)
  local module = module_of(file.path)
  if not module then return end
  loads[module] = {}
  for number, line in ipairs(file.lines) do
    local code = line:gsub("%-%-.*", "")
    for target in code:gmatch "require%s*%(?%s*[\"']([%w_.]+)[\"']" do
      local problem = require_problem(module, target)
      if problem then problems[#problems + 1] = ("%s:%d: %s"):format(file.path, number, problem) end
      if code:find "^local [%w_, ]+=%s*require" then table.insert(loads[module], target) end
    end
  end
end

--- Two modules that load each other cannot both be loaded first.
local function check_circles(loads, problems)
  local state = {}
  local function visit(module, way)
    if state[module] == "done" or not loads[module] then return end
    if state[module] == "open" then
      problems[#problems + 1] = ("lua: modules load each other: %s -> %s"):format(table.concat(way, " -> "), module)
      return
    end
    state[module] = "open"
    way[#way + 1] = module
    for _, target in ipairs(loads[module]) do visit(target, way) end
    way[#way] = nil
    state[module] = "done"
  end
  local modules = {}
  for module in pairs(loads) do modules[#modules + 1] = module end
  table.sort(modules)
  for _, module in ipairs(modules) do visit(module, {}) end
end

---@param files lint.File[]
---@return string[]  # what is wrong, "path:line: text"
return function(files)
  local problems, loads = {}, {}
  for _, file in ipairs(files) do
    if file.path:find "%.[ch]$" then check_c(file, problems) else check_lua(file, problems, loads) end
  end
  check_circles(loads, problems)
  return problems
end
