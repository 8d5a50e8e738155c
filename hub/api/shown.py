"""What answers hold, as OpenAPI describes it: the page's types are generated from these (`make schema`).

Answers are made in `wire.py`, `case_wire.py` and `registry.py`; nothing is checked or dropped on the way out, so that a
list of 2,000 cameras costs what its JSON costs. `tests/integration/hub/test_schema.py` holds real answers against them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

_Item = TypeVar("_Item")
Point = tuple[float, float]
Box = tuple[float, float, float, float]


def shows(model: Any, status: int = 200) -> dict[str, Any]:
    """For a route's decorator: its answer as documented by `model`."""
    return {"response_model": None, "status_code": status, "responses": {status: {"model": model}}}


class Shown(BaseModel):
    """Root of all answers; tests read them strictly."""

    model_config = ConfigDict(extra="forbid")


class Page(Shown, Generic[_Item]):
    """A part of a list: `total` is how many there are, `next_cursor` leads to the next part."""

    items: list[_Item]
    next_cursor: str | None
    total: int


class Names(Shown):
    """A name in both languages."""

    zh: str
    en: str


class Grid(Shown):
    """An area."""

    id: str
    name: str


class NamedUnit(Shown):
    """A department; `name_en` is empty where it has no English name."""

    id: str
    name: str
    name_en: str


class Person(Shown):
    """Who holds an alert."""

    user: str
    name: str | None


class Category(Shown):
    """A class of a code set; `en`: its English, or its name again where the code set has none."""

    standard: str
    code: str
    name: str | None = None
    en: str | None = None


class Evidence(Shown):
    """A picture or clip of an alert or case; `purged_at`: since when it is no longer kept."""

    role: str
    sha256: str
    media_type: str
    url: str
    at: datetime | None
    photo_type: str | None = None
    purged_at: datetime | None = None


class PhotoLink(Shown):
    """A picture of an answer or visit."""

    sha256: str
    url: str


class Why(Shown):
    """What a message says: `values` fill the blanks of the words for `code`."""

    code: str
    values: dict[str, str | float]


# --- alerts -----------------------------------------------------------------------------------------------------------

AlertState = Literal["pending_review", "confirmed", "rejected", "unsure", "expired"]


class Reading(Shown):
    """A value that decided a sensor's alert."""

    model_config = ConfigDict(extra="allow")

    prop: str = ""
    value: Any = None
    unit: str | None = None
    observed_at: datetime | None = None


class SeenBeside(Shown):
    """What a linked camera's look showed."""

    model_config = ConfigDict(extra="allow")

    kind: str
    score: float
    boxes: list[Box]


class Beside(Shown):
    """A linked camera's look (of a sensor's alert), or the state of a linked sensor (of a camera's)."""

    model_config = ConfigDict(extra="allow")

    camera: str | None = None
    sensor: str | None = None
    name: str
    distance_m: float | None
    state: str
    agrees: bool
    captured_at: datetime | None = None
    url: str | None = None
    seen: list[SeenBeside] | None = None
    level: str | None = None
    values: dict[str, Any] | None = None


class Verdict(Shown):
    """What a person decided; `took_ms`: from claim to verdict, by the hub's clock, where it was claimed."""

    by: str
    by_name: str | None
    at: datetime
    decision: str
    took_ms: int | None
    reason: str | None
    note: str


class Precision(Shown):
    """How often this device was right about this kind so far."""

    confirmed: int
    rejected: int


class ModelName(Shown):
    """Which model found it."""

    name: str
    version: str


