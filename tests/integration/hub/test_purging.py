"""Evidence goes when its time is over, and not before: what is unconfirmed, what a case keeps, what several use."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub import purging
from hub.api import shown
from hub.evidence import EvidenceStore
from hub.store.rows import AuditRow, EvidenceRow

from .conftest import City, jpeg
from .test_shown import holds


def _later(city: City, **by: float) -> None:
    """Time passes, for the files too: they were written before."""
    for path in Path(city.hub.house.evidence.folder).rglob("*"):
        if path.is_file():
            os.utime(path, (city.clock().timestamp(), city.clock().timestamp()))
    city.clock.forward(**by)
    city.sign_all_out()  # sessions end in a year


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _kept(city: City, content: bytes) -> bool:
    """Whether the picture is shown; file and answer must agree."""
    answer = city.who("boss").get(f"/api/evidence/{_sha(content)}")
    assert answer.status_code in (200, 410), answer.text
    assert city.hub.house.evidence.has(_sha(content)) == (answer.status_code == 200)
    return answer.status_code == 200


def _rejected(city: City, **pictures: bytes) -> str:
    alert: str = city.post_finding(city.finding(), **pictures)["alert"]
    assert city.who("wang").post(f"/api/alerts/{alert}/reject", json={"reason": "unclear"}).status_code == 200
    return alert


def _set(city: City, what: str, days: int | None) -> Any:
    return city.who("boss").put(f"/api/retention/{what}", json={"days": days})


def _closed(city: City, **pictures: bytes) -> dict[str, Any]:
    """A case of an alert with pictures, closed now."""
    taken = city.post_finding(city.finding(), **pictures)
    case: dict[str, Any] = city.who("wang").post(f"/api/alerts/{taken['alert']}/confirm", json={}).json()["case"]
    city.move("boss", case["id"], "force_close", reason="已处理")
    return case


def _entries(city: City, action: str) -> list[dict[str, Any]]:
    with city.hub.house.db.read() as tx:
        query = select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)
        return [row.detail for row in tx.scalars(query)]


def test_pictures_of_a_rejected_alert_go_after_thirty_days_with_an_entry(city: City) -> None:
    alert = _rejected(city, frame=jpeg(1), before=jpeg(2))
    _later(city, days=29, hours=23)
    assert purging.purge(city.hub.house) == (0, 0)
    assert _kept(city, jpeg(1))
    _later(city, hours=2)
    size = len(jpeg(1)) + len(jpeg(2))
    assert purging.purge(city.hub.house) == (2, size)
    assert not _kept(city, jpeg(1))
    assert not _kept(city, jpeg(2))
    shown_alert = city.who("wang").get(f"/api/alerts/{alert}").json()
    holds(shown.Alert, shown_alert)
    assert [e["purged_at"] for e in shown_alert["evidence"]] == [city.clock().isoformat()] * 2
    (entry,) = _entries(city, "evidence-purged")
    assert (entry["count"], entry["bytes"], entry["cases_closed_until"]) == (2, size, None)
    assert entry["unconfirmed_until"] == (city.clock() - timedelta(days=30)).isoformat()
    assert purging.purge(city.hub.house) == (0, 0), "nothing is purged twice"


def test_an_expired_alert_counts_from_its_end(city: City) -> None:
    city.post_finding(city.finding(), frame=jpeg(3))
    _later(city, days=8)
    city.hub.tidy()
    _later(city, days=29)
    city.hub.tidy()
    assert _kept(city, jpeg(3)), "37 days old, but it ended 29 days ago"
    _later(city, days=2)
    city.hub.tidy()
    assert not _kept(city, jpeg(3))


def test_what_a_person_still_has_to_decide_stays(city: City) -> None:
    alert = city.post_finding(city.finding(), frame=jpeg(4))["alert"]
    city.who("wang").post(f"/api/alerts/{alert}/unsure", json={})
    for _ in range(8):
        _later(city, days=6)
        city.post_finding(city.finding())
        city.hub.tidy()
    assert _kept(city, jpeg(4))


def test_a_case_keeps_its_pictures_until_somebody_sets_a_period(city: City) -> None:
    case = _closed(city, frame=jpeg(5))
    _later(city, days=4000)
    purging.purge(city.hub.house)
    assert _kept(city, jpeg(5))
    assert _set(city, "evidence_cases", 4001).status_code == 200
    purging.purge(city.hub.house)
    assert _kept(city, jpeg(5))
    _later(city, days=2)
    purging.purge(city.hub.house)
    assert not _kept(city, jpeg(5))
    (picture,) = city.read(case["id"])["evidence"]
    assert picture["purged_at"] == city.clock().isoformat()


def test_an_open_case_and_one_that_was_reopened_keep_theirs(city: City) -> None:
    _set(city, "evidence_cases", 30)
    case = _closed(city, frame=jpeg(6))
    _later(city, days=1)
    again = city.move("wang", case["id"], "reopen", reason="群众反映未处理")
    for _ in range(6):
        _later(city, days=10)
        purging.purge(city.hub.house)
    assert _kept(city, jpeg(6)), "the case was closed 61 days ago, but goes on as another"
    new = next(link["case"]["id"] for link in again["links"] if link["relation"] == "reopened_from")
    city.move("boss", new, "force_close", reason="已处理")
    for _ in range(4):
        _later(city, days=10)
        purging.purge(city.hub.house)
    assert not _kept(city, jpeg(6))


def test_a_file_that_something_else_uses_stays(city: City) -> None:
    """The same bytes: of a rejected alert and an open case, a letter's reply, and the look of a re-check."""
    _rejected(city, frame=jpeg(7), before=jpeg(8), clip=jpeg(9))
    city.case(camera="c2")
    reported = city.report(address="西大街9号")["case"]
    assert (
        city.who("shou")
        .post(f"/api/cases/{reported['id']}/correct", data={"text": "补照片"}, files=[("photos", ("a.jpg", jpeg(7)))])
        .is_success
    )
    _arrive_with(city, jpeg(8))
    _later(city, days=40)
    assert purging.purge(city.hub.house)[0] == 1, "only what nothing else uses"
    assert _kept(city, jpeg(7))
    assert _kept(city, jpeg(8))
    assert not _kept(city, jpeg(9))


