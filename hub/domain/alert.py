"""The life of an alert: one problem at one place, waiting for a person's verdict (domain.md §4.2, §4.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from .machine import Machine


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING_REVIEW = "pending_review"
    UNSURE = "unsure"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    EXPIRED = "expired"


class AlertAction(StrEnum):
    """What can be done with an alert."""

    ABSORB = "absorb"
    CLAIM = "claim"
    CONFIRM = "confirm"
    REJECT = "reject"
    UNSURE = "unsure"
    POSTPONE = "postpone"
    RELEASE = "release"
    UNDO = "undo"
    EXPIRE = "expire"


_S, _A = AlertState, AlertAction

ALERT: Machine[AlertState, AlertAction] = Machine(
    "alert",
    {
        (_S.PENDING_REVIEW, _A.ABSORB): _S.PENDING_REVIEW,
        (_S.PENDING_REVIEW, _A.CLAIM): _S.PENDING_REVIEW,
        (_S.PENDING_REVIEW, _A.POSTPONE): _S.PENDING_REVIEW,
        (_S.PENDING_REVIEW, _A.RELEASE): _S.PENDING_REVIEW,
        (_S.PENDING_REVIEW, _A.CONFIRM): _S.CONFIRMED,
        (_S.PENDING_REVIEW, _A.REJECT): _S.REJECTED,
        (_S.PENDING_REVIEW, _A.UNSURE): _S.UNSURE,
        (_S.PENDING_REVIEW, _A.EXPIRE): _S.EXPIRED,
        # Unsure: put back for somebody else; it keeps its place and can still be decided.
        (_S.UNSURE, _A.ABSORB): _S.UNSURE,
        (_S.UNSURE, _A.CLAIM): _S.UNSURE,
        (_S.UNSURE, _A.POSTPONE): _S.UNSURE,
        (_S.UNSURE, _A.RELEASE): _S.UNSURE,
        (_S.UNSURE, _A.CONFIRM): _S.CONFIRMED,
        (_S.UNSURE, _A.REJECT): _S.REJECTED,
        (_S.UNSURE, _A.EXPIRE): _S.EXPIRED,
        (_S.UNSURE, _A.UNDO): _S.PENDING_REVIEW,
        (_S.CONFIRMED, _A.UNDO): _S.PENDING_REVIEW,
        (_S.REJECTED, _A.UNDO): _S.PENDING_REVIEW,
    },
)

OPEN_ALERT_STATES = (AlertState.PENDING_REVIEW, AlertState.UNSURE)
"""States in which an alert still waits for a verdict."""

UNDO_WINDOW = timedelta(minutes=5)
CLAIM_LASTS = timedelta(minutes=2)
POSTPONE_MOST = timedelta(hours=4)
POSTPONE_URGENT_MOST = timedelta(minutes=15)
"""An urgent alert is never put off for longer than the time its verdict is due in."""
EXPIRES_AFTER = timedelta(days=7)
"""An alert that nobody decided is given up this long after it was last seen."""


def postpone_most(urgent: bool) -> timedelta:
    """For how long an alert can be put off."""
    return POSTPONE_URGENT_MOST if urgent else POSTPONE_MOST


def review_due(opened_at: datetime, urgent: bool) -> datetime:
    """When the verdict is due: 15 minutes for urgent kinds, 60 for others (domain.md §4.3)."""
    return opened_at + timedelta(minutes=15 if urgent else 60)


def quiet_after_rejection(urgent: bool) -> timedelta:
    """For how long findings of a place are suppressed once a person rejected it there.

    An urgent kind (fire, a missing manhole cover) is never muted: the next one may be real.
    """
    return timedelta(0) if urgent else timedelta(minutes=30)
