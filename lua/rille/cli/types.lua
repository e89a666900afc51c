--- types: writes what an editor reads of the models: their columns, relations, queries and results, as LuaCATS files.
local files = require "rille.cli.files"
local sorted_keys = require "rille.keys"

local OURS = "^%-%-%-@meta [%w_.]+\n%-%- Written by `rille types`"
local INSIDE = { check_path = true, has_relation = true, wrap = true }      -- no methods for a program

local function methods_of(from)
  local names = {}
  for name, value in next, from do
    local is_method = type(name) == "string" and (type(value) == "function" or value == true)
    if is_method and not name:find "^_" and not INSIDE[name] then names[name] = true end
  end
  return names
end

--- The class's own methods, without those of queries.
local function class_methods(models, query_methods)
  local names = {}
  local class = models[1]
  for _, name in ipairs(class and require "rille.model".members(class) or {}) do
    if not query_methods[name] and not INSIDE[name] and not class._def.scopes[name] then names[name] = true end
  end
  return sorted_keys(names)
end

---@param models rille.Model[]
---@return rille.TypesContext
local function context_of(models)
  local declared, is_pivoted = {}, {}
  for _, class in ipairs(models) do
    declared[class._def.name] = class
    for _, relation in next, class._def.relations do
      if relation.kind:find "to_many$" or relation.kind == "morphed_by_many" then is_pivoted[relation.model] = true end
    end
  end
  local query_methods = methods_of(require "rille.query".methods())
  return {
    declared = declared, is_pivoted = is_pivoted, query_methods = sorted_keys(query_methods),
    record_methods = sorted_keys(methods_of(require "rille.record.state".methods)),
    list_methods = sorted_keys(methods_of(require "rille.list")),
    class_methods = class_methods(models, query_methods),
  }
end

--- All files: path below the folder -> text.
local function texts_of(models)
  local Model = require "rille.cli.types.model"
  local context, texts = context_of(models), {}
  texts["rille.lua"] = require "rille.cli.types.library".text(context, Model.HEAD:format "the library")
  texts["rille/testing.lua"] = require "rille.cli.types.testing".text(Model.HEAD:format "the library")
  for _, class in ipairs(models) do
    local path = ("models/%s.lua"):format(require "rille.inflect".underscore(class._def.name))
    texts[path] = Model.text(class, context)
  end
  return texts
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

--- What has to be done to the folder: paths to write, and paths to remove since their models are gone.
local function differences(folder, texts)
  local changed, gone = {}, {}
  for _, path in ipairs(sorted_keys(texts)) do
    if read(folder .. "/" .. path) ~= texts[path] then changed[#changed + 1] = path end
  end
  for _, name in ipairs(files.list(folder .. "/models")) do
    local path = "models/" .. name
    if not texts[path] and (read(folder .. "/" .. path) or ""):find(OURS) then gone[#gone + 1] = path end
  end
  return changed, gone
end

--- A file of that name that somebody else wrote stays.
local function refuse_foreign(folder, changed)
  for _, path in ipairs(changed) do
    local text = read(folder .. "/" .. path)
    if text and not text:find(OURS) then
      require "rille.error".raise("script", ("%s/%s was not written by rille types"):format(folder, path), {
        hint = "it was left as it is, and nothing was written; move it away, or choose another folder with --out",
      })
    end
  end
end

local function write_all(folder, texts, changed, gone)
  for _, path in ipairs(gone) do os.remove(folder .. "/" .. path) end
  for _, path in ipairs(changed) do
    os.remove(folder .. "/" .. path)
    files.write_new(folder .. "/" .. path, texts[path])
  end
end

local function report(term, folder, result, status)
  return term:report(result, function()
    for _, path in ipairs(result.written or result.stale) do term:line(("%s/%s"):format(folder, path)) end
    for _, path in ipairs(result.removed or {}) do term:note(("removed %s/%s"):format(folder, path)) end
    if result.written and #result.written == 0 then term:note(folder .. " is up to date") end
    if result.stale and #result.stale > 0 then term:note("out of date; rille types writes them anew") end
  end, status)
end

---@type rille.Command
return {
  summary = "write the types of the models for editors",
  details = [[
Writes LuaCATS files for lua-language-server: one for rille, one for each model with its columns, relations, scopes
and queries.  Columns are those of the database, or of the model's fields where the table is not there yet.
The editor finds them where workspace.library of .luarc.json has the folder, as in a new project.]],
  json = true,
  options = {
    { "--out", "the folder to write to (default: types)", value = "DIR", complete = "directory" },
    { "--check", "write nothing; status 1 when the files are out of date" },
  },
  run = function(args, term)
    require "rille.cli.project".need()
    local folder = (args.out or "types"):gsub("(.)/+$", "%1")
    local texts = texts_of(require "rille.autoload".load_all())
    local changed, gone = differences(folder, texts)
    if args.check then
      local stale = table.move(gone, 1, #gone, #changed + 1, changed)
      return report(term, folder, { folder = folder, stale = stale }, #stale > 0 and 1 or 0)
    end
    refuse_foreign(folder, changed)
    write_all(folder, texts, changed, gone)
    report(term, folder, { folder = folder, written = changed, removed = gone })
  end,
}
