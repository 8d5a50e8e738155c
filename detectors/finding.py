"""A finding: something a rule decided is wrong. Camera and sensor paths meet here; after it there is one code path."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 as shares of the picture's width and height, 0-1."""

EVIDENCE_ROLES = ("frame", "before", "clip", "strip")


class FindingError(ValueError):
    """A finding on the wire that breaks the contract: names the field, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A picture or clip, named by the SHA-256 (hex) of its bytes. Roles: frame (when found), before, clip."""

    role: str
    sha256: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` was found at `at`, and had been there since `since` (both UTC-aware).

    Exactly one of `camera` and `sensor` is set. `id` is the idempotency key of `POST /api/findings`. `readings` are
    the sensor's values that decided, newest last; `why` is one sentence a person can read ("93 % > 90 %，连续 2 次"),
    `why_en` the same in English. `labels`: what the model calls each of `boxes`, where it named them. `shadows`: ids of
    the shadow models that ran on the same looks since before `since`.
    """

    id: str
    kind: str
    at: datetime
    since: datetime
    score: float
    camera: str | None = None
    sensor: str | None = None
    preset: str | None = None
    zone: str | None = None
    boxes: tuple[Box, ...] = ()
    model: tuple[str, str] | None = None
    evidence: tuple[Evidence, ...] = ()
    readings: tuple[dict[str, Any], ...] = field(default=())
    why: str = ""
    why_en: str = ""
    labels: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.camera is None) == (self.sensor is None):
            raise FindingError("source: wanted exactly one of camera and sensor")
        for name, time in (("at", self.at), ("since", self.since)):
            if time.tzinfo is None:
                raise FindingError(f"{name}: {time.isoformat()} has no time zone")
        if not 0.0 <= self.score <= 1.0:
            raise FindingError(f"score: {self.score} is outside 0..1")
        if self.labels and len(self.labels) != len(self.boxes):
            raise FindingError(f"labels: {list(self.labels)}: wanted one for each of {len(self.boxes)} boxes, or none")
        for box in self.boxes:
            x1, y1, x2, y2 = box
            if not (0.0 <= x1 <= x2 <= 1.0 and 0.0 <= y1 <= y2 <= 1.0):
                raise FindingError(f"boxes: {list(box)} is not [x1, y1, x2, y2] within 0..1")

    @property
    def place(self) -> str:
        """The same for every finding of one problem: source, preset, zone and kind."""
        source = f"camera/{self.camera}" if self.camera else f"sensor/{self.sensor}"
        return "|".join((source, self.preset or "", self.zone or "", self.kind))

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready, as in the HTTP contract; absent parts are left out."""
        source = {"camera": self.camera} if self.camera else {"sensor": self.sensor}
        if self.preset:
            source["preset"] = self.preset
        wire: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "source": source,
            "at": self.at.isoformat(),
            "since": self.since.isoformat(),
            "score": round(self.score, 4),
            "boxes": [[round(v, 5) for v in box] for box in self.boxes],
            "evidence": [{"role": e.role, "sha256": e.sha256, "media_type": e.media_type} for e in self.evidence],
        }
        if self.zone:
            wire["zone"] = self.zone
        if self.model:
            wire["model"] = {"name": self.model[0], "version": self.model[1]}
        if self.readings:
            wire["readings"] = list(self.readings)
        if self.why:
            wire["why"] = self.why
        if self.why_en:
            wire["why_en"] = self.why_en
        if self.labels:
            wire["labels"] = list(self.labels)
        if self.shadows:
            wire["shadows"] = list(self.shadows)
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Finding:
        """The inverse of `to_wire`. Raises FindingError naming the field that breaks the contract."""
        source = _dict(wire, "source")
        model = wire.get("model")
        return cls(
            id=_text(wire, "id"),
            kind=_text(wire, "kind"),
            at=_time(wire, "at"),
            since=_time(wire, "since"),
            score=_number(wire, "score"),
            camera=source.get("camera"),
            sensor=source.get("sensor"),
            preset=source.get("preset"),
            zone=wire.get("zone"),
            boxes=tuple(_box(b) for b in wire.get("boxes") or ()),
            model=(_text(model, "name"), _text(model, "version")) if isinstance(model, dict) else None,
            evidence=tuple(_evidence(e) for e in wire.get("evidence") or ()),
            readings=tuple(wire.get("readings") or ()),
            why=wire.get("why") or "",
            why_en=wire.get("why_en") or "",
            labels=_texts(wire, "labels"),
            shadows=_texts(wire, "shadows"),
        )


def _dict(wire: dict[str, Any], name: str) -> dict[str, Any]:
    value = wire.get(name)
    if not isinstance(value, dict):
        raise FindingError(f"{name}: {value!r} is not an object")
    return value


def _text(wire: dict[str, Any], name: str) -> str:
    value = wire.get(name)
    if not isinstance(value, str) or not value:
        raise FindingError(f"{name}: {value!r} is not a text")
    return value


def _texts(wire: dict[str, Any], name: str) -> tuple[str, ...]:
    value = wire.get(name) or ()
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) and 0 < len(v) <= 64 for v in value):
        raise FindingError(f"{name}: {value!r} is not a list of texts of at most 64 characters")
    return tuple(value)


def _number(wire: dict[str, Any], name: str) -> float:
    value = wire.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FindingError(f"{name}: {value!r} is not a number")
    return float(value)


def _time(wire: dict[str, Any], name: str) -> datetime:
    value = _text(wire, name)
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise FindingError(f"{name}: {value!r} is not an RFC 3339 time") from None
    if time.tzinfo is None:
        raise FindingError(f"{name}: {value!r} has no offset")
    return time


def _box(value: Any) -> Box:
    if not (isinstance(value, list | tuple) and len(value) == 4 and all(isinstance(v, int | float) for v in value)):
        raise FindingError(f"boxes: {value!r} is not [x1, y1, x2, y2]")
    return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))


def _evidence(value: Any) -> Evidence:
    if not isinstance(value, dict) or value.get("role") not in EVIDENCE_ROLES:
        raise FindingError(f"evidence: {value!r}; role is one of {', '.join(EVIDENCE_ROLES)}")
    sha256 = _text(value, "sha256")
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise FindingError(f"evidence.sha256: {sha256!r} is not 64 lower-case hexadecimal digits")
    return Evidence(value["role"], sha256, _text(value, "media_type"))
