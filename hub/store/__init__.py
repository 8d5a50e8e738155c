"""The hub's database: SQLite by default, PostgreSQL by URL. The only package that knows SQLAlchemy."""

from .database import Database, StoreError, Transaction

__all__ = ["Database", "StoreError", "Transaction"]
