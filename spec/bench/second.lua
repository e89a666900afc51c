--- second: the works of the second table: relations, hooks, factories; see rille.lua, which calls this with the models.
-- `graph` and `lazy` walk the same records and sum what second.c sums; `hooked` is `create` with two hooks and three
-- rules for each post.  `factory` has nothing in C beside it: it is measured by its rows in a second.
local rille = require "rille"

---@param models table<string, rille.Model>
---@return table<string, rille.bench.Work>
return function(models)
  local User, Post = models.User, models.Post
  local works = {}

  local function relate()
    rille.model "Tag" {}
    User:has_many("posts", "Post", { foreign_key = "author_id" })
    Post:belongs_to_many("tags", "Tag", { pivot = "post_tags" })
  end

  --- Each user, each post of the user, each tag of the post.
  local function walk(users)
    local rows, sum = #users, 0
    for _, user in ipairs(users) do
      local posts = user.posts
      sum, rows = sum * 31 + #user.name, rows + #posts
      for _, post in ipairs(posts) do
        local tags = post.tags
        sum, rows = sum * 31 + #post.title + post.views, rows + #tags
        for _, tag in ipairs(tags) do sum = sum * 31 + #tag.name end
      end
    end
    return rows, sum
  end

  works.graph = {
    warm = "Post",
    prepare = relate,
    run = function() return walk(User:with("posts.tags"):order_by("id"):all()) end,
  }

  works.lazy = {
    warm = "Post",
    prepare = relate,
    run = function() return walk(User:order_by("id"):all()) end,
  }

  works.hooked = {
    warm = "Post",
    prepare = function()
      local heard = { sum = 0 }
      heard.model = rille.model "HookedPost" {
        table = "posts",
        validates = {
          title = { required = true, max = 200 },
          body = { required = true },
          status = { one_of = { "draft", "published" } },
        },
        hooks = {
          creating = function(post) post.status = "draft" end,
          created = function(post) heard.sum = heard.sum + post.id end,
        },
      }
      heard.body = ("x"):rep(200)
      return heard
    end,
    run = function(heard)
      local HookedPost, body = heard.model, heard.body
      rille.transaction(function()
        for i = 1, 10000 do
          assert(HookedPost:create { author_id = i, title = "A new post " .. i, body = body, views = i })
        end
      end)
      return 10000, heard.sum
    end,
  }

  works.factory = {
    warm = "Post",
    prepare = function()
      User:has_many("posts", "Post", { foreign_key = "author_id" })
      rille.factory("Post", function(fake)
        return { title = fake:sentence(), body = fake:paragraph(), status = "draft", views = fake:integer(0, 1000) }
      end)
      return rille.factory("User", function(fake, i)
        return { name = fake:name(), email = ("maker%d@example.org"):format(i) }
      end)
    end,
    run = function(factory)
      local users = factory:count(10000):has("posts", 3):create()
      return #users * 4, users[1].id + users[#users].id
    end,
  }

  return works
end
