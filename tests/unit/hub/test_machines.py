"""The machines over the whole product of state and action, and who may do what."""

from __future__ import annotations

from itertools import product

import pytest

from hub.domain.alert import ALERT, AlertAction, AlertState
from hub.domain.case import CASE, MOVES, STATE_NAMES, CaseAction, CaseState, open_actions
from hub.domain.machine import IllegalMove
from hub.domain.role import RIGHTS, Right, Role, may

CASE_MOVES = {
    "filed": {"dispatch": "dispatched", "void": "void"},
    "dispatched": {"accept": "handling", "return": "filed", "void": "void"},
    "handling": {"feedback": "feedback", "return": "filed", "void": "void"},
    "feedback": {"check": "checking", "rework": "dispatched", "close": "closed", "void": "void"},
    "checking": {"rework": "dispatched", "close": "closed", "void": "void"},
    "closed": {},
    "void": {},
}
ALERT_MOVES = {
    "pending_review": {
        "absorb": "pending_review",
        "claim": "pending_review",
        "confirm": "confirmed",
        "reject": "rejected",
        "unsure": "unsure",
        "expire": "expired",
    },
    "unsure": {
        "absorb": "unsure",
        "claim": "unsure",
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
    assert [MOVES[a].zh for a in CaseAction] == ["派遣", "签收", "退回", "反馈", "下发核查", "返工", "结案", "作废"]


@pytest.mark.parametrize(("role", "action"), list(product(Role, CaseAction)))
def test_who_may_move_a_case(role: Role, action: CaseAction) -> None:
    centre = {"dispatch", "check", "rework", "close", "void"}
    allowed = {Role.ADMIN: set(CaseAction), Role.STAFF: centre, Role.DEPARTMENT: {"accept", "return", "feedback"}}
    assert (role in MOVES[action].roles) == (action in allowed.get(role, set()))


def test_actions_offered_are_those_possible_and_allowed() -> None:
    assert open_actions(CaseState.CHECKING, Role.STAFF) == (CaseAction.REWORK, CaseAction.CLOSE, CaseAction.VOID)
    assert open_actions(CaseState.CHECKING, Role.DEPARTMENT) == ()
    assert open_actions(CaseState.DISPATCHED, Role.DEPARTMENT) == (CaseAction.ACCEPT, CaseAction.RETURN)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.STAFF, {"see_alerts", "decide_alerts", "see_cases", "see_devices", "see_evidence", "see_numbers"}),
        (Role.DEPARTMENT, {"see_own_cases", "see_evidence"}),
        (Role.ENGINEER, {"see_alerts", "see_cases", "see_devices", "edit_devices", "see_evidence", "see_numbers"}),
        (Role.WORKER, {"work", "see_evidence"}),
        (Role.ADMIN, set(Right) - {"see_own_cases"}),
    ],
)
def test_rights(role: Role, rights: set[str]) -> None:
    assert RIGHTS[role] == rights
    assert {r for r in Right if may(role, r)} == rights
