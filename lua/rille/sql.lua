--- sql: SQL text read just far enough: where a statement ends, and which placeholders it has.
-- A grammar (LPeg) knows literals, quoted names, comments, dollar quotes and trigger bodies, so that a `;` or a `?`
-- inside one of them is left alone.  It is built when the first text needs it, one for each database: what is a quote
-- in SQLite is not one everywhere.
local core = require "rille.core"
local Error = require "rille.error"
local Grammar = require "rille.grammar"
local Memo = require "rille.memo"

local M = {}

local KEPT_TEXTS = 256
local NOT_PLAIN = "['\"`%[%-/:?$@]"      -- a text without any of these holds no placeholder and needs no grammar

local function raise_syntax(message, text, position, hint)
  local _, newlines = text:sub(1, position - 1):gsub("\n", "")
  local line = newlines + 1
  Error.raise("syntax", ("%s in line %d"):format(message, line), { hint = hint, sql = text, line = line })
end

--- One value for each driver, made by `build` when it is first asked for, out of how SQL is read there.
local function for_each_driver(build)
  return setmetatable({}, { __index = function(made, driver)
    made[driver] = build(require("rille.handle." .. driver).syntax, driver)
    return made[driver]
  end })
end

--- The patterns that all uses share: what may hold any byte without meaning it, and words and numbers as units.
local function lexicon(syntax)
  local lpeg = require "lpeg"
  local P, S, R, C, Cc, Cmt, Cg, Cb = lpeg.P, lpeg.S, lpeg.R, lpeg.C, lpeg.Cc, lpeg.Cmt, lpeg.Cg, lpeg.Cb

  -- Reached only behind an opening mark without its end; `pos` is just behind the mark.
  local function unclosed(what)
    return Cmt(Cc(what), function(text, pos, name) raise_syntax(name .. " is not closed; it begins", text, pos - 1) end)
  end
  local function quoted(mark, what)
    return P(mark) * ((1 - P(mark)) + P(mark) * P(mark)) ^ 0 * P(mark) + P(mark) * unclosed(what)
  end

  local letter = R("az", "AZ", "\128\255") + "_"
  local word = letter * (letter + R "09" + "$") ^ 0
  local number = (R "09" + P "." * R "09") * (R("09", "az", "AZ") + S "._") ^ 0
  local line_comment = P "--" * (1 - S(syntax.line_ends)) ^ 0
  local inner = syntax.nested_comments and P { P "/*" * (lpeg.V(1) + (1 - P "*/")) ^ 0 * "*/" } or P(false)
  local block_comment = P "/*" * ((inner + (1 - P "*/")) ^ 0 * "*/" + unclosed "a comment")
  local tag = P "$" * (letter * (letter + R "09") ^ 0) ^ -1 * "$"
  local same_tag = Cmt(C(tag) * Cb "tag", function(_, _, here, opened) return here == opened end)
  local dollar = Cg(C(tag), "tag") * ((1 - same_tag) ^ 0 * same_tag + unclosed "a dollar quote")

  local literal = quoted("'", "a text literal") + quoted('"', "a quoted name")
  if syntax.backslash_texts then
    local escaped = S "eE" * P "'"
    literal = escaped * ((P "\\" * 1 + P "''" + (1 - P "'")) ^ 0 * "'" + unclosed "a text literal") + literal
  end
  if syntax.names_in_brackets then
    literal = literal + quoted("`", "a quoted name") + P "[" * ((1 - P "]") ^ 0 * "]" + unclosed "a name in brackets")
  end
  return {
    lpeg = lpeg, word = word, number = number, letter = letter,
    line_comment = line_comment,
    skip = S " \t\r\n\f\v" + P "\u{feff}" + line_comment + block_comment,      -- (SQLite skips that mark, too)
    literal = literal, quoted = literal + dollar / 0,
    keyword = function(name)          -- a whole word, in any case
      local pattern = P(true)
      for c in name:gmatch "." do pattern = pattern * S(c .. c:upper()) end
      return pattern * -(letter + R "09" + "$")
    end,
  }