class Alert(Shown):
    """One problem at one place, waiting for or holding a verdict."""

    id: str
    state: AlertState
    kind: str
    kind_name: Names
    category: Category | None
    did_you_mean: list[Category]
    urgent: bool
    camera: str | None
    sensor: str | None
    source_name: str
    preset: str | None
    zone: str | None
    zone_points: list[Point] | None
    address: str
    grid: Grid | None
    lon: float | None
    lat: float | None
    since: datetime
    opened_at: datetime
    last_seen_at: datetime
    count: int
    score: float
    boxes: list[Box]
    readings: list[Reading]
    why: str
    why_en: str
    beside: list[Beside]
    agreed: bool
    model: ModelName | None
    claimed_by: Person | None
    postponed_until: datetime | None
    review_due_at: datetime | None
    verdict: Verdict | None
    case: str | None
    evidence: list[Evidence]
    precision: Precision
    similar_cases: list[str]


class SimilarCase(Shown):
    """An open case that an alert may belong to; `distance_m` where both have a position."""

    id: str
    number: str
    state: str
    state_name: Names
    kind_name: Names
    address: str
    opened_at: datetime
    department: NamedUnit | None
    distance_m: float | None
    picture: str | None


class LookShown(Shown):
    """One of the last looks of a camera."""

    at: datetime
    url: str


class Around(Shown):
    """What a person may want to see beside an alert: similar open cases, and its camera's last looks, newest first."""

    cases: list[SimilarCase]
    looks: list[LookShown]


class Released(Shown):
    """How many alerts the person had in hand."""

    released: int


class Rejected(Shown):
    """What a rejection of all of a camera's alerts did; `left`: those that somebody else holds."""

    rejected: int
    left: int


class ShiftFigures(Shown):
    """What one person decided since `since`, the first verdict after the hand-over before.

    `median_ms`: of the times from claim to verdict; None where nothing was claimed (or the note is from before).
    """

    user: str
    name: str | None
    since: datetime | None
    confirmed: int
    rejected: int
    unsure: int
    reasons: dict[str, int]
    median_ms: int | None = None


class Handover(Shown):
    """The note a shift left, with its figures and what was open; `taken_by`: who read it.

    `grids`: what whoever left it is limited to; none: the whole district.
    """

    id: str
    at: datetime
    by: str
    by_name: str
    grids: list[Grid]
    note: str
    figures: ShiftFigures
    waiting: int
    unsure: int
    postponed: int
    taken_by: str | None
    taken_by_name: str | None
    taken_at: datetime | None


class Shift(Shown):
    """The person's own figures, how much waits, and the last hand-over."""

    figures: ShiftFigures
    waiting: int
    unsure: int
    postponed: int
    handover: Handover | None


# --- devices ----------------------------------------------------------------------------------------------------------


class Window(Shown):
    """Hours of some days of the week (1 Monday); `to` before `from` is past midnight."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    days: list[int]
    start: str = Field(alias="from")
    end: str = Field(alias="to")


class Permit(Window):
    """What happens in the zone is allowed then."""

    first: date
    last: date
    note: str


class ZoneShape(Shown):
    """A polygon in a camera's view, as a task has it."""

    name: str
    points: list[Point]
    schedule: list[Window]
    permitted: list[Permit]


class Zone(Shown):
    """A polygon in a camera's view."""

    id: str
    camera: str
    name: str
    points: list[Point]
    schedule: list[Window]
    permitted: list[Permit]


class Task(Shown):
    """What is looked for; without `zone` in the whole picture."""

    kind: str
    zone: ZoneShape | None
    dwell_s: float | None


class ZonesOfCamera(Shown):
    """All zones of a camera and what is looked for, as of one instant; `version` counts how often they were saved."""

    version: int
    saved_by: str | None
    saved_by_name: str | None
    saved_at: datetime | None
    zones: list[Zone]
    tasks: list[Task]


class Camera(Shown):
    """A camera (at one preset) and how it was last seen; URLs without credentials."""

    id: str
    name: str
    url: str
    watch: str
    every_s: float
    priority: int
    preset: str | None
    clip: bool
    platform: str
    goto: str
    settle_s: float
    lon: float | None
    lat: float | None
    address: str
    grid: Grid | None
    state: str
    since: datetime | None
    message: str
    why: Why | None
    last_look_at: datetime | None
    last_look_url: str | None
    attained_s: float | None
    via: str
    resolution: str
    zones_version: int
    tasks: list[Task]


