"""How long people wait: requests over HTTP against a hub with a year in its database, each as p50 and p95."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import func, select

from hub.api.access import COOKIE
from hub.bootstrap import Hub
from hub.casework.clocks import OVERDUE
from hub.people import token_hash
from hub.serving import Serving, claim_port
from hub.store import timer_queries
from hub.store.case_rows import CaseRow, ClockRow
from hub.store.rows import AlertRow, SessionRow, UserRow
from tests.bench.figures import figure

AIM_MS, REPORT_AIM_MS, SWEEP_AIM_MS = 50.0, 2000.0, 1000.0


def percentiles(taken_ms: Sequence[float]) -> tuple[float, float]:
    """(p50, p95) by the nearest rank."""
    ordered = sorted(taken_ms)
    return ordered[(len(ordered) - 1) // 2], ordered[max(0, -(-95 * len(ordered) // 100) - 1)]


def say(peer: str, name: str, taken_ms: Sequence[float], aim_ms: float = AIM_MS) -> None:
    """Two figures, and whether the aim is met."""
    p50, p95 = percentiles(taken_ms)
    figure("cases", f"{name} p50", p50, "ms", peer)
    figure("cases", f"{name} p95", p95, "ms", peer)
    print(
        f"         {name}: {'within' if p95 <= aim_ms else 'OVER'} {aim_ms:g} ms, {len(taken_ms)} samples", flush=True
    )


@contextmanager
def served(hub: Hub) -> Iterator[str]:
    """The hub behind its real HTTP server."""
    sock = claim_port("127.0.0.1", 0)
    serving = Serving(hub.app, sock)
    serving.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        hub.house.feed.close()
        serving.end()


class Desk:
    """People at their screens."""

    def __init__(self, hub: Hub, url: str, peer: str, times: int) -> None:
        self.hub, self.peer, self.times = hub, peer, times
        self._url, self._clients = url, dict[str, httpx.Client]()
        self.random = random.Random(1)

    def who(self, user: str) -> httpx.Client:
        """The signed-in browser of a person."""
        if user not in self._clients:
            client = httpx.Client(base_url=self._url, timeout=120, trust_env=False, headers={"X-Gridhub": "1"})
            client.cookies.set(COOKIE, f"cookie-{user}")
            now = self.hub.house.now()
            with self.hub.house.db.write() as tx:
                row = SessionRow(token_hash=token_hash(f"cookie-{user}"), user_id=user, created_at=now)
                row.expires_at = now + timedelta(days=1)
                tx.merge(row)  # a kept database has it from the run before
            self._clients[user] = client
        return self._clients[user]

    def close(self) -> None:
        """Close every browser."""
        for client in self._clients.values():
            client.close()

    def timed(
        self, name: str, ask: Callable[[int], httpx.Response], times: int | None = None, aim_ms: float = AIM_MS
    ) -> None:
        """Ask so often, after two that do not count."""
        taken = []
        for k in range(-2, times or self.times):
            started = time.perf_counter()
            answer = ask(k)
            if k >= 0:
                taken.append((time.perf_counter() - started) * 1000)
            assert answer.status_code < 300, f"{name}: {answer.status_code} {answer.text[:300]}"
        say(self.peer, name, taken, aim_ms)

    def pages(self, name: str, user: str, path: str, **query: Any) -> None:
        """A list: its first page, and then on through it."""
        client, cursor = self.who(user), list[str | None]([None])

        def ask(_k: int) -> httpx.Response:
            more = {"cursor": cursor[0]} if cursor[0] else {}
            answer = client.get(path, params={**query, **more})
            cursor[0] = answer.json().get("next_cursor")
            return answer

        self.timed(name, ask)


def read(desk: Desk) -> None:
    """Everything that is looked at."""
    hub, staff = desk.hub, "staff00"
    with hub.house.db.read() as tx:
        open_cases = list(tx.scalars(select(CaseRow.id).where(CaseRow.open.is_(True)).limit(2000)))
        old = list(tx.scalars(select(CaseRow.id).order_by(CaseRow.opened_at).limit(3000)))
        waiting = list(tx.scalars(select(AlertRow.id).where(AlertRow.state == "pending_review").limit(500)))
        departments = list(
            tx.scalars(
                select(CaseRow.department_id)
                .where(CaseRow.open.is_(True))
                .group_by(CaseRow.department_id)
                .order_by(func.count().desc())
            )
        )
    some = [*desk.random.sample(open_cases, min(100, len(open_cases))), *desk.random.sample(old, 100)]
    desk.random.shuffle(some)
    desk.pages("alert queue page", staff, "/api/alerts", state="pending_review", limit=50)
    desk.pages("alerts, all, newest first", staff, "/api/alerts", limit=50)
    desk.pages("alerts, rejected", staff, "/api/alerts", state="rejected", limit=50)
    desk.pages("alerts of one kind", staff, "/api/alerts", kind="vehicle_parking", limit=50)
    desk.timed("alert page", lambda k: desk.who(staff).get(f"/api/alerts/{waiting[k % len(waiting)]}"))
    desk.pages("cases, open, by deadline", staff, "/api/cases", open=True, limit=50)
    desk.pages("cases, all, newest first", staff, "/api/cases", limit=50)
    desk.pages("cases, closed", staff, "/api/cases", state="closed", limit=50)
    desk.timed("case page", lambda k: desk.who(staff).get(f"/api/cases/{some[k % len(some)]}"))

    def inbox(k: int) -> httpx.Response:
        unit = departments[k % len(departments)]
        return desk.who(f"unit-{unit}").get("/api/cases", params={"open": True, "limit": 50})

    for unit in departments:
        desk.who(f"unit-{unit}")
    desk.timed("department inbox", inbox)
    busiest = f"unit-{departments[0]}"
    desk.pages("department, everything", busiest, "/api/cases", limit=50)
    desk.timed("figures on top", lambda _k: desk.who(staff).get("/api/numbers"))


def confirm(desk: Desk, times: int) -> None:
    """A verdict until the case stands, dispatched, with its clocks, history and audit entries."""
    with desk.hub.house.db.read() as tx:
        query = select(AlertRow.id).where(AlertRow.state == "pending_review").order_by(AlertRow.opened_at)
        waiting = list(tx.scalars(query.limit(times + 2)))
    desk.timed(
        "confirm to case",
        lambda k: desk.who("staff00").post(f"/api/alerts/{waiting[k + 2]}/confirm", json={}),
        len(waiting) - 2,
    )


def report(desk: Desk) -> None:
    """The month before, as it stands on the page: every figure with its comparison to the month and the year before."""
    path = "/api/reports/monthly/2026-10"
    desk.timed("monthly report", lambda _k: desk.who("staff00").get(path, params={"live": True}), 7, REPORT_AIM_MS)


def sweep(desk: Desk, due: int = 1000, rounds: int = 5) -> None:
    """So many deadlines passed while the hub was down; each is told in its case's history, audit and screens."""
    taken = []
    for _ in range(rounds):
        armed = _arm(desk.hub, due)
        started = time.perf_counter()
        fired = desk.hub.timers.sweep()
        taken.append((time.perf_counter() - started) * 1000 * due / fired)
        assert fired >= armed, f"{fired} of {armed} timers fired"
    say(desk.peer, f"{due} due timers swept", taken, SWEEP_AIM_MS)


def _arm(hub: Hub, due: int) -> int:
    """Clocks that run and are overdue, as if nobody had been told yet."""
    now = hub.house.now()
    with hub.house.db.write() as tx:
        query = select(ClockRow).where(ClockRow.running_since.is_not(None), ClockRow.deadline <= now)
        clocks = list(tx.scalars(query.order_by(ClockRow.deadline.desc()).limit(due)))
        for clock in clocks:
            clock.overdue_at = None
            timer_queries.put(tx, OVERDUE, f"clock/{clock.id}", clock.deadline, clock.case_id)
    return len(clocks)


def people(hub: Hub) -> None:
    """Staff, and one person a department."""
    departments = [d["id"] for d in hub.registry.departments()]
    with hub.house.db.write() as tx:
        for user, role, unit in [
            *((f"staff{n:02d}", "staff", None) for n in range(12)),
            *((f"unit-{d}", "department", d) for d in departments),
        ]:
            row = UserRow(id=user, name=user, role=role, department_id=unit, password_hash="made without a password")
            row.created_at, row.must_change_password, row.active = hub.house.now(), False, True
            tx.add(row)
