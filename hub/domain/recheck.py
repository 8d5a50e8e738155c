"""What the looks after a department's answer say: clean, still there, or unclear. A person decides either way."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Proposal(StrEnum):
    """What the looks speak for."""

    CLOSE = "close"
    REWORK = "rework"


class RecheckState(StrEnum):
    """`waiting` for the first look, `looking`, `done`."""

    WAITING = "waiting"
    LOOKING = "looking"
    DONE = "done"


def proposal(present: Sequence[bool], wanted: int) -> Proposal | None:
    """From the looks in order of time: the last `wanted` all clean speak for closing, most of them present for rework.

    None: too few looks, or a minority still shows it: keep looking.
    """
    if wanted < 1:
        raise ValueError(f"wanted: {wanted} looks, at least 1")
    newest = present[-wanted:]
    if len(newest) < wanted:
        return None
    if not any(newest):
        return Proposal.CLOSE
    return Proposal.REWORK if sum(newest) * 2 > wanted else None


def looks_most(wanted: int) -> int:
    """After so many looks it stops even without a proposal; a person must then see for himself."""
    return 4 * wanted
