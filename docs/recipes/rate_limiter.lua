--- rate_limiter: at most so many of something in any span of time, for each key, however many processes ask at once.
--
--   local RateLimiter = require "docs.recipes.rate_limiter"        -- or wherever you put your copy
--   local logins = RateLimiter.new(rille.db "limits", { max = 5, window_ms = 60000 })
--   local allowed, remaining, retry_after_ms = logins:take("203.0.113.7")
--
-- The window slides: a take counts until it is `window_ms` old, so there is no edge between two windows at which twice
-- as many would pass.  Counting and recording are one write transaction, begun as such: who counts has the lock
-- already, and so nobody else takes the same last place.  Who is refused is told by a read, which waits for nobody and
-- writes nothing: a flood of them holds up no one else.  Each take that is recorded deletes a few that no longer count,
-- so the table stays about as long as what counts, and no take pays for the past of others.
--
-- Give it a database of its own, with `synchronous = "normal"`: a commit then waits for no disk, and a power loss
-- forgets the last takes at worst.  In the database of your models a take would be undone with the transaction around
-- it, and refused where tenants share that database: this is SQL, and nobody knows whose rows it reads.
--
-- The time is the system's clock, read behind the lock.  One that is set back makes it refuse longer, never allow more.
-- A database that stays busy raises, as anywhere; whether that means yes or no is the caller's to say.
--
-- One process on a busy machine with two cores, 100 a second for each of 1,000 keys: 6,500 takes in a second; 12,700
-- where nearly all are refused.  With `synchronous = "full"`, 250: as often as the disk says that it has written.
local RateLimiter = {}
RateLimiter.__index = RateLimiter

local PRUNED = 16                -- rows that no longer count, deleted with each that is added

local TABLES = {
  [[create table if not exists rate_limits (
      limiter text not null, key text not null, until_ms integer not null, n integer not null,
      primary key (limiter, key, until_ms)
    ) without rowid]],
  "create index if not exists rate_limits_until on rate_limits (until_ms)",
}

local NOW = "select cast((julianday('now') - 2440587.5) * 86400000 as integer) as ms"

local USED = [[select coalesce(sum(n), 0) as used from rate_limits
  where limiter = :limiter and key = :key and until_ms > :now]]

-- When enough of the oldest takes will no longer count.
local FREE_AT = [[select min(until_ms) as ms from (
    select until_ms, sum(n) over (order by until_ms) as freed from rate_limits
    where limiter = :limiter and key = :key and until_ms > :now
  ) where freed >= :needed]]

local RECORD = [[insert into rate_limits (limiter, key, until_ms, n) values (:limiter, :key, :now + :window, :n)
  on conflict (limiter, key, until_ms) do update set n = n + excluded.n]]

local PRUNE = [[delete from rate_limits where (limiter, key, until_ms) in (
    select limiter, key, until_ms from rate_limits where until_ms <= :now order by until_ms limit :rows)]]

local function is_count(value) return math.type(value) == "integer" and value >= 1 end

--- A limiter; what it needs in the database is made when it is not there.
---@param db rille.Handle
---@param options { max: integer, window_ms: integer, name: string?, now_ms: (fun(): integer)? }
-- Limiters of one `name` count together.  Without one they are those with the same `max` and `window_ms`, so that "10 a
-- second" and "1000 an hour" may both ask for the same key.  `now_ms` is another clock, for tests.
---@return RateLimiter
function RateLimiter.new(db, options)
  local max, window_ms = options.max, options.window_ms
  if not is_count(max) or not is_count(window_ms) then error("max and window_ms are whole numbers, at least 1", 2) end
  for _, sql in ipairs(TABLES) do db:execute(sql) end
  return setmetatable({
    db = db, max = max, window_ms = window_ms, name = options.name or ("%d/%d"):format(max, window_ms),
    now_ms = options.now_ms or function() return db:query(NOW)[1].ms end,
  }, RateLimiter)
end

--- What is left after a take of `n`; where there is not enough, what is left now and how long to wait.
---@return integer remaining, integer? retry_after_ms, integer now
local function look(self, key, n)
  local now = self.now_ms()
  local used = self.db:query(USED, { limiter = self.name, key = key, now = now })[1].used
  local needed = used + n - self.max
  if needed <= 0 then return -needed, nil, now end
  local free_at = self.db:query(FREE_AT, { limiter = self.name, key = key, now = now, needed = needed })[1].ms
  return math.max(0, self.max - used), (free_at or now) - now, now         -- none: it got free between the two reads
end

local function record(self, key, n)
  local remaining, retry_after_ms, now = look(self, key, n)
  if not retry_after_ms then
    self.db:execute(RECORD, { limiter = self.name, key = key, now = now, window = self.window_ms, n = n })
    self.db:execute(PRUNE, { now = now, rows = PRUNED })
  end
  return remaining, retry_after_ms
end

--- Take `n` places of a key: all of them or none.
---@param key string
---@param n? integer  1 when absent; at most `max`
---@return boolean allowed
---@return integer remaining       places that are left
---@return integer retry_after_ms  when there will be `n`, if nobody else takes them; 0 when allowed
function RateLimiter:take(key, n)
  n = n or 1
  if type(key) ~= "string" then error("take: the key is a text", 2) end
  if not is_count(n) or n > self.max then error(("take: n is a whole number from 1 to %d"):format(self.max), 2) end
  local remaining, retry_after_ms = look(self, key, n)
  if not retry_after_ms then
    remaining, retry_after_ms = self.db:transaction(function() return record(self, key, n) end)
  end
  return retry_after_ms == nil, remaining, retry_after_ms or 0
end

return RateLimiter
