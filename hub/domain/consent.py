"""Moves that need consent: who agrees, in how many steps, and what stands against asking (domain.md §4.2, §4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from .case import CENTRE_ACCEPTS, CENTRE_DISPATCHES, LEADS_SHIFT, UNIT_LEADS, CaseAction
from .machine import Machine
from .role import Role


class RequestState(StrEnum):
    """`asked` waits for the first consent, `passed` for the second; `lapsed` when the case went on without it."""

    ASKED = "asked"
    PASSED = "passed"
    GRANTED = "granted"
    DENIED = "denied"
    TAKEN_BACK = "taken_back"
    LAPSED = "lapsed"


class RequestAction(StrEnum):
    """What can be done with a request."""

    PASS = "pass"
    GRANT = "grant"
    DENY = "deny"
    TAKE_BACK = "take_back"
    LAPSE = "lapse"


_S, _A = RequestState, RequestAction

REQUEST: Machine[RequestState, RequestAction] = Machine(
    "request",
    {
        (_S.ASKED, _A.PASS): _S.PASSED,
        (_S.ASKED, _A.GRANT): _S.GRANTED,
        (_S.ASKED, _A.DENY): _S.DENIED,
        (_S.ASKED, _A.TAKE_BACK): _S.TAKEN_BACK,
        (_S.ASKED, _A.LAPSE): _S.LAPSED,
        (_S.PASSED, _A.GRANT): _S.GRANTED,
        (_S.PASSED, _A.DENY): _S.DENIED,
        (_S.PASSED, _A.TAKE_BACK): _S.TAKEN_BACK,
        (_S.PASSED, _A.LAPSE): _S.LAPSED,
    },
)

PENDING = (RequestState.ASKED, RequestState.PASSED)

REQUEST_STATE_NAMES: Mapping[RequestState, dict[str, str]] = {
    _S.ASKED: {"zh": "待一级审批", "en": "Waits for the first consent"},
    _S.PASSED: {"zh": "待二级审批", "en": "Waits for the second consent"},
    _S.GRANTED: {"zh": "已同意", "en": "Granted"},
    _S.DENIED: {"zh": "不同意", "en": "Denied"},
    _S.TAKEN_BACK: {"zh": "已撤回", "en": "Taken back"},
    _S.LAPSED: {"zh": "已失效", "en": "Lapsed"},
}

CONSENT_NAMES: Mapping[str, dict[str, str]] = {
    "consent": {"zh": "同意申请", "en": "Consent"},
    "deny": {"zh": "不同意", "en": "Deny"},
    "take_back": {"zh": "撤回申请", "en": "Take the request back"},
}

STEPS: Mapping[CaseAction, tuple[frozenset[Role], ...]] = {
    CaseAction.TRANSFER: (CENTRE_DISPATCHES,),
    CaseAction.SUSPEND: (CENTRE_DISPATCHES, LEADS_SHIFT),
    CaseAction.EXTEND: (UNIT_LEADS, CENTRE_DISPATCHES),
    CaseAction.APPEAL: (CENTRE_DISPATCHES, CENTRE_ACCEPTS),
}
"""Who consents, in order: 转办 the dispatcher; 挂账 dispatcher, shift leader; 延期 the unit's head, dispatcher; 申诉
dispatcher, acceptor. A head of the unit who asks for an extension has consented to it."""


def first_state(action: CaseAction, asked_by: Role) -> RequestState:
    """Where a request begins: at its second step when the one who asks is the one whose consent comes first."""
    steps = STEPS[action]
    return RequestState.PASSED if len(steps) > 1 and asked_by in steps[0] else RequestState.ASKED


def may_consent(action: CaseAction, state: RequestState, role: Role) -> bool:
    """Whether `role` may give (or deny) the consent that is missing."""
    if state not in PENDING:
        return False
    return role in STEPS[action][0 if state is RequestState.ASKED else 1]


def consents(action: CaseAction, state: RequestState) -> RequestAction:
    """What the missing consent does: it passes the request on, or grants it."""
    last = state is RequestState.PASSED or len(STEPS[action]) == 1
    return RequestAction.GRANT if last else RequestAction.PASS
