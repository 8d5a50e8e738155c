"""Something new stands in the zone and stays, whatever it is: a long-term background, and what differs from it.

The background is learned from looks seconds to minutes apart and follows slow changes of light. A pixel that differs
becomes a candidate; it has to show the same thing over the dwell, so passers-by (and what a model names as person or
vehicle, `ignored`) never count. What only became lighter or darker (shadows, lamps), what left instead of came, and a
change of the whole picture (day to infrared, a camera turned) are learned quietly. Small shakes are aligned away.

Dual background after F. Porikli et al., "Robust Abandoned Object Detection Using Dual Foregrounds" (2008); the edge
test for things removed after R. Evangelio and T. Sikora, "Static Object Detection Based on a Dual Background" (2011).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.finding import Box
from detectors.geometry import Zone
from detectors.kinds import RuleSpec
from detectors.rules.presence import Seen, duration

WIDTH_PX = 320
LEARN_LOOKS = 5
LEAST_CONTRAST = 20.0
"""Grey levels of one channel by which a pixel differs from the background."""
SAME_CONTRAST = 18.0
"""Grey levels within which a pixel shows the same thing as at the last look."""
FOLLOW_LIGHT_S = 600.0
"""Time constant of the background."""
ABSORB_S = 24 * 3600.0
"""What stood this long is background."""
WHOLE_CHANGE = 0.4
"""Share of the picture that differs when the light or the view changed, not a thing."""
SOME_CHANGE, SAME_VIEW = 0.05, 0.45
"""So does a smaller share, if the edges of the whole picture correlate less than this with the background's."""
UPSET_LOOKS = 3
MISSES = 2
LEAST_SEEN = 0.78
MOST_COVERED = 0.3
SAME_TEXTURE = 0.75
FURTHEST_SHIFT = 0.04
"""Share of the width by which a shaken camera is followed."""

Small = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What a view looks like without what is new in it; arrays are H x W (x 3 BGR), never written to.

    `candidate`: what is new, where `since` (Unix seconds, 0: nothing) says so; `looks`, `hits`, `missed` count its
    looks; `covered`: share of recent looks in which an ignored thing stood there; `upset`: looks in a row with a
    whole change; `shift`: (x, y) px by which the newest picture lies off the background.
    """

    at: datetime
    learning: tuple[Small, ...]
    picture: Small
    noise: Small
    candidate: Small
    since: NDArray[np.float64]
    looks: NDArray[np.uint16]
    hits: NDArray[np.uint16]
    missed: NDArray[np.uint8]
    covered: Small
    upset: int = 0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def learned(self) -> bool:
        """Whether it can be compared with."""
        return not self.learning

    def candidate_view(self, region: Mask) -> Small:
        """The background with the candidates of `region` put in."""
        view = self.picture.copy()
        view[region] = self.candidate[region]
        return view

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For storing: compact arrays (a background being learned stores nothing)."""
        if not self.learned:
            return {}
        return {
            "at": np.array(self.at.timestamp()),
            "picture": np.clip(self.picture, 0, 255).astype(np.uint8),
            "noise": np.clip(self.noise * 8, 0, 255).astype(np.uint8),
            "candidate": np.clip(self.candidate, 0, 255).astype(np.uint8),
            "since": self.since.astype(np.uint32),
            "looks": self.looks,
            "hits": self.hits,
            "missed": self.missed,
            "covered": (self.covered * 255).astype(np.uint8),
        }

    @classmethod
    def of_arrays(cls, stored: dict[str, NDArray[Any]]) -> Background:
        """The inverse of `arrays`. Raises KeyError where one is missing."""
        return cls(
            at=datetime.fromtimestamp(float(stored["at"]), UTC),
            learning=(),
            picture=stored["picture"].astype(np.float32),
            noise=np.asarray(stored["noise"] / 8, np.float32),
            candidate=stored["candidate"].astype(np.float32),
            since=stored["since"].astype(np.float64),
            looks=stored["looks"],
            hits=stored["hits"],
            missed=stored["missed"],
            covered=np.asarray(stored["covered"] / 255, np.float32),
        )


