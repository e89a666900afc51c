--- dependency: takes Debian's relationship fields apart: `a (>= 1) | b:any, c` is two groups, the first with a choice.
local dependency = {}

--- The fields that name other packages, in the order in which they are stored.
dependency.KINDS = {
  "Pre-Depends", "Depends", "Recommends", "Suggests", "Enhances", "Breaks", "Conflicts", "Replaces",
}

---@class debian.Relation
---@field position integer      which group of the field, from 1; all groups must hold
---@field alternative integer   which choice within the group, from 1; one of them must hold
---@field name string
---@field qualifier string?     "any" in "python3:any"
---@field operator string?      << <= = >= >>
---@field version string?

--- All relations of one field, in order.
---@param text string
---@return debian.Relation[]
function dependency.parse(text)
  local relations = {}
  local position = 0
  for group in text:gmatch "[^,]+" do
    if group:find "%S" then
      position = position + 1
      local alternative = 0
      for choice in group:gmatch "[^|]+" do
        alternative = alternative + 1
        local name, rest = choice:match "^%s*([^%s:(]+)(.*)$"
        assert(name, "no package is named in: " .. text)
        local operator, version = rest:match "%(%s*([<>=]+)%s*([^%s)]+)%s*%)"
        relations[#relations + 1] = {
          position = position, alternative = alternative, name = name,
          qualifier = rest:match "^:([%w-]+)", operator = operator, version = version,
        }
      end
    end
  end
  return relations
end

return dependency
