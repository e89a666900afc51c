--- sessions.posts: a project with a database of posts, for specs of sessions.
local assert = require "luassert"
local Project = require "spec.support.project"
local world = require "spec.support.world"
local rille = world.rille

local M = {}

--- A new project; `path` is its database.
---@return table project
---@return string path
function M.new()
  local project = Project.new { ["make.lua"] = [[
    require "rille".connect "app.db"
    require "rille".schema():create("posts", function(t) t:id() t:string "title" end)]] }
  assert.same({ 0, "" }, { project:run "run make.lua" })
  return project, project.path .. "/app.db"
end

--- As a process that has just begun.
---@return table Post  a model of that moment
function M.connect(path)
  require "rille.model".forget_all()
  rille.connect(path)
  return rille.model "Post" {}
end

--- The token of a new session that wrote a post.
---@param title? string
---@return string
function M.wrote(title)
  local s = rille.session.start {}
  s:run(function() require "rille.model".declared.Post:create { title = title or "one" } end)
  return s:token()
end

--- It raises an error of that kind, which says that word.
function M.refused(kind, word, fn, ...)
  local e = world.refused(kind, fn, ...)
  assert.truthy(tostring(e):find(word, 1, true), tostring(e))
end

return M
