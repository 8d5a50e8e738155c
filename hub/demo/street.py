"""What a camera of the demo district sees at an instant: rendered background, traffic, and whatever is going on there.

Pure but for the assets it was made with: camera, seconds since the start and the events there go in, a picture comes
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from detectors.tuning.scenes.compose import Fire, View, compose, load_sprites, traffic
from detectors.tuning.scenes.view import Overlay, Picture, Sprite

from .timeline import Event, Seen

FIRE_PREFIX = "fire:"
"""`shows: fire:NAME` sets the overlay NAME (a heap) on fire."""
_SOFT_EDGE_PX = 6.0


class StreetError(ValueError):
    """The street's own files don't fit together; `problems` holds one line each: file, key, value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Spot:
    """What one camera looks at: its view, the light there, how busy its street is, and a seed of its own."""

    view: View
    light: str
    busy: float
    seed: int


class Street:
    """All cameras of the district."""

    def __init__(self, spots: Mapping[str, Spot], sprites: Sequence[Sprite]) -> None:
        self._spots, self._sprites = spots, sprites

    @classmethod
    def load(cls, file: Path, scenes: Path) -> Street:
        """Read `street.yaml` and the views it names. Raises StreetError or SceneError."""
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        cameras: dict[str, dict[str, Any]] = raw["cameras"]
        missing = sorted({c["view"] for c in cameras.values() if not (scenes / c["view"] / "scene.json").exists()})
        if missing:
            raise StreetError([f"{file}: view {name!r} is not in {scenes}" for name in missing])
        spots, problems = {}, []
        for index, (ident, camera) in enumerate(cameras.items()):
            view, light = View.load(scenes / camera["view"]), camera.get("light", "day")
            if light not in view.backgrounds:
                problems.append(f"{file}: {ident}: light {light!r} is not one of {', '.join(sorted(view.backgrounds))}")
                continue
            spots[ident] = Spot(_only(view, light), light, float(camera.get("busy", 1.0)), 100 + index)
        if problems:
            raise StreetError(problems)
        return cls(spots, load_sprites(scenes / "sprites"))

    @property
    def cameras(self) -> list[str]:
        """Ids of all cameras."""
        return list(self._spots)

    def boxes(self, camera: str) -> dict[str, tuple[float, float, float, float]]:
        """Where each thing that can appear at `camera` would stand: its box, 0-1. KeyError."""
        return {name: overlay.box for name, overlay in self._spots[camera].view.overlays.items()}

    def problems(self, events: Sequence[Event]) -> list[str]:
        """What of `events` cannot be shown, one line each."""
        found = []
        for event in events:
            spot = self._spots.get(event.place)
            name = event.shows.removeprefix(FIRE_PREFIX)
            if spot is not None and name and name not in spot.view.overlays:
                allowed = ", ".join(sorted(spot.view.overlays))
                found.append(f"{event.place} at {event.at_s:g} s: shows {name!r}; {spot.view.name} has {allowed}")
        return found

    def picture(self, camera: str, now_s: float, now: datetime, seen: Sequence[Seen]) -> Picture:
        """H x W x 3 BGR of `camera` with what is `seen` there; the time `now` is burnt in as cameras do. KeyError."""
        spot = self._spots[camera]
        if any(s.event.trouble == "black" for s in seen):
            picture = _black(spot.view, now_s)
        else:
            view, overlays, fires = _arrange(spot, seen)
            moving = traffic(view, self._sprites, now_s, spot.seed, spot.busy) if self._sprites else []
            picture, _labels = compose(
                view, spot.light, overlays, moving, fires=fires, t_s=now_s, seed=spot.seed, noise=2.0
            )
        _stamp(picture, f"{now:%Y-%m-%d %H:%M:%S}  {camera.upper()}")
        return picture


def _only(view: View, light: str) -> View:
    """`view` without what other lights need: a third of the memory."""
    overlays = {name: replace(o, layers={light: o.layers[light]}) for name, o in view.overlays.items()}
    backgrounds, relight = {light: view.backgrounds[light]}, {light: view.relight[light]}
    return replace(view, overlays=overlays, backgrounds=backgrounds, relight=relight)


def _arrange(spot: Spot, seen: Sequence[Seen]) -> tuple[View, list[str], list[Fire]]:
    """The view (with halved heaps added where needed), names of overlays and fires to show."""
    view, overlays, fires = spot.view, [], []
    for s in seen:
        name = s.event.shows.removeprefix(FIRE_PREFIX)
        if not name:
            continue
        overlay = view.overlays[name]
        if s.event.shows.startswith(FIRE_PREFIX):
            x_m, y_m = overlay.ground
            fires.append(Fire(x_m, y_m - 0.2, size_m=0.9 * s.share + 0.2))
        if s.share < 1:
            overlay = _part(overlay, s.share)
            view = replace(view, overlays={**view.overlays, overlay.name: overlay})
        overlays.append(overlay.name)
    return view, overlays, fires


def _part(overlay: Overlay, share: float) -> Overlay:
    """`share` of a thing, counted from its left: what a half-hearted clean-up leaves."""
    layers = {}
    for light, layer in overlay.layers.items():
        columns = np.flatnonzero((layer[..., 3] > 200).any(axis=0))
        cut = columns[0] + share * (columns[-1] - columns[0]) if len(columns) else share * layer.shape[1]
        keep = np.clip((cut - np.arange(layer.shape[1])) / _SOFT_EDGE_PX + 0.5, 0, 1)
        part = layer.copy()
        part[..., 3] = (layer[..., 3] * keep[None, :]).astype(np.uint8)
        layers[light] = part
    x1, y1, x2, y2 = overlay.box
    return replace(overlay, name=f"{overlay.name}*{share:g}", box=(x1, y1, x1 + share * (x2 - x1), y2), layers=layers)


def _black(view: View, now_s: float) -> Picture:
    """A dead sensor: nearly black, with a little grain."""
    noise = np.random.default_rng(int(now_s * 1000)).integers(
        0, 5, (view.height_px // 4, view.width_px // 4, 1), np.uint8
    )
    grown = cv2.resize(noise, (view.width_px, view.height_px), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.cvtColor(grown, cv2.COLOR_GRAY2BGR), np.uint8)


def _stamp(picture: Picture, text: str) -> None:
    for shift, colour in ((1, (20, 20, 20)), (0, (235, 235, 235))):
        cv2.putText(picture, text, (12 + shift, 24 + shift), cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
