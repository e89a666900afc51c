--- report: what run.sh measured, as a table or as JSON; usage: lua5.4 report.lua table|json RESULTS SETTINGS MACHINE.
-- RESULTS has a line for each run, "work=find side=raw ms=1.5 rows=3 …".  The sides are raw, rille, snapshot (rille
-- inside rille.snapshot), tuned (raw C with the choices rille makes: no mutexes, SQLite's archive), bare (raw C that
-- asks only for what the sum wants) and flat (rille without a memory map, so that what it keeps is all that its
-- memory grows by). Exit status 1 when a reach is missed or the two sides did not do the same.

local GROWTH_REACH_KIB = 10 * 1024

--- In the order of the table; `reach` is the largest ratio that is good enough.
local WORKS = {
  { name = "find", title = "find by primary key, 100,000 random ids", reach = 1.6 },
  { name = "all", title = "all 100,000 posts as objects, 3 attributes read", reach = 1.9 },
  { name = "query", title = "4 conditions, order, limit 10, built 20,000 times", reach = 1.4 },
  { name = "create", title = "10,000 create with timestamps, 1 transaction", reach = 2.2 },
  { name = "insert", title = "100,000 rows by insert", reach = 1.5 },
  { name = "save", title = "load, change one attribute, save, 10,000 times", reach = 2.0 },
  { name = "cursor", title = "1,000,000 rows through cursor(), 1 column summed", reach = 1.6 },
  { name = "start", title = "start of the process to the first row", reach = 3.5 },
  { name = "graph", title = "1,000 users, their 10,000 posts, their tags: with()", reach = 2.0 },
  { name = "lazy", title = "the same, each relation loaded when it is read", reach = 2.3 },
  { name = "json", title = "to_json of 10,000 posts, each with its author", reach = 2.5 },
  { name = "hooked", title = "10,000 create, each with 2 hooks and 3 rules", reach = 3.5 },
  { name = "visit", title = "2,000 databases opened, asked and closed by a pool of 1", reach = 1.3 },
  { name = "full", title = "the same by a pool of 100 that is full", reach = 1.3 },
  { name = "mirror_insert", title = "10,000 mirrored inserts, beside such that are not", reach = 1.6 },
  { name = "mirror_update", title = "10,000 mirrored updates, beside such that are not", reach = 1.6 },
  { name = "hot", title = "200,000 queries in 100 tenants' databases in turn", reach = 8.0 },
  { name = "stock", title = "200 tenants made from the template, against files copied as safely", reach = 1.5 },
  { name = "pg_find", title = "PostgreSQL: find by primary key, 20,000 random ids", reach = 1.25 },
  { name = "pg_all", title = "PostgreSQL: all 100,000 posts, 3 attributes read", reach = 1.6 },
  { name = "pg_query", title = "PostgreSQL: 4 conditions, order, limit 10, 5,000 times", reach = 1.25 },
  { name = "pg_create", title = "PostgreSQL: 10,000 create, 1 transaction", reach = 1.4 },
  { name = "pg_insert", title = "PostgreSQL: 100,000 rows by insert, against COPY", reach = 1.67 },
  { name = "pg_graph", title = "PostgreSQL: 1,000 users, their posts, their tags: with()", reach = 1.6 },
  { name = "pg_cursor", title = "PostgreSQL: 1,000,000 rows through cursor(), 1 column summed", reach = 1.5 },
}

--- Works of tenants against the same in rille without: `reach` is the largest ratio to the condition written by hand,
--- `us` how much longer each of `count` may take in the fastest rounds.
local PAIRS = {
  { name = "hit", title = "200,000 finds in 100 tenants' databases", count = 200000, us = 2,
    hand = "a model for each database" },
  { name = "row_find", title = "100,000 finds in a table of 10 tenants", reach = 1.05, hand = "by hand" },
  { name = "row_query", title = "20,000 queries there, order, limit 10", reach = 1.05, hand = "by hand" },
  { name = "pg_token", title = "PostgreSQL: 2,000 commits in a session, each with its token", reach = 1.2,
    hand = "without a session" },
  { name = "pg_replica", title = "PostgreSQL: 10,000 finds in a session, at a replica that has caught up", reach = 1.15,
    hand = "at that replica alone" },
  { name = "row_create", title = "10,000 creates there in a transaction", reach = 1.05, hand = "by hand" },
}

