"""Golden replays: what the rules find in composed scenes and on real clips, kept, so that a changed rule is a diff.

`python -m tests.samples.goldens` writes them anew; look at what changed before you commit it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from detectors.catalog import Catalog
from detectors.geometry import Zone
from detectors.kinds import load_kinds
from detectors.pipeline import Binding, CameraTask, Pipeline
from detectors.replay import as_json, replay
from hub.demo.street import Street
from hub.demo.timeline import Event, Seen
from ingest.frame import Frame
from tests.conftest import ROOT, SHARED

FILE = ROOT / "tests" / "samples" / "goldens.json"
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai."""
EVERY_S, LASTS_S = 5.0, 260.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A demo camera with what appears there at 60 s, for `lasts_s` (None: for good); tasks as in the demo."""

    camera: str
    shows: str
    lasts_s: float | None = None


SCENES = {
    "garbage beside a bin": Scene("c03", "garbage_bin"),
    "garbage at the kerb": Scene("c07", "garbage_kerb"),
    "goods before a shop": Scene("c02", "goods"),
    "a car that parks": Scene("c24", "car_kerb"),
    "a car that stops for 20 s": Scene("c12", "car_kerb", 20),
    "a heap that burns": Scene("c04", "fire:bin_overflow"),
    "a street where nothing happens": Scene("c01", ""),
}

CLIPS = {
    "towncentre_bxc_302f.mp4": 0.5,
    "rf_inference_example.mp4": 0.5,
    "intel_car-detection.mp4": 1.0,
    "intel_one-by-one-person-detection.mp4": 2.0,
    "furg_house6.mp4": 1.0,
}
"""Real clips and the seconds between looks."""
CLIP_DWELL_S = 3.0
CLIP_KINDS = (
    "garbage_exposed", "open_burning", "goods_pile", "street_vendor", "road_occupying_trade", "out_of_shop_trade",
    "vehicle_parking", "fire_lane_blocked", "bin_overflow",
)  # fmt: skip


def of_scene(name: str) -> list[dict[str, Any]]:
    """What the demo's own tasks find in a composed scene, looked at every five seconds."""
    scene = SCENES[name]
    kinds = load_kinds(ROOT / "configs" / "kinds")
    pipeline = Pipeline(kinds, lambda model: Catalog(ROOT / "models").open(model, streams=1), None, ZoneInfo("UTC"))
    pipeline.set_tasks([_task(scene.camera)])
    found = [f for frame in _frames(scene) for f in pipeline.look([frame])]
    return [_short(as_json(f, kinds, START)) for f in found]


def _task(camera: str) -> CameraTask:
    wanted = yaml.safe_load((ROOT / "configs" / "demo" / "tasks.yaml").read_text(encoding="utf-8"))[camera]
    zones = {name: Zone(name, tuple((x, y) for x, y in points)) for name, points in wanted["zones"].items()}
    bindings = [Binding(t["kind"], zones.get(t.get("zone", "")), t.get("dwell_s")) for t in wanted["tasks"]]
    return CameraTask(camera, None, tuple(bindings))


def _frames(scene: Scene) -> Iterator[Frame]:
    demo = ROOT / "configs" / "demo"
    street = Street.load(demo / "street.yaml", demo / "scenes")
    event = Event(60.0, scene.camera, shows=scene.shows)
    for step in range(int(LASTS_S / EVERY_S)):
        t_s = step * EVERY_S
        there = scene.shows and t_s >= 60 and (scene.lasts_s is None or t_s < 60 + scene.lasts_s)
        at = START + timedelta(seconds=t_s)
        picture = street.picture(scene.camera, t_s, at, [Seen(event, t_s - 60)] if there else [])
        yield Frame(scene.camera, None, at, picture)


def of_clip(clip: str) -> list[dict[str, Any]]:
    """What the kinds find in a real clip, the whole picture being the zone."""
    folders = {"kinds_dir": ROOT / "configs" / "kinds", "models_dir": ROOT / "models"}
    path = SHARED / "videos" / clip
    found = replay(path, **folders, kinds=CLIP_KINDS, every_s=CLIPS[clip], dwell_s=CLIP_DWELL_S)
    return [_short(line) for line in found]


def _short(line: dict[str, Any]) -> dict[str, Any]:
    """What a reader of a diff wants: kind, zone, when, since when, how surely, where."""
    boxes = [[round(v, 2) for v in box] for box in line["boxes"]]
    return {k: line[k] for k in ("kind", "zone", "t", "t_since")} | {"score": round(line["score"], 2), "boxes": boxes}


def differences(kept: Sequence[dict[str, Any]], now: Sequence[dict[str, Any]]) -> list[str]:
    """What a person would call different; processors round differently, so scores and boxes may be a little off."""
    lines = []
    for n in range(max(len(kept), len(now))):
        before, after = (rows[n] if n < len(rows) else None for rows in (kept, now))
        if before is None or after is None or not _alike(before, after):
            lines.append(f"- {json.dumps(before, ensure_ascii=False)}\n+ {json.dumps(after, ensure_ascii=False)}")
    return lines


def _alike(a: dict[str, Any], b: dict[str, Any]) -> bool:
    same = all(a[key] == b[key] for key in ("kind", "zone")) and len(a["boxes"]) == len(b["boxes"])
    close = abs(a["score"] - b["score"]) <= 0.08 and all(abs(a[k] - b[k]) <= EVERY_S for k in ("t", "t_since"))
    pairs = zip(a["boxes"], b["boxes"], strict=False)
    return same and close and all(abs(x - y) <= 0.04 for p, q in pairs for x, y in zip(p, q, strict=True))


def main() -> None:
    """Write all that can be made here; clips that are not at hand stay as they were."""
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {"clips": {}}
    scenes = {name: of_scene(name) for name in SCENES}
    clips = {clip: of_clip(clip) if Path(SHARED / "videos" / clip).is_file() else kept["clips"][clip] for clip in CLIPS}
    made = {"scenes": scenes, "clips": clips}
    FILE.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for part in made.values():
        for name, rows in part.items():
            print(f"{name}: {len(rows)} findings {sorted({row['kind'] for row in rows})}")


if __name__ == "__main__":
    main()
