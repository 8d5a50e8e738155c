"""Composes one picture of a simulated camera from rendered assets: background, overlays, moving sprites, fire, noise.

Pure: the same arguments give the same picture. A 960x540 picture with two overlays and four sprites takes some 6 ms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache

import cv2
import numpy as np

from detectors.tuning.scenes.burning import Fire, draw_fire
from detectors.tuning.scenes.view import Box, Frame, Overlay, Picture, Sprite, Standing, View, load_sprites, load_views

__all__ = ["Fire", "Standing", "View", "compose", "load_sprites", "load_views", "traffic"]

Label = tuple[str, Box]
_LARGEST = 3.0  # a sprite is not drawn nearer to the lens than this enlargement
_NOISE_PX = 192  # how far the noise field is wider than a picture, so that each picture takes its own part of it


def compose(
    view: View,
    light: str = "day",
    overlays: Iterable[str] = (),
    sprites: Sequence[Standing] = (),
    *,
    fires: Sequence[Fire] = (),
    t_s: float = 0.0,
    seed: int = 0,
    noise: float = 2.0,
    drift: float = 0.02,
) -> tuple[Picture, list[Label]]:
    """A BGR uint8 picture (height x width x 3) of `view` at `t_s`, and what is to be seen in it.

    `overlays` are names of `view.overlays`; `noise` is the sensor noise's standard deviation in grey levels, `drift`
    how far the light swells over ten minutes (0.02 = 2 %). Labels are (class, box 0-1); classes are an overlay's kind
    (garbage, vehicle, stall, goods), person, vehicle, twowheeler, fire, smoke. Raises KeyError for an unknown light or
    overlay, naming it.
    """
    if light not in view.backgrounds:
        raise KeyError(f"view {view.name} has no light {light!r}; it has {sorted(view.backgrounds)}")
    picture = view.backgrounds[light].copy()
    labels: list[Label] = list(view.static)
    for thing in _far_to_near(view, overlays, sprites):
        found = _lay(picture, thing, light) if isinstance(thing, Overlay) else _stand(picture, view, thing, light)
        labels = [label for label in labels if not any(_hides(over[1], label[1]) for over in found)]
        labels += found
    dark = 1.0 - float(np.clip(view.relight[light].mean() * 1.6, 0.0, 1.0))
    for fire in fires:
        labels += draw_fire(picture, view, fire, t_s, dark)
    _weather(picture, view, light, t_s, seed)
    return _sensor(picture, t_s, seed, noise, drift), labels


def traffic(
    view: View, sprites: Sequence[Sprite], t_s: float, seed: int = 0, busy: float = 1.0, around: Iterable[str] = ()
) -> list[Standing]:
    """People walking along the pavement and vehicles on the road at `t_s`: smooth in time, the same for a seed.

    `busy` scales how many; people walk around the overlays named in `around` instead of through them.
    """
    spots = [view.overlays[name].ground for name in around]
    rng = np.random.default_rng([seed, 77])
    kerb, front, near = (view.street[key] for key in ("kerb_y", "front_y", "near_y"))
    low, high = -32.0, min(36.0, view.street["right_x"] + 6.0)
    people = [s for s in sprites if s.kind == "person"]
    out: list[Standing] = []
    for _ in range(round(4 * busy)):
        who = people[int(rng.integers(len(people)))]
        lane, pace = rng.uniform(kerb + 1.1, max(kerb + 1.3, front - 1.5)), rng.uniform(0.9, 1.5)
        x, way = _along(rng, low, high, pace, t_s)
        y = _sidestep(x, lane + 0.15 * math.sin(x * 0.35), spots, (kerb + 0.35, front - 0.35))
        out.append(Standing(who, x, y, 0.0 if way > 0 else math.pi, x * 0.72 % 1.0))
    lanes = {1: max(near + 1.3, kerb - 6.0), -1: kerb - 3.4}
    one_way = lanes[1] < 3.4  # the near lane lies under the camera: out of the picture
    for kind, count, pace in (("vehicle", round(2 * busy), 8.0), ("twowheeler", round(1.5 * busy), 4.5)):
        choices = [s for s in sprites if s.kind == kind]
        start = float(rng.uniform(0, 115.0))
        for k in range(count if choices else 0):
            which = choices[int(rng.integers(len(choices)))]
            way = -1 if one_way or rng.random() < 0.5 else 1
            gone = (start + 115.0 * k / count + pace * t_s) % 115.0  # one pace for all: nobody drives into another
            y = lanes[way] if kind == "vehicle" else (kerb - 2.5 if way < 0 else near + 0.7)
            out.append(Standing(which, way * (gone - 57.5), y, 0.0 if way > 0 else math.pi, 0.0))
    return out


def _sidestep(x: float, y: float, spots: Sequence[tuple[float, float]], within: tuple[float, float]) -> float:
    """Bend a walker's line around what stands on the pavement: 1.3 m clear, over 3 m before and after."""
    for spot_x, spot_y in spots:
        near, gap = abs(x - spot_x) / 3.0, y - spot_y
        if near < 1.0 and abs(gap) < 1.3:
            side = 1.0 if gap >= 0 else -1.0
            if not within[0] <= spot_y + side * 1.3 <= within[1]:
                side = -side
            y += (spot_y + side * 1.3 - y) * 0.5 * (1.0 + math.cos(math.pi * near))
    return min(max(y, within[0]), within[1])


