"""What answers about cases hold; they are made in `case_wire.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from .shown import Alert, Box, Category, Evidence, Grid, NamedUnit, Names, PhotoLink, Point, Shown, Why

CaseState = Literal[
    "reported",
    "verifying",
    "filed",
    "dispatched",
    "handling",
    "suspended",
    "feedback",
    "checking",
    "closed",
    "void",
]


class CaseAction(Shown):
    """What the reader can do with the case now; `needs`: fields that it cannot do without."""

    action: str
    name: Names
    needs: list[str]


class StageClock(Shown):
    """One run of a stage clock, in seconds; `remaining_work_s` on the limit's own clock (mostly working time)."""

    id: int
    stage: str
    stage_name: Names
    department: NamedUnit | None = None
    part: str | None
    limit: str
    limit_s: float
    extensions: int
    started_at: datetime
    deadline: datetime
    running: bool
    paused_s: int
    used_s: int
    used_pct: float
    remaining_s: int
    remaining_work_s: int
    overdue: bool
    finished_at: datetime | None
    outcome: str | None
    timed_out: bool | None
    timeout_s: int | None
    exempt: bool
    rule_version: str
    calendar_version: str


class RecheckLook(Shown):
    """One look after the answer: whether the problem is still there, or what the sensor says.

    `why` is Chinese; `said` fills the words of any language.
    """

    captured_at: datetime
    present: bool
    score: float
    boxes: list[Box]
    why: str
    said: Why | None
    reading: dict[str, Any] | None
    url: str | None


class Recheck(Shown):
    """The looks that an answer asks for, and what they propose."""

    id: str
    case: str
    state: Literal["waiting", "looking", "done"]
    wanted: int
    not_before: datetime
    proposal: Literal["close", "rework"] | None
    looks: list[RecheckLook]


class RoutingReason(Shown):
    """A step of the routing that was tried."""

    step: str
    unit: str | None
    area: str | None
    note: str
    note_en: str | None = None


class RoutingShown(Shown):
    """Which unit the rules chose and why; `proposed`: what whoever filed it proposed to the dispatcher."""

    unit: str | None = None
    unit_name: str | None = None
    step: str | None = None
    grid_first: bool | None = None
    grid_unit: str | None = None
    version: str | None = None
    why: Names | None = None
    reasons: list[RoutingReason] | None = None
    proposed: str | None = None


class GridStep(Shown):
    """The level of the grid that has the case first (小事不出网格), and until when."""

    level: str
    level_name: Names
    due_at: datetime | None


class Case(Shown):
    """A grid event as lists show it; `held_at`: since when its evidence is preserved (证据保全)."""

    id: str
    number: str
    state: CaseState
    state_name: Names
    channel: str
    channel_name: Names
    kind: str
    kind_name: Names
    category: Category
    item_kind: Literal["matter", "component"]
    condition: str | None
    description: str
    camera: str | None
    sensor: str | None
    source_name: str
    preset: str | None
    zone: str | None
    zone_points: list[Point] | None
    address: str
    grid: Grid | None
    street: Grid | None
    community: Grid | None
    grid_code: str | None
    lon: float | None
    lat: float | None
    boxes: list[Box]
    department: NamedUnit | None
    authority: NamedUnit | None
    routing: RoutingShown | None
    grid_step: GridStep | None
    limit: str
    closing: str
    closing_en: str
    opened_at: datetime
    filed_at: datetime | None
    closed_at: datetime | None
    urgent: bool
    supervised: int
    joint: bool
    whistle: str | None
    recurrence: bool
    report_count: int
    forced_close: bool
    timed_out: bool
    timeout_exempt: bool
    rework_count: int
    extension_count: int
    suspended_until: datetime | None
    held_at: datetime | None
    bundle: str | None
    alert: str | None
    deadline: datetime | None
    remaining_s: int | None
    used_pct: float
    overdue: bool
    clock_running: bool
    clock: StageClock | None
    actions: list[CaseAction]
    evidence: list[Evidence]
    recheck: Recheck | None


