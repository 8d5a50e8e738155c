"""What the gate spares and what it costs: the share of looks the model never sees, and events missed for it.

Every real clip of the shared data, looked at once a second, and the demo's streets with the events of their time-line
(a minute of nothing, then the event, looked at every ten seconds, a dwell of two minutes). Each is replayed twice, with
the gate and without: an event is missed where the rules find it without the gate, and with it do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

from detectors.catalog import Catalog
from detectors.geometry import Zone
from detectors.kinds import Kind, load_kinds
from detectors.model import Model
from detectors.pipeline import Binding, CameraTask, Pipeline
from detectors.replay import pictures
from hub.demo.street import Street
from hub.demo.timeline import Event, Seen, Timeline
from ingest.frame import Frame, Image
from tests.bench.figures import figure
from tests.conftest import SHARED

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
EMPTY_S, SHOWN_S, EVERY_S, DWELL_S = 60.0, 240.0, 10.0, 120.0
Footage = Callable[[], Iterable[tuple[float, Image]]]


def main() -> None:
    kinds = {
        k.id: replace(k, enabled=True, schedule=()) for k in load_kinds(ROOT / "configs" / "kinds").values() if k.rule
    }
    catalog = Catalog(ROOT / "models")

    @cache
    def model(name: str) -> Model:
        return catalog.open(name, streams=1)

    missed = events = 0
    for clip in sorted(p for p in (SHARED / "videos").glob("*") if p.suffix in (".mp4", ".avi")):
        spared, without, lost = compared(lambda clip=clip: pictures(clip, 1.0), kinds, model, dwell_s=None)  # type: ignore[misc]
        figure("gate", f"{clip.name}: looks spared", spared, "%")
        missed, events = missed + lost, events + without
    figure("gate", "real clips: kinds found without it", events, "kinds")
    figure("gate", "real clips: of them missed with it", missed, "kinds")
    rendered(kinds, model)


def rendered(kinds: dict[str, Kind], model: Callable[[str], Model]) -> None:
    demo = ROOT / "configs" / "demo"
    street = Street.load(demo / "street.yaml", demo / "scenes")
    wanted = [e for e in Timeline.from_yaml(demo / "timeline.yaml").opening if e.kind in kinds and e.shows]
    missed = found = 0
    shares = []
    for event in wanted:
        box = street.boxes(event.place)[event.shows.removeprefix("fire:")]
        spared, without, lost = compared(
            lambda event=event: happening(street, event),
            {event.kind: kinds[event.kind]},
            model,
            DWELL_S,
            around(box),  # type: ignore[misc]
        )
        shares.append(spared)
        missed, found = missed + lost, found + without
    figure("gate", f"rendered, {len(wanted)} events: looks spared", sum(shares) / len(shares), "%")
    figure("gate", "rendered: events found without it", found, "events")
    figure("gate", "rendered: of them missed with it", missed, "events")


def happening(street: Street, event: Event) -> Iterator[tuple[float, Image]]:
    """The street of `event`: nothing for EMPTY_S, then the event."""
    for n in range(int((EMPTY_S + SHOWN_S) / EVERY_S)):
        t_s = n * EVERY_S
        seen = [Seen(event, t_s - EMPTY_S)] if t_s >= EMPTY_S else []
        yield t_s, street.picture(event.place, t_s, START + timedelta(seconds=t_s), seen)


def around(box: tuple[float, float, float, float]) -> Zone:
    """A zone twice as wide and high as the thing."""
    x1, y1, x2, y2 = box
    w, h = (x2 - x1) / 2, (y2 - y1) / 2
    left, top, right, bottom = max(0.0, x1 - w), max(0.0, y1 - h), min(1.0, x2 + w), min(1.0, y2 + h)
    return Zone("event", ((left, top), (right, top), (right, bottom), (left, bottom)))


def compared(
    footage: Footage,
    kinds: dict[str, Kind],
    model: Callable[[str], Model],
    dwell_s: float | None,
    zone: Zone | None = None,
) -> tuple[float, int, int]:
    """Share of looks spared (%), kinds found without the gate, and how many of those were not found with it."""
    told = {}
    for gated in (True, False):
        pipeline = Pipeline(kinds, model, None, ZoneInfo("UTC"))
        bindings = tuple(Binding(kind, zone or Zone.whole(), dwell_s) for kind in kinds)
        pipeline.set_tasks([CameraTask("cam", None, bindings)])
        found: set[str] = set()
        with nullcontext() if gated else patch("detectors.view.lets_through", return_value=True):
            for t_s, image in footage():
                at = START + timedelta(seconds=t_s)
                found |= {f.finding.kind for f in pipeline.look([Frame("cam", None, at, image)])}
        told[gated] = (found, pipeline.counters)
    with_gate, counters = told[True]
    spared = 100 * counters["gated"] / max(1, counters["looks"])
    return spared, len(told[False][0]), len(told[False][0] - with_gate)


if __name__ == "__main__":
    main()
