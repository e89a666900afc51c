-- .luacheckrc: plain Lua 5.4, no globals of our own; specs also know busted's words.
std = "lua54"
max_line_length = 120
exclude_files = { "build" }

files["spec"] = { std = "+busted" }
files["host/limited.lua"] = { ignore = { "12.", "211/_ENV" } }      -- takes globals away: that is its purpose