class HistoryEntry(Shown):
    """A line of the history; `detail` depends on the action; `note_en` is there for what the hub wrote itself."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    at: datetime
    by: str
    by_name: str
    action: str
    name: Names
    before: CaseState | None = Field(alias="from")
    to: CaseState
    department: NamedUnit | None
    note: str
    note_en: str
    evidence: list[PhotoLink]
    detail: dict[str, Any] | None


class CaseRequest(Shown):
    """Something that needs consent; `yours` when the one who reads may give it."""

    id: str
    kind: str
    kind_name: Names
    state: Literal["asked", "passed", "granted", "denied", "taken_back", "lapsed"]
    state_name: Names
    department: NamedUnit | None
    to_department: NamedUnit | None
    until: datetime | None
    reason: str
    evidence: list[PhotoLink]
    asked_by_name: str
    asked_at: datetime
    first_by_name: str | None
    first_at: datetime | None
    first_note: str
    decided_by_name: str | None
    decided_at: datetime | None
    decided_note: str
    yours: bool


class RequestOf(Shown):
    """The case that a request is about."""

    id: str
    number: str
    state: CaseState


class ListedRequest(CaseRequest):
    """A request in the list of all that waits."""

    case: RequestOf


class Requests(Shown):
    """A part of the requests, newest first."""

    items: list[ListedRequest]
    next_cursor: str | None


class CasePart(Shown):
    """The part of an assistant in a joint case."""

    id: str
    department: NamedUnit
    task: str
    state: str
    state_name: Names
    open: bool
    added_at: datetime
    accepted_at: datetime | None
    answered_at: datetime | None
    answer: str
    evidence: list[PhotoLink]
    deadline: datetime | None


class CaseVisit(Shown):
    """Somebody goes and looks: before filing (`verify`) or after handling (`check`)."""

    id: str
    kind: Literal["verify", "check"]
    state: str
    assignee: str | None
    assignee_name: str | None
    camera: str | None
    asked_at: datetime
    result: str | None
    result_name: Names | None
    note: str
    by_name: str | None
    at: datetime | None
    evidence: list[PhotoLink]


class ReporterShown(Shown):
    """Who reported it; for the centre alone."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    phone: str = ""


class CaseReport(Shown):
    """One report of the problem; the source's number and who it was only for the centre."""

    channel: str
    channel_name: Names
    attached: bool
    description: str
    address: str
    at: datetime
    alert: str | None
    external_id: str | None = None
    reporter: ReporterShown | None = None
    by_name: str | None = None


class LinkedCase(Shown):
    """The case at the other end of a link."""

    id: str
    number: str
    state: CaseState
    kind_name: Names


class CaseLink(Shown):
    """`direction`: `to` when this case is the duplicate, the recurrence, or the reopened one; else `from`."""

    relation: Literal["duplicate_of", "recurrence_of", "reopened_from"]
    direction: Literal["to", "from"]
    case: LinkedCase
    at: datetime


class GridPerson(Shown):
    """Somebody responsible for an area; the number is masked."""

    id: str
    role: str
    role_name: Names
    name: str
    phone: str


class GridPeople(Shown):
    """A level of the grid above the place, and who answers for it."""

    grid: Grid
    level: str
    persons: list[GridPerson]


class WholeCase(Case):
    """A case with all that belongs to it; `calendar_missing`: years whose working days are not known."""

    history: list[HistoryEntry]
    clocks: list[StageClock]
    requests: list[CaseRequest]
    parts: list[CasePart]
    visits: list[CaseVisit]
    reports: list[CaseReport]
    links: list[CaseLink]
    responsible: list[GridPeople]
    calendar_missing: list[int]


class CaseNumber(Shown):
    """All that one learns of a case that is not for him (any more)."""

    id: str
    number: str
    state: CaseState | None = None


class Reported(Shown):
    """What became of a report: a new case, one that was open, or one that this very report began before."""

    outcome: Literal["reported", "attached", "repeated"]
    case: WholeCase | CaseNumber


class AreaCases(Shown):
    """How many cases an area has, and how many of them are open."""

    id: str
    cases: int
    open: int


class CasesByArea(Shown):
    """By area; `elsewhere`: in none."""

    items: list[AreaCases]
    elsewhere: int
    total: int


class CaseWords(Shown):
    """What states, actions, channels, photo types and results of visits (by kind of visit) are called."""

    states: dict[str, Names]
    actions: dict[str, Names]
    channels: dict[str, Names]
    photo_types: dict[str, Names]
    results: dict[str, dict[str, Names]]


class Confirmed(Shown):
    """A confirmed alert with its case; `attached`: the case was there before."""

    alert: Alert
    case: WholeCase
    attached: bool