end

--- text -> list of { at, statement }; `at` is where its first word begins.
local function build_splitter(syntax)
  local lex = lexicon(syntax)
  local lpeg, keyword, skip = lex.lpeg, lex.keyword, lex.skip
  local P, C, Cp, Ct, Cg, Cb, Cmt = lpeg.P, lpeg.C, lpeg.Cp, lpeg.Ct, lpeg.Cg, lpeg.Cb, lpeg.Cmt
  local gap = skip ^ 0

  local token = lex.quoted + lex.word + lex.number + (1 - P ";" - skip)
  -- Up to its last token, so that what a person reads ends neither in blanks nor in a remark.
  local function tokens_until(stop) return (token - stop) * (gap * (token - stop)) ^ 0 end

  -- The body of a trigger or of a function in standard SQL: statements that end in `;`, then `end`.  An `end` that is
  -- not the first word after a `;` closes a `case`, or is a name.
  local begin = keyword "begin" * (gap * keyword "atomic") ^ -1
  local finish = keyword "end"
  local open_body = Cmt(Cb "begin", function(text, _, at)
    raise_syntax("the body after `begin` has no `end`; it begins", text, at, "each statement of it ends in a semicolon")
  end)
  local body_statement = tokens_until(P(false)) ^ -1 * gap * ";"
  local body = Cg(Cp(), "begin") * begin * gap * ((body_statement - finish) * gap) ^ 0 * (finish + open_body)
  local header = keyword "create" * gap * (keyword "or" * gap * keyword "replace" * gap) ^ -1
    * ((keyword "temporary" + keyword "temp" + keyword "constraint") * gap) ^ -1
    * (keyword "trigger" + keyword "function" + keyword "procedure")
  local with_body = header * gap * (tokens_until(begin) * gap) ^ -1 * body * (gap * tokens_until(P(false))) ^ -1

  local statement = Ct(Cp() * C(with_body + tokens_until(P(false))))
  return Ct(gap * ((statement + P ";") * gap) ^ 0) * -1
end

local splitters = for_each_driver(function(syntax) return Grammar.compile(build_splitter(syntax)) end)

--- The statements of a script, without the `;` that ended them.  Empty ones, and remarks around them, are dropped.
---@param text string
---@param driver? string  of the database that it is for; absent: SQLite
---@return string[] statements
---@return integer[] lines  where each begins, from 1
function M.split(text, driver)
  if type(text) ~= "string" then Error.argument("split", "SQL text", text) end
  local statements, lines = {}, {}
  local line, from = 1, 1
  for i, found in ipairs(splitters[driver or "sqlite"]:match(text)) do
    local _, newlines = text:sub(from, found[1] - 1):gsub("\n", "")
    line, from = line + newlines, found[1]
    statements[i], lines[i] = found[2], line
  end
  return statements, lines
end

