--- filter: a predicate as text, read by a grammar (LPeg) and said again with the builder's own methods.
-- So a text can do what the builder can and no more: names are checked, values are bound, relations are travelled.
local core = require "rille.core"
local Error = require "rille.error"
local Grammar = require "rille.grammar"
local Memo = require "rille.memo"

local M = {}

local KEPT_TEXTS = 256
local EXCERPT_BYTES = 70          -- of a long line, around the place of an error

---@class rille.filter.Node
---@field kind "and"|"or"|"not"|"compare"|"in"|"between"|"null"
---@field path? string[]     names before the operator
---@field negated? boolean
-- and, or, not: nodes in 1, 2, …   compare: operator, value   in, between: list of values
-- A value is { literal = v }, { name = n } for :n, or { path = names }.

--- The line of `position`, cut to what fits, and how far into it the position is.
local function excerpt(text, position)
  local before = text:sub(1, position - 1):match "[^\n]*$"
  local line = before .. text:sub(position):match "^[^\n]*"
  local at = #before
  if #line > EXCERPT_BYTES then
    local from = math.max(0, at - EXCERPT_BYTES // 2)
    line, at = line:sub(from + 1, from + EXCERPT_BYTES), at - from
    before = line:sub(1, at)
  end
  return line, utf8.len(before) or at
end

local function raise_syntax(text, position, problem)
  local line, at = excerpt(text, position)
  Error.raise("syntax", ("filter: %s\n  %s\n  %s^"):format(problem, line:gsub("%c", " "), (" "):rep(at)),
    { position = position })
end

local function list_of(words)
  if #words < 2 then return words[1] end
  return table.concat(words, ", ", 1, #words - 1) .. " or " .. words[#words]
end

--- Tokens of the grammar.  Where one was wanted and something else stood is noted in the match's extra argument, the
--- furthest such place being where the text went wrong.
local function tokens(lpeg)
  local P, S, R, C, Cc, Cmt, Carg, Cs, Ct, Cg = lpeg.P, lpeg.S, lpeg.R, lpeg.C, lpeg.Cc, lpeg.Cmt, lpeg.Carg, lpeg.Cs,
    lpeg.Ct, lpeg.Cg

  local space = S " \t\r\n" ^ 0
  local letter = R("az", "AZ", "\128\255") + "_"
  local rest = letter + R "09"

  local function wanted(what)
    return Cmt(Carg(1) * Cc(what), function(_, pos, furthest, word)
      if pos > furthest.at then furthest.at, furthest.wanted = pos, {} end
      if pos == furthest.at and not furthest.wanted[word] then
        furthest.wanted[word] = true
        table.insert(furthest.wanted, word)
      end
      return false
    end) * P(false)               -- known to fail, so that it may end a loop's body
  end
  local function token(pattern, what) return pattern * space + wanted(what) end
  local function any_case(name)
    local pattern = P(true)
    for c in name:gmatch "." do pattern = pattern * S(c .. c:upper()) end
    return pattern * -rest
  end
  local function keyword(name, what) return token(any_case(name), what or '"' .. name .. '"') end
  local function quoted(mark, what)
    local inner = P(mark .. mark) / mark + (1 - P(mark))
    local unclosed = Cmt("", function(text, pos) raise_syntax(text, pos - 1, what .. " is not closed") end)
    return P(mark) * (Cs(inner ^ 0) * P(mark) + unclosed)
  end

  local reserved = P(false)
  for _, word in ipairs { "and", "or", "not", "in", "is", "like", "ilike", "between", "null", "true", "false" } do
    reserved = reserved + any_case(word)
  end
  local name = C(letter * rest ^ 0) - reserved + quoted('"', "a quoted name")
  local path = token(Ct(name * (P "." * name) ^ 0), "a column")

  local digits = R "09" ^ 1
  local mantissa = digits * (P "." * digits) ^ -1 + P "." * digits
  local numeral = P "-" ^ -1 * mantissa * (S "eE" * S "+-" ^ -1 * digits) ^ -1 * -(rest + ".")
  local number = Cmt(C(numeral), function(text, pos, written)
    local number = tonumber(written)
    if math.type(number) == "float" and not written:find "[.eE]" then
      raise_syntax(text, pos - #written, "the number has more than 64 bits")
    end
    return true, number
  end)
  local literal = number + quoted("'", "a text") + any_case "true" * Cc(true) + any_case "false" * Cc(false)
    + any_case "null" * Cc(core.null)
  local parameter = P ":" * Ct(Cg(C(letter * rest ^ 0), "name"))
  local value = Ct(Cg(literal, "literal")) + parameter

  return {
    space = space, token = token, keyword = keyword, wanted = wanted, path = path,
    value = token(value, "a value"),
    parameter = token(parameter, "a value"),
    operator = token(C(P "!=" + "<>" + "<=" + ">=" + S "=<>"), "an operator"),
    column_value = Ct(Cg(path, "path")),
    open = token(P "(", '"("'), close = token(P ")", '")"'), comma = token(P ",", '","'),
  }
end

local function build()
  local lpeg = require "lpeg"
  local P, V, Cc, Cg, Ct = lpeg.P, lpeg.V, lpeg.Cc, lpeg.Cg, lpeg.Ct
  local t = tokens(lpeg)

  -- One operand is itself, several are a node of that kind.
  local function chain(kind, operand)
    return Ct(operand * (t.keyword(kind) * operand) ^ 0) / function(list)
      if #list == 1 then return list[1] end
      list.kind = kind
      return list
    end
  end
  local function field(name, pattern) return Cg(pattern, name) end
  local function kind(name) return field("kind", Cc(name)) end
  local function word(name) return t.keyword(name, "an operator") end

  local maybe_not = field("negated", word "not" * Cc(true)) ^ -1
  local list = t.open * Ct(t.value * (t.comma * t.value) ^ 0) * t.close + Ct(t.parameter)
  local like = field("operator", (word "like" * Cc "like" + word "ilike" * Cc "ilike"))
  local tail = kind "compare" * field("operator", t.operator) * field("value", t.value + t.column_value)
    + kind "null" * word "is" * field("negated", t.keyword "not" * Cc(true)) ^ -1 * t.keyword "null"
    + maybe_not * (kind "in" * word "in" * field("list", list)
      + kind "between" * word "between" * field("list", Ct(t.value * t.keyword "and" * t.value))
      + kind "compare" * like * field("value", t.value))

  return P {
    t.space * V "any" * (-P(1) + t.wanted "the end"),
    any = chain("or", V "all"),
    all = chain("and", V "unit"),
    unit = Ct(kind "not" * t.keyword("not", "a condition") * V "unit")
      + t.token(P "(", "a condition") * V "any" * t.close
      + Ct(field("path", t.path) * tail),
  }
end

--- Names of the `:parameters` below a node.
local function collect_names(node, names)
  if node.name then names[node.name] = true end
  for _, child in next, node do
    if type(child) == "table" then collect_names(child, names) end
  end
  return names
end

local grammar

local parsed = Memo.new(KEPT_TEXTS, function(text)
  grammar = grammar or Grammar.compile(build())
  local furthest = { at = 0, wanted = {} }
  local ok, tree = pcall(grammar.match, grammar, text, 1, furthest)
  if not ok then
    if not tostring(tree):find "stack overflow" then error(tree, 0) end     -- LPeg's own
    raise_syntax(text, 1, "the conditions are nested too deeply")
  end
  if not tree then
    local found = text:match("^[%w_.]+", furthest.at) or text:match("^" .. utf8.charpattern, furthest.at)
    raise_syntax(text, furthest.at, ("wants %s, found %s"):format(list_of(furthest.wanted),
      found and '"' .. found .. '"' or "the end"))
  end
  return { tree = tree, names = collect_names(tree, {}) }
end)

local function check_params(names, params)
  if params == nil then params = {} end
  if type(params) ~= "table" then Error.argument("filter", "a table of values for its names", params) end
  local known = {}
  for name in next, names do
    known[#known + 1] = name
    if params[name] == nil then
      Error.raise("invalid_argument", ("filter: :%s has no value (nil)"):format(name),
        { hint = "rille.null stands for NULL" })
    end
  end
  table.sort(known)
  for name in next, params do
    if not names[name] then
      Error.raise("invalid_argument", ("filter: the text has no :%s"):format(tostring(name)),
        { hint = Error.did_you_mean(name, known) })
    end
  end
  return params
end

local function value_of(value, params)
  if not value.name then return value.literal end
  local given = params[value.name]
  if type(given) == "table" then
    Error.raise("invalid_argument", ("filter: :%s is a list, which fits only after `in`"):format(value.name))
  end
  return given
end

local function values_of(list, params)
  local only = #list == 1 and list[1].name
  if only and type(params[only]) == "table" then return params[only] end
  local values = {}
  for i, value in ipairs(list) do values[i] = value_of(value, params) end
  return values
end

-- Kind of a condition -> the call that says it: (query, prefix "" or "or_", node, column, params) -> query.
local SAY = {
  compare = function(q, prefix, node, column, params)
    local value = node.value
    if value.path then return q[prefix .. "where_column"](q, column, node.operator, table.concat(value.path, ".")) end
    local operator = (node.negated and "not_" or "") .. node.operator
    return q[prefix .. "where"](q, column, operator, value_of(value, params))
  end,
  null = function(q, prefix, node, column)
    return q[prefix .. (node.negated and "where_not_null" or "where_null")](q, column)
  end,
  ["in"] = function(q, prefix, node, column, params)
    return q[prefix .. (node.negated and "where_not_in" or "where_in")](q, column, values_of(node.list, params))
  end,
  between = function(q, prefix, node, column, params)
    local low, high = value_of(node.list[1], params), value_of(node.list[2], params)
    return q[prefix .. (node.negated and "where_not_between" or "where_between")](q, column, low, high)
  end,
}

--- A condition on a column here, or on one behind relations: "there is one of which this holds".
local function say_condition(q, prefix, node, params, from)
  local path = node.path
  if #path > from and q:has_relation(path[from]) then
    return q[prefix .. "where_has"](q, path[from], function(inner)
      return say_condition(inner, "", node, params, from + 1)
    end)
  end
  if #path > from then q:check_path(path[from], from == 1 and #path == 2) end
  return SAY[node.kind](q, prefix, node, table.concat(path, ".", from), params)
end

local function say(q, prefix, node, params)
  if node.kind == "not" then
    return q[prefix .. "where_not"](q, function(inner) return say(inner, "", node[1], params) end)
  elseif node.kind == "or" or node.kind == "and" and prefix ~= "" then
    local joint = node.kind == "or" and "or_" or ""
    return q[prefix .. "where"](q, function(inner)
      for i, child in ipairs(node) do inner = say(inner, i > 1 and joint or "", child, params) end
      return inner
    end)
  elseif node.kind == "and" then
    for _, child in ipairs(node) do q = say(q, "", child, params) end
    return q
  end
  return say_condition(q, prefix, node, params, 1)
end

--- The query with the predicate added as one more condition.
---@param q rille.Query
---@param text string        "views > :min and author.name like 'A%'"
---@param params? table      a value for each :name; a list for `in :name`; rille.null is NULL
---@return rille.Query
function M.apply(q, text, params)
  if type(text) ~= "string" then Error.argument("filter", "a predicate as text", text) end
  local want = parsed(text)
  return say(q, "", want.tree, check_params(want.names, params))
end

return M
