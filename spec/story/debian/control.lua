--- control: reads Debian's control files: stanzas of fields, divided by blank lines.
local control = {}

---@alias debian.Stanza table<string, string>  a field's name -> its text; further lines follow after "\n"

--- The stanzas of a text that comes line by line, one table each, as the text has them.
---@param lines fun(): string?   for example io.lines(path)
---@return fun(): debian.Stanza?
function control.stanzas(lines)
  local ended = false                    -- who reads a file must not ask again after its end
  return function()
    if ended then return nil end
    local stanza, last
    for line in lines do
      if line == "" then
        if stanza then return stanza end
      elseif line:find "^[ \t]" then
        assert(last, "a control file cannot begin with a continued line")
        stanza[last] = stanza[last] .. "\n" .. line
      else
        local field, value = line:match "^([^:%s]+):[ \t]*(.-)[ \t]*$"
        assert(field, "neither a field nor a continued line: " .. line)
        stanza = stanza or {}
        stanza[field], last = value, field
      end
    end
    ended = true
    return stanza
  end
end

return control
