--- migrate: applies what is pending; with --fresh it begins with an empty database.
local text = require "rille.cli.text"

--- Name of a database as a person knows it: the file's name, or what it is called on its server.
local function database_name(connection)
  local settings = require "rille.database".get(connection).settings
  if settings.database then return settings.database:match "([^/]*)$" end
  return tostring(settings.url):match "^%a+://[^/?]*/([^?]+)" or "the server's default database"
end

--- Tables and how many rows they hold, for who is asked to lose them.
local function contents(connection)
  local db = require "rille.database".get(connection)
  local ledger = require "rille.migrator.ledger".TABLE
  local tables, rows, run = 0, 0, require "rille.schema.runner".new(db)
  for _, name in ipairs(require "rille.schema.engine".of(db).holding(run)) do
    if name ~= ledger then
      tables = tables + 1
      rows = rows + db:query(('select count(*) as "n" from "%s"'):format(name:gsub('"', '""')))[1].n
    end
  end
  return tables, rows
end

local function refuse(message, hint)
  require "rille.error".raise("aborted", message, { hint = hint })
end

--- Dropping every table wants the database's name: typed at a terminal, or given with --yes.
--- A script without a terminal says --fresh on purpose and is not asked.
local function confirm(args, term)
  local name = database_name(args.connection)
  if args.yes and args.yes ~= name then
    local quote = require "rille.error".quote
    refuse(("--yes says %s, the database is %s"):format(quote(args.yes), quote(name)), "nothing was changed")
  end
  local tables, rows = contents(args.connection)
  if tables == 0 then return end
  local what = ("%s of %s with %s"):format(text.count(tables, "table"), text.escape(name), text.count(rows, "row"))
  if args.yes or args.force or not term:is_interactive() then return term:note("dropping " .. what) end
  local answer = term:ask(("This drops %s.  Type %s to go on: "):format(what, text.escape(name)))
  if answer ~= name then refuse("that is not its name: nothing was changed", "--force does not ask") end
end

local function print_done(result, term)
  if #result.applied > 0 then
    term:line(("%s applied as batch %d"):format(text.count(#result.applied, "migration"), result.batch))
  else
    term:line "nothing to migrate"
  end
  if result.seeded then term:line(text.count(#result.seeded, "seed") .. " sown") end
end

local function migrate_tenants(args, term)
  for _, option in ipairs { "fresh", "seed", "pretend", "path", "connection" } do
    if args[option] then
      require "rille.cli.failure".misuse(("--%s is not for tenants"):format(option), "leave it out")
    end
  end
  if args.all_tenants and args.tenant and #args.tenant > 0 then
    require "rille.cli.failure".misuse("--tenant and --all-tenants say different things", "leave one of them out")
  end
  return require "rille.cli.tenants".migrate(not args.all_tenants and args.tenant or nil, term)
end

---@type rille.Command
return {
  summary = "apply what is pending",
  json = true,
  options = {
    { "--fresh", "drop every table first; at a terminal it asks for the database's name" },
    { "--seed", "then run the seeds" },
    { "--pretend", "print the SQL and change nothing" },
    { "--path", "the folder of migrations", value = "DIR", complete = "directory" },
    { "--connection", "the database of this connection, not the default one", value = "NAME" },
    { "--force", "do not ask" },
    { "--yes", "do not ask; refuse any other database", value = "DATABASE" },
    { "--tenant", "the database of this tenant", value = "SLUG", many = true },
    { "--all-tenants", "the databases or schemas of all tenants; one that fails stops no other one" },
  },
  run = function(args, term)
    if args.all_tenants or args.tenant and #args.tenant > 0 then return migrate_tenants(args, term) end
    if args.seed and args.pretend then
      require "rille.cli.failure".misuse("--seed runs code, --pretend runs none", "leave one of them out")
    elseif args.seed and args.connection then
      require "rille.cli.failure".misuse("--seed fills the default database, not that of --connection",
        "leave one of them out")
    end
    require "rille.cli.project".need()
    if args.fresh and not args.pretend then confirm(args, term) end
    local progress = require "rille.cli.progress"
    local result = require "rille.migrator".migrate {
      fresh = args.fresh, seed = args.seed, pretend = args.pretend, path = args.path, connection = args.connection,
      on_progress = progress.new(term),
    }
    term:report(result, function()
      if args.pretend then return progress.print_pretended(result.pretended, term) end
      return print_done(result, term)
    end)
  end,
}
