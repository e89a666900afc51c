--- name: identifiers in schemas: what may be one, how it is quoted, and the names that are made up from others.
local Error = require "rille.error"

local M = {}

local MAX_BYTES = 63               -- what both engines keep of a name
local DIGEST_CHARS = 8

--- Raise unless `name` can name a column or a constraint on every engine.
---@param where string  the word that was called, such as "t:string"
---@param name any
---@return string name
function M.check(where, name)
  if type(name) ~= "string" or name == "" then Error.argument(where, "a name", name) end
  if name:find("\0", 1, true) or not utf8.len(name) then
    Error.argument(where, "a name in UTF-8 without NUL bytes", name)
  end
  if #name > MAX_BYTES then Error.argument(where, ("a name of at most %d bytes"):format(MAX_BYTES), name) end
  return name
end

--- The same for a table or an index.
---@param where string
---@param name any
---@return string name
function M.check_table(where, name)
  M.check(where, name)
  if name:lower():find "^sqlite_" then
    Error.argument(where, "a name that does not begin with sqlite_", name, "SQLite keeps these for itself")
  end
  return name
end

--- A list of names, as a list or as one name; at least one, none twice.
---@param where string
---@param names any
---@return string[] names  a copy
function M.check_list(where, names)
  if type(names) == "string" then names = { names } end
  if type(names) ~= "table" or #names == 0 then Error.argument(where, "a column or a list of columns", names) end
  local copy, seen = {}, {}
  for i, name in ipairs(names) do
    copy[i] = M.check(where, name)
    local key = name:lower()
    if seen[key] then Error.raise("invalid_argument", ("%s: %q comes twice"):format(where, name)) end
    seen[key] = true
  end
  return copy
end

--- The name as SQL text.
---@param name string
---@return string
function M.quote(name)
  return '"' .. name:gsub('"', '""') .. '"'
end

--- Several names as SQL text, with commas between them.
---@param names string[]
---@return string
function M.quote_all(names)
  local out = {}
  for i, name in ipairs(names) do out[i] = M.quote(name) end
  return table.concat(out, ", ")
end

--- The name of an index or a constraint: `posts_org_id_slug_unique`.  One that is too long is cut and stays different
--- from others that begin alike.
---@param table_name string
---@param columns string[]   may be none
---@param suffix string
---@return string
function M.derived(table_name, columns, suffix)
  local parts = table.move(columns, 1, #columns, 2, { table_name })
  parts[#parts + 1] = suffix
  local whole = table.concat(parts, "_")
  if #whole <= MAX_BYTES then return whole end
  local tail = "_" .. require "rille.core".checksum(whole):sub(1, DIGEST_CHARS) .. "_" .. suffix
  return whole:sub(1, utf8.offset(whole, 0, MAX_BYTES - #tail + 1) - 1) .. tail
end

--- Are two names the same to the database?  Letters of the ASCII alphabet differ by case in none.
---@param a string
---@param b string
---@return boolean
function M.same(a, b)
  return a:lower() == b:lower()
end

--- Do two lists name the same columns in the same order?
---@param a string[]
---@param b string[]
---@return boolean
function M.same_list(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if not M.same(a[i], b[i]) then return false end
  end
  return true
end

return M
