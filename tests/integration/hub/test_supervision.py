"""三次督办 over HTTP: the ladder by its timers, letters with numbers and replies, 问题清单, templates, print-outs."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from docx import Document
from pypdf import PdfReader
from sqlalchemy import event, func, select

from hub import supervisions
from hub.store import supervision_queries
from hub.store.rows import AuditRow, DeliveryRow
from hub.store.supervision_rows import LetterRow, SupervisionRow

from .conftest import City, jpeg

BASE = "/api/supervision"


def _get(city: City, user: str, path: str) -> Any:
    answer = city.who(user).get(f"{BASE}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def _post(city: City, user: str, path: str, **body: Any) -> Any:
    answer = city.who(user).post(f"{BASE}{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _refused(city: City, user: str, path: str, status: int, type_: str, **body: Any) -> str:
    answer = city.who(user).post(f"{BASE}{path}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, type_), answer.text
    return str(answer.json()["detail"])


def _text(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\n", "")


def _levels(city: City, user: str = "wang") -> list[tuple[int, str, str | None]]:
    items = _get(city, user, "/supervisions")["items"]
    return [(i["level"], i["cause"], i["letter"] and i["letter"]["number"]) for i in reversed(items)]


def test_the_ladder_climbs_by_itself(city: City) -> None:
    case = city.case()  # Monday 10:00, 4工作时: due 16:00
    city.sweep()
    assert _levels(city) == []
    coming = _get(city, "wang", "/desk")["coming"]
    assert [(c["level"], c["due_at"], c["case"]["number"]) for c in coming] == [
        (0, "2026-11-23T07:00:00+00:00", case["number"])  # 3 of 4 hours: 15:00
    ]
    city.clock.forward(hours=5)
    city.sweep()
    assert _levels(city) == [(0, "timeout", None)]
    assert _get(city, "huan", "/desk")["coming"][0]["level"] == 1
    city.clock.forward(hours=1)
    city.sweep()
    assert _levels(city)[1:] == [(1, "timeout", "西网催〔2026〕1号")]
    city.clock.forward(days=1)
    city.sweep()
    assert _levels(city)[2:] == [(2, "timeout", "西网督办〔2026〕1号")]
    city.clock.forward(days=2)
    city.sweep()
    assert _levels(city)[3:] == [(3, "timeout", None)]  # waits for a signature
    shown = city.who("wang").get(f"/api/cases/{case['id']}").json()
    assert shown["supervised"] == 3
    assert [line["note"] for line in shown["history"] if line["action"] == "supervise"] == [
        "提醒（超时督办）",
        "一次督办（超时督办）",
        "二次督办（超时督办）",
        "三次督办（超时督办）",
    ]
    city.sweep()
    assert len(_levels(city)) == 4


def test_after_an_outage_all_rungs_come_in_order_and_once(city: City) -> None:
    city.case()
    city.clock.forward(days=14)
    city.sweep()
    assert [level for level, _cause, _number in _levels(city)] == [0, 1, 2, 3]
    items = _get(city, "wang", "/supervisions")["items"]
    assert [i["due_at"] for i in reversed(items)] == sorted(i["due_at"] for i in items)
    with city.hub.house.db.write() as tx:
        clock_id = tx.scalar(select(SupervisionRow.clock_id).limit(1))
        assert clock_id is not None
        supervisions.fire(tx, city.hub.house, clock_id, city.clock())
    assert len(_levels(city)) == 4


def test_an_answer_stops_the_ladder_and_ends_what_it_raised(city: City) -> None:
    case = city.case()
    city.clock.forward(hours=6)
    city.sweep()
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    city.clock.forward(days=20)
    city.sweep()
    items = _get(city, "wang", "/supervisions")["items"]
    assert {i["ended_at"] for i in items} == {"2026-11-23T08:00:00+00:00"}
    assert _get(city, "wang", "/supervisions?open=true")["total"] == 0
    # A rework begins a new run with its own ladder: its deadline is over, so it begins with the first supervision.
    city.move("wang", case["id"], "rework", reason="仍有垃圾")
    city.sweep()
    assert [level for level, _c, _n in _levels(city)] == [0, 1, 1]


def test_what_is_raised_after_the_answer_ends_with_the_case(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    _post(city, "wang", "/supervisions", case=case["id"], level=1, cause="key")
    assert _get(city, "wang", "/desk")["to_batch"] == 1
    city.move("wang", case["id"], "close")
    assert _get(city, "wang", "/supervisions?open=true")["total"] == 0
    assert _get(city, "wang", "/desk")["to_batch"] == 0
    _refused(city, "wang", "/batches", 409, "conflict")


def test_the_rungs_of_a_clock_are_found_by_their_index(city: City) -> None:
    asked: list[tuple[str, Any]] = []
    with city.hub.house.db.read() as tx:
        if tx.get_bind().dialect.name != "sqlite":
            pytest.skip("PostgreSQL reads so small a table without an index")

        connection = tx.connection()

        @event.listens_for(connection, "before_cursor_execute")
        def note(_c: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
            asked.append((statement, values))

        supervision_queries.highest(tx, 1)
        statement, values = asked[0]
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert plan[0].startswith("SEARCH supervisions USING INDEX"), plan


def test_a_return_pauses_the_ladder(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "return", reason="不属本单位")
    city.clock.forward(days=10)
    city.sweep()
    assert _levels(city) == []
    city.move("wang", case["id"], "dispatch", department="sanitation")
    coming = _get(city, "wang", "/desk")["coming"][0]
    assert (coming["level"], coming["department_name_en"]) == (0, "Sanitation centre")


def _third(city: City) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case at level 3 and its unsigned 工作督办函."""
    case = city.case()
    city.clock.forward(days=14)
    city.sweep()
    letter = _get(city, "wang", "/letters?kind=official")["items"][0]
    return case, letter