def _arrive_with(city: City, picture: bytes) -> None:
    """A department reports its arrival at a whistle with a photo."""
    body = {"kind": "gather", "subject": "夜市占道", "place": "北大街东口", "departments": ["sanitation"]}
    answer = city.who("lead").post("/api/whistles", json={**body, "departments": ["enforcement"]})
    assert answer.is_success, answer.text
    path = f"/api/whistles/{answer.json()['id']}"
    assert city.who("boss").post(f"{path}/approve", json={}).is_success
    came = city.who("zhao").post(f"{path}/arrive", data={"person": "班长"}, files=[("photos", ("a.jpg", picture))])
    assert came.is_success, came.text


def test_a_look_of_a_recheck_belongs_to_its_case(city: City) -> None:
    _set(city, "evidence_cases", 30)
    case = city.case()
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    recheck = city.who("worker").get("/api/worker/assignment").json()["rechecks"][0]["id"]
    city.clock.forward(minutes=1)
    look = {"captured_at": city.clock().isoformat(), "present": False, "score": 0.0, "boxes": [], "why": ""}
    answer = _look(city, recheck, look, jpeg(11))
    assert answer.status_code in (200, 201), answer.text
    _later(city, days=40)
    purging.purge(city.hub.house)
    assert _kept(city, jpeg(11))
    city.move("boss", case["id"], "force_close", reason="已处理")
    for _ in range(4):
        _later(city, days=10)
        purging.purge(city.hub.house)
    assert not _kept(city, jpeg(11))
    looks = city.read(case["id"])["recheck"]["looks"]
    assert city.who("boss").get(looks[0]["url"]).json()["type"].endswith("purged")


def _look(city: City, recheck: str, look: dict[str, Any], picture: bytes) -> Any:
    parts = [(_sha(picture), (_sha(picture), picture, "image/jpeg"))]
    return city.who("worker").post(f"/api/rechecks/{recheck}/looks", data={"look": json.dumps(look)}, files=parts)


def test_preserved_evidence_outlives_every_period(city: City) -> None:
    _set(city, "evidence_cases", 30)
    case = _closed(city, frame=jpeg(12))
    path = f"/api/cases/{case['id']}/hold"
    assert city.who("huan").put(path, json={"held": True, "reason": "行政诉讼"}).status_code == 403
    assert city.who("ban").put(path, json={"held": True, "reason": " "}).status_code == 422
    held = city.who("ban").put(path, json={"held": True, "reason": "行政诉讼"}).json()
    assert held["held_at"] == city.clock().isoformat()
    assert [(h["action"], h["note"]) for h in held["history"] if h["action"] == "hold"] == [("hold", "行政诉讼")]
    again = city.who("ling").put(path, json={"held": True, "reason": "再次"}).json()
    assert len(again["history"]) == len(held["history"]), "said twice is once"
    for _ in range(4):
        _later(city, days=300)
        purging.purge(city.hub.house)
    assert _kept(city, jpeg(12))
    assert city.who("ban").put(path, json={"held": False, "reason": "结案"}).json()["held_at"] is None
    assert _entries(city, "evidence-held") == [{"reason": "行政诉讼"}]
    assert _entries(city, "evidence-released") == [{"reason": "结案"}]
    _later(city, days=8)
    purging.purge(city.hub.house)
    assert not _kept(city, jpeg(12))


