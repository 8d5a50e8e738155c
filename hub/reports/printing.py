"""A report's content on paper: as a document with its charts, and as a workbook with a sheet for each table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ..house import House
from ..papers.chart import Chart, Series, Shape
from ..papers.paper import RED, Align, ChartBlock, Column, Paper, Sheet, Table, grid, words
from ..papers.xlsx import Leaf, Value
from .content import Json, Said, in_zh
from .kinds import ReportKind

_NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五")
_WIDE = {
    "案件编号": 3.0,
    "地点": 2.2,
    "名称": 2.0,
    "类别": 2.0,
    "问题类别": 1.7,
    "责任单位": 1.7,
    "单位": 1.7,
    "说明": 1.6,
}
_NARROW = {"名次": 0.7, "序号": 0.7, "截止时间": 1.5, "督办时间": 1.5, "超期": 1.3}
_LEFT = ("地点", "名称", "类别", "说明", "前三位", "后三位")


def paper_of(house: House, report: Json) -> Paper:
    """The document, in Chinese. 月分析 has the red head of the bulletin, the others a plain title."""
    sheet = Sheet()
    _head(sheet, house, report)
    for number, part in enumerate(report["sections"]):
        mark = _NUMBERS[number] if number < len(_NUMBERS) else str(number + 1)
        _section(sheet, f"{mark}、{part['heading']['zh']}", part)
    if report.get("notes"):
        sheet.heading("编者按")
        for line in report["notes"].split("\n"):
            sheet.add(words(line, size_pt=12, indent_em=2))
    sheet.add(words(f"报：{house.office.reported_to}", size_pt=12, align=Align.LEFT, before_pt=12, rule="000000"))
    return Paper(report["title"]["zh"], tuple(sheet.blocks), house.office.issuer, margins_mm=(30.0, 24.0, 28.0, 24.0))


def _head(sheet: Sheet, house: House, report: Json) -> None:
    issued = datetime.fromisoformat(report["issued_at"] or report["made_at"]).astimezone(house.settings.timezone)
    day = f"{issued.year}年{issued.month}月{issued.day}日"
    if report["kind"] == ReportKind.MONTHLY:
        spaced = " ".join(house.office.bulletin)
        sheet.add(words(spaced, bold=True, color=RED, size_pt=38, align=Align.CENTER, line=1.2, after_pt=6))
        sheet.add(words(report["number"]["zh"], size_pt=14, align=Align.CENTER, line=1.2))
        line = f"{house.office.issuer}　　　　　　　　{day}"
        sheet.add(words(line, size_pt=12, align=Align.CENTER, rule=RED, after_pt=10))
        subtitle = f"{report['period']['zh']}城市管理网格化运行分析"
        sheet.add(words(subtitle, bold=True, size_pt=20, align=Align.CENTER, line=1.3, before_pt=6, after_pt=8))
        return
    sheet.add(words(report["title"]["zh"], bold=True, size_pt=22, align=Align.CENTER, line=1.3, after_pt=4))
    line = f"{report['number']['zh']}　{house.office.issuer}　{day}"
    sheet.add(words(line, size_pt=11, align=Align.CENTER, after_pt=8, rule="000000"))


def _section(sheet: Sheet, heading: str, part: Json) -> None:
    sheet.heading(heading)
    for line in part["text"]:
        sheet.add(words(in_zh(line), size_pt=12, indent_em=2))
    if part["facts"]:
        sheet.add(_facts(part["facts"]))
    table = part["table"]
    if table is not None and table["rows"]:
        sheet.add(_table(table))
    elif table is not None and not part["text"]:
        sheet.add(words("本期无。", size_pt=12, indent_em=2))
    if part["note"]:
        sheet.add(words(in_zh(part["note"]), size_pt=9, align=Align.LEFT, color="555555"))
    if part["chart"] is not None and part["chart"]["labels"]:
        chart = chart_of(part["chart"])
        high = 60 + 17 * len(chart.labels) if chart.shape is Shape.BARS else 190
        sheet.add(ChartBlock(chart, min(high, 330)))


def _facts(facts: Sequence[Json]) -> Table:
    columns = [
        *(Column("指标", 1.6, Align.LEFT), Column("本期"), Column("上期")),
        *(Column("环比", 1.3), Column("去年同期"), Column("同比", 1.3)),
    ]
    rows = [
        [
            fact["name"]["zh"],
            fact["text"],
            _was(fact, "before"),
            fact["before"]["text"],
            _was(fact, "year"),
            fact["year"]["text"],
        ]
        for fact in facts
    ]
    return grid(columns, rows)


def _was(fact: Json, against: str) -> str:
    was = fact[against]["was"]
    if was is None:
        return "—"
    return f"{was:.2f}%" if fact.get("percent") else str(int(was))


def _table(table: Json) -> Table:
    heads = [column["zh"] for column in table["columns"]]
    columns = [
        Column(head, _WIDE.get(head, _NARROW.get(head, 1.0)), Align.LEFT if head in _LEFT else Align.CENTER)
        for head in heads
    ]
    rows = [[_text(cell) for cell in row] for row in table["rows"]]
    return grid(columns, rows, 9.0 if len(heads) <= 8 else 8.0)


def _text(cell: Said) -> str:
    return str(cell["text"]) if isinstance(cell, dict) and "text" in cell else in_zh(cell)


def chart_of(chart: Json) -> Chart:
    """The chart as it is drawn, named in Chinese."""
    series = tuple(Series(s["name"]["zh"], tuple(s["values"])) for s in chart["series"])
    return Chart(
        chart["title"]["zh"],
        Shape(chart["shape"]),
        tuple(in_zh(label) for label in chart["labels"]),
        series,
        chart["unit"],
    )


def leaves_of(report: Json) -> list[Leaf]:
    """A sheet of totals, and one for each table."""
    leaves = [_fact_leaf(report, part) for part in report["sections"] if part["facts"]]
    for part in report["sections"]:
        table = part["table"]
        if table is None:
            continue
        heads = tuple(column["zh"] for column in table["columns"])
        percents = frozenset(n for n, column in enumerate(table["columns"]) if column.get("percent"))
        rows = [[_value(cell) for cell in row] for row in table["rows"]]
        chart = chart_of(part["chart"]) if part["chart"] else None
        title = f"{report['title']['zh']} {part['heading']['zh']}"
        leaves.append(Leaf(part["heading"]["zh"], title, heads, rows, percents, chart if rows else None))
    return leaves


def _fact_leaf(report: Json, part: Json) -> Leaf:
    heads = ("指标", "本期", "上期", "环比", "去年同期", "同比")
    rows: list[list[Value]] = [
        [
            fact["name"]["zh"],
            fact["text"] if fact.get("percent") else fact["value"],
            _was(fact, "before") if fact.get("percent") else fact["before"]["was"],
            fact["before"]["text"],
            _was(fact, "year") if fact.get("percent") else fact["year"]["was"],
            fact["year"]["text"],
        ]
        for fact in part["facts"]
    ]
    return Leaf(part["heading"]["zh"], f"{report['title']['zh']} {part['heading']['zh']}", heads, rows)


def _value(cell: Said) -> Value:
    if isinstance(cell, str):
        return cell
    value = cell.get("value")
    if value is None:
        return _text(cell)
    if cell.get("percent"):
        return Decimal(str(value))
    return value if isinstance(value, int) else Decimal(str(value))