def test_a_letter_is_signed_numbered_answered_and_settled(city: City) -> None:
    case, letter = _third(city)
    assert (letter["state"], letter["number"]) == ("draft", None)
    assert (letter["to"], letter["to_en"]) == ("环卫中心", "Sanitation centre")
    (line,) = letter["lines"]
    said = [letter["english"][line[column]] for column in ("问题类别", "责任单位", "状态", "超期")]
    assert said[:2] == ["Exposed garbage", "Sanitation centre"]
    assert all(text.isascii() for text in said), said
    history = city.who("wang").get(f"/api/cases/{case['id']}").json()["history"]
    assert {one["note_en"] for one in history if one["action"] == "supervise"} >= {"Third supervision (Overdue)"}
    assert _get(city, "wang", "/supervisions")["items"][0]["department_name_en"] == "Sanitation centre"
    assert _get(city, "huan", "/letters?kind=official")["total"] == 0  # a draft is not the department's business
    assert city.who("huan").get(f"{BASE}/letters/{letter['id']}").status_code == 404
    _refused(city, "huan", f"/letters/{letter['id']}/sign", 403, "forbidden")
    signed = _post(city, "wang", f"/letters/{letter['id']}/sign")
    assert (signed["number"], signed["signed_by"], signed["state"]) == ("西网督〔2026〕1号", "wang先生", "issued")
    assert signed["fields"]["抄送"] == "西峰区网格化+信息化管理服务工作领导小组办公室"
    assert signed["reply_due_at"] == "2026-12-10T02:00:00+00:00"  # 3 working days after Monday 7 December, 10:00
    assert _get(city, "huan", "/letters?kind=official")["total"] == 1
    assert _get(city, "zhao", "/letters")["total"] == 0
    assert _get(city, "wang", "/desk")["letters"]["waiting"] == 2  # with the 督办单
    city.clock.forward(days=4)
    assert _get(city, "wang", "/desk")["letters"]["late"] == 2
    detail = _refused(city, "huan", f"/letters/{letter['id']}/reply", 422, "invalid", text=" ")
    assert "text" in detail
    _refused(city, "zhao", f"/letters/{letter['id']}/reply", 404, "not-found", text="x")
    answer = city.who("huan").post(
        f"{BASE}/letters/{letter['id']}/reply",
        data={"text": "已整改到位"},
        files=[("photos", ("a.jpg", jpeg(), "image/jpeg"))],
    )
    assert answer.status_code == 200, answer.text
    replied = answer.json()
    assert (replied["state"], replied["reply"], replied["reply_late"]) == ("answered", "已整改到位", True)
    assert city.who("huan").get(replied["reply_evidence"][0]["url"]).status_code in (200, 404)
    back = _post(city, "wang", f"/letters/{letter['id']}/refuse_reply", text="未附照片")
    assert (back["state"], back["replied_at"]) == ("issued", None)
    _post(city, "huan", f"/letters/{letter['id']}/reply", text="补报")
    done = _post(city, "wang", f"/letters/{letter['id']}/accept_reply")
    assert (done["state"], done["actions"]) == ("done", [])
    _refused(city, "wang", f"/letters/{letter['id']}/withdraw", 409, "illegal-move", text="x")
    assert case["number"] in str(done["lines"])


