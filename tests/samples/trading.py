"""The demo's streets with something new and people beside it: is it a stall? What the rule finds, and what stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from detectors.catalog import Catalog
from detectors.geometry import Zone
from detectors.kinds import load_kinds
from detectors.pipeline import Binding, CameraTask, Pipeline
from detectors.second_look import crop
from detectors.tuning.scenes.compose import Standing, compose, traffic
from detectors.tuning.scenes.view import Sprite, View, load_sprites, load_views
from ingest.frame import Frame, Image
from tests.conftest import ROOT

SCENES = ROOT / "configs" / "demo" / "scenes"
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai."""
EVERY_S, EMPTY_S, SHOWN_S, DWELL_S = 10.0, 60.0, 200.0, 100.0
TRADING = ("street_vendor", "road_occupying_trade", "out_of_shop_trade")


@cache
def views() -> tuple[View, ...]:
    """The demo's views; no model has learned from them."""
    return tuple(load_views(SCENES))


@cache
def _sprites() -> tuple[Sprite, ...]:
    return load_sprites(SCENES / "sprites")


def showing(kind: str) -> list[tuple[View, str]]:
    """Every view with an overlay of `kind`, and its name."""
    return [(v, name) for v in views() for name, overlay in sorted(v.overlays.items()) if overlay.kind == kind]


def looks(view: View, name: str) -> Iterator[Frame]:
    """The empty street, then the overlay `name` with two customers, who move about; a few people walk by."""
    people = [sprite for sprite in _sprites() if sprite.kind == "person"]
    x, y = view.overlays[name].ground
    for step in range(int((EMPTY_S + SHOWN_S) / EVERY_S)):
        t_s = step * EVERY_S
        there = t_s >= EMPTY_S
        moving = traffic(view, _sprites(), t_s, seed=5, busy=0.5, around=[name])
        if there:
            side = 1.5 if step % 2 else -1.5
            moving += [
                Standing(people[step % len(people)], x + side, y + 0.2, 0.0, 0.3),
                Standing(people[(step + 3) % len(people)], x + side * 1.2, y - 0.5, 2.0, 0.6),
            ]
        picture, _ = compose(view, "day", [name] if there else [], moving, t_s=t_s, seed=3)
        yield Frame(view.name, None, START + timedelta(seconds=t_s), picture)


def found(kind: str, view: View, name: str, checked: bool) -> tuple[int, Counter[str]]:
    """How many findings of `kind` the pipeline tells, with the second look or without, and its counters."""
    catalog, kinds = Catalog(ROOT / "models"), load_kinds(ROOT / "configs" / "kinds")
    kinds = {kind: replace(kinds[kind], schedule=())}
    pipeline = Pipeline(
        kinds, lambda model: catalog.open(model, streams=1), None, ZoneInfo("Asia/Shanghai"),
        catalog.open_classifier if checked else None,
    )  # fmt: skip
    pipeline.set_tasks([CameraTask(view.name, None, (Binding(kind, Zone.whole(), DWELL_S),))])
    told = sum(len(pipeline.look([frame])) for frame in looks(view, name))
    return told, pipeline.counters


def crops() -> Iterator[tuple[str, str, Image]]:
    """Everything that can appear in the demo's streets, cut out as the second look would: (kind, which, crop)."""
    for view in views():
        for name, overlay in sorted(view.overlays.items()):
            for light in view.backgrounds:
                picture, _ = compose(view, light, [name], traffic(view, _sprites(), 40.0, seed=9), seed=2)
                yield overlay.kind, f"{view.name} {name} {light}", crop(picture, overlay.box, 0.25)
