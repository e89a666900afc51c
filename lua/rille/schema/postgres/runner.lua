--- postgres.runner: schema statements on PostgreSQL, where every one of them can be taken back.
local Base = require "rille.schema.runner"
local Error = require "rille.error"
local Fetch = require "rille.fetch"
local Outside = require "rille.schema.postgres.outside"

---@class rille.PostgresRunner: rille.SchemaRunner
local Runner = setmetatable({}, { __index = Base })
Runner.__index = Runner

--- What is left of an index that was begun and not finished goes before it is begun anew, or `if not exists` would
--- leave it alone.
local function make_way(self, sql)
  local index = Outside.index_of(sql)
  if index and not self.handle.rehearsal and not self:in_transaction() then
    require "rille.schema.postgres.concurrent".clear(self, index)
  end
end

--- Run one statement for what it does.
function Runner:execute(sql, ...)
  make_way(self, sql)
  return Base.execute(self, sql, ...)
end

--- Run a statement of a file as it is: a `?` in it is an operator, and a `:` the middle of a slice.
function Runner:literally(sql)
  make_way(self, sql)
  local word = require "rille.sql".gives_rows(sql, "postgres") and "query" or "execute"
  Fetch.call(self.handle, word, require "rille.schema.rehearsal".plain(self.handle, sql), { n = 0 })
  self.handle:forget()
end

--- Run a statement of a transaction; where the database refuses it, the transaction goes on as if it had not been said.
---@param sql string
---@return rille.Error? e  what the database has against it; anything else (Ctrl-C) is raised
function Runner:attempt(sql)
  local ok, e = pcall(function()
    local savepoint <close> = self.handle:begin()
    self:execute(sql)
    savepoint:commit()
  end)
  if ok then return nil end
  if not Error.is(e) or e.kind == "interrupted" then error(e, 0) end
  return e
end

return Runner
