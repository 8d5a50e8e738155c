"""Tables as XLSX: frozen heads, real dates and numbers, no formula that came from a text, charts that stay charts."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from .chart import Chart, Shape

Value = str | int | float | Decimal | date | datetime | None

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NOT_IN_NAMES = re.compile(r"[\\/*?:\[\]]")
_HEAD = PatternFill("solid", fgColor="EDEDED")
_THIN = Side(style="thin", color="888888")
_ALL = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_LONGEST = 32_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """One sheet: a title row, a head, rows; `percents` are the columns (from 0) whose numbers are percents."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[Value]]
    percents: frozenset[int] = frozenset()
    chart: Chart | None = None


def safe(value: str) -> str:
    """The text so that no spreadsheet takes it for a formula: those that begin with = + - @ get an apostrophe."""
    text = _CONTROL.sub("", value)[:_LONGEST]
    return f"'{text}" if text.startswith(_RISKY) else text


def xlsx(leaves: Sequence[Leaf], timezone: ZoneInfo, author: str = "") -> bytes:
    """The workbook; times are shown in `timezone`, because XLSX has none."""
    book = Workbook()
    book.properties.creator = author
    book.remove(book.active)
    names: set[str] = set()
    for leaf in leaves:
        name = _name(leaf.name, names)
        _fill(book.create_sheet(name), leaf, timezone)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _name(wanted: str, taken: set[str]) -> str:
    plain = _NOT_IN_NAMES.sub("_", wanted).strip("'")[:28] or "Sheet"
    name, number = plain, 2
    while name.lower() in taken:
        name, number = f"{plain}_{number}", number + 1
    taken.add(name.lower())
    return name


def _fill(sheet: Worksheet, leaf: Leaf, timezone: ZoneInfo) -> None:
    sheet.append([safe(leaf.title)])
    sheet["A1"].font = Font(bold=True, size=14)
    if len(leaf.head) > 1:
        sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(leaf.head))
    sheet["A1"].alignment = Alignment(horizontal="center")
    for column, text in enumerate(leaf.head, start=1):
        made = sheet.cell(2, column, safe(text))
        made.font, made.fill, made.border = Font(bold=True), _HEAD, _ALL
        made.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    for y, row in enumerate(leaf.rows, start=3):
        for x, value in enumerate(row):
            _cell(sheet, y, x, value, timezone, percent=x in leaf.percents)
    sheet.freeze_panes = "A3"
    if leaf.rows:
        sheet.auto_filter.ref = f"A2:{get_column_letter(len(leaf.head))}{len(leaf.rows) + 2}"
    for column in range(1, len(leaf.head) + 1):
        texts = [str(sheet.cell(y, column).value or "") for y in range(2, min(sheet.max_row, 60) + 1)]
        longest = max((sum(2 if ord(c) > 0x2E7F else 1 for c in t) for t in texts), default=8)
        sheet.column_dimensions[get_column_letter(column)].width = min(60, max(8, longest + 3))
    _print_set_up(sheet)
    if leaf.chart is not None:
        _chart(sheet, leaf)


def _cell(sheet: Worksheet, y: int, x: int, value: Value, timezone: ZoneInfo, *, percent: bool) -> None:
    made = sheet.cell(y, x + 1)
    made.border = _ALL
    if isinstance(value, datetime):
        made.value, made.number_format = value.astimezone(timezone).replace(tzinfo=None), "yyyy-mm-dd hh:mm"
    elif isinstance(value, date):
        made.value, made.number_format = value, "yyyy-mm-dd"
    elif isinstance(value, str):
        made.value = safe(value)
        made.data_type = "s"
        made.alignment = Alignment(vertical="center", wrap_text=True)
        if value.startswith(_RISKY):
            made.quotePrefix = False
    elif isinstance(value, bool) or value is None:
        made.value = None if value is None else ("是" if value else "否")
    elif percent:
        made.value, made.number_format = float(value) / 100, "0.00%"
    else:
        made.value = float(value) if isinstance(value, Decimal) else value
        if isinstance(value, Decimal):
            made.number_format = "0.00"


def _print_set_up(sheet: Worksheet) -> None:
    sheet.page_setup.paperSize, sheet.page_setup.orientation = 9, "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:2"
    sheet.oddFooter.center.text = "第 &P 页 共 &N 页"


def _chart(sheet: Worksheet, leaf: Leaf) -> None:
    """A native chart of the sheet's own numbers, where the columns carry the names of the series."""
    chart: Any = LineChart() if leaf.chart is not None and leaf.chart.shape is Shape.LINE else BarChart()
    assert leaf.chart is not None
    if leaf.chart.shape is Shape.BARS:
        chart.type = "bar"
    chart.title, chart.height, chart.width = leaf.chart.title, 8, 18
    last = len(leaf.rows) + 2
    for series in leaf.chart.series:
        if series.name in leaf.head:
            column = leaf.head.index(series.name) + 1
            chart.add_data(Reference(sheet, min_col=column, min_row=2, max_row=last), titles_from_data=True)
    label = leaf.head.index(next((h for h in leaf.head if h in ("名称", "类别", "月份")), leaf.head[0])) + 1
    chart.set_categories(Reference(sheet, min_col=label, min_row=3, max_row=last))
    sheet.add_chart(chart, f"{get_column_letter(len(leaf.head) + 2)}2")
