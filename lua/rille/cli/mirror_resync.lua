--- mirror:resync: copies all rows of sources to their mirrors, and compares them.
local text = require "rille.cli.text"

---@type rille.Command
return {
  summary = "copy all rows to mirrors, and compare them",
  details = "One moment of the source is copied; nothing stays set aside.  Who writes to the source does not wait.",
  json = true,
  arguments = require "rille.cli.mirrors".arguments,
  run = function(args, term)
    return require "rille.cli.mirrors".each(args, term, "mirror_resync", function(done)
      local left_out = done.left_out > 0 and (", %s without a primary key left out"):format(
        text.count(done.left_out, "table")) or ""
      return text.count(done.rows, "row") .. " copied" .. left_out
    end)
  end,
}