def test_numbers_have_no_gaps_and_begin_anew_each_year(city: City) -> None:
    case = city.case()

    def contact() -> str:
        made = _post(city, "wang", "/letters", kind="contact", cases=[case["id"]], to="西峰供电公司")
        return str(_post(city, "wang", f"/letters/{made['id']}/sign")["number"])

    assert [contact(), contact()] == ["西网联〔2026〕1号", "西网联〔2026〕2号"]
    withdrawn = _post(city, "wang", "/letters", kind="contact", cases=[case["id"]], to="甲")
    _post(city, "wang", f"/letters/{withdrawn['id']}/withdraw", text="不发了")
    with city.hub.house.db.write() as tx:  # a transaction that fails takes its number back
        row = tx.scalars(select(LetterRow).where(LetterRow.state == "withdrawn")).one()
        row.state = "draft"
        with pytest.raises(RuntimeError):
            _fail_after_issue(city, tx, row)
    assert contact() == "西网联〔2026〕3号"
    city.clock.time = datetime.fromisoformat("2026-12-31T16:30:00+00:00")  # half past midnight in Shanghai
    assert contact() == "西网联〔2027〕1号"


def _fail_after_issue(city: City, tx: Any, row: LetterRow) -> None:
    from hub import letters
    from hub.house import SYSTEM

    letters.issue(tx, city.hub.house, row, SYSTEM, city.clock())
    tx.rollback()
    raise RuntimeError


def test_a_batch_takes_the_open_problems_once(city: City) -> None:
    first, second = city.case(), city.case(camera="c2")
    city.clock.forward(hours=6)
    city.sweep()
    assert _get(city, "wang", "/desk")["to_batch"] == 2
    batch = _post(city, "wang", "/batches", demands="请于三日内整改。")
    assert (batch["number"], batch["state"], len(batch["lines"])) == ("2026年第1批", "issued", 2)
    assert {line["编号"] for line in batch["lines"]} == {first["number"], second["number"]}
    assert _get(city, "wang", "/desk")["to_batch"] == 0
    _refused(city, "wang", "/batches", 409, "conflict")
    city.clock.forward(days=1)
    city.sweep()
    assert _post(city, "wang", "/batches")["number"] == "2026年第2批"  # the second level is a new entry
    _refused(city, "huan", "/batches", 403, "forbidden")


def test_a_person_supervises_at_any_level(city: City) -> None:
    case = city.case()
    made = _post(
        city, "wang", "/supervisions", case=case["number"], level=3, cause="leader", demands="区长批示，立即办理"
    )
    assert (made["level"], made["cause"], made["letter"]["state"]) == (3, "leader", "draft")
    letter = _get(city, "wang", f"/letters/{made['letter']['id']}")
    assert letter["fields"]["要求"] == "区长批示，立即办理"
    again = _post(city, "wang", "/supervisions", case=case["id"], level=2, cause="key")
    assert again["letter"]["number"] == "西网督办〔2026〕1号"
    assert city.who("wang").get(f"/api/cases/{case['id']}").json()["supervised"] == 3
    for body, status, type_ in (
        ({"case": case["id"], "level": 4, "cause": "key"}, 422, "invalid"),
        ({"case": case["id"], "level": 1, "cause": "mood"}, 422, "invalid"),
        ({"case": "nothing", "level": 1, "cause": "key"}, 404, "not-found"),
    ):
        _refused(city, "wang", "/supervisions", status, type_, **body)
    _refused(city, "huan", "/supervisions", 403, "forbidden", case=case["id"], level=1, cause="key")
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    city.move("wang", case["id"], "close")
    _refused(city, "wang", "/supervisions", 409, "conflict", case=case["id"], level=1, cause="key")


def test_letters_and_sheets_print_as_docx_and_pdf(city: City) -> None:
    case, letter = _third(city)
    before = _text(city.who("wang").get(f"{BASE}/letters/{letter['id']}/pdf").content)
    assert "（待签发）" in before
    _post(city, "wang", f"/letters/{letter['id']}/sign")
    made = city.who("wang").get(f"{BASE}/letters/{letter['id']}/pdf")
    assert made.headers["content-type"] == "application/pdf"
    assert "attachment" in made.headers["content-disposition"]
    text = _text(made.content)
    for word in ("西网督〔2026〕1号", "环卫中心", case["number"], "2026年12月7日", "印章", "4工作时", "wang先生"):
        assert word in text, word
    document = Document(io.BytesIO(city.who("wang").get(f"{BASE}/letters/{letter['id']}/docx").content))
    assert case["number"] in document.tables[0].rows[1].cells[1].text
    for kind in ("case_sheet", "check_sheet"):
        sheet = city.who("huan").get(f"{BASE}/sheets/{kind}/{case['id']}/pdf")
        assert sheet.status_code == 200, sheet.text
        assert case["number"] in _text(sheet.content)
        assert city.who("zhao").get(f"{BASE}/sheets/{kind}/{case['id']}/docx").status_code == 404
    assert city.who("wang").get(f"{BASE}/letters/{letter['id']}/odt").status_code == 422
    assert city.who("wang").get(f"{BASE}/sheets/urge/{case['id']}/pdf").status_code == 422


