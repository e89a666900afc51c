--- recorder: a stream that keeps what is written to it, in `text`.
---@return { text: string }
return function()
  return {
    text = "",
    write = function(self, ...)
      self.text = self.text .. table.concat { ... }
      return self
    end,
  }
end
