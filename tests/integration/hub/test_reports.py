"""Reports over HTTP: what each says, every number with its cases, issued once and for ever, printed in three forms."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook
from pypdf import PdfReader

from hub.api.shown_reports import Deduction, Deductions
from hub.reports.content import in_zh
from hub.store.rows import GridRow
from hub.store.supervision_rows import BulletinRow

from .conftest import City
from .counted_cases import Made, add
from .test_shown import holds

EARLY = datetime(2026, 11, 3, 1, tzinfo=UTC)
AFTER = datetime(2026, 12, 2, 2, tzinfo=UTC)
KINDS = (("weekly", "2026-W45"), ("monthly", "2026-11"), ("quarterly", "2026-Q4"), ("yearly", "2026"))


def _cases() -> Iterator[tuple[int, Made]]:
    made = Made(EARLY, street="st1", community="co1", address="北大街1号")
    yield 12, made
    yield 3, made.but(channel="hotline", urgent=True, department="enforcement", category="09006", street="st2")
    yield 4, made.but(answered_h=30, closed_h=31, department="enforcement", category="09006")
    yield 2, made.but(answered_h=None, closed_h=None, address="=HYPERLINK(1)")
    yield 1, made.but(reworks=3, answered_h=2, closed_h=40)
    yield 2, made.but(recurrence=True, item="component", category="01003")
    yield 5, made.but(at=datetime(2026, 10, 13, 1, tzinfo=UTC))
    yield 6, made.but(at=datetime(2025, 11, 4, 1, tzinfo=UTC), answered_h=30, closed_h=31)


@pytest.fixture
def town(city: City) -> City:
    with city.hub.house.db.write() as tx:
        for id_, name, level, parent in (
            ("st1", "北街街道", "street", "d"),
            ("st2", "南街街道", "street", "d"),
            ("co1", "北大街社区", "community", "st1"),
        ):
            tx.add(GridRow(id=id_, name=name, level=level, parent_id=parent, geometry={}, area_level=""))
        number = 0
        for times, made in _cases():
            for _ in range(times):
                number += 1
                add(tx, city.hub.house, made, number)
    city.clock.time = AFTER
    return city


def _read(town: City, kind: str, period: str, user: str = "kao") -> dict[str, Any]:
    answer = town.who(user).get(f"/api/reports/{kind}/{period}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _part(report: dict[str, Any], id_: str) -> dict[str, Any]:
    return dict(next(part for part in report["sections"] if part["id"] == id_))


def _ranked(town: City, unit: str) -> list[Any]:
    """The unit's row in the ranking of the quarter."""
    rows = _part(_read(town, "quarterly", "2026-Q4"), "ranking-department")["table"]["rows"]
    return next(row for row in rows if in_zh(row[1]) == unit)


