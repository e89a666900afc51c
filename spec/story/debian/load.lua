--- load: writes packages and their relations through the models, reading the texts once and keeping little in memory.
local control = require "spec.story.debian.control"
local dependency = require "spec.story.debian.dependency"

local BATCH_ROWS = 2000

--- Collects rows for one model and inserts them `BATCH_ROWS` at a time, after what the writers in `...` have collected.
local function writer(model, ...)
  local rows, before = {}, { ... }
  local self = { written = 0 }
  function self.flush()
    for _, each in ipairs(before) do each.flush() end
    if #rows > 0 then self.written = self.written + model:insert(rows) end
    rows = {}
  end
  function self.add(row)
    rows[#rows + 1] = row
    if #rows >= BATCH_ROWS then self.flush() end
  end
  return self
end

--- A writer that gives the id of the row for a text, and makes the row when it first hears of the text.
local function registry(model, row_of)
  local self, ids, count = writer(model), {}, 0
  function self.id(text)
    if not text then return nil end
    if not ids[text] then
      count = count + 1
      local row = row_of(text)
      row.id, ids[text] = count, count
      self.add(row)
    end
    return ids[text]
  end
  return self
end

--- "Name <address>", divided so that the text can be put together again; anything else is all name.
local function maintainer_row(text)
  local name, email = text:match "^(.-) <([^>]*)>$"
  return { name = name or text, email = email }
end

local function section_row(text)
  local area, name = text:match "^(.-)/(.+)$"
  return { area = area or "main", name = name or text }
end

local function named_row(text) return { name = text } end

---@class debian.Counts
---@field stanzas integer     read from both texts
---@field packages integer    rows written
---@field relations integer   rows written
---@field provisions integer  rows written
---@field again integer       stanzas whose package was there already

--- Reads both texts, the installed packages first, in one transaction.
---@param rille table
---@param models table           what models.lua returns
---@param status_path string     the installed packages: /var/lib/dpkg/status
---@param available_path string  the available ones, may be empty: `apt-cache dumpavail`
---@return debian.Counts
return function(rille, models, status_path, available_path)
  local maintainers = registry(models.Maintainer, maintainer_row)
  local sections = registry(models.Section, section_row)
  local sources = registry(models.SourcePackage, named_row)
  local names = registry(models.Name, named_row)
  local packages = writer(models.Package, maintainers, sections, sources)
  local relations = writer(models.Relation, packages)
  local provisions = writer(models.Provision, packages, names)
  local built = {}
  local ids, count, stanzas, again = {}, 0, 0, 0

  local function seen_again(id, stanza, available)
    again = again + 1
    if available then
      packages.flush()
      models.Package:where("id", id):update { available = true, bytes = math.tointeger(stanza.Size) }
    end
  end

  --- Its source has the package built, once for all its versions; the package itself provides what it says.
  local function add_provisions(id, source, stanza)
    local key = source .. "\t" .. stanza.Package
    if not built[key] then
      built[key] = true
      provisions.add { name_id = names.id(stanza.Package), provider_type = "source_packages",
                       provider_id = sources.id(source) }
    end
    for _, it in ipairs(stanza.Provides and dependency.parse(stanza.Provides) or {}) do
      provisions.add { name_id = names.id(it.name), provider_type = "packages", provider_id = id,
                       version = it.version }
    end
  end

  local function add(id, stanza, available)
    local source = (stanza.Source or stanza.Package):match "^%S+"
    packages.add {
      id = id, name = stanza.Package, version = stanza.Version or "", architecture = stanza.Architecture or "",
      section_id = sections.id(stanza.Section), maintainer_id = maintainers.id(stanza.Maintainer or "nobody"),
      source_id = sources.id(source), priority = stanza.Priority,
      installed_kib = math.tointeger(stanza["Installed-Size"]),
      bytes = available and math.tointeger(stanza.Size) or nil,
      essential = stanza.Essential == "yes", available = available,
      installed = (stanza.Status or ""):find "%sinstalled$" ~= nil,
      summary = (stanza.Description or ""):match "^[^\n]*",
    }
    for _, kind in ipairs(dependency.KINDS) do
      for _, relation in ipairs(stanza[kind] and dependency.parse(stanza[kind]) or {}) do
        relation.package_id, relation.kind = id, kind
        relations.add(relation)
      end
    end
    add_provisions(id, source, stanza)
  end

  local function read(path, available)
    for stanza in control.stanzas(io.lines(path)) do
      stanzas = stanzas + 1
      local key = ("%s\t%s\t%s"):format(stanza.Package, stanza.Version or "", stanza.Architecture or "")
      if ids[key] then
        seen_again(ids[key], stanza, available)
      else
        count = count + 1
        ids[key] = count
        add(count, stanza, available)
      end
    end
  end

  rille.transaction(function()
    read(status_path, false)
    read(available_path, true)
    relations.flush()
    provisions.flush()
  end)
  return { stanzas = stanzas, again = again, packages = packages.written, relations = relations.written,
           provisions = provisions.written }
end
