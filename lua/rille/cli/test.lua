--- test: runs the project's specs with busted, under a stock lua5.4 that finds rille.
local text = require "rille.cli.text"

local USAGE = "rille test [ARG…]"

--- Is there a program of that name?
local function is_there(name)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(name)) == true
end

local function explain(term)
  term:line(USAGE)
  term:line "Runs busted with lua5.4 in the current directory, where require \"rille\" works.  The arguments are"
  term:line "busted's own: a file or folder (default: spec), --filter PATTERN, --tags TAGS, --output plainTerminal."
  term:line "require \"rille.testing\" in a spec gives each test a database of its own, or a transaction around it."
end

---@type rille.Command
return {
  summary = "run the project's specs with busted",
  arguments = { { "arg", "arguments of busted: files, --filter PATTERN", count = "*", complete = "file" } },
  raw = function(args, term)
    if args[1] == "--help" or args[1] == "-h" then return explain(term) end
    if not is_there "busted" then
      require "rille.error".raise("script", "busted is not installed", {
        hint = "apt install lua-busted, or luarocks --lua-version 5.4 install busted",
      })
    end
    local words = {}
    for _, each in ipairs(require "rille.cli.paths".variables()) do
      words[#words + 1] = ("%s=%s"):format(each.name, text.shell_quoted(each.value))
    end
    words[#words + 1] = "exec busted"
    if is_there "lua5.4" then words[#words + 1] = "--lua=lua5.4" end         -- `lua` may be another version
    for _, arg in ipairs(args) do words[#words + 1] = text.shell_quoted(arg) end
    local ok, how, code = os.execute(table.concat(words, " "))
    if ok then return 0 end
    return (how == "signal" or code > 128) and 130 or 1                       -- busted ends with how many failed
  end,
}
