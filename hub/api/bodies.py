"""What requests may hold. Unknown fields are refused, so that a misspelt one is told at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ingest.device import Watch
from ingest.reading import Quality

from ..batch import COLUMNS, MOST_ROWS
from ..domain.channel import Channel


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time with offset (RFC 3339)")
    if value.year < 1900:
        raise ValueError("a time from 1900 on")
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time that UTC has, too") from None
    return value


Time = Annotated[datetime, AfterValidator(_aware)]
Share = Annotated[float, Field(ge=0, le=1)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Body(BaseModel):
    """Root of all bodies."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Body):
    """Sign-in of a person."""

    user: Annotated[str, Field(max_length=64)]
    password: SecretStr


class NewPassword(Body):
    """A change of password."""

    old: SecretStr
    new: SecretStr


class Category(Body):
    """A class of a code set."""

    standard: str = "GB/T 47678.5"
    code: Id
    name: str | None = None


class Confirm(Body):
    """A verdict: it is so. `category` corrects the class, `condition` is one of its filing conditions.

    `into`: the open case that it belongs to.
    """

    category: Category | Id | None = None
    condition: Id | None = None
    note: Text = ""
    separate: bool = False
    into: Id | None = None


class Reject(Body):
    """A verdict: it is not so."""

    reason: Id
    note: Text = ""


class RejectAll(Body):
    """A verdict on everything that waits of one camera (of one kind): it is not so."""

    camera: Id
    kind: Id | None = None
    reason: Id
    note: Text = ""


class Postpone(Body):
    """Put off until then."""

    until: Time


class Note(Body):
    """A remark."""

    note: Text = ""


class CaseFields(Body):
    """What says what and where a problem is; `category` is a class of GB/T 47678.5, `grid` the id of a grid."""

    category: Category | Id | None = None
    item_kind: Literal["matter", "component"] | None = None
    condition: Id | None = None
    description: Text | None = None
    address: Annotated[str, Field(max_length=256)] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    grid: Id | None = None
    urgent: bool | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("both lon and lat, or neither")
        return self

    def category_json(self) -> dict[str, Any] | None:
        """{code, …} of the class."""
        if self.category is None:
            return None
        return self.category.model_dump() if isinstance(self.category, Category) else {"code": self.category}


class MoveCase(CaseFields):
    """A move of a case: which of the fields it needs stands in its `actions`. `lon`, `lat` of photos too.

    Sent twice with the same `request_id` it is done once.
    """

    department: Id | None = None
    reason: Text = ""
    text: Text = ""
    note: Text = ""
    until: Time | None = None
    result: Annotated[str, Field(max_length=16)] = ""
    met: bool | None = None
    limit: Annotated[str, Field(max_length=32)] | None = None
    closing: Annotated[str, Field(max_length=200)] | None = None
    assignee: Id | None = None
    into: Id | None = None
    request_id: Id | None = None


class Reporter(Body):
    """Who reports, for the centre's eyes only."""

    name: Annotated[str, Field(max_length=64)] = ""
    phone: Annotated[str, Field(max_length=32)] = ""


class NewCase(CaseFields):
    """A report. Told twice with the same `request_id`, or number at the source (`external_id`), it is one report."""

    channel: Channel
    camera: Id | None = None
    reporter: Reporter | None = None
    external_id: Id | None = None
    request_id: Id | None = None
    separate: bool = False


class Tick(Body):
    """Somebody says that a rule is right, or takes it back."""

    verified: bool = True


class TickClass(Tick):
    """A class that was compared with the standard itself."""

    standard: Id = "GB/T 47678.5"
    kind: Id = "matter"
    code: Id


class NewReading(BaseModel):
    """One measured value."""

    model_config = ConfigDict(extra="ignore")

    device: Annotated[str, Field(min_length=1, max_length=128)]
    prop: Annotated[str, Field(min_length=1, max_length=64)]
    value: Annotated[float, Field(allow_inf_nan=False)]
    unit: Annotated[str, Field(max_length=32)] = ""
    observed_at: Time
    received_at: Time
    key: Annotated[str, Field(min_length=1, max_length=200)]
    quality: Quality = Quality.OK
    battery_pct: Annotated[float, Field(allow_inf_nan=False)] | None = None
    rssi_dbm: Annotated[float, Field(allow_inf_nan=False)] | None = None
    source_format: Annotated[str, Field(max_length=32)] = "json"
    channel: Annotated[str, Field(max_length=64)] = ""
    seq: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    snr_db: Annotated[float, Field(allow_inf_nan=False)] | None = None


