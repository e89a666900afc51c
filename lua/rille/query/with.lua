--- query.with: the methods of a query about relations: what is loaded with its rows, and what is counted beside them.
local core = require "rille.core"
local Error = require "rille.error"

local op <const> = core.op

---@param Query rille.Query  gets the methods
---@return rille.Query
return function(Query)
  local node = Query.node

  --- Load relations together with the rows, each in one statement: `with("author", "comments.author")`,
  --- `with { comments = function(q) return q:latest():limit(3) end }`; a limit counts for each row.
  function Query:with(...)
    if not self[1].class then
      Error.raise("no_such_relation", ("with: rows of the table %s have no relations"):format(self[1].table))
    end
    require "rille.preload".want({}, ...)
    self[1].marked = true
    return node(self, op.nothing, "with", table.pack(...))
  end

  --- Names, and name = function of the query, in the order in which they are said.
  local function each_relation(word, fn, ...)
    for i = 1, select("#", ...) do
      local said = (select(i, ...))
      if type(said) == "string" then
        fn(said)
      elseif type(said) == "table" then
        for _, name in ipairs(said) do fn(name) end
        local names = {}
        for name in next, said do
          if type(name) == "string" then names[#names + 1] = name end
        end
        table.sort(names)
        for _, name in ipairs(names) do fn(name, said[name]) end
      else
        Error.argument(word, "the name of a relation", said)
      end
    end
  end

  for _, aggregate in ipairs { "count", "exists" } do
    local word = "with_" .. aggregate
    Query[word] = function(self, ...)
      if select("#", ...) == 0 then Error.argument(word, "the name of a relation", nil) end
      local query = self
      each_relation(word, function(name, fn)
        query = require "rille.relation.condition".with(query, word, aggregate, name, false, fn)
      end, ...)
      return query
    end
  end

  for _, aggregate in ipairs { "sum", "avg", "min", "max" } do
    local word = "with_" .. aggregate
    Query[word] = function(self, relation, column)
      if type(column) ~= "string" then Error.argument(word, "the name of a column", column) end
      local query = self
      each_relation(word, function(name, fn)
        query = require "rille.relation.condition".with(query, word, aggregate, name, column, fn)
      end, relation)
      return query
    end
  end

  --- There are no related rows.
  function Query:where_doesnt_have(...) return Query.condition.where_has(self, 2, ...) end
  function Query:or_where_doesnt_have(...) return Query.condition.where_has(self, 3, ...) end

  --- Does the model have a relation of that name?
  function Query:has_relation(name)
    local class = self[1].class
    local relations = class and class._def.relations
    return relations ~= nil and relations[name] ~= nil
  end

  local function is_table(self, name)
    for _, each in ipairs(require "rille.query.root".ready(self).handle:tables()) do
      if each == name then return true end
    end
    return false
  end

  --- Raise where a name before a dot must have meant a relation.  `perhaps`: it may be a table of a query around, too.
  function Query:check_path(name, perhaps)
    local root = self[1]
    local class, joined = root.class, root.joined
    if not class or next(class._def.relations) == nil or name == class._def.table or joined and joined[name] then
      return
    end
    local known = require "rille.keys"(class._def.relations)
    if perhaps and (not Error.nearest(name, known) or is_table(self, name)) then return end
    Error.unknown("no_such_relation", "relation", name, known, class._def.name, {
      model = class._def.name, hint = "a table must be joined first",
    })
  end

  return Query
end