def test_the_sheet_of_a_case_says_its_filing_condition_in_words(city: City) -> None:
    condition = city.who("wang").get("/api/conditions", params={"code": "06010"}).json()["items"][0]
    found = city.post_finding(city.finding())["alert"]
    answer = city.who("wang").post(f"/api/alerts/{found}/confirm", json={"condition": condition["id"]})
    sheet = city.who("wang").get(f"{BASE}/sheets/case_sheet/{answer.json()['case']['id']}/docx")
    tables = Document(io.BytesIO(sheet.content)).tables
    assert condition["filing"] in {cell.text for table in tables for row in table.rows for cell in row.cells}


def test_a_clerk_changes_a_template_and_old_letters_stay(city: City) -> None:
    case = city.case()
    made = _post(city, "wang", "/supervisions", case=case["id"], level=2, cause="key")["letter"]["id"]
    old = city.who("wang").get(f"{BASE}/letters/{made}/pdf").content
    document = Document(io.BytesIO(city.who("wang").get(f"{BASE}/templates/order").content))
    document.add_paragraph("本单一式两份。{{编号}}")
    changed = io.BytesIO()
    document.save(changed)
    put = city.who("wang").put(f"{BASE}/templates/order", content=changed.getvalue())
    assert put.status_code == 200, put.text
    assert put.json()["shipped"] is False
    assert _text(city.who("wang").get(f"{BASE}/letters/{made}/pdf").content) == _text(old)
    new = _post(city, "wang", "/supervisions", case=case["id"], level=2, cause="key")["letter"]["id"]
    assert "本单一式两份。西网督办〔2026〕2号" in _text(city.who("wang").get(f"{BASE}/letters/{new}/pdf").content)
    document.add_paragraph("{{主送单位}}")
    broken = io.BytesIO()
    document.save(broken)
    answer = city.who("wang").put(f"{BASE}/templates/order", content=broken.getvalue())
    assert (answer.status_code, answer.json()["type"]) == (422, "broken-template")
    assert "{{主送单位}} is no field; allowed: " in answer.json()["problems"][0]
    assert city.who("wang").put(f"{BASE}/templates/order", content=b"no docx").status_code == 422
    assert city.who("huan").get(f"{BASE}/templates").status_code == 403
    city.hub.migrate()  # a restart keeps the clerk's
    assert {t["kind"]: t["shipped"] for t in _get(city, "wang", "/templates")["items"]}["order"] is False
    assert city.who("wang").delete(f"{BASE}/templates/order").json()["shipped"] is True


def test_letters_by_hand_are_checked(city: City) -> None:
    case = city.case()
    for body in (
        {"kind": "problems"},
        {"kind": "official", "cases": [case["id"]]},
        {"kind": "official", "cases": [case["id"]], "department": "ghosts"},
        {"kind": "contact", "to": "甲", "reply": "soon"},
        {"kind": "contact", "to": "甲", "cases": ["x"] * 501},
    ):
        _refused(city, "wang", "/letters", 422, "invalid", **body)
    _refused(city, "wang", "/letters", 404, "not-found", kind="contact", to="甲", cases=["nothing"])
    minutes = _post(
        city, "wang", "/letters", kind="minutes", more={"时间": "11月26日", "内容": "会议听取了汇报。\n会议议定三项。"}
    )
    text = _text(city.who("wang").get(f"{BASE}/letters/{minutes['id']}/pdf").content)
    assert "会议议定三项。" in text
    written = _post(city, "wang", "/letters", kind="contact", to="环卫中心一队", department="sanitation")
    assert (written["to"], written["to_en"]) == ("环卫中心一队", "")  # what somebody wrote stays


def test_audit_and_events_come_with_the_act(city: City) -> None:
    city.case()
    city.clock.forward(days=14)
    city.sweep()
    with city.hub.house.db.read() as tx:
        actions = dict(tx.execute(select(AuditRow.action, func.count()).group_by(AuditRow.action)).all())
        assert (actions["case-supervised"], actions["letter-issued"]) == (4, 2)
        assert tx.scalar(select(func.count()).select_from(DeliveryRow)) == 0  # no webhook is configured here