_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Microseconds = Annotated[int, Field(ge=0, lt=2**62)]
ReadingRow = tuple[
    Annotated[str, Field(min_length=1, max_length=128)],
    Annotated[str, Field(min_length=1, max_length=64)],
    Annotated[str, Field(max_length=64)],
    Annotated[str, Field(max_length=32)],
    _Finite,
    _Microseconds,
    _Microseconds,
    Annotated[str, Field(min_length=1, max_length=200)],
    Literal["ok", "clock_skew", "duplicate", "late", "decode_error"],
    Annotated[int, Field(ge=0, lt=2**63)] | None,
    _Finite | None,
    _Finite | None,
    _Finite | None,
    Annotated[str, Field(max_length=32)],
]
"""A reading as workers post it: the columns of `hub.batch`, in their order."""


class PackedReadings(Body):
    """A batch of a worker's readings; `columns` says what stands where, so that both sides know when they differ."""

    columns: list[str]
    rows: Annotated[list[ReadingRow], Field(max_length=2 * MOST_ROWS)]

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: list[str]) -> list[str]:
        if tuple(columns) != COLUMNS:
            raise ValueError(", ".join(COLUMNS))
        return columns


class NewReadings(Body):
    """A batch of readings."""

    readings: Annotated[list[NewReading], Field(max_length=2000)]


class Why(BaseModel):
    """What a message says: `values` fill the blanks of the words for `code`."""

    model_config = ConfigDict(extra="ignore")

    code: Annotated[str, Field(max_length=40)]
    values: Annotated[dict[Annotated[str, Field(max_length=40)], str | float], Field(max_length=8)] = {}


class CameraState(BaseModel):
    """What a worker says of a camera."""

    model_config = ConfigDict(extra="ignore")

    id: Id
    state: Annotated[str, Field(max_length=16)]
    since: Time | None = None
    message: Annotated[str, Field(max_length=1000)] = ""
    why: Why | None = None
    last_look_at: Time | None = None
    attained_s: float | None = None
    via: Annotated[str, Field(max_length=200)] = ""
    resolution: Annotated[str, Field(max_length=16)] = ""


class SensorState(BaseModel):
    """What a worker says of a sensor."""

    model_config = ConfigDict(extra="ignore")

    id: Id
    state: Annotated[str, Field(max_length=16)]
    last_seen: Time | None = None
    values: dict[str, Any] = {}
    level: Annotated[str, Field(max_length=16)] = ""
    battery: dict[str, Any] | None = None
    ailments: Annotated[list[dict[str, Any]], Field(max_length=50)] = []
    heard_by: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=8)] = []


class Looks(BaseModel):
    """When cameras were last looked at, and how often they are: lists of the same length."""

    model_config = ConfigDict(extra="ignore")

    at: Time
    ids: Annotated[list[Id], Field(max_length=50_000)]
    ago_ms: list[int]
    """By how much each camera's newest look is older than `at`."""
    attained_s: list[float | None]

    @model_validator(mode="after")
    def _as_long(self) -> Looks:
        if not len(self.ids) == len(self.ago_ms) == len(self.attained_s):
            raise ValueError("ids, ago_ms and attained_s must be as long as each other")
        return self


class Status(BaseModel):
    """What a worker says of itself.

    `full`: all its devices are listed; else those alone that changed since its last report in the same `session`.
    """

    model_config = ConfigDict(extra="ignore")

    worker: Id
    shard: str = ""
    cameras: list[CameraState] = []
    sensors: list[SensorState] = []
    counters: dict[str, Any] = {}
    session: Annotated[str, Field(max_length=64)] = ""
    full: bool = True
    first: bool = False
    looks: Looks | None = None


class LookTaken(BaseModel):
    """One look of a re-check."""

    model_config = ConfigDict(extra="ignore")

    captured_at: Time
    present: bool
    score: Share = 0.0
    boxes: list[list[Share]] = []
    why: Text = ""
    said: Why | None = None
    reading: dict[str, Any] | None = None


Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Days = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]


