"""A paper as DOCX, for those who go on writing in it: 仿宋, real tables, page numbers, charts as pictures."""

from __future__ import annotations

import io
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph as DocxParagraph

from .paper import Align, Block, ChartBlock, PageBreak, Paper, Paragraph, Picture, Table, printable
from .picture import png

CHINESE, LATIN = "仿宋", "Times New Roman"
"""What Word sets them in; machines without 仿宋 take their own 宋体."""
_ALIGN = {
    Align.LEFT: WD_ALIGN_PARAGRAPH.LEFT,
    Align.CENTER: WD_ALIGN_PARAGRAPH.CENTER,
    Align.RIGHT: WD_ALIGN_PARAGRAPH.RIGHT,
    Align.JUSTIFY: WD_ALIGN_PARAGRAPH.JUSTIFY,
}


def docx(paper: Paper) -> bytes:
    """The file."""
    document = Document()
    document.core_properties.title, document.core_properties.author = printable(paper.title), paper.author
    document.core_properties.comments = ""
    _page(document, paper)
    _faces(document)
    for block in paper.blocks:
        _put(document, block, paper)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _page(document: Any, paper: Paper) -> None:
    section = document.sections[0]
    wide, high = paper.size_pt
    section.orientation = WD_ORIENT.LANDSCAPE if paper.landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Pt(wide), Pt(high)
    section.top_margin, section.right_margin, section.bottom_margin, section.left_margin = map(Mm, paper.margins_mm)
    section.footer_distance = Mm(18)
    if paper.page_numbers:
        foot = section.footer.paragraphs[0]
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        foot.add_run("— ")
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), "PAGE")
        run = OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = "1"
        run.append(text)
        field.append(run)
        foot._p.append(field)
        foot.add_run(" —")


def _faces(document: Any) -> None:
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(12)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), CHINESE)


def _put(document: Any, block: Block, paper: Paper) -> None:
    if isinstance(block, Paragraph):
        _paragraph(document.add_paragraph(), block)
    elif isinstance(block, Table):
        _table(document, block, paper.text_width_pt)
        _paragraph(document.add_paragraph(), Paragraph((), size_pt=4, line=1.0, after_pt=0))
    elif isinstance(block, ChartBlock):
        holder = document.add_paragraph()
        holder.alignment = WD_ALIGN_PARAGRAPH.CENTER
        picture = png(block.chart, paper.text_width_pt, block.height_pt)
        shape = holder.add_run().add_picture(io.BytesIO(picture), width=Pt(paper.text_width_pt))
        shape._inline.docPr.set("descr", block.chart.title)
    elif isinstance(block, Picture):
        _picture(document.add_paragraph(), block, paper.text_width_pt)
    elif isinstance(block, PageBreak):
        document.add_page_break()


def _paragraph(made: DocxParagraph, block: Paragraph) -> None:
    form = made.paragraph_format
    made.alignment = _ALIGN[block.align]
    form.space_before, form.space_after = Pt(block.before_pt), Pt(block.after_pt)
    form.line_spacing = block.line
    form.keep_with_next, form.page_break_before = block.keep_next or None, block.page_break_before or None
    if block.left_pt:
        form.left_indent = Pt(block.left_pt)
    if block.right_pt:
        form.right_indent = Pt(block.right_pt)
    if block.indent_em:
        form.first_line_indent = Pt(block.indent_em * block.size_pt)
    if block.rule:
        _rule(made, block.rule)
    for run in block.runs:
        put = made.add_run(printable(run.text))
        put.bold, put.underline = run.bold or None, run.underline or None
        put.font.size = Pt(run.size_pt or block.size_pt)
        if run.color:
            put.font.color.rgb = RGBColor.from_string(run.color)
        if run.bold:
            put._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "黑体")


def _picture(made: DocxParagraph, block: Picture, room_pt: float) -> None:
    made.alignment = _ALIGN[block.align]
    shrink = min(1.0, room_pt / block.width_pt)
    made.add_run().add_picture(io.BytesIO(block.content), Pt(block.width_pt * shrink), Pt(block.height_pt * shrink))


def _rule(made: DocxParagraph, color: str) -> None:
    borders = OxmlElement("w:pBdr")
    below = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "1"), ("color", color)):
        below.set(qn(f"w:{name}"), value)
    borders.append(below)
    made._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr"
    )


def _table(document: Any, block: Table, width_pt: float) -> None:
    table = document.add_table(rows=len(block.rows), cols=len(block.widths))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    if block.grid:
        table.style = "Table Grid"
    share = width_pt / sum(block.widths)
    widths = [Emu(round(w * share * 12700)) for w in block.widths]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    taken: set[tuple[int, int]] = set()
    for y, (row, cells) in enumerate(zip(table.rows, block.rows, strict=True)):
        _row_marks(row, head=y < block.header_rows)
        x = 0
        for cell in cells:
            while (x, y) in taken:
                x += 1
            made = table.cell(y, x)
            far_x, far_y = x + cell.span - 1, y + cell.rows_span - 1
            if (far_x, far_y) != (x, y):
                made = made.merge(table.cell(far_y, far_x))
            made.width = Emu(sum(widths[x : far_x + 1]))
            for number, part in enumerate(cell.inside):
                place = made.paragraphs[0] if number == 0 else made.add_paragraph()
                if isinstance(part, Picture):
                    _picture(place, part, made.width / 12700 - 12)
                else:
                    _paragraph(place, part)
            if cell.shade:
                _shade(made, cell.shade)
            made.vertical_alignment = 1
            taken |= {(cx, cy) for cx in range(x, far_x + 1) for cy in range(y, far_y + 1)}
            x = far_x + 1


def _row_marks(row: Any, *, head: bool) -> None:
    marks = row._tr.get_or_add_trPr()
    marks.append(OxmlElement("w:cantSplit"))
    if head:
        marks.append(OxmlElement("w:tblHeader"))


def _shade(cell: Any, color: str) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", color)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)
