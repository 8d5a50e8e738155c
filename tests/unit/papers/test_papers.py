"""Print-outs read back: text from PDF, DOCX and XLSX, charts, rare characters, formulas that are none."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from openpyxl import load_workbook
from pypdf import PdfReader

from hub.papers import typeface
from hub.papers.chart import Bar, Chart, Series, Shape, Words, marks
from hub.papers.docx import docx
from hub.papers.paper import Align, ChartBlock, Column, Paper, Sheet, body, grid, words
from hub.papers.pdf import pdf
from hub.papers.picture import png
from hub.papers.xlsx import Leaf, safe, xlsx
from tests import peers

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHART = Chart("各单位按期处置率", Shape.BARS, ("综合执法局", "环卫中心"), (Series("率", (91.67, None)),), "%")


def _paper(rows: int = 60) -> Paper:
    sheet = Sheet().add(words("平台动态", bold=True, size_pt=30, align=Align.CENTER, color="C00000"))
    sheet.heading("一、总体情况").add(body("结案率93.72%，较上月下降1.28个百分点。" * 8))
    lines = [(str(n), f"第{n}中队", "—") for n in range(1, rows + 1)]
    sheet.add(grid([Column("序号"), Column("单位", 2, Align.LEFT), Column("结案率")], lines), ChartBlock(CHART))
    return Paper("平台动态第11期", tuple(sheet.blocks), "区网格化事务中心")


def test_a_pdf_carries_its_text_its_title_and_page_numbers() -> None:
    content, missing = pdf(_paper())
    reader = PdfReader(io.BytesIO(content))
    pages = [page.extract_text() for page in reader.pages]
    assert missing == ""
    assert reader.metadata is not None
    assert reader.metadata.title == "平台动态第11期"
    assert len(pages) >= 2
    assert all(f"— {n} —" in text for n, text in enumerate(pages, start=1))
    assert "结案率93.72%" in "".join(pages).replace("\n", "")
    assert "第60中队" in "".join(pages)
    # The head of the table is repeated on each page that it runs over.
    assert all("序号" in text for text in pages if "中队" in text)
    fonts = {f for page in reader.pages for f in page["/Resources"]["/Font"]}  # type: ignore[index]
    assert fonts
    wide, high = (float(v) for v in reader.pages[0].mediabox[2:])
    assert (round(wide), round(high)) == (595, 842)


def test_fonts_are_embedded_so_that_any_machine_shows_it() -> None:
    reader = PdfReader(io.BytesIO(pdf(_paper(2))[0]))
    described = [
        font.get_object().get("/FontDescriptor")
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    ]
    files = [d.get_object().get("/FontFile2") for d in described if d is not None]
    assert files
    assert all(file is not None for file in files)


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No fonts but those that ship."""
    monkeypatch.setattr(typeface, "SYSTEM_FONTS", (Path("/nowhere/font.ttc"),))
    typeface.rare_face.cache_clear()
    typeface._face_of.cache_clear()
    yield
    typeface.rare_face.cache_clear()
    typeface._face_of.cache_clear()


@pytest.mark.usefixtures("bare_machine")
def test_on_a_machine_without_fonts_chinese_prints_and_what_is_missing_is_named() -> None:
    content, missing = pdf(Paper("x", (body("龑先生报：北大街门前垃圾，𠮷字无字体。"),)))
    text = PdfReader(io.BytesIO(content)).pages[0].extract_text().replace("\n", "")
    assert "龑先生报：北大街门前垃圾，〓字无字体。" in text
    assert missing == "𠮷"
    assert "apt-get install fonts-wqy-zenhei" in typeface.complaint(missing)


def test_a_font_of_the_machine_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    present = [path for path in typeface.SYSTEM_FONTS if path.is_file()]
    if not present:
        peers.missing(f"no Chinese TrueType font on this machine; Debian has {typeface.PACKAGE}")
    typeface.rare_face.cache_clear()
    typeface._face_of.cache_clear()
    content, missing = pdf(Paper("x", (body("囧嫑"),)))
    assert missing == ""
    assert "囧嫑" in PdfReader(io.BytesIO(content)).pages[0].extract_text()