class Battery(Shown):
    """How full a battery is."""

    model_config = ConfigDict(extra="allow")

    pct: float | None = None
    v: float | None = None
    level: str = ""


class SensorMaintenance(Shown):
    """Somebody works on it, `since` (None: began before the hub kept that) until then."""

    since: datetime | None
    until: datetime
    note: str


class Sensor(Shown):
    """A sensor and its newest values.

    `gateway`: the one it is registered with; `heard_by`: those that heard its newest message, which count where that is
    empty.
    """

    id: str
    name: str
    device: str
    profile: str
    every_s: float
    lon: float | None
    lat: float | None
    address: str
    grid: Grid | None
    state: str
    last_seen: datetime | None
    values: dict[str, Any]
    quality: Literal["ok", "stale"]
    level: str
    battery: Battery | None
    ailments: list[dict[str, Any]]
    settings: dict[str, float]
    gateway: str
    heard_by: list[str]
    asset: str
    installed_on: str
    maintenance: SensorMaintenance | None


class LookTried(Shown):
    """One look at a camera that is not kept: what came, or why nothing did; `picture` as a data URL (JPEG)."""

    ok: bool
    error: str
    why: Why | None = None
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    latency_ms: float | None = None
    picture: str | None = None


class UserShown(Shown):
    """Somebody who can sign in (`active`), what he is, and whose cases he sees.

    `grids`: the areas that one of the centre is limited to; empty: the whole district.
    """

    user: str
    name: str
    role: str
    department: str | None
    grid: str | None
    grids: list[str]
    active: bool
    must_change_password: bool
    signed_in_at: datetime | None


class UserMade(Shown):
    """The one-time password, shown once."""

    user: str
    one_time_password: str


class RoleShown(Shown):
    """A role: its rights, and the scope of what it sees."""

    role: str
    name: Names
    rights: list[str]
    scope: Literal["all", "department", "grid"]
    by_grids: bool


class AuditEntry(Shown):
    """Who did what; `hash` covers it and the entry before."""

    seq: int
    at: datetime
    by: str
    by_name: str | None
    action: str
    subject: str
    detail: dict[str, Any]
    hash: str


class ChainChecked(Shown):
    """Whether the audit chain is whole; `broken_at`: the first entry that does not fit."""

    whole: bool
    broken_at: int | None
    entries: int
    at: datetime


class Kept(Shown):
    """How long something is kept (None: until it is deleted), and how much of it there is.

    What can be set has its `key` in hub.yaml, its bounds (`endless`: None is one), that file's `default`, who set it.
    """

    what: str
    days: float | None
    count: int | None
    bytes: int | None
    key: str | None
    least: int | None = None
    most: int | None = None
    endless: bool | None = None
    default: int | None = None
    set_by: str | None = None
    set_at: datetime | None = None


class RowProblem(Shown):
    """What is wrong with one value of a table."""

    row: int
    column: str
    value: str
    allowed: str


class TableTaken(Shown):
    """A table of cameras or sensors, looked at or (`applied`) taken over; `imported` and `errors` as lines of text."""

    imported: int
    errors: list[str]

    applied: bool
    good: int
    refused: int
    added: int
    changed: int
    same: int
    problems: list[RowProblem]


class WorkerHealth(Shown):
    """What one worker last said of itself. Shares are 0-1, None where nothing was looked at yet.

    `left_out`: what it does not know of its assignment, being older than the hub.
    """

    id: str
    seen_at: datetime
    lost: bool
    looks: int
    gated: int
    inferences: int
    findings: int
    dropped: dict[str, int]
    waiting: dict[str, int]
    left_out: list[str]
    gate_share: float | None
    inference_ms: float | None


class Workers(Shown):
    """All workers, and how often cameras are looked at: seconds attained against wanted."""

    items: list[WorkerHealth]
    cameras: int
    on_time: int
    median_s: float | None
    p95_s: float | None
    worst_s: float | None