def small_picture(image: NDArray[np.uint8]) -> Small:
    """`image` (BGR) WIDTH_PX across, averaged and slightly smoothed."""
    return np.asarray(cv2.GaussianBlur(_shrunk(image, WIDTH_PX), (3, 3), 0), np.float32)


def _shrunk(image: NDArray[np.uint8], width_px: int) -> NDArray[np.uint8]:
    """`image` `width_px` across, averaged; in two steps, which costs a third of one for a 1080p picture."""
    height_px = max(8, round(image.shape[0] * width_px / image.shape[1]))
    if image.shape[1] > 4 * width_px:
        image = np.asarray(cv2.resize(image, (3 * width_px, 3 * height_px), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)


def fresh(small: Small, at: datetime) -> Background:
    """A background that starts learning with `small`."""
    flat = small.shape[:2]
    return Background(
        at=at,
        learning=(small,),
        picture=small,
        noise=np.full(flat, 2.0, np.float32),
        candidate=small,
        since=np.zeros(flat, np.float64),
        looks=np.zeros(flat, np.uint16),
        hits=np.zeros(flat, np.uint16),
        missed=np.zeros(flat, np.uint8),
        covered=np.zeros(flat, np.float32),
    )


def look(
    background: Background | None, image: NDArray[np.uint8], now: datetime, ignored: Sequence[Box] = ()
) -> Background:
    """`background` after one more picture (BGR); `ignored`: boxes of what never counts as new."""
    small = small_picture(image)
    if background is None or background.picture.shape != small.shape:
        return fresh(small, now)
    if not background.learned:
        return _learn(background, small, now)
    if now < background.at:
        background = _set_back(background, now)
    aligned, shift = _aligned(background, small)
    lit = _lit_like(background, aligned)
    differs = _apart(lit, background.picture)
    new = _cleaned(differs > np.maximum(LEAST_CONTRAST, 4 * background.noise))
    share = float(new.mean())
    if share > WHOLE_CHANGE or (share > SOME_CHANGE and _alike(background.picture, aligned) < SAME_VIEW):
        return _upset(background, small, now)
    unknown = _mask(ignored, shift, new.shape) | _border(shift, new.shape)
    after = _with_candidates(background, lit, new, unknown, now)
    after = _with_light(after, lit, new | unknown, now)
    return replace(after, at=now, upset=0, shift=shift)


def _learn(background: Background, small: Small, now: datetime) -> Background:
    pictures = (*background.learning, small)
    if len(pictures) < LEARN_LOOKS:
        return replace(background, at=now, learning=pictures)
    return replace(fresh(np.median(np.stack(pictures), axis=0).astype(np.float32), now), learning=())


def _set_back(background: Background, now: datetime) -> Background:
    """`background` after the clock was set back to `now`: what is new in it is as old as it was."""
    ahead_s = (background.at - now).total_seconds()
    return replace(background, at=now, since=np.where(background.since > 0, background.since - ahead_s, 0.0))


def _upset(background: Background, small: Small, now: datetime) -> Background:
    """The whole picture differs: wait whether it passes, then learn the new view; what was new is forgotten."""
    if background.upset + 1 < UPSET_LOOKS:
        return replace(background, at=now, upset=background.upset + 1)
    return fresh(small, now)


def _aligned(background: Background, small: Small) -> tuple[Small, tuple[float, float]]:
    """`small` moved onto the background if the camera shook, and by how much it was off (x, y px)."""
    there, here = _edges(background.picture), _edges(small)
    (dx, dy), _ = cv2.phaseCorrelate(there.copy(), here.copy(), _window(here.shape))  # it writes into what it is given
    if not 0.3 < math.hypot(dx, dy) < FURTHEST_SHIFT * small.shape[1]:
        return small, (0.0, 0.0)
    moved = cv2.warpAffine(
        small, np.array([[1, 0, -dx], [0, 1, -dy]], np.float32), small.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
    )
    better = np.abs(_edges(moved) - there).mean() < 0.9 * np.abs(here - there).mean()
    return (np.asarray(moved, np.float32), (dx, dy)) if better else (small, (0.0, 0.0))


@cache
def _window(shape: tuple[int, ...]) -> Small:
    return np.asarray(cv2.createHanningWindow((shape[1], shape[0]), cv2.CV_32F), np.float32)


def _apart(a: Small, b: Small) -> Small:
    """The largest difference of the three channels, pixel by pixel."""
    blue, green, red = cv2.split(cv2.absdiff(a, b))
    return np.asarray(cv2.max(cv2.max(blue, green), red), np.float32)


def _edges(small: Small) -> Small:
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey - cv2.blur(grey, (15, 15)), np.float32)


