--- shells: completions for bash, zsh and fish, made from the table of commands.
-- Written here and not by argparse, whose completions do not survive the colon in `make:model`.
local commands = require "rille.cli.commands"
local quote = require "rille.cli.text".shell_quoted

local M = {}

local function join(list, format)
  local out = {}
  for i, each in ipairs(list) do out[i] = format and format(each) or each end
  return table.concat(out, " ")
end

--- What the arguments of a command are completed with: the first that can be.
local function argument_kind(command)
  for _, argument in ipairs(command.arguments or {}) do
    if argument.choices or argument.complete then return argument end
  end
  return {}
end

--- Calls fn(name, command, options) for each command.
local function each_command(fn)
  for _, name in ipairs(commands.names()) do
    local command = commands.find(name)
    fn(name, command, commands.options(command))
  end
end

-- bash: the colon and the equals sign split words there, so the line is split again, and replies lose what stands
-- before the last of them.
local BASH_HEAD = [==[
# bash completion for rille
_rille() {
  local line=${COMP_LINE:0:COMP_POINT} words cur prev offer='' kind='' i
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur=${words[-1]} prev=${words[-2]}
  COMPREPLY=()
  [[ $cur == --*=* ]] && prev=${cur%%%%=*} cur=${cur#*=}
  if (( ${#words[@]} <= 2 )); then
    offer=%s
  else
    case ${words[1]} in
]==]
local BASH_TAIL = [==[
    esac
  fi
  case $kind in
    file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    directory) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$cur")
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"${cur%"${cur##*:}"}"}; done
  fi
}
complete -F _rille rille]==]

local function bash_values(option)
  if option.choices then return "offer=" .. quote(join(option.choices)) end
  return option.complete and "kind=" .. option.complete or "offer=''"
end

---@return string script
function M.bash()
  local out = { (BASH_HEAD:format(quote(join(commands.names()) .. " --help --version"))) }
  each_command(function(name, command, options)
    out[#out + 1] = ("    %s)\n      case $prev in\n"):format(name)
    local flags = {}
    for _, option in ipairs(options) do
      if option.value then out[#out + 1] = ("        %s) %s ;;\n"):format(option[1], bash_values(option)) end
      flags[#flags + 1] = option[1]
    end
    local argument = argument_kind(command)
    local words = argument.complete == "command" and commands.names() or argument.choices or {}
    out[#out + 1] = "        *) offer=" .. quote(join(flags))
    if words[1] then out[#out + 1] = "; [[ $cur == -* ]] || offer=" .. quote(join(words)) end
    if argument.complete == "file" or argument.complete == "directory" then
      out[#out + 1] = "; [[ $cur == -* ]] || kind=" .. argument.complete
    end
    out[#out + 1] = " ;;\n      esac ;;\n"
  end)
  return table.concat(out) .. BASH_TAIL
end

local ZSH_TAIL = [==[
  esac
}

if [[ $funcstack[1] == _rille ]]; then _rille "$@"; else compdef _rille rille; fi]==]

local ZSH_KINDS = { file = "_files", directory = "_directories", command = "{ _describe command commands }" }

local function zsh_values(spec)
  if spec.choices then return "(" .. join(spec.choices) .. ")" end
  return ZSH_KINDS[spec.complete] or " "
end

local function zsh_option(option)
  local text = option[2]:gsub("[%[%]:\\]", "\\%0")
  local star = option.many and "*" or ""
  if not option.value then return quote(("%s%s[%s]"):format(star, option[1], text)) end
  local equals = option[1]:sub(1, 2) == "--" and "=" or ""
  return quote(("%s%s%s[%s]:%s:%s"):format(star, option[1], equals, text, option.value, zsh_values(option)))
end

---@return string script
function M.zsh()
  local out = { "#compdef rille\n_rille() {\n  local -a commands\n  commands=(\n" }
  each_command(function(name, command)
    out[#out + 1] = "    " .. quote(name:gsub(":", "\\:") .. ":" .. command.summary) .. "\n"
  end)
  out[#out + 1] = "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n"
  out[#out + 1] = "    compadd -- --help --version\n    return\n  fi\n"
  out[#out + 1] = "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n"
  each_command(function(name, command, options)
    out[#out + 1] = ("    %s) _arguments %s"):format(name, join(options, zsh_option))
    for _, argument in ipairs(command.arguments or {}) do
      local colon = argument.count == "?" and "::" or ":"
      local star = argument.count == "*" and "*" or ""
      out[#out + 1] = " " .. quote(star .. colon .. argument[1] .. ":" .. zsh_values(argument))
    end
    out[#out + 1] = " ;;\n"
  end)
  return table.concat(out) .. ZSH_TAIL
end

local FISH_KINDS = { directory = "-a '(__fish_complete_directories)'", file = "-F" }

local function fish_values(spec)
  if spec.choices then return "-a " .. quote(join(spec.choices)) end
  return FISH_KINDS[spec.complete]
end

---@return string script
function M.fish()
  local out = { "# fish completion for rille", "complete -c rille -f" }
  local function add(condition, ...)
    out[#out + 1] = ("complete -c rille -n %s %s"):format(quote(condition), table.concat({ ... }, " "))
  end
  add("__fish_use_subcommand", "-l help", "-d 'list all commands'")
  add("__fish_use_subcommand", "-l version", "-d 'show the version'")
  each_command(function(name, command, options)
    add("__fish_use_subcommand", "-a " .. quote(name), "-d " .. quote(command.summary))
    local inside = "__fish_seen_subcommand_from " .. name
    for _, option in ipairs(options) do
      local dashes, flag = option[1]:match "^(%-+)(.*)$"
      add(inside, (dashes == "-" and "-s " or "-l ") .. flag, "-d " .. quote(option[2]),
        option.value and "-x " .. (fish_values(option) or "") or nil)
    end
    local argument = argument_kind(command)
    if argument.complete == "command" then
      add(inside, "-a " .. quote(join(commands.names())))
    elseif fish_values(argument) then
      add(inside, fish_values(argument))
    end
  end)
  return table.concat(out, "\n")
end

return M
