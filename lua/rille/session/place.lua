--- session.place: the tokens of one database, compared.  core/run/token.h says how they are written.
local sub = string.sub               -- of each statement at the primary

local M = {}

--- Bytes of the token of one database.
M.BYTES = 88

-- "r2.<cluster>.<epoch>.<nonce>.<position>.<bound>."
local EPOCH_BYTES <const> = 38
local POSITION_BYTES <const> = 54

--- Is it a token, and not only what one begins with?
---@param part string
---@return boolean
function M.is_signed(part) return #part == M.BYTES end

--- Which database a token speaks of.
---@param part string
---@return string
function M.cluster(part) return sub(part, 4, 19) end

--- Are both of one epoch, so that the texts are ordered as the places are?
---@param a string
---@param b string
---@return boolean
function M.comparable(a, b) return M.epoch(a) == M.epoch(b) end

--- What the tokens of one epoch begin with, and no others.
---@param part string
---@return string
function M.epoch(part) return sub(part, 1, EPOCH_BYTES) end

--- What was seen at a replica are transactions with numbers below this one; 0: it was seen at the primary.
---@param part string
---@return integer
function M.bound(part) return tonumber(part:sub(POSITION_BYTES + 2, POSITION_BYTES + 17), 16) end

--- Is what `wanted` saw there at `place`?  nil where their epochs differ, so that only a database can tell.
---@param place string
---@param wanted string
---@return boolean?
function M.reaches(place, wanted)
  if sub(place, 1, EPOCH_BYTES) ~= sub(wanted, 1, EPOCH_BYTES) then return nil end
  return place >= wanted or sub(place, 1, POSITION_BYTES) >= sub(wanted, 1, POSITION_BYTES)
end

return M