def _along(rng: np.random.Generator, low: float, high: float, pace: float, t_s: float) -> tuple[float, int]:
    """A place on a closed run along the street, and which way it is going (+1, -1)."""
    way = 1 if rng.random() < 0.5 else -1
    gone = (rng.uniform(0, high - low) + pace * t_s) % (high - low)
    return (low + gone if way > 0 else high - gone), way


def _far_to_near(view: View, overlays: Iterable[str], sprites: Sequence[Standing]) -> list[Overlay | Standing]:
    things: list[tuple[float, Overlay | Standing]] = []
    for name in overlays:
        if name not in view.overlays:
            raise KeyError(f"view {view.name} has no overlay {name!r}; it has {sorted(view.overlays)}")
        things.append((view.overlays[name].depth_m, view.overlays[name]))
    for standing in sprites:
        depth = view.project(standing.x_m, standing.y_m, 0.0)[2]
        if 2.0 < depth < 45.0 and view.metre_px(standing.x_m, standing.y_m) < _LARGEST * standing.sprite.px_per_m:
            things.append((depth, standing))
    return [thing for _, thing in sorted(things, key=lambda pair: -pair[0])]


def _lay(picture: Picture, overlay: Overlay, light: str) -> list[Label]:
    layer = overlay.layers[light]
    height, width = layer.shape[:2]
    part = picture[overlay.y_px : overlay.y_px + height, overlay.x_px : overlay.x_px + width]
    _over(part, layer[..., :3], layer[..., 3])
    return [(overlay.kind, overlay.box)]


