"""What a message can say besides readings: who is there, who is new, what is wrong, what would have to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...reading import Reading


@dataclass(frozen=True, slots=True)
class Presence:
    """`device` (or a gateway) came or went, by its own word or its broker's."""

    device: str
    online: bool
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about the health of `device` that is no measurement: a wrong key, a counter that fell back."""

    device: str
    code: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """A device says what it will measure. It goes to quarantine: nothing is adopted without a person.

    `state_topic` is where `prop` will be said; `readable` is empty, or why what it says there cannot be read.
    """

    device: str
    prop: str
    name: str
    model: str = ""
    unit: str = ""
    state_topic: str = ""
    availability_topic: str = ""
    expire_after_s: float | None = None
    readable: str = ""


@dataclass(frozen=True, slots=True)
class RebirthWanted:
    """Messages of a Sparkplug edge node are missing; publishing `payload` to `topic` would make it tell everything.

    Nothing here publishes it: the hub writes to no device unless a person asked.
    """

    node: str
    topic: str
    payload: bytes
    why: str
    at: datetime


Said = Reading | Presence | Trouble | Announced | RebirthWanted
"""One thing that a message said."""
