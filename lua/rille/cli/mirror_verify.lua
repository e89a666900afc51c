--- mirror:verify: compares all rows of sources with those of their mirrors.
local text = require "rille.cli.text"

---@type rille.Command
return {
  summary = "compare all rows with those of mirrors",
  details = "Nothing is changed.  What other programs wrote to either of them is found; mirror:resync mends it.  "
    .. "The exit status is 1 when something differs.",
  json = true,
  arguments = require "rille.cli.mirrors".arguments,
  run = function(args, term)
    return require "rille.cli.mirrors".each(args, term, "mirror_verify", function(done)
      local words = text.count(done.rows, "row") .. " compared"
      for _, each in ipairs(done.differing) do
        words = words .. (", %s of %s differs"):format(text.escape(each.table), text.escape(each.mirror))
      end
      return words
    end, function(done) return done.differing and #done.differing > 0 end)
  end,
}
