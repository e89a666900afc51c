--- postgres/alone: what the specs that spec/postgres/shared names say of SQLite alone, each with the reason.
-- `lua5.4 spec/postgres/alone.lua FILE` prints patterns of the names in a file that do not run on PostgreSQL.
local ANY_VALUE <const> = "a column of SQLite holds values of any type, and one without a type is of none"
local BINARY <const> = "in PostgreSQL every text of a table is of the collation that the column says; none is NOCASE"
local COUNTED <const> = "a sequence does not take back a number of a transaction that is rolled back, nor go past one "
  .. "that was said"
local GROUPS <const> = "PostgreSQL selects nothing beside what it groups by"
local JSONB <const> = "jsonb keeps what a document means, not how it was written: blanks, order of keys, 1.50 and 1e2"
local LIMITS <const> = "limits of SQLite"
local ONE_FILE <const> = "about a file, or other processes that open it"
local ONE_WRITER <const> = "SQLite has one writer at a time"
local WORDS <const> = "words of SQLite's, or of what rille adds to it"

-- File -> { pattern of a name, why } of what does not run.
local ALONE <const> = {
  ["spec/story/api_spec.lua"] = {
    { 'rille%.connect "app%.db"', ONE_FILE }, { "SQLite opens as a careful C programmer would", LIMITS },
  },
  ["spec/hostile/lifetime_spec.lua"] = {
    { "do not write into each other's transaction", ONE_WRITER },
  },
  ["spec/hostile/shapes_spec.lua"] = {
    { "may be nested as deep as the database goes", LIMITS }, { "joins, unites and selects more", LIMITS },
    { "matches patterns that take long", LIMITS }, { "is a document nested too deep", LIMITS },
    { "has as many values as it has places for them", ANY_VALUE }, { "stays inside of its parentheses", ANY_VALUE },
  },
  ["spec/lua/cast_form_spec.lua"] = { { "reads seconds from a column of ISO text", ANY_VALUE } },
  ["spec/lua/cast_spec.lua"] = {
    { "a column of type BOOLEAN", ANY_VALUE }, { "a column of type DECIMAL%(10,2%)", ANY_VALUE },
    { "a column of type ANYTHING", ANY_VALUE }, { "says when it holds what it should not", ANY_VALUE },
    { "a cast of the core stands in for the type", ANY_VALUE }, { "may be called by its other names", ANY_VALUE },
    { "has a name that is known", ANY_VALUE }, { "does not write a text again that only looks different", JSONB },
  },
  ["spec/lua/exact_spec.lua"] = {
    { "past the last integer is an error", WORDS }, { "never gives infinity", WORDS },
    { "counts on where the type is not known", ANY_VALUE }, { "of a decimal is exact, or an error", WORDS },
    { "that no integer holds is an error in words", WORDS }, { "says when a row holds no decimal", ANY_VALUE },
    { "are not compared with numbers, which would be doubles", "numeric compares exactly with whatever it is" },
  },
  ["spec/lua/length_spec.lua"] = { { "refuses a longer text before any SQL", COUNTED } },
  ["spec/lua/match_spec.lua"] = { { "processes at once lose no update", ONE_WRITER } },
  ["spec/lua/query_ends_spec.lua"] = { { "explains how it would run", WORDS } },
  ["spec/lua/record_event_spec.lua"] = { { "run after the commit what waits for it", COUNTED } },
  ["spec/lua/record_json_spec.lua"] = {
    { "says each kind of column as it is read", JSONB }, { "copies kept JSON as it is", JSONB },
    { "refuses what JSON cannot say", ANY_VALUE },
  },
  ["spec/lua/record_save_spec.lua"] = { { "reads back what the database filled in", WORDS } },
  ["spec/lua/record_spec.lua"] = {
    { "gives the value as it is kept", ANY_VALUE }, { "writes 64%-bit integers, false, zero", JSONB },
  },
  ["spec/lua/record_undo_spec.lua"] = { { "inserted it is new again", COUNTED } },
  ["spec/lua/relation_load_spec.lua"] = {
    { "compared as the database compares their keys", BINARY }, { "loaded with rows see one moment", ONE_FILE },
  },
  ["spec/lua/relation_write_spec.lua"] = {
    { "sync says what it attached", "rows without an order come in whichever" },
    { "assigning does the same, nil and rille%.null being none", COUNTED },
  },
  ["spec/lua/tenant_behind_spec.lua"] = {
    { "names however they are written", WORDS }, { "a trigger of the view writes rows of nobody", WORDS },
    { "behind a virtual table", WORDS },
  },
  ["spec/lua/testing_spec.lua"] = {
    { "lets the tenant change, as no transaction", "testing.fresh_database gives databases of SQLite" },
  },
  ["spec/lua/unique_trashed_spec.lua"] = {
    { "makes an index over the rows that are not deleted", WORDS }, { "takes the table's own column", WORDS },
    { "goes with a table that is changed", WORDS }, { "says which index it misses", WORDS },
  },
  ["spec/lua/validate_constraint_spec.lua"] = {
    { "follows a partial index", BINARY }, { "is kept by the database, without a look%-up", WORDS },
    { "leaves a violation alone that is about something else", WORDS },
  },
  ["spec/lua/violation_spec.lua"] = {
    { "of uniqueness names its columns", COUNTED }, { "of a check names the check", WORDS },
    { "has words in raw SQL too", COUNTED }, { "says which row is missing", COUNTED },
    { "keeps the trigger's words", WORDS },
  },
  ["spec/lua/words_spec.lua"] = {
    { "says that groups are missing", GROUPS }, { "says that a document is no JSON", JSONB },
    { "takes texts that the database holds to be equal", BINARY },
  },
}

for _, each in ipairs(ALONE[...] or {}) do print(each[1]) end
