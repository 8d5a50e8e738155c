"""A paper as PDF, set in the faces that ship, so that it looks the same on every machine."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Flowable, Frame, Image, PageTemplate, Spacer
from reportlab.platypus import PageBreak as NextPage
from reportlab.platypus import Table as Ruled

from . import typeface
from .chart import Bar, Chart, Stroke, Words, marks
from .lines import Line, broken
from .paper import MM, Align, Block, Cell, ChartBlock, Paper, Paragraph, Picture, Table

_FOOT_PT = 10.5
_CELL_PAD = 3.0


def pdf(paper: Paper) -> tuple[bytes, str]:
    """(the file, characters that no face of this machine has)"""
    typeface.load()
    above, right, below, left = (mm * MM for mm in paper.margins_mm)
    wide, high = paper.size_pt
    out = io.BytesIO()
    document = BaseDocTemplate(
        out, pagesize=(wide, high), title=paper.title, author=paper.author, lang="zh-CN", allowSplitting=1
    )
    frame = Frame(left, below, wide - left - right, high - above - below, 0, 0, 0, 0)
    foot = _page_number if paper.page_numbers else _no_number
    document.addPageTemplates([PageTemplate("page", [frame], onPage=foot)])
    document.build([flowable for block in paper.blocks for flowable in _flowables(block, paper.text_width_pt)])
    return out.getvalue(), typeface.missing(_all_text(paper.blocks))


def _flowables(block: Block, width: float) -> list[Flowable]:
    if isinstance(block, Paragraph):
        made: list[Flowable] = [NextPage()] if block.page_break_before else []
        if block.keep_next:
            made.append(CondPageBreak(block.size_pt * 10))
        return [*made, Set(block)]
    if isinstance(block, Table):
        return [_table(block, width), Spacer(1, 6)]
    if isinstance(block, ChartBlock):
        return [Drawn(block.chart, block.height_pt), Spacer(1, 8)]
    if isinstance(block, Picture):
        return [_picture(block, width), Spacer(1, 6)]
    return [NextPage()]


class Set(Flowable):  # type: ignore[misc]
    """A paragraph set by `lines.broken`; it may be split between two pages."""

    def __init__(self, paragraph: Paragraph, lines: Sequence[Line] | None = None, *, goes_on: bool = False) -> None:
        super().__init__()
        self.paragraph, self.lines, self.goes_on = paragraph, lines, goes_on
        self.whole = lines is None
        self.room = 0.0

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """(width, height in points)"""
        p = self.paragraph
        self.room = width - p.left_pt - p.right_pt
        if self.whole:
            first = self.room - p.indent_em * p.size_pt
            self.lines = broken(p.runs, p.size_pt, first, self.room, typeface.width)
        extra = (0.0 if self.goes_on else p.before_pt) + p.after_pt + (2.0 if p.rule else 0.0)
        return width, sum(self._high(line) for line in self.lines or ()) + extra

    def split(self, width: float, height: float) -> list[Flowable]:
        """As many whole lines as fit, and the rest; never a single line left behind or sent ahead."""
        self.wrap(width, height)
        lines, p = list(self.lines or ()), self.paragraph
        left, fits = height - (0.0 if self.goes_on else p.before_pt), 0
        while fits < len(lines) and left >= self._high(lines[fits]):
            left -= self._high(lines[fits])
            fits += 1
        if fits == len(lines):
            fits -= 1
        if len(lines) - fits == 1 and len(lines) > 2:
            fits -= 1
        if fits < 2:
            return []
        first = Set(p, lines[:fits], goes_on=self.goes_on)
        return [first, Set(p, lines[fits:], goes_on=True)]

    def draw(self) -> None:
        """Line by line, from above."""
        p, canvas = self.paragraph, self.canv
        _width, high = self.wrap(self.room + p.left_pt + p.right_pt, 0)
        y = high - (0.0 if self.goes_on else p.before_pt)
        for number, line in enumerate(self.lines or ()):
            y -= self._high(line)
            indent = p.indent_em * p.size_pt if number == 0 and not self.goes_on else 0.0
            self._draw_line(canvas, line, y + (self._high(line) - line.size_pt) / 2 + line.size_pt * 0.14, indent)
        if p.rule:
            canvas.setStrokeColor(HexColor(f"#{p.rule}"))
            canvas.setLineWidth(1.5)
            canvas.line(p.left_pt, p.after_pt, p.left_pt + self.room, p.after_pt)

    def _high(self, line: Line) -> float:
        return (line.size_pt or self.paragraph.size_pt) * self.paragraph.line

    def _draw_line(self, canvas: Canvas, line: Line, y: float, indent: float) -> None:
        p = self.paragraph
        spare = self.room - indent - line.width
        spread = 0.0
        if p.align is Align.JUSTIFY and not line.ends and line.gaps and 0 < spare < line.size_pt * 3:
            spread = spare / line.gaps
        shift = {Align.CENTER: spare / 2, Align.RIGHT: spare}.get(p.align, 0.0)
        x = p.left_pt + indent + max(0.0, shift)
        for piece in line.pieces:
            begin = x
            color = HexColor(f"#{piece.run.color or '000000'}")
            canvas.setFillColor(color)
            for face, text in typeface.faces(piece.text, piece.run.bold):
                words = canvas.beginText(x, y)
                words.setFont(face, piece.size_pt)
                words.setCharSpace(spread)
                words.textOut(text)
                canvas.drawText(words)
                x += canvas.stringWidth(text, face, piece.size_pt) + spread * len(text)
            if piece.run.underline:
                canvas.setStrokeColor(color)
                canvas.setLineWidth(0.6)
                canvas.line(begin, y - 2, x, y - 2)


class Drawn(Flowable):  # type: ignore[misc]
    """A chart."""

    def __init__(self, chart: Chart, height: float) -> None:
        super().__init__()
        self.chart, self.high, self.wide = chart, height, 0.0

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """(width, height in points)"""
        self.wide = width
        return width, self.high

    def draw(self) -> None:
        """Its marks."""
        canvas = self.canv
        for mark in marks(self.chart, self.wide, self.high, typeface.width):
            if isinstance(mark, Bar):
                canvas.setFillColor(HexColor(f"#{mark.color}"))
                canvas.rect(mark.x, mark.y, mark.width, mark.height, stroke=0, fill=1)
            elif isinstance(mark, Stroke):
                canvas.setStrokeColor(HexColor(f"#{mark.color}"))
                canvas.setLineWidth(mark.width)
                for (x, y), (to_x, to_y) in zip(mark.points, mark.points[1:], strict=False):
                    canvas.line(x, y, to_x, to_y)
            else:
                _write(canvas, mark)


def _write(canvas: Canvas, mark: Words) -> None:
    x = mark.x - mark.anchor * typeface.width(mark.text, mark.size, mark.bold)
    canvas.setFillColor(HexColor(f"#{mark.color}"))
    for face, text in typeface.faces(mark.text, mark.bold):
        canvas.setFont(face, mark.size)
        canvas.drawString(x, mark.y, text)
        x += canvas.stringWidth(text, face, mark.size)


def _picture(picture: Picture, room: float) -> Image:
    shrink = min(1.0, room / picture.width_pt)
    wide, high = picture.width_pt * shrink, picture.height_pt * shrink
    return Image(io.BytesIO(picture.content), wide, high, hAlign=picture.align.value.upper())


def _table(table: Table, width: float) -> Ruled:
    share = width / sum(table.widths)
    columns = len(table.widths)
    data: list[list[Any]] = []
    style: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    style += [(f"{side}PADDING", (0, 0), (-1, -1), _CELL_PAD) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]
    if table.grid:
        style.append(("GRID", (0, 0), (-1, -1), 0.5, HexColor("#444444")))
    covered: set[tuple[int, int]] = set()
    for y, row in enumerate(table.rows):
        line: list[Any] = [""] * columns
        x = 0
        for cell in row:
            while (x, y) in covered:
                x += 1
            room = sum(table.widths[x : x + cell.span]) * share - 2 * _CELL_PAD
            line[x] = [Set(p) if isinstance(p, Paragraph) else _picture(p, room) for p in cell.inside]
            style += _cell_style(cell, x, y)
            covered |= {(x + dx, y + dy) for dx in range(cell.span) for dy in range(cell.rows_span)}
            x += cell.span
        data.append(line)
    repeat = min(table.header_rows, len(data) - 1)
    return Ruled(data, [w * share for w in table.widths], repeatRows=repeat, style=style, splitByRow=1, splitInRow=0)


def _cell_style(cell: Cell, x: int, y: int) -> list[tuple[Any, ...]]:
    style: list[tuple[Any, ...]] = []
    far = (x + cell.span - 1, y + cell.rows_span - 1)
    if far != (x, y):
        style.append(("SPAN", (x, y), far))
    if cell.shade:
        style.append(("BACKGROUND", (x, y), far, HexColor(f"#{cell.shade}")))
    return style


def _page_number(canvas: Canvas, document: BaseDocTemplate) -> None:
    canvas.saveState()
    canvas.setFont(typeface.REGULAR, _FOOT_PT)
    canvas.drawCentredString(document.pagesize[0] / 2, 20 * MM, f"— {canvas.getPageNumber()} —")
    canvas.restoreState()


def _no_number(_canvas: Canvas, _document: BaseDocTemplate) -> None:
    """Nothing below the text."""


def _all_text(blocks: Sequence[Block]) -> str:
    return "".join(_text(block) for block in blocks)


def _text(block: Block) -> str:
    if isinstance(block, Paragraph):
        return block.text
    if isinstance(block, Table):
        return "".join(p.text for row in block.rows for c in row for p in c.inside if isinstance(p, Paragraph))
    if isinstance(block, ChartBlock):
        chart = block.chart
        return "".join((chart.title, *chart.labels, *(s.name for s in chart.series)))
    return ""
