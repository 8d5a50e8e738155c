"""The shipped model and rules on the shipped street: what happens there is found soon, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
import yaml

from detectors.catalog import Catalog
from detectors.finding import Finding
from detectors.kinds import load_kinds
from detectors.pipeline import CameraTask, Pipeline
from detectors.watch import Binding
from hub.demo.furnishing import entry
from hub.demo.street import Street
from hub.demo.timeline import Happenings, Timeline
from ingest.device import Camera
from ingest.frame import Frame

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "configs" / "demo"
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
EVERY_S = 5.0
UNTIL_S = 150.0
FOUND_WITHIN_S = {"garbage_exposed": 30, "goods_pile": 75}
TIMELINE = Timeline.from_yaml(CONFIG / "timeline.yaml")
SOON = [e for e in TIMELINE.opening if e.kind in FOUND_WITHIN_S and e.at_s + FOUND_WITHIN_S[e.kind] <= UNTIL_S]
HARMLESS = [e for e in TIMELINE.opening if e.shows and not e.kind and e.at_s < UNTIL_S]


def camera_task(ident: str) -> CameraTask:
    raw = yaml.safe_load((CONFIG / "tasks.yaml").read_text(encoding="utf-8"))[ident]
    made = entry(Camera(ident, ident, "file:///nowhere"), raw)
    zones = {zone.name: zone for zone in made.zones}
    return CameraTask(ident, None, tuple(Binding(t.kind, zones.get(t.zone), t.dwell_s) for t in made.tasks))


def looks(street: Street, happenings: Happenings) -> Iterator[Frame]:
    """Every camera every 5 s, one after another, as JPEG would bring them."""
    step_s = EVERY_S / len(street.cameras)
    for number in range(int(UNTIL_S / step_s)):
        now_s, camera = number * step_s, street.cameras[number % len(street.cameras)]
        happenings.advance(now_s)
        now = START + timedelta(seconds=now_s)
        picture = street.picture(camera, now_s, now.astimezone(ZONE), happenings.at(camera, now_s))
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
        yield Frame(camera, None, now, np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8))


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What the shipped detectors find in the first minutes at the cameras where something happens then."""
    cameras = yaml.safe_load((CONFIG / "street.yaml").read_text(encoding="utf-8"))["cameras"]
    file = tmp_path_factory.mktemp("street") / "street.yaml"
    file.write_text(yaml.safe_dump({"cameras": {e.place: cameras[e.place] for e in SOON + HARMLESS}}), encoding="utf-8")
    street = Street.load(file, CONFIG / "scenes")
    catalog = Catalog(ROOT / "models")
    pipeline = Pipeline(load_kinds(ROOT / "configs" / "kinds"), catalog.open, None, ZONE)
    pipeline.set_tasks([camera_task(ident) for ident in street.cameras])
    return [f.finding for frame in looks(street, Happenings(TIMELINE)) for f in pipeline.look([frame])]


def test_the_first_event_makes_an_alert_within_a_minute(findings: list[Finding]) -> None:
    first = min(findings, key=lambda finding: finding.at)
    assert (first.camera, first.kind) == (TIMELINE.opening[0].place, TIMELINE.opening[0].kind)
    assert first.at - START <= timedelta(seconds=40)


@pytest.mark.parametrize("event", SOON, ids=lambda e: f"{e.kind}-{e.place}")
def test_what_happens_is_found_soon(findings: list[Finding], event) -> None:  # type: ignore[no-untyped-def]
    found = [f for f in findings if (f.camera, f.kind) == (event.place, event.kind)]
    assert found, f"{event.shows} at {event.place} was not found"
    after_s = (found[0].at - START).total_seconds() - event.at_s
    assert 0 < after_s <= FOUND_WITHIN_S[event.kind]


def test_nothing_else_is_found(findings: list[Finding]) -> None:
    """Among it: a car that stops for 20 s where nobody may park."""
    assert HARMLESS
    meant = {(e.place, e.kind) for e in TIMELINE.opening}
    assert [(f.camera, f.kind, f.why) for f in findings if (f.camera, f.kind) not in meant] == []
