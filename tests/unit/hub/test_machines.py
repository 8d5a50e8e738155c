"""The machines over the whole product of state and action, and who may do what."""

from __future__ import annotations

from itertools import product

import pytest

from hub.domain.alert import ALERT, AlertAction, AlertState
from hub.domain.case import CASE, MOVES, STATE_NAMES, CaseAction, CaseState, open_actions
from hub.domain.machine import IllegalMove
from hub.domain.role import RIGHTS, Right, Role, may

_END = {"void": "void", "force_close": "closed"}
_REFUSED = {"refuse": "void", "merge": "void"}
CASE_MOVES = {
    "reported": {
        "verify": "verifying",
        "correct": "reported",
        "file": "filed",
        "refuse": "void",
        "merge": "void",
        **_END,
    },
    "verifying": {"verified": "reported", **_REFUSED, **_END},
    "filed": {"correct": "filed", "dispatch": "dispatched", "merge": "void", **_END},
    "dispatched": {"accept": "handling", "return": "filed", "transfer": "dispatched", "join": "dispatched", **_END},
    "handling": {
        "feedback": "feedback",
        "return": "filed",
        "transfer": "dispatched",
        "join": "handling",
        "suspend": "suspended",
        "extend": "handling",
        **_END,
    },
    "suspended": {"resume": "handling", **_END},
    "feedback": {"check": "checking", "rework": "dispatched", "close": "closed", **_END},
    "checking": {"checked": "checking", "rework": "dispatched", "close": "closed", **_END},
    "closed": {"appeal": "closed", "reopen": "closed"},
    "void": {},
}
ALERT_MOVES = {
    "pending_review": {
        "absorb": "pending_review",
        "claim": "pending_review",
        "postpone": "pending_review",
        "release": "pending_review",
        "confirm": "confirmed",
        "reject": "rejected",
        "unsure": "unsure",
        "expire": "expired",
    },
    "unsure": {
        "absorb": "unsure",
        "claim": "unsure",
        "postpone": "unsure",
        "release": "unsure",
        "confirm": "confirmed",
        "reject": "rejected",
        "expire": "expired",
        "undo": "pending_review",
    },
    "confirmed": {"undo": "pending_review"},
    "rejected": {"undo": "pending_review"},
    "expired": {},
}


@pytest.mark.parametrize(("state", "action"), list(product(CaseState, CaseAction)))
def test_every_case_state_and_action(state: CaseState, action: CaseAction) -> None:
    expected = CASE_MOVES[state].get(action)
    if expected is not None:
        assert CASE.next(state, action) == expected
        return
    with pytest.raises(IllegalMove) as refused:
        CASE.next(state, action)
    assert refused.value.allowed == tuple(CASE_MOVES[state])
    assert state in str(refused.value)
    assert action in str(refused.value)


@pytest.mark.parametrize(("state", "action"), list(product(AlertState, AlertAction)))
def test_every_alert_state_and_action(state: AlertState, action: AlertAction) -> None:
    expected = ALERT_MOVES[state].get(action)
    if expected is not None:
        assert ALERT.next(state, action) == expected
        return
    with pytest.raises(IllegalMove):
        ALERT.next(state, action)


def test_every_open_case_can_end() -> None:
    reach = {s: {CASE.next(s, a) for a in CASE.allowed(s)} for s in CaseState}
    for start in CaseState:
        seen, todo = {start}, [start]
        while todo:
            fresh = reach[todo.pop()] - seen
            seen |= fresh
            todo += fresh
        assert seen & {CaseState.CLOSED, CaseState.VOID}


def test_each_state_and_action_has_a_chinese_name() -> None:
    assert set(STATE_NAMES) == set(CaseState)
    assert set(MOVES) == set(CaseAction)
    assert STATE_NAMES[CaseState.CHECKING]["zh"] == "核查中"
    chinese = "下发核实 核实反馈 更正 立案 不予立案 并案 派遣 签收 退回 转办 会办 挂账 恢复办理 延期 "
    assert [MOVES[a].zh for a in CaseAction] == (
        chinese + "反馈 下发核查 核查反馈 返工 结案 作废 强制结案 申诉 重启"
    ).split()


ACCEPTS = {"verify", "verified", "correct", "file", "refuse", "merge", "check", "checked", "rework", "close", "reopen"}
DISPATCHES = {"correct", "dispatch", "join", "rework"}
HANDLES = {"accept", "extend", "feedback"}
LEADS_UNIT = HANDLES | {"return", "transfer", "suspend", "resume", "appeal"}
WHO_MAY: dict[Role, set[str]] = {
    Role.ADMIN: {a.value for a in CaseAction},
    Role.STAFF: ACCEPTS | DISPATCHES | {"void"},
    Role.SHIFT_LEADER: ACCEPTS | DISPATCHES | {"void"},
    Role.ACCEPTOR: ACCEPTS,
    Role.DISPATCHER: DISPATCHES,
    Role.DEPARTMENT: LEADS_UNIT,
    Role.DEPARTMENT_LEAD: LEADS_UNIT,
    Role.HANDLER: HANDLES,
    Role.COLLECTOR: {"verified", "checked"},
    Role.LEADER: {"force_close"},
}


@pytest.mark.parametrize(("role", "action"), list(product(Role, CaseAction)))
def test_who_may_move_a_case(role: Role, action: CaseAction) -> None:
    assert (role in MOVES[action].roles) == (action in WHO_MAY.get(role, set()))


def test_actions_offered_are_those_possible_and_allowed() -> None:
    a = CaseAction
    assert open_actions(CaseState.CHECKING, Role.STAFF) == (a.CHECKED, a.REWORK, a.CLOSE, a.VOID)
    assert open_actions(CaseState.CHECKING, Role.DEPARTMENT) == ()
    assert open_actions(CaseState.DISPATCHED, Role.DEPARTMENT) == (a.ACCEPT, a.RETURN, a.TRANSFER)
    assert open_actions(CaseState.SUSPENDED, Role.LEADER) == (a.FORCE_CLOSE,)
    assert open_actions(CaseState.CLOSED, Role.AUDITOR) == ()


CENTRE = {"see_alerts", "see_cases", "see_devices", "see_evidence", "see_live", "see_numbers", "see_rules"}
READS = {"see_letters", "see_whistles"}
LEADS = READS | {"supervise", "blow_whistles", "edit_templates", "see_reports"}


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.STAFF, CENTRE | LEADS | {"decide_alerts", "see_phones", "evaluate", "hold_evidence"}),
        (Role.DEPARTMENT, {"see_own_cases", "see_evidence", "blow_whistles"} | READS),
        (Role.ENGINEER, CENTRE | {"edit_devices", "edit_rules"}),
        (Role.WORKER, {"work", "see_evidence"}),
        (Role.DISPATCHER, CENTRE | READS | {"see_phones", "supervise", "see_reports"}),
        (Role.HANDLER, {"see_own_cases", "see_evidence"} | READS),
        (Role.COLLECTOR, {"see_own_cases", "see_evidence"}),
        (
            Role.LEADER,
            {"see_cases", "see_evidence", "see_numbers", "see_reports", "supervise", "hold_evidence"} | READS,
        ),
        (Role.AUDITOR, {"see_audit"}),
        (Role.CLIENT, {"see_own_cases"}),
        (Role.ADMIN, set(Right) - {"see_own_cases"}),
    ],
)
def test_rights(role: Role, rights: set[str]) -> None:
    assert RIGHTS[role] == rights
    assert {r for r in Right if may(role, r)} == rights
