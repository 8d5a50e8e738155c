"""The handling table as it travels between cities: two sheets, nine columns, blank code cells inherit from above.

Behind the nine may stand English of ours, found by its header; a file without it says nothing of it.
Pure: cells in, conditions and problems out, and back. `hub/workbook.py` knows the file format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .category import GBT_47678, Categories, ClassKind
from .condition import Condition, wrong

SHEETS: Mapping[ClassKind, str] = {ClassKind.COMPONENT: "部件", ClassKind.MATTER: "事件"}
_SHEET_ALIASES = {"部件": ClassKind.COMPONENT, "事件": ClassKind.MATTER, "事项": ClassKind.MATTER}
COLUMNS = (
    "大类代码",
    "大类名称",
    "小类代码",
    "小类名称",
    "处置单位",
    "主管部门",
    "立案条件",
    "结案条件",
    "处置时限",
)
ENGLISH_COLUMNS = ("立案条件（英文）", "结案条件（英文）")
_ALL_COLUMNS = (*COLUMNS, *ENGLISH_COLUMNS)
_FIELDS = ("", "group_name", "", "class_name", "unit", "authority", "filing", "closing", "limit")
_ENGLISH_FIELDS = ("filing_en", "closing_en")
_ALL_FIELDS = (*_FIELDS, *_ENGLISH_FIELDS)
_WORDED = ("unit", "authority", "filing", "closing", "limit")

Table = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that would be computed: never read, for what it shows depends on who opens the file."""

    text: str


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """What cannot be used, and where. `what` is a word for programs; a `note` is told, but its row is taken."""

    sheet: str
    row: int
    column: str
    value: str
    allowed: str
    what: str
    note: bool = False
    code: str = ""
    """The row's class, where that much is known."""

    def __str__(self) -> str:
        where = f"{self.sheet}, row {self.row}, {self.column}" if self.row else self.sheet
        return f"{where}: {self.value!r}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True)
class HandlingTable:
    """What a file says: the rows that can be used, and what is wrong with the others."""

    conditions: tuple[Condition, ...]
    problems: tuple[SheetProblem, ...]

    @property
    def refused(self) -> int:
        """How many rows cannot be used."""
        return len({(p.sheet, p.row) for p in self.problems if not p.note and p.row > 1})


def read(
    tables: Mapping[str, Table],
    categories: Categories,
    *,
    standard: str = GBT_47678,
    area: str = "",
    units: frozenset[str] | None = None,
) -> HandlingTable:
    """Sheets by name (header first) with codes of `standard`, for areas of level `area`; `units` are known names."""
    reader = _Reader(categories, standard, area, units)
    known = [(sheet, _SHEET_ALIASES[sheet.strip()]) for sheet in tables if sheet.strip() in _SHEET_ALIASES]
    if not known:
        wanted = " and ".join(SHEETS.values())
        reader.problems.append(SheetProblem(", ".join(tables) or "-", 0, "", "no such sheet", wanted, "sheet"))
    for sheet, kind in known:
        reader.sheet(sheet, kind, tables[sheet])
    return HandlingTable(tuple(reader.conditions), tuple(reader.problems))


def write(conditions: Iterable[Condition]) -> dict[str, list[list[str]]]:
    """Both sheets with their header; code cells that repeat the row above are left blank. Order is kept."""
    tables = {sheet: [list(_ALL_COLUMNS)] for sheet in SHEETS.values()}
    above: dict[str, list[str]] = {}
    for one in conditions:
        sheet = SHEETS[one.kind]
        major, minor = _parts(one.code)
        codes, before = [major, one.group_name, minor, one.class_name], above.get(sheet, [""] * 4)
        shown = list(codes)
        if codes[:2] == before[:2]:
            shown[:2] = ["", ""]
            if codes[2:] == before[2:]:
                shown[2:] = ["", ""]
        above[sheet] = codes
        english = [one.filing_en or "", one.closing_en or ""]
        tables[sheet].append([*shown, one.unit, one.authority, one.filing, one.closing, one.limit, *english])
    return tables


def _parts(code: str) -> tuple[str, str]:
    """("06", "010") of 06010, ("01", "10") of 01-10."""
    major, _dash, minor = code.partition("-")
    return (major, minor) if minor else (code[:2], code[2:])


