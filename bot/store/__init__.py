"""The store: all SQL statements of the program, for SQLite (the default) and PostgreSQL."""
