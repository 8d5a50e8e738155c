"""Letters from templates: filled in as DOCX, read back for the PDF, faults named."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from docx import Document
from pypdf import PdfReader

from hub.config import shipped
from hub.domain.letter import FORMS, LetterKind
from hub.papers import template
from hub.papers.pdf import pdf
from hub.papers.template import TemplateError

FOLDER = shipped("configs") / "letters"


def _docx(*paragraphs: str, row: tuple[str, ...] = ()) -> bytes:
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if row:
        table = document.add_table(rows=2, cols=len(row))
        for cell, text in zip(table.rows[1].cells, row, strict=True):
            cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _texts(content: bytes) -> list[str]:
    document = Document(io.BytesIO(content))
    return [p.text for p in document.paragraphs]


def _jpeg() -> bytes:
    done, content = cv2.imencode(".jpg", np.full((72, 128, 3), 90, np.uint8))
    assert done
    return bytes(content)


def _values(kind: LetterKind) -> tuple[dict[str, Any], dict[str, Any]]:
    form = FORMS[kind]
    fields: dict[str, Any] = {name: f"〈{name}〉" for name in form.fields}
    if "图.处置前" in fields:
        fields |= {"图.处置前": _jpeg(), "图.处置后": None}
    return fields, {g: [{c: f"{c}{n}" for c in columns} for n in (1, 2)] for g, columns in form.rows.items()}


@pytest.mark.parametrize("kind", LetterKind)
def test_every_template_that_ships_can_be_printed(kind: LetterKind) -> None:
    content = (FOLDER / f"{kind}.docx").read_bytes()
    form = FORMS[kind]
    assert template.check(f"{kind}.docx", content, form.fields, form.rows) == []
    fields, rows = _values(kind)
    merged = template.merge(f"{kind}.docx", content, fields, form.rows, rows)
    whole = Document(io.BytesIO(merged))
    assert "{{" not in whole.element.xml
    printed, missing = pdf(template.read(f"{kind}.docx", merged))
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages).replace("\n", "")
    assert missing == ""
    shown = [name for name in form.fields if f"{{{{{name}}}}}" in Document(io.BytesIO(content)).element.xml]
    for name in shown:
        if not name.startswith("图."):
            assert f"〈{name}〉" in text, name
    if kind not in (LetterKind.MINUTES, LetterKind.CHECK_SHEET):
        group = next(iter(form.rows))
        first = form.rows[group][1]
        assert all(f"{first}{n}" in text for n in (1, 2)), text


def test_a_field_that_word_cut_into_runs_is_found_and_keeps_its_look() -> None:
    document = Document()
    paragraph = document.add_paragraph()
    paragraph.add_run("致：{{主")
    paragraph.add_run("送").bold = True
    paragraph.add_run("}}，请办")
    out = io.BytesIO()
    document.save(out)
    merged = template.merge("x.docx", out.getvalue(), {"主送": "环卫中心"}, {}, {})
    assert _texts(merged) == ["致：环卫中心，请办"]


def test_rows_are_repeated_and_none_leaves_none() -> None:
    content = _docx("共{{合计}}件", row=("{{案件.编号}}", "{{ 案件.地点 }}"))
    groups = {"案件": ("编号", "地点")}
    lines = [{"编号": str(n), "地点": f"北大街{n}号"} for n in range(3)]
    merged = template.merge("x.docx", content, {"合计": "3"}, groups, {"案件": lines})
    table = Document(io.BytesIO(merged)).tables[0]
    assert [[c.text for c in row.cells] for row in table.rows][1:] == [[str(n), f"北大街{n}号"] for n in range(3)]
    bare = template.merge("x.docx", content, {"合计": "0"}, groups, {"案件": []})
    assert len(Document(io.BytesIO(bare)).tables[0].rows) == 1


def test_lines_become_paragraphs_and_optional_ones_go() -> None:
    content = _docx("{{要求}}", "{{?抄送}}抄送：{{抄送}}", "完")
    fields = {"要求": "一、清理；\n二、回复。", "抄送": ""}
    assert _texts(template.merge("x.docx", content, fields, {}, {})) == ["一、清理；", "二、回复。", "完"]
    kept = template.merge("x.docx", content, {**fields, "抄送": "办公室"}, {}, {})
    assert _texts(kept)[2] == "抄送：办公室"


def test_what_people_wrote_is_never_a_field() -> None:
    content = _docx("{{事由}}，致{{主送}}")
    merged = template.merge("x.docx", content, {"事由": "{{主送}}\x00\x0b", "主送": "甲"}, {}, {})
    assert _texts(merged) == ["｛｛主送｝｝，致甲"]


def test_faults_name_the_placeholder_and_what_is_allowed() -> None:
    content = _docx("{{主送单位}}", "{{编号", "{{案件.号}}")
    with pytest.raises(TemplateError) as caught:
        template.merge("督办单.docx", content, {"主送": "", "编号": ""}, {"案件": ("编号",)}, {"案件": []})
    problems = caught.value.problems
    assert len(problems) == 3
    assert problems[0].startswith("督办单.docx: {{主送单位}} is no field; allowed: ")
    assert "主送" in problems[0]
    assert "braces that do not close" in problems[1]
    assert "案件.编号" in problems[2]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0 an old .doc"])
def test_what_is_no_docx(content: bytes) -> None:
    with pytest.raises(TemplateError, match="is no DOCX file"):
        template.check("x.docx", content, (), {})
