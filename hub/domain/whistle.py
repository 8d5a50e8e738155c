"""街道吹哨、部门报到: a street or community calls departments to a place, the centre approves, they come and settle it.

States, actions, and the indicators 报到率, 按时报到率 and 解决率 (domain.md §6). The caller assesses: it marks each
department, and each department marks the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from .evaluation import percent
from .machine import Machine
from .role import Role


class WhistleKind(StrEnum):
    """What it is blown for."""

    GATHER = "gather"
    LIVELIHOOD = "livelihood"
    URGENT = "urgent"


WHISTLE_NAMES: Mapping[WhistleKind, dict[str, str]] = {
    WhistleKind.GATHER: {"zh": "集结哨", "en": "Gathering whistle", "for": "综合执法"},
    WhistleKind.LIVELIHOOD: {"zh": "民生哨", "en": "Livelihood whistle", "for": "民生服务"},
    WhistleKind.URGENT: {"zh": "紧急哨", "en": "Urgent whistle", "for": "隐患处置"},
}

ARRIVAL_LIMITS: Mapping[WhistleKind, str] = {
    WhistleKind.GATHER: "4工作时",
    WhistleKind.LIVELIHOOD: "1工作日",
    WhistleKind.URGENT: "0.5紧急工作时",
}
"""报到 limits, our defaults: the district has not published its own (domain.md §13.4)."""


class WhistleState(StrEnum):
    """Where a whistle stands."""

    PROPOSED = "proposed"
    BLOWN = "blown"
    GATHERED = "gathered"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class WhistleAction(StrEnum):
    """What can be done with it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    ARRIVE = "arrive"
    GATHER = "gather"
    RESULT = "result"
    MARK = "mark"
    CLOSE = "close"


_S, _A = WhistleState, WhistleAction

WHISTLE: Machine[WhistleState, WhistleAction] = Machine(
    "whistle",
    {
        (_S.PROPOSED, _A.APPROVE): _S.BLOWN,
        (_S.PROPOSED, _A.REFUSE): _S.REFUSED,
        (_S.PROPOSED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.BLOWN, _A.ARRIVE): _S.BLOWN,
        (_S.BLOWN, _A.GATHER): _S.GATHERED,
        (_S.BLOWN, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.GATHERED, _A.ARRIVE): _S.GATHERED,
        (_S.GATHERED, _A.RESULT): _S.RESOLVED,
        (_S.RESOLVED, _A.MARK): _S.RESOLVED,
        (_S.RESOLVED, _A.CLOSE): _S.CLOSED,
    },
)
"""`gather` begins the joint work: by itself when the last called department has come, or by the caller before."""

WHISTLE_STATE_NAMES: Mapping[WhistleState, dict[str, str]] = {
    _S.PROPOSED: {"zh": "待审批", "en": "To be approved"},
    _S.BLOWN: {"zh": "已吹哨/待报到", "en": "Blown, departments to come"},
    _S.GATHERED: {"zh": "已集结/处置中", "en": "Gathered, being handled"},
    _S.RESOLVED: {"zh": "已处置/待评价", "en": "Handled, to be marked"},
    _S.CLOSED: {"zh": "已办结", "en": "Closed"},
    _S.REFUSED: {"zh": "不予吹哨", "en": "Refused"},
    _S.WITHDRAWN: {"zh": "已撤回", "en": "Withdrawn"},
}
WHISTLE_ACTION_NAMES: Mapping[WhistleAction, dict[str, str]] = {
    _A.APPROVE: {"zh": "批准吹哨", "en": "Approve"},
    _A.REFUSE: {"zh": "不予吹哨", "en": "Refuse"},
    _A.WITHDRAW: {"zh": "撤回", "en": "Withdraw"},
    _A.ARRIVE: {"zh": "报到", "en": "Report arrival"},
    _A.GATHER: {"zh": "开始处置", "en": "Begin the work"},
    _A.RESULT: {"zh": "登记结果", "en": "Record the result"},
    _A.MARK: {"zh": "评价", "en": "Mark"},
    _A.CLOSE: {"zh": "办结", "en": "Close"},
}
_CENTRE = frozenset({Role.ADMIN, Role.STAFF, Role.SHIFT_LEADER})
_UNITS = frozenset({Role.DEPARTMENT, Role.DEPARTMENT_LEAD})

WHISTLE_ROLES: Mapping[WhistleAction, frozenset[Role]] = {
    _A.APPROVE: _CENTRE | {Role.LEADER},
    _A.REFUSE: _CENTRE | {Role.LEADER},
    _A.WITHDRAW: _CENTRE | _UNITS,
    _A.ARRIVE: _UNITS | {Role.HANDLER},
    _A.GATHER: _CENTRE | _UNITS,
    _A.RESULT: _CENTRE | _UNITS,
    _A.MARK: _UNITS,
    _A.CLOSE: _CENTRE | _UNITS,
}
"""Which roles may act; of the units it is the caller, for `arrive` a called one, for `mark` both (`parts_in`)."""


def parts_in(action: WhistleAction, *, caller: bool, called: bool) -> bool:
    """Whether a unit that is the caller, or a called one, has that part in the whistle."""
    if action is WhistleAction.ARRIVE:
        return called
    return (caller or called) if action is WhistleAction.MARK else caller


ENDED = (_S.CLOSED, _S.REFUSED, _S.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Call:
    """A department's part in a whistle: when it had to come, when it came; `resolved` is that of the whistle."""

    department: str
    due_at: datetime
    arrived_at: datetime | None = None
    resolved: bool | None = None

    @property
    def in_time(self) -> bool:
        """Whether it came by its deadline."""
        return self.arrived_at is not None and self.arrived_at <= self.due_at


@dataclass(frozen=True, slots=True)
class Indicators:
    """Of the calls whose 报到 deadline has passed, or that were answered before: counts and rates (percent)."""

    called: int
    arrived: int
    in_time: int
    decided: int
    resolved: int

    @property
    def arrival_rate(self) -> Decimal | None:
        """报到率"""
        return percent(self.arrived, self.called)

    @property
    def in_time_rate(self) -> Decimal | None:
        """按时报到率"""
        return percent(self.in_time, self.called)

    @property
    def resolved_rate(self) -> Decimal | None:
        """解决率: of the whistles with a result."""
        return percent(self.resolved, self.decided)


def indicators(calls: Iterable[Call], now: datetime) -> Indicators:
    """Count the calls; those still inside their time are not yet in any denominator."""
    due = [c for c in calls if c.arrived_at is not None or c.due_at <= now]
    decided = [c for c in due if c.resolved is not None]
    return Indicators(
        len(due),
        sum(c.arrived_at is not None for c in due),
        sum(c.in_time for c in due),
        len(decided),
        sum(bool(c.resolved) for c in decided),
    )
