"""What requests about supervision, letters, whistles and reports may hold."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, field_validator

from ..domain.clock import parse_limit
from .bodies import Body, Id, Lat, Lon, Text


class Supervise(Body):
    """A supervision by hand."""

    case: Id
    level: int
    cause: str
    demands: Text = ""
    reason: Text = ""


class IssueBatch(Body):
    """A 问题清单; `demands` stands above its table."""

    demands: Text = ""


class WriteLetter(Body):
    """A letter by hand: to a department or a name, about cases (ids or numbers); `reply` is a limit (1工作日)."""

    kind: str
    cases: Annotated[list[Id], Field(max_length=500)] = Field(default_factory=list)
    department: Id | None = None
    to: Annotated[str, Field(max_length=200)] = ""
    title: Annotated[str, Field(max_length=200)] = ""
    reason: Text = ""
    demands: Text = ""
    copy_to: Annotated[str, Field(max_length=500)] = ""
    attachments: Annotated[str, Field(max_length=500)] = ""
    reply: Annotated[str, Field(max_length=32)] = ""
    more: dict[Annotated[str, Field(max_length=20)], Text] = Field(default_factory=dict)

    @field_validator("reply")
    @classmethod
    def _limit(cls, value: str) -> str:
        if value:
            parse_limit(value)
        return value


class Blow(Body):
    """A whistle: what, where, whom it calls and for which task each."""

    kind: str
    subject: Text
    place: Annotated[str, Field(max_length=500)]
    departments: Annotated[list[Id], Field(max_length=100)]
    tasks: dict[Id, Text] = Field(default_factory=dict)
    initiator: Id | None = None
    case: Id | None = None
    lon: Lon | None = None
    lat: Lat | None = None


class WhistleAct(Body):
    """What comes with an act on a whistle."""

    text: Text = ""
    person: Annotated[str, Field(max_length=64)] = ""
    resolved: bool | None = None
    mark: int | None = None
    department: Id | None = None


class Issue(Body):
    """Issue a report; `notes` are the evaluator's own words, printed at its end."""

    notes: Annotated[str, Field(max_length=4000)] = ""


class Deduct(Body):
    """Points off by hand: which by-hand deduction of the scoring rule, of which department, on which day."""

    department: Id
    day: date
    rule: Id
    case: Annotated[str, Field(max_length=19)] = ""
    doubled: bool = False
    note: Text = ""


class Strike(Body):
    """Why points off are taken back."""

    note: Text