def _alike(there: Small, here: Small) -> float:
    """-1 to 1: correlation of the edges of two pictures."""
    edges = [_edges(picture).ravel() for picture in (there, here)]
    return float(np.corrcoef(edges[0], edges[1])[0, 1]) if min(e.std() for e in edges) > 0.5 else 1.0


def _lit_like(background: Background, small: Small) -> Small:
    """`small` as it would be in the background's light: a gain and offset a channel, then a soft local offset."""
    lit = np.empty_like(small)
    for channel in range(3):
        low_b, mid_b, high_b = np.percentile(background.picture[::4, ::4, channel], (20, 50, 80))
        low_s, mid_s, high_s = np.percentile(small[::4, ::4, channel], (20, 50, 80))
        gain = float(np.clip((high_b - low_b) / max(high_s - low_s, 1.0), 0.5, 2.0)) if high_b - low_b > 6 else 1.0
        lit[..., channel] = (small[..., channel] - mid_s) * gain + mid_b
    left = background.picture - lit
    quiet = (_apart(background.picture, lit) < 2 * LEAST_CONTRAST) & (background.since == 0)
    weight = cv2.blur(quiet.astype(np.float32), (81, 81), borderType=cv2.BORDER_REFLECT)
    soft = (
        cv2.blur(left * quiet[..., None], (81, 81), borderType=cv2.BORDER_REFLECT) / np.maximum(weight, 0.05)[..., None]
    )
    return np.asarray(lit + np.where(weight[..., None] > 0.1, soft, 0), np.float32)


def _cleaned(mask: Mask) -> Mask:
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(opened, bool)


def _mask(boxes: Sequence[Box], shift: tuple[float, float], shape: tuple[int, ...]) -> Mask:
    """True where one of `boxes`, a tenth larger, lies (in background coordinates)."""
    mask = np.zeros(shape[:2], bool)
    height, width = shape[:2]
    for x1, y1, x2, y2 in boxes:
        grow_x, grow_y = 0.05 * (x2 - x1), 0.05 * (y2 - y1)
        left = int((x1 - grow_x) * width - shift[0])
        top = int((y1 - grow_y) * height - shift[1])
        right = math.ceil((x2 + grow_x) * width - shift[0])
        bottom = math.ceil((y2 + grow_y) * height - shift[1])
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
    return mask


def _border(shift: tuple[float, float], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape[:2], bool)
    if shift != (0.0, 0.0):
        edge = math.ceil(max(abs(shift[0]), abs(shift[1]))) + 1
        mask[:edge], mask[-edge:], mask[:, :edge], mask[:, -edge:] = True, True, True, True
    return mask


def _with_candidates(background: Background, lit: Small, new: Mask, unknown: Mask, now: datetime) -> Background:
    """The candidates after this look: continued where they look the same, missed, replaced or dropped."""
    covered = background.covered + np.float32(0.2) * (unknown.astype(np.float32) - background.covered)
    had = background.since > 0
    if not (had.any() or new.any()):
        return replace(background, covered=covered)
    same = new & had & (_apart(lit, background.candidate) < SAME_CONTRAST)
    known = ~unknown
    hit, miss = known & same, known & had & ~same
    missed = background.missed.copy()
    missed[hit] = np.maximum(missed[hit], 1) - 1
    missed[miss] += 1
    over = miss & (missed > MISSES)
    begins, ends = known & new & (~had | over), over & ~new
    weight = (0.2 * hit + begins).astype(np.float32)[..., None]
    since = background.since.copy()
    since[begins], since[ends] = now.timestamp(), 0
    looks, hits = background.looks.copy(), background.hits.copy()
    looks[hit | miss] = np.minimum(looks[hit | miss], 60000) + 1
    hits[hit] = np.minimum(hits[hit], 60000) + 1
    for counter in (looks, hits):
        counter[begins], counter[ends] = 1, 0
    missed[begins | ends] = 0
    candidate = background.candidate + weight * (lit - background.candidate)
    return replace(background, candidate=candidate, since=since, looks=looks, hits=hits, missed=missed, covered=covered)


