--- first: a whole program: opens the database, reads the first user through a model, prints the name.
local path = ...
local rille = require "rille"

rille.configure { default = "main", connections = {
  main = { driver = "sqlite", database = path, synchronous = os.getenv "BENCH_SYNCHRONOUS" or "normal" },
} }

local User = rille.model "User" {}

print(User:first().name)
