--- types.signature: what the methods of queries, records, lists and models take and give, in the words of LuaCATS.
-- A word in braces stands for a class: of one model ({Record} is Post, {Query} is Post.Query) or of any.
-- Each entry is { name, parameters, results, one line of help }.

local M = {}

local WHERE = "column: {Column}|{Row}|(fun(query: {Query}): {Query}), operator_or_value?: any, value?: any"
local PAIR = "column: {Column}, operator_or_value: any, value?: any"
local SHOWN = "options?: { hidden: string[]?, visible: string[]?, appends: string[]? }"

-- Conditions; each has its twins with or_, not_ and both.
local CONDITIONS = {
  { "where", WHERE, "a condition: (column, value), (column, operator, value), { column = value }, or a function" },
  { "where_in", "column: {Column}, values: any[]|rille.Query", "the column is one of these" },
  { "where_null", "column: {Column}", "the column is NULL" },
  { "where_between", "column: {Column}, low: any, high: any", "from low to high, both included" },
  { "where_like", "column: {Column}, pattern: string", "% stands for any text, _ for one character" },
  { "where_ilike", "column: {Column}, pattern: string", "like, whatever the case of letters" },
  { "where_column", "column: {Column}, operator_or_other: string, other?: string", "two columns compared" },
  { "where_date", PAIR, "the date of a moment" }, { "where_year", PAIR, "the year of a moment" },
  { "where_month", PAIR, "the month of a moment" }, { "where_day", PAIR, "the day of a moment" },
  { "where_json", "path: string, operator_or_value: any, value?: any", 'a value in a JSON column: "meta.lang"' },
  { "where_json_contains", "path: string, value: any", "a JSON list has the value" },
  { "where_exists", "query: rille.Query", "the other query finds a row" },
  { "where_has", "relation: {RelationName}, ...: any", "there is a related row, or as many as said" },
  { "where_raw", "sql: string, ...: any", "SQL of your own, with a ? for each value" },
  { "filter", "text: string, values?: table<string, any>", "a condition as text; :names are values" },
}

local SHAPE = {
  { "where_doesnt_have", "relation: {RelationName}, fn?: fun(query: rille.Query): rille.Query", "{Query}",
    "there is no related row" },
  { "or_where_doesnt_have", "relation: {RelationName}, fn?: fun(query: rille.Query): rille.Query", "{Query}" },
  { "select", "...: {Column}", "{Query}", "only these columns" },
  { "add_select", "...: {Column}", "{Query}", "these columns too" },
  { "select_raw", "sql: string, ...: any", "{Query}", "outputs in SQL of your own" },
  { "distinct", "", "{Query}", "no two rows alike" },
  { "join", "table: string, ...: string", "{Query}", "rows of another table beside these: (table, a, operator, b)" },
  { "left_join", "table: string, ...: string", "{Query}", "the same; rows without a partner stay" },
  { "group_by", "...: {Column}", "{Query}" },
  { "having", "column: {Column}, operator_or_value: any, value?: any", "{Query}", "a condition on groups" },
  { "having_raw", "sql: string, ...: any", "{Query}" },
  { "order_by", 'column: {Column}, direction?: "asc"|"desc"', "{Query}", "NULL is the smallest value" },
  { "order_by_desc", "column: {Column}", "{Query}" },
  { "order_by_raw", "sql: string, ...: any", "{Query}" },
  { "latest", "column?: {Column}", "{Query}", "the newest first, by created_at or the column" },
  { "oldest", "column?: {Column}", "{Query}", "the oldest first" },
  { "in_random_order", "", "{Query}" },
  { "reorder", 'column?: {Column}, direction?: "asc"|"desc"', "{Query}", "forget the orders so far" },
  { "limit", "rows: integer", "{Query}", "at most so many rows" },
  { "offset", "rows: integer", "{Query}", "without the first so many" },
  { "unlimited", "", "{Query}", "forget limit and offset" },
  { "union", "query: rille.Query", "{Query}", "the rows of both, each once" },
  { "union_all", "query: rille.Query", "{Query}", "the rows of both" },
  { "lock_for_update", "options?: { skip_locked: boolean?, nowait: boolean? }", "{Query}" },
  { "shared_lock", "options?: { skip_locked: boolean?, nowait: boolean? }", "{Query}" },
  { "unfiltered", "", "{Query}", "an update or delete of every row is meant" },
  { "when", "condition: any, fn: (fun(query: {Query}, condition: any): {Query}?), "
    .. "otherwise?: fun(query: {Query}, condition: any): {Query}?", "{Query}" },
  { "tap", "fn: fun(query: {Query})", "{Query}", "look at the query on its way" },
  { "with_trashed", "", "{Query}", "soft-deleted rows too" },
  { "only_trashed", "", "{Query}", "soft-deleted rows only" },
  { "without_global_scope", "name: string", "{Query}" },
  { "with", "...: {RelationName}|table<{RelationName}, fun(query: rille.Query): rille.Query>", "{Query}",
    "load relations with the rows" },
  { "with_count", "...: {RelationName}|table", "{Query}", "how many, as NAME_count" },
  { "with_exists", "...: {RelationName}|table", "{Query}", "is there one, as NAME_exists" },
  { "with_sum", "relation: {RelationName}, column: string", "{Query}", "as NAME_sum_COLUMN" },
  { "with_avg", "relation: {RelationName}, column: string", "{Query}" },
  { "with_min", "relation: {RelationName}, column: string", "{Query}" },
  { "with_max", "relation: {RelationName}, column: string", "{Query}" },
  { "sealed", "fn: fun(query: {Query}): {Query}", "{Query}", "conditions that no or_where lets a row pass" },
  { "plain", "", "rille.Query", "rows as plain tables instead of records" },
}

