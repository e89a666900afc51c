--- query.page: a result in pages: by number, and by cursors that tell the row a page begins behind.
-- A page has its own limit and offset: those of the query give way to them.
local core = require "rille.core"
local Error = require "rille.error"
local Ends = require "rille.query.ends"
local Root = require "rille.query.root"
local List = require "rille.list"
local Walk = require "rille.query.walk"

local M = {}

local PER_PAGE = 15
local CURSOR_OPTIONS = { "per_page", "cursor" }

local function whole(word, value, least)
  if math.type(value) ~= "integer" or value < least then
    Error.argument(word, ("a whole number, at least %d"):format(least), value)
  end
  return value
end

-- -- by number ------------------------------------------------------------------------------------------------------

--- The query of a page and of so many rows behind it.
local function page_of(query, page, per_page, extra)
  whole("paginate: page", page, 1)
  whole("paginate: per_page", per_page, 1)
  if page - 1 > (math.maxinteger - 1) // per_page then
    Error.argument("paginate: page", "the number of a page that 64 bits can count to", page)
  end
  return query:limit(per_page + extra):offset((page - 1) * per_page)
end

--- A page, with how many rows there are.
---@param page? integer      from 1
---@param per_page? integer  15 when absent
---@return table  { data, total, per_page, current_page, last_page, from, to, has_more }
function M.paginate(query, page, per_page)
  page, per_page = page == nil and 1 or page, per_page == nil and PER_PAGE or per_page
  local data, total = Ends.page(page_of(query, page, per_page, 0), query:unlimited())
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
  page, per_page = page == nil and 1 or page, per_page == nil and PER_PAGE or per_page
  local data = page_of(query, page, per_page, 1):all()
  local has_more = data[per_page + 1] ~= nil
  data[per_page + 1] = nil
  local first = (page - 1) * per_page + 1
  return { data = data, per_page = per_page, current_page = page, has_more = has_more,
    from = #data > 0 and first or nil, to = #data > 0 and first + #data - 1 or nil }
end

-- -- by cursor ------------------------------------------------------------------------------------------------------

local function encode(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function decode(hex)
  if #hex % 2 == 1 or hex:find "%X" then return nil end
  return (hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

--- A value that JSON would not give back as it is, as a pair of its kind and a text.
local function pack(value)
  if math.type(value) == "integer" then return { "integer", ("%d"):format(value) } end
  if type(value) == "number" then return { "float", ("%.17g"):format(value) } end
  if type(value) == "string" and not utf8.len(value) then return { "bytes", encode(value) } end
  return value
end

local function unpack_value(value)
  if type(value) ~= "table" then return value end
  local kind, text = value[1], value[2]
  if type(text) ~= "string" then return nil end
  if kind == "integer" then return math.tointeger(tonumber(text)) end
  if kind == "float" then
    local number = tonumber(text)
    return number and number + 0.0
  end
  return kind == "bytes" and decode(text) or nil
end

--- What a cursor fits: the text of the query it came from.
local function fingerprint(query)
  return core.checksum((query:to_sql())):sub(1, 16)
end

local function write_cursor(values, direction, shape)
  local kept = {}
  for i, value in ipairs(values) do kept[i] = pack(value) end
  return encode(require "rille.json".encode({ direction, shape, kept }, "cursor"))
end

local function refuse_cursor(cursor, why)
  Error.raise("invalid_argument", ("cursor_paginate: %s"):format(why), {
    hint = type(cursor) == "string" and "begin again without a cursor"
      or "a cursor is what next_cursor or prev_cursor gave",
  })
end

local function read_cursor(cursor, shape, count)
  local text = type(cursor) == "string" and decode(cursor)
  if not text then refuse_cursor(cursor, "this is no cursor") end
  local ok, kept = pcall(require "rille.json".decode, text, "cursor")
  if not ok or type(kept) ~= "table" or type(kept[2]) ~= "string" or type(kept[3]) ~= "table" then
    refuse_cursor(cursor, "this is no cursor")
  end
  if kept[2] ~= shape or #kept[3] ~= count then refuse_cursor(cursor, "the cursor belongs to another query") end
  local values = {}
  for i, value in ipairs(kept[3]) do
    values[i] = unpack_value(value)
    if values[i] == nil then refuse_cursor(cursor, "this is no cursor") end
  end
  return values, kept[1] == "prev"
end

--- Each column of the order is read from a row by its name, so the row must have it, and only one of that name.
local function check_readable(query, order, aliases)
  local by_name = {}
  for _, term in ipairs(order) do
    by_name[term.name] = term
    if not term.own then
      Error.raise("unsupported", ("cursor_paginate: cannot walk by %q of a joined table"):format(term.column), {
        hint = ('add_select("%s as %s") and order by that name'):format(term.column, (term.column:gsub("[^%w_]", "_"))),
      })
    end
  end
  local source = Root.ready(query)[1]
  for _, alias in ipairs(aliases) do
    if by_name[alias] and source:type(alias) then
      Error.raise("unsupported", ("cursor_paginate: %q is a column and the name of an output"):format(alias), {
        hint = "give the output another name",
      })
    end
  end
end

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
  local per_page = whole("cursor_paginate: per_page", options.per_page == nil and PER_PAGE or options.per_page, 1)
  query = query:unlimited()
  local order = Walk.order(query, "cursor_paginate")
  local outputs, aliases = Walk.outputs(query)
  check_readable(query, order, aliases)
  Walk.check_selected(query, order, "cursor_paginate")
  local shape = fingerprint(Walk.ordered(query, order, false))
  local values, backwards
  if options.cursor ~= nil then values, backwards = read_cursor(options.cursor, shape, #order) end
  local page = Walk.ordered(query, order, backwards == true)
  if values then page = Walk.seek(page, order, backwards, values) end
  local data = page:limit(per_page + 1):all()
  local more = data[per_page + 1] ~= nil
  data[per_page + 1] = nil
  if backwards then data = reversed(data) end
  local result = { data = data }
  if #data == 0 then return result end
  local function cursor_at(row, direction)
    return write_cursor(Walk.place(row, order, "cursor_paginate", outputs), direction, shape)
  end
  if more or backwards then result.next_cursor = cursor_at(data[#data], "next") end
  if values and (more or not backwards) then result.prev_cursor = cursor_at(data[1], "prev") end
  return result
end

return M
