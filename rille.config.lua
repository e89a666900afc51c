--- The demo publication in models/ and migrations/: where its database is. DATABASE_URL names another one.
return {
  default = "main",
  connections = {
    main = { driver = "sqlite", database = "build/demo.db" },
  },
}
