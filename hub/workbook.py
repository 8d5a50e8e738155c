"""Workbooks (XLSX): tables of text out, cells in. Never a macro, never a computed cell; the header stays in sight."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from .domain.handling_table import Formula
from .errors import Invalid, TooLarge

FILE_BYTES_MAX = 8 * 1024 * 1024
_UNPACKED_BYTES_MAX = 128 * 1024 * 1024
ROWS_MOST, COLUMNS_MOST = 20_000, 64
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet may take for a formula."""


def read(content: bytes, name: str = "file") -> dict[str, list[list[object]]]:
    """Each sheet's rows; cells are text, numbers or None, a computed one is a Formula. Raises Invalid, TooLarge."""
    if len(content) > FILE_BYTES_MAX:
        raise TooLarge(name, FILE_BYTES_MAX)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _UNPACKED_BYTES_MAX:
                raise TooLarge(f"{name}, unpacked", _UNPACKED_BYTES_MAX)
        book = load_workbook(io.BytesIO(content), read_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, SyntaxError) as error:
        raise Invalid(name, f"{len(content)} bytes", f"an XLSX workbook ({type(error).__name__})") from None
    tables: dict[str, list[list[object]]] = {}
    try:
        for sheet in book.worksheets:
            rows = tables[sheet.title] = []
            for row in sheet.iter_rows(max_col=COLUMNS_MOST):
                if len(rows) >= ROWS_MOST:
                    raise Invalid(name, f"sheet {sheet.title}", f"at most {ROWS_MOST} rows a sheet")
                rows.append(_without_tail([_value(cell) for cell in row]))
    except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile, EOFError) as error:
        raise Invalid(name, f"{len(content)} bytes", f"an XLSX workbook ({type(error).__name__})") from None
    finally:
        book.close()
    return tables


def _without_tail(row: list[object]) -> list[object]:
    """The row up to its last cell that holds something."""
    while row and row[-1] is None:
        row.pop()
    return row


def _value(cell: object) -> object:
    value = getattr(cell, "value", None)
    if getattr(cell, "data_type", "") == "f":
        return Formula(str(getattr(value, "text", value)))
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def write(tables: Mapping[str, Sequence[Sequence[str]]], widths: Sequence[float] = ()) -> bytes:
    """A workbook of texts, one sheet a table, the first row frozen as its header. `widths` in characters."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in tables.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for number, row in enumerate(rows, start=1):
            for column, text in enumerate(row, start=1):
                if text != "":
                    _put(sheet.cell(number, column), text, header=number == 1)
        for column, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = width
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _put(cell: object, text: str, *, header: bool) -> None:
    cell.value = text  # type: ignore[attr-defined]
    # A text that looks like a formula stays a text: as such in the file, and marked so that editing does not wake it.
    cell.data_type = "s"  # type: ignore[attr-defined]
    if text.startswith(_DANGEROUS):
        cell.quotePrefix = True  # type: ignore[attr-defined]
    cell.alignment = Alignment(vertical="top", wrap_text=True)  # type: ignore[attr-defined]
    if header:
        cell.font = Font(bold=True)  # type: ignore[attr-defined]
        cell.fill = PatternFill("solid", fgColor="FFE3EEFB")  # type: ignore[attr-defined]