local ENDS = {
  { "all", "", "{List}", "all rows" },
  { "get", "", "{List}", "all rows" },
  { "first", "", "{Record}?", "the first row, or nil" },
  { "first_or_fail", "", "{Record}", "the first row; raises not_found" },
  { "sole", "", "{Record}", "the one row there is; raises not_found or not_unique" },
  { "value", "column: {Column}", "any", "the column of the first row" },
  { "pluck", "column: {Column}, key?: {Column}", "rille.List", "a column of every row, rille.null where it is NULL" },
  { "count", "column?: {Column}", "integer", "how many rows" },
  { "sum", "column: {Column}", "any", "0 for no rows" }, { "avg", "column: {Column}", "any" },
  { "min", "column: {Column}", "any" }, { "max", "column: {Column}", "any" },
  { "exists", "", "boolean", "is there a row?" }, { "doesnt_exist", "", "boolean" },
  { "paginate", "page: integer, per_page: integer", "{Page}" },
  { "simple_paginate", "page: integer, per_page: integer", "{Page}", "a page, without counting the rest" },
  { "cursor_paginate", "options: { per_page: integer, cursor: string? }", "{CursorPage}" },
  { "chunk", "rows: integer, fn: fun(rows: {List}): boolean?", "nil", "false from the function stops" },
  { "chunk_by_id", "rows: integer, fn: fun(rows: {List}): boolean?", "nil" },
  { "each", "fn: fun(row: {Record}): boolean?", "nil", "each row, read in chunks" },
  { "cursor", "", "fun(): {Record}?", "rows one by one in constant memory: for row in query:cursor() do" },
  { "to_sql", "", "string, any[]", "the SQL and its parameters" },
  { "explain", "", "rille.Plan", "how the database would do it, and what may be slow" },
  { "insert", "rows: {Row}|{Row}[]", "integer", "rows as they are, without records or events" },
  { "insert_or_ignore", "rows: {Row}|{Row}[]", "integer", "leaves out what is there already" },
  { "upsert", "rows: {Row}|{Row}[], unique_by: {Column}|{Column}[], update?: {Column}[]", "integer" },
  { "update", "changes: {Row}", "integer", "change the rows of the query" },
  { "increment", "column: {Column}, by?: number, extra?: {Row}", "integer" },
  { "decrement", "column: {Column}, by?: number, extra?: {Row}", "integer" },
  { "delete", "", "integer", "delete the rows of the query" },
  { "force_delete", "", "integer", "for good, soft-deleted ones too" },
  { "restore", "", "integer", "take soft deletions back" },
}

