"""Many at once: one problem stays one alert and one case, one verdict wins, and the audit chain stays whole."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from hub import alerts, cases, people, supervisions
from hub.casework import begin
from hub.casework.begin import Report
from hub.casework.order import Order
from hub.domain.channel import Channel
from hub.domain.machine import IllegalMove
from hub.domain.role import Role
from hub.errors import AlreadyDecided, Barred, Conflict, HubError, Taken
from hub.house import Actor, House
from hub.registry import CameraEntry
from hub.store import Transaction, case_queries
from hub.store.case_rows import CaseRow
from hub.store.chain import broken_at
from hub.store.rows import UserRow
from ingest.device import Camera, Sensor

from .conftest import City

RIVALS = 8
WANG, LI = Actor("wang", "wang先生", Role.STAFF), Actor("li", "li先生", Role.STAFF)


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run all jobs from one starting shot; their results or errors in order."""
    gate = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(index: int, job: Callable[[], Any]) -> None:
        gate.wait(10)
        try:
            results[index] = job()
        except (HubError, IllegalMove) as error:  # what a rival gets is the result of the test
            results[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def outcomes(results: list[Any]) -> Counter[str]:
    return Counter(r["outcome"] if isinstance(r, dict) else repr(r) for r in results)


def test_the_same_finding_from_many_hands_is_one_alert(city: City) -> None:
    finding = city.finding()
    results = at_once([lambda: alerts.take_finding(city.hub.house, finding, {})] * RIVALS)
    assert outcomes(results) == {"opened": 1, "duplicate": RIVALS - 1}
    assert len({r["alert"] for r in results}) == 1


def test_findings_of_one_place_are_one_alert(city: City) -> None:
    made = [city.finding() for _ in range(RIVALS)]
    results = at_once([lambda f=f: alerts.take_finding(city.hub.house, f, {}) for f in made])  # type: ignore[misc]
    assert outcomes(results) == {"opened": 1, "absorbed": RIVALS - 1}
    alert = city.who("wang").get(f"/api/alerts/{results[0]['alert']}").json()
    assert alert["count"] == RIVALS


def test_of_two_people_one_decides_and_the_other_is_told_who(city: City) -> None:
    for _ in range(4):
        alert = city.post_finding(city.finding(zone=uuid4().hex[:8]))["alert"]
        jobs = [lambda p=p, a=alert: alerts.confirm(city.hub.house, p, a) for p in (WANG, LI)]  # type: ignore[misc]
        results = at_once(jobs)
        won = [r for r in results if isinstance(r, dict)]
        lost = [r for r in results if isinstance(r, AlreadyDecided)]
        assert (len(won), len(lost)) == (1, 1), results
        assert lost[0].extra["by_name"] == won[0]["alert"]["verdict"]["by_name"]
    assert city.who("wang").get("/api/cases").json()["total"] == 4


def test_two_administrators_who_shut_each_other_out_leave_one(city: City) -> None:
    house = city.hub.house
    boss, admin = Actor("boss", "boss", Role.ADMIN), Actor("admin", "admin", Role.ADMIN)
    for change in ({"active": False}, {"role": "staff"}) * 4:
        with house.db.write() as tx:
            for user in ("boss", "admin"):
                row = tx.get(UserRow, user)
                assert row is not None
                row.active, row.role = True, "admin"
        results = at_once(
            [
                lambda c=change: people.change_user(house, boss, "admin", c),  # type: ignore[misc]
                lambda c=change: people.change_user(house, admin, "boss", c),  # type: ignore[misc]
            ]
        )
        assert [type(r) for r in results if not isinstance(r, dict)] == [Barred], results


@pytest.mark.parametrize("what", ["a person", "a camera", "a sensor"])
def test_of_those_who_make_the_same_one_does_and_the_others_are_told(city: City, what: str) -> None:
    """On PostgreSQL the others got an error of the hub."""
    house, registry = city.hub.house, city.hub.registry
    boss = Actor("boss", "boss", Role.ADMIN)
    make: dict[str, Callable[[], Any]] = {
        "a person": lambda: people.add_user(house, "zhou", "staff"),
        "a camera": lambda: registry.add_camera(CameraEntry(Camera("c9", "九", "rtsp://10.0.0.9/1")), boss),
        "a sensor": lambda: registry.add_sensor(Sensor("s9", "九", "bin-9", "bin_level"), boss),
    }
    results = at_once([make[what]] * RIVALS)
    assert sum(isinstance(r, Taken) for r in results) == RIVALS - 1, results
    assert None not in results


def test_findings_that_arrive_while_a_person_confirms_belong_to_the_same_problem(city: City) -> None:
    for _ in range(3):
        zone = uuid4().hex[:8]
        first = city.post_finding(city.finding(zone=zone))
        later = [city.finding(zone=zone) for _ in range(RIVALS - 1)]
        jobs: list[Callable[[], Any]] = [lambda a=first["alert"]: alerts.confirm(city.hub.house, WANG, a)]  # type: ignore[misc]
        jobs += [lambda f=f: alerts.take_finding(city.hub.house, f, {}) for f in later]  # type: ignore[misc]
        results = at_once(jobs)
        assert isinstance(results[0], dict), results[0]
        assert set(outcomes(results[1:])) <= {"absorbed", "attached"}
        assert {r["alert"] for r in results[1:]} == {first["alert"]}


def test_cases_of_one_day_have_numbers_of_their_own(city: City) -> None:
    found = [city.post_finding(city.finding(zone=f"z{n}"))["alert"] for n in range(RIVALS)]
    results = at_once([lambda a=a: alerts.confirm(city.hub.house, WANG, a) for a in found])  # type: ignore[misc]
    numbers = sorted(r["case"]["number"] for r in results)
    assert numbers == [f"62100220261123{n:05d}" for n in range(1, RIVALS + 1)]
    with city.hub.house.db.read() as tx:
        assert broken_at(tx) is None


def test_an_answer_a_look_and_a_closing_at_once_do_not_wait_in_a_ring(city: City) -> None:
    case = city.case()
    city.move("huan", case["id"], "accept")
    city.move("huan", case["id"], "feedback", text="已清理")
    recheck = city.who("worker").get("/api/worker/assignment").json()["rechecks"][0]["id"]
    city.clock.forward(seconds=5)
    look = {"captured_at": city.clock().isoformat(), "present": False}
    finding = replace(city.finding(), at=city.clock(), since=city.clock())
    worker, staff = city.who("worker"), city.who("wang")
    results = at_once(
        [
            lambda: worker.post(f"/api/rechecks/{recheck}/looks", json=look).status_code,
            lambda: staff.post(f"/api/cases/{case['id']}/close", json={}).status_code,
            lambda: alerts.take_finding(city.hub.house, finding, {}),
        ]
    )
    assert results[:2] == [200, 200]
    assert results[2]["outcome"] in ("attached", "opened", "suppressed")
    with city.hub.house.db.read() as tx:
        row = case_queries.case(tx, case["id"])
        assert row is not None
        assert row.open_key is None
        assert case_queries.newest_rechecks(tx, [case["id"]])[case["id"]].state == "done"


def test_orders_at_one_case_at_once_do_not_wait_in_a_ring(city: City) -> None:
    """The page sends each order with an id: noting it down touches the case, which the other is about to lock."""
    leader = Actor("ban", "ban先生", Role.SHIFT_LEADER)
    for n in range(3):
        case = city.case(zone=f"z{n}")["id"]
        orders = [Order(reason="误报", request_id=f"{n}/{m}") for m in range(3)]
        jobs = [lambda o=o, c=case: cases.move(city.hub.house, leader, c, "void", o) for o in orders]  # type: ignore[misc]
        results = at_once(jobs)
        assert [type(r) for r in results if not isinstance(r, dict)] == [IllegalMove] * 2, results


def test_reopening_and_filing_the_same_problem_at_once_do_not_wait_in_a_ring(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filing takes a number and links the closed case; reopening holds that case and takes a number."""
    closed = city.case()["id"]
    city.move("huan", closed, "accept")
    city.move("huan", closed, "feedback", text="已清理")
    city.move("wang", closed, "close")
    numbered, taken = begin._new, threading.Event()

    def together(tx: Transaction, house: House, now: datetime) -> CaseRow:
        """The number of the report comes first, where it can."""
        if threading.current_thread().name == "reopening":
            taken.wait(1)
            return numbered(tx, house, now)
        row = numbered(tx, house, now)
        taken.set()
        return row

    def reopen() -> Any:
        threading.current_thread().name = "reopening"
        who = Actor("shou", "shou先生", Role.ACCEPTOR)
        return cases.move(city.hub.house, who, closed, "reopen", Order(reason="又有了"))

    category = {"standard": "GB/T 47678.5", "code": "06010", "name": "暴露垃圾"}
    wanted = Report(Channel.HOTLINE, category, lon=107.64, lat=35.73, separate=True)
    monkeypatch.setattr(begin, "_new", together)
    results = at_once([reopen, lambda: cases.report(city.hub.house, WANG, wanted)])
    assert all(isinstance(r, dict) for r in results), results
    assert results[1]["case"]["recurrence"]
    assert {link["relation"] for link in city.read(closed)["links"]} == {"reopened_from", "recurrence_of"}


def test_two_who_hand_over_the_open_problems_at_once_make_one_list(city: City) -> None:
    house = city.hub.house
    for number in range(1, 4):
        case = city.case(zone=f"z{number}")["id"]
        supervisions.supervise(house, WANG, case, 1, "key")
        results = at_once([lambda p=p: supervisions.issue_batch(house, p) for p in (WANG, LI)])  # type: ignore[misc]
        made = [r for r in results if isinstance(r, dict)]
        assert (len(made), [type(r) for r in results if r not in made]) == (1, [Conflict]), results
        assert made[0]["number"] == f"2026年第{number}批"
