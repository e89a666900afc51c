--- tenants:create: makes tenants, each with a database or schema that has all migrations.
local Error = require "rille.error"
local text = require "rille.cli.text"

--- Raise for a slug of which no tenant can be made, before any is.
local function check(slugs)
  local place, seen = require "rille.tenant.place", {}
  for _, slug in ipairs(slugs) do
    place.check_free(slug)
    if seen[slug] or place.exists(slug) then
      Error.raise("not_unique", ("the tenant %s %s; nothing was made"):format(Error.quote(slug),
        seen[slug] and "is named twice" or "is there already"), { hint = "leave it out, or drop it first" })
    end
    seen[slug] = true
  end
end

--- Make one more; what fails says which were made before.
local function make(slug, made)
  local ok, db = xpcall(require "rille.tenant".create, Error.keep_trace, slug)
  if ok then return { slug = slug, path = db:place() } end
  local e = Error.is(db) and db or Error.new("script", tostring(db), { traceback = Error.traceback(db) })
  e.done = { tenants = made }
  Error.again(e)
end

---@type rille.Command
return {
  summary = "make a tenant, with a database or schema of its own",
  details = "It has all migrations, and what tenancy.create of the configuration puts into it.",
  json = true,
  arguments = { { "slug", "small letters, digits, - and _", count = "+" } },
  run = function(args, term)
    require "rille.cli.tenants".need()
    local made = {}
    check(args.slug)
    for i, slug in ipairs(args.slug) do
      made[i] = make(slug, made)
      term:note(("  %s  made: %s"):format(slug, text.escape(made[i].path)))
    end
    term:report({ tenants = made }, function() term:line(text.count(#made, "tenant") .. " made") end)
  end,
}
