--- Comment: what a reader says under a post, or in reply to another comment.
local rille = require "rille"

local Comment

Comment = rille.model "Comment" {
  fields = function(t)
    t:id()
    t:references("org", "organizations"):on_delete("cascade")
    t:references("post", "posts"):on_delete("cascade")
    t:references("author", "users"):nullable():on_delete("set null")
    t:references("parent", "comments"):nullable():on_delete("cascade")
    t:text("body")
    t:integer("votes"):default(0)
    t:boolean("approved"):default(false)
    t:timestamps()
  end,
  tenant_column = "org_id",
  guarded = { "approved", "votes" },
  validates = {
    post_id = { required = true, references = true },
    author_id = { references = true },
    parent_id = {
      references = true,
      check = function(parent_id, comment)
        local parent = Comment:find(parent_id)
        return parent == nil or parent.post_id == comment.post_id, "is a comment under another post"
      end,
    },
    body = { required = true, max = 10000 },
  },
  mutators = {
    body = function(_, value) return value:match "^%s*(.-)%s*$" end,
  },
  hooks = {
    creating = function(comment)
      local post = comment.post
      if post and post.status == "archived" then return false, "the post is archived: its comments are closed" end
    end,
  },
  relations = {
    post = rille.belongs_to("Post"),
    author = rille.belongs_to("User"),
    parent = rille.belongs_to("Comment"),
    replies = rille.has_many("Comment", { foreign_key = "parent_id", order_by = "id" }),
  },
  scopes = {
    approved = function(query) return query:where("approved", true) end,
    waiting = function(query) return query:where("approved", false):oldest() end,
    about = function(query, post_id) return query:where("post_id", post_id) end,
    top_level = function(query) return query:where_null("parent_id") end,
  },
  methods = {
    approve = function(comment)
      comment.approved = true
      return comment:save()
    end,
    --- A new comment under this one; `attributes` says who answers what.
    reply = function(comment, attributes)
      return Comment:create {
        post_id = comment.post_id,
        parent_id = comment.id,
        author_id = attributes.author_id,
        body = attributes.body,
      }
    end,
  },
}

return Comment