def test_a_merged_case_hands_its_preservation_on(city: City) -> None:
    first, other = (
        city.report(address="西大街9号")["case"]["id"],
        city.report(address="北大街1号", separate=True)["case"],
    )
    city.who("ban").put(f"/api/cases/{first}/hold", json={"held": True, "reason": "行政诉讼"})
    city.move("shou", first, "merge", into=other["number"])
    assert city.read(other["id"])["held_at"] is not None
    city.who("ban").put(f"/api/cases/{first}/hold", json={"held": False, "reason": "并案"})
    refused = city.who("ban").put(f"/api/cases/{first}/hold", json={"held": True, "reason": "再次"})
    assert (refused.status_code, refused.json()["why"]) == (409, "merged")


def test_a_crash_between_row_and_file_is_made_good(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    _rejected(city, frame=jpeg(13))
    _later(city, days=31)

    def dies(*_: Any) -> bool:
        raise OSError("power")

    with monkeypatch.context() as patched:
        patched.setattr(EvidenceStore, "discard", dies)
        with pytest.raises(OSError, match="power"):
            purging.purge(city.hub.house)
    assert city.who("boss").get(f"/api/evidence/{_sha(jpeg(13))}").status_code == 410, "its row was first"
    assert city.hub.house.evidence.has(_sha(jpeg(13)))
    purging.purge(city.hub.house)
    assert not _kept(city, jpeg(13))
    assert len(_entries(city, "evidence-purged")) == 1


def test_the_same_picture_may_come_again_after_it_was_purged(city: City) -> None:
    _rejected(city, frame=jpeg(14))
    _later(city, days=31)
    purging.purge(city.hub.house)
    assert not _kept(city, jpeg(14))
    city.post_finding(city.finding(), frame=jpeg(14))
    assert _kept(city, jpeg(14))


def test_a_picture_that_comes_again_before_its_file_is_deleted_stays(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    _rejected(city, frame=jpeg(15))
    _later(city, days=31)
    assert purging.purge(city.hub.house, rounds=1)[0] == 1
    city.post_finding(city.finding(), frame=jpeg(15))
    city.clock.forward(hours=2)
    purging.purge(city.hub.house)
    assert _kept(city, jpeg(15))


def test_files_that_no_row_knows_are_swept_with_an_entry(city: City) -> None:
    _rejected(city, frame=jpeg(16))
    stray = city.hub.house.evidence.put(jpeg(17)).sha256
    _later(city, hours=23)
    purging.sweep(city.hub.house, int(stray[:2], 16))
    assert city.hub.house.evidence.has(stray), "a finding may be on its way"
    city.clock.forward(hours=2)
    for folder in range(256):
        purging.sweep(city.hub.house, folder)
    assert not city.hub.house.evidence.has(stray)
    assert _kept(city, jpeg(16))
    assert sum(entry["count"] for entry in _entries(city, "evidence-swept")) >= 1


def test_many_go_in_batches(city: City) -> None:
    with city.hub.house.db.write() as tx:
        for n in range(purging.AT_ONCE + 50):
            row = EvidenceRow(sha256=f"{n:064x}", media_type="image/jpeg", size=10, stored_at=city.clock())
            row.due_at = city.clock()
            tx.add(row)
    _later(city, days=31)
    assert purging.purge(city.hub.house, rounds=1) == (purging.AT_ONCE, 10 * purging.AT_ONCE)
    assert purging.purge(city.hub.house) == (50, 500)
    assert [entry["count"] for entry in _entries(city, "evidence-purged")] == [purging.AT_ONCE, 50]


def test_the_administrator_sets_periods_within_bounds(city: City) -> None:
    boss = city.who("boss")
    page = _set(city, "readings", 90).json()
    holds(shown.Page[shown.Kept], page)
    row = next(r for r in page["items"] if r["what"] == "readings")
    assert (row["days"], row["default"], row["set_by"]) == (90, 30, "boss先生")
    for what, days, said in (
        ("evidence_unconfirmed", 29, "from 30 to 3660"),
        ("evidence_unconfirmed", None, "from 30 to 3660"),
        ("evidence_cases", 5, "from 30 to 36600"),
        ("readings_5min", 0, "from 1 to 3660"),
    ):
        refused = _set(city, what, days)
        assert (refused.status_code, refused.json()["field"]) == (422, "days")
        assert said in refused.json()["detail"]
    assert boss.put("/api/retention/readings", json={"days": 1.5}).status_code == 422
    assert _set(city, "audit", 5).status_code == 404
    assert city.who("shen").put("/api/retention/readings", json={"days": 5}).status_code == 403
    assert _set(city, "evidence_cases", None).status_code == 200
    back = boss.delete("/api/retention/readings").json()
    assert next(r for r in back["items"] if r["what"] == "readings")["set_by"] is None
    assert [e for e in _entries(city, "retention-set") if e["days"] == 90] == [{"was": 30, "days": 90}]
    assert _entries(city, "retention-restored") == [{"was": 90, "days": 30}]
