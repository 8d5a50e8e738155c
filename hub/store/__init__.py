"""The hub's database: SQLite by default, PostgreSQL by URL. The only package that knows SQLAlchemy."""

from .database import Database, StoreError, Transaction
from .readings import ReadingStore

__all__ = ["Database", "ReadingStore", "StoreError", "Transaction"]
