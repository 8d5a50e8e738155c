"""Periods of keeping that can be set: hub.yaml's, or what the administrator set in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import Invalid, NotFound
from .house import Actor, House
from .store import Transaction
from .store import retention_queries as ask
from .store.rows import RetentionRow


@dataclass(frozen=True, slots=True)
class Period:
    """A period that can be set, in days; `key` of hub.yaml; `why` its least, where a rule says so."""

    key: str
    least: int
    most: int
    endless: bool = False
    why: str = ""


PERIODS: Mapping[str, Period] = {
    "evidence_unconfirmed": Period("keep_unconfirmed_days", 30, 3660, why="公共安全视频图像信息系统管理条例 art. 17"),
    "evidence_cases": Period("keep_case_days", 30, 36600, endless=True),
    "readings": Period("keep_readings_days", 1, 3660),
    "readings_5min": Period("keep_5min_days", 1, 3660),
    "readings_1h": Period("keep_1h_days", 1, 36600),
}
"""evidence_unconfirmed counts from the end of an alert that nobody confirmed, evidence_cases from that of the case."""

_EVIDENCE = ("evidence_unconfirmed", "evidence_cases")


def in_force(tx: Transaction, house: House) -> dict[str, int | None]:
    """Days by what they are about, as they are in force."""
    rows = ask.periods(tx)
    return {what: rows[what].days if what in rows else default(house, what) for what in PERIODS}


def change(house: House, actor: Actor, what: str, days: int | None) -> None:
    """Set a period, `days` None: until somebody sets one. Raises NotFound, Invalid."""
    period = _period(what)
    _check(period, days)
    with house.db.write() as tx:
        was, now = in_force(tx, house)[what], house.now()
        tx.merge(RetentionRow(what=what, days=days, by=actor.id, at=now))
        _changed(tx, house, actor, what, was, days, "set")


def restore(house: House, actor: Actor, what: str) -> None:
    """The period of hub.yaml again. Raises NotFound."""
    _period(what)
    with house.db.write() as tx:
        was = in_force(tx, house)[what]
        ask.forget_period(tx, what)
        _changed(tx, house, actor, what, was, default(house, what), "restored")


def _changed(
    tx: Transaction, house: House, actor: Actor, what: str, was: int | None, days: int | None, how: str
) -> None:
    tx.audit(house.now(), actor.id, f"retention-{how}", f"retention/{what}", was=was, days=days)
    if what in _EVIDENCE:
        ask.all_due(tx, house.now())


def _period(what: str) -> Period:
    if what not in PERIODS:
        raise NotFound("period", what)
    return PERIODS[what]


def _check(period: Period, days: int | None) -> None:
    bounds = f"whole days from {period.least} to {period.most}"
    allowed = bounds + (f" ({period.why})" if period.why else "") + (", or none" if period.endless else "")
    if days is None and not period.endless:
        raise Invalid("days", None, allowed)
    if days is not None and not period.least <= days <= period.most:
        raise Invalid("days", days, allowed)


def default(house: House, what: str) -> int | None:
    """Days as hub.yaml has them."""
    found: int | None = getattr(house.settings, PERIODS[what].key)
    return found