-- Overloads: a name may come twice.
local FIND = {
  { "find", "key: {Key}, ...: any", "{Record}?", "the row with this key, or nil; a list of keys gives a list" },
  { "find", "keys: any[]", "{List}" },
  { "find_or_fail", "key: {Key}, ...: any", "{Record}", "the same; raises not_found" },
  { "find_or_fail", "keys: any[]", "{List}" },
}

M.record = {
  { "get", "name: string", "any" }, { "set", "name: string, value: any", "{Record}" },
  { "get_original", "name: {Column}", "any", "as it was read" }, { "raw", "name: {Column}", "any", "as it is kept" },
  { "is_dirty", "...: {Column}", "boolean", "does something wait to be saved?" },
  { "was_changed", "...: {Column}", "boolean", "did the last save change it?" },
  { "changes", "", "table<string, any[]>", "what waits: { column = { old, new } }" },
  { "previous_changes", "", "table<string, any[]>" },
  { "exists", "", "boolean", "has it a row?" }, { "key", "", "{Key}" }, { "is", "other: any", "boolean" },
  { "fill", "attributes: {Changes}", "{Record}", "set attributes that may be set together" },
  { "save", "", "{Saved}, rille.Error?", "write what changed" },
  { "validate", "", "{Saved}, rille.Error?", "would a save be valid?" },
  { "update", "attributes: {Changes}", "{Saved}, rille.Error?", "set attributes and save" },
  { "delete", "", "boolean?, rille.Error?" }, { "force_delete", "", "boolean?, rille.Error?" },
  { "trashed", "", "boolean", "is it soft-deleted?" }, { "restore", "", "{Saved}, rille.Error?" },
  { "refresh", "", "{Record}", "read the row again" }, { "fresh", "", "{Record}?", "the row as another record" },
  { "replicate", "", "{Record}", "a copy that is not saved" },
  { "touch", "", "{Saved}, rille.Error?", "set updated_at" },
  { "increment", "column: {Column}, by?: number", "{Record}" },
  { "decrement", "column: {Column}, by?: number", "{Record}" },
  { "load", "...: {RelationName}|table", "{Record}", "load relations" },
  { "load_missing", "...: {RelationName}|table", "{Record}" },
  { "relation", "name: {RelationName}", "rille.Related", "a query of the related rows that writes, too" },
  { "to_table", SHOWN, "table<string, any>" }, { "to_json", SHOWN, "string" },
  { "make_visible", "...: string", "{Record}" }, { "make_hidden", "...: string", "{Record}" },
}

M.list = {
  { "map", "fn: fun(item: {Record}, index: integer): any", "rille.List" },
  { "filter", "by: string|(fun(item: {Record}, index: integer): any), value?: any", "{List}" },
  { "pluck", "name: string", "rille.List" },
  { "key_by", "by: string|fun(item: {Record}, index: integer): any", "table<any, {Record}>" },
  { "group_by", "by: string|fun(item: {Record}, index: integer): any", "table<any, {List}>" },
  { "load", "...: {RelationName}|table", "{List}" }, { "load_missing", "...: {RelationName}|table", "{List}" },
  { "to_table", SHOWN, "table[]" }, { "to_json", SHOWN, "string" },
  { "ids", "", "rille.List" }, { "first", "", "{Record}?" }, { "last", "", "{Record}?" },
}

