--- debian_spec: Debian's own package index goes in through models; what comes out is what awk and sqlite3 say.
-- The installed packages (/var/lib/dpkg/status) come first, then those that could be installed (`apt-cache dumpavail`,
-- which may be empty).  Nothing is lost and nothing is invented: a row for each distinct name, version and
-- architecture, a row for each alternative of each relation.  debian/graph.lua asks how they are related.

local Lines = require "spec.story.debian.lines"
local load = require "spec.story.debian.load"
local oracle = require "spec.story.debian.oracle"
local system = require "system"

local lines_of, expect_lines = Lines.of, Lines.expect
local rille, models, folder, database, flat_packages, flat_relations, flat_provided

--- The peak of this process's memory, in MiB.
local function peak_mib()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmHWM:%s*(%d+)"
    if kib then return tonumber(kib) / 1024 end
  end
end

setup(function()
  folder = oracle.shell("mktemp -d")[1]
  database = folder .. "/debian.db"
  local status, available = oracle.texts(folder)

  rille = require "rille"
  rille.connect(database)
  models = require "spec.story.debian.models"(rille)
  local before = system.monotime()
  local counts = load(rille, models, status, available)
  local seconds = system.monotime() - before
  local rows = counts.packages + counts.relations + counts.provisions

  print(("\n-- %d stanzas (%d of packages seen before) became %d packages, %d relations and %d provisions")
    :format(counts.stanzas, counts.again, counts.packages, counts.relations, counts.provisions))
  print(("-- %.1f s, reading and parsing included: %.0f rows a second; peak memory %.0f MiB")
    :format(seconds, rows / seconds, peak_mib()))
  flat_packages, flat_relations, flat_provided = oracle.flatten(folder, status, available)
end)

teardown(function()
  rille.close()
  oracle.shell("rm -rf " .. folder)
end)

describe("What was written", function()
  local function expect_same(name, expected, write) Lines.expect_file(folder .. "/" .. name, expected, write) end

  it("is every package of the texts, read back through a cursor, and no other", function()
    local sections, maintainers, sources = {}, {}, models.SourcePackage:pluck("name", "id")
    for _, section in ipairs(models.Section:all()) do sections[section.id] = section.label end
    for _, one in ipairs(models.Maintainer:all()) do maintainers[one.id] = one.address end
    expect_same("packages.rille", flat_packages, function(file)
      for package in models.Package:cursor() do
        local line = lines_of({ {
          package.name, package.version, package.architecture, sections[package.section_id],
          maintainers[package.maintainer_id], sources[package.source_id], package.priority, package.installed_kib,
          package.bytes, package.essential, package.installed, package.available, package.summary,
        } }, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)[1]
        file:write(line, "\n")
      end
    end)
  end)

  it("is every relation of the texts, read back in chunks, and no other", function()
    local names = {}
    for package in models.Package:select("id", "name", "version", "architecture"):cursor() do
      names[package.id] = ("%s\t%s\t%s"):format(package.name, package.version, package.architecture)
    end
    expect_same("relations.rille", flat_relations, function(file)
      models.Relation:chunk_by_id(5000, function(relations)
        for _, it in ipairs(relations) do
          file:write(names[it.package_id], "\t", lines_of({ it },
            "kind", "position", "alternative", "name", "qualifier", "operator", "version")[1], "\n")
        end
      end)
    end)
  end)

  it("is whole for SQLite itself", function()
    assert.same({ "ok" }, oracle.sqlite(database, "pragma integrity_check"))
    assert.same({}, oracle.sqlite(database, "pragma foreign_key_check"))
  end)

  it("does not change when it is written a second time", function()
    local before = models.Package:count()
    local rows = models.Package:order_by("id"):limit(500):all():map(function(package)
      return { name = package.name, version = package.version, architecture = package.architecture,
               maintainer_id = package.maintainer_id, source_id = package.source_id, summary = "written twice" }
    end)
    assert.equal(0, models.Package:insert_or_ignore(rows))
    assert.equal(before, models.Package:count())
    assert.equal(0, models.Package:where("summary", "written twice"):count())
  end)

  it("stays as it was when a transaction fails half-way", function()
    local before = models.Relation:count()
    local ok = pcall(rille.transaction, function()
      assert.equal(before, models.Relation:unfiltered():delete())
      models.Maintainer:create { name = "Nobody", email = "nobody@example.org" }
      error "half-way"
    end)
    assert.is_false(ok)
    assert.equal(before, models.Relation:count())
    assert.is_false(models.Maintainer:where("email", "nobody@example.org"):exists())
  end)
end)

