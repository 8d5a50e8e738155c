"""DOCX templates that a clerk edits in Word: `{{主送}}` is a field, a table row with `{{案件.编号}}` comes once a case,
a paragraph that begins with `{{?抄送}}` is left out where that field is empty, `{{图.处置前}}` is a picture.

`merge` fills one in; `read` takes a DOCX apart into a Paper, so that the PDF says what the clerk's template says.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.shared import Length, Pt
from docx.table import Table as DocxTable
from docx.table import _Row
from docx.text.paragraph import Paragraph as DocxParagraph
from docx.text.run import Run as DocxRun

from .paper import Align, Block, Cell, PageBreak, Paper, Paragraph, Picture, Run, Table, printable

_FIELD = re.compile(r"\{\{\s*(\??)\s*([^{}]*?)\s*\}\}")
_PICTURE_PT = (210.0, 158.0)
_NAMESPACES = {
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}
BYTES_MAX = 4 * 1024 * 1024

Fields = Mapping[str, str | bytes | None]
Rows = Mapping[str, Sequence[Mapping[str, str]]]


class TemplateError(ValueError):
    """A template that cannot be used; `problems` holds one line each: file, placeholder, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def opened(name: str, content: bytes) -> Any:
    """The document. Raises TemplateError for what is no DOCX."""
    try:
        return Document(io.BytesIO(content))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise TemplateError([f"{name}: is no DOCX file (Word: save as .docx, not .doc)"]) from None


def check(name: str, content: bytes, fields: Iterable[str], groups: Mapping[str, Iterable[str]]) -> list[str]:
    """What is wrong with the template: unknown fields, braces that don't close; pictures begin with 图. ."""
    document, known = opened(name, content), set(fields)
    columns = {f"{group}.{column}" for group, names in groups.items() for column in names}
    problems = []
    for paragraph in _paragraphs(document):
        text = paragraph.text
        for _optional, field in _FIELD.findall(text):
            if field in known or field in columns:
                continue
            allowed = sorted(columns) if "." in field and field.split(".")[0] in groups else sorted(known | columns)
            problems.append(f"{name}: {{{{{field}}}}} is no field; allowed: {'、'.join(allowed)}")
        if "{{" in _FIELD.sub("", text) or "}}" in _FIELD.sub("", text):
            problems.append(f"{name}: “{text.strip()[:40]}”: braces that do not close; a field is written {{{{主送}}}}")
    if document.element.body.xpath(".//w:txbxContent"):
        problems.append(f"{name}: text boxes are not printed in the PDF: put the text into paragraphs or tables")
    return list(dict.fromkeys(problems))


def merge(name: str, content: bytes, fields: Fields, groups: Mapping[str, Iterable[str]], rows: Rows) -> bytes:
    """The template filled in; `groups` are the columns of its repeated rows. Raises TemplateError, naming every field
    that has no value."""
    problems = check(name, content, fields, groups)
    if problems:
        raise TemplateError(problems)
    document = opened(name, content)
    fields = {key: _value(value) for key, value in fields.items()}
    rows = {g: [{k: _text_value(v) for k, v in line.items()} for line in lines] for g, lines in rows.items()}
    for table in list(_tables(document)):
        for row in list(table.rows):
            _repeat(table, row, rows)
    for paragraph in list(_paragraphs(document)):
        _fill(paragraph, fields)
    document.core_properties.comments = ""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _value(value: str | bytes | None) -> str | bytes | None:
    return _text_value(value) if isinstance(value, str) else value


def _text_value(text: str) -> str:
    """What a person wrote is never taken for a field."""
    return printable(text).replace("{{", "｛｛").replace("}}", "｝｝")


def _paragraphs(document: Any) -> Iterator[DocxParagraph]:
    """Every paragraph: of the body, of tables in it, of headers and footers."""
    yield from _inside(document)
    for section in document.sections:
        for part in (section.header, section.footer):
            if not part.is_linked_to_previous:
                yield from _inside(part)


def _inside(container: Any) -> Iterator[DocxParagraph]:
    yield from container.paragraphs
    for table in container.tables:
        for row in table.rows:
            seen: set[Any] = set()
            for cell in row.cells:
                if cell._tc not in seen:
                    seen.add(cell._tc)
                    yield from _inside(cell)


def _tables(container: Any) -> Iterator[DocxTable]:
    for table in container.tables:
        yield table
        for row in table.rows:
            for cell in row.cells:
                yield from _tables(cell)


