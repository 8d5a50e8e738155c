"""The life of a case, one table: reported, verified, filed, dispatched, handled, answered, checked, closed.

The states and moves are those of domain.md §4.2. 核实 (`verify`) looks before filing, 核查 (`check`) after handling and
before closing. Moves that need consent (转办, 挂账, 延期, 申诉) are made by the last approval: `consent.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from .machine import Machine
from .role import Role
from .stage_clock import Stage


class CaseState(StrEnum):
    """Where a case stands."""

    REPORTED = "reported"
    VERIFYING = "verifying"
    FILED = "filed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    FEEDBACK = "feedback"
    CHECKING = "checking"
    CLOSED = "closed"
    VOID = "void"


class CaseAction(StrEnum):
    """What can be done with a case."""

    VERIFY = "verify"
    VERIFIED = "verified"
    CORRECT = "correct"
    FILE = "file"
    REFUSE = "refuse"
    MERGE = "merge"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    RETURN = "return"
    TRANSFER = "transfer"
    JOIN = "join"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    FEEDBACK = "feedback"
    CHECK = "check"
    CHECKED = "checked"
    REWORK = "rework"
    CLOSE = "close"
    VOID = "void"
    FORCE_CLOSE = "force_close"
    APPEAL = "appeal"
    REOPEN = "reopen"


_S, _A = CaseState, CaseAction

CASE: Machine[CaseState, CaseAction] = Machine(
    "case",
    {
        (_S.REPORTED, _A.VERIFY): _S.VERIFYING,
        (_S.REPORTED, _A.CORRECT): _S.REPORTED,
        (_S.REPORTED, _A.FILE): _S.FILED,
        (_S.REPORTED, _A.REFUSE): _S.VOID,
        (_S.REPORTED, _A.MERGE): _S.VOID,
        (_S.REPORTED, _A.VOID): _S.VOID,
        (_S.REPORTED, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.VERIFYING, _A.VERIFIED): _S.REPORTED,
        (_S.VERIFYING, _A.REFUSE): _S.VOID,
        (_S.VERIFYING, _A.MERGE): _S.VOID,
        (_S.VERIFYING, _A.VOID): _S.VOID,
        (_S.VERIFYING, _A.FORCE_CLOSE): _S.CLOSED,
        # After a return the receiver may only correct or forward again: there is no way from here to a later step.
        (_S.FILED, _A.CORRECT): _S.FILED,
        (_S.FILED, _A.DISPATCH): _S.DISPATCHED,
        (_S.FILED, _A.MERGE): _S.VOID,
        (_S.FILED, _A.VOID): _S.VOID,
        (_S.FILED, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.DISPATCHED, _A.ACCEPT): _S.HANDLING,
        (_S.DISPATCHED, _A.RETURN): _S.FILED,
        (_S.DISPATCHED, _A.TRANSFER): _S.DISPATCHED,
        (_S.DISPATCHED, _A.JOIN): _S.DISPATCHED,
        (_S.DISPATCHED, _A.VOID): _S.VOID,
        (_S.DISPATCHED, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.HANDLING, _A.FEEDBACK): _S.FEEDBACK,
        (_S.HANDLING, _A.RETURN): _S.FILED,
        (_S.HANDLING, _A.TRANSFER): _S.DISPATCHED,
        (_S.HANDLING, _A.JOIN): _S.HANDLING,
        (_S.HANDLING, _A.SUSPEND): _S.SUSPENDED,
        (_S.HANDLING, _A.EXTEND): _S.HANDLING,
        (_S.HANDLING, _A.VOID): _S.VOID,
        (_S.HANDLING, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.SUSPENDED, _A.RESUME): _S.HANDLING,
        (_S.SUSPENDED, _A.VOID): _S.VOID,
        (_S.SUSPENDED, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.FEEDBACK, _A.CHECK): _S.CHECKING,
        (_S.FEEDBACK, _A.REWORK): _S.DISPATCHED,
        (_S.FEEDBACK, _A.CLOSE): _S.CLOSED,
        (_S.FEEDBACK, _A.VOID): _S.VOID,
        (_S.FEEDBACK, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.CHECKING, _A.CHECKED): _S.CHECKING,
        (_S.CHECKING, _A.REWORK): _S.DISPATCHED,
        (_S.CHECKING, _A.CLOSE): _S.CLOSED,
        (_S.CHECKING, _A.VOID): _S.VOID,
        (_S.CHECKING, _A.FORCE_CLOSE): _S.CLOSED,
        (_S.CLOSED, _A.APPEAL): _S.CLOSED,
        # The closed case stays closed: what opens is a new one that is linked to it.
        (_S.CLOSED, _A.REOPEN): _S.CLOSED,
    },
)

ENDED = (CaseState.CLOSED, CaseState.VOID)
CLOCKS: Mapping[CaseState, Stage | None] = {
    _S.REPORTED: Stage.ACCEPT,
    _S.VERIFYING: Stage.VERIFY,
    _S.FILED: Stage.DISPATCH,
    _S.DISPATCHED: Stage.HANDLE,
    _S.HANDLING: Stage.HANDLE,
    _S.SUSPENDED: None,
    _S.FEEDBACK: Stage.CHECK,
    _S.CHECKING: Stage.CHECK,
    _S.CLOSED: None,
    _S.VOID: None,
}
"""Which clock runs in a state. The handle clock stops at the feedback, where its verdict is taken."""

STATE_NAMES: Mapping[CaseState, dict[str, str]] = {
    _S.REPORTED: {"zh": "已上报/待受理", "en": "Reported, to be decided on"},
    _S.VERIFYING: {"zh": "核实中", "en": "Being verified"},
    _S.FILED: {"zh": "已立案/待派遣", "en": "Filed, to be dispatched"},
    _S.DISPATCHED: {"zh": "已派遣/待签收", "en": "Dispatched, to be accepted"},
    _S.HANDLING: {"zh": "处置中", "en": "Being handled"},
    _S.SUSPENDED: {"zh": "挂账/缓办", "en": "Suspended"},
    _S.FEEDBACK: {"zh": "已反馈/待核查", "en": "Answered, to be checked"},
    _S.CHECKING: {"zh": "核查中", "en": "Being checked"},
    _S.CLOSED: {"zh": "已结案", "en": "Closed"},
    _S.VOID: {"zh": "作废/不予立案", "en": "Void"},
}


@dataclass(frozen=True, slots=True)
class Move:
    """How an action is called, who may do it (or ask for it), and which fields it cannot do without."""

    zh: str
    en: str
    roles: frozenset[Role]
    needs: tuple[str, ...] = ()
    event: str = ""


CENTRE_ACCEPTS = frozenset({Role.ADMIN, Role.STAFF, Role.ACCEPTOR, Role.SHIFT_LEADER})
CENTRE_DISPATCHES = frozenset({Role.ADMIN, Role.STAFF, Role.DISPATCHER, Role.SHIFT_LEADER})
_CENTRE = CENTRE_ACCEPTS | CENTRE_DISPATCHES
LEADS_SHIFT = frozenset({Role.ADMIN, Role.STAFF, Role.SHIFT_LEADER})
_VISITS = frozenset({Role.ADMIN, Role.STAFF, Role.ACCEPTOR, Role.SHIFT_LEADER, Role.COLLECTOR})
_UNIT = frozenset({Role.ADMIN, Role.DEPARTMENT, Role.DEPARTMENT_LEAD, Role.HANDLER})
UNIT_LEADS = frozenset({Role.ADMIN, Role.DEPARTMENT, Role.DEPARTMENT_LEAD})
_LEADERS = frozenset({Role.ADMIN, Role.LEADER})

MOVES: Mapping[CaseAction, Move] = {
    _A.VERIFY: Move("下发核实", "Have it verified", CENTRE_ACCEPTS, (), "verify-sent"),
    _A.VERIFIED: Move("核实反馈", "Answer the verification", _VISITS, ("result",), "verified"),
    _A.CORRECT: Move("更正", "Correct", _CENTRE, (), "corrected"),
    _A.FILE: Move("立案", "File", CENTRE_ACCEPTS, ("category",), "filed"),
    _A.REFUSE: Move("不予立案", "Do not file", CENTRE_ACCEPTS, ("reason",), "refused"),
    _A.MERGE: Move("并案", "Merge into another", CENTRE_ACCEPTS, ("into",), "merged"),
    _A.DISPATCH: Move("派遣", "Dispatch", CENTRE_DISPATCHES, ("department",), "dispatched"),
    _A.ACCEPT: Move("签收", "Accept", _UNIT),
    _A.RETURN: Move("退回", "Return", UNIT_LEADS, ("reason",), "returned"),
    _A.TRANSFER: Move("转办", "Transfer", UNIT_LEADS, ("department", "reason"), "transferred"),
    _A.JOIN: Move("会办", "Add a joint unit", CENTRE_DISPATCHES, ("department", "text"), "joined"),
    _A.SUSPEND: Move("挂账", "Suspend", UNIT_LEADS, ("reason", "until"), "suspended"),
    _A.RESUME: Move("恢复办理", "Resume", UNIT_LEADS, (), "resumed"),
    _A.EXTEND: Move("延期", "Extend", _UNIT, ("reason",), "extended"),
    _A.FEEDBACK: Move("反馈", "Answer", _UNIT, ("text",), "feedback"),
    _A.CHECK: Move("下发核查", "Check", CENTRE_ACCEPTS),
    _A.CHECKED: Move("核查反馈", "Answer the check", _VISITS, ("result",), "checked"),
    _A.REWORK: Move("返工", "Rework", _CENTRE, ("reason",), "reworked"),
    _A.CLOSE: Move("结案", "Close", CENTRE_ACCEPTS, (), "closed"),
    _A.VOID: Move("作废", "Void", LEADS_SHIFT, ("reason",), "voided"),
    _A.FORCE_CLOSE: Move("强制结案", "Close by order", _LEADERS, ("reason",), "force-closed"),
    _A.APPEAL: Move("申诉", "Appeal", UNIT_LEADS, ("reason",), "appealed"),
    _A.REOPEN: Move("重启", "Reopen", CENTRE_ACCEPTS, ("reason",), "reopened"),
}

REPORT = Move(
    "上报",
    "Report",
    frozenset({Role.ADMIN, Role.STAFF, Role.ACCEPTOR, Role.SHIFT_LEADER, Role.COLLECTOR, Role.CLIENT}),
    ("category", "description"),
    "reported",
)
"""What begins a case that no alert began."""

HISTORY_NAMES: Mapping[str, dict[str, str]] = {
    "report": {"zh": "上报", "en": "Reported"},
    "attach": {"zh": "并入重复上报", "en": "A further report attached"},
    "detach": {"zh": "撤出重复上报", "en": "A further report taken out"},
    "ask": {"zh": "申请", "en": "Asked for"},
    "consent": {"zh": "同意", "en": "Consented"},
    "deny": {"zh": "不同意", "en": "Denied"},
    "take_back": {"zh": "撤回申请", "en": "Request taken back"},
    "supervise": {"zh": "督办", "en": "Supervised"},
    "hold": {"zh": "证据保全", "en": "Evidence preserved"},
    "unhold": {"zh": "解除证据保全", "en": "Evidence no longer preserved"},
    "overdue": {"zh": "超时", "en": "Deadline passed"},
    "climb": {"zh": "网格先办", "en": "The grid handles it first"},
    "part_accept": {"zh": "会办签收", "en": "Joint unit accepted"},
    "part_feedback": {"zh": "会办反馈", "en": "Joint unit answered"},
    "part_return": {"zh": "会办退回", "en": "Joint unit returned it"},
}
"""Lines of a case's history that are no moves of its state."""


def open_actions(state: CaseState, role: Role) -> tuple[CaseAction, ...]:
    """What a person with `role` can do with a case in `state`, by the table alone."""
    return tuple(action for action in CASE.allowed(state) if role in MOVES[action].roles)


DUPLICATE_M = 50.0
"""Reports of the same class this near to an open case belong to it (domain.md §4.5)."""
RECURS_WITHIN = timedelta(days=7)
"""The same class at the same place this soon after closing is a recurrence (复发)."""
EXTENSIONS_MOST = 2
SUSPENDED_MOST = timedelta(days=365)


def case_number(district_code: str, filed_at: datetime, sequence: int, timezone: ZoneInfo) -> str:
    """19 digits: 6 district (GB/T 2260) + local date yyyymmdd + 5 daily sequence (domain.md §2.1)."""
    if not 1 <= sequence <= 99999:
        raise ValueError(f"case number: daily sequence {sequence} is outside 1..99999")
    return f"{district_code}{filed_at.astimezone(timezone):%Y%m%d}{sequence:05d}"
