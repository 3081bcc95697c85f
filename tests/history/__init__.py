"""The store, on real databases: SQLite files and a PostgreSQL server that the tests start."""
