--- schema_definition_spec: CREATE TABLE texts read into columns and constraints, and written again.
local Definition = require "rille.schema.sqlite.definition"

describe("the definition of a table", function()
  it("keeps all that its text says", function()
    local text = [[create table "we""ird" (
  "id" integer primary key autoincrement /* the key */,
  "a" varchar(20) not null on conflict replace default 'it''s (ok), yes' collate nocase,
  "b" REAL default -1.5e+3,
  "c d" blob default x'00ff' check (c <> ')' /* in */),
  "ref" integer constraint "fk" references p (x) on delete set null not deferrable initially deferred not null,
  "made" integer generated always as (a || '(') stored,
  "n" null,
  constraint "u" unique (a, b collate nocase desc) on conflict ignore,
  foreign key (ref) references q (id) match full,
  primary key (a, "b")
) strict, without rowid]]
    local definition = Definition.parse(text)
    assert.equal(text, Definition.render(definition))
    assert.same({ "a", "b" }, definition.constraints[3].columns)
    assert.equal("not null", definition.columns[5].clauses[2].kind)
  end)

  it("reads the styles that others write in", function()
    local definition = Definition.parse [[CREATE TABLE IF NOT EXISTS main.[a b](`x` INT, -- of x
      'y' , z DOUBLE PRECISION references p not null, CHECK (x > 0) UNIQUE (x))]]
    assert.equal("a b", definition.name)
    assert.equal('"x" INT /* of x */', Definition.column(definition.columns[1]))
    assert.equal('"y"', Definition.column(definition.columns[2]))
    assert.equal('"z" DOUBLE PRECISION references p not null', Definition.column(definition.columns[3]))
    assert.equal(2, #definition.constraints)
  end)
end)
