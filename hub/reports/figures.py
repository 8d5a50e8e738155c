"""Counts of a period and of those it is compared with, by whatever the report asks for, with names and drill-downs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from detectors.kinds import STANDARD

from ..domain.channel import CHANNEL_NAMES, Channel
from ..domain.evaluation import COUNTER_NAMES, FORMULAS, Change, Counter, Rate, rate, rate_name
from ..domain.period import Period
from ..house import House
from ..store import Transaction, evaluation_queries, grid_queries
from ..store.evaluation_queries import Dimension, Options, Scope, Span
from ..unit_names import UnitNames
from . import content
from .content import Said, words

Counts = Mapping[Counter, int]
Groups = Mapping[str | None, Counts]
ITEM_NAMES = {"matter": {"zh": "事件", "en": "Matters"}, "component": {"zh": "部件", "en": "Components"}}
UNKNOWN = words("未归属", "Not assigned")
_THIS_MOMENT = timedelta(microseconds=1)


def so_far(period: Period, now: datetime) -> Span:
    """The period, or of one that still runs what has gone of it, this moment included.

    What falls due in the rest of it is neither late nor unanswered yet.
    """
    return Span(period.start, max(period.start, min(period.end, now + _THIS_MOMENT)))


@dataclass(slots=True)
class Figures:
    """What one report counts, inside one transaction."""

    tx: Transaction
    house: House
    period: Period
    _names: dict[Dimension, dict[str, Said]] = field(default_factory=dict)

    def of(self, counters: Iterable[Counter], period: Period | None = None, scope: Scope | None = None) -> Counts:
        """All together, of the report's period unless another is given."""
        return self.by(counters, None, period, scope)[None]

    def by(
        self,
        counters: Iterable[Counter],
        dimension: Dimension | None,
        period: Period | None = None,
        scope: Scope | None = None,
    ) -> Groups:
        """By the keys of `dimension`."""
        options = Options(self.house.office.without_suspended)
        span = so_far(period or self.period, self.house.now())
        return evaluation_queries.count(self.tx, counters, span, by=dimension, scope=scope, options=options)

    def drill(self, counter: Counter, scope: Scope | None = None, period: Period | None = None) -> dict[str, Any]:
        """How the page asks for the cases behind a number."""
        asked: dict[str, Any] = {"counter": counter.value, "period": (period or self.period).name}
        for dimension in Dimension:
            key = getattr(scope, dimension.value) if scope else None
            if key is not None:
                asked[dimension.value] = key
        return asked

    def number(self, counter: Counter, counts: Counts, scope: Scope | None = None) -> content.Json:
        """A counter with its cases."""
        return content.count(counts.get(counter, 0), self.drill(counter, scope))

    def percent(self, which: Rate, counts: Counts, scope: Scope | None = None) -> content.Json:
        """A rate; it opens the cases of its denominator."""
        return content.share(rate(which, counts), self.drill(FORMULAS[which].under, scope))

    def facts(self, counters: Iterable[Counter], rates: Iterable[Rate]) -> list[content.Json]:
        """Counters and rates with 环比 and 同比."""
        asked, wanted = list(counters), list(rates)
        needed = {*asked, *(c for r in wanted for c in (FORMULAS[r].over, FORMULAS[r].under))}
        now, before = self.of(needed), self.of(needed, self.period.before())
        earlier = self.period.year_before()
        year = self.of(needed, earlier) if earlier else None
        made = []
        for counter in asked:
            value = Decimal(now.get(counter, 0))
            made.append(
                content.fact(
                    COUNTER_NAMES[counter],
                    counter.value,
                    self.number(counter, now),
                    Change(value, Decimal(before.get(counter, 0))),
                    Change(value, Decimal(year.get(counter, 0)) if year is not None else None),
                )
            )
        for which in wanted:
            value_ = rate(which, now)
            was = rate(which, year) if year is not None else None
            made.append(
                content.fact(
                    rate_name(which),
                    which.value,
                    self.percent(which, now),
                    Change(value_, rate(which, before), points=True),
                    Change(value_, was, points=True),
                )
            )
        return made

    def name(self, dimension: Dimension, key: str | None) -> Said:
        """What a group is called: a place by its own name, anything else in both languages as far as it has both."""
        if key is None:
            return UNKNOWN
        if dimension not in self._names:
            self._names[dimension] = self._read_names(dimension)
        return self._names[dimension].get(key, key)

    def _read_names(self, dimension: Dimension) -> dict[str, Said]:
        if dimension is Dimension.DEPARTMENT:
            return UnitNames.of(self.tx).said()
        if dimension in (Dimension.STREET, Dimension.COMMUNITY):
            return {g.id: g.name for g in grid_queries.grids(self.tx, ["street", "community"])}
        if dimension is Dimension.CHANNEL:
            return {c.value: dict(CHANNEL_NAMES[c]) for c in Channel}
        if dimension is Dimension.ITEM:
            return {key: dict(names) for key, names in ITEM_NAMES.items()}
        classes = self.house.rules.categories.classes.items()
        found: dict[str, Said] = {key[2]: words(c.name, c.en) for key, c in classes if key[0] == STANDARD}
        return {**found, **{k.code: dict(k.name) for k in self.house.rules.kinds.values() if k.code not in found}}


def ordered(groups: Groups, counter: Counter, most: int | None = None) -> list[tuple[str | None, Counts]]:
    """The groups with the most of `counter` first."""
    rows = sorted(groups.items(), key=lambda pair: (-pair[1].get(counter, 0), pair[0] or "~"))
    return rows if most is None else rows[:most]
