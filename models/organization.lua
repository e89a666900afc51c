--- Organization: a publisher, and a tenant; everything else in the publication belongs to one.
local rille = require "rille"

return rille.model "Organization" {
  connection = "main",                         -- where all of them are, even if each has a database for the rest
  fields = function(t)
    t:id()
    t:string("name")
    t:string("slug", 63):unique()
    t:enum("plan", { "free", "team", "press" }):default("free")
    t:json("settings"):nullable()
    t:timestamps()
  end,
  fillable = { "name", "slug", "plan", "settings" },
  validates = {
    name = { required = true, max = 255 },
    slug = {
      required = true, max = 63, format = "^[a-z0-9-]+$", unique = true,
      message = { format = "may have small letters, digits and hyphens only", unique = "belongs to another publisher" },
    },
    plan = { one_of = { "free", "team", "press" } },
  },
  mutators = {
    slug = function(_, value) return value:lower() end,
  },
  relations = {
    users = rille.has_many("User", { foreign_key = "org_id" }),
    posts = rille.has_many("Post", { foreign_key = "org_id" }),
    tags = rille.has_many("Tag", { foreign_key = "org_id", order_by = "name" }),
    comments = rille.has_many_through("Comment", "Post", { first_key = "org_id" }),
  },
  scopes = {
    paying = function(query) return query:where("plan", "!=", "free") end,
  },
  methods = {
    --- The language its pages are written in; English unless the settings say otherwise.
    language = function(organization)
      return organization.settings and organization.settings.language or "en"
    end,
  },
}
