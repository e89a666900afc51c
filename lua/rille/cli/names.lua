--- names: what a model or a migration may be called, and what follows from it.
local inflect = require "rille.inflect"
local quote = require "rille.error".quote

local M = {}

--- The text with anything that no name may hold turned into `_`.
local function plain(text)
  return (text:gsub("[^%w]+", "_"):gsub("^[^%a]+", ""):gsub("_$", ""))
end

--- A model's name must read `Post` or `BlogPost`.
---@param name string
function M.check_model(name)
  if name:match "^%u%w*$" then return end
  local better = inflect.camelize(inflect.underscore(plain(name)))
  require "rille.cli.failure".misuse(("%s is no name for a model"):format(quote(name)),
    better:match "^%u%w*$" and ("write %s"):format(better) or "begin with a capital letter: Post, BlogPost")
end

local function check_file(name, what, example)
  if name:match "^%l[%l%d_]*$" then return end
  local better = inflect.underscore(plain(name))
  require "rille.cli.failure".misuse(("%s is no name for a %s"):format(quote(name), what),
    better ~= "" and ("write %s"):format(better) or "small letters, digits and _, as in " .. example)
end

--- A migration's name must read `add_views_to_posts`, a seed's `first_posts`.
---@param name string
function M.check_migration(name) check_file(name, "migration", "add_views_to_posts") end
function M.check_seed(name) check_file(name, "seed", "first_posts") end

--- What a migration's name says about itself: `create_posts`, `add_views_to_posts`, `drop_views_from_posts`.
---@param name string
---@return "create"|"add"|"drop"|nil verb
---@return string|nil table
function M.intent(name)
  local made = name:match "^create_(.+)$"
  if made then return "create", (made:gsub("_table$", "")) end
  local table_name = name:match "^add_.+_to_(.+)$"
  if table_name then return "add", (table_name:gsub("_table$", "")) end
  table_name = name:match "^drop_.+_from_(.+)$" or name:match "^remove_.+_from_(.+)$"
  if table_name then return "drop", (table_name:gsub("_table$", "")) end
end

--- A name as a sentence: add_views_to_posts -> "Add views to posts."
---@param name string
---@return string
function M.sentence(name)
  return (name:gsub("_", " "):gsub("^%l", string.upper)) .. "."
end

return M