class WindowDrawn(Body):
    """Hours of some days of the week (1 Monday); `to` before `from` is past midnight."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, serialize_by_alias=True)

    days: Days
    start: Annotated[Clock, Field(alias="from")]
    end: Annotated[Clock, Field(alias="to")]


class PermitDrawn(WindowDrawn):
    """From one day to another, at those hours, what happens in the zone is allowed; `note` says by whom."""

    first: date
    last: date
    note: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last not before first")
        return self


class ZoneDrawn(Body):
    """A polygon in one camera's view."""

    camera: Id
    name: Annotated[str, Field(min_length=1, max_length=128)]
    points: Annotated[list[tuple[Share, Share]], Field(min_length=3, max_length=200)]


class KindWanted(Body):
    """What is looked for; `dwell_s` overrides the kind's own."""

    kind: Id
    dwell_s: Annotated[float, Field(ge=0, le=30 * 86400)] | None = None


class ZoneEdited(Body):
    """A zone as the editor has it: `was` is its name before, so that what hangs on it stays."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    was: Annotated[str, Field(max_length=128)] | None = None
    points: Annotated[list[tuple[Share, Share]], Field(max_length=200)]
    schedule: Annotated[list[WindowDrawn], Field(max_length=20)] = []
    permitted: Annotated[list[PermitDrawn], Field(max_length=50)] = []
    kinds: Annotated[list[KindWanted], Field(max_length=40)] = []


class ZonesEdited(Body):
    """All zones of one camera, and what is looked for in its whole picture.

    `version`: the one that was read; refused where somebody has saved since. Left out: saved over whatever stands.
    """

    zones: Annotated[list[ZoneEdited], Field(max_length=40)]
    whole: Annotated[list[KindWanted], Field(max_length=40)] = []
    version: Annotated[int, Field(ge=0)] | None = None


class ZoneOf(Body):
    """A polygon that comes with a task."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    points: Annotated[list[tuple[Share, Share]], Field(min_length=3, max_length=200)]


class TaskWanted(Body):
    """What to look for: `zone` is a name, or a polygon to be drawn."""

    kind: Id
    zone: ZoneOf | str | None = None
    dwell_s: Annotated[float, Field(ge=0, le=30 * 86400)] | None = None


class NewCamera(Body):
    """A camera."""

    id: Id
    name: Name
    url: Annotated[str, Field(max_length=2000)]
    watch: Watch = Watch.STAY
    every_s: Annotated[float, Field(ge=0.2, le=86400)] = 10.0
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    preset: str | None = None
    clip: bool = True
    platform: Annotated[str, Field(max_length=64)] = ""
    goto: Annotated[str, Field(max_length=2000)] = ""
    settle_s: Annotated[float, Field(ge=0, le=60)] = 4.0
    lon: Lon | None = None
    lat: Lat | None = None
    address: Text = ""
    tasks: list[TaskWanted] = []


class CameraTried(Body):
    """A look at an address, or at the one of a camera that is registered (then its password need not be typed)."""

    url: Annotated[str, Field(max_length=2000)] | None = None
    camera: Id | None = None


class CameraChange(Body):
    """Changes of a camera; what is absent stays."""

    name: Name | None = None
    url: Annotated[str, Field(max_length=2000)] | None = None
    watch: Watch | None = None
    every_s: Annotated[float, Field(ge=0.2, le=86400)] | None = None
    priority: Annotated[int, Field(ge=-100, le=100)] | None = None
    preset: str | None = None
    clip: bool | None = None
    platform: Annotated[str, Field(max_length=64)] | None = None
    goto: Annotated[str, Field(max_length=2000)] | None = None
    settle_s: Annotated[float, Field(ge=0, le=60)] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    address: Text | None = None
    tasks: list[TaskWanted] | None = None


class NewSensor(Body):
    """A sensor."""

    id: Id
    name: Name
    device: Annotated[str, Field(min_length=1, max_length=128)]
    profile: Id
    every_s: Annotated[float, Field(gt=0, le=30 * 86400)] = 600.0
    lon: Lon | None = None
    lat: Lat | None = None
    address: Text = ""
    settings: dict[str, Number] = {}
    gateway: Annotated[str, Field(max_length=128)] = ""
    asset: Annotated[str, Field(max_length=17)] = ""
    installed_on: Annotated[str, Field(max_length=10)] = ""