def _repeat(table: DocxTable, row: _Row, rows: Rows) -> None:
    """One copy of the row for each line of the group that its fields name."""
    text = "".join(p.text for cell in row.cells for p in cell.paragraphs)
    group = next((f.split(".")[0] for _o, f in _FIELD.findall(text) if f.split(".")[0] in rows and "." in f), None)
    if group is None:
        return
    for line in rows[group]:
        made = copy.deepcopy(row._tr)
        row._tr.addprevious(made)
        values: Fields = {f"{group}.{column}": value for column, value in line.items()}
        seen: set[Any] = set()
        for cell in _Row(made, table).cells:
            if cell._tc in seen:
                continue
            seen.add(cell._tc)
            for paragraph in list(cell.paragraphs):
                _fill(paragraph, values)
    table._tbl.remove(row._tr)


def _fill(paragraph: DocxParagraph, fields: Fields) -> None:
    found = _FIELD.findall(paragraph.text)
    if not found or not all(field in fields for _optional, field in found):
        return
    if any(optional and not fields[field] for optional, field in found):
        paragraph._p.getparent().remove(paragraph._p)
        return
    value = fields[found[-1][1]]
    if isinstance(value, bytes) or (value is None and len(found) == 1):
        _clear(paragraph)
        if value:
            _picture(paragraph, value)
        return
    _replace(paragraph, lambda optional, field: "" if optional else str(fields[field] or ""))


def _clear(paragraph: DocxParagraph) -> None:
    for run in paragraph.runs:
        run.text = ""


def _picture(paragraph: DocxParagraph, content: bytes) -> None:
    shape = paragraph.add_run().add_picture(io.BytesIO(content))
    shrink = min(_PICTURE_PT[0] * 12700 / shape.width, _PICTURE_PT[1] * 12700 / shape.height)
    shape.width, shape.height = Length(int(shape.width * shrink)), Length(int(shape.height * shrink))


def _replace(paragraph: DocxParagraph, value_of: Any) -> None:
    """Fields by their values; Word may have cut a field into several runs, the first one's look counts.

    Lines of a value become paragraphs like this one.
    """
    while True:
        runs = paragraph.runs
        match = _FIELD.search("".join(run.text for run in runs))
        if match is None:
            return
        lines = str(value_of(match[1], match[2])).split("\n")
        _cut(runs, match.start(), match.end(), lines[0])
        if len(lines) == 1:
            continue
        rest = [copy.deepcopy(paragraph._p) for _line in lines[1:]]
        last = paragraph._p
        for line, element in zip(lines[1:], rest, strict=True):
            last.addnext(element)
            last = element
            other = DocxParagraph(element, paragraph._parent)
            for number, run in enumerate(other.runs):
                run.text = line if number == 0 else ""


def _cut(runs: Sequence[DocxRun], start: int, end: int, text: str) -> None:
    """Put `text` in place of the characters from `start` to `end` of all runs together."""
    at, put = 0, False
    for run in runs:
        old = run.text
        low, high = max(start - at, 0), min(end - at, len(old))
        if low < high:
            run.text = old[:low] + ("" if put else text) + old[high:]
            put = True
        at += len(old)


# --- taking a DOCX apart ----------------------------------------------------------------------------------------------

_ALIGN = {
    WD_ALIGN_PARAGRAPH.CENTER: Align.CENTER,
    WD_ALIGN_PARAGRAPH.RIGHT: Align.RIGHT,
    WD_ALIGN_PARAGRAPH.LEFT: Align.LEFT,
}


def read(name: str, content: bytes) -> Paper:
    """The document as a Paper: text, looks, tables, pictures, margins, whether its foot carries page numbers."""
    document = opened(name, content)
    section = document.sections[0]
    margins = (section.top_margin, section.right_margin, section.bottom_margin, section.left_margin)
    blocks = [block for part in document.iter_inner_content() for block in _blocks(document, part)]
    landscape = bool(section.page_width and section.page_height and section.page_width > section.page_height)
    numbered = "PAGE" in "".join(section.footer._element.xpath(".//w:instrText/text() | .//w:fldSimple/@w:instr"))
    above, right, below, left = (m.mm if m is not None else 30.0 for m in margins)
    return Paper(
        document.core_properties.title or name,
        tuple(blocks),
        document.core_properties.author or "",
        (above, right, below, left),
        landscape,
        numbered,
    )


def _blocks(document: Any, part: DocxParagraph | DocxTable) -> Iterator[Block]:
    if isinstance(part, DocxTable):
        yield _table(document, part)
        return
    yield from _pictures(document, part)
    if part.text or not part._p.xpath(".//a:blip"):
        yield _paragraph(document, part)
    if part._p.xpath('.//w:br[@w:type="page"]'):
        yield PageBreak()


