"""People and two-wheelers as small jointed figures (runs inside bpy only); front towards +x, origin on the ground."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from detectors.tuning.scenes.blender_surfaces import Palette, Point, Rgb, Shape

SHIRTS: tuple[Rgb, ...] = (
    (0.7, 0.7, 0.68), (0.05, 0.06, 0.08), (0.06, 0.12, 0.35), (0.45, 0.05, 0.06), (0.25, 0.3, 0.2), (0.6, 0.45, 0.1),
    (0.35, 0.2, 0.35), (0.2, 0.4, 0.55), (0.75, 0.4, 0.4),
)  # fmt: skip
TROUSERS: tuple[Rgb, ...] = (
    (0.02, 0.025, 0.05),
    (0.03, 0.03, 0.03),
    (0.2, 0.17, 0.12),
    (0.08, 0.12, 0.25),
    (0.3, 0.3, 0.3),
)
SKIN: Rgb = (0.5, 0.29, 0.19)
HAIR: tuple[Rgb, ...] = ((0.01, 0.008, 0.007), (0.02, 0.015, 0.01), (0.25, 0.25, 0.25))


@dataclass(frozen=True, slots=True)
class Looks:
    """What one person looks like; the same in all poses."""

    height_m: float
    shirt: Rgb
    trousers: Rgb
    hair: Rgb
    stout: float
    skirt: bool
    bag: bool
    long_sleeves: bool


def looks(rng: random.Random) -> Looks:
    """Draw a person."""
    return Looks(
        rng.uniform(1.55, 1.8), rng.choice(SHIRTS), rng.choice(TROUSERS), rng.choice(HAIR), rng.uniform(0.9, 1.2),
        rng.random() < 0.25, rng.random() < 0.4, rng.random() < 0.6,
    )  # fmt: skip


def walker(palette: Palette, who: Looks, phase: float) -> Shape:
    """A person at `phase` (0-1) of one double step; phase < 0 stands still."""
    shape, h = Shape("person"), who.height_m
    swing = 0.0 if phase < 0 else math.sin(2 * math.pi * phase) * 0.38
    lift = 0.0 if phase < 0 else abs(math.cos(2 * math.pi * phase)) * 0.012
    hip = 0.52 * h + lift
    for side, angle in ((-1, swing), (1, -swing)):
        _leg(shape, palette, who, side, angle, hip)
        _arm(shape, palette, who, side, -angle * 0.8, 0.81 * h + lift)
    _trunk(shape, palette, who, hip, (0.0, 0.0, 0.0), 0.04)
    if who.bag:
        shape.box((-0.17 * who.stout, 0, 0.7 * h), (0.14, 0.28, 0.38), palette.paint((0.05, 0.05, 0.09), 0.7))
    return shape


def rider(palette: Palette, who: Looks) -> Shape:
    """A person sitting on a two-wheeler of this module."""
    shape, h = Shape("rider"), who.height_m
    cloth, shoes = palette.paint(who.trousers, 0.8), palette.paint((0.03, 0.03, 0.03), 0.6)
    seat = 0.8
    for side in (-1, 1):
        y = side * 0.1
        knee, ankle = (0.28, y * 1.4, seat - 0.05), (0.22, y * 1.3, 0.32)
        shape.limb((-0.12, y, seat), knee, 0.085, 0.065, cloth)
        shape.limb(knee, ankle, 0.062, 0.05, cloth)
        shape.limb((ankle[0] - 0.04, ankle[1], 0.27), (ankle[0] + 0.15, ankle[1], 0.27), 0.045, 0.04, shoes)
        skin = palette.paint(who.shirt if who.long_sleeves else SKIN, 0.8)
        shoulder, elbow, hand = (
            (0.02, side * 0.19, seat + 0.28 * h),
            (0.2, side * 0.25, seat + 0.2),
            (0.45, side * 0.24, 1.02),
        )
        shape.limb(shoulder, elbow, 0.05, 0.042, palette.paint(who.shirt, 0.8))
        shape.limb(elbow, hand, 0.04, 0.035, skin)
    _trunk(shape, palette, who, seat, (-0.1, 0.0, 0.0), 0.14)
    return shape


def bicycle(palette: Palette, rng: random.Random, electric: bool) -> Shape:
    """A bicycle, or an electric scooter with its cover and box."""
    shape = Shape("bike")
    rgb = rng.choice(((0.5, 0.04, 0.04), (0.05, 0.2, 0.5), (0.75, 0.6, 0.05), (0.8, 0.8, 0.8), (0.03, 0.03, 0.03)))
    body = palette.paint(rgb, 0.3, 0.1, coat=0.6)
    dark, steel = palette.paint((0.015, 0.015, 0.015), 0.7), palette.paint((0.5, 0.5, 0.5), 0.3, 0.9)
    radius = 0.24 if electric else 0.33
    base = 0.62 if electric else 0.52
    for x in (-base, base):
        _ring(shape, dark, x, radius, 0.05 if electric else 0.022)
        shape.limb((x, -0.04, radius), (x, 0.04, radius), 0.05, 0.05, steel, 8)
    shape.limb((base, 0, radius), (base - 0.16, 0, 1.0), 0.03, 0.03, steel, 8)
    shape.limb((base - 0.16, -0.3, 1.03), (base - 0.16, 0.3, 1.03), 0.02, 0.02, dark, 8)
    shape.ball((-0.15, 0, 0.82), (0.24, 0.12, 0.06), dark)
    if electric:
        shape.box((0.1, 0, 0.3), (0.7, 0.26, 0.1), body)
        shape.ball((-0.4, 0, 0.56), (0.38, 0.17, 0.22), body)
        shape.box((base - 0.12, 0, 0.66), (0.12, 0.3, 0.55), body, (0, -0.3, 0))
        if rng.random() < 0.5:
            shape.box((-0.68, 0, 0.98), (0.42, 0.42, 0.4), palette.paint((0.05, 0.25, 0.6), 0.6))
    else:
        for a, b in (((-base, 0, radius), (-0.12, 0, 0.36)), ((-0.12, 0, 0.36), (base - 0.12, 0, 0.85)),
                     ((-0.12, 0, 0.36), (-0.18, 0, 0.8)), ((-0.17, 0, 0.74), (base - 0.14, 0, 0.9)),
                     ((-base, 0, radius), (-0.18, 0, 0.76))):  # fmt: skip
            shape.limb(a, b, 0.025, 0.025, body, 8)
        shape.box((base - 0.02, 0, 0.88), (0.26, 0.32, 0.22), steel)
    return shape


def _ring(shape: Shape, material: object, x: float, radius: float, thick: float) -> None:
    count = 20
    rings = []
    for i in range(count + 1):
        a = 2 * math.pi * i / count
        ring: list[Point] = []
        for j in range(6):
            b = 2 * math.pi * j / 6
            r = radius - thick + thick * math.cos(b)
            ring.append((x + r * math.cos(a), thick * math.sin(b), radius + r * math.sin(a)))
        rings.append(ring)
    shape.loft(rings, material, close=False)


def _leg(shape: Shape, palette: Palette, who: Looks, side: int, angle: float, hip: float) -> None:
    h, k = who.height_m, who.stout
    bend = angle - max(0.0, -angle) * 0.9 - 0.08
    y = side * 0.085 * k
    knee = (math.sin(angle) * 0.25 * h, y, hip - math.cos(angle) * 0.25 * h)
    ankle = (knee[0] + math.sin(bend) * 0.23 * h, y, max(0.07, knee[2] - math.cos(bend) * 0.235 * h))
    bare = palette.paint(SKIN, 0.7) if who.skirt else palette.paint(who.trousers, 0.85)
    shape.limb((0, y, hip), knee, 0.088 * k, 0.062 * k, palette.paint(who.trousers, 0.85))
    shape.limb(knee, ankle, 0.06 * k, 0.042, bare)
    foot = palette.paint((0.03, 0.03, 0.03) if side * who.height_m % 2 < 1 else (0.5, 0.5, 0.5), 0.6)
    shape.limb((ankle[0] - 0.03, y, ankle[2] - 0.03), (ankle[0] + 0.15, y, ankle[2] - 0.04), 0.045, 0.035, foot)


def _arm(shape: Shape, palette: Palette, who: Looks, side: int, angle: float, shoulder: float) -> None:
    h, y = who.height_m, side * 0.2 * who.stout
    elbow = (math.sin(angle) * 0.17 * h, y * 1.1, shoulder - math.cos(angle) * 0.17 * h)
    reach = angle + 0.35
    hand = (elbow[0] + math.sin(reach) * 0.15 * h, y * 1.08, elbow[2] - math.cos(reach) * 0.15 * h)
    sleeve = palette.paint(who.shirt, 0.85)
    shape.limb((0, y, shoulder), elbow, 0.055, 0.045, sleeve)
    shape.limb(elbow, hand, 0.042, 0.035, sleeve if who.long_sleeves else palette.paint(SKIN, 0.7))
    shape.ball(hand, (0.04, 0.03, 0.05), palette.paint(SKIN, 0.7), 8, 5)


def _trunk(shape: Shape, palette: Palette, who: Looks, hip: float, shift: Point, lean: float) -> None:
    """Body, neck, head and hair above the hip; `lean` metres forward at the shoulders."""
    h, k = who.height_m, who.stout
    rings = []
    for t, rx, ry in ((-0.03, 0.09, 0.13), (0.03, 0.12, 0.165), (0.12, 0.105, 0.15), (0.22, 0.12, 0.17),
                      (0.29, 0.11, 0.185), (0.325, 0.07, 0.12)):  # fmt: skip
        z, x = hip + t * h, shift[0] + lean * t / 0.3
        rings.append([(x + rx * k * math.cos(a), ry * k * math.sin(a), z) for a in _turns(14)])
    shape.loft(rings, palette.paint(who.shirt, 0.85, wrinkle=0.4))
    if who.skirt:
        flare = [[(0.14 * s * math.cos(a), 0.17 * s * math.sin(a), z) for a in _turns(14)]
                 for s, z in ((1.0, hip + 0.04 * h), (1.35, hip - 0.2 * h))]  # fmt: skip
        shape.loft(flare, palette.paint(who.trousers, 0.85, wrinkle=0.4))
    top, x = hip + 0.325 * h, shift[0] + lean * 1.15
    skin, hair = palette.paint(SKIN, 0.6), palette.paint(who.hair, 0.6)
    shape.limb((x, 0, top - 0.02), (x + 0.01, 0, top + 0.06), 0.055, 0.05, skin)
    shape.ball((x + 0.025, 0, top + 0.14), (0.095, 0.075, 0.12), skin)
    shape.ball((x - 0.005, 0, top + 0.17), (0.1, 0.085, 0.105), hair)


def _turns(count: int) -> list[float]:
    return [2 * math.pi * i / count for i in range(count)]
