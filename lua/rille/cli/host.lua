--- host: what the program knows of itself; nothing where rille runs in a stock Lua.

local ok, host = pcall(require, "rille.host")

---@type { program?: string, version?: string }
return ok and host or {}
