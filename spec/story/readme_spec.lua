--- readme_spec: the README's snippets work when they are pasted in order, and what it names is there.
-- `sh` blocks run in one shell, from the root of the project; a `lua` or `c` block that begins with a comment naming a
-- file is that file, any other `lua` block is added to tour.lua.  `console` blocks show commands that other specs run.
-- A line `print(…)  --> text`, in any of them, must print that text; several values are divided by one blank.
local oracle = require "spec.story.debian.oracle"

local RUNS_RELEASE = not (os.getenv "RILLE_BUILD" or ""):find "/dev$"
local EXPECTATION = "^(%s*)print%((.*)%)%s+%-%->%s*(.-)%s*$"

---@return { language: string, lines: string[], line: integer }[]
local function blocks_of(path)
  local blocks, block, number = {}, nil, 0
  for line in io.lines(path) do
    number = number + 1
    local language = line:match "^```(%w*)$"
    if block and language then
      blocks[#blocks + 1], block = block, nil
    elseif block then
      table.insert(block.lines, line)
    elseif language then
      block = { language = language, lines = {}, line = number }
    end
  end
  assert(not block, "a block of the README does not end")
  return blocks
end

--- The file that a block says it is.
local function file_of(block)
  return block.lines[1]:match "^%-%- ([%w_/]+%.lua)$" or block.lines[1]:match "^/%* ([%w_/]+%.c) %- "
end

--- The line, with `print` made to check what it prints.
local function checked(line)
  local indent, values, wanted = line:match(EXPECTATION)
  if not indent then return line end
  return ("%sexpect(%q, %s)"):format(indent, wanted, values)
end

local EXPECT = [[local function expect(wanted, ...)
  local texts = table.pack(...); for i = 1, texts.n do texts[i] = tostring(texts[i]) end
  local text = table.concat(texts, " ")
  if text ~= wanted then error(("the README says %q, but it is %q"):format(wanted, text), 2) end
end ]]

--- The lines of a snippet, made to check what they print; `whole` when they are a file of their own.
local function checked_lines(lines, whole, begins)
  local list, expects = {}, false
  for i, line in ipairs(lines) do
    list[i] = checked(line)
    expects = expects or list[i] ~= line
  end
  if begins or whole and expects then list[1] = EXPECT:gsub("\n%s*", " ") .. list[1] end
  return list
end

--- One shell script that does what a reader does.
local function script_of(blocks)
  local script = { "set -eu" }
  local function write(path, lines, operator)
    table.insert(script, ("cat %s%s <<'END-OF-SNIPPET'\n%s\nEND-OF-SNIPPET"):format(operator, path,
      table.concat(lines, "\n")))
  end
  local begun = false
  for _, block in ipairs(blocks) do
    local file, lines = file_of(block), block.lines
    if block.language == "sh" then
      table.move(lines, 1, #lines, #script + 1, script)
    elseif block.language == "lua" then
      write(file or "tour.lua", checked_lines(lines, file, not file and not begun), file and ">" or ">>")
      begun = begun or not file
    elseif file then
      write(file, lines, ">")
    end
  end
  return table.concat(script, "\n") .. "\n"
end

describe("README.md", function()
  local blocks = blocks_of "README.md"

  it("has snippets of known languages only", function()
    local known = { sh = true, lua = true, c = true, console = true }
    for _, block in ipairs(blocks) do
      assert.truthy(known[block.language], ("line %d: %q"):format(block.line, block.language))
      if block.language == "c" then assert.truthy(file_of(block), "a C snippet must name its file") end
    end
  end)

  it("checks what its snippets print", function()
    local checks = 0
    for _, block in ipairs(blocks) do
      for _, line in ipairs(block.lines) do
        if line:find("-->", 1, true) then
          checks = checks + 1
          assert.truthy(checked(line) ~= line, "not understood: " .. line)
        end
      end
    end
    assert.truthy(checks >= 30)
  end)

  it("names only files that are there", function()
    local text = assert(io.open "README.md"):read "a"
    local prose = text:gsub("```.-```", "")
    local names = 0
    for name in prose:gmatch "`([%w_.-]+/[%w_./-]*)`" do
      if not name:find "^build/" then
        assert.same({ "yes" }, oracle.shell(("test -e %s && echo yes || echo no"):format(name)), name)
        names = names + 1
      end
    end
    assert.truthy(names >= 5)
    local headings = {}
    for heading in prose:gmatch "\n#+ ([^\n]+)" do headings["#" .. heading:lower():gsub(" ", "-")] = true end
    for target in prose:gmatch "%]%(([^)]+)%)" do
      if target:find "^#" then
        assert.truthy(headings[target], target)
      else
        assert(io.open(target), target):close()
      end
    end
  end)

  if RUNS_RELEASE then
    it("works by copy and paste", function()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(script_of(blocks))
      file:close()
      local lines = oracle.shell(("TMPDIR=$(mktemp -d) && export TMPDIR && { env -u LUA_PATH -u LUA_CPATH sh %s 2>&1; "
        .. "echo \"exit status $?\"; rm -rf \"$TMPDIR\"; }"):format(path))
      os.remove(path)
      assert.equal("exit status 0", lines[#lines], table.concat(lines, "\n"))
      assert.same({ "1 posts", "aborted: no advertisements" }, table.move(lines, #lines - 2, #lines - 1, 1, {}))
    end)

    it("is not taken at its word", function()
      local line = checked 'print(1 + 1)   --> 3'
      local said = select(2, pcall(assert(load(EXPECT .. "\n" .. line))))
      assert.truthy(tostring(said):find('the README says "3", but it is "2"', 1, true))
    end)
  end
end)