class SensorChange(Body):
    """Changes of a sensor; what is absent stays."""

    name: Name | None = None
    device: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    profile: Id | None = None
    every_s: Annotated[float, Field(gt=0, le=30 * 86400)] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    address: Text | None = None
    settings: dict[str, Number] | None = None
    gateway: Annotated[str, Field(max_length=128)] | None = None
    asset: Annotated[str, Field(max_length=17)] | None = None
    installed_on: Annotated[str, Field(max_length=10)] | None = None


class Adopted(Body):
    """A device of the quarantine as a sensor."""

    id: Id
    name: Name
    profile: Id
    every_s: Annotated[float, Field(gt=0, le=30 * 86400)] = 600.0
    lon: Lon | None = None
    lat: Lat | None = None
    address: Text = ""
    settings: dict[str, Number] = {}
    gateway: Annotated[str, Field(max_length=128)] = ""
    asset: Annotated[str, Field(max_length=17)] = ""
    installed_on: Annotated[str, Field(max_length=10)] = ""


class Stranger(BaseModel):
    """A device that a worker does not know, with its newest message."""

    model_config = ConfigDict(extra="ignore")

    device: Annotated[str, Field(min_length=1, max_length=128)]
    form: Annotated[str, Field(max_length=64)]
    topic: Annotated[str, Field(max_length=1000)]
    payload: Annotated[str, Field(max_length=8192)]
    readings: Annotated[list[dict[str, Any]], Field(max_length=100)] = []
    announced: Annotated[list[dict[str, Any]], Field(max_length=200)] = []
    model: Annotated[str, Field(max_length=200)] = ""
    at: Time
    count: Annotated[int, Field(ge=0)] = 1


class DeviceTrouble(BaseModel):
    """What a device or its network said of the device's health."""

    model_config = ConfigDict(extra="ignore")

    device: Annotated[str, Field(min_length=1, max_length=128)]
    code: Annotated[str, Field(max_length=64)]
    text: Annotated[str, Field(max_length=500)] = ""
    at: Time


class Heard(Body):
    """What a worker heard besides readings."""

    strangers: Annotated[list[Stranger], Field(max_length=1000)] = []
    troubles: Annotated[list[DeviceTrouble], Field(max_length=1000)] = []
    reborn: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=1000)] = []
    """Edge nodes that were asked for their births."""


class MappingTried(Body):
    """A mapping profile (YAML), or a known format, and a sample to read with it."""

    text: Annotated[str, Field(max_length=32_768)] = ""
    form: Annotated[str, Field(max_length=32)] = ""
    topic: Annotated[str, Field(max_length=1000)] = ""
    sample: Annotated[str, Field(max_length=65_536)]


class MappingWritten(Body):
    """A mapping profile to keep."""

    text: Annotated[str, Field(max_length=32_768)]
    topics: Annotated[list[Annotated[str, Field(max_length=300)]], Field(min_length=1, max_length=20)]
    sample: Annotated[str, Field(max_length=65_536)] = ""


class LinkDecided(Body):
    """A link between a sensor and a camera."""

    sensor: Id
    camera: Id


class SightSeen(BaseModel):
    """What a camera saw that agrees with a sensor's alarm."""

    model_config = ConfigDict(extra="ignore")

    kind: Id
    score: Share
    boxes: Annotated[list[list[Share]], Field(max_length=200)] = []


class SightTaken(BaseModel):
    """The look that a sensor's alarm asked for."""

    model_config = ConfigDict(extra="ignore")

    captured_at: Time
    seen: Annotated[list[SightSeen], Field(max_length=20)] = []


class Maintenance(Body):
    """Somebody works on a sensor until then."""

    until: Time
    note: Text = ""


class KeptFor(Body):
    """How long something is kept; null: until a period is set, where that is possible."""

    days: Annotated[int, Field(strict=True)] | None


class Hold(Body):
    """Preserve the evidence of a case (证据保全), or no longer, and why."""

    held: bool
    reason: Annotated[str, Field(max_length=500)]


class UserChange(Body):
    """Changes of a person; what is absent stays."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    role: Id | None = None
    department: Id | None = None
    grid: Id | None = None
    grids: Annotated[list[Id], Field(max_length=200)] | None = None
    active: bool | None = None


class NewUser(Body):
    """A person."""

    user: Id
    name: Name
    role: Id
    department: Id | None = None