def _with_light(background: Background, lit: Small, busy: Mask, now: datetime) -> Background:
    """The background drawn towards the picture where nothing is new, and onto what has stood there for a day."""
    passed_s = max(0.0, (now - background.at).total_seconds())
    weight = min(0.5, max(0.01, 1 - math.exp(-passed_s / FOLLOW_LIGHT_S)))
    quiet = (~busy).astype(np.float32)
    off = _apart(lit, background.picture)
    picture = background.picture + (weight * quiet)[..., None] * (lit - background.picture)
    noise = background.noise + max(weight, 0.05) * quiet * (off - background.noise)
    absorbed = (background.since > 0) & (now.timestamp() - background.since > ABSORB_S)
    return _taken_in(replace(background, picture=picture, noise=noise), absorbed)


def _taken_in(background: Background, region: Mask) -> Background:
    """`region` of the candidates made background."""
    if not region.any():
        return background
    picture, since = background.picture.copy(), background.since.copy()
    picture[region] = background.candidate[region]
    since[region] = 0
    return replace(background, picture=picture, since=since)


def timing(background: Background | None, zone: Zone, rule: RuleSpec) -> bool:
    """Whether something in the zone is being timed, or the background is still being learned."""
    if background is None or not background.learned or background.upset:
        return True
    inside = _inside(zone, background.since.shape)
    return int((inside & (background.since > 0) & (background.hits >= 2)).sum()) >= rule.min_area / 2 * inside.size


def decide(background: Background, now: datetime, rule: RuleSpec, zone: Zone) -> tuple[Background, Seen | None]:
    """What stands in the zone for the dwell; what turns out to be light, or a thing gone, becomes background."""
    if not background.learned or background.upset:
        return background, None
    found: list[tuple[Box, float, float]] = []
    for region in _regions(background, now, rule, zone):
        if _only_light(background, region) or _went_away(background, region):
            background = _taken_in(background, region)
        else:
            found.append(_described(background, region))
    if not found:
        return background, None
    since = datetime.fromtimestamp(min(since_s for _, since_s, _ in found), UTC)
    lasted_s = (now - since).total_seconds()
    seen = Seen(
        boxes=tuple(box for box, _, _ in found),
        score=max(score for _, _, score in found),
        since=since,
        why=f"新出现并停留 {duration(lasted_s)}，{len(found)} 处",
        why_en=f"New, and there for {duration(lasted_s, english=True)}; places: {len(found)}",
    )
    return background, seen


def _inside(zone: Zone, shape: tuple[int, ...]) -> Mask:
    height, width = shape[:2]
    mask = np.zeros((height, width), np.uint8)
    corners = np.array([[x * width * 16, y * height * 16] for x, y in zone.points], np.int32)
    cv2.fillPoly(mask, [corners], 1, shift=4)
    return mask.astype(bool)


def _regions(background: Background, now: datetime, rule: RuleSpec, zone: Zone) -> list[Mask]:
    """Connected places whose candidates are old, steady, uncovered, large enough and mostly in the zone."""
    age_s = np.where(background.since > 0, now.timestamp() - background.since, -1.0)
    steady = (
        (age_s >= 0.5 * rule.dwell_s)
        & (background.since > 0)
        & (background.hits >= LEAST_SEEN * background.looks)
        & (background.hits >= min(rule.looks, 2))
        & (background.missed <= 1)
    )
    joined = cv2.morphologyEx(steady.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    inside = _inside(zone, steady.shape)
    regions = []
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] < rule.min_area * joined.size:
            continue
        region = (numbers == number) & steady
        size = int(region.sum())
        if size < rule.min_area * region.size or (region & inside).sum() < 0.5 * size:
            continue
        old = (age_s[region] >= rule.dwell_s) & (background.hits[region] >= rule.looks)
        if old.mean() >= 0.5 and background.covered[region].mean() <= MOST_COVERED:
            regions.append(region)
    return regions