--- Random visits to many tenants: how much memory they may take and how many files may be open.
-- Collector and allocator swing within 6 MiB, until some 150,000 visits; 280 bytes lost at each would be more.
local WANDER = { name = "wander", title = "30,000 random visits to 10,000 tenants, 500 open", growth_kib = 8 * 1024,
  files = 500 * 4 + 50 }

--- What has no counterpart in C: `rate` is the least number of rows in a second that is good enough, `rows` how many
--- there must be, and `check` what the independent program must find.
local RATES = {
  { name = "factory", title = "a factory makes 10,000 users with 3 posts each", rate = 20000, rows = 40000,
    check = "count:130000," },
  { name = "mirror_apply", title = "20,000 changes applied to a mirror", rate = 20000, rows = 20000,
    check = "count:110000," },
}

---@return table<string, table<string, table[]>>  runs by work and side
local function read_results(path)
  local results = setmetatable({}, { __index = function(all, work)
    all[work] = {}
    return all[work]
  end })
  for line in io.lines(path) do
    local run = {}
    for key, value in line:gmatch "([%w_]+)=(%S+)" do run[key] = value end
    local sides = results[run.work]
    sides[run.side] = sides[run.side] or {}
    table.insert(sides[run.side], run)
  end
  return results
end

local function numbers(runs, key)
  local list = {}
  for i, run in ipairs(runs) do list[i] = assert(tonumber(run[key]), key) end
  table.sort(list)
  return list
end

local function median(sorted)
  local middle = #sorted // 2
  return #sorted % 2 == 1 and sorted[middle + 1] or (sorted[middle] + sorted[middle + 1]) / 2
end

