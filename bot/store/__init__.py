"""Every SQL statement of the product; SQLite by default, PostgreSQL for several machines."""

from bot.store import without_orm

__all__ = ["without_orm"]