def _numbers(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in report["sections"]:
        yield from part["facts"]
        for row in part["table"]["rows"] if part["table"] else ():
            yield from (cell for cell in row if isinstance(cell, dict))


@pytest.mark.parametrize(("kind", "period"), KINDS)
def test_every_number_opens_its_cases(town: City, kind: str, period: str) -> None:
    """Over HTTP every third of them; test_evaluation.py compares each counter with its list."""
    report = _read(town, kind, period)
    drilled = 0
    for drill, number in list({str(n["drill"]): (n["drill"], n) for n in _numbers(report) if n.get("drill")}.values())[
        ::3
    ]:
        answer = town.who("kao").get("/api/reports/cases", params={**drill, "limit": 500})
        assert answer.status_code == 200, answer.text
        listed = answer.json()
        assert len(listed["items"]) == listed["total"]
        if not number.get("percent"):
            assert listed["total"] == number["value"], drill
        drilled += 1
    assert drilled > 5


def test_the_month_is_compared_with_the_last_and_with_last_year(town: City) -> None:
    report = _read(town, "monthly", "2026-11")
    facts = {fact["key"]: fact for fact in _part(report, "overall")["facts"]}
    assert (facts["register"]["value"], facts["register"]["before"]["was"], facts["register"]["year"]["was"]) == (
        24,
        5,
        6,
    )
    assert (facts["register"]["before"]["text"], facts["register"]["year"]["text"]) == ("↑380.00%", "↑300.00%")
    # 17 of 24 due in time: 12 + 3 + 2; 1 reworked case closed late but answered in time.
    assert facts["intime_archive_rate"]["text"] == "75.00%"
    assert facts["intime_archive_rate"]["year"]["text"] == "↑75.00个百分点"
    assert facts["archive_rate"]["archive_rate_HB"] == 100.0
    assert _part(report, "streets")["table"]["rows"][0][1] == "南街街道"  # 3 of 3 in time
    sources = {row[0]["zh"]: row[2]["text"] for row in _part(report, "sources")["table"]["rows"]}
    assert sources == {"监督员巡查": "87.50%", "12345政务热线": "12.50%"}
    top = [row[1]["zh"] for row in _part(report, "classes")["table"]["rows"]]
    assert [name.split("（")[0] for name in top] == ["暴露垃圾", "占道经营", "雨水井盖"]
    assert len(_part(report, "overdue")["table"]["rows"]) == 2
    assert _part(report, "recurrence")["table"]["rows"][0][3]["value"] == 2
    assert "11月" in _part(report, "overall")["text"][0]["zh"]
    empty = _read(town, "monthly", "2026-02")
    facts = {fact["key"]: fact for fact in _part(empty, "overall")["facts"]}
    assert (facts["archive_rate"]["text"], facts["archive_rate"]["before"]["text"]) == ("—", "—")


def test_cases_with_the_same_deadline_stand_by_their_number(town: City) -> None:
    late = [41, 7, 93, 22, 68, 15, 80, 34]
    with town.hub.house.db.write() as tx:
        for number in late:
            row = add(tx, town.hub.house, Made(EARLY, answered_h=None, closed_h=None), 90000 + number)
            row.address = "同一天"
    for _ in range(2):
        rows = _part(_read(town, "monthly", "2026-11"), "overdue")["table"]["rows"]
        numbers = [row[1]["text"] for row in rows if row[3] == "同一天"]
        assert [int(number[-5:]) - 90000 for number in numbers] == sorted(late)
        assert [row[0] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]


def test_of_a_week_that_runs_what_is_due_so_far_is_counted(city: City) -> None:
    city.case()  # Monday 10:00, due 16:00

    def number(counter: str) -> int:
        answer = city.who("kao").get(f"/api/reports/cases?counter={counter}&period=2026-W48")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    def row() -> list[Any]:
        rows = _part(_read(city, "weekly", "2026-W48"), "departments")["table"]["rows"]
        return next((cells for cells in rows if in_zh(cells[1]) == "环卫中心"), [])

    counters = ("register", "need_archive", "overtime_to_archive", "need_dispose", "overtime_to_dispose", "to_dispose")
    assert [number(c) for c in counters] == [1, 0, 0, 0, 0, 1]
    assert [cell["text"] for cell in row()[3:7]] == ["0", "0", "0", "0"]
    assert row()[-1]["text"] == "—"
    city.clock.forward(hours=7)
    assert [number(c) for c in counters] == [1, 1, 1, 1, 1, 1]
    assert [cell["text"] for cell in row()[3:7]] == ["1", "0", "0", "1"]


def test_scores_by_the_rule_with_itemised_deductions(town: City) -> None:
    report = _read(town, "quarterly", "2026-Q4")
    rows = {in_zh(row[1]): row for row in _part(report, "ranking-department")["table"]["rows"]}
    # 环卫中心: 22 stays due, 20 answered, all in time; 22 cases due, 20 closed; 1 of 20 reworked. Terms without a
    # denominator (督办, 满意) are out: (0.40 x 90.91 + 0.25 x 90.91 + 0.15 x 95) / 0.80.
    clean = next(row for name, row in rows.items() if name.startswith("环卫"))
    assert (clean[3]["text"], clean[4]["text"], clean[5]["text"]) == ("90.91%", "90.91%", "5.00%")
    assert clean[7]["text"] == "91.68"
    assert clean[8]["text"] == "1.10"  # three reworks at 0.2, the third failed check at 0.5
    assert clean[9]["text"] == "90.58"
    details = [row for row in _part(report, "deductions")["table"]["rows"] if row[0] == clean[1]]
    assert [row[1]["zh"] for row in details] == ["返工", "返工", "返工", "同一案件三次核查不合格"]
    assert all(row[2]["case"].startswith("621002") for row in details)
    assert report["rule_version"] == "2026"


def test_points_off_by_hand_and_taken_back(town: City) -> None:
    body = {"department": "sanitation", "day": "2026-11-20", "rule": "falsification", "doubled": True, "note": "造假"}
    made = town.who("kao").post("/api/reports/deductions", json=body)
    assert made.status_code == 200, made.text
    assert made.json()["points"] == 2.0
    rows = {
        in_zh(row[1]): row for row in _part(_read(town, "quarterly", "2026-Q4"), "ranking-department")["table"]["rows"]
    }
    assert next(row for name, row in rows.items() if name.startswith("环卫"))[8]["text"] == "3.10"
    path = f"/api/reports/deductions/{made.json()['id']}/strike"
    assert town.who("kao").post(path, json={"note": " "}).status_code == 422
    assert town.who("kao").post(path, json={"note": "查无实据"}).json()["struck"] is True
    assert town.who("kao").post(path, json={"note": "再来"}).status_code == 409
    rows = {
        in_zh(row[1]): row for row in _part(_read(town, "quarterly", "2026-Q4"), "ranking-department")["table"]["rows"]
    }
    assert next(row for name, row in rows.items() if name.startswith("环卫"))[8]["text"] == "1.10"
    for changes, status in (
        ({"rule": "rework"}, 422),
        ({"department": "ghosts"}, 422),
        ({"case": "6210020000000000000"}, 404),
        ({"day": "someday"}, 422),
    ):
        assert town.who("kao").post("/api/reports/deductions", json={**body, **changes}).status_code == status
    assert town.who("ling").post("/api/reports/deductions", json=body).status_code == 403
    listed = town.who("ling").get("/api/reports/deductions?period=2026-11").json()
    assert [item["struck"] for item in listed["items"]] == [True]
    holds(Deductions, listed)
    holds(Deduction, listed["items"][0])
    one = listed["items"][0]
    names = (one["department_name"], one["department_name_en"])
    assert (names, one["by"]) == (("环卫中心", "Sanitation centre"), "kao先生")


def test_an_issued_report_never_changes(town: City) -> None:
    refused = town.who("ling").post("/api/reports/monthly/2026-11/issue")
    assert refused.status_code == 403
    early = town.who("kao").post("/api/reports/monthly/2026-12/issue")
    assert (early.status_code, early.json()["type"]) == (409, "conflict")
    made = town.who("kao").post("/api/reports/monthly/2026-11/issue", json={"notes": "请各单位重视。"})
    assert made.status_code == 200, made.text
    assert made.json()["number"] == {"zh": "2026年第1期", "en": "No. 1 of 2026"}
    assert town.who("kao").post("/api/reports/monthly/2026-11/issue").status_code == 409
    assert town.who("kao").post("/api/reports/monthly/2026-10/issue").json()["sequence"] == 2
    before = _read(town, "monthly", "2026-11")
    with town.hub.house.db.write() as tx:
        add(tx, town.hub.house, Made(EARLY), 900)
    assert _read(town, "monthly", "2026-11") == before
    live = town.who("kao").get("/api/reports/monthly/2026-11?live=true").json()
    facts = {fact["key"]: fact["value"] for fact in _part(live, "overall")["facts"]}
    assert facts["register"] == 25
    listed = town.who("ling").get("/api/reports?kind=monthly").json()["items"]
    assert [item["period"] for item in listed] == ["2026-11", "2026-10"]


@pytest.mark.parametrize(("kind", "period"), KINDS)
def test_the_three_forms_say_the_same(town: City, kind: str, period: str) -> None:
    report = _read(town, kind, period)
    base = f"/api/reports/{kind}/{period}"
    files = {form: town.who("kao").get(f"{base}/{form}") for form in ("pdf", "docx", "xlsx")}
    assert all(answer.status_code == 200 for answer in files.values()), [a.text[:300] for a in files.values()]
    printed = "".join(page.extract_text() for page in PdfReader(io.BytesIO(files["pdf"].content)).pages)
    printed = printed.replace("\n", "")
    document = Document(io.BytesIO(files["docx"].content))
    written = "".join(p.text for p in document.paragraphs)
    written += "".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    book = load_workbook(io.BytesIO(files["xlsx"].content))
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}
    for part in report["sections"]:
        assert part["heading"]["zh"] in printed, part["id"]
        assert part["heading"]["zh"] in written
        for fact in part["facts"]:
            assert fact["text"] in printed
            assert fact["text"] in written
        for row in part["table"]["rows"] if part["table"] else ():
            name = next((cell for cell in row if isinstance(cell, str) and len(cell) > 3), None)
            if name is not None:
                assert name[:6] in printed, (part["id"], name)
    assert {"指标", "立案数"} <= cells
    assert not any(cell.startswith("=") for cell in cells)
    assert all(sheet.freeze_panes == "A3" for sheet in book)
    assert len(document.inline_shapes) >= 1


