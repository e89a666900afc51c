--- test: the part of JSON Schema that judges values: all keywords, and what compiles them.
local Keyword = require "rille.json_schema.keyword"
local Scalar = require "rille.json_schema.scalar"
require "rille.json_schema.nested"

return {
  new = Keyword.new, compile = Keyword.compile, keywords = Keyword.keywords, annotations = Keyword.annotations,
  canonical = Keyword.canonical, refuse_keyword = Keyword.refuse_keyword, types = Scalar.types,
  types_of = Scalar.types_of,
}