M.related = {
  { "create", "attributes?: table<string, any>, pivot?: table<string, any>", "{Record}?, rille.Error?" },
  { "create_many", "list: table<string, any>[], pivots?: table<string, any>[]", "{List}?, rille.Error?" },
  { "new", "attributes?: table<string, any>", "{Record}", "a related record that is not saved yet" },
  { "first_or_new", "match: {Row}, values?: table<string, any>", "{Record}" },
  { "first_or_create", "match: {Row}, values?: table<string, any>, pivot?: table<string, any>",
    "{Record}?, rille.Error?" },
  { "update_or_create", "match: {Row}, values?: table<string, any>, pivot?: table<string, any>",
    "{Record}?, rille.Error?" },
  { "save", "record: {Record}, pivot?: table<string, any>", "{Record}?, rille.Error?" },
  { "save_many", "records: {Record}[]", "{List}?, rille.Error?" },
  { "associate", "record: {Record}", "rille.Record" }, { "dissociate", "", "rille.Record" },
  { "attach", "list: any", "integer", "a key, a record, or a list of them or of { key, column = value }" },
  { "detach", "list?: any", "integer" }, { "toggle", "list: any", "{ attached: any[], detached: any[] }" },
  { "sync", "list: any", "{ attached: any[], detached: any[], updated: any[] }" },
  { "update_existing_pivot", "key: any, columns: table<string, any>", "integer" },
}

M.class = {
  { "query", "", "{Query}" },
  { "new", "attributes?: {Changes}", "{Record}", "a record that is not saved yet" },
  { "create", "attributes: {New}", "{Saved}, rille.Error?", "make a record and save it" },
  { "create_many", "list: {New}[]", "{SavedList}, rille.Error?", "all or none" },
  { "first_or_new", "match: {Row}, values?: {Changes}", "{Record}" },
  { "first_or_create", "match: {Row}, values?: {Changes}", "{Saved}, rille.Error?" },
  { "update_or_create", "match: {Row}, values?: {Changes}", "{Saved}, rille.Error?" },
  { "destroy", "...: any", "integer", "delete the records with these keys" },
  { "truncate", "", "nil", "delete every row and begin counting anew" },
  { "columns", "", "string[]" },
  { "scope", "name: string, fn: fun(query: {Query}, ...: any): {Query}?", "nil" },
  { "global_scope", "name: string, fn: fun(query: {Query}): {Query}?", "nil" },
  { "on", "event: rille.ModelEvent, fn: fun(record: {Record}): any", "nil" },
  { "without_events", "fn: function, ...: any", "any" },
  { "without_tenant_scope", "fn: function, ...: any", "any", "see everybody's rows of this model" },
}

local function conditions()
  local list = {}
  local function add(name, params, help) list[#list + 1] = { name, params, "{Query}", help } end
  for _, each in ipairs(CONDITIONS) do
    local name, params, help = table.unpack(each)
    local negated = name == "filter" and "filter_not" or name:gsub("^where", "where_not")
    add(name, params, help)
    add("or_" .. name, params)
    add(negated, params)
    add("or_" .. negated, params)
  end
  return list
end

M.query = conditions()
for _, list in ipairs { SHAPE, ENDS, FIND } do table.move(list, 1, #list, #M.query + 1, M.query) end

--- The fields of a class, a line each, those that have no entry here as well.
---@param self_class string
---@param list table[]                 of this module
---@param classes table<string, string>  what stands for the words in braces
---@param names? string[]              all methods there are
---@return string[]
function M.fields(self_class, list, classes, names)
  local lines, known = {}, {}
  local function fill(text) return (text:gsub("{(%w+)}", function(word) return assert(classes[word], word) end)) end
  for _, each in ipairs(list) do
    local name, params, results, help = table.unpack(each)
    known[name] = true
    if help then lines[#lines + 1] = "---" .. help end
    lines[#lines + 1] = ("---@field %s fun(self: %s%s): %s"):format(name, self_class,
      params ~= "" and ", " .. fill(params) or "", fill(results))
  end
  for _, name in ipairs(names or {}) do
    if not known[name] then
      lines[#lines + 1] = ("---@field %s fun(self: %s, ...: any): any"):format(name, self_class)
    end
  end
  return lines
end

return M
