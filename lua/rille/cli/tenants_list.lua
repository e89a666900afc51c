--- tenants:list: the tenants that have databases or schemas of their own, and what these take.
local text = require "rille.cli.text"

local function print_table(tenants, term)
  if #tenants == 0 then
    term:line "no tenants"
    return term:note "rille tenants:create SLUG makes one"
  end
  local widest, bytes = 6, 0
  for _, each in ipairs(tenants) do widest = math.max(widest, #each.slug) end
  term:line(term:paint("out", "bold", text.pad("tenant", widest) .. "         KiB  path"))
  for _, each in ipairs(tenants) do
    bytes = bytes + each.size_bytes
    local size = each.missing and term:paint("out", "red", "   missing") or ("%10.0f"):format(each.size_bytes / 1024)
    term:line(("%s  %s  %s"):format(text.pad(each.slug, widest), size, text.escape(each.path)))
  end
  term:note(("%s, %.1f MiB"):format(text.count(#tenants, "tenant"), bytes / (1 << 20)))
end

---@type rille.Command
return {
  summary = "list tenants that have databases or schemas of their own",
  json = true,
  run = function(_, term)
    require "rille.cli.tenants".need()
    local tenants = require "rille.tenant".list()
    term:report({ tenants = tenants }, function() print_table(tenants, term) end)
  end,
}