---@return { ms: number, best_ms: number, spread: number, peak_kib: integer|nil }|nil  ms is the median
local function summary(runs)
  if not runs then return nil end
  local ms = numbers(runs, "ms")
  local mid = median(ms)
  return {
    ms = mid, best_ms = ms[1], spread = (ms[#ms] - ms[1]) / mid,
    peak_kib = runs[1].peak_kib and math.tointeger(numbers(runs, "peak_kib")[#runs]),
  }
end

--- What a run says about its outcome, whoever did it.
local function outcome(run)
  return ("rows=%s sum=%s %s"):format(run.rows, run.sum, run.check or "")
end

---@return string[]  a sentence for each run whose outcome is not that of the first raw one
local function differences(name, sides)
  local list = {}
  local expected = sides.raw and outcome(sides.raw[1])
  for side, runs in pairs(sides) do
    for _, run in ipairs(runs) do
      if outcome(run) ~= expected then
        list[#list + 1] = ("%s: %s has %s, raw C %s"):format(name, side, outcome(run), expected)
        break
      end
    end
  end
  table.sort(list)
  return list
end

---@return table  all that is known of a work, or nil when it was not measured
local function judge(work, sides)
  if not (sides.raw and sides.rille) then return nil end
  local row = {
    work = work.name, title = work.title, reach = work.reach, rounds = #sides.rille,
    raw = summary(sides.raw), rille = summary(sides.rille), snapshot = summary(sides.snapshot),
    tuned = summary(sides.tuned), bare = summary(sides.bare),
    growth_kib = sides.flat and math.tointeger(numbers(sides.flat, "growth_kib")[#sides.flat]),
    differences = differences(work.name, sides),
  }
  row.ratio = row.rille.ms / row.raw.ms
  row.best_ratio = row.rille.best_ms / row.raw.best_ms
  if row.snapshot then row.snapshot.ratio = row.snapshot.ms / row.raw.ms end
  for _, side in ipairs { "tuned", "bare" } do
    if row[side] then row[side].ratio = row.rille.ms / row[side].ms end
  end
  row.flat = row.growth_kib == nil or row.growth_kib < GROWTH_REACH_KIB
  row.ok = row.ratio <= row.reach and row.flat and #row.differences == 0
  return row
end

---@return table|nil  the same of a work of RATES
local function judge_rate(work, sides)
  if not sides.rille then return nil end
  local row = { work = work.name, title = work.title, reach = work.rate, differences = {} }
  for _, run in ipairs(sides.rille) do
    if tonumber(run.rows) ~= work.rows or not run.check:find(work.check, 1, true) then
      row.differences[1] = ("%s: rille has %s, wanted rows=%d %s"):format(work.name, outcome(run), work.rows,
        work.check)
    end
  end
  row.rille = summary(sides.rille)
  row.rows_a_second = work.rows / row.rille.ms * 1000
  row.ok = row.rows_a_second >= work.rate and #row.differences == 0
  return row
end

--- The same of a work of PAIRS.
local function judge_pair(work, sides)
  if not (sides.rille and sides.hand) then return nil end
  sides.raw = sides.hand                                 -- whose outcome must be the same
  local row = { work = work.name, title = work.title, reach = work.reach, us_reach = work.us, hand_is = work.hand,
    rille = summary(sides.rille), hand = summary(sides.hand), none = summary(sides.none),
    differences = differences(work.name, sides) }
  row.ratio = row.rille.ms / row.hand.ms
  row.best_ratio = row.rille.best_ms / row.hand.best_ms
  row.none_ratio = row.none and row.rille.ms / row.none.ms
  row.us = work.count and (row.rille.best_ms - row.hand.best_ms) * 1000 / work.count
  row.ok = (not work.reach or row.ratio <= work.reach) and (not work.us or row.us <= work.us)
    and #row.differences == 0
  return row
end

--- The same of WANDER.
local function judge_wander(work, sides)
  if not sides.rille then return nil end
  local growth, files = numbers(sides.rille, "growth_kib"), numbers(sides.rille, "files")
  local row = { work = work.name, title = work.title, rille = summary(sides.rille), differences = {},
    growth_kib = math.tointeger(growth[#growth]), files = math.tointeger(files[#files]) }
  row.ok = row.growth_kib <= work.growth_kib and row.files <= work.files
  return row
end

local function print_json(report)
  print(require("dkjson").encode(report, { indent = true }))
end

local function mib(kib) return kib and ("%.0f"):format(kib / 1024) or "-" end
local function ms(side) return side and ("%.1f"):format(side.ms) or "-" end
local function ratio(value) return value and ("%.2f"):format(value) or "-" end

--- Columns of the table: heading and what stands in it.
local COLUMNS = {
  { "work", function(row) return row.title end },
  { "raw C ms", function(row) return ms(row.raw) end },
  { "rille ms", function(row) return ms(row.rille) end },
  { "ratio", function(row) return ratio(row.ratio) end },
  { "reach", function(row) return ("%.4g"):format(row.reach) end },
  { "ok", function(row) return row.ok and "yes" or "NO" end },
  { "| of best", function(row) return ratio(row.best_ratio) end },
  { "| snapshot ms", function(row) return ms(row.snapshot) end },
  { "ratio", function(row) return ratio(row.snapshot and row.snapshot.ratio) end },
  { "| spread %", function(row) return ("%.0f / %.0f"):format(row.raw.spread * 100, row.rille.spread * 100) end },
  { "peak MiB", function(row) return mib(row.raw.peak_kib) .. " / " .. mib(row.rille.peak_kib) end },
}

local function print_table(report)
  local lines, widths = { {} }, {}
  for i, column in ipairs(COLUMNS) do lines[1][i] = column[1] end
  for _, row in ipairs(report.works) do
    local line = {}
    for i, column in ipairs(COLUMNS) do line[i] = column[2](row) end
    lines[#lines + 1] = line
  end
  for i in ipairs(COLUMNS) do
    widths[i] = 0
    for _, line in ipairs(lines) do widths[i] = math.max(widths[i], #line[i]) end
  end
  for _, line in ipairs(lines) do
    for i, text in ipairs(line) do
      local gap = (" "):rep(widths[i] - #text)
      line[i] = i == 1 and text .. gap or gap .. text
    end
    print(table.concat(line, "  "))
  end
end

--- What tenants cost beside the same without them.
local function print_pairs(report)
  for _, row in ipairs(report.pairs) do
    local parts = { ("%s: %.1f ms"):format(row.title, row.rille.ms),
      ("%s %.1f ms (%.2f times that, %.2f of best)"):format(row.hand_is, row.hand.ms, row.ratio, row.best_ratio) }
    if row.none then
      parts[#parts + 1] = ("without tenants %.1f ms (%.2f)"):format(row.none.ms, row.none_ratio)
    end
    parts[#parts + 1] = row.us
      and ("%.2f us more for each in the fastest rounds (reach %d)"):format(row.us, row.us_reach)
      or ("reach %.2f"):format(row.reach)
    print(table.concat(parts, "; ") .. ": " .. (row.ok and "yes" or "NO"))
    for _, difference in ipairs(row.differences) do print("DIFFERENT " .. difference) end
  end
  for _, row in ipairs(report.wanders) do
    print(("%s: peak memory grew by %d KiB after as many before, %d files open: %s"):format(row.title,
      row.growth_kib, row.files, row.ok and "yes" or "NO"))
  end
end

--- What does not fit into the table.
local function print_notes(report)
  for _, row in ipairs(report.rates) do
    print(("%s: %.0f rows a second (reach: at least %d): %s"):format(row.title, row.rows_a_second, row.reach,
      row.ok and "yes" or "NO"))
    for _, difference in ipairs(row.differences) do print("DIFFERENT " .. difference) end
  end
  for _, row in ipairs(report.works) do
    if row.growth_kib then
      print(("%s: peak memory grew by %.1f MiB without a memory map (reach: below %.0f): %s"):format(
        row.work, row.growth_kib / 1024, GROWTH_REACH_KIB / 1024, row.flat and "yes" or "NO"))
    end
    if row.bare then
      print(("%s: C that asks of each row only for the summed column: %.1f ms, rille %.2f times that"):format(
        row.work, row.bare.ms, row.bare.ratio))
    end
    if row.tuned then
      print(("%s: C without mutexes and linked as rille is: %.1f ms, rille %.2f times that"):format(
        row.work, row.tuned.ms, row.tuned.ratio))
    end
    for _, difference in ipairs(row.differences) do print("DIFFERENT " .. difference) end
  end
end

local function main(form, path, settings, machine)
  local results = read_results(path)
  local report = { settings = settings, machine = machine, works = {}, rates = {}, pairs = {}, wanders = {},
    ok = true, same = true }
  local function add(list, row)
    if not row then return end
    list[#list + 1] = row
    report.ok = report.ok and row.ok
    report.same = report.same and #row.differences == 0
  end
  for _, work in ipairs(WORKS) do add(report.works, judge(work, results[work.name])) end
  for _, work in ipairs(RATES) do add(report.rates, judge_rate(work, results[work.name])) end
  for _, work in ipairs(PAIRS) do add(report.pairs, judge_pair(work, results[work.name])) end
  add(report.wanders, judge_wander(WANDER, results.wander))
  assert(#report.works + #report.rates + #report.pairs + #report.wanders > 0, "nothing was measured")
  if form == "json" then
    print_json(report)
  else
    print("Both sides: " .. settings)
    print("Raw C is what one writes by hand: SQLite opened by sqlite3_open and linked by -lsqlite3, PostgreSQL by")
    print("libpq, prepared and in binary; " .. machine .. ".")
    print("Times are medians of alternating rounds; \"of best\" is the ratio of the fastest rounds, which other work")
    print("on the machine disturbs least; snapshot is rille inside rille.snapshot; spread, (slowest - fastest) /")
    print("median, and peak memory, mapped pages included, are those of raw C / rille.\n")
    if #report.works > 0 then print_table(report) end
    print()
    print_notes(report)
    print_pairs(report)
  end
  return report.ok and 0 or report.same and 1 or 3
end

os.exit(main(...))
