--- promote.notes: what the target remembers of a promotion, so that whoever runs it again goes on where it ended.
-- It stands in the table rille_promotion, in the same transaction as what it is about:
--   the whole        "rows": tables are there and are being filled;  "done"
--   a table          how many rows were copied, and their digest
--   a foreign key    what adds it again: they are off while rows come
local core = require "rille.core"
local Error = require "rille.error"
local Json = require "rille.json"

local M = {}

M.TABLE = "rille_promotion"

local CREATE <const> = [[create table if not exists "rille_promotion" (
  "kind" text collate "C" not null, "name" text collate "C" not null, "state" text, "rows" bigint, "digest" text,
  "detail" text, primary key ("kind", "name"))]]

---@class rille.PromotionNotes
---@field state "rows"|"done"
---@field source string       where the source is
---@field finished_at? string
---@field left table[]        what did not go over
---@field made string[]       the tables that go over, made before the first row was
---@field tables table<string, { rows: integer, digest: string }>
---@field keys string[]       statements, in their order

local function is_there(run) return require "rille.schema.engine".of(run.handle).has_table(run, M.TABLE) end

--- What is noted; nil where no promotion ever began.
---@param run rille.SchemaRunner
---@return rille.PromotionNotes?
function M.read(run)
  if not is_there(run) then return nil end
  local notes = { tables = {}, keys = {} }
  for _, row in ipairs(run:rows [[select "kind", "name", "state", "rows", "digest", "detail" from "rille_promotion"
      order by "kind", "name"]]) do
    if row.kind == "whole" then
      local detail = Json.decode(row.detail)
      notes.state, notes.source, notes.finished_at = row.state, detail.source, detail.finished_at
      notes.left, notes.made = detail.left or {}, detail.made or {}
    elseif row.kind == "table" then
      notes.tables[row.name] = { rows = row.rows, digest = row.digest }
    else
      notes.keys[#notes.keys + 1] = row.detail
    end
  end
  return notes.state and notes or nil
end

local function write(run, kind, name, state, rows, digest, detail)
  local null = core.null
  run:execute([[insert into "rille_promotion" ("kind", "name", "state", "rows", "digest", "detail")
    values (?, ?, ?, ?, ?, ?) on conflict ("kind", "name") do update set "state" = excluded."state",
    "rows" = excluded."rows", "digest" = excluded."digest", "detail" = excluded."detail"]], kind, name, state or null,
    rows or null, digest or null, detail or null)
end

--- How far the whole is.
local function whole(run, state, about)
  local made = {}
  for i, each in ipairs(about.tables) do made[i] = each.name end
  local detail = { source = about.source, left = about.left, made = made,
    finished_at = state == "done" and core.now() or nil }
  write(run, "whole", "", state, nil, nil, Json.encode(detail))
end

--- Note that tables are there, and what adds the foreign keys that they are to have.
---@param run rille.SchemaRunner
---@param about { source: string, left: table[], tables: { name: string }[] }
---@param keys string[]
function M.begin(run, about, keys)
  run:execute(CREATE)
  whole(run, "rows", about)
  for i, sql in ipairs(keys) do write(run, "key", ("%06d"):format(i), nil, nil, nil, sql) end
end

--- Note that all is there, foreign keys too.
---@param run rille.SchemaRunner
---@param about { source: string, left: table[], tables: { name: string }[] }
function M.finish(run, about)
  run:execute [[delete from "rille_promotion" where "kind" = 'key']]
  whole(run, "done", about)
end

--- Note that a table has its rows.
---@param run rille.SchemaRunner
---@param name string
---@param done rille.Carried
function M.table(run, name, done) write(run, "table", name, "copied", done.rows, done.digest) end

--- Raise where what is noted is another promotion.
---@param notes rille.PromotionNotes
---@param source string
function M.check(notes, source)
  if notes.source == source then return end
  Error.raise("invalid_argument", ("another database was being taken to this one: %s"):format(
    Error.quote(notes.source)), {
    hint = "go on with that one, or give an empty database: its tables are half filled",
  })
end

return M
