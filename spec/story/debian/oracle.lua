--- oracle: what awk says of the raw texts and the sqlite3 shell of the written file; knows nothing of rille.
local oracle = {}

local HERE = "spec/story/debian"

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The lines that a shell command prints; raises when it fails.  Sanitizers that are preloaded into us would watch what
--- it starts, too: mawk does not survive that.
---@param command string
---@return string[]
function oracle.shell(command)
  local lines = {}
  local pipe = assert(io.popen("LC_ALL=C; export LC_ALL; unset LD_PRELOAD; " .. command))
  for line in pipe:lines() do lines[#lines + 1] = line end
  assert(pipe:close(), "failed: " .. command)
  return lines
end

--- The texts to load, as files in `folder`: what is installed, and what could be.
---@param folder string
---@return string status, string available  # paths
function oracle.texts(folder)
  local status, available = "/var/lib/dpkg/status", folder .. "/available"
  oracle.shell(("{ apt-cache dumpavail 2>/dev/null || true; } >%s"):format(quoted(available)))
  return status, available
end

--- Flattens both texts with awk (see flat.awk): sorted files of packages, of relations and of what packages provide,
--- fields divided by tabs.
---@return string packages, string relations, string provided  # paths
function oracle.flatten(folder, status, available)
  local packages, relations, provided = folder .. "/packages.awk", folder .. "/relations.awk", folder .. "/provided.awk"
  oracle.shell(("awk -v first=%s -f %s/flat.awk %s %s >%s/flat"):format(
    quoted(status), HERE, quoted(status), quoted(available), quoted(folder)))
  for tag, path in pairs { P = packages, D = relations, V = provided } do
    oracle.shell(("grep -a '^%s\t' %s/flat | cut -f2- | sort >%s"):format(tag, quoted(folder), quoted(path)))
  end
  return packages, relations, provided
end

--- What an awk program prints for files of tab-divided fields; `after` is what follows in the pipe ("| sort -n").
---@param program string
---@param paths string|string[]
---@param after string?
---@return string[]
function oracle.awk(program, paths, after)
  local files = {}
  for i, path in ipairs(type(paths) == "table" and paths or { paths }) do files[i] = quoted(path) end
  return oracle.shell(("awk -F '\t' -v OFS='\t' %s %s %s"):format(quoted(program), table.concat(files, " "),
    after or ""))
end

--- What the sqlite3 shell answers, one line a row, fields divided by tabs, NULL empty.
---@param database string  path
---@param sql string
---@return string[]
function oracle.sqlite(database, sql)
  return oracle.shell(("sqlite3 -batch -readonly -tabs -cmd 'pragma case_sensitive_like = on' %s %s")
    :format(quoted(database), quoted(sql)))
end

return oracle
