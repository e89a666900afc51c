--- sqlite.definition: the text of a CREATE TABLE of SQLite as columns and constraints, and back.
-- A table can only be rebuilt without losing anything when everything its text says is kept: collations, generated
-- columns, conflict clauses, names of constraints, remarks.  What the database stored is valid, so nothing is checked.
local Error = require "rille.error"
local Grammar = require "rille.grammar"
local Name = require "rille.schema.name"

local M = {}

---@class rille.Clause
---@field kind string        primary, not null, null, unique, check, default, collate, references, generated, foreign
---@field text string        without the name of the constraint
---@field name? string       of the constraint
---@field columns? string[]  of a constraint of the table
---@field table? string      that a foreign key references
---@field references? string[]  its columns there; none when it means the primary key
---@field conflict? string   what is done where it is broken, if that is said: "replace" …

---@class rille.Definition
---@field name string
---@field columns { name: string, type: string, clauses: rille.Clause[], remarks: string[] }[]
---@field constraints (rille.Clause|{ remarks: string[] })[]
---@field tail string        "without rowid", "strict"

local function build_lexer()
  local lpeg = require "lpeg"
  local P, R, S, C, Cc, Cp, Ct, V = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cp, lpeg.Ct, lpeg.V
  local function quoted(mark) return P(mark) * (P(mark) * P(mark) + (1 - P(mark))) ^ 0 * P(mark) end
  local letter = R("az", "AZ", "\128\255") + "_"
  local word = letter * (letter + R "09" + "$") ^ 0
  local number = (R "09" + P "." * R "09") * (S "eE" * S "+-" + R("09", "az", "AZ") + S "._") ^ 0
  local remark = P "--" * C((1 - P "\n") ^ 0) + P "/*" * C((1 - P "*/") ^ 0) * (P "*/" + -1)
  local function token(kind, pattern) return Ct(Cc(kind) * C(pattern) * Cp()) end
  return P {
    Ct(V "list"),
    list = (S " \t\r\n\f" + V "token") ^ 0,
    token = Ct(Cc "remark" * remark * Cp())
      + token("text", S "xX" ^ -1 * quoted "'") + token("name", quoted '"' + quoted "`" + P "[" * (1 - P "]") ^ 0 * "]")
      + token("word", word) + token("number", number)
      + Ct(Cc "group" * C(P "(" * Ct(V "list") / 0 * ")") * Cp())
      + token("mark", 1 - P ")"),
  }
end

local lexer

