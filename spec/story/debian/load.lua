--- load: writes packages and their relations through the models, reading the texts once and keeping little in memory.
local control = require "spec.story.debian.control"
local dependency = require "spec.story.debian.dependency"

local BATCH_ROWS = 2000

--- Collects rows for one model and inserts them `BATCH_ROWS` at a time, after what `first` has collected.
local function writer(model, first)
  local rows = {}
  local self = { written = 0 }
  function self.flush()
    if first then first.flush() end
    if #rows > 0 then self.written = self.written + model:insert(rows) end
    rows = {}
  end
  function self.add(row)
    rows[#rows + 1] = row
    if #rows >= BATCH_ROWS then self.flush() end
  end
  return self
end

--- A function from text to id that makes the row when it first hears of the text.
local function registry(model, row_of)
  local ids = {}
  return function(text)
    if not text then return nil end
    ids[text] = ids[text] or model:create(row_of(text)).id
    return ids[text]
  end
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

---@class debian.Counts
---@field stanzas integer     read from both texts
---@field packages integer    rows written
---@field relations integer   rows written
---@field again integer       stanzas whose package was there already

--- Reads both texts, the installed packages first, in one transaction.
---@param rille table
---@param models table           what models.lua returns
---@param status_path string     the installed packages: /var/lib/dpkg/status
---@param available_path string  the available ones, may be empty: `apt-cache dumpavail`
---@return debian.Counts
return function(rille, models, status_path, available_path)
  local packages = writer(models.Package)
  local relations = writer(models.Relation, packages)
  local maintainer = registry(models.Maintainer, maintainer_row)
  local section = registry(models.Section, section_row)
  local ids, count, stanzas, again = {}, 0, 0, 0

  local function seen_again(id, stanza, available)
    again = again + 1
    if available then
      packages.flush()
      models.Package:where("id", id):update { available = true, bytes = math.tointeger(stanza.Size) }
    end
  end

  local function add(id, stanza, available)
    packages.add {
      id = id, name = stanza.Package, version = stanza.Version or "", architecture = stanza.Architecture or "",
      section_id = section(stanza.Section), maintainer_id = maintainer(stanza.Maintainer or "nobody"),
      source = stanza.Source and stanza.Source:match "^%S+", priority = stanza.Priority,
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
  end)
  return { stanzas = stanzas, again = again, packages = packages.written, relations = relations.written }
end
