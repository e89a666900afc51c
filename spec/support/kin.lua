--- kin: a database in which every kind of relation occurs, and its models.
local world = require "spec.support.world"
local rille = world.rille

local M = {}

local TABLES <const> = {
  'create table countries ("id" integer primary key not null, "n" INTEGER, "name" TEXT)',
  [[create table users ("id" integer primary key not null, "n" INTEGER, "name" TEXT, "country_id" INTEGER,
    "boss_id" INTEGER, "deleted_at" DATETIME TEXT)]],
  'create table profiles ("id" integer primary key not null, "n" INTEGER, "user_id" INTEGER)',
  [[create table posts ("id" integer primary key not null, "n" INTEGER, "title" TEXT, "user_id" INTEGER,
    "deleted_at" DATETIME TEXT)]],
  'create table comments ("id" integer primary key not null, "n" INTEGER, "post_id" INTEGER, "author_id" INTEGER)',
  'create table videos ("id" integer primary key not null, "n" INTEGER)',
  'create table tags ("id" integer primary key not null, "n" INTEGER, "name" TEXT)',
  [[create table post_tag ("post_id" INTEGER not null, "tag_id" INTEGER not null, "position" INTEGER,
    "created_at" DATETIME TEXT, "updated_at" DATETIME TEXT)]],
  'create table friendships ("user_id" INTEGER not null, "friend_id" INTEGER not null)',
  [[create table images ("id" integer primary key not null, "n" INTEGER, "imageable_type" TEXT,
    "imageable_id" INTEGER)]],
  [[create table taggables ("tag_id" INTEGER not null, "taggable_type" TEXT not null,
    "taggable_id" INTEGER not null)]],
  [[create table orders ("shop" TEXT not null, "number" INTEGER not null, "n" INTEGER,
    primary key ("shop", "number"))]],
  'create table lines ("id" integer primary key not null, "n" INTEGER, "shop" TEXT, "number" INTEGER)',
  'create table parcels ("id" integer primary key not null, "n" INTEGER)',
  'create table order_parcel ("shop" TEXT not null, "number" INTEGER not null, "parcel_id" INTEGER not null)',
}

--- What each model declares; called anew for each database, for a declaration belongs to one model.
local function declarations()
  return {
    Country = { relations = {
      users = rille.has_many("User"),
      posts = rille.has_many_through("Post", "User"),
      profile = rille.has_one_through("Profile", "User", { order_by = { "n", "desc" } }),
    } },
    User = { soft_deletes = true, relations = {
      country = rille.belongs_to("Country"),
      boss = rille.belongs_to("User"),
      reports = rille.has_many("User", { foreign_key = "boss_id" }),
      profile = rille.has_one("Profile"),
      best = rille.has_one("Post", { order_by = { "n", "desc" } }),
      posts = rille.has_many("Post"),
      comments = rille.has_many_through("Comment", "Post"),
      friends = rille.belongs_to_many("User", { pivot = "friendships", related_key = "friend_id" }),
      image = rille.morph_one("Image", "imageable"),
    } },
    Profile = { relations = { user = rille.belongs_to("User") } },
    Post = { soft_deletes = true, relations = {
      user = rille.belongs_to("User"),
      comments = rille.has_many("Comment"),
      loud = rille.has_many("Comment", { where = { n = 3 } }),
      tags = rille.belongs_to_many("Tag", { with_pivot = { "position" }, timestamps = true }),
      plain_tags = rille.belongs_to_many("Tag"),
      images = rille.morph_many("Image", "imageable"),
      subjects = rille.morph_to_many("Tag", "taggable"),
    } },
    Comment = { relations = { post = rille.belongs_to("Post"), author = rille.belongs_to("User") } },
    Video = { morph_name = "film", relations = {
      image = rille.morph_one("Image", "imageable", { order_by = "n" }),
      subjects = rille.morph_to_many("Tag", "taggable"),
    } },
    Tag = { relations = {
      posts = rille.belongs_to_many("Post"),
      tagged_posts = rille.morphed_by_many("Post", "taggable"),
      tagged_videos = rille.morphed_by_many("Video", "taggable"),
    } },
    Image = { relations = { imageable = rille.morph_to() } },
    Order = { relations = {
      lines = rille.has_many("Line", { foreign_key = { "shop", "number" } }),
      parcels = rille.belongs_to_many("Parcel", { foreign_key = { "shop", "number" } }),
    } },
    Line = { relations = { order = rille.belongs_to("Order", { foreign_key = { "shop", "number" } }) } },
    Parcel = { relations = {
      orders = rille.belongs_to_many("Order", { related_key = { "shop", "number" } }),
    } },
  }
end

--- A new database in memory; `also` has further options for some of its models, by their names.
---@param also? table<string, table>
---@return table<string, rille.Model> models
---@return rille.Handle db
function M.fresh(also)
  local db, models = world.fresh(table.unpack(TABLES)), {}
  for name, declared in next, declarations() do
    for option, value in next, also and also[name] or {} do
      if option == "relations" then
        for relation, said in next, value do declared.relations[relation] = said end
      else
        declared[option] = value
      end
    end
    models[name] = rille.model(name, declared)
  end
  return models, db
end

return M
