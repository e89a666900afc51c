--- scope: conditions that models put on every table that a query reads: soft deletes and global scopes.
-- Those of the query's own model hold outside of all its conditions, so that no or_where lets a row pass; those of a
-- joined table's model hold where it is joined, so that a left join gives NULL beside a row, and not fewer rows.
-- Queries of db:table(name) know no models: nothing is put on their rows.
local core = require "rille.core"
local Error = require "rille.error"
local sorted_keys = require "rille.keys"

local op <const> = core.op
local JOIN <const>, NOTHING <const> = op.join, op.nothing

local M = {}

---@class rille.Lifted  what a query says of the scopes of one of its tables
---@field trashed? "with"|"only"
---@field without? table<string, true>  global scopes

-- -- what a query says ----------------------------------------------------------------------------------------------

local function own_name(root) return root.class and root.class._def.table or root.table end

--- What the chain says beside its clauses: which lock, which scopes of which table are lifted, which relations.
---@param query rille.Query
---@return rille.Query? lock                  the node that says it
---@return table<string, rille.Lifted>? lifted  by the name of the table in the query
---@return table[]? with
function M.marks(query)
  local lock, lifted, with
  local function of(name)
    name = name or own_name(query[1])
    lifted = lifted or {}
    lifted[name] = lifted[name] or {}
    return lifted[name]
  end
  local each = query
  while each do
    if each[3] == NOTHING then
      local kind = each[4]
      if kind == "trashed" then
        local entry = of(each[6])
        entry.trashed = entry.trashed or each[5]
      elseif kind == "without" then
        local entry = of(each[6])
        entry.without = entry.without or {}
        entry.without[each[5]] = true
      elseif kind == "lock" then
        lock = each
      elseif kind == "with" then
        with = with or {}
        table.insert(with, 1, each[5])
      end
    end
    each = each[2]
  end
  return lock, lifted, with
end

--- Does the query itself say which soft-deleted rows of its own table it means?
---@param query rille.Query
---@return boolean
function M.says_trashed(query)
  local _, lifted = M.marks(query)
  local own = lifted and lifted[own_name(query[1])]
  return own ~= nil and own.trashed ~= nil
end

-- -- what models demand ---------------------------------------------------------------------------------------------

--- The conditions of a model's scopes, as a chain of its own; nil for none.
---@param class rille.Model
---@param lifted? rille.Lifted
---@return rille.Query?
local function conditions(class, lifted)
  local def = class._def
  if not def.scoped then return nil end
  local chain, some = def.query, false
  local trashed, without = lifted and lifted.trashed, lifted and lifted.without
  if def.soft_deletes and trashed ~= "with" then
    local column = def.soft_deletes
    chain, some = trashed == "only" and chain:where_not_null(column) or chain:where_null(column), true
  end
  for _, name in ipairs(def.global_scope_names) do
    if not (without and without[name]) then
      local scope = def.global_scopes[name]
      chain = require "rille.query".grouped(chain, 0, "global scope " .. name, scope)
      some = true
    end
  end
  return some and chain or nil
end

--- The conditions of the query's own model.
---@param query rille.Query
---@param lifted? table<string, rille.Lifted>
---@return rille.Query?
function M.own(query, lifted)
  local class = query[1].class
  if not (class and class._def.scoped) then return nil end
  return conditions(class, lifted and lifted[class._def.table])
end

-- -- joined tables --------------------------------------------------------------------------------------------------

--- Does a model put anything on its rows?
local function demands(class) return class._def.scoped end

--- The model whose scopes hold for a table that is joined to rows of a model; nil when it has none.  The query's own
--- model stands for its own table; of several models on a table the one that the table is named after.  Loads the
--- folder of models, so that a file nobody asked for yet is not passed over; what fails there is raised.
---@param root table     of the query that joins: of a model, ready
---@param word string    the method that joins, for messages
---@param name string    of the table
---@return rille.Model?
function M.model_of(root, word, name)
  local own, handle = root.class, root.handle
  if own._def.table == name then return own end
  require "rille.autoload".load_once()
  local found, named_after, how_many = nil, nil, 0
  for _, class in ipairs(require "rille.model".on_table[name] or {}) do
    if require "rille.database".get(class._def.connection) == handle then
      if require "rille.inflect".table_name(class._def.name) == name then named_after = class end
      if demands(class) then found, how_many = class, how_many + 1 end
    end
  end
  if named_after or how_many < 2 then return named_after or found end
  local names = {}
  for i, class in ipairs(require "rille.model".on_table[name]) do names[i] = class._def.name end
  Error.raise("invalid_argument", ("%s: several models are on %s (%s), and each gives other rows of it"):format(word,
    Error.quote(name), table.concat(names, ", ")), {
    table = name, hint = ("%s(%s, …) says whose are meant"):format(word, names[1]),
  })
end

--- A query of a table without a model, with what a model demands of the table's rows.
---@param query rille.Query
---@param class rille.Model?
---@return rille.Query
function M.put_on(query, class)
  if not class then return query end
  require "rille.model".info(class)
  local chain = conditions(class)
  return chain and require "rille.query".node(query, op.sealed, chain) or query
end

--- What is lifted of a joined table must be there.
local function check_lifted(query, lifted, joined)
  local own = own_name(query[1])
  for name, entry in next, lifted do
    local class = joined[name]
    if name ~= own or class ~= nil then
      if class == nil then
        local known = sorted_keys(joined)
        known[#known + 1] = own
        Error.unknown("invalid_argument", "table", name, known, "this query", { table = name })
      end
      local def = class and class._def
      if entry.trashed and not (def and def.soft_deletes) then
        Error.raise("invalid_argument", ("%s_trashed: rows of %s are not deleted softly"):format(entry.trashed, name), {
          table = name, hint = "a model on the table says so: soft_deletes = true",
        })
      end
      for scope in next, entry.without or {} do
        if not (def and def.global_scopes[scope]) then
          Error.unknown("invalid_argument", "global scope", scope, def and def.global_scope_names or {}, name)
        end
      end
    end
  end
end

--- Note that queries of a root join tables, and under which names: most roots never see one.
---@param root table
---@param name string
function M.note_join(root, name)
  root.joined = root.joined or {}
  root.joined[name] = true
end

--- The query with what the models of its joined tables demand.
---@param query rille.Query
---@param lifted? table<string, rille.Lifted>
---@return rille.Query
function M.joined(query, lifted)
  local made, joined, each = query, {}, query
  while each do
    if each[3] == JOIN then
      local name, class = each[6] or each[5]:name(), each[10]
      joined[name] = class or false
      if class and demands(class) then
        require "rille.model".info(class)
        local chain = conditions(class, lifted and lifted[name])
        if chain then made = require "rille.query".node(made, op.scopes, name, chain) end
      end
    end
    each = each[2]
  end
  if lifted then check_lifted(query, lifted, joined) end
  return made
end

return M
