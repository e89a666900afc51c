--- contracts: every function that a header of the core declares says what a caller must know.
-- Its comment stands directly above it, above the group it stands in (lines without a blank one between), or after it.

local WORDS_OF_A_SENTENCE = 3

local function is_sentence(comment)
  local _, words = comment:gsub("%a+", "")
  return words >= WORDS_OF_A_SENTENCE
end

--- Cuts a header into comments, blank lines, preprocessor lines, blocks in braces and declarations, in order.
---@return { kind: string, text: string, line: integer }[]
local function pieces_of(text)
  local pieces, at, line = {}, 1, 1
  local function take(kind, last)
    local piece = text:sub(at, last)
    pieces[#pieces + 1] = { kind = kind, text = piece, line = line }
    local _, breaks = piece:gsub("\n", "")
    at, line = last + 1, line + breaks
  end
  while at <= #text do
    if text:find("^%s*\n[ \t]*\n", at) then
      take("blank", select(2, text:find("^%s*\n[ \t]*\n", at)))
    elseif text:find("^%s", at) then
      take("space", select(2, text:find("^[ \t]+", at)) or at)
    elseif text:find("^/%*", at) then
      take("comment", select(2, text:find("*/", at + 2, true)) or #text)
    elseif text:find('^extern "C" {', at) then
      take("directive", select(2, text:find("{", at, true)))
    elseif text:find("^#", at) then
      local last = at
      repeat last = text:find("\n", last, true) or #text + 1; last = last + 1 until text:sub(last - 2, last - 2) ~= "\\"
      take("directive", last - 2)
    else
      -- A declaration ends at its semicolon; braces in it (struct, enum, inline body) are skipped as a whole.
      local last, depth = at, 0
      while last <= #text do
        local c = text:sub(last, last)
        if c == "{" then depth = depth + 1 elseif c == "}" then depth = depth - 1 end
        if depth == 0 and (c == ";" or (c == "}" and text:find("^}%s*\n%s*\n", last))) then break end
        if text:sub(last, last + 1) == "/*" then last = (text:find("*/", last + 2, true) or #text) end
        last = last + 1
      end
      take("declaration", last)
    end
  end
  return pieces
end

--- The name of the function that a declaration declares; nil for types, variables and what is static.
local function function_of(declaration)
  local bare = declaration:gsub("/%*.-%*/", " "):gsub("%b{}", "{}")
  if bare:find "^static" or bare:find "^typedef" then return nil end
  return bare:match "^[%w_%s%*]-([%a_][%w_]*)%s*%b()[%s%w_]*[%(;]"
end

local function check(file, problems)
  local pieces = pieces_of(table.concat(file.lines, "\n") .. "\n")
  local told = false                       -- by a comment above, with no blank line since
  for i, piece in ipairs(pieces) do
    if piece.kind == "comment" then
      told = told or is_sentence(piece.text)
    elseif piece.kind == "blank" or piece.kind == "directive" then
      told = false
    elseif piece.kind == "declaration" then
      local name = function_of(piece.text)
      local after = pieces[i + 1]
      if after and after.kind == "space" then after = pieces[i + 2] end
      local told_after = after and after.kind == "comment" and after.line == piece.line and is_sentence(after.text)
      if name and not told and not told_after then
        problems[#problems + 1] = ("%s:%d: %s() has no contract: say above it what a caller must know")
          :format(file.path, piece.line, name)
      end
    end
  end
end

---@param files lint.File[]
---@return string[]
return function(files)
  local problems = {}
  for _, file in ipairs(files) do
    if file.path:find "^core/.*%.h$" or file.path == "host/rille.h" then check(file, problems) end
  end
  return problems
end
