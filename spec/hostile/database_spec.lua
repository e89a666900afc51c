--- hostile/database_spec: databases that are missing, read-only, locked, full, damaged, or no database at all.
local world = require "spec.support.world"
local rille = world.rille
local refused = world.refused

local LUA <const> = arg and arg[-1] or "lua5.4"

--- Run a shell command that must succeed.
local function shell(command)
  local ok, _, code = os.execute(command)
  assert(ok, ("%s: exit status %s"):format(command, code))
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(bytes))
end

describe("a database", function()
  local dir, path

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    shell("mkdir " .. dir)
    path = dir .. "/app.db"
    require "rille.model".forget_all()
  end)

  after_each(function()
    rille.close()
    shell(("chmod -R u+rwX %s && rm -rf %s"):format(dir, dir))
  end)

  --- A file with two notes, closed again; more settings go to the connection that is then open.
  local function notes(options)
    local db = rille.connect(path)
    db:execute "create table notes (id integer primary key, text TEXT not null, data BLOB)"
    db:execute "insert into notes (text) values ('a'), ('b')"
    rille.connect(path, options)
    return rille.model "Note" { table = "notes" }
  end

  it("that is not there is made, unless it may only be read", function()
    rille.connect(path):execute "create table t (a)"
    rille.close()
    local there = io.open(path)
    assert.is_truthy(there)
    there:close()
    local e = refused("connection_lost", function() rille.connect(dir .. "/none.db", { readonly = true }):tables() end)
    assert.matches("none.db", e.message)
    assert.is_nil(io.open(dir .. "/none.db"))
    assert.is_truthy(e.hint)
  end)

  it("in a directory that is not there, or that is one, cannot be opened", function()
    for _, place in ipairs { dir .. "/no/such/app.db", dir, dir .. "/", "/dev/null/x", "/proc/1/mem/x" } do
      local e = refused("connection_lost", function() rille.connect(place):query "select 1" end)
      assert.is_truthy(e.message:find(place, 1, true), e.message)
    end
    refused("invalid_argument", rille.connect, "")
    refused("invalid_argument", rille.connect, nil)
    refused("invalid_argument", rille.connect, 5)
    refused("invalid_argument", function() rille.connect(dir .. "/a\0b"):query "select 1" end)
    refused("invalid_argument", rille.connect, "mysql://x")
  end)

  it("that is none says so, and is not touched", function()
    for name, bytes in pairs { text = ("no database\n"):rep(1000), image = "\x89PNG\r\n" .. ("\0\xff"):rep(5000),
      almost = "SQLite format 3\0" .. ("x"):rep(4096) } do
      local file = ("%s/%s.db"):format(dir, name)
      write(file, bytes)
      local Note = rille.model("Note_" .. name, { table = "notes" })
      rille.connect(file)
      local e = refused("corrupt", function() Note:count() end)
      assert.is_truthy(e.message:find(file, 1, true), e.message)
      refused("corrupt", function() rille.db():execute "create table t (a)" end)
      rille.close()
      assert.is_true(read(file) == bytes, name .. " was changed")
    end
  end)

  it("that may only be read is read, and writes are refused", function()
    local Note = notes { readonly = true }
    assert.equal(2, Note:count())
    local note = Note:first()
    note.text = "x"
    for _, call in ipairs { function() Note:create { text = "c" } end, function() note:save() end,
      function() note:delete() end,
      function() Note:where("id", 1):update { text = "x" } end, function() Note:where("id", 1):delete() end,
      function() Note:insert { { text = "c" }, { text = "d" } } end, function() Note:truncate() end,
      function() rille.db():execute "drop table notes" end } do
      assert.is_truthy(refused("readonly", call).hint)
    end
    assert.same({ "a", "b" }, Note:order_by("id"):pluck "text")
    assert.same({ text = { "a", "x" } }, note:changes())
  end)

  it("in a file that may only be read says the same", function()
    if io.popen("id -u"):read "n" == 0 then
      local Note = notes { readonly = true }            -- root may write any file
      refused("readonly", Note.create, Note, { text = "c" })
      return
    end
    notes()
    rille.close()
    shell(("chmod 444 %s; chmod 555 %s"):format(path, dir))
    rille.connect(path)
    local Note = rille.model "Kept" { table = "notes" }
    assert.equal(2, Note:count())
    refused("readonly", Note.create, Note, { text = "c" })
  end)

  --- Start another process that locks the file until it is told to stop, or for some seconds.
  local function locker(hold)
    local script, ready = dir .. "/lock.lua", dir .. "/ready"
    write(script, ([[
      local rille = require "rille"
      local db = rille.connect %q
      db:_connect():begin "immediate"
      db:execute "update notes set text = 'theirs'"
      io.open(%q, "w"):close()
      %s
      db:_connect():rollback()
    ]]):format(path, ready, hold and ("os.execute 'sleep %.1f'"):format(hold) or "io.read()"))
    local process = io.popen(("%s %s"):format(LUA, script), "w")
    for _ = 1, 500 do
      local file = io.open(ready)
      if file then
        file:close()
        return process
      end
      os.execute "sleep 0.02"
    end
    error "the other process did not start"
  end

  it("that another process writes to is read, and writes wait and then say busy", function()
    local Note = notes { busy_timeout_ms = 50 }
    local other <close> = locker()
    assert.same({ "a", "b" }, Note:order_by("id"):pluck "text")
    local note = Note:first()
    for _, call in ipairs { function() Note:create { text = "c" } end, function() note:update { text = "x" } end,
      function() rille.transaction(function() error "is never run" end) end,
      function() Note:where("id", 1):delete() end, function() Note:insert { { text = "c" }, { text = "d" } } end } do
      local start = require "rille.core".monotonic_ms()
      local e = refused("busy", call)
      local waited = require "rille.core".monotonic_ms() - start
      assert.is_true(waited >= 40 and waited < 3000, waited)
      assert.matches("busy_timeout_ms", e.hint)
    end
    assert.same({ text = { "a", "x" } }, note:changes())
    other:write "\n"
    other:close()
    note:save()
    Note:create { text = "c" }
    assert.same({ "x", "b", "c" }, Note:order_by("id"):pluck "text")
  end)

  it("waits for another process as long as it is told to", function()
    local Note = notes { busy_timeout_ms = 10000 }
    local other <close> = locker(0.4)                     -- luacheck: ignore 211
    local began = require "rille.core".monotonic_ms()
    Note:create { text = "c" }
    local waited = require "rille.core".monotonic_ms() - began
    assert.is_true(waited > 100 and waited < 9000, waited)
    assert.equal(3, Note:count())
  end)

  it("that is full refuses the row, keeps the others and takes more when there is room", function()
    local Note = notes { pragmas = { max_page_count = 20 } }
    local written, e = 0, nil
    for _ = 1, 100 do
      local ok
      ok, e = pcall(Note.create, Note, { text = "x", data = ("\1"):rep(4000) })
      if not ok then break end
      written = written + 1
    end
    assert.is_true(rille.is_error(e, "disk_full"), tostring(e))
    assert.is_truthy(e.hint)
    assert.is_true(written > 3)
    local before = world.picture()
    world.refused("disk_full", Note.insert, Note, { { text = "1", data = ("\2"):rep(3000) },
      { text = "2", data = ("\2"):rep(90000) } })
    world.refused("disk_full", rille.transaction, function()
      Note:where("id", 1):update { text = "changed" }
      Note:create { text = "y", data = ("\1"):rep(90000) }
    end)
    assert.equal(before, world.picture())
    assert.equal(written + 2, Note:count())
    assert.equal("ok", rille.db():query("pragma integrity_check")[1].integrity_check)
    Note:where("text", "x"):delete()
    assert.is_truthy(Note:create({ text = "again", data = ("\3"):rep(4000) }).id)
  end)

  it("that is damaged says so and is not repaired", function()
    notes()
    local db = rille.db()
    for i = 1, 300 do db:execute("insert into notes (text) values (?)", ("text %d "):format(i):rep(20)) end
    db:execute "create index notes_text on notes (text)"
    rille.close()
    local whole = read(path)
    world.seed()
    local asked, corrupt = 0, 0
    for round = 1, 60 do
      local bytes = whole
      if round % 3 == 0 then
        bytes = whole:sub(1, math.random(512, #whole))
      else
        for _ = 1, math.random(1, 40) do
          local at = math.random(100, #bytes)
          bytes = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1)
        end
      end
      write(path, bytes)
      os.remove(path .. "-wal")
      os.remove(path .. "-shm")
      require "rille.model".forget_all()
      rille.connect(path)
      local Note = rille.model "Note" { table = "notes" }
      for _, call in ipairs { function() return Note:count() end, function() return #Note:order_by("text"):all() end,
        function() return Note:where("text", "like", "text 1%"):first() end,
          function() return Note:create { text = "new" } end,
        function() return Note:where("id", ">", 100):delete() end } do
        local ok, e = pcall(call)
        asked = asked + 1
        assert.is_true(ok or rille.is_error(e), tostring(e))
        if not ok and e.kind == "corrupt" then corrupt = corrupt + 1 end
      end
      rille.close()
    end
    assert.equal(300, asked)
    assert.is_true(corrupt > 10, corrupt .. " of 300 said corrupt")
  end)

  it("whose table is dropped or changed by another hand says so", function()
    local Note = notes()
    assert.equal(2, Note:count())
    local note = Note:first()
    shell(("sqlite3 %s 'alter table notes rename column text to body'"):format(path))
    assert.is_true(rille.is_error(select(2, pcall(Note.create, Note, { text = "c" }))))
    rille.db():forget()
    assert.equal("a", Note:find(1).body)
    assert.equal('did you mean "body"?', refused("mass_assignment", Note.create, Note, { boby = "c" }).hint)
    shell(("sqlite3 %s 'drop table notes'"):format(path))
    note.text = "x"
    local ok, e = pcall(note.save, note)
    assert.is_true(not ok and rille.is_error(e), tostring(e))
    assert.is_true(rille.is_error(select(2, pcall(Note.count, Note)), "no_such_table"))
  end)
end)
