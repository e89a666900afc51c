--- Post: an article, from draft to archive.
local rille = require "rille"
local PostTag = require "models.post_tag"

local EXCERPT_BYTES = 120

return rille.model "Post" {
  fields = function(t)
    t:id()
    t:references("org", "organizations"):on_delete("cascade")
    t:references("author", "users"):on_delete("cascade")
    t:string("title", 200)
    t:string("slug", 200)
    t:text("body")
    t:enum("status", { "draft", "scheduled", "published", "archived" }):default("draft"):index()
    t:integer("views"):default(0):check("views >= 0")
    t:decimal("price", 8, 2):nullable()
    t:json("meta"):nullable()
    t:datetime("published_at"):nullable():index()
    t:timestamps()
    t:soft_deletes()
    t:unique { "org_id", "slug" }
    t:integer("lock_version"):default(0)
  end,
  tenant_column = "org_id",
  soft_deletes = true,
  lock_column = "lock_version",
  fillable = { "author_id", "title", "slug", "body", "status", "price", "meta", "published_at" },
  validates = {
    author_id = { required = true, references = true },
    title = { required = true, max = 200 },
    slug = {
      required = true, max = 200, format = "^[a-z0-9-]+$", unique = { within = "org_id" },
      message = { format = "may have small letters, digits and hyphens only", unique = "is another post's address" },
    },
    body = { required = true },
    status = { one_of = { "draft", "scheduled", "published", "archived" } },
    price = { min = 0 },
    published_at = {
      required = true, when = function(post) return post.status == "scheduled" or post.status == "published" end,
      message = "must say when",
    },
  },
  appends = { "excerpt" },
  accessors = {
    --- The beginning of the body, cut between words.
    excerpt = function(post)
      if #post.body <= EXCERPT_BYTES then return post.body end
      local cut = post.body:sub(1, EXCERPT_BYTES):match "^(.*)%s"
      return cut and cut .. " …" or post.body
    end,
    reading_minutes = function(post)
      local _, words = post.body:gsub("%S+", "")
      return math.max(1, words // 200)
    end,
  },
  mutators = {
    title = function(_, value) return value:match "^%s*(.-)%s*$" end,
  },
  hooks = {
    --- Who gives no address gets one made of the title.
    creating = function(post)
      if post.slug or not post.title then return end
      post.slug = post.title:lower():gsub("[^%w]+", "-"):gsub("^%-+", ""):gsub("%-+$", "")
    end,
  },
  relations = {
    organization = rille.belongs_to("Organization", { foreign_key = "org_id" }),
    author = rille.belongs_to("User"),
    comments = rille.has_many("Comment"),
    tags = rille.belongs_to_many("Tag", { pivot = "post_tags", with_pivot = "position",
      order_by = "post_tags.position" }),
  },
  scopes = {
    published = function(query) return query:where("status", "published") end,
    drafts = function(query) return query:where("status", "draft") end,
    by = function(query, user_id) return query:where("author_id", user_id) end,
    popular = function(query, views) return query:where("views", ">=", views):order_by_desc("views") end,
    newest = function(query) return query:order_by_desc("published_at"):order_by_desc("id") end,
    tagged = function(query, tag_id)
      return query:where_in("id", PostTag:where("tag_id", tag_id):select("post_id"))
    end,
    written_in = function(query, language) return query:where_json("meta.language", language) end,
  },
  methods = {
    publish = function(post, moment)
      return post:update { status = "published", published_at = moment or os.time() }
    end,
    archive = function(post) return post:update { status = "archived" } end,
    is_free = function(post) return post.price == nil end,
  },
}
