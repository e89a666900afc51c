--- altered: users, and posts that refer to them, for specs of words that change tables.
local rille = require "rille"

local M = {}

--- Make both, with three rows each.
---@param schema table
---@param db rille.Handle
function M.make(schema, db)
  schema:create("users", function(t)
    t:id()
    t:string("name"):unique()
    t:text("email"):nullable():index()
    t:integer("age"):default(20):check("age >= 0")
  end)
  schema:create("posts", function(t)
    t:id()
    t:references("user"):on_delete("cascade")
    t:string("title")
  end)
  for i = 1, 3 do
    db:execute("insert into users (name, email) values (?, ?)", "u" .. i, i > 1 and i .. "@example.org" or rille.null)
    db:execute("insert into posts (user_id, title) values (?, ?)", i, "p" .. i)
  end
end

--- Rows of a table as lines, the fields of each in order.
---@param db rille.Handle
---@param name string
---@return string[]
function M.rows(db, name)
  local lines = {}
  for i, row in ipairs(db:query(('select * from "%s"'):format(name:gsub('"', '""')))) do
    local values = {}
    for key, value in pairs(row) do values[#values + 1] = ("%s=%s"):format(key, value) end
    table.sort(values)
    lines[i] = table.concat(values, " ")
  end
  return lines
end

return M
