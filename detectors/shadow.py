"""A model that runs beside the working one on the same looks: its findings are recorded, they never open an alert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from detectors.finding import Finding
from detectors.kinds import Kind
from detectors.watch import Binding, Watch


@dataclass(frozen=True, slots=True)
class Shadow:
    """`model` looks beside the one that works as `base` (the name that kinds use)."""

    id: str
    base: str
    model: str

    def looks_for(self, kind: Kind) -> bool:
        """Whether it has something to say about `kind`: one found by labels of the model that it stands beside."""
        return kind.look_for is not None and kind.look_for.model == self.base and bool(kind.look_for.labels)


@dataclass(slots=True)
class Beside:
    """What a shadow remembers of one view: since when it runs there, and the state of its own rules."""

    since: datetime
    watches: dict[str, Watch] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"since": self.since.isoformat(), "watches": {key: w.to_json() for key, w in self.watches.items()}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], bindings: Mapping[str, Binding], kinds: Mapping[str, Kind]) -> Beside:
        """The inverse of `to_json`, for the `bindings` (by key) that are still there. Raises KeyError, ValueError."""
        watches = {
            key: Watch.from_json(bindings[key].rule_of(kinds[bindings[key].kind_id]), state)
            for key, state in stored["watches"].items()
            if key in bindings
        }
        return cls(datetime.fromisoformat(stored["since"]), watches)


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What a shadow's rule found at one look; `alone`: the working model has not found it."""

    shadow: str
    finding: Finding
    alone: bool
    frame: Any
    """The picture (H x W x 3 BGR) of one that it found alone, else None."""