def _pictures(document: Any, part: DocxParagraph) -> Iterator[Picture]:
    for drawing in part._p.xpath(".//wp:inline"):
        blip = drawing.find(".//a:blip", _NAMESPACES)
        extent = drawing.find("wp:extent", _NAMESPACES)
        related = blip.get(qn("r:embed")) if blip is not None else None
        if related and extent is not None and related in document.part.related_parts:
            content = document.part.related_parts[related].blob
            yield Picture(content, int(extent.get("cx")) / 12700, int(extent.get("cy")) / 12700)


def _paragraph(document: Any, part: DocxParagraph) -> Paragraph:
    form, style = part.paragraph_format, part.style
    size = _size(part, document)
    line = form.line_spacing
    if line is None and style is not None:
        line = style.paragraph_format.line_spacing
    indent_em = _indent_em(part, size)
    aligned = part.alignment if part.alignment is not None else getattr(style, "paragraph_format", form).alignment
    return Paragraph(
        tuple(_run(run, style) for run in part.runs if run.text),
        _ALIGN.get(aligned, Align.JUSTIFY),
        size,
        indent_em,
        form.left_indent.pt if form.left_indent else 0.0,
        form.right_indent.pt if form.right_indent else 0.0,
        form.space_before.pt if form.space_before else 0.0,
        form.space_after.pt if form.space_after else 0.0,
        line.pt / size if isinstance(line, Length) else (line or 1.3),
        _rule_of(part),
        bool(form.keep_with_next),
        bool(form.page_break_before),
    )


def _size(part: DocxParagraph, document: Any) -> float:
    """The size of the paragraph's text: of its first run, its style, or the document."""
    for run in part.runs:
        if run.font.size is not None:
            return float(run.font.size.pt)
    mark = part._p.xpath("./w:pPr/w:rPr/w:sz/@w:val")
    if mark:
        return float(mark[0]) / 2
    style = part.style
    while style is not None:
        if style.font.size is not None:
            return float(style.font.size.pt)
        style = style.base_style
    normal = document.styles["Normal"].font.size
    return float((normal or Pt(12)).pt)


def _indent_em(part: DocxParagraph, size: float) -> float:
    characters = part._p.xpath("./w:pPr/w:ind/@w:firstLineChars")
    if characters:
        return float(characters[0]) / 100
    first = part.paragraph_format.first_line_indent
    return max(0.0, first.pt / size) if first else 0.0


def _run(run: DocxRun, style: Any) -> Run:
    color = run.font.color.rgb if run.font.color is not None and run.font.color.type is not None else None
    bold = run.bold if run.bold is not None else bool(style is not None and style.font.bold)
    size = run.font.size.pt if run.font.size is not None else None
    return Run(run.text, bold, size, str(color) if color is not None else "", bool(run.underline))


def _rule_of(part: DocxParagraph) -> str:
    below = part._p.xpath('./w:pPr/w:pBdr/w:bottom[not(@w:val="nil") and not(@w:val="none")]/@w:color')
    return "" if not below else ("000000" if below[0] == "auto" else str(below[0]))


def _table(document: Any, part: DocxTable) -> Table:
    grid = [int(w) for w in part._tbl.xpath("./w:tblGrid/w:gridCol/@w:w")] or [1] * len(part.columns)
    rows: list[tuple[Cell, ...]] = []
    for row in part.rows:
        made: list[Cell] = []
        seen: set[Any] = set()
        for tc in row._tr.tc_lst:
            if tc in seen or tc.vMerge == "continue":
                continue
            seen.add(tc)
            made.append(_cell(document, part, tc, tc.bottom - tc.top if tc.vMerge == "restart" else 1))
        rows.append(tuple(made))
    heads = len(part._tbl.xpath("./w:tr[w:trPr/w:tblHeader]"))
    return Table(tuple(rows), tuple(float(w) for w in grid), heads, _ruled(part))


def _cell(document: Any, table: DocxTable, tc: Any, rows_span: int) -> Cell:
    inside: list[Paragraph | Picture] = []
    for element in tc.p_lst:
        part = DocxParagraph(element, table)
        pictures = list(_pictures(document, part))
        inside += pictures
        if part.text or not pictures:
            inside.append(_paragraph(document, part))
    shade = tc.xpath("./w:tcPr/w:shd/@w:fill")
    return Cell(tuple(inside), tc.grid_span, rows_span, shade[0] if shade and shade[0] != "auto" else "")


def _ruled(part: DocxTable) -> bool:
    own = part._tbl.xpath("./w:tblPr/w:tblBorders/w:top/@w:val")
    if own:
        return own[0] not in ("nil", "none")
    return part.style is not None and part.style.style_id not in ("TableNormal", "NormalTable", "a1")
