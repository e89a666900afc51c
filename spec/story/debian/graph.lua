--- graph: what debian_spec asks of relations: who needs whom, who provides what; awk answers from the texts alone.
-- Each question is a fixed number of statements, however many packages there are.
local assert = require "luassert"
local lines = require "spec.story.debian.lines"
local oracle = require "spec.story.debian.oracle"
local testing = require "rille.testing"

local NEEDED = "$4 ~ /^(Pre-)?Depends$/"     -- of a line of the file of relations
local CHUNK_PACKAGES = 4000
local GRAPH_MIB_MAX = 64                     -- of Lua's memory while the whole graph goes by

---@class debian.Context
---@field rille table
---@field models table<string, table>
---@field folder string
---@field packages string    file of flat.awk
---@field relations string
---@field provided string

---@param busted { describe: function, it: function, setup: function }
---@param context fun(): debian.Context  known when the specs run
return function(busted, context)
  local describe, it, setup = busted.describe, busted.it, busted.setup
  local rille, packages, relations, provided
  local Package, Name, Provision, SourcePackage, Maintainer

  setup(function()
    local known = context()
    rille, packages, relations, provided = known.rille, known.packages, known.relations, known.provided
    Package, Name, Provision = known.models.Package, known.models.Name, known.models.Provision
    SourcePackage, Maintainer = known.models.SourcePackage, known.models.Maintainer
  end)

  --- Runs `fn`, which shall send so many statements, and gives what it gives.
  local function in_statements(count, fn)
    local result
    local sent, statements = testing.count(function() result = fn() end)
    local texts = {}
    for i, statement in ipairs(statements) do texts[i] = statement.sql:sub(1, 100) end
    assert.equal(count, sent, table.concat(texts, "\n"))
    return result
  end

  --- Tells awk a set of texts: `(x in NAME)`.
  local function awk_set(name, texts)
    local said = {}
    for i, text in ipairs(texts) do said[i] = ("%s[%q]"):format(name, text) end
    return ("BEGIN { %s } "):format(table.concat(said, "; "))
  end

  local function expect_count(theirs, query) lines.expect(theirs, { tostring(query:count()) }) end

  describe("Who needs whom", function()
    local function most_needed(count)
      return Package:with_count("dependents"):order_by_desc("dependents_count"):listed():limit(count)
        :with("maintainer"):all()
    end

    it("the ten packages that most others depend on, with their maintainers, in two statements", function()
      local ours = in_statements(2, function()
        return most_needed(10):map(function(one)
          return { one.dependents_count, one.name, one.version, one.architecture, one.maintainer.address }
        end)
      end)
      local theirs = oracle.awk("NR == FNR { if (" .. NEEDED .. [[) n[$7]++; next }
        { print n[$1] + 0, $1, $2, $3, $5 }]], { relations, packages },
        "| sort -t '\t' -k1,1nr -k2,2 -k3,3 -k4,4 | head -n 10")
      lines.expect(theirs, lines.of(ours, 1, 2, 3, 4, 5))
    end)

    it("a hundred take as many statements as ten", function()
      assert.equal(100, #in_statements(2, function() return most_needed(100) end))
    end)

    it("who depends on the ten, and who cares for those, as a list of reverse dependencies", function()
      local top = most_needed(10)
      local ours, seen = {}, {}
      in_statements(2, function()
        top:load { dependents = function(query) return query:select("id", "name", "maintainer_id") end,
                   ["dependents.maintainer"] = function(query) return query:select("id", "name") end }
        for _, target in ipairs(top) do
          for _, dependent in ipairs(target.dependents) do
            local line = ("%s\t%s\t%s"):format(target.name, dependent.name, dependent.maintainer.name)
            if not seen[line] then ours[#ours + 1], seen[line] = line, true end
          end
        end
      end)
      table.sort(ours)
      local theirs = oracle.awk(awk_set("top", top:pluck("name")) .. [[
        NR == FNR { who = $5; sub(/ <[^>]*>$/, "", who); of[$1, $2, $3] = who; next }
        ]] .. NEEDED .. [[ && $7 in top { print $7, $1, of[$1, $2, $3] }]], { packages, relations }, "| sort -u")
      lines.expect(theirs, ours)
    end)

    it("how a package mentions others is told by the pivot", function()
      local many = oracle.awk("{ n[$1 OFS $2 OFS $3]++ } END { for (it in n) print n[it], it }", relations,
        "| sort -t '\t' -k1,1nr -k2 | head -n 3 | cut -f 2-")
      for _, line in ipairs(many) do
        local name, version, architecture = line:match "^(.-)\t(.-)\t(.*)$"
        local package = Package:where { name = name, version = version, architecture = architecture }:sole()
        local ours = package.mentions:map(function(other)
          local pivot = other.pivot
          return { pivot.kind, pivot.position, pivot.alternative, other.name, pivot.qualifier, pivot.operator,
                   pivot.version }
        end)
        local theirs = oracle.awk(("NR == FNR { bearers[$1]++; next } $1 == %q && $2 == %q && $3 == %q { "
          .. "for (i = 1; i <= bearers[$7]; i++) print $4, $5, $6, $7, $8, $9, $10 }"):format(name, version,
          architecture), { packages, relations }, "| sort")
        ours = lines.of(ours, 1, 2, 3, 4, 5, 6, 7)
        table.sort(ours)
        lines.expect(theirs, { table.unpack(ours) }, name)
      end
    end)

    it("packages that need something essential, or much, or nothing that exists", function()
      expect_count(oracle.awk([[NR == FNR { if ($10 == 1) essential[$1]; next }
        ]] .. NEEDED .. [[ && $7 in essential { s[$1, $2, $3] } END { for (it in s) n++; print n + 0 }]],
        { packages, relations }), Package:where_has("dependencies", function(query)
        return query:where("packages.essential", true)
      end))
      local counted = [[NR == FNR { bearers[$1]++; all[$1, $2, $3]; next }
        ]] .. NEEDED .. [[ { n[$1, $2, $3] += bearers[$7] }
        END { for (it in all) c += (n[it] + 0 %s); print c + 0 }]]
      expect_count(oracle.awk(counted:format ">= 12", { packages, relations }),
        Package:where_has("dependencies", ">=", 12))
      expect_count(oracle.awk(counted:format "== 0", { packages, relations }),
        Package:where_doesnt_have("dependencies"))
    end)

    it("alternatives, and versions that must be exactly these, by the columns of the pivot", function()
      expect_count(oracle.awk([[NR == FNR { bearer[$1]; next }
        ]] .. NEEDED .. [[ && $7 in bearer && $6 > 1 && $9 == "=" { s[$1, $2, $3] }
        END { for (it in s) n++; print n + 0 }]], { packages, relations }),
        Package:where_has("dependencies", function(query)
          return query:where("relations.alternative", ">", 1):where("relations.operator", "=", "=")
        end))
    end)

    it("packages that need one whose maintainer is of a team, through two relations, in words and in calls", function()
      local theirs = oracle.awk([[NR == FNR { if ($5 ~ /^[^<]*Team/) team[$1]; next }
        ]] .. NEEDED .. [[ && $7 in team { s[$1, $2, $3] } END { for (it in s) n++; print n + 0 }]],
        { packages, relations })
      expect_count(theirs, Package:where_has("dependencies.maintainer", function(query)
        return query:where_like("name", "%Team%")
      end))
      expect_count(theirs, Package:filter("dependencies.maintainer.name like '%Team%'"))
    end)

    it("maintainers of the most packages, and how much these take", function()
      local ours = Maintainer:with_count("packages"):with_sum("packages", "installed_kib")
        :order_by_desc("packages_count"):order_by("name"):order_by("email"):limit(20):all()
      local theirs = oracle.awk([[{ n[$5]++; kib[$5] += $8 } END { for (who in n) print n[who], who, kib[who] }]],
        packages, "| sort -t '\t' -k1,1nr -k2,2 | head -n 20")
      lines.expect(theirs, lines.of(ours, "packages_count", "address", "packages_sum_installed_kib"))
    end)

    it("reading what is related, package by package, loads it for all at once", function()
      local ours = in_statements(4, function()
        local sections = {}
        for _, package in ipairs(Package:installed():listed():all()) do
          for _, needed in ipairs(package.dependencies) do
            local section = needed.section and needed.section.label or ""
            sections[section] = (sections[section] or 0) + (package.maintainer.id == needed.maintainer_id and 1 or 0)
          end
        end
        return sections
      end)
      local list = {}
      for section, count in pairs(ours) do list[#list + 1] = section .. "\t" .. count end
      table.sort(list)
      local theirs = oracle.awk([=[NR == FNR { who[$1, ++bearers[$1]] = $5; of[$1, bearers[$1]] = $4
          if ($11) installed[$1, $2, $3] = $5; next }
        ]=] .. NEEDED .. [=[ && ($1, $2, $3) in installed { for (i = 1; i <= bearers[$7]; i++)
          n[of[$7, i]] += (who[$7, i] == installed[$1, $2, $3]) }
        END { for (section in n) print section, n[section] }]=], { packages, relations }, "| sort")
      lines.expect(theirs, list)
    end)
  end)

  describe("The whole graph", function()
    it("of packages, their dependencies and maintainers goes by in bounded memory, three statements a chunk", function()
      local expected, peak_kib, chunks = context().folder .. "/graph.awk", 0, 0
      oracle.awk([=[NR == FNR { bearer[$1, ++bearers[$1]] = $2 OFS $3; maintainer[$1, $2, $3] = $5; next }
        ]=] .. NEEDED .. [=[ { for (i = 1; i <= bearers[$7]; i++)
          print $1, $2, $3, maintainer[$1, $2, $3], $4, $5, $6, $9, $10, $7, bearer[$7, i] }]=],
        { packages, relations }, "| sort >" .. expected)
      lines.expect_file(context().folder .. "/graph.rille", expected, function(file)
        collectgarbage()
        local before = collectgarbage "count"
        local statements = 0
        local stop = rille.on("query", function() statements = statements + 1 end)
        Package:with("dependencies", "maintainer"):chunk_by_id(CHUNK_PACKAGES, function(chunk)
          chunks = chunks + 1
          for _, package in ipairs(chunk) do
            local begin = ("%s\t%s\t%s\t%s"):format(package.name, package.version, package.architecture,
              package.maintainer.address)
            for _, needed in ipairs(package.dependencies) do
              local pivot = needed.pivot
              file:write(("%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n"):format(begin, pivot.kind, pivot.position,
                pivot.alternative, pivot.operator or "", pivot.version or "", needed.name, needed.version,
                needed.architecture))
            end
          end
          peak_kib = math.max(peak_kib, collectgarbage "count" - before)
        end)
        stop()
        assert.truthy(statements <= 3 * chunks + 1, statements)
      end)
      print(("\n-- the graph in %d chunks: Lua's memory grew by %.0f MiB at most"):format(chunks, peak_kib / 1024))
      assert.truthy(peak_kib / 1024 < GRAPH_MIB_MAX, peak_kib)
    end)
  end)

  describe("Who provides what", function()
    it("every name that a package provides, with its version", function()
      local expected = provided
      lines.expect_file(context().folder .. "/provided.rille", expected, function(file)
        Package:where_has("provides"):with("provides"):chunk_by_id(CHUNK_PACKAGES, function(chunk)
          for _, package in ipairs(chunk) do
            for _, name in ipairs(package.provides) do
              file:write(("%s\t%s\t%s\t%s\t%s\n"):format(package.name, package.version, package.architecture,
                name.name, name.pivot.version or ""))
            end
          end
        end)
      end)
    end)

    it("names that no package bears, those first that most packages provide", function()
      local ours = in_statements(1, function()
        return Name:virtual():with_count("packages"):order_by_desc("packages_count"):order_by("name"):limit(15):all()
      end)
      lines.expect(oracle.awk([[NR == FNR { bearer[$1]; next } !($4 in bearer) { n[$4]++ }
        END { for (it in n) print n[it], it }]], { packages, provided },
        "| sort -t '\t' -k1,1nr -k2,2 | head -n 15"), lines.of(ours, "packages_count", "name"))
    end)

    it("a name from a source that has it built and from packages that provide it, by one morph", function()
      local name = oracle.awk("NR == FNR { bearer[$1]; next } $4 in bearer && $4 != $1 { n[$4]++ } "
        .. "END { for (it in n) print n[it], it }", { packages, provided },
        "| sort -t '\t' -k1,1nr -k2,2 | head -n 1 | cut -f 2")[1]
      local ours = in_statements(4, function()
        local found = {}
        for _, provision in ipairs(Name:where("name", name):with("provisions.provider"):sole().provisions) do
          found[#found + 1] = rille.type(provision.provider) .. "\t" .. provision.provider.name
        end
        return found
      end)
      table.sort(ours)
      lines.expect(oracle.awk(([[NR == FNR { if ($1 == %q) source[$6]; next }
        $4 == %q { print "Package", $1 }
        END { for (it in source) print "SourcePackage", it }]]):format(name, name), { packages, provided },
        "| sort"), ours)
    end)

    it("sources that have the most packages built, each name once", function()
      local ours = SourcePackage:with_count("builds", "packages"):order_by_desc("builds_count"):order_by("name")
        :limit(20):all()
      lines.expect(oracle.awk([[{ all[$6]++ } !(($6, $1) in s) { s[$6, $1]; n[$6]++ }
        END { for (it in n) print n[it], it, all[it] }]], packages, "| sort -t '\t' -k1,1nr -k2,2 | head -n 20"),
        lines.of(ours, "builds_count", "name", "packages_count"))
      local first = ours[1]
      assert.same(first.builds:pluck("name"), first:relation("packages"):distinct():select("name"):pluck("name"))
    end)

    it("nobody provides what nobody has heard of", function()
      assert.is_nil(Name:where("name", "no-such-name"):with("packages", "sources"):first())
      assert.equal(0, Provision:where_doesnt_have("called"):count())
    end)
  end)
end
