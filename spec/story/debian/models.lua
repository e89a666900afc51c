--- models: Debian's package index as four tables and their models.
-- A package is one name, version and architecture: a name that occurs in several versions is several rows, and one that
-- is both installed and available is one row with both flags.

---@return { Maintainer: table, Section: table, Package: table, Relation: table }
return function(rille)
  local schema = rille.schema()
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
  schema:create("packages", function(t)
    t:id()
    t:string("name")
    t:string("version")
    t:string("architecture")
    t:references("section", "sections"):nullable()
    t:references("maintainer", "maintainers")
    t:string("source"):nullable()
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
    t:references("package", "packages"):on_delete("cascade")
    t:enum("kind", require("spec.story.debian.dependency").KINDS)
    t:integer("position"):check("position >= 1")
    t:integer("alternative"):check("alternative >= 1")
    t:string("name"):index()
    t:string("qualifier"):nullable()
    t:enum("operator", { "<<", "<=", "=", ">=", ">>" }):nullable()
    t:string("version"):nullable()
  end)

  return {
    Maintainer = rille.model "Maintainer" { timestamps = false },
    Section = rille.model "Section" {
      accessors = {
        --- As Debian writes it: the area is left out when it is main.
        label = function(section)
          return section.area == "main" and section.name or section.area .. "/" .. section.name
        end,
      },
    },
    Package = rille.model "Package" {
      scopes = {
        installed = function(query) return query:where("installed", true) end,
        in_section = function(query, id) return query:where("section_id", id) end,
        largest = function(query) return query:order_by_desc("installed_kib"):order_by("name") end,
        -- One order for lists, so that pages of equal sizes do not depend on luck.
        listed = function(query) return query:order_by("name"):order_by("version"):order_by("architecture") end,
      },
    },
    Relation = rille.model "Relation" {
      scopes = {
        of_kind = function(query, kind) return query:where("kind", kind) end,
      },
    },
  }
end