--- text -> pieces: SQL text, `{}` for a `?`, `{ name }` for a `:name`.
local function build_scanner(syntax)
  local lex = lexicon(syntax)
  local lpeg = lex.lpeg
  local P, R, C, Cc, Cmt, Ct = lpeg.P, lpeg.R, lpeg.C, lpeg.Cc, lpeg.Cmt, lpeg.Ct

  -- SQLite would take these for parameters too, and read NULL where nobody gave a value.  In PostgreSQL `:1` ends a
  -- slice of an array, and `@` begins operators.
  local other = (P "?" + ":") * R "09" ^ 1 + (P "$" + "@") * (lex.letter + R "09") ^ 1
  if syntax.slices then other = (P "?" + "$") * R "09" ^ 1 end
  local refused = Cmt(C(other), function(text, pos, mark)
    raise_syntax(("the placeholder %s is not known"):format(mark), text, pos - #mark, "write ? or :name")
  end)
  local name = lex.letter * (lex.letter + R "09") ^ 0
  local plain = lex.quoted + lex.skip + lex.word + lex.number + "::" + (1 - (P "?" + P ":" * name + other))
  local piece = C(plain ^ 1) + P "??" * Cc "?" + refused + P "?" * Ct "" + P ":" * Ct(C(name))
  return Ct(piece ^ 0) * -1
end

local scanners = for_each_driver(function(syntax) return Grammar.compile(build_scanner(syntax)) end)

local MARK = "\1"                      -- in a part of a query: a question mark that is no placeholder

local function parse(text, syntax, driver)
  if not text:find(NOT_PLAIN) then return { sql = text, part = text, count = 0 } end
  local pieces, parts, names, count = scanners[driver]:match(text), {}, {}, 0
  for i, piece in ipairs(pieces) do
    if type(piece) == "table" then
      count = count + 1
      names[#names + 1] = piece[1]
      pieces[i], parts[i] = syntax.parameter:format(count), "?"
    else
      parts[i] = piece:gsub("%?", MARK)
    end
  end
  if #names > 0 and #names < count then
    Error.raise("invalid_argument", "the statement mixes ? and :" .. names[1], { sql = text, hint = "use one of them" })
  end
  return { sql = table.concat(pieces), part = table.concat(parts), count = count, names = #names > 0 and names or nil }
end

--- What a statement is about where that is not rows: "control" of a transaction, "schema"; else false.
local function about(text, driver)
  return M.controls_transaction(text, driver) and "control" or M.changes_schema(text, driver) and "schema"
end

--- What a text wants: { sql = a whole statement, as the database takes it, part = a part of one, with a ? for each
--- value and MARK for a question mark, count = how many values } with `names` (one for each value) when it has names.
local parsed = for_each_driver(function(syntax, driver)
  return Memo.new(KEPT_TEXTS, function(text) return parse(text, syntax, driver) end)
end)

local PLAIN <const> = { string = true, number = true, boolean = true }

local function fail(where, message, sql, hint)
  Error.raise("invalid_argument", ("%s: %s"):format(where, message), { sql = sql, hint = hint })
end

--- `before` and `which` call the value in messages.
local function check_value(where, value, before, which, sql)
  local kind = type(value)
  if PLAIN[kind] or value == core.null then return value end
  local label = before .. which
  if kind == "nil" then fail(where, label .. " has no value (nil)", sql, "rille.null stands for NULL") end
  if kind == "table" or kind == "function" or kind == "thread" then
    fail(where, ("%s is %s, which no column can hold"):format(label, Error.show(value)), sql,
      kind == "table" and "values are passed one by one; JSON is passed as its text" or nil)
  end
  return value
end

local function by_position(where, want, sql, ...)
  local given = select("#", ...)
  if given ~= want.count then
    local hint = given == 1 and type(...) == "table" and "values are passed one by one, not in a table" or nil
    fail(where, ("the statement has %d placeholder%s, %d value%s came"):format(
      want.count, want.count == 1 and "" or "s", given, given == 1 and "" or "s"), sql, hint)
  end
  local params = { n = given, ... }
  for i = 1, given do check_value(where, params[i], "value ", i, sql) end
  return params
end

local function by_name(where, want, sql, ...)
  local values = ...
  if select("#", ...) ~= 1 or type(values) ~= "table" or getmetatable(values) ~= nil then
    fail(where, ("the statement has names (:%s) and wants one table of values"):format(want.names[1]), sql)
  end
  local params, used = { n = want.count }, {}
  for i, name in ipairs(want.names) do
    params[i], used[name] = check_value(where, values[name], ":", name, sql), true
  end
  for name in next, values do
    if not used[name] then
      fail(where, ("the statement has no :%s"):format(tostring(name)), sql, Error.did_you_mean(name, want.names))
    end
  end
  return params
end

--- The text with every placeholder as the database has them, and the values in that order; `??` is a literal question
--- mark.
---@param where string   the method that was called, for messages
---@param driver string  "sqlite" or "postgres"
---@param text string
---@param ... any  one value for each `?`, or one table for `:name`s; rille.null is NULL, nil is refused
---@return string sql
---@return table params  a list with its length in `n`
---@return "control"|"schema"|false about  a transaction begins or ends by it, or tables change; or neither
function M.placeholders(where, driver, text, ...)
  if type(text) ~= "string" then Error.argument(where, "SQL text", text) end
  local want = parsed[driver](text)
  if want.about == nil then want.about = about(want.sql, driver) end
  if want.names then return want.sql, by_name(where, want, text, ...), want.about end
  return want.sql, by_position(where, want, text, ...), want.about
end

--- What reads a table whose name nobody sees: a call of one of the syntax's `reading_functions`, or its `table_type`.
local function hidden_reading(syntax, lex)
  local P, C, Cmt = lex.lpeg.P, lex.lpeg.C, lex.lpeg.Cmt
  if not syntax.reading_functions then return P(false) end
  local function reads(_, _, name, open)
    local is_one = name:lower() == syntax.table_type
    for _, beginning in ipairs(open ~= "" and syntax.reading_functions or {}) do
      is_one = is_one or name:lower():sub(1, #beginning) == beginning
    end
    return is_one
  end
  local name = C(lex.word) + P '"' * C((1 - P '"') ^ 1) * '"'
  return #Cmt(name * lex.skip ^ 0 * C(P "(" ^ -1), reads) * (lex.word + lex.literal)
    + lex.lpeg.S "uU" * "&" * #P '"'                       -- a name with escapes may be any
end

--- text -> what matters of a part of a statement, each a pair of its place and a mark: parentheses, semicolons, a
--- remark that has no end of its own, and "reads" where SQL reads tables: `select`, `from` or `table` anywhere, `in`
--- with the name of a table behind it, and as above.  Dollar quotes are none in SQLite, so what they hold counts.
local function build_reader(syntax)
  local lex = lexicon(syntax)
  local lpeg, keyword = lex.lpeg, lex.keyword
  local P, C, Cc, Cp, Ct, S = lpeg.P, lpeg.C, lpeg.Cc, lpeg.Cp, lpeg.Ct, lpeg.S
  local distinct_from = keyword "distinct" * lex.skip ^ 0 * keyword "from"
  local reads = keyword "select" + keyword "from" + keyword "table" + hidden_reading(syntax, lex)
    + keyword "in" * lex.skip ^ 0 * #(lex.letter + S "\"'`[")
  local mark = C(S "();") + lex.line_comment * -1 * Cc "--" + reads * Cc "reads"
  local other = lex.literal + lex.skip + distinct_from + lex.word + lex.number + P(1)
  return Ct((Ct(Cp() * mark) + other) ^ 0)
end

local readers = for_each_driver(function(syntax) return Grammar.compile(build_reader(syntax)) end)

-- A mark that cannot be in a part of a statement -> what is wrong with it.
local NOT_A_PART <const> = {
  [";"] = "a semicolon ends the statement around it",
  [")"] = "a ) closes what was not opened in it",
  ["("] = "a ( is not closed",
  ["--"] = "a remark would hide what comes behind it",
}

--- A text as part of a statement: { wrong = what keeps it from being one, at = where } or { reads = true or nil }.
local function read_part(text, driver)
  local open, part = {}, {}
  for _, found in ipairs(readers[driver]:match(text)) do
    local at, mark = found[1], found[2]
    if mark == "reads" then
      part.reads = true
    elseif mark == "(" then
      open[#open + 1] = at
    elseif mark == ")" and #open > 0 then
      open[#open] = nil
    else
      return { wrong = NOT_A_PART[mark], at = at }
    end
  end
  if #open > 0 then return { wrong = NOT_A_PART["("], at = open[1] } end
  return part
end

--- The same for a part of a query, which must be whole: what stands around it is what the query says, and no text may
--- end that.  `params.reads` says that it reads tables of its own, which nothing guards.
---@param where string
---@param query rille.Query  whose part it becomes
---@param text string
---@param ... any
---@return string sql  as RILLE_NODE_RAW of core/query/tree.h has it
---@return table params
function M.fragment(where, query, text, ...)
  if type(text) ~= "string" then Error.argument(where, "SQL text", text) end
  local handle = query[1].handle
  local driver = handle and handle.driver or require "rille.query.root".driver_of(query)
  local want = parsed[driver](text)
  local sql, params = want.part, want.names and by_name(where, want, text, ...) or by_position(where, want, text, ...)
  local part = want.read
  if not part then
    local at = text:find(MARK, 1, true)
    part = at and { wrong = "a control character stands in it", at = at } or read_part(sql, driver)
    want.read = part
  end
  if part.wrong then
    raise_syntax(("%s: %s"):format(where, part.wrong), text, math.min(part.at, #text), "each text is whole by itself")
  end
  params.reads = part.reads
  return sql, params
end

local words = for_each_driver(function(syntax)
  local lex = lexicon(syntax)
  local lpeg = lex.lpeg
  local name = #lpeg.P '"' * lpeg.C(lex.quoted)
  local token = name + lex.quoted + lex.skip + lex.word / string.lower + lex.number + 1
  local pattern = Grammar.compile(lpeg.Ct(token ^ 0))
  return function(text) return pattern:match(text) end
end)

--- The words of a statement in order: in lower case, names in quotes with these and as they are; neither literals nor
--- what stands in remarks.
---@param text string
---@param driver string  of the database that it is for
---@return string[]
function M.words(text, driver) return words[driver](text) end

--- The first word of a statement in lower case, past blanks and remarks; "" for none.
local first_words = for_each_driver(function(syntax)
  local head
  return Memo.new(KEPT_TEXTS, function(text)
    local at = text:match "^[%s;]*()"
    if not text:find("^[-/\u{feff}]", at) then return text:match("^%a*", at):lower() end
    if not head then
      local lex = lexicon(syntax)
      head = Grammar.compile((lex.skip + ";") ^ 0 * lex.lpeg.Cp())
    end
    return text:match("^%a*", head:match(text)):lower()
  end)
end)

local function first_word(text, driver) return first_words[driver or "sqlite"](text) end

local CONTROLS = { begin = true, start = true, commit = true, ["end"] = true, rollback = true, abort = true,
  savepoint = true, release = true }

--- Does the statement begin or end a transaction?
---@param text string
---@param driver? string  of the database that it is for; absent: SQLite
---@return boolean
function M.controls_transaction(text, driver)
  local word = first_word(text, driver)
  return CONTROLS[word] or word == "prepare" and text:lower():find "prepare%s+transaction" ~= nil
end

local CHANGES_SCHEMA = { create = true, alter = true, drop = true }

--- Does the statement change tables rather than rows?
---@param text string
---@param driver? string
---@return boolean
function M.changes_schema(text, driver) return CHANGES_SCHEMA[first_word(text, driver)] == true end

--- Does the statement give rows?  `insert … returning` does, `insert` does not.
---@param text string
---@param driver? string
---@return boolean
function M.gives_rows(text, driver)
  local first = first_word(text, driver)
  if first == "insert" or first == "update" or first == "delete" or first == "replace" then
    return text:lower():find "%f[%w_]returning%f[^%w_]" ~= nil
  end
  return first == "select" or first == "with" or first == "values" or first == "pragma" or first == "explain"
    or first == "show" or first == "table"
end

--- Does it only read, as far as its first word tells?  A lock that is held at one server only is no reading.
---@param text string
---@param driver? string
---@return boolean
function M.only_reads(text, driver)
  local first = first_word(text, driver)
  if text:lower():find("advisory", 1, true) then return false end
  return first == "select" or first == "values" or first == "table" or first == "show" or first == "with"
end

return M