def test_a_docx_carries_the_same() -> None:
    document = Document(io.BytesIO(docx(_paper(3))))
    assert document.core_properties.title == "平台动态第11期"
    assert "结案率93.72%" in "".join(p.text for p in document.paragraphs)
    assert [c.text for c in document.tables[0].rows[1].cells] == ["1", "第1中队", "—"]
    assert document.tables[0].rows[0]._tr.xpath("./w:trPr/w:tblHeader")
    assert len(document.inline_shapes) == 1
    assert "PAGE" in document.sections[0].footer._element.xml
    assert 'w:eastAsia="仿宋"' in document.styles.element.xml


def test_a_chart_says_its_values_and_prints_a_gap_as_nothing() -> None:
    made = list(marks(CHART, 400, 150, typeface.width))
    texts = [m.text for m in made if isinstance(m, Words)]
    assert texts == ["各单位按期处置率", "综合执法局", "91.67%", "环卫中心", "—"]
    assert sum(isinstance(m, Bar) for m in made) == 1
    assert png(CHART, 400, 150).startswith(b"\x89PNG")


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("values", [(), (0.0, 0.0), (None, None), (99.9, 100.0), (1e6, 3.0), (0.004, 0.01)])
def test_charts_stay_inside_their_box(shape: Shape, values: tuple[float | None, ...]) -> None:
    labels = tuple(f"很长很长的单位名称{n}" for n, _value in enumerate(values))
    chart = Chart("题", shape, labels, (Series("甲", values), Series("乙", values)), "")
    for mark in marks(chart, 300, 150, typeface.width):
        if isinstance(mark, Bar):
            assert mark.x >= -0.1
            assert mark.x + mark.width <= 300.1
            assert mark.y >= -0.1
            assert mark.y + mark.height <= 150.1


# --- XLSX -------------------------------------------------------------------------------------------------------------

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_text_becomes_a_formula(text: str) -> None:
    book = load_workbook(io.BytesIO(xlsx([Leaf(text, text, (text,), [(text,)])], SHANGHAI)))
    sheet = book.worksheets[0]
    for cell in (sheet["A1"], sheet["A2"], sheet["A3"]):
        assert cell.data_type == "s"
        assert str(cell.value).startswith("'")
    assert safe("正常") == "正常"


def test_dates_are_dates_heads_are_frozen_and_percents_are_numbers() -> None:
    at = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    rows = [("甲", at, date(2026, 12, 1), Decimal("93.72"), 5, None, True)]
    leaf = Leaf("a/b:c", "题", ("名称", "时间", "日期", "率", "数", "空", "是"), rows, frozenset({3}))
    sheet = load_workbook(io.BytesIO(xlsx([leaf, leaf], SHANGHAI))).worksheets[0]
    assert sheet.title == "a_b_c"
    assert sheet.freeze_panes == "A3"
    assert sheet["B3"].value == datetime(2026, 12, 1, 0, 30)  # noqa: DTZ001
    assert sheet["B3"].is_date
    assert sheet["C3"].value.date() == date(2026, 12, 1)
    assert (sheet["D3"].value, sheet["D3"].number_format) == (0.9372, "0.00%")
    assert (sheet["E3"].value, sheet["F3"].value, sheet["G3"].value) == (5, None, "是")


def test_the_workbook_holds_a_native_chart_and_no_macro() -> None:
    chart = Chart("题", Shape.BARS, ("甲",), (Series("数", (5.0,)),))
    content = xlsx([Leaf("单位", "题", ("名称", "数"), [("甲", 5)], chart=chart)], SHANGHAI)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert any(name.startswith("xl/charts/chart") for name in names)
    assert not any("vba" in name.lower() for name in names)
