--- User: somebody who reads, writes or runs an organization's publication.
local rille = require "rille"

return rille.model "User" {
  fields = function(t)
    t:id()
    t:references("org", "organizations"):on_delete("cascade")
    t:string("name")
    t:string("email"):unique()
    t:enum("role", { "reader", "author", "editor", "owner" }):default("reader"):index()
    t:text("bio"):nullable()
    t:boolean("active"):default(true)
    t:datetime("last_seen_at"):nullable()
    t:timestamps()
  end,
  tenant_column = "org_id",
  guarded = { "role" },
  hidden = { "email" },
  appends = { "initials" },
  accessors = {
    initials = function(user)
      return (user.name:gsub("(" .. utf8.charpattern .. ")[^%s-]*[%s-]*", "%1"))
    end,
  },
  validates = {
    name = { required = true, max = 255 },
    email = {
      required = true, format = "^[^%s@]+@[^%s@]+$", unique = true,
      message = { format = "is no e-mail address", unique = "belongs to somebody else" },
    },
    role = { one_of = { "reader", "author", "editor", "owner" } },
  },
  mutators = {
    email = function(_, value) return value:match("^%s*(.-)%s*$"):lower() end,
  },
  hooks = {
    deleting = function(user)
      if user.role == "owner" then return false, "an owner hands the organization over first" end
    end,
  },
  relations = {
    organization = rille.belongs_to("Organization", { foreign_key = "org_id" }),
    posts = rille.has_many("Post", { foreign_key = "author_id" }),
    comments = rille.has_many("Comment", { foreign_key = "author_id" }),
    latest_post = rille.has_one("Post", { foreign_key = "author_id", order_by = { "published_at", "desc" } }),
  },
  scopes = {
    active = function(query) return query:where("active", true) end,
    staff = function(query) return query:where_in("role", { "author", "editor", "owner" }) end,
    seen_since = function(query, moment) return query:where("last_seen_at", ">=", moment) end,
  },
  methods = {
    may_publish = function(user) return user.active and (user.role == "editor" or user.role == "owner") end,
    --- `role` is guarded: it changes here, by name, and not by whatever a form happened to send.
    promote = function(user, role)
      user.role = role
      return user:save()
    end,
  },
}
