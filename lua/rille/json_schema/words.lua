--- words: the plan of a table said in the column words of migrations.
local M = {}

--- A condition as the database takes it: column.lua makes them in SQLite's words.
local function condition(sql, engine) return (sql:gsub("^json_type%(", engine.json_type .. "(")) end

--- Say one column, without its indexes.
---@param t rille.TableWords
---@param column rille.PropertyColumn
---@param engine rille.SchemaEngine
---@param options? { primary: boolean? }  primary: it is the whole key
---@return rille.ColumnWords
function M.column(t, column, engine, options)
  local words = t[column.word](t, column.name, table.unpack(column.args))
  if column.auto then return words end
  if options and options.primary then words:primary() end
  if column.nullable then words:nullable() end
  if column.default_sql then
    words:default_raw(column.default_sql)
  elseif column.has_default then
    words:default(column.default)
  end
  for _, sql in ipairs(column.checks) do words:check(condition(sql, engine)) end
  local key = column.references
  if key then
    words:references(key.table, key.column)
    if key.on_delete then words:on_delete(key.on_delete) end
    if key.on_update then words:on_update(key.on_update) end
  end
  if column.comment then words:comment(column.comment) end
  return words
end

---@param t rille.TableWords
---@param index table  of a plan
function M.index(t, index)
  local word = index.unique and t.unique or t.index
  word(t, index.columns, { name = index.name, where = index.where })
end

---@param t rille.TableWords
---@param key table  of a plan
function M.foreign(t, key)
  t:foreign { columns = key.references, references = key.table, on_delete = key.on_delete, on_update = key.on_update,
    table.unpack(key.columns) }
end

--- What schema:create takes to make the table of a plan.
---@param plan rille.SchemaPlan
---@param engine rille.SchemaEngine
---@return fun(t: rille.TableWords)
function M.all(plan, engine)
  return function(t)
    for _, column in ipairs(plan.columns) do
      M.column(t, column, engine, { primary = column.primary and #plan.primary == 1 })
    end
    if #plan.primary > 1 then t:primary(plan.primary) end
    for _, index in ipairs(plan.indexes) do M.index(t, index) end
    for _, key in ipairs(plan.foreign) do M.foreign(t, key) end
    for _, sql in ipairs(plan.checks) do t:check(sql) end
  end
end

return M