OWN_NAMES = ("北街街道", "南街街道", "北大街社区", "北大街1号")
"""Of places: they stay as they are in every language."""


def _read_aloud(value: Any) -> Iterator[str]:
    """Every text of an answer as the English page shows it; `text` of a change is what print-outs say."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _read_aloud(each)
    elif isinstance(value, dict):
        if "zh" in value and "en" in value:
            assert value["en"], value
        skipped = {"zh", "text"} if "en" in value else set()
        for key in value.keys() - skipped:
            yield from _read_aloud(value[key])


def _chinese(answer: Any) -> set[str]:
    """What is left of Chinese, but for the names of places."""
    found = set()
    for said in _read_aloud(answer):
        rest = said
        for name in OWN_NAMES:
            rest = rest.replace(name, "")
        if re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", rest):
            found.add(said)
    return found


@pytest.mark.parametrize(("kind", "period"), KINDS)
def test_the_english_page_has_no_chinese_but_names_of_places(town: City, kind: str, period: str) -> None:
    body = {"department": "sanitation", "day": "2026-11-04", "rule": "media", "doubled": True, "note": "front page"}
    assert town.who("kao").post("/api/reports/deductions", json=body).status_code == 200
    case = {"counter": "register", "period": period, "channel": "patrol", "item": "component", "category": "01003"}
    for path, asked in ((f"/api/reports/{kind}/{period}", {}), ("/api/reports/cases", case)):
        answer = town.who("kao").get(path, params=asked).json()
        for item in answer.get("items", ()):
            del item["category"]["name"], item["department_name"]  # as printed; the page shows the English beside it
        assert _chinese({key: value for key, value in answer.items() if key != "issued_by"}) == set()


def test_what_the_english_page_says(town: City) -> None:
    month = _read(town, "monthly", "2026-11")
    assert month["title"]["en"] == "Monthly analysis, November 2026"
    assert _part(month, "overall")["text"][0]["en"].startswith(
        "November 2026: reported 24, accepted 24, filed 24 (↑380.00% on the period before, ↑300.00% on a year before). "
        "Due to be closed 24, closed 22: closing rate 91.67%"
    )
    assert _part(month, "classes")["table"]["rows"][0][1]["en"] == "Exposed garbage (06010)"
    assert _part(month, "sources")["chart"]["labels"][1]["en"] == "12345 hotline"
    assert _part(month, "overdue")["table"]["rows"][0][6]["en"] == "27 d 9 h"
    year = _read(town, "yearly", "2026")
    assert _part(year, "trend")["chart"]["labels"][10] == {"zh": "11月", "en": "Nov"}
    counted = town.who("kao").get("/api/reports/cases?counter=register&period=2026-W45&channel=patrol").json()
    assert counted["period"]["en"] == "Week 45 of 2026 (2 Nov to 8 Nov)"
    assert counted["scope"] == {"channel": {"zh": "监督员巡查", "en": "Collectors on patrol"}}


def test_a_report_that_was_kept_in_chinese_alone_is_shown_and_printed(town: City) -> None:
    """As hubs issued them before reports had English."""
    part: dict[str, Any] = {"id": "sources", "heading": {"zh": "案件来源", "en": "Sources"}, "facts": []}
    part |= {"text": ["2025年11月，平台共上报问题7件。"], "note": "仅列超期最久的30件。"}
    part["table"] = {
        "columns": [{"zh": "来源", "en": "Source"}, {"zh": "立案数", "en": "Filed"}],
        "rows": [["监督员巡查", {"value": 7, "text": "7", "drill": None}]],
    }
    part["chart"] = {"title": part["heading"], "shape": "bars", "unit": "", "labels": ["监督员巡查"]}
    part["chart"]["series"] = [{"name": {"zh": "立案数", "en": "Filed"}, "values": [7.0]}]
    kept = {
        "kind": "monthly",
        "kind_name": {"zh": "月分析", "en": "Monthly analysis"},
        "title": "平台动态第3期（2025年11月）",
        "number": "2025年第3期",
        "sequence": 3,
        "period": {"name": "2025-11", "zh": "2025年11月", "first": "2025-11-01", "last": "2025-11-30", "over": True},
        "rule_version": "2026",
        "made_at": EARLY.isoformat(),
        "sections": [part],
        "notes": "",
    }
    with town.hub.house.db.write() as tx:
        row = BulletinRow(id="old", kind="monthly", period="2025-11", year=2025, sequence=3, rule_version="2026")
        row.report, row.issued_at, row.issued_by, row.issued_by_name = kept, EARLY, "kao", "kao先生"
        tx.add(row)
    shown = _read(town, "monthly", "2025-11")
    assert shown["sections"] == [part]
    assert shown["title"] == {"zh": kept["title"], "en": "Monthly analysis, November 2025"}
    assert shown["number"] == {"zh": "2025年第3期", "en": "No. 3 of 2025"}
    assert shown["period"]["en"] == "November 2025"
    assert town.who("kao").get("/api/reports").json()["items"][0]["title"] == shown["title"]
    files = {form: town.who("kao").get(f"/api/reports/monthly/2025-11/{form}") for form in ("pdf", "docx", "xlsx")}
    assert all(answer.status_code == 200 for answer in files.values()), [a.text[:300] for a in files.values()]
    document = Document(io.BytesIO(files["docx"].content))
    lines = [p.text for p in document.paragraphs]
    assert part["text"][0] in lines
    assert part["note"] in lines
    assert [cell.text for cell in document.tables[-1].rows[1].cells] == ["监督员巡查", "7"]
    sheet = load_workbook(io.BytesIO(files["xlsx"].content)).worksheets[0]
    assert sheet["A1"].value == "平台动态第3期（2025年11月） 案件来源"


def test_what_is_refused(town: City) -> None:
    for path, status in (
        ("/api/reports/daily/2026-11", 422),
        ("/api/reports/monthly/2026-W45", 422),
        ("/api/reports/monthly/yesterday", 422),
        ("/api/reports/monthly/2026-11/odt", 422),
        ("/api/reports/cases?counter=love&period=2026-11", 422),
        ("/api/reports/cases?counter=register&period=x", 422),
        ("/api/reports/cases?counter=register&period=2026-11&cursor=x", 422),
    ):
        answer = town.who("kao").get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    for user in ("huan", "eng"):
        assert town.who(user).get("/api/reports/monthly/2026-11").status_code == 403
