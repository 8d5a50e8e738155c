"""Workbooks: what looks like a formula stays a text, the header stays in sight, and what is no workbook is said so."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from hub import workbook
from hub.domain.handling_table import Formula
from hub.errors import Invalid, TooLarge


def test_the_header_is_frozen_and_nothing_computes() -> None:
    packed = workbook.write({"部件": [["a", "b"], ["=1+1", "+1"], ["-x", "@y"], ["plain", ""]]}, (10, 20))
    sheet = load_workbook(io.BytesIO(packed))["部件"]
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["B"].width == 20
    cells = [sheet["A2"], sheet["B2"], sheet["A3"], sheet["B3"]]
    assert [(c.value, c.data_type, c.quotePrefix) for c in cells] == [
        ("=1+1", "s", True),
        ("+1", "s", True),
        ("-x", "s", True),
        ("@y", "s", True),
    ]
    assert not sheet["A4"].quotePrefix
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(packed)).read("xl/worksheets/sheet1.xml")
    assert workbook.read(packed)["部件"][1] == ["=1+1", "+1"]


def test_a_computed_cell_is_seen_as_one() -> None:
    book = Workbook()
    book.active.title = "事件"
    book.active.append(["=A2", 3, 2.5, None, "x\r\ny"])
    packed = io.BytesIO()
    book.save(packed)
    (row,) = workbook.read(packed.getvalue())["事件"]
    assert row[0] == Formula("=A2")
    assert row[1:4] == [3, 2.5, None]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken", "名称,电话\n".encode()])
def test_what_is_no_workbook_is_said_so(content: bytes) -> None:
    with pytest.raises(Invalid, match="XLSX workbook"):
        workbook.read(content, "table.xlsx")


def test_a_zip_that_is_no_workbook_or_far_too_large() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(Invalid, match="XLSX workbook"):
        workbook.read(packed.getvalue())
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (129 * 1024 * 1024))
    with pytest.raises(TooLarge):
        workbook.read(packed.getvalue())
    with pytest.raises(TooLarge):
        workbook.read(b"x" * (workbook.FILE_BYTES_MAX + 1))


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS_MOST", 20)
    assert len(workbook.read(workbook.write({"事件": [["x"]] * 20}))["事件"]) == 20
    packed = workbook.write({"事件": [["x"]] * 21})
    with pytest.raises(Invalid, match="rows"):
        workbook.read(packed)