describe("What is asked", function()
  local Package, Relation, Maintainer, Section

  before_each(function()
    Package, Relation, Maintainer, Section = models.Package, models.Relation, models.Maintainer, models.Section
  end)

  --- A section that has enough packages to be worth a list, on any machine.
  local function some_section()
    local name = oracle.awk("$4 != \"\" && $4 !~ /\\// { print $4 }", flat_packages,
      "| sort | uniq -c | sort -k1,1nr -k2 | awk 'NR == 3 { print $2 }'")[1]
    return Section:where { area = "main", name = name }:sole()
  end

  it("counts: packages, relations of each kind, maintainers, sections", function()
    local kinds = Relation:select("kind"):select_raw("count(*) as n"):group_by("kind"):order_by("kind"):all()
    expect_lines(oracle.awk("{ print $4 }", flat_relations, "| sort | uniq -c | awk '{ print $2 \"\\t\" $1 }'"),
      lines_of(kinds, "kind", "n"))
    expect_lines(oracle.awk("END { print NR }", flat_packages), { tostring(Package:count()) })
    expect_lines(oracle.awk("!($5 in s) { s[$5]; n++ } END { print n }", flat_packages),
      { tostring(Maintainer:count()) })
    expect_lines(oracle.awk("$4 != \"\" && !($4 in s) { s[$4]; n++ } END { print n }", flat_packages),
      { tostring(Section:count()) })
  end)

  it("the ten largest packages of a section, those of unknown size last", function()
    local section = some_section()
    local ours = Package:in_section(section.id):largest():order_by("version"):limit(10):all()
    local theirs = oracle.awk(('$4 == %q { print ($8 == "" ? -1 : $8), $1, $2, $8 }'):format(section.label),
      flat_packages, "| sort -t '\t' -k1,1nr -k2,2 -k3,3 | head -n 10 | cut -f 2-")
    expect_lines(theirs, lines_of(ours, "name", "version", "installed_kib"))
  end)

  it("maintainers of many packages", function()
    local ours = Package:select("maintainer_id"):select_raw("count(*) as n"):group_by("maintainer_id")
      :having_raw("count(*) >= ?", 20):all()
    local names = Maintainer:where_in("id", ours:pluck("maintainer_id")):pluck("name", "id")
    local lines = ours:map(function(row) return names[row.maintainer_id] .. "\t" .. row.n end)
    table.sort(lines)
    local theirs = oracle.awk([[
      { n[$5]++ }
      END { for (who in n) if (n[who] >= 20) { name = who; sub(/ <[^>]*>$/, "", name); print name, n[who] } }
    ]], flat_packages, "| sort")
    expect_lines(theirs, { table.unpack(lines) })
  end)

  it("sizes in sum, on average, least and most", function()
    local section = some_section()
    local of_section = Package:in_section(section.id)
    local sum, avg, min, max = of_section:sum("installed_kib"), of_section:avg("installed_kib"),
      of_section:min("installed_kib"), of_section:max("installed_kib")
    expect_lines(oracle.sqlite(database, ("select sum(installed_kib), printf('%%.4f', avg(installed_kib)), "
      .. "min(installed_kib), max(installed_kib) from packages where section_id = %d"):format(section.id)),
      { ("%d\t%.4f\t%d\t%d"):format(sum, avg, min, max) })
  end)

  it("names by pattern, in which % is any text and _ one character", function()
    for pattern, regex in pairs {
      ["lib%-dev"] = "^lib.*-dev$", ["_____"] = "^.....$", ["%++%"] = "[+][+]", ["lib_-%"] = "^lib.-",
      ["LIB%"] = "^LIB",
    } do
      expect_lines(oracle.awk(("$1 ~ /%s/ { print $1, $2, $3 }"):format(regex), flat_packages, "| sort"),
        lines_of(Package:where_like("name", pattern):listed():all(), "name", "version", "architecture"), pattern)
    end
  end)

  it("summaries by pattern, with and without regard to case", function()
    for pattern, word in pairs { ["%Debian%"] = "Debian", ["%debian%"] = "debian", ["%SQLite%"] = "SQLite" } do
      expect_lines(oracle.awk(("index($13, %q) { n++ } END { print n + 0 }"):format(word), flat_packages),
        { tostring(Package:where("summary", "like", pattern):count()) }, pattern)
      local any_case = ("index(tolower($13), tolower(%q)) { n++ } END { print n + 0 }"):format(word)
      expect_lines(oracle.awk(any_case, flat_packages),
        { tostring(Package:where("summary", "ilike", pattern):count()) }, pattern)
    end
  end)

  it("which packages nothing depends on", function()
    local needed = Relation:where_in("kind", { "Depends", "Pre-Depends" }):select("name")
    local ours = Package:installed():where_not_in("name", needed):listed():all()
    expect_lines(oracle.sqlite(database, [[
      select name, version from packages
      where installed and name not in (select name from relations where kind in ('Depends', 'Pre-Depends'))
      order by name, version, architecture]]), lines_of(ours, "name", "version"))
  end)

  it("which sections have something essential", function()
    local essential = Package:where("essential", true):where_column("packages.section_id", "=", "sections.id")
    expect_lines(oracle.awk("$10 == 1 { print $4 }", flat_packages, "| sort -u"),
      lines_of(Section:where_exists(essential):order_by("name"):all(), "label"))
  end)

  it("what needs libc6 before it is unpacked, by a join", function()
    local ours = Package:join("relations", "relations.package_id", "=", "packages.id")
      :where("relations.kind", "Pre-Depends"):where("relations.name", "libc6")
      :select("packages.*")
      :order_by("packages.name"):order_by("packages.version"):order_by("packages.architecture"):all()
    expect_lines(oracle.awk('$4 == "Pre-Depends" && $7 == "libc6" { print $1, $2, $3 }', flat_relations, "| sort"),
      lines_of(ours, "name", "version", "architecture"))
  end)

  it("what a predicate in words says", function()
    local ours = Package:filter([[
      (installed_kib between :least and 20000 or name like 'gcc-%') and not available = true
    ]], { least = 10000 }):listed():all()
    local theirs = oracle.awk([[
      (($8 != "" && $8 >= 10000 && $8 <= 20000) || $1 ~ /^gcc-/) && !$12 { print $1, $2, $3 }
    ]], flat_packages, "| sort")
    expect_lines(theirs, lines_of(ours, "name", "version", "architecture"))
  end)

  it("packages whose source has another name, and the union with those of one letter", function()
    local ours = Package:select("id"):where("installed", true):where_has("source", function(source)
      return source:where_column("source_packages.name", "!=", "packages.name")
    end):union(Package:select("id"):where_like("name", "_")):pluck("id")
    expect_lines(oracle.awk([[
      ($1 != $6 && $11) || length($1) == 1 { n++ }
      END { print n + 0 }
    ]], flat_packages), { tostring(#ours) })
  end)

  it("a list of forty thousand names at once", function()
    local names = Package:distinct():order_by("name"):limit(40000):pluck("name")
    local wanted = {}
    for i, name in ipairs(names) do wanted[i] = name end
    for i = #wanted + 1, 40000 do wanted[i] = "no-such-package-" .. i end
    assert.equal(#names, Package:where_in("name", wanted):distinct():count("name"))
    expect_lines(oracle.awk("{ print $1 }", flat_packages, "| sort -u | head -n 40000"), { table.unpack(names) })
  end)
end)

describe("Pages", function()
  local listing, expected

  setup(function()
    listing = models.Package:where_like("name", "lib%"):listed()
    expected = oracle.awk("$1 ~ /^lib/ { print $1, $2, $3 }", flat_packages, "| sort")
  end)

  local function append(lines, page)
    for _, line in ipairs(lines_of(page.data, "name", "version", "architecture")) do lines[#lines + 1] = line end
  end

  it("with numbers make up the whole, and say where they are", function()
    local lines, number = {}, 0
    local page
    repeat
      number = number + 1
      page = listing:paginate(number, 97)
      assert.same({ #expected, 97, number, math.ceil(#expected / 97) },
        { page.total, page.per_page, page.current_page, page.last_page })
      assert.same({ (number - 1) * 97 + 1, (number - 1) * 97 + #page.data }, { page.from, page.to })
      append(lines, page)
    until not page.has_more
    assert.equal(page.last_page, number)
    expect_lines(expected, lines)
    assert.equal(0, #listing:paginate(number + 1, 97).data)
  end)

  it("without a total make up the whole", function()
    local lines, number = {}, 0
    local page
    repeat
      number = number + 1
      page = listing:simple_paginate(number, 101)
      append(lines, page)
    until not page.has_more
    expect_lines(expected, lines)
  end)

  it("with a cursor make up the whole forwards and backwards, over sizes that tie or are unknown", function()
    local by_size = models.Package:where_like("name", "lib_-%"):or_where_like("name", "liba%"):order_by("installed_kib")
    local theirs = oracle.sqlite(database, [[
      select id from packages where name like 'lib_-%' or name like 'liba%' order by installed_kib, id]])
    local forwards, page, last = {}, by_size:cursor_paginate { per_page = 89 }, nil
    assert.is_nil(page.prev_cursor)
    while page do
      for _, package in ipairs(page.data) do forwards[#forwards + 1] = tostring(package.id) end
      last = page
      page = page.next_cursor and by_size:cursor_paginate { per_page = 89, cursor = page.next_cursor }
    end
    expect_lines(theirs, forwards)

    local backwards = {}
    page = last
    while page do
      for i = #page.data, 1, -1 do table.insert(backwards, 1, tostring(page.data[i].id)) end
      page = page.prev_cursor and by_size:cursor_paginate { per_page = 89, cursor = page.prev_cursor }
    end
    expect_lines(theirs, backwards)
  end)
end)

require "spec.story.debian.graph"({ describe = describe, it = it, setup = setup }, function()
  return {
    rille = rille, models = models, folder = folder,
    packages = flat_packages, relations = flat_relations, provided = flat_provided,
  }
end)
