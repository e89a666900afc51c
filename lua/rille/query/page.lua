--- query.page: a result in pages, in chunks, and by cursors.
-- Chunks and cursors walk by key: each page begins behind the last row of the one before, in the order of the query plus
-- the primary key, so no row is seen twice or missed when rows change meanwhile.  NULL is the smallest value.
local core = require "rille.core"
local Error = require "rille.error"
local Ends = require "rille.query.ends"
local List = require "rille.list"

local M = {}

local op <const> = core.op

local function whole(word, value, least)
  if math.type(value) ~= "integer" or value < least then
    Error.argument(word, ("a whole number, at least %d"):format(least), value)
  end
  return value
end

-- -- by number ------------------------------------------------------------------------------------------------------

local function page_of(query, page, per_page, extra)
  whole("paginate: page", page, 1)
  whole("paginate: per_page", per_page, 1)
  return query:limit(per_page + extra):offset((page - 1) * per_page):all()
end

--- A page, with how many there are.
---@param page? integer      from 1
---@param per_page? integer  15 when absent
---@return table  { data, total, per_page, current_page, last_page, from, to, has_more }
function M.paginate(query, page, per_page)
  page, per_page = page == nil and 1 or page, per_page == nil and 15 or per_page
  local data = page_of(query, page, per_page, 0)
  local total = query:count()
  local last_page = math.max(1, (total + per_page - 1) // per_page)
  local first = (page - 1) * per_page + 1
  return {
    data = data, total = total, per_page = per_page, current_page = page, last_page = last_page,
    from = #data > 0 and first or nil, to = #data > 0 and first + #data - 1 or nil, has_more = page < last_page,
  }
end

--- A page, without counting the rest.
---@return table  { data, per_page, current_page, from, to, has_more }
function M.simple_paginate(query, page, per_page)
  page, per_page = page == nil and 1 or page, per_page == nil and 15 or per_page
  local data = page_of(query, page, per_page, 1)
  local has_more = data[per_page + 1] ~= nil
  data[per_page + 1] = nil
  local first = (page - 1) * per_page + 1
  return { data = data, per_page = per_page, current_page = page, has_more = has_more,
    from = #data > 0 and first or nil, to = #data > 0 and first + #data - 1 or nil }
end

-- -- by key ---------------------------------------------------------------------------------------------------------

local function has_node(query, kind)
  while query do
    if query[3] == kind then return query end
    query = query[2]
  end
end

--- The order to walk in: what the query orders by, then the primary key.  A list of { column, descending, name }.
local function walk_order(query, word)
  local order, seen, each = {}, {}, query
  while each do
    local kind = each[3]
    if kind == op.reorder then break end
    if kind == op.order_raw or kind == op.order_random then
      Error.raise("unsupported", word .. ": walks by key, which raw or random orders do not give")
    elseif kind == op.order then
      table.insert(order, 1, { column = each[4], descending = each[5], name = each[4]:match "[^.]+$" })
    end
    each = each[2]
  end
  for _, term in ipairs(order) do seen[term.name] = true end
  local root = Ends.ready(query)
  local primary = root.class and root.info.primary or root.handle:describe(root.table).primary
  if #primary == 0 then
    Error.raise("unsupported", ("%s: walks by the primary key, and %s has none"):format(word, root.table or root.class._def.table))
  end
  local descending = order[#order] ~= nil and order[#order].descending
  for _, name in ipairs(primary) do
    if not seen[name] then order[#order + 1] = { column = name, descending = descending, name = name } end
  end
  return order, primary
end

local function check_walkable(query, word)
  for _, kind in ipairs { "union", "group_by", "distinct" } do
    if has_node(query, op[kind]) then
      Error.raise("unsupported", ("%s: walks by key, which %s does not give"):format(word, kind))
    end
  end
end

local function ordered(query, order, backwards)
  query = query:reorder()
  for _, term in ipairs(order) do
    query = query:order_by(term.column, (term.descending ~= backwards) and "desc" or "asc")
  end
  return query
end

--- Behind `value` in the order of a term, or nil when nothing can be.
local function behind(q, term, backwards, value)
  if term.descending ~= backwards then
    if value == core.null then return nil end
    return q:where(function(either) return either:where(term.column, "<", value):or_where_null(term.column) end)
  end
  if value == core.null then return q:where_not_null(term.column) end
  return q:where(term.column, ">", value)
end

local function equal(q, term, value)
  if value == core.null then return q:where_null(term.column) end
  return q:where(term.column, value)
end

--- The rows behind the one with these values.
local function seek(query, order, backwards, values)
  return query:where(function(any)
    local some = false
    for i, term in ipairs(order) do
      local possible = true
      local made = any:or_where(function(all)
        for j = 1, i - 1 do all = equal(all, order[j], values[j]) end
        local last = behind(all, term, backwards, values[i])
        if not last then
          possible = false
          return all:where_raw "1 = 0"
        end
        return last
      end)
      if possible then any, some = made, true end
    end
    if not some then return any:where_raw "1 = 0" end
    return any
  end)
end

--- Where a row stands: its values of the order's columns, as they are kept.
local function place_of(row, order, word)
  local values, is_record = {}, core.is_record(row)
  for i, term in ipairs(order) do
    local value
    if is_record then
      local _, has = core.record_original(row, term.name)
      if not has then
        Error.raise("missing_attribute", ("%s: the query does not select %q, which it walks by"):format(word, term.name), {
          column = term.name,
        })
      end
      value = core.record_original(row, term.name, true)
    else
      value = row[term.name]
    end
    if value == nil then value = core.null end
    values[i] = value
  end
  return values
end

--- Is the order that of the primary key, whose values do not change?
local function is_by_key(order, primary)
  return #order == #primary and #primary > 0
end

--- Pages of n rows in the order of the primary key, each behind the one before, until fn returns false.
local function walk_keys(query, word, size, order, left, fn)
  local values
  while left > 0 do
    local page = ordered(query, order, false)
    if values then page = seek(page, order, false, values):offset(0) end
    local rows = page:limit(math.tointeger(math.min(size, left))):all()
    if #rows == 0 then return end
    left = left - #rows
    local count = #rows
    values = place_of(rows[count], order, word)
    if fn(rows) == false or count < size then return end
  end
end

--- The text that tells one key from all others.
local function key_text(row, primary)
  local parts = {}
  for i, name in ipairs(primary) do
    local value = row[name]
    parts[i] = ("%s:%s"):format(math.type(value) or type(value), tostring(value))
  end
  return table.concat(parts, "\0")
end

--- Rows with these keys, in the order of the keys; those that fit the query no longer are left out.
local function rows_of(query, primary, keys)
  local rows = require "rille.query.find".keyed(query, primary, keys):all()
  local by_key, out = {}, {}
  for _, row in ipairs(rows) do by_key[key_text(row, primary)] = row end
  for _, key in ipairs(keys) do
    local row = by_key[key_text(key, primary)]
    if row then out[#out + 1] = row end
  end
  return List.wrap(out)
end

--- The same in any other order: a row whose place in it changes meanwhile would be seen twice or never, so the keys are
--- read first, and the rows by their keys.
local function walk_order_of(query, size, order, primary, fn)
  local root = Ends.ready(query)
  local named = {}
  for i, name in ipairs(primary) do named[i] = (root.table or root.class._def.table) .. "." .. name end
  local keys = {}
  for row in ordered(query, order, false):select(named):plain():cursor() do keys[#keys + 1] = row end
  local bare = query:reorder():unlimited()
  for from = 1, #keys, size do
    local rows = rows_of(bare, primary, table.move(keys, from, math.min(from + size - 1, #keys), 1, {}))
    if #rows > 0 and fn(rows) == false then return end
  end
end

--- Lists of up to n rows, each row once even if it changes meanwhile, until fn returns false.
local function walk(query, word, size, fn)
  check_walkable(query, word)
  local order, primary = walk_order(query, word)
  local limit, offset = has_node(query, op.limit), has_node(query, op.offset)
  if is_by_key(order, primary) and not offset then
    return walk_keys(query, word, size, order, limit and limit[4] or math.huge, fn)
  end
  return walk_order_of(query, size, order, primary, fn)
end

local function check_chunk(word, size, fn)
  whole(word, size, 1)
  if type(fn) ~= "function" then Error.argument(word, "a function", fn) end
end

--- Lists of up to `size` rows, until fn returns false.
---@param size integer
---@param fn fun(rows: rille.List): boolean?
function M.chunk(query, size, fn)
  check_chunk("chunk", size, fn)
  walk(query, "chunk", size, fn)
end

--- The same in the order of the primary key alone.
function M.chunk_by_id(query, size, fn)
  check_chunk("chunk_by_id", size, fn)
  walk(query:reorder(), "chunk_by_id", size, fn)
end

--- Each row, read in chunks, until fn returns false.
---@param fn fun(row: any): boolean?
function M.each(query, fn)
  if type(fn) ~= "function" then Error.argument("each", "a function", fn) end
  walk(query, "each", 1000, function(rows)
    for _, row in ipairs(rows) do
      if fn(row) == false then return false end
    end
  end)
end

-- -- by cursor ------------------------------------------------------------------------------------------------------

--- What a cursor fits: the text of the query it came from.
local function fingerprint(query)
  return core.checksum((query:to_sql())):sub(1, 16)
end

local function encode(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function write_cursor(values, direction, shape)
  local kept = {}
  for i, value in ipairs(values) do
    -- A number as text with its kind: JSON would not tell 1.0 from 1.
    kept[i] = type(value) == "number" and { math.type(value), ("%.17g"):format(value) } or value
    if math.type(value) == "integer" then kept[i] = { "integer", ("%d"):format(value) } end
  end
  return encode(require "rille.json".encode({ direction, shape, kept }, "cursor"))
end

local function refuse_cursor(cursor, why)
  Error.raise("invalid_argument", ("cursor_paginate: %s"):format(why), {
    hint = type(cursor) == "string" and "begin again without a cursor" or "a cursor is what next_cursor or prev_cursor gave",
  })
end

local function read_cursor(cursor, shape, count)
  if type(cursor) ~= "string" or not cursor:find "^%x+$" or #cursor % 2 == 1 then
    refuse_cursor(cursor, "this is no cursor")
  end
  local text = cursor:gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end)
  local ok, kept = pcall(require "rille.json".decode, text, "cursor")
  if not ok or type(kept) ~= "table" or type(kept[3]) ~= "table" or #kept[3] ~= count then
    refuse_cursor(cursor, "this is no cursor")
  end
  if kept[2] ~= shape then refuse_cursor(cursor, "the cursor belongs to another query") end
  local values = {}
  for i, value in ipairs(kept[3]) do
    if type(value) == "table" then
      value = value[1] == "integer" and math.tointeger(value[2]) or tonumber(value[2])
    end
    if value == nil then refuse_cursor(cursor, "this is no cursor") end
    values[i] = value
  end
  return values, kept[1] == "prev"
end

local CURSOR_OPTIONS = { "per_page", "cursor" }

local function reversed(rows)
  local out = {}
  for i = #rows, 1, -1 do out[#out + 1] = rows[i] end
  return List.wrap(out)
end

--- A page behind a cursor, and the cursors of the pages beside it (nil where there is none).
---@param options { per_page: integer?, cursor: string? }
---@return table  { data, next_cursor, prev_cursor }
function M.cursor_paginate(query, options)
  options = Error.options("cursor_paginate", options, CURSOR_OPTIONS)
  local per_page = whole("cursor_paginate: per_page", options.per_page == nil and 15 or options.per_page, 1)
  check_walkable(query, "cursor_paginate")
  local order = walk_order(query, "cursor_paginate")
  local shape = fingerprint(ordered(query, order, false))
  local values, backwards
  if options.cursor ~= nil then values, backwards = read_cursor(options.cursor, shape, #order) end
  local page = ordered(query, order, backwards == true)
  if values then page = seek(page, order, backwards, values) end
  local data = page:limit(per_page + 1):all()
  local more = data[per_page + 1] ~= nil
  data[per_page + 1] = nil
  if backwards then data = reversed(data) end
  local result = { data = data }
  if #data == 0 then return result end
  if more or backwards then
    result.next_cursor = write_cursor(place_of(data[#data], order, "cursor_paginate"), "next", shape)
  end
  if values and (more or not backwards) then
    result.prev_cursor = write_cursor(place_of(data[1], order, "cursor_paginate"), "prev", shape)
  end
  return result
end

return M