def _only_light(background: Background, region: Mask) -> bool:
    """Whether the place shows the background's texture, only lighter or darker (a shadow, a lamp)."""
    rows, columns = _extent(region)
    place = region[rows, columns]
    core = cv2.erode(place.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if core.sum() < 12:
        core = place
    before = _fine(background.picture[rows, columns], place)[core]
    after = _fine(background.candidate[rows, columns], place)[core]
    if before.std() < 1.5 and after.std() < 1.5:
        hue_before = _hue(background.picture[rows, columns][core])
        hue_after = _hue(background.candidate[rows, columns][core])
        return float(np.abs(hue_before - hue_after).max()) < 0.02 and _soft_edged(background, region)
    if before.std() < 1e-3 or after.std() < 1e-3:
        return False
    return float(np.corrcoef(before, after)[0, 1]) >= SAME_TEXTURE


def _fine(picture: Small, place: Mask) -> Small:
    """The texture of a picture within `place`: grey less its local mean over that place."""
    grey, weight = picture.mean(axis=2), place.astype(np.float32)
    mean = cv2.blur(grey * weight, (7, 7)) / np.maximum(cv2.blur(weight, (7, 7)), 0.01)
    return np.asarray(grey - mean, np.float32)


def _hue(pixels: Small) -> NDArray[np.float64]:
    mean = pixels.mean(axis=0).astype(np.float64)
    return np.asarray(mean / max(float(mean.sum()), 1.0))


def _soft_edged(background: Background, region: Mask) -> bool:
    """Whether the place fades into its surroundings, as shadows and lamplight on plain ground do."""
    edge = _steps(background.candidate_view(region))[_outline(region)]
    contrast = np.abs(background.candidate[region] - background.picture[region]).mean()
    return float(np.median(edge)) < 0.25 * float(contrast)


def _went_away(background: Background, region: Mask) -> bool:
    """Whether a thing left, instead of one having come: its outline is an edge of the old background rather than of
    the new picture, or the surroundings, continued over the place, foretell the new picture rather than the old one.
    """
    outline = _outline(region)
    before = float(_steps(background.picture)[outline].mean())
    after = float(_steps(background.candidate_view(region))[outline].mean())
    if before > 1.3 * after and before > 4.0:
        return True
    rows, columns = _extent(cv2.dilate(region.astype(np.uint8), np.ones((31, 31), np.uint8)).astype(bool))
    place = region[rows, columns]
    around = np.clip(background.picture[rows, columns], 0, 255).astype(np.uint8)
    hole = cv2.dilate(place.astype(np.uint8), np.ones((3, 3), np.uint8))
    foretold = cv2.inpaint(around, hole, 5, cv2.INPAINT_TELEA).astype(np.float32)[place]
    off_now = float(np.abs(foretold - background.candidate[region]).mean())
    off_before = float(np.abs(foretold - background.picture[region]).mean())
    return off_now < 0.8 * off_before


def _outline(region: Mask) -> Mask:
    as_bytes = region.astype(np.uint8)
    square = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(as_bytes, square) > cv2.erode(as_bytes, square), bool)


def _steps(picture: Small) -> Small:
    """How steeply a picture (grey levels a pixel) rises."""
    grey = picture.mean(axis=2)
    return np.asarray(
        cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8, np.float32
    )


def _extent(region: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _described(background: Background, region: Mask) -> tuple[Box, float, float]:
    """Box in the newest picture, since (Unix seconds), and a score: contrast c of the region as c / (c + 20)."""
    rows, columns = _extent(region)
    height, width = region.shape
    dx, dy = background.shift
    box = np.clip(
        [
            (columns.start + dx) / width,
            (rows.start + dy) / height,
            (columns.stop + dx) / width,
            (rows.stop + dy) / height,
        ],
        0,
        1,
    )
    contrast = float(np.abs(background.candidate[region] - background.picture[region]).max(axis=1).mean())
    x1, y1, x2, y2 = (float(v) for v in box)
    since_s = float(np.percentile(background.since[region], 20))
    return (x1, y1, x2, y2), since_s, contrast / (contrast + LEAST_CONTRAST)
