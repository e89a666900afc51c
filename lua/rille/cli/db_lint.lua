--- db:lint: what in the schema lets tenants meet, and where scripts say that everybody's rows are meant.
local text = require "rille.cli.text"

local function folders(given)
  if #given > 0 then return given end
  local config, found, files = require "rille.config".current(), {}, require "rille.cli.files"
  for _, kind in ipairs { "models", "migrations", "seeds", "factories" } do
    if files.is_directory(config[kind]) then found[#found + 1] = config[kind] end
  end
  return found
end

local function print_all(result, term)
  for _, each in ipairs(result.findings) do
    term:line(("%s: %s"):format(term:paint("out", "bold", text.escape(each.table)), text.escape(each.message)))
    term:note("  " .. text.escape(each.hint))
  end
  for _, each in ipairs(result.bypasses) do
    term:line(("%s:%d: %s"):format(text.escape(each.file), each.line, each.word))
  end
  local read, bypasses = {}, "no scripts were read for bypasses"
  for i, path in ipairs(result.paths) do read[i] = text.escape(path) end
  if #read > 0 then
    bypasses = ("%s in %s"):format(text.count(#result.bypasses, "bypass", "bypasses"), table.concat(read, ", "))
  end
  term:line(("%s; %s"):format(text.count(#result.findings, "finding"), bypasses))
end

---@type rille.Command
return {
  summary = "report what lets tenants meet: indexes, keys, triggers, models, bypasses in scripts",
  details = "Looked at are the tables of the default connection and the models, and for `without_tenant_scope`,\n"
    .. "`all_tenants` and `tenant.outside` the folders of the configuration, or the given paths: scripts elsewhere\n"
    .. "are not read.  The exit status is 1 where the schema or the models are at fault; bypasses are only listed.",
  json = true,
  arguments = { { "path", "a file or folder of scripts", count = "*", complete = "file" } },
  run = function(args, term)
    require "rille.cli.project".need()
    local paths = folders(args.path or {})
    local result = {
      findings = require "rille.tenant.lint".run(), bypasses = require "rille.tenant.bypass".find(paths),
      paths = paths,
    }
    return term:report(result, function() print_all(result, term) end, #result.findings > 0 and 1 or 0)
  end,
}
