"""The short life of a case: filed, dispatched, handled, answered, checked, closed (domain.md §4.2).

核查 after handling is `check`; 核实 before filing has no state here, because a case begins with a person's verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from .machine import Machine
from .role import Role


class CaseState(StrEnum):
    """Where a case stands."""

    FILED = "filed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    FEEDBACK = "feedback"
    CHECKING = "checking"
    CLOSED = "closed"
    VOID = "void"


class CaseAction(StrEnum):
    """What can be done with a case."""

    DISPATCH = "dispatch"
    ACCEPT = "accept"
    RETURN = "return"
    FEEDBACK = "feedback"
    CHECK = "check"
    REWORK = "rework"
    CLOSE = "close"
    VOID = "void"


_S, _A = CaseState, CaseAction

CASE: Machine[CaseState, CaseAction] = Machine(
    "case",
    {
        (_S.FILED, _A.DISPATCH): _S.DISPATCHED,
        (_S.FILED, _A.VOID): _S.VOID,
        (_S.DISPATCHED, _A.ACCEPT): _S.HANDLING,
        (_S.DISPATCHED, _A.RETURN): _S.FILED,
        (_S.DISPATCHED, _A.VOID): _S.VOID,
        (_S.HANDLING, _A.FEEDBACK): _S.FEEDBACK,
        (_S.HANDLING, _A.RETURN): _S.FILED,
        (_S.HANDLING, _A.VOID): _S.VOID,
        (_S.FEEDBACK, _A.CHECK): _S.CHECKING,
        (_S.FEEDBACK, _A.REWORK): _S.DISPATCHED,
        (_S.FEEDBACK, _A.CLOSE): _S.CLOSED,
        (_S.FEEDBACK, _A.VOID): _S.VOID,
        (_S.CHECKING, _A.REWORK): _S.DISPATCHED,
        (_S.CHECKING, _A.CLOSE): _S.CLOSED,
        (_S.CHECKING, _A.VOID): _S.VOID,
    },
)

ENDED = (CaseState.CLOSED, CaseState.VOID)
CLOCK_RUNS = (CaseState.DISPATCHED, CaseState.HANDLING)
"""States in which the handle clock counts; it stops at the feedback, where the timeout verdict is taken."""

STATE_NAMES: Mapping[CaseState, dict[str, str]] = {
    _S.FILED: {"zh": "已立案/待派遣", "en": "Filed, to be dispatched"},
    _S.DISPATCHED: {"zh": "已派遣/待签收", "en": "Dispatched, to be accepted"},
    _S.HANDLING: {"zh": "处置中", "en": "Being handled"},
    _S.FEEDBACK: {"zh": "已反馈/待核查", "en": "Answered, to be checked"},
    _S.CHECKING: {"zh": "核查中", "en": "Being checked"},
    _S.CLOSED: {"zh": "已结案", "en": "Closed"},
    _S.VOID: {"zh": "作废", "en": "Void"},
}


@dataclass(frozen=True, slots=True)
class Move:
    """How an action is called, who may do it, and which fields it cannot do without."""

    zh: str
    en: str
    roles: frozenset[Role]
    needs: tuple[str, ...] = ()
    event: str = ""


_CENTRE = frozenset({Role.ADMIN, Role.STAFF})
_UNIT = frozenset({Role.ADMIN, Role.DEPARTMENT})

MOVES: Mapping[CaseAction, Move] = {
    _A.DISPATCH: Move("派遣", "Dispatch", _CENTRE, ("department",), "dispatched"),
    _A.ACCEPT: Move("签收", "Accept", _UNIT),
    _A.RETURN: Move("退回", "Return", _UNIT, ("reason",), "returned"),
    _A.FEEDBACK: Move("反馈", "Answer", _UNIT, ("text",), "feedback"),
    _A.CHECK: Move("下发核查", "Check", _CENTRE),
    _A.REWORK: Move("返工", "Rework", _CENTRE, ("reason",), "reworked"),
    _A.CLOSE: Move("结案", "Close", _CENTRE, (), "closed"),
    _A.VOID: Move("作废", "Void", _CENTRE, ("reason",), "voided"),
}
"""Guard note: the reviewer of the alert may close its case for now; separation of duties becomes configurable later."""

FILE_NAME = {"zh": "立案", "en": "Filed"}
"""The first line of a case's history, which is no move: a verdict makes a case."""


def open_actions(state: CaseState, role: Role) -> tuple[CaseAction, ...]:
    """What a person with `role` can do with a case in `state`."""
    return tuple(action for action in CASE.allowed(state) if role in MOVES[action].roles)


def case_number(district_code: str, filed_at: datetime, sequence: int, timezone: ZoneInfo) -> str:
    """19 digits: 6 district (GB/T 2260) + local date yyyymmdd + 5 daily sequence (domain.md §2.1)."""
    if not 1 <= sequence <= 99999:
        raise ValueError(f"case number: daily sequence {sequence} is outside 1..99999")
    return f"{district_code}{filed_at.astimezone(timezone):%Y%m%d}{sequence:05d}"
