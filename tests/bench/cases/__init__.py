"""A year of a whole district in the real tables, on SQLite and PostgreSQL, and how long people wait in it."""
