--- repository_spec: rows in and out as plain tables, of a model and of a table alike.
local config = require "rille.config"
local model = require "rille.model"
local refused = require "spec.support.refused"
local rille = require "rille"

describe("a repository", function()
  before_each(function()
    rille.connect ":memory:"
    rille.db():execute [[create table users (id integer primary key, name VARCHAR(20) not null unique,
      age INTEGER default 18)]]
    model.forget_all()
  end)
  after_each(function()
    model.forget_all()
    rille.close()
    config.clear()
  end)

  local sources = {
    ["of a model"] = function() return model.declare("User", { timestamps = false }) end,
    ["of a table"] = function() return "users" end,
  }
  for name, source in pairs(sources) do
    describe(name, function()
      local users
      before_each(function()
        users = rille.repository(source(), {
          older_than = function(self, age) return self:query():where("age", ">", age):order_by("id"):all() end,
          oldest = function(self) return self:query():order_by_desc("age"):first(), "and more" end,
          page = function(self) return self:query():order_by("id"):paginate(1, 1) end,
        })
      end)

      it("gives plain tables for what it is given", function()
        local row = users:create { name = "a" }
        assert.same({ id = 1, name = "a", age = 18 }, row)
        assert.is_nil(getmetatable(row))
        assert.same(row, users:find(1))
        assert.same(row, users:find_by { name = "a" })
        assert.same(row, users:find_by("age", "<", 20))
        assert.is_nil(users:find(99))
        assert.is_nil(users:find_by { name = "z" })
        users:create { name = "b", age = 40 }
        local all = users:all()
        assert.is_nil(getmetatable(all))
        assert.same({ "a", "b" }, { all[1].name, all[2].name })
        assert.equal(1, #users:all { name = "b" })
      end)

      it("updates and deletes by key", function()
        users:create { name = "a" }
        assert.same({ id = 1, name = "a", age = 19 }, users:update(1, { age = 19 }))
        local row, e = users:update(99, { age = 1 })
        assert.is_nil(row)
        assert.equal("not_found", e.kind)
        assert.equal("update: there is no row 99 (integer)", e.message)
        assert.is_true(users:delete(1))
        assert.is_false(users:delete(1))
        assert.same({}, users:all())
      end)

      it("has methods of its own, of which no model comes out", function()
        users:create { name = "a", age = 10 }
        users:create { name = "b", age = 50 }
        local older = users:older_than(20)
        assert.is_nil(getmetatable(older))
        assert.same({ { id = 2, name = "b", age = 50 } }, older)
        local oldest, more = users:oldest()
        assert.same({ { id = 2, name = "b", age = 50 }, "and more" }, { oldest, more })
        local page = users:page()
        assert.equal(2, page.total)
        assert.same({ { id = 1, name = "a", age = 10 } }, page.data)
        assert.is_nil(getmetatable(page.data))
      end)

      it("refuses what says nothing", function()
        users:create { name = "a" }
        assert.equal("invalid_argument", refused(users.all, users, nil).kind)
        assert.equal("invalid_argument", refused(users.all, users, {}).kind)
        assert.equal("invalid_argument", refused(users.find, users, nil).kind)
        refused(users.delete, users, nil)
        assert.equal(1, #users:all())
      end)
    end)
  end

  it("wants a model or a table, and functions", function()
    assert.equal("repository: wants a model or the name of a table, got nil", refused(rille.repository, nil).message)
    assert.equal("repository.find_all: wants a function, got 1 (integer)",
      refused(rille.repository, "users", { find_all = 1 }).message)
    assert.equal("repository: wants a table of methods, got 1 (integer)", refused(rille.repository, "users", 1).message)
  end)
end)
