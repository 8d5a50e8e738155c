"""The hub's database: SQLite by default, PostgreSQL by URL. The only package that knows SQLAlchemy."""

from . import (  # noqa: F401  (tables that belong to the metadata of `rows`)
    case_rows,
    category_rows,
    device_rows,
    learning_rows,
    supervision_rows,
)
from .database import UNUSABLE, Database, StoreError, Transaction, why_unusable
from .readings import ReadingStore

__all__ = ["UNUSABLE", "Database", "ReadingStore", "StoreError", "Transaction", "why_unusable"]