def _over(below: Picture, colour: Picture, alpha: Picture) -> None:
    """Alpha blending in place, in integers."""
    share = alpha[..., None].astype(np.uint16)
    mixed = colour.astype(np.uint16) * share + below.astype(np.uint16) * (255 - share) + 127
    below[...] = (mixed // 255).astype(np.uint8)


def _stand(picture: Picture, view: View, standing: Standing, light: str) -> list[Label]:
    """Paint one sprite where it stands, hidden behind what is nearer; labels for its visible part."""
    ground = view.street.get("ground_z", 0.0) if standing.y_m > view.street["kerb_y"] else 0.0
    u, v, depth = view.project(standing.x_m, standing.y_m, ground)
    frame, mirrored = _frame(view, standing)
    scale = view.metre_px(standing.x_m, standing.y_m) / standing.sprite.px_per_m
    height, width = frame.pixels.shape[:2]
    new_w, new_h = max(2, round(width * scale)), max(2, round(height * scale))
    foot_x = (width - frame.foot[0] if mirrored else frame.foot[0]) * new_w / width
    x0, y0 = round(u - foot_x), round(v - frame.foot[1] * new_h / height)
    left, top = max(0, x0), max(0, y0)
    right, bottom = min(view.width_px, x0 + new_w), min(view.height_px, y0 + new_h)
    if right - left < 3 or bottom - top < 3:
        return []
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(cv2.flip(frame.pixels, 1) if mirrored else frame.pixels, (new_w, new_h), interpolation=how)
    pixels = pixels[top - y0 : bottom - y0, left - x0 : right - x0]
    alpha = pixels[..., 3].copy()
    alpha[view.depth_m[top:bottom, left:right] < depth - _reach_m(view, standing)] = 0
    colour = cv2.multiply(pixels[..., :3], (*_tint(view, light, u, v), 0.0), dtype=cv2.CV_8U)
    _over(picture[top:bottom, left:right], np.asarray(colour, np.uint8), np.asarray(alpha, np.uint8))
    spans = {k: _placed(b, frame, mirrored, scale, (x0, y0)) for k, b in frame.boxes.items()}
    return _seen(view, spans, np.asarray(alpha, np.uint8), (left, top))


def _placed(
    box: tuple[int, int, int, int], frame: Frame, mirrored: bool, scale: float, at: tuple[int, int]
) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    if mirrored:
        width = frame.pixels.shape[1]
        x0, x1 = width - x1, width - x0
    return (at[0] + x0 * scale, at[1] + y0 * scale, at[0] + x1 * scale, at[1] + y1 * scale)


def _seen(
    view: View, spans: dict[str, tuple[float, float, float, float]], alpha: Picture, at: tuple[int, int]
) -> list[Label]:
    """Labels for the parts of which at least two fifths are in the picture and not hidden."""
    labels: list[Label] = []
    height, width = alpha.shape
    for kind, (x0, y0, x1, y1) in spans.items():
        left, top = max(0, int(x0) - at[0]), max(0, int(y0) - at[1])
        right, bottom = min(width, math.ceil(x1) - at[0]), min(height, math.ceil(y1) - at[1])
        if right - left < 4 or bottom - top < 6:
            continue
        ys, xs = np.nonzero(alpha[top:bottom, left:right] > 190)
        if len(xs) < 12:
            continue
        a, b = left + int(xs.min()) + at[0], top + int(ys.min()) + at[1]
        c, d = left + int(xs.max()) + 1 + at[0], top + int(ys.max()) + 1 + at[1]
        if (c - a) * (d - b) < 0.4 * (x1 - x0) * (y1 - y0):
            continue
        labels.append((kind, (a / view.width_px, b / view.height_px, c / view.width_px, d / view.height_px)))
    return labels


def _frame(view: View, standing: Standing) -> tuple[Frame, bool]:
    """The picture of the sprite from the side that the camera sees, and whether it has to be mirrored."""
    bearing = math.atan2(standing.y_m - view.eye[1], standing.x_m - view.eye[0])
    seen = (math.degrees(standing.heading - bearing) + 90.0 + 180.0) % 360.0 - 180.0
    mirrored = abs(seen) > 90.0
    if mirrored:
        seen = math.copysign(180.0, seen) - seen
    headings = standing.sprite.headings
    row = standing.sprite.frames[min(range(len(headings)), key=lambda k: abs(headings[k] - seen))]
    return row[int(standing.phase * len(row)) % len(row)], mirrored


def _reach_m(view: View, standing: Standing) -> float:
    """How much nearer than its middle a sprite's nearest part is: what lies that near doesn't hide it."""
    bearing = math.atan2(standing.y_m - view.eye[1], standing.x_m - view.eye[0])
    along = abs(math.cos(standing.heading - bearing))
    length, width = {"vehicle": (2.4, 1.0), "twowheeler": (1.0, 0.4)}.get(standing.sprite.kind, (0.4, 0.4))
    return 0.5 + length * along + width * (1.0 - along)


def _tint(view: View, light: str, u: float, v: float) -> tuple[float, float, float]:
    field = view.relight[light]
    row = min(field.shape[0] - 1, max(0, int(v / view.height_px * field.shape[0])))
    col = min(field.shape[1] - 1, max(0, int(u / view.width_px * field.shape[1])))
    blue, green, red = (float(c) for c in field[row, col])
    return (blue, green, red)


def _hides(over: Box, below: Box) -> bool:
    """Whether `over` covers more than seven tenths of `below`."""
    width = min(over[2], below[2]) - max(over[0], below[0])
    height = min(over[3], below[3]) - max(over[1], below[1])
    area = (below[2] - below[0]) * (below[3] - below[1])
    return width > 0 and height > 0 and width * height > 0.7 * area


def _weather(picture: Picture, view: View, light: str, t_s: float, seed: int) -> None:
    """Falling rain in the rain light."""
    if light != "rain":
        return
    rng = np.random.default_rng([seed, int(t_s * 1000), 5])
    streaks = _streaks(view.width_px + 128, view.height_px + 128)
    x, y = (int(v) for v in rng.integers(0, 128, 2))
    cv2.add(picture, streaks[y : y + view.height_px, x : x + view.width_px], dst=picture)


def _sensor(picture: Picture, t_s: float, seed: int, noise: float, drift: float) -> Picture:
    """Slow swell of the light, then grain."""
    gain = 1.0 + drift * math.sin(2 * math.pi * (t_s / 600.0 + (seed % 97) / 97.0))
    if abs(gain - 1.0) > 1e-4:
        picture = np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)
    if noise > 0:
        rng = np.random.default_rng([seed, int(t_s * 1000), 6])
        height, width = picture.shape[:2]
        x, y = (int(v) for v in rng.integers(0, _NOISE_PX, 2))
        brighter, darker = _grain(width + _NOISE_PX, height + _NOISE_PX, round(noise, 2))
        picture = np.asarray(cv2.add(picture, brighter[y : y + height, x : x + width]), np.uint8)
        picture = np.asarray(cv2.subtract(picture, darker[y : y + height, x : x + width]), np.uint8)
    return picture


@cache
def _grain(width: int, height: int, noise: float) -> tuple[Picture, Picture]:
    """Sensor noise split into what brightens and what darkens: mostly grey, a little coloured."""
    rng = np.random.default_rng(11)
    field = rng.standard_normal((height, width, 1), np.float32) + 0.5 * rng.standard_normal(
        (height, width, 3), np.float32
    )
    levels = np.rint(field * noise / 1.12)
    return levels.clip(0, 255).astype(np.uint8), (-levels).clip(0, 255).astype(np.uint8)


@cache
def _streaks(width: int, height: int) -> Picture:
    rng = np.random.default_rng(12)
    field = np.zeros((height, width, 3), np.uint8)
    for _ in range(width * height // 2200):
        x, y, length = (int(rng.integers(0, n)) for n in (width, height, 22))
        level = int(rng.integers(12, 42))
        cv2.line(field, (x, y), (x + length // 6, y + 6 + length), (level, level, level), 1, cv2.LINE_AA)
    return field
