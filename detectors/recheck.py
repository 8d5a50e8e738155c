"""Is a problem that was found still there? Asked of one new picture, remembering nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detection import Detections
from detectors.finding import Box
from detectors.geometry import Zone, centres, iou
from detectors.kinds import Kind
from detectors.rules.presence import in_zone, of_scores
from detectors.tracker import as_box

STILL_SCORE = 0.8
"""Share of the kind's score that says "still there"."""
GENEROUS = 0.5
"""A box is widened by this share of its size on each side when looking for the thing again."""
CROP_PX = 48
OTHER_THING = 0.2
"""Correlation of two crops below which a still thing was exchanged for another of its kind."""


@dataclass(frozen=True, slots=True)
class Why:
    """What a look says: a code whose blanks `values` fill, for any language, and the sentence in Chinese."""

    code: str
    text: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recheck:
    """Whether the problem is still present, how sure (0-1), where, and what a person is told of it."""

    present: bool
    score: float
    boxes: tuple[Box, ...]
    why: Why


def recheck(
    image: NDArray[np.uint8],
    seen: Detections,
    kind: Kind,
    scores: Mapping[str, float],
    zone: Zone,
    boxes: Sequence[Box],
    found: NDArray[np.uint8] | None,
    before: NDArray[np.uint8] | None,
) -> Recheck:
    """`image` and what the model saw in it, against the boxes, the picture when found, and the one from before.

    `scores`: the kind's labels to their least scores.
    """
    if kind.rule is not None and kind.rule.type == "new_and_stays":
        return _by_picture(image, boxes, found, before)
    return _by_label(image, seen, kind, scores, zone, boxes, found)


def _by_label(
    image: NDArray[np.uint8],
    seen: Detections,
    kind: Kind,
    scores: Mapping[str, float],
    zone: Zone,
    boxes: Sequence[Box],
    found: NDArray[np.uint8] | None,
) -> Recheck:
    if kind.look_for is None or kind.rule is None:
        return Recheck(False, 0.0, (), Why("no_rule", "该类问题没有可复查的画面规则"))
    there = of_scores(seen, scores, STILL_SCORE)
    there = _near(there, boxes) if boxes else in_zone(there, zone, kind.rule)
    score = float(there.scores.max()) if len(there) else 0.0
    if not len(there):
        why = Why("gone", f"原位置未再发现{kind.name['zh']}")
        return Recheck(False, _clear_score(seen, scores, boxes), (), why)
    if kind.rule.anchor == "foot" and kind.rule.type == "dwell" and found is not None and boxes:
        likeness = max(_likeness(_crop(image, box, 0.0), _crop(found, box, 0.0)) for box in boxes)
        if likeness < OTHER_THING:
            return Recheck(False, 1 - max(likeness, 0.0), (), Why("another", "原位置已是另一目标"))
    share = round(100 * score)
    why = Why("seen", f"原位置仍可见（{share}%）", {"share": share})
    return Recheck(True, score, tuple(as_box(box) for box in there.boxes), why)


def _near(seen: Detections, boxes: Sequence[Box]) -> Detections:
    """Those that overlap a box, or whose centre lies in a box made generously larger."""
    if not len(seen):
        return seen
    places = np.array(boxes, np.float32)
    grow = GENEROUS * (places[:, 2:] - places[:, :2])
    low, high = places[:, :2] - grow, places[:, 2:] + grow
    middle = centres(seen.boxes)[:, None]
    inside = ((middle >= low) & (middle <= high)).all(axis=2)
    there = inside | (iou(seen.boxes, places) >= 0.1)
    return seen.where(np.asarray(there.any(axis=1), bool))


def _clear_score(seen: Detections, scores: Mapping[str, float], boxes: Sequence[Box]) -> float:
    """How sure it is that nothing is there: 1 less the best weak detection at the place."""
    weak = of_scores(seen, scores, 0.0)
    weak = _near(weak, boxes) if boxes else weak
    return 1 - float(weak.scores.max()) if len(weak) else 1.0


def _by_picture(
    image: NDArray[np.uint8], boxes: Sequence[Box], found: NDArray[np.uint8] | None, before: NDArray[np.uint8] | None
) -> Recheck:
    """Whether the places look more like the picture with the thing or like the one before it came."""
    if found is None or not boxes:
        return Recheck(True, 0.0, tuple(boxes), Why("nothing_to_compare", "缺少发现时的画面，无法比对"))
    still, sure = [], []
    for box in boxes:
        like_found = _likeness(_crop(image, box, 0.15), _crop(found, box, 0.15))
        like_before = _likeness(_crop(image, box, 0.15), _crop(before, box, 0.15)) if before is not None else 0.5
        sure.append(abs(like_found - like_before))
        if like_found > like_before:
            still.append(box)
    score = float(np.clip(0.5 + max(sure) / 2, 0, 1))
    if still:
        return Recheck(True, score, tuple(still), Why("like_found", "与发现时画面更接近，物品仍在"))
    if before is not None:
        return Recheck(False, score, (), Why("like_before", "与出现前画面更接近，物品已不在"))
    return Recheck(False, score, (), Why("unlike_found", "与发现时画面不同，物品已不在"))


def _crop(image: NDArray[np.uint8], box: Box, margin: float) -> NDArray[np.float32]:
    """The box of a picture with a margin (share of its size), CROP_PX x CROP_PX x 3."""
    height, width = image.shape[:2]
    grow_x, grow_y = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    left, right = int(max(box[0] - grow_x, 0) * width), int(np.ceil(min(box[2] + grow_x, 1) * width))
    top, bottom = int(max(box[1] - grow_y, 0) * height), int(np.ceil(min(box[3] + grow_y, 1) * height))
    cut = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    small = cv2.resize(cut, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32)


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """-1 to 1: correlation of shapes (grey), blended with how near the colours are; light and gain matter little."""
    grey_a, grey_b = a.mean(axis=2).ravel(), b.mean(axis=2).ravel()
    hue_a = a.reshape(-1, 3).mean(axis=0) / max(float(a.mean()), 1.0)
    hue_b = b.reshape(-1, 3).mean(axis=0) / max(float(b.mean()), 1.0)
    colours = 1 - min(1.0, 4 * float(np.abs(hue_a - hue_b).max()))
    if grey_a.std() < 2 or grey_b.std() < 2:
        flat = 1 - min(1.0, abs(float(grey_a.std() - grey_b.std())) / 20)
        level = 1 - min(1.0, abs(float(grey_a.mean() - grey_b.mean())) / 80)
        return (colours + flat + level) / 3
    shape = float(np.corrcoef(grey_a, grey_b)[0, 1])
    return 0.75 * shape + 0.25 * colours
