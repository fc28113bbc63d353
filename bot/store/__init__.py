"""Every SQL statement of the product; SQLite by default, PostgreSQL for several machines."""
