"""Random walks of cases with people acting at the same instant, on PostgreSQL (hypothesis, stateful).

No update is lost, no case is made twice, the audit is complete, and the clocks always fit the state. `make walks` takes
2,000 of them; the suite a few.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from hub import cases
from hub.bootstrap import build_hub
from hub.casework.begin import Report
from hub.casework.order import Order
from hub.config import default_settings
from hub.domain.case import CASE, CLOCKS, ENDED, MOVES, CaseAction, CaseState
from hub.domain.channel import Channel
from hub.domain.machine import IllegalMove
from hub.domain.role import Role
from hub.errors import Barred, Forbidden, Invalid, NotFound
from hub.house import SYSTEM, Actor, House
from hub.store import case_queries
from hub.store.case_rows import CaseRow, MoveRow, ReportRow, TimerRow
from hub.store.chain import broken_at
from hub.store.rows import AuditRow
from hub.timers import Timers

from .conftest import PEOPLE, Clock, furnish

WALKS = int(os.environ.get("GRIDHUB_WALKS", "12"))
STEPS = 14
REFUSALS = (IllegalMove, Barred, Forbidden, Invalid, NotFound)
"""How the hub may say no; anything else fails the walk."""

ENDS = ("void", "force_close", "refuse", "merge")
ACTORS = [Actor(user, f"{user}先生", Role(role), unit) for user, role, unit in PEOPLE]
ACTIONS = [*(action.value for action in CaseAction), *cases.CONSENTS]


@dataclass
class Hall:
    """The hub that all walks share."""

    house: House
    clock: Clock
    timers: Timers
    pool: ThreadPoolExecutor

    def at_once(self, jobs: list[Callable[[], Any]]) -> list[Any]:
        """Run the jobs together; a refusal is a result."""
        gate = threading.Barrier(len(jobs))

        def run(job: Callable[[], Any]) -> Any:
            gate.wait(20)
            try:
                return job()
            except REFUSALS as error:
                return error

        return [done.result(60) for done in [self.pool.submit(run, job) for job in jobs]]


@contextmanager
def hall(url: str, rules: Any, folder: Path) -> Iterator[Hall]:
    clock = Clock()
    hub = build_hub(replace(default_settings(folder), database_url=url), rules=rules, now=clock)
    hub.prepare()
    furnish(hub)
    with ThreadPoolExecutor(8) as pool:
        yield Hall(hub.house, clock, hub.timers, pool)
    hub.stop()


def order_for(action: str, draw: Random, now: datetime, other: str) -> Order:
    """What the action needs, sometimes wrong or missing."""
    full = Order(
        department=draw.choice(["sanitation", "enforcement", "sanitation", "enforcement", "ghosts"]),
        text="办理情况",
        reason=draw.choice(["", "原因"]),
        until=now + timedelta(days=draw.choice([1, 30, 60, 400])),
        result=draw.choice(["present", "fixed", "absent", "unclear", "nonsense"]),
        met=draw.choice([None, True, True, False]),
        into=other,
        category={"code": draw.choice(["06010", "06011"])} if action == "correct" else None,
    )
    return full if draw.random() < 0.9 else replace(full, text="", reason="", department=None, result="")


class Walk(RuleBasedStateMachine):
    """One walk: a few cases at a place of its own."""

    hall: ClassVar[Hall]
    total: ClassVar[Counter[str]] = Counter()

    @initialize(rivals=st.integers(1, 4))
    def first(self, rivals: int) -> None:
        self.place, self.ids, self.done = uuid4().hex, list[str](), Counter[tuple[str, str]]()
        self.spots = 0
        self.total["walks"] += 1
        self._report(rivals)

    def _report(self, rivals: int) -> None:
        """`rivals` people report the same problem in the same instant: one case, the others attached to it."""
        self.spots += 1
        seed = int(self.place[:12], 16)
        lon, lat = (seed % 3_000_000) / 10_000 - 150, (seed // 3_000_000 % 1_000_000) / 10_000 - 50
        who = [ACTORS[n % 2] for n in range(rivals)]
        made = Report(Channel.HOTLINE, {"standard": "GB/T 47678.5", "code": "06010", "name": "暴露垃圾"})
        made = replace(made, lon=lon, lat=lat + self.spots * 0.01, description=self.place)
        results = self.hall.at_once([lambda a=a: cases.report(self.hall.house, a, made) for a in who])  # type: ignore[misc]
        outcomes = Counter(r["outcome"] for r in results)
        assert outcomes == {"reported": 1, "attached": rivals - 1} or rivals == outcomes["reported"] == 1, outcomes
        assert len({r["case"]["id"] for r in results}) == 1
        self.ids.append(results[0]["case"]["id"])
        self.done[self.ids[-1], "report"] += 1
        self.done[self.ids[-1], "attach"] += rivals - 1

    @rule(rivals=st.integers(2, 4))
    def another(self, rivals: int) -> None:
        if len(self.ids) < 3:
            self._report(rivals)

    @rule(seed=st.integers(0, 2**32), rivals=st.integers(1, 4))
    def people_act(self, seed: int, rivals: int) -> None:
        """One to four people act on one case in the same instant.

        Who does what is drawn from `seed`: it depends on where the race before has left the case.
        """
        draw = Random(seed)
        case_id = draw.choice(self.ids)
        with self.hall.house.db.read() as tx:
            row = case_queries.case(tx, case_id)
            assert row is not None
            unit, request = row.department_id, case_queries.pending_request(tx, case_id)
            possible = [a.value for a in CASE.allowed(CaseState(row.state))]
            possible += 3 * list(cases.CONSENTS) if request else []
        jobs, actions = list[Callable[[], Any]](), list[str]()
        for _ in range(rivals):
            action = self._action(draw, possible)
            actor = self._actor(draw, action, unit)
            order = order_for(action, draw, self.hall.clock(), draw.choice(self.ids))
            jobs.append(lambda a=actor, x=action, o=order: cases.move(self.hall.house, a, case_id, x, o))  # type: ignore[misc]
            actions.append(action)
        for action, result in zip(actions, self.hall.at_once(jobs), strict=True):
            if isinstance(result, dict):
                self.done[case_id, action] += 1
                self.total[action] += 1
            else:
                self.total[f"refused:{type(result).__name__}"] += 1

    def _action(self, draw: Random, possible: list[str]) -> str:
        """Most steps lead on, so that walks are long; those that end a case come by now and then."""
        onward = [a for a in possible if a not in ENDS] or possible
        luck = draw.random()
        return draw.choice(onward if onward and luck < 0.8 else possible if possible and luck < 0.9 else ACTIONS)

    def _actor(self, draw: Random, action: str, unit: str | None) -> Actor:
        may = [a for a in ACTORS if a.department in (None, unit)]
        may = [a for a in may if action not in list(CaseAction) or a.role in MOVES[CaseAction(action)].roles]
        return draw.choice(may if may and draw.random() < 0.8 else ACTORS)

    @rule(hours=st.sampled_from([1, 7, 30, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        self.hall.clock.forward(hours=hours)
        self.hall.timers.sweep()

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "ids"):
            return
        with self.hall.house.db.read() as tx:
            for case_id in self.ids:
                row = tx.get(CaseRow, case_id)
                assert row is not None
                moves = tx.query(MoveRow).filter(MoveRow.case_id == case_id).order_by(MoveRow.id).all()
                _one_line_leads_to_the_next(row, moves)
                _audit_is_complete(tx, row, moves)
                _every_success_is_written(self.done, case_id, moves)
                _clocks_fit(tx, row)
                assert len([r for r in case_queries.requests(tx, case_id) if r.open_key]) <= 1

    def teardown(self) -> None:
        if not hasattr(self, "ids"):
            return
        with self.hall.house.db.read() as tx:
            mine = tx.query(CaseRow).filter(CaseRow.description == self.place).all()
            made = {row.id for row in mine if not any(x.relation == "reopened_from" for x, _ in _links(tx, row.id))}
            assert made == set(self.ids), "a case was made twice"
            numbers = [row.number for row in mine]
            assert len(set(numbers)) == len(numbers)


def _links(tx: Any, case_id: str) -> list[tuple[Any, CaseRow]]:
    return [(link, other) for link, other in case_queries.links(tx, case_id) if link.case_id == case_id]


def _one_line_leads_to_the_next(row: CaseRow, moves: list[MoveRow]) -> None:
    state = moves[0].to_state
    for line in moves[1:]:
        assert line.from_state == state, (line.action, line.from_state, state)
        if line.action in list(CaseAction):
            assert line.to_state == CASE.table[CaseState(state), CaseAction(line.action)]
        else:
            assert line.to_state == state
        state = line.to_state
    assert state == row.state


def _audit_is_complete(tx: Any, row: CaseRow, moves: list[MoveRow]) -> None:
    told = Counter(a.action for a in tx.query(AuditRow).filter(AuditRow.subject == f"case/{row.number}"))
    # 三次督办 keeps its own books; its tests are elsewhere.
    told = Counter({name: n for name, n in told.items() if "supervis" not in name})
    moves = [move for move in moves if move.action != "supervise"]
    names = {"report": "reported", "attach": "attached", "reopen": "reopen"}
    written = Counter(f"case-{names.get(m.action, m.action).replace('part_', 'part-')}" for m in moves)
    if moves[0].action == "reopen":
        written["case-reopen"] -= 1
        written["case-reported"] += 1
    assert told == +Counter({k.replace("take_back", "take-back"): n for k, n in written.items()})


def _every_success_is_written(done: Counter[tuple[str, str]], case_id: str, moves: list[MoveRow]) -> None:
    by_people = Counter(m.action for m in moves if m.by != SYSTEM.id)
    asked = {a.value for a in (CaseAction.TRANSFER, CaseAction.SUSPEND, CaseAction.EXTEND, CaseAction.APPEAL)}
    asks = sum(n for (case, action), n in done.items() if case == case_id and action in asked)
    assert by_people["ask"] == asks
    for action in {"consent", "deny", "take_back", "return", "file", "void", "close", "rework", "report"}:
        parts = by_people[f"part_{action}"]
        assert by_people[action] + parts == done[case_id, action], action


def _clocks_fit(tx: Any, row: CaseRow) -> None:
    clocks = case_queries.clocks(tx, row.id)
    running = [c for c in clocks if c.running_since is not None]
    own = [c.stage for c in running if c.part_id is None]
    stage = CLOCKS[CaseState(row.state)]
    assert own == ([stage.value] if stage else []), (row.state, own)
    if row.state in ENDED:
        assert not running
        assert all(c.finished_at is not None for c in clocks)
        assert row.open is False
    assert all((c.timed_out is None) == (c.finished_at is None) for c in clocks)
    timers = {t.subject for t in tx.query(TimerRow).filter(TimerRow.case_id == row.id, TimerRow.kind == "overdue")}
    assert timers == {f"clock/{c.id}" for c in running if c.overdue_at is None}
    reports = tx.query(ReportRow).filter(ReportRow.case_id == row.id).count()
    assert reports >= 1 or row.state == "void" or _links(tx, row.id)


@pytest.mark.timeout(600 if WALKS <= 25 else 7200)
def test_no_update_is_lost_and_no_case_is_made_twice(postgres_server: Any, rules: Any, tmp_path: Path) -> None:
    with hall(postgres_server.fresh_database(), rules, tmp_path / "data") as standing:
        Walk.hall = standing
        Walk.total.clear()
        run_state_machine_as_test(
            Walk,
            settings=settings(
                max_examples=WALKS,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],  # a race does not happen twice in the same way, so there is nothing to shrink
                database=None,
            ),
        )
        with standing.house.db.read() as tx:
            assert broken_at(tx) is None
    assert Walk.total["walks"] >= WALKS
    print(f"{Walk.total['walks']} walks: {dict(Walk.total.most_common())}")
