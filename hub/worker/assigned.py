"""What the hub assigns, read from the wire. A hub may be newer than its worker: what this version does not know is left
out, with a line that says so, and all else stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar

from detectors.errors import KindsError
from detectors.geometry import Zone
from detectors.kinds import Kind
from detectors.pipeline import Binding, CameraTask
from detectors.profile import Profile
from detectors.profiles import profile_from_wire
from detectors.zone_hours import ZoneHours
from ingest.device import Camera, Place, Sensor, Watch
from ingest.media.decoding import SKIP_LOOP_FILTER

from .rechecking import Recheck
from .sights import Sight

_Read = TypeVar("_Read")
_PARTS: Mapping[str, tuple[str, ...]] = {
    "decoding": ("skip_loop_filter", "hardware"),
    "looking": ("platforms", "per_host", "visits_at_once", "decode_threads"),
    "sensing": ("readings_per_s",),
}
"""Parts of an assignment that are taken key by key."""
_FOR_CAMERAS = ("look_for", "rule", "check", "schedule")
"""Keys of a kind that say how cameras find it."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a worker has to do. `strange`: what was left out, a line each."""

    kinds: Mapping[str, Kind]
    profiles: Mapping[str, Profile]
    cameras: list[Camera]
    tasks: list[CameraTask]
    sensors: list[Sensor]
    rechecks: list[Recheck]
    sights: list[Sight]
    parts: Mapping[str, Mapping[str, Any]]
    clips: frozenset[str]
    strange: list[str] = field(default_factory=list)


def read(wire: Mapping[str, Any]) -> Assigned:
    """An assignment, as `hub.assignments` makes it.

    With a kind goes what is to be looked for of it; sensors still find it where what is not for cameras can be read,
    else the rules of sensor profiles that find it go too. With a profile its sensors are not judged; their readings are
    kept. A camera or sensor that cannot be read goes alone.
    """
    strange: list[str] = []
    seen = _each(wire["kinds"].items(), "kind", lambda w, where: Kind.from_wire(w, where, strange), strange)
    unseen = wire["kinds"].keys() - seen.keys()
    bare = [(key, {k: v for k, v in wire["kinds"][key].items() if k not in _FOR_CAMERAS}) for key in sorted(unseen)]
    kinds = {**seen, **_each(bare, "kind", lambda w, where: Kind.from_wire(w, where, []), [])}
    lost = unseen - kinds.keys()
    stanzas = [(key, _without(stanza, lost, f"profile {key}", strange)) for key, stanza in wire["profiles"].items()]
    parts = {name: _known(name, wire.get(name) or {}, strange) for name in _PARTS}
    if (loop := parts["decoding"].get("skip_loop_filter", "none")) not in SKIP_LOOP_FILTER:
        strange.append(f"decoding: skip_loop_filter: {loop!r}; allowed: {', '.join(SKIP_LOOP_FILTER)}")
        del parts["decoding"]["skip_loop_filter"]
    profiles = _each(stanzas, "profile", lambda w, where: profile_from_wire(w, where, strange=strange), strange)
    preroll_s = (wire.get("reading") or {}).get("preroll_s", 10.0)
    rows = [(camera["id"], camera) for camera in wire["cameras"]]
    both = _each(rows, "camera", lambda w, _where: (_camera(w, preroll_s), _task(w, unseen)), strange).values()
    sensors = _each([(s["id"], s) for s in wire["sensors"]], "sensor", lambda w, _where: _sensor(w), strange)
    return Assigned(
        kinds=kinds,
        profiles=profiles,
        cameras=[camera for camera, _task in both],
        tasks=[task for _camera, task in both],
        sensors=list(sensors.values()),
        rechecks=[r for r in map(Recheck.from_wire, wire["rechecks"]) if r.kind not in (unseen if r.camera else lost)],
        sights=[Sight.from_wire(sight) for sight in wire.get("sights") or ()],
        parts=parts,
        clips=frozenset(camera["id"] for camera in wire["cameras"] if camera.get("clip")),
        strange=strange,
    )


def _each(
    rows: Iterable[tuple[str, Any]], what: str, read_one: Callable[[Any, str], _Read], strange: list[str]
) -> dict[str, _Read]:
    """Those of `rows` that can be read, by their ids; `strange` says why the others cannot."""
    found = {}
    for key, row in rows:
        where = f"{what} {key}"
        try:
            found[key] = read_one(row, where)
        except KindsError as error:
            strange += error.problems
        except ValueError as error:
            strange.append(f"{where}: {error}")
    return found


def _without(profile: Mapping[str, Any], lost: Set[str], where: str, strange: list[str]) -> Mapping[str, Any]:
    """The stanza of a sensor profile without the rules that find a kind which was left out."""
    rules = profile.get("rules")
    if not isinstance(rules, list):
        return profile
    kept = [rule for rule in rules if not (isinstance(rule, dict) and rule.get("kind") in lost)]
    strange += [f"{where}: a rule that finds {rule['kind']}" for rule in rules if rule not in kept]
    return {**profile, "rules": kept}


def _known(name: str, wire: Mapping[str, Any], strange: list[str]) -> dict[str, Any]:
    known = _PARTS[name]
    strange += [f"{name}: {key}: unknown key; allowed: {', '.join(known)}" for key in wire if key not in known]
    return {key: wire[key] for key in known if key in wire}


def _camera(wire: Mapping[str, Any], preroll_s: float) -> Camera:
    return Camera(
        id=wire["id"],
        name=wire["name"],
        url=wire["url"],
        watch=Watch(wire["watch"]),
        every_s=float(wire["every_s"]),
        priority=int(wire.get("priority") or 0),
        preset=wire.get("preset"),
        platform=wire.get("platform") or "",
        goto=wire.get("goto") or "",
        settle_s=float(wire.get("settle_s", 4.0)),
        view=wire.get("view") or "",
        place=_place(wire.get("place")),
        preroll_s=preroll_s if wire.get("clip") else 0.0,
    )


def _sensor(wire: Mapping[str, Any]) -> Sensor:
    return Sensor(
        wire["id"], wire["name"], wire["device"], wire["profile"], float(wire["every_s"]), _place(wire.get("place")),
        tuple(sorted((name, float(value)) for name, value in (wire.get("settings") or {}).items())),
        wire.get("gateway") or "",
    )  # fmt: skip


def _place(wire: Mapping[str, Any] | None) -> Place | None:
    if not wire:
        return None
    return Place(float(wire["lon"]), float(wire["lat"]), wire.get("address") or "", wire.get("grid") or "")


def _task(wire: Mapping[str, Any], unseen: Set[str]) -> CameraTask:
    bindings = []
    for task in wire["tasks"]:
        if task["kind"] in unseen:
            continue
        zone = task.get("zone")
        place, hours = Zone.from_wire(zone) if zone else None, ZoneHours.from_wire(zone or {})
        bindings.append(Binding(task["kind"], place, task.get("dwell_s"), task.get("min_score"), hours))
    return CameraTask(wire["id"], wire.get("preset"), tuple(bindings))
