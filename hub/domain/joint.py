"""The part of an assistant in a joint case (会办): a small life of its own beside the lead's."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from .case import CaseAction
from .machine import Machine


class PartState(StrEnum):
    """Where an assistant's part stands."""

    DISPATCHED = "dispatched"
    HANDLING = "handling"
    ANSWERED = "answered"
    RETURNED = "returned"
    ENDED = "ended"


class PartAction(StrEnum):
    """What can be done with it; `join` by the dispatcher, the others by the assistant.

    `end`: with the case, or when the assistant gets the whole of it.
    """

    JOIN = "join"
    ACCEPT = "accept"
    RETURN = "return"
    FEEDBACK = "feedback"
    END = "end"


_S, _A = PartState, PartAction

PART: Machine[PartState, PartAction] = Machine(
    "joint part",
    {
        (_S.DISPATCHED, _A.ACCEPT): _S.HANDLING,
        (_S.DISPATCHED, _A.RETURN): _S.RETURNED,
        (_S.DISPATCHED, _A.END): _S.ENDED,
        (_S.HANDLING, _A.FEEDBACK): _S.ANSWERED,
        (_S.HANDLING, _A.RETURN): _S.RETURNED,
        (_S.HANDLING, _A.END): _S.ENDED,
        (_S.ANSWERED, _A.JOIN): _S.DISPATCHED,
        (_S.RETURNED, _A.JOIN): _S.DISPATCHED,
        # Ended because it got the whole case, which has gone to another unit since.
        (_S.ENDED, _A.JOIN): _S.DISPATCHED,
    },
)

PART_ACTIONS = {
    CaseAction.ACCEPT: PartAction.ACCEPT,
    CaseAction.RETURN: PartAction.RETURN,
    CaseAction.FEEDBACK: PartAction.FEEDBACK,
}
"""What an assistant does with its part, by the name it has for the whole case."""

PARTS_AT_WORK = (PartState.DISPATCHED, PartState.HANDLING)

PART_STATE_NAMES: Mapping[PartState, dict[str, str]] = {
    _S.DISPATCHED: {"zh": "待签收", "en": "To be accepted"},
    _S.HANDLING: {"zh": "处置中", "en": "Being handled"},
    _S.ANSWERED: {"zh": "已反馈", "en": "Answered"},
    _S.RETURNED: {"zh": "已退回", "en": "Returned"},
    _S.ENDED: {"zh": "已终止", "en": "Ended"},
}
