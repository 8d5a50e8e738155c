"""Things that stay about where they are, followed over looks that lie seconds to a minute apart.

A thing is recognised by its place (overlap, distance of centres) and, where it should stand still, by what its place
looks like: another car on the same spot is another thing. Missed looks (a detector that flickers, a passer-by in
front) are forgiven up to a limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.finding import Box
from detectors.gate import Thumb
from detectors.geometry import centres, iou

PATCH_PX = 16
SAME_LOOK = 0.55
"""Correlation of two patches from which they show the same thing; a car against another car scores about 0 to 0.5."""
FLAT = 2.5
"""Grey levels of spread below which a patch shows nothing to compare."""
RECENT = 32

Patch = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Following:
    """How things are followed.

    `reach`: how far (in mean box diagonals) a centre may lie from the last one. `still`: the thing has to overlap
    its place (IoU >= 0.4) and look the same. `misses`: looks in a row without it, after which it is forgotten.
    `gap_s`: time without any look, after which everything is forgotten. `weak`: share of the start score that
    continues a thing.
    """

    reach: float
    still: bool
    misses: int
    gap_s: float
    weak: float = 0.6


STILL_IOU, HOME_IOU = 0.4, 0.4
"""Least overlap of a still thing with its last and with its first place: what creeps away is another thing."""
HOME_REACH = 2.0
"""How far (in mean box diagonals) a drifting thing may come from its first place."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something followed: where it is, where it began (`home`), since when, and in which of the newest looks it was
    seen (newest last).
    """

    box: Box
    home: Box
    label: str
    since: datetime
    seen_at: datetime
    recent: tuple[bool, ...]
    scores: tuple[float, ...]
    looks: int = 1
    hits: int = 1
    patch: Patch = ()

    @property
    def score(self) -> float:
        """Mean of the newest scores."""
        return sum(self.scores) / len(self.scores)

    @property
    def missed(self) -> int:
        """Looks in a row, up to the newest, in which it was not seen."""
        return next((i for i, hit in enumerate(reversed(self.recent)) if hit), len(self.recent))

    def hits_of(self, looks: int) -> int:
        """In how many of the newest `looks` it was seen."""
        return sum(self.recent[-looks:])


def follow(
    things: Sequence[Thing],
    detections: Detections,
    now: datetime,
    how: Following,
    scores: Mapping[str, float],
    thumb: Thumb | None = None,
) -> list[Thing]:
    """`things` after one more look: continued, missed, forgotten, and those that begin.

    `detections` are those of the wanted labels in the zone, from `how.weak` of the label's `scores` up. `thumb` is the
    grey picture that the looks of still things are compared in.
    """
    alive = [_as_of(t, now) for t in things if (now - t.seen_at).total_seconds() <= how.gap_s]
    pairs = _pairs(alive, detections, how, thumb)
    after = []
    for index, thing in enumerate(alive):
        match = pairs.get(index)
        if match is None:
            missed = _missed(thing)
            if missed.missed <= how.misses:
                after.append(missed)
        else:
            after.append(_continued(thing, detections, match, now, how, thumb))
    taken = set(pairs.values())
    for index, (box, score, label) in enumerate(detections):
        if index not in taken and score >= scores[label]:
            place = as_box(box)
            after.append(
                Thing(place, place, label, now, now, (True,), (score,), patch=_patch(thumb, place) if how.still else ())
            )
    return after


def as_box(values: NDArray[np.float32]) -> Box:
    """Four numbers as a Box."""
    x1, y1, x2, y2 = (float(v) for v in values)
    return (x1, y1, x2, y2)


def _as_of(thing: Thing, now: datetime) -> Thing:
    """`thing`; where the clock was set back since it was seen, as old as it was then."""
    ahead = thing.seen_at - now
    return thing if ahead <= timedelta(0) else replace(thing, since=thing.since - ahead, seen_at=now)


def _missed(thing: Thing) -> Thing:
    return replace(thing, recent=(*thing.recent, False)[-RECENT:], looks=thing.looks + 1)


def _continued(thing: Thing, seen: Detections, index: int, now: datetime, how: Following, thumb: Thumb | None) -> Thing:
    box = as_box(seen.boxes[index])
    if how.still:
        x1, y1, x2, y2 = (0.8 * a + 0.2 * b for a, b in zip(thing.box, box, strict=True))
        box = (x1, y1, x2, y2)
    return replace(
        thing,
        box=box,
        seen_at=now,
        recent=(*thing.recent, True)[-RECENT:],
        scores=(*thing.scores, float(seen.scores[index]))[-RECENT:],
        looks=thing.looks + 1,
        hits=thing.hits + 1,
        patch=_patch(thumb, box) if how.still else (),
    )


def _pairs(things: Sequence[Thing], seen: Detections, how: Following, thumb: Thumb | None) -> dict[int, int]:
    """Thing index to detection index: nearest first, each once."""
    if not things or not len(seen):
        return {}
    near = nearness(np.array([t.box for t in things], np.float32), seen.boxes, how)
    near *= at_home(np.array([t.home for t in things], np.float32), seen.boxes, how)
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for flat in np.argsort(-near, axis=None, kind="stable"):
        row, column = divmod(int(flat), near.shape[1])
        if near[row, column] <= 0:
            break
        if row in pairs or column in taken or things[row].label != seen.labels[column]:
            continue
        if how.still and not _looks_the_same(things[row], thumb):
            continue
        pairs[row] = column
        taken.add(column)
    return pairs


def nearness(places: NDArray[np.float32], boxes: NDArray[np.float32], how: Following) -> NDArray[np.float32]:
    """N x M, above 0 where a box may be the thing at a place; 1 is exactly there."""
    shared = iou(places, boxes)
    if how.still:
        return np.asarray(np.where(shared >= STILL_IOU, shared, 0), np.float32)
    apart = np.linalg.norm(centres(places)[:, None] - centres(boxes)[None], axis=2)
    sizes = (_diagonals(places)[:, None] + _diagonals(boxes)[None]) / 2
    near = 1 - apart / np.maximum(sizes * how.reach, 1e-6)
    return np.asarray(np.maximum(np.clip(near, 0, 1), shared), np.float32)


def at_home(homes: NDArray[np.float32], boxes: NDArray[np.float32], how: Following) -> NDArray[np.bool_]:
    """N x M: whether a box is still about where the thing began."""
    if how.still:
        return np.asarray(iou(homes, boxes) >= HOME_IOU, bool)
    apart = np.linalg.norm(centres(homes)[:, None] - centres(boxes)[None], axis=2)
    sizes = (_diagonals(homes)[:, None] + _diagonals(boxes)[None]) / 2
    return np.asarray(apart <= HOME_REACH * sizes, bool)


def _diagonals(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1), np.float32)


def _patch(thumb: Thumb | None, box: Box) -> Patch:
    """What the place looks like: PATCH_PX x PATCH_PX, mean 0, length 1; empty where it is flat or too small."""
    if thumb is None:
        return ()
    height, width = thumb.shape
    x1, y1 = int(box[0] * width), int(box[1] * height)
    x2, y2 = int(np.ceil(box[2] * width)), int(np.ceil(box[3] * height))
    crop = thumb[y1:y2, x1:x2]
    if min(crop.shape) < 4:
        return ()
    small = cv2.resize(crop, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA)
    if float(small.std()) < FLAT:
        return ()
    small = small - small.mean()
    return tuple(np.round(small / np.linalg.norm(small), 4).ravel().tolist())


def _looks_the_same(thing: Thing, thumb: Thumb | None) -> bool:
    now = _patch(thumb, thing.box)
    if not thing.patch or not now:
        return True
    return float(np.dot(np.array(thing.patch), np.array(now))) >= SAME_LOOK


def to_json(thing: Thing) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "box": list(thing.box),
        "home": list(thing.home),
        "label": thing.label,
        "since": thing.since.isoformat(),
        "seen_at": thing.seen_at.isoformat(),
        "recent": [int(hit) for hit in thing.recent],
        "scores": [round(score, 4) for score in thing.scores],
        "looks": thing.looks,
        "hits": thing.hits,
        "patch": list(thing.patch),
    }


def from_json(state: dict[str, Any]) -> Thing:
    """The inverse of `to_json`."""
    return Thing(
        box=_box(state["box"]),
        home=_box(state["home"]),
        label=state["label"],
        since=datetime.fromisoformat(state["since"]),
        seen_at=datetime.fromisoformat(state["seen_at"]),
        recent=tuple(bool(hit) for hit in state["recent"]),
        scores=tuple(state["scores"]),
        looks=state["looks"],
        hits=state["hits"],
        patch=tuple(state["patch"]),
    )


def _box(values: Sequence[float]) -> Box:
    x1, y1, x2, y2 = values
    return (x1, y1, x2, y2)


def lasted_s(thing: Thing, now: datetime) -> float:
    """Seconds since it was first seen."""
    return (now - thing.since) / timedelta(seconds=1)