--- Text -> tokens { kind, text, behind = position behind it, at =, lower = }; what stands in ( ) is one of them.
local function tokens_of(text)
  lexer = lexer or Grammar.compile(build_lexer())
  local out = {}
  for _, found in ipairs(lexer:match(text)) do
    local kind, content, behind = found[1], found[2], found[3]
    out[#out + 1] = { kind = kind, text = content, behind = behind, lower = kind == "word" and content:lower() or nil }
  end
  return out
end

local function unquote(token)
  local text = token.text
  local mark = text:sub(1, 1)
  if token.kind == "word" then return text end
  if mark == "[" then return text:sub(2, -2) end
  return (text:sub(2, -2):gsub(mark .. mark, mark))
end

local function inside(token) return tokens_of(token.text:sub(2, -2)) end

--- Tokens between commas.  A remark behind a comma, on the same line, belongs to what stands before the comma.
local function split_at_commas(tokens, text)
  local parts, current = {}, { remarks = {} }
  local function close()
    parts[#parts + 1] = current
    current = { remarks = {} }
  end
  local comma                         -- the position behind the last comma
  for _, token in ipairs(tokens) do
    if token.kind == "remark" then
      local same_line = comma and #current == 0 and not text:sub(comma, token.behind - #token.text - 1):find "\n"
      local owner = same_line and parts[#parts] or current
      owner.remarks[#owner.remarks + 1] = token.text:match "^%s*(.-)%s*$"
    elseif token.kind == "mark" and token.text == "," then
      close()
      comma = token.behind
    else
      current[#current + 1] = token
    end
  end
  close()
  return parts
end

local function join(tokens, from, to)
  local out = {}
  for i = from, to do
    local glued = i == from or tokens[i - 1].kind == "mark"
    out[#out + 1] = (glued and "" or " ") .. tokens[i].text
  end
  return table.concat(out)
end

--- The first name of each part of a list in parentheses: columns of a key.
local function names_in(group)
  local names = {}
  for i, part in ipairs(split_at_commas(inside(group), group.text)) do names[i] = part[1] and unquote(part[1]) end
  return names
end

-- Words that begin a clause of a column; they end its type.
local STARTS = { constraint = true, primary = true, ["not"] = true, null = true, unique = true, check = true,
  default = true, collate = true, references = true, generated = true, as = true }

local Reader = {}
Reader.__index = Reader

function Reader:word(...)
  local token = self.tokens[self.at]
  for _, word in ipairs { ... } do
    if token and token.lower == word then
      self.at = self.at + 1
      return word
    end
  end
end

function Reader:group()
  local token = self.tokens[self.at]
  if token and token.kind == "group" then
    self.at = self.at + 1
    return token
  end
end

function Reader:skip(count) self.at = self.at + (count or 1) end

local function on_conflict(reader, clause)
  if not reader:word "on" then return end
  reader:skip()                                            -- conflict
  clause.conflict = reader.tokens[reader.at].lower
  reader:skip()
end

local function references(reader, clause)
  clause.table = unquote(reader.tokens[reader.at])
  reader:skip()
  local group = reader:group()
  clause.references = group and names_in(group) or {}
  while true do
    local word = reader:word("on", "match", "deferrable", "initially")
    local after = reader.tokens[reader.at + 1]
    if word == nil and after and after.lower == "deferrable" then word = reader:word "not" end
    if word == "on" then
      reader:skip()                                        -- delete, update
      if reader:word("set", "no") then reader:skip() else reader:word("cascade", "restrict") end
    elseif word == "match" or word == "initially" then
      reader:skip()
    elseif not word then
      return
    end
  end
end

-- Kind of clause by its first word; each reads on from behind that word.
local CLAUSES = {
  primary = function(reader, clause)
    reader:skip()                                          -- key
    local group = reader:group()
    clause.columns = group and names_in(group)
    reader:word("asc", "desc")
    on_conflict(reader, clause)
    clause.auto = reader:word "autoincrement" ~= nil
  end,
  ["not"] = function(reader, clause)
    reader:skip()
    on_conflict(reader, clause)
    clause.kind = "not null"
  end,
  null = on_conflict,
  unique = function(reader, clause)
    local group = reader:group()
    clause.columns = group and names_in(group)
    on_conflict(reader, clause)
  end,
  check = function(reader, clause)
    reader:group()
    on_conflict(reader, clause)
  end,
  default = function(reader)
    if reader:group() then return end
    if reader.tokens[reader.at].kind == "mark" then reader:skip() end      -- a sign
    reader:skip()
  end,
  collate = function(reader) reader:skip() end,
  references = references,
  generated = function(reader)
    reader:skip(2)                                         -- always as
    reader:group()
    reader:word("stored", "virtual")
  end,
  as = function(reader, clause)
    reader:group()
    reader:word("stored", "virtual")
    clause.kind = "generated"
  end,
  foreign = function(reader, clause)
    reader:skip()                                          -- key
    clause.columns = names_in(reader:group())
    reader:skip()                                          -- references
    references(reader, clause)
  end,
}

local function read_clause(reader)
  local clause = {}
  if reader:word "constraint" then
    clause.name = unquote(reader.tokens[reader.at])
    reader:skip()
  end
  local first, token = reader.at, reader.tokens[reader.at]
  local read = token and token.lower and CLAUSES[token.lower]
  if not read then
    local near = token and token.text or "its end"
    Error.raise("unsupported", ("the definition of a table is not understood near %q"):format(near))
  end
  clause.kind = token.lower
  reader:skip()
  read(reader, clause)
  clause.text = join(reader.tokens, first, reader.at - 1)
  return clause
end

local function read_column(tokens)
  local reader = setmetatable({ tokens = tokens, at = 2 }, Reader)
  local column = { name = unquote(tokens[1]), clauses = {}, remarks = tokens.remarks }
  while tokens[reader.at] and not STARTS[tokens[reader.at].lower] do reader:skip() end
  column.type = join(tokens, 2, reader.at - 1):gsub(" %(", "(")
  while tokens[reader.at] do
    column.clauses[#column.clauses + 1] = read_clause(reader)
  end
  return column
end

local CONSTRAINTS = { constraint = true, primary = true, unique = true, check = true, foreign = true }

--- Read the text that the database keeps for a table.
---@param sql string
---@return rille.Definition
function M.parse(sql)
  local tokens, body, name = {}, nil, nil
  for _, token in ipairs(tokens_of(sql)) do
    if token.kind ~= "remark" then tokens[#tokens + 1] = token end
    if token.kind == "group" and not body then body, name = #tokens, tokens[#tokens - 1] end
  end
  if not body then Error.raise("unsupported", "only tables made by CREATE TABLE can be changed", { sql = sql }) end
  local definition = { name = unquote(name), columns = {}, constraints = {}, tail = "" }
  for _, part in ipairs(split_at_commas(inside(tokens[body]), tokens[body].text:sub(2, -2))) do
    if part[1] and CONSTRAINTS[part[1].lower] then
      local reader = setmetatable({ tokens = part, at = 1 }, Reader)
      while part[reader.at] do                             -- SQLite lets the comma between constraints be left out
        local clause = read_clause(reader)
        clause.remarks = part[reader.at] and {} or part.remarks
        definition.constraints[#definition.constraints + 1] = clause
      end
    else
      definition.columns[#definition.columns + 1] = read_column(part)
    end
  end
  definition.tail = join(tokens, body + 1, #tokens):gsub(" ?,", ", ")
  return definition
end

--- A clause as SQL text.
---@param clause rille.Clause
---@return string
function M.clause(clause)
  return (clause.name and "constraint " .. Name.quote(clause.name) .. " " or "") .. clause.text
end

local function remarks_text(remarks)
  local out = {}
  for _, remark in ipairs(remarks or {}) do out[#out + 1] = " /* " .. remark:gsub("%*/", "* /") .. " */" end
  return table.concat(out)
end

--- A column as SQL text, the way CREATE TABLE and ADD COLUMN take it.
---@param column table
---@return string
function M.column(column)
  local out = { Name.quote(column.name) }
  if column.type ~= "" then out[2] = column.type end
  for _, clause in ipairs(column.clauses) do out[#out + 1] = M.clause(clause) end
  return table.concat(out, " ") .. remarks_text(column.remarks)
end

--- The CREATE TABLE of a definition.
---@param definition rille.Definition
---@param name? string  instead of its own
---@return string
function M.render(definition, name)
  local lines = {}
  for _, column in ipairs(definition.columns) do lines[#lines + 1] = "  " .. M.column(column) end
  for _, clause in ipairs(definition.constraints) do
    lines[#lines + 1] = "  " .. M.clause(clause) .. remarks_text(clause.remarks)
  end
  local tail = definition.tail ~= "" and " " .. definition.tail or ""
  return ("create table %s (\n%s\n)%s"):format(Name.quote(name or definition.name), table.concat(lines, ",\n"), tail)
end

--- The condition of a CREATE INDEX: which rows it covers; nil for one that covers all.
---@param sql string
---@return string?
function M.condition_of_index(sql)
  local tokens, from = {}, nil
  for _, token in ipairs(tokens_of(sql)) do
    if token.kind ~= "remark" then
      tokens[#tokens + 1] = token
      if not from and token.lower == "where" then from = #tokens + 1 end
    end
  end
  return from and join(tokens, from, #tokens) or nil
end

--- Does a piece of SQL name this column, outside of texts and remarks?
---@param sql string
---@param column string
---@return boolean
function M.mentions(sql, column)
  for _, token in ipairs(tokens_of(sql)) do
    if token.kind == "group" and M.mentions(token.text:sub(2, -2), column) then return true end
    if (token.kind == "word" or token.kind == "name") and Name.same(unquote(token), column) then return true end
  end
  return false
end

--- The primary key's columns; none when there is none.
---@param definition rille.Definition
---@return string[]
function M.primary(definition)
  for _, constraint in ipairs(definition.constraints) do
    if constraint.kind == "primary" then return constraint.columns end
  end
  for _, column in ipairs(definition.columns) do
    for _, clause in ipairs(column.clauses) do
      if clause.kind == "primary" then return { column.name } end
    end
  end
  return {}
end

return M