class _Reader:
    """Goes down the sheets, remembering the codes above and every problem."""

    def __init__(self, categories: Categories, standard: str, area: str, units: frozenset[str] | None) -> None:
        self.categories, self.standard, self.area, self.units = categories, standard, area, units
        self.conditions: list[Condition] = []
        self.problems: list[SheetProblem] = []
        self._first_row: dict[str, tuple[str, int]] = {}
        self._told: set[str] = set()

    def sheet(self, sheet: str, kind: ClassKind, table: Table) -> None:
        rows = iter(enumerate(table, start=1))
        _number, header = next(rows, (1, ()))
        if not self._header(sheet, header):
            return
        group, name = ["", ""], ["", ""]
        english = [_column(header, wanted) for wanted in ENGLISH_COLUMNS]
        self._told = {field for field, column in zip(_ENGLISH_FIELDS, english, strict=True) if column is not None}
        for number, row in rows:
            cells = [*row, *[None] * len(COLUMNS)][: len(COLUMNS)]
            if all(_blank(cell) for cell in cells):
                continue
            cells += [row[column] if column is not None and column < len(row) else None for column in english]
            self._row(_Row(self, sheet, number, kind, cells), group, name)

    def _header(self, sheet: str, header: Sequence[object]) -> bool:
        good = True
        for index, wanted in enumerate(COLUMNS):
            found = header[index] if index < len(header) else None
            if not isinstance(found, str) or found.strip() != wanted:
                text = f"the header {wanted} in column {index + 1}"
                self.problems.append(SheetProblem(sheet, 1, wanted, _shown(found), text, "header"))
                good = False
        return good

    def _row(self, row: _Row, group: list[str], name: list[str]) -> None:
        code = self._code(row, group, name)
        category = self.categories.get(self.standard, code, row.kind) if code else None
        if code and category is None:
            row.problem(2, code, f"a {row.kind.value} class of {self.standard}", "code")
        row.code = code if category is not None else ""
        for index, cell in enumerate(row.cells):
            if isinstance(cell, Formula):
                row.problem(index, cell.text, "a text, not a formula", "formula")
        if category is None or row.refused:
            return
        texts = {field: _text(row.cells[index]) for index, field in enumerate(_FIELDS) if field in _WORDED}
        names = {"group_name": group[1] or category.group, "class_name": name[1] or category.name}
        for index, field in enumerate(_ENGLISH_FIELDS, start=len(COLUMNS)):
            if field in self._told:
                names[field] = _text(row.cells[index]).strip()
        condition = Condition(self.standard, row.kind, code, **texts, **names, area=self.area)
        for field, value, allowed in wrong(condition):
            row.problem(_ALL_FIELDS.index(field), value, allowed, field)
        first = self._first_row.setdefault(condition.id, (row.sheet, row.number))
        if first != (row.sheet, row.number):
            allowed = f"one row for a class and filing condition; row {first[1]} says the same"
            row.problem(6, condition.filing or condition.class_name, allowed, "duplicate")
        if row.refused:
            return
        if condition.class_name.strip() != category.name:
            row.problem(3, condition.class_name, f"{category.name}, as the code set calls {code}", "name", note=True)
        if self.units is not None and condition.unit.strip() not in self.units:
            allowed = "the name of a handling unit; the row is taken as it is"
            row.problem(4, condition.unit, allowed, "unknown_unit", note=True)
        self.conditions.append(condition)

    def _code(self, row: _Row, group: list[str], name: list[str]) -> str:
        """The class code of the row; `group` and `name` are [code, name] as they stand above, and are moved on."""
        cells = row.cells
        if not _blank(cells[0]) and _digits(cells[0], 2) != group[0]:
            group[:], name[:] = [_digits(cells[0], 2), ""], ["", ""]
        if not _blank(cells[1]):
            group[1] = _text(cells[1])
        if not _blank(cells[2]):
            minor = _text(cells[2]).strip()
            if minor != name[0]:
                name[:] = [minor, ""]
        if not _blank(cells[3]):
            name[1] = _text(cells[3])
        if not group[0] or not name[0]:
            column = 0 if not group[0] else 2
            row.problem(column, cells[column], "a code here, or in a row above of the same class", "code")
            return ""
        return self._joined(group[0], name[0])

    def _joined(self, major: str, minor: str) -> str:
        """The code as its standard writes it, from a whole code or from the digits of the minor class alone."""
        digits, width = minor.replace("-", ""), 3 if self.standard == GBT_47678 else 2
        if len(digits) <= width:
            digits = major + digits.rjust(width, "0")
        elif len(digits) < width + 2:
            digits = digits.rjust(width + 2, "0")
        return digits if self.standard == GBT_47678 else f"{digits[:2]}-{digits[2:]}"


class _Row:
    """One row on its way: its cells, and whether something in it is refused."""

    def __init__(self, reader: _Reader, sheet: str, number: int, kind: ClassKind, cells: list[object]) -> None:
        self.sheet, self.number, self.kind, self.cells = sheet, number, kind, cells
        self.code, self.refused, self._problems = "", False, reader.problems

    def problem(self, column: int, value: object, allowed: str, what: str, *, note: bool = False) -> None:
        self.refused = self.refused or not note
        found = SheetProblem(
            self.sheet, self.number, _ALL_COLUMNS[column], _shown(value), allowed, what, note, self.code
        )
        self._problems.append(found)


def _column(header: Sequence[object], wanted: str) -> int | None:
    """Where the column stands, if it does: behind the nine that must be there."""
    found = (index for index, cell in enumerate(header) if isinstance(cell, str) and cell.strip() == wanted)
    return next(found, None)


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _digits(cell: object, width: int) -> str:
    """A code that a spreadsheet took for a number has lost its zeros in front."""
    return _text(cell).strip().rjust(width, "0")


def _shown(value: object) -> str:
    text = value.text if isinstance(value, Formula) else _text(value)
    return text if len(text) <= 80 else text[:80] + "…"
