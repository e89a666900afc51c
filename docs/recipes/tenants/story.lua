--- story: an application whose organizations are tenants, told once and run in either strategy.
--
--   cd docs/recipes/tenants
--   STRATEGY=row      FOLDER=$(mktemp -d) rille run story.lua     # all tenants in main.db, told apart by org_id
--   STRATEGY=database FOLDER=$(mktemp -d) rille run story.lua     # tenants/acme.db, tenants/globex.db
--
-- What it prints is the same but for the last two lines, which say what the strategies do not share.
local rille = require "rille"
local Organization = require "models.organization"
local Post, Comment, Tag = require "models.post", require "models.comment", require "models.tag"
local as = rille.tenant.run

local strategy = os.getenv "STRATEGY" or "row"

--- Print what a function returns, or the kind of its error.
local function show(what, fn, ...)
  local values = table.pack(rille.try(fn, ...))
  if rille.is_error(values[2]) then values = { values[2].kind, n = 1 } end
  for i = 1, values.n do values[i] = tostring(values[i]) end
  print(("%-34s %s"):format(what, table.concat(values, " ")))
end

-- -- who there is ---------------------------------------------------------------------------------------------------

rille.migrate { connection = "main" }
for _, slug in ipairs { "acme", "globex" } do
  assert(Organization:create { name = slug:upper(), slug = slug })
  if strategy == "database" then rille.tenant.create(slug) end           -- its database, with all migrations
end

-- -- work as a tenant: org_id is written and asked for by itself ----------------------------------------------------

for number, slug in ipairs { "acme", "globex" } do
  as(slug, function()
    local news = Tag:create { name = "news" }
    for i = 1, 2 + number do
      local post = Post:create { title = ("%s %d"):format(slug, i), views = 60 * i }
      post:relation("tags"):attach { news }
      post:relation("comments"):create { body = "well said" }
    end
  end)
end

for _, slug in ipairs { "acme", "globex" } do
  as(slug, function()
    show(slug .. ": posts", function() return table.concat(Post:order_by("id"):pluck "title", ", ") end)
    show(slug .. ": popular, with comments", function()
      local posts = Post:popular():with_count("comments"):with("tags"):all()
      return #posts, posts[1].comments_count, posts[1].tags[1].name
    end)
    show(slug .. ": posts about news", function() return #Tag:where("name", "news"):first().posts end)
    show(slug .. ": joined", function()
      return Post:join("comments", "comments.post_id", "=", "posts.id"):count()
    end)
  end)
end

as("acme", function()
  show("acme: deletes every comment", function() return Comment:unfiltered():delete() end)
end)
show("globex: still has", function() return as("globex", function() return Comment:count() end) end)

-- -- what is refused ------------------------------------------------------------------------------------------------

local theirs = as("globex", function() return Post:where("title", "globex 4"):first() end)
show("nobody: reads", function() return Post:count() end)
show("initech: reads", function() return as("initech", function() return Post:count() end) end)
as("acme", function()
  show("acme: looks for a post of globex", function() return Post:where("title", "globex 4"):first() end)
  show("acme: saves a post of globex", function() return theirs:update { title = "mine" } end)
  show("acme: deletes it", function() return theirs:delete() end)
  show("acme: reads its comments", function() return theirs.comments end)
  show("acme: writes as globex", function()
    local post = Post:new { title = "x" }
    post.org_id = theirs.org_id
    return post:save()
  end)
  show("acme: becomes globex midway", function()
    return rille.transaction(function() return as("globex", function() return Post:count() end) end)
  end)
end)

-- -- everybody's rows: by name, and heard of ------------------------------------------------------------------------

show("a report, tenant by tenant", function()
  local posts = 0
  for organization in Organization:cursor() do
    posts = posts + as({ id = organization.id, slug = organization.slug }, function() return Post:count() end)
  end
  return posts
end)

local heard = {}
local stop = rille.on("tenant:bypass", function(event) heard[#heard + 1] = event.model or event.method end)
as("acme", function()
  show("acme, without the scope: posts", function()
    return Post:without_tenant_scope(function() return Post:count() end), "heard of: " .. table.concat(heard, ", ")
  end)
  show("acme, SQL of its own: posts", function()
    return rille.db():query("select count(*) as n from posts")[1].n
  end)
end)
stop()
