--- repl_models_spec: how the REPL prints and completes models, records and queries; on a database in memory.
local rille = require "rille"
local complete = require "rille.repl.complete"
local model = require "rille.model"
local printer = require "rille.repl.printer"
local values = require "rille.repl.values"

local OPTIONS = { width = math.huge, paint = function(_, text) return text end }
local env

local function shown(value) return printer.format(value, OPTIONS) end
local function offers(line) return (complete.candidates(env, line)) end

local function has(list, wanted)
  for _, each in ipairs(list) do
    if each == wanted then return true end
  end
  return false
end

setup(function()
  rille.connect ":memory:"
  rille.db():execute [[create table "books" ("id" integer primary key autoincrement not null,
    "title" VARCHAR(80) not null, "read" BOOLEAN not null default 0, "pages" INTEGER)]]
  local Book = rille.model "Book" {
    timestamps = false,
    accessors = {
      spine = function() error "an accessor ran" end,
      pages = function(_, pages) return pages and (pages < 0 and error "negative" or pages) end,
    },
    scopes = { unread = function(query) return query:where("read", false) end },
    methods = { lend = function(book) return book end },
  }
  Book:create { title = "Middlemarch", pages = 880 }
  Book:create { title = "Ficciones\27[31m", read = true }
  env = setmetatable({ Book = Book }, { __index = _G })
  env.book = Book:first()
  env.books = Book:all()
end)

teardown(function()
  rille.close()
  model.forget_all()
end)

describe("records", function()
  it("are a table with the columns in their order; false, NULL and escapes are seen", function()
    assert.equal([[
┌────┬───────────────────┬───────┬───────┐
│ id │ title             │ read  │ pages │
├────┼───────────────────┼───────┼───────┤
│  1 │ Middlemarch       │ false │   880 │
│  2 │ Ficciones\x1B[31m │ true  │ null  │
└────┴───────────────────┴───────┴───────┘
2 rows]], shown(env.books))
  end)

  it("show only what was selected", function()
    local books = env.Book:select("id"):where("read", true):all()
    assert.equal("┌────┐\n│ id │\n├────┤\n│  2 │\n└────┘\n1 row", shown(books))
  end)

  it("alone are a card that says whether something waits to be saved", function()
    local book = env.Book:find(1)
    assert.truthy(shown(book):find "^Book%(1%)\n┌")
    book.title = "Silas Marner"
    assert.truthy(shown(book):find "^Book%(1%), changed\n")
    assert.truthy(shown(book):find("│ title  │ Silas Marner │ text    │", 1, true))
    assert.truthy(shown(env.Book:new { title = "Emma" }):find "^Book, not saved\n")
  end)

  it("whose accessor fails show why, and all the rest", function()
    local card = shown(env.Book:new { title = "Emma", pages = -1 })
    assert.truthy(card:find "│ pages  │ <.*negative>")
    assert.truthy(card:find("Emma", 1, true))
  end)
end)

describe("what is no record", function()
  it("is a query as its SQL and values", function()
    assert.equal('select "id", "title", "read", "pages" from "books" where "title" = ?\nwith ["x"]\n:all() runs it',
      shown(env.Book:where("title", "x")))
  end)

  it("is a model in one line, an empty list as {}", function()
    assert.equal("Book: the rows of books (id, title, read, pages)", shown(env.Book))
    assert.equal("{}", shown(env.Book:where("id", 0):all()))
  end)

  it("is an error that was returned and not raised", function()
    local _, err = rille.try(function() return env.Book:find_or_fail(99) end)
    assert.truthy(shown(err):find "^error: .* %(not_found%)$")
  end)
end)

describe("Tab", function()
  it("knows models, their methods and scopes", function()
    assert.same({ "Book" }, offers "Boo")
    assert.same({ "unread" }, offers "Book:unr")
    assert.same({ "find_or_fail" }, offers "Book:find_")
    assert.is_true(has(offers "Book:where('id', 1):", "order_by"))
  end)

  it("knows columns where a model's method wants one", function()
    assert.same({ "title" }, offers "Book:where('ti")
    assert.same({ "pages" }, offers 'Book:unread():order_by("p')
    assert.same({ "title" }, offers "Book:create { ti")
    assert.same({ "title" }, offers "Book:create { id = 1, ti")
  end)

  it("knows what a record has", function()
    assert.same({ "title" }, offers "book.ti")
    assert.same({ "spine" }, offers "book.sp")
    assert.same({ "lend" }, offers "book:le")
    assert.same({ "pluck" }, offers "books:pl")
    assert.same({ "title" }, offers "Book:first().ti")
  end)

  it("runs neither query nor accessor", function()
    local statements = 0
    local stop = rille.on("query", function() statements = statements + 1 end)
    offers "book.spine."
    offers "Book:all()."
    offers "Book:where('ti"
    stop()
    assert.equal(0, statements)
  end)

  it("knows dot commands and what follows them", function()
    assert.same({ "schema" }, offers ".sc")
    assert.same({ "off", "on" }, offers ".sql o")
    assert.same({ "books" }, offers ".schema boo")
  end)
end)

describe("values", function()
  it("are records only together with others of their model", function()
    assert.equal("records", values.kind { env.book, env.book })
    assert.is_nil(values.kind { env.book, { id = 1 } })
    assert.is_nil(values.kind { env.book, name = 1 })
    assert.equal("rows", values.kind { { id = 1 }, { id = 2 } })
  end)
end)
