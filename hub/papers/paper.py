"""A document to be printed on A4: paragraphs, tables and charts. Pure values; lengths in points (1/72 inch)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .chart import Chart

A4_PT = (595.28, 841.89)
MM = 72 / 25.4
RED = "C00000"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def printable(text: str) -> str:
    """Without the control characters that no file format takes."""
    return _CONTROL.sub("", text)


class Align(StrEnum):
    """Where the lines of a paragraph stand."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    JUSTIFY = "justify"


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look; `color` is RRGGBB, `size_pt` None: that of the paragraph. A newline breaks the line."""

    text: str
    bold: bool = False
    size_pt: float | None = None
    color: str = ""
    underline: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`indent_em` moves the first line, in characters; `rule` (RRGGBB) is a line below; `line` is the line height."""

    runs: tuple[Run, ...]
    align: Align = Align.JUSTIFY
    size_pt: float = 12.0
    indent_em: float = 0.0
    left_pt: float = 0.0
    right_pt: float = 0.0
    before_pt: float = 0.0
    after_pt: float = 4.0
    line: float = 1.5
    rule: str = ""
    keep_next: bool = False
    page_break_before: bool = False

    @property
    def text(self) -> str:
        """Without its looks."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG or PNG; never wider than the room it stands in."""

    content: bytes
    width_pt: float
    height_pt: float
    align: Align = Align.CENTER


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table's cell; `span` columns and `rows_span` rows wide and high."""

    inside: tuple[Paragraph | Picture, ...]
    span: int = 1
    rows_span: int = 1
    shade: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first `header_rows` are repeated on each page. `widths` are shares of the text's width."""

    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    header_rows: int = 1
    grid: bool = True


@dataclass(frozen=True, slots=True)
class ChartBlock:
    """A chart across the text's width, `height_pt` high."""

    chart: Chart
    height_pt: float = 190.0


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins a page."""


Block = Paragraph | Table | ChartBlock | Picture | PageBreak


@dataclass(frozen=True, slots=True)
class Paper:
    """A document; margins as GB/T 9704 has them for official letters (37 mm above, 28 mm left, 26 mm right)."""

    title: str
    blocks: tuple[Block, ...]
    author: str = ""
    margins_mm: tuple[float, float, float, float] = (37.0, 26.0, 35.0, 28.0)
    """above, right, below, left"""
    landscape: bool = False
    page_numbers: bool = True

    @property
    def text_width_pt(self) -> float:
        """From margin to margin."""
        return self.size_pt[0] - (self.margins_mm[1] + self.margins_mm[3]) * MM

    @property
    def size_pt(self) -> tuple[float, float]:
        """(width, height) of the page."""
        return (A4_PT[1], A4_PT[0]) if self.landscape else A4_PT


def words(
    text: str,
    *,
    bold: bool = False,
    color: str = "",
    size_pt: float = 12.0,
    align: Align = Align.JUSTIFY,
    indent_em: float = 0.0,
    before_pt: float = 0.0,
    after_pt: float = 4.0,
    line: float = 1.5,
    rule: str = "",
    keep_next: bool = False,
) -> Paragraph:
    """A paragraph of one look."""
    return Paragraph(
        (Run(text, bold, None, color),),
        align,
        size_pt,
        indent_em,
        before_pt=before_pt,
        after_pt=after_pt,
        line=line,
        rule=rule,
        keep_next=keep_next,
    )


def body(text: str, size_pt: float = 12.0) -> Paragraph:
    """A paragraph of running text: first line two characters in."""
    return words(text, size_pt=size_pt, indent_em=2)


def cell(
    text: str, *, align: Align = Align.CENTER, bold: bool = False, size_pt: float = 9.5, shade: str = "", span: int = 1
) -> Cell:
    """A cell of one line of text."""
    paragraph = words(text, bold=bold, align=align, size_pt=size_pt, after_pt=0, line=1.25)
    return Cell((paragraph,), span, 1, shade)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `grid`: its head, its share of the width, and how its cells stand."""

    head: str
    share: float = 1.0
    align: Align = Align.CENTER


def grid(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], size_pt: float = 9.5, shade: str = "EDEDED"
) -> Table:
    """A ruled table with a head that is repeated on each page."""
    head = tuple(cell(c.head, bold=True, size_pt=size_pt, shade=shade) for c in columns)
    made = [head]
    for row in rows:
        made.append(tuple(cell(text, align=c.align, size_pt=size_pt) for text, c in zip(row, columns, strict=True)))
    return Table(tuple(made), tuple(c.share for c in columns))


@dataclass(slots=True)
class Sheet:
    """Collects the blocks of a paper."""

    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> Sheet:
        """Append."""
        self.blocks.extend(blocks)
        return self

    def heading(self, text: str, size_pt: float = 14.0) -> Sheet:
        """A heading that stays with what follows it."""
        return self.add(
            words(text, bold=True, size_pt=size_pt, align=Align.LEFT, before_pt=10, after_pt=4, keep_next=True)
        )
