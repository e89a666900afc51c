--- tenancy.moved: a shared database with the rows of two tenants, "acme" and "globex", of all types, and the place of
-- acme's own, for specs of what a move does to rows and tables; RILLE_SPEC_URL names the server.
local Moves = require "spec.support.tenancy.moves"
local Place = require "rille.tenant.place"
local rille = require "rille"

local TABLES <const> = [[return {
  up = function(s)
    s:create("sorts", function(t) t:id() t:string("name", 20) t:references("parent", "sorts"):nullable() end)
    s:create("tags", function(t) t:id() t:string("name", 20):unique() t:references("sort"):nullable() end)
    s:create("posts", function(t)
      t:id()
      t:string("org_id", 40):tenant()
      t:string("slug", 40):unique()
      t:decimal("price", 30, 4):nullable()
      t:decimal("cheap", 10, 2):nullable()
      t:uuid("key"):nullable()
      t:json("meta"):nullable()
      t:datetime("at"):nullable()
      t:date("day"):nullable()
      t:boolean("live"):nullable()
      t:blob("data"):nullable()
      t:bigint("big"):nullable()
      t:float("score"):nullable()
      t:references("parent", "posts"):nullable()
    end)
    s:create("post_tags", function(t)
      t:references("post", "posts"):on_delete "cascade"
      t:references("tag", "tags")
      t:integer "place"
    end)
    s:create("likes", function(t)
      t:id()
      t:string("org_id", 40):tenant()
      t:references("post", "posts"):on_delete("cascade"):global()
    end)
  end,
  down = function(s) s:drop "likes" s:drop "post_tags" s:drop "posts" s:drop "tags" s:drop "sorts" end,
}]]

--- The same rows in the words of each: whatever form they are kept in.
local function rows_of(slug)
  return {
    sqlite = ([[select 'post', id, slug, price, iif(cheap is null, null, printf('%%.2f', cheap)),
      key, json_extract(meta, '$.n'),
      json_extract(meta, '$.deep[1]'), at, day, live, lower(hex(data)), big,
      iif(score is null, null, printf('%%.12f', score)), parent_id
      from posts where org_id = '%s' order by id;
      select 'tag', p.post_id, p.tag_id, p.place from post_tags p join posts on posts.id = p.post_id
      where org_id = '%s' order by 2, 3, 4]]):format(slug, slug),
    postgres = ([[select 'post', id, slug, price, cheap, key, meta->'n', meta->'deep'->>1,
      to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), day, live::int, encode(data, 'hex'), big,
      round(score::numeric, 12), parent_id from posts where org_id = '%s' order by id;
      select 'tag', p.post_id, p.tag_id, p.place from post_tags p join posts on posts.id = p.post_id
      where org_id = '%s' order by 2, 3, 4]]):format(slug, slug),
  }
end

local Moved = {}
local moves

--- The shared database, and the one of a tenant, by default acme's.
function Moved.shared() return rille.db "main" end
function Moved.own(slug) return Place.handle(slug or "acme") end

--- What an independent program says of a tenant's rows in the shared database, and in the tenant's own; "" for none.
function Moved.there(slug) return moves:ask(nil, rows_of(slug)) end
function Moved.here(slug) return moves:ask(slug, rows_of(slug)) end

--- Connect as the configuration says, as a process that has just begun does.
function Moved.connect()
  rille.close()
  rille.configure(moves:config())
end

--- Make both places and fill the shared one.
---@param pair string[]  the engine of the shared database, and the one of the tenants' own, as Moves.new takes them
function Moved.begin(pair)
  require "rille.model".forget_all()
  moves = Moves.new(pair[1], pair[2])
  local file <close> = assert(io.open(moves.path .. "/migrations/0001_tables.lua", "wb"))
  file:write(TABLES)
  file:flush()
  rille.configure(moves:config())
  local db = Moved.shared()
  require "rille.migrator".migrate { connection = db }
  db:insert("tags", { { name = "x" }, { name = "y" } })
  db:transaction(function()
    for i = 1, 30 do
      db:insert("posts", { id = i, org_id = i % 2 == 0 and "globex" or "acme", slug = "s" .. i,
        price = "12345678901234567890.123" .. i % 10, cheap = i .. ".50",
        key = ("0f000000-0000-4000-8000-%012d"):format(i), meta = ('{"n":%d,"deep":[1,"é"]}'):format(i),
        at = ("2026-11-20T12:00:00.%06dZ"):format(i), day = "2026-11-20", live = i % 3 == 0,
        data = rille.blob("\0\xff" .. i), big = math.maxinteger - i, score = i / 8,
        parent_id = i > 2 and i - 2 or rille.null })
      db:insert("post_tags", { post_id = i, tag_id = i % 2 + 1, place = i })
    end
    db:insert("posts", { id = 100, org_id = "acme", slug = "null" })
  end)
end

--- Take all of it away.
function Moved.finish()
  rille.close()
  require "rille.config".clear()
  moves:remove()
end

return Moved
