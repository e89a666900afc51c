--- schema_tenant_spec: tables whose rows belong to tenants: what is unique and what refers is so for each of them.
local world = require "spec.support.world"
local Engine = require "rille.schema.engine"
local Runner = require "rille.schema.runner"
local rille, refused = world.rille, world.refused

local A <const>, B <const> = { id = 1 }, { id = 2 }

local function as(tenant, fn, ...) return rille.tenant.run(tenant, fn, ...) end

describe("a table with a tenant's column", function()
  local schema, db

  before_each(function()
    db = world.fresh()
    schema = rille.schema()
    schema:create("orgs", function(t) t:id() end)
    db:execute "insert into orgs (id) values (1), (2)"
    schema:create("posts", function(t)
      t:id()
      t:references("org", "orgs"):tenant()
      t:string("slug"):unique()
      t:string("code"):nullable():unique { global = true }
      t:references("parent", "posts"):nullable()
      t:unique { "slug", "code", name = "both" }
    end)
  end)
  after_each(function() rille.close() end)

  --- Name -> columns of the unique indexes.
  local function uniques(name)
    local found = {}
    for _, index in ipairs(db:describe(name).indexes) do
      if index.unique and index.origin ~= "pk" then found[index.name] = table.concat(index.columns, " ") end
    end
    return found
  end

  --- Columns -> table and columns there.
  local function keys(name)
    local picture = Engine.of(db).picture(Runner.new(db), name)
    local found, list = {}, table.move(picture.foreign, 1, #picture.foreign, 1, {})
    for _, column in ipairs(picture.columns) do list[#list + 1] = column.reference end
    for _, key in ipairs(list) do
      found[table.concat(key.columns, " ")] = key.table .. " " .. table.concat(key.references, " ")
    end
    return found
  end

  it("has unique indexes for each tenant, but where it says for all of them", function()
    assert.same({ posts_org_id_id_unique = "org_id id", posts_org_id_slug_unique = "org_id slug",
      posts_code_global_unique = "code", both = "org_id slug code" }, uniques "posts")
    local Post = rille.model "Post" { tenant_column = "org_id", validates = { slug = { unique = true } } }
    as(A, function() Post:create { slug = "x", code = "1" } end)
    as(B, function()
      Post:create { slug = "x" }
      local _, e = Post:create { slug = "x" }
      assert.equal("validation", e.kind)
      assert.is_not_nil(e.fields.slug)
      refused("unique_violation", function() Post:create { slug = "y", code = "1" } end)
      assert.equal(1, Post:upsert({ slug = "x", code = "2" }, "slug"))
      assert.equal("2", Post:sole().code)
      assert.equal(1, db:table("posts"):upsert({ slug = "x", code = "3" }, "slug"))
      assert.equal("3", Post:sole().code)
    end)
    as(A, function() assert.equal("1", Post:sole().code) end)
  end)

  it("is referred to by the same tenant's rows alone", function()
    schema:create("comments", function(t)
      t:id()
      t:references("org", "orgs"):tenant()
      t:references("post", "posts"):on_delete "cascade"
      t:references("any", "posts"):nullable():global()
    end)
    assert.same({ ["org_id"] = "orgs id", ["org_id post_id"] = "posts org_id id", any_id = "posts id" },
      keys "comments")
    assert.same({ ["org_id"] = "orgs id", ["org_id parent_id"] = "posts org_id id" }, keys "posts")
    local Post = rille.model "Post" { tenant_column = "org_id" }
    local Comment = rille.model "Comment" { tenant_column = "org_id" }
    local Checked = rille.model "Checked" { table = "comments", tenant_column = "org_id",
      validates = { post_id = { references = true } } }
    local post = as(A, function() return Post:create { slug = "x" } end)
    as(B, function()
      refused("foreign_key_violation", function() Comment:create { post_id = post.id } end)
      refused("foreign_key_violation", function() Post:create { slug = "y", parent_id = post.id } end)
      local _, e = Checked:create { post_id = post.id }
      assert.is_not_nil(e.fields.post_id)
      Comment:create { post_id = Post:create { slug = "x" }.id, any_id = post.id }
    end)
    as(A, function()
      Comment:create { post_id = post.id }
      Comment:unfiltered():delete()
      assert.equal(0, Comment:count())
    end)
  end)

  it("is changed by the same words, and back", function()
    local function picture() return (world.picture():gsub("table sqlite_sequence.*", ""):gsub("%s+", " ")) end
    local before = picture()
    schema:table("posts", function(t)
      t:string("handle"):nullable():unique()
      t:unique { "slug", "handle" }
      t:references("also", "posts"):nullable()
    end)
    assert.equal("org_id handle", uniques "posts".posts_org_id_handle_unique)
    assert.equal("org_id slug handle", uniques "posts".posts_org_id_slug_handle_unique)
    assert.equal("posts org_id id", keys "posts"["org_id also_id"])
    schema:table("posts", function(t)
      t:drop_foreign { "also_id" }
      t:drop_unique { "slug", "handle" }
      t:drop_unique "handle"
      t:drop("also_id", "handle")
    end)
    assert.equal(before, picture())
  end)

  it("may become one later", function()
    schema:create("notes", function(t) t:id() t:string "title" end)
    schema:table("notes", function(t)
      t:references("org", "orgs"):default(1):tenant()
      t:string("slug"):nullable():unique()
    end)
    assert.same({ notes_org_id_id_unique = "org_id id", notes_org_id_slug_unique = "org_id slug" }, uniques "notes")
  end)

  it("may have its tenant in the key", function()
    schema:create("parts", function(t)
      t:integer("org_id"):tenant()
      t:integer "number"
      t:string("slug"):unique()
      t:primary { "org_id", "number" }
    end)
    assert.equal("org_id slug", uniques "parts".parts_org_id_slug_unique)
  end)

  it("refuses what would refer to nobody knows whom", function()
    local function create(fn)
      return function()
        schema:create("comments", function(t)
          t:id()
          t:references("org", "orgs"):tenant()
          fn(t)
        end)
      end
    end
    refused("migration", create(function(t) t:references("later", "later_ones") end))
    refused("migration", create(function(t) t:references("post", "posts"):nullable():on_delete "set null" end))
    refused("migration", create(function(t) t:string("post_code"):references("posts", "code") end))
    refused("invalid_argument", create(function(t) t:references("other", "orgs"):tenant() end))
    refused("invalid_argument", create(function(t) t:integer("n"):global() end))
    refused("invalid_argument", function() schema:create("x", function(t) t:integer("n"):tenant():nullable() end) end)
    for _, type in ipairs { "decimal", "float", "json", "datetime", "boolean", "blob" } do
      local e = refused("invalid_argument", create(function(t) t[type](t, "owner"):tenant() end))
      assert.matches("a column of the type %l+ cannot say whose a row is", e.message)
    end
    schema:create("olds", function(t) t:id() t:integer "org_id" end)
    local e = refused("migration", create(function(t) t:references("old", "olds") end))
    assert.matches('t:unique { "org_id", "id" }', e.hint, 1, true)
    assert.is_false(schema:has_table "comments")
    schema:table("olds", function(t) t:unique { "org_id", "id" } end)
    create(function(t) t:references("old", "olds") end)()
    assert.equal("olds org_id id", keys "comments"["org_id old_id"])
  end)
end)
