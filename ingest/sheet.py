"""Rows of a spreadsheet (.xlsx): the first line of the first sheet names the columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from .errors import InventoryError

MOST_ROWS = 200_000
MOST_COLUMNS = 100


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line below the heading with its number in the sheet, as texts and numbers; empty ones are left out.

    Raises InventoryError.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
        raise InventoryError(f"{path}: not a spreadsheet (.xlsx): {error}") from None
    try:
        lines = book.worksheets[0].iter_rows(values_only=True)
        heading = [str(cell).strip() if cell is not None else "" for cell in next(lines, ())][:MOST_COLUMNS]
        if not any(heading):
            raise InventoryError(f"{path}: the first line of the first sheet names no columns")
        for number, line in enumerate(lines, 2):
            if number > MOST_ROWS + 1:
                raise InventoryError(f"{path}: more than {MOST_ROWS} rows")
            values = {name: _plain(cell) for name, cell in zip(heading, line, strict=False) if name}
            if any(value not in (None, "") for value in values.values()):
                yield number, values
    finally:
        book.close()


def _plain(cell: Any) -> Any:
    """Spreadsheets make dates of what looks like one, and floats of ids."""
    if isinstance(cell, datetime | date):
        return cell.date().isoformat() if isinstance(cell, datetime) else cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell
