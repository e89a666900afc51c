--- engine: what the words of migrations do on a database; each driver that makes tables has one.
local Error = require "rille.error"

local M = {}

---@class rille.SchemaEngine
---@field Runner rille.SchemaRunner   the class of its runners
---@field create fun(blueprint: rille.Blueprint): string[]           the statements of a new table
---@field created? fun(run: rille.SchemaRunner, blueprint: rille.Blueprint)  does what wants the table to be there
---@field alter fun(run: rille.SchemaRunner, blueprint: rille.Blueprint)  carries out what a blueprint says
---@field put_off? fun(run: rille.SchemaRunner, blueprint: rille.Blueprint): rille.BlueprintIndex[]?  takes out of a
---  blueprint what has to run outside of a transaction, after the rest
---@field create_concurrently? fun(run: rille.SchemaRunner, table_name: string, index: rille.BlueprintIndex)
---@field make_ledger? fun(run: rille.SchemaRunner, ledger: string, creation: string)  where others may do so at once
---@field lock? fun(run: rille.SchemaRunner, ledger: string)  keeps other migrators out until the transaction ends, or
---  raises `locked`; absent: a transaction that writes keeps them out by itself
---@field patiently? fun(run: rille.SchemaRunner, try: fun(): boolean, any, may_again: fun(e: any): boolean):
---  boolean, any  calls what takes the lock again while others have it
---@field settle? fun(run: rille.SchemaRunner, name: string)  the ledger was read, and this migration begins
---@field rename fun(run: rille.SchemaRunner, from: string, to: string)
---@field drop fun(run: rille.SchemaRunner, name: string)            raises while something else needs the table
---@field has_table fun(run: rille.SchemaRunner, name: string): boolean
---@field has_column fun(run: rille.SchemaRunner, table_name: string, column: string): boolean
---@field tables fun(run: rille.SchemaRunner): string[]              names of all, sorted
---@field pictures_of fun(run: rille.SchemaRunner, blueprints: rille.Blueprint[]): table<string, rille.Picture>
---  of tables that are to be made
---@field recall fun(): table        reads words out of what the database says: type, default, is_now, own_check
---@field picture fun(run: rille.SchemaRunner, name: string): rille.Picture  of one that is there
---@field global_columns fun(run: rille.SchemaRunner, description: table): table<string, true>  those of a table, in
---  small letters, whose reference was said to be to rows of any tenant
---@field exists fun(handle: rille.Handle): boolean                  is the database there?
---@field rehearse fun(handle: rille.Handle, options: table, fn: function): any  `fn` on a copy: see rehearsal.lua
---@field holding fun(run: rille.SchemaRunner): string[]             names of all that has rows and that drop_all drops
---@field drop_all fun(run: rille.SchemaRunner): string[]            all tables and views; their names
---@field json_array string          makes an array of JSON of what is put for %s
---@field json_type string           the function that says what a document of JSON is
---@field row_key? string            the column that a row of a table without a primary key has all the same
---@field json_schemas string        the statement that makes the table of json_schema/store.lua
---@field keeps_picture boolean      ... which also keeps what came of a schema, where only the database can say that
---@field common_words fun(picture: rille.Picture): rille.Picture  it in the words that json_schema/derive.lua reads
---@field snapshot fun(handle: rille.Handle): table<string, string>  "table posts" -> a text that can be compared

local ENGINES = { sqlite = "rille.schema.sqlite", postgres = "rille.schema.postgres" }

--- The engine of a handle's database.
---@param handle rille.Handle
---@return rille.SchemaEngine
function M.of(handle)
  local name = ENGINES[handle.driver]
  if not name then
    Error.raise("unsupported", ("connection %q: this version makes no tables on %s"):format(handle.name,
      handle.driver), { hint = "SQLite and PostgreSQL are what it knows" })
  end
  return require(name)
end

return M
