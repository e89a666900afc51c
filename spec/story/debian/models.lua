--- models: Debian's package index as seven tables and their models.
-- A package is one name, version and architecture: a name that occurs in several versions is several rows, and one that
-- is both installed and available is one row with both flags.  What a package wants it wants by name, so the rows of
-- `relations` are at once its dependencies as they were written and the pivot between packages: the name leads to every
-- package that bears it.  A name may also be had from what provides it: a package says so (`Provides`), a source has
-- its binary packages built; `provisions` is the morph of both.
local KINDS = require "spec.story.debian.dependency".KINDS

local PIVOT = { "kind", "position", "alternative", "qualifier", "operator", "version" }
local NEEDS = { "Pre-Depends", "Depends" }

local function create_tables(schema)
  schema:create("maintainers", function(t)
    t:id()
    t:string("name")
    t:string("email"):nullable():index()
    t:unique { "name", "email" }
  end)
  schema:create("sections", function(t)
    t:id()
    t:string("area")
    t:string("name")
    t:unique { "area", "name" }
  end)
  schema:create("source_packages", function(t)
    t:id()
    t:string("name"):unique()
  end)
  schema:create("packages", function(t)
    t:id()
    t:string("name")
    t:string("version")
    t:string("architecture")
    t:references("section", "sections"):nullable()
    t:references("maintainer", "maintainers")
    t:references("source", "source_packages"):index()
    t:string("priority"):nullable()
    t:integer("installed_kib"):nullable()
    t:bigint("bytes"):nullable()
    t:boolean("essential"):default(false)
    t:boolean("installed"):default(false)
    t:boolean("available"):default(false)
    t:text("summary")
    t:unique { "name", "version", "architecture" }
  end)
  schema:create("relations", function(t)
    t:id()
    t:references("package", "packages"):on_delete("cascade"):index()
    t:enum("kind", KINDS)
    t:integer("position"):check("position >= 1")
    t:integer("alternative"):check("alternative >= 1")
    t:string("name"):index()
    t:string("qualifier"):nullable()
    t:enum("operator", { "<<", "<=", "=", ">=", ">>" }):nullable()
    t:string("version"):nullable()
  end)
  schema:create("names", function(t)
    t:id()
    t:string("name"):unique()
  end)
  schema:create("provisions", function(t)
    t:id()
    t:references("name", "names"):index()
    t:morphs("provider")
    t:string("version"):nullable()
  end)
end

local function declare_sources(rille)
  return {
    Maintainer = rille.model "Maintainer" {
      timestamps = false,
      relations = { packages = rille.has_many("Package") },
      accessors = {
        --- As Debian writes it.
        address = function(one) return one.email and ("%s <%s>"):format(one.name, one.email) or one.name end,
      },
    },
    Section = rille.model "Section" {
      relations = { packages = rille.has_many("Package") },
      accessors = {
        --- As Debian writes it: the area is left out when it is main.
        label = function(section)
          return section.area == "main" and section.name or section.area .. "/" .. section.name
        end,
      },
    },
    SourcePackage = rille.model "SourcePackage" {
      relations = {
        packages = rille.has_many("Package", { foreign_key = "source_id", order_by = "name" }),
        builds = rille.morph_to_many("Name", "provider", { pivot = "provisions", order_by = "name" }),
      },
    },
  }
end

local function declare_names(rille)
  return {
    Relation = rille.model "Relation" {
      relations = { package = rille.belongs_to("Package") },
      scopes = {
        of_kind = function(query, kind) return query:where("kind", kind) end,
      },
    },
    Name = rille.model "Name" {
      relations = {
        provisions = rille.has_many("Provision"),
        packages = rille.morphed_by_many("Package", "provider", { pivot = "provisions", with_pivot = "version" }),
        sources = rille.morphed_by_many("SourcePackage", "provider", { pivot = "provisions" }),
        bearers = rille.has_many("Package", { local_key = "name", foreign_key = "name" }),
      },
      scopes = {
        --- Names that no package bears: they can be had from others alone.
        virtual = function(query) return query:where_doesnt_have("bearers") end,
      },
    },
    Provision = rille.model "Provision" {
      relations = {
        called = rille.belongs_to("Name", { foreign_key = "name_id" }),
        provider = rille.morph_to(),
      },
    },
  }
end

local function declare_package(rille)
  local function needed(query) return query:where_in("relations.kind", NEEDS) end

  return rille.model "Package" {
    relations = {
      maintainer = rille.belongs_to("Maintainer"),
      section = rille.belongs_to("Section"),
      source = rille.belongs_to("SourcePackage"),
      relations = rille.has_many("Relation", { order_by = "id" }),
      --- Packages of any name that this one mentions, however: the pivot says how.
      mentions = rille.belongs_to_many("Package", {
        pivot = "relations", related_key = "name", owner_key = "name", with_pivot = PIVOT, order_by = "relations.id",
      }),
      --- What must be there before it works, and who needs it.
      dependencies = rille.belongs_to_many("Package", {
        pivot = "relations", related_key = "name", owner_key = "name", with_pivot = PIVOT, where = needed,
      }),
      dependents = rille.belongs_to_many("Package", {
        pivot = "relations", foreign_key = "name", local_key = "name", related_key = "package_id", where = needed,
      }),
      provides = rille.morph_to_many("Name", "provider", { pivot = "provisions", with_pivot = "version" }),
      provisions = rille.morph_many("Provision", "provider"),
    },
    scopes = {
      installed = function(query) return query:where("installed", true) end,
      in_section = function(query, id) return query:where("section_id", id) end,
      largest = function(query) return query:order_by_desc("installed_kib"):order_by("name") end,
      -- One order for lists, so that pages of equal sizes do not depend on luck.
      listed = function(query) return query:order_by("name"):order_by("version"):order_by("architecture") end,
    },
  }
end

---@param rille table
---@return table<string, table>  models by name
return function(rille)
  create_tables(rille.schema())
  local models = { Package = declare_package(rille) }
  for _, declared in ipairs { declare_sources(rille), declare_names(rille) } do
    for name, model in pairs(declared) do models[name] = model end
  end
  return models
end
