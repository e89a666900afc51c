--- session.place: the tokens of one database, compared.  core/run/token.h says how they are written.
local M = {}

--- Bytes of the token of one database.
M.BYTES = 71

-- "r1.<cluster>.<epoch>.<nonce>.", behind which tokens of one epoch differ by their position alone.
local EPOCH_BYTES <const> = 38

--- Which database a token speaks of.
---@param part string
---@return string
function M.cluster(part) return part:sub(4, 19) end

--- Are both of one epoch, so that the texts are ordered as the places are?
---@param a string
---@param b string
---@return boolean
function M.comparable(a, b) return M.epoch(a) == M.epoch(b) end

--- What the tokens of one epoch begin with, and no others.
---@param part string
---@return string
function M.epoch(part) return part:sub(1, EPOCH_BYTES) end

--- Is what `wanted` saw there at `place`?  nil where their epochs differ, so that only a database can tell.
---@param place string
---@param wanted string
---@return boolean?
function M.reaches(place, wanted)
  if not M.comparable(place, wanted) then return nil end
  return place >= wanted
end

return M
