"""A procedural street corner from a seed: road, kerb, pavement, shop fronts or a wall, trees, lamps, bins (bpy only).

World frame: metres, x along the street, y away from the camera, z up; the camera stands over (0, 0).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from detectors.tuning.scenes.blender_surfaces import Palette, Point, Rgb, Shape
from detectors.tuning.scenes.blender_things import BIN_COLOURS, car, wheelie_bin

SIGN_WORDS = (
    "便利店", "水果超市", "兰州拉面", "五金杂货", "药房", "理发店", "包子铺", "手机维修", "烟酒茶", "家常菜", "鲜花",
    "房产中介", "打印复印", "奶茶", "粮油副食", "麻辣烫", "文具", "洗衣店", "牙科", "建材",
)  # fmt: skip
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)
SIGN_COLOURS: tuple[Rgb, ...] = (
    (0.5, 0.02, 0.02), (0.02, 0.12, 0.4), (0.02, 0.25, 0.1), (0.75, 0.45, 0.02), (0.6, 0.6, 0.58), (0.03, 0.03, 0.035),
    (0.35, 0.12, 0.04),
)  # fmt: skip
WALL_COLOURS: tuple[Rgb, ...] = (
    (0.55, 0.5, 0.42), (0.6, 0.58, 0.55), (0.45, 0.3, 0.22), (0.4, 0.42, 0.43), (0.62, 0.5, 0.36), (0.5, 0.55, 0.55),
)  # fmt: skip


@dataclass(slots=True)
class Street:
    """The plan of one street: where its parts lie (metres), and its lamps to switch."""

    kerb_y: float
    front_y: float
    near_y: float
    left_x: float
    right_x: float
    bins_x: float
    bins_y: float
    bins: int
    bin_gap: float
    shops: list[tuple[float, float]] = field(default_factory=list)
    poles: list[Point] = field(default_factory=list)
    parked: list[Any] = field(default_factory=list)
    lamps: list[Any] = field(default_factory=list)
    eye_x: float = 0.0


def plan(rng: random.Random) -> Street:
    """Draw where the parts of the street lie; nothing is built yet."""
    kerb = rng.uniform(7.0, 10.0)
    front = kerb + rng.uniform(3.4, 5.6)
    corner = rng.random() < 0.35
    right = rng.uniform(6.0, 14.0) if corner else 70.0
    street = Street(kerb, front, rng.uniform(0.6, 1.8), -60.0, right, 0.0, 0.0, rng.choice((1, 2, 2, 3, 4)), 0.72)
    street.bins_x = rng.uniform(-4.5, min(4.5, right - 4.0))
    street.bins_y = front - 0.55 if rng.random() < 0.7 else kerb + 0.75
    return street


def build(palette: Palette, rng: random.Random, street: Street, eye_x: float) -> None:
    """Build the street of `street`, seen from `eye_x`: nothing tall is put between the camera and the bins."""
    corner = street.right_x < 60.0
    street.eye_x = eye_x
    _ground(palette, rng, street, corner)
    if rng.random() < 0.25:
        _long_wall(palette, rng, street)
    else:
        _shops(palette, rng, street)
    if corner:
        _far_corner(palette, rng, street)
    _across(palette, rng)
    _kerbside(palette, rng, street)
    rgb = rng.choice(BIN_COLOURS)
    for k in range(street.bins):
        x = street.bins_x + (k - (street.bins - 1) / 2) * street.bin_gap
        colour = rgb if rng.random() < 0.5 else rng.choice(BIN_COLOURS)
        bin_shape = wheelie_bin(palette, rng, colour)
        bin_shape.done((x, street.bins_y, 0.15), rng.uniform(-0.12, 0.12), bevel=0.02)
    if rng.random() < 0.45:
        x = street.bins_x + rng.choice((-1, 1)) * rng.uniform(9.0, 16.0)
        if x < street.right_x - 3:
            thing = car(palette, rng).done((x, street.kerb_y - 1.15, 0.0), rng.choice((0.0, math.pi)), bevel=0.02)
            street.parked.append(thing)


def _blocks(street: Street, x: float, y: float, room: float) -> bool:
    """Whether something at (x, y) stands in the line of sight to the bins, or on them."""
    crossing = street.eye_x + (street.bins_x - street.eye_x) * min(1.0, y / street.bins_y)
    return abs(x - crossing) < room or math.hypot(x - street.bins_x, y - street.bins_y) < room


def _ground(palette: Palette, rng: random.Random, street: Street, corner: bool) -> None:
    shape = Shape("ground")
    tone = rng.uniform(0.05, 0.12)
    shape.quad([(-90, -30, 0), (90, -30, 0), (90, 90, 0), (-90, 90, 0)], palette.asphalt((tone, tone, tone * 1.04)))
    slabs = rng.choice((
        ((0.34, 0.32, 0.3), (0.28, 0.27, 0.26), (0.4, 0.4)), ((0.42, 0.22, 0.17), (0.36, 0.19, 0.15), (0.24, 0.12)),
        ((0.4, 0.4, 0.39), (0.36, 0.36, 0.35), (0.6, 0.6)), ((0.33, 0.28, 0.22), (0.26, 0.25, 0.25), (0.3, 0.15)),
    ))  # fmt: skip
    paving = palette.bricks("paving", slabs[0], slabs[1], (0.12, 0.12, 0.11), slabs[2], wall=False)
    right = street.right_x
    _slab(shape, (street.left_x, street.kerb_y + 0.15), (right, 60.0), paving)
    stone = palette.worn((0.42, 0.41, 0.39), 0.8, 1.5)
    for x in range(int(street.left_x), int(right), 1):
        length = min(0.985, right - x)
        shape.box((x + length / 2, street.kerb_y + 0.075, 0.08), (length, 0.15, 0.17), stone)
    _slab(shape, (street.left_x, -6.0), (90.0, street.near_y), paving)
    for x in range(int(street.left_x), 40, 1):
        shape.box((x + 0.49, street.near_y + 0.075, 0.08), (0.985, 0.15, 0.17), stone)
    if street.front_y - street.kerb_y > 3.8:
        guide = palette.bricks(
            "guide", (0.6, 0.42, 0.05), (0.52, 0.36, 0.05), (0.25, 0.2, 0.05), (0.3, 0.3), False, 0.0
        )
        y = street.kerb_y + 1.5
        shape.quad([(street.left_x, y, 0.156), (right - 2, y, 0.156), (right - 2, y + 0.4, 0.156),
                    (street.left_x, y + 0.4, 0.156)], guide)  # fmt: skip
    _markings(shape, palette, rng, street, corner)
    shape.done()


def _slab(shape: Shape, low: tuple[float, float], high: tuple[float, float], material: Any) -> None:
    centre = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0.05)
    shape.box(centre, (high[0] - low[0], high[1] - low[1], 0.2), material)


def _markings(shape: Shape, palette: Palette, rng: random.Random, street: Street, corner: bool) -> None:
    white = palette.worn((0.62, 0.62, 0.6), 0.7, 3.0, 0.6)
    yellow = palette.worn((0.6, 0.4, 0.04), 0.7, 3.0, 0.6)
    middle = (street.kerb_y + street.near_y) / 2
    for dash in range(-60, 70, 6):
        shape.box((dash, middle, 0.002), (3.0, 0.13, 0.006), white)
    if rng.random() < 0.7:
        shape.box((0.0, street.kerb_y - 0.3, 0.002), (140.0 if not corner else 2 * street.right_x, 0.12, 0.006), yellow)
    if rng.random() < 0.3:
        x = rng.uniform(-9, 9)
        y = street.near_y + 0.6
        while y < street.kerb_y - 0.5:
            shape.box((x, y, 0.003), (3.0, 0.4, 0.007), white)
            y += 0.85
    iron = palette.worn((0.06, 0.055, 0.05), 0.5, 8.0)
    for _ in range(3):
        x, y = rng.uniform(-10, 12), rng.uniform(street.near_y + 1, street.kerb_y - 1)
        disc = [(x + 0.35 * math.cos(a * 0.3142), y + 0.35 * math.sin(a * 0.3142), 0.004) for a in range(20)]
        shape.add(disc, [tuple(range(20))], iron)


def _facade(palette: Palette, rng: random.Random) -> Any:
    rgb = rng.choice(WALL_COLOURS)
    if rng.random() < 0.4:
        two = tuple(c * rng.uniform(0.75, 0.9) for c in rgb)
        size = rng.choice(((0.24, 0.08), (0.2, 0.1), (0.3, 0.15)))
        return palette.bricks(
            f"facade{rgb[0]:.2f}{size[0]}", rgb, (two[0], two[1], two[2]), (0.3, 0.3, 0.29), size, True
        )
    return palette.worn(rgb, 0.85, 0.6, 0.3)


def _shops(palette: Palette, rng: random.Random, street: Street) -> None:
    shape = Shape("shops")
    x = street.left_x if street.right_x > 60 else street.right_x - 66.0
    wall = _facade(palette, rng)
    while x < street.right_x - 1.0:
        width = min(rng.uniform(3.6, 6.2), street.right_x - x)
        if rng.random() < 0.25:
            wall = _facade(palette, rng)
        near = -26 < x < 34
        _unit(shape, palette, rng, (x, width, street.front_y), wall, near)
        street.shops.append((x, x + width))
        x += width
    shape.done()


def _unit(
    shape: Shape, palette: Palette, rng: random.Random, lot: tuple[float, float, float], wall: Any, near: bool
) -> None:
    """One shop: recessed front, sign, awning, upper floors."""
    x, width, front = lot
    middle, floor = x + width / 2, 3.3
    shape.box((middle, front + 4.4, floor + 4.5), (width, 8.0, 9.0), wall)
    for side in (x + 0.15, x + width - 0.15):
        shape.box((side, front + 0.4, floor / 2 + 0.15), (0.3, 0.8, floor + 0.3), wall)
    shape.box((middle, front + 4.9, floor / 2), (width, 8.0, floor), palette.paint((0.05, 0.05, 0.055), 0.8))
    if not near:
        shape.box((middle, front + 0.2, 2.0), (width, 0.3, 3.0), palette.glass())
        return
    _shop_front(shape, palette, rng, x, width, front)
    rgb = rng.choice(SIGN_COLOURS)
    sign = palette.lamp(rgb, 0.5 if rng.random() < 0.7 else 0.05)
    shape.box((middle, front - 0.12, floor - 0.1), (width - 0.1, 0.3, 0.85), sign)
    _lettering(palette, rng, (middle, front - 0.285, floor - 0.1), width, rgb)
    if rng.random() < 0.4:
        _awning(shape, palette, rng, x, width, front)
    for level in range(2):
        _windows(shape, palette, rng, (x, width, front + 0.4), floor + 1.5 + level * 2.9)


def _shop_front(shape: Shape, palette: Palette, rng: random.Random, x: float, width: float, front: float) -> None:
    frame = palette.paint(rng.choice(((0.5, 0.5, 0.5), (0.05, 0.05, 0.05), (0.25, 0.14, 0.07))), 0.4, 0.4)
    y, inner, high = front + 0.45, width - 0.6, 2.7
    kind = rng.random()
    middle = x + width / 2
    if kind < 0.25:
        shutter = palette.paint(rng.choice(((0.45, 0.45, 0.45), (0.3, 0.35, 0.42), (0.5, 0.47, 0.4))), 0.4, 0.5)
        for k in range(26):
            z = 0.2 + k * 0.1
            shape.box((middle, y, z), (inner, 0.05, 0.092), shutter, (0.35, 0, 0))
        return
    lit = rng.random() < 0.75
    pane = palette.glass((0.05, 0.055, 0.06), 1.2 if lit else 0.0, rng.choice(((1.0, 0.85, 0.6), (0.9, 0.95, 1.0))))
    shape.box((middle, y + 0.02, 0.15 + high / 2), (inner, 0.02, high), pane)
    parts = max(2, round(inner / 1.2))
    for k in range(parts + 1):
        shape.box((x + 0.3 + inner * k / parts, y - 0.01, 0.15 + high / 2), (0.06, 0.08, high), frame)
    for z in (0.2, 1.05 if kind < 0.6 else 2.2, 2.8):
        shape.box((middle, y - 0.01, z), (inner, 0.08, 0.07 if z > 0.3 else 0.25), frame)
    for _ in range(rng.randint(1, 4)):
        rgb = rng.choice(SIGN_COLOURS)
        at = (x + rng.uniform(0.7, width - 0.7), y - 0.02, rng.uniform(0.8, 2.2))
        shape.box(at, (rng.uniform(0.25, 0.7), 0.01, rng.uniform(0.3, 0.8)), palette.paint(rgb, 0.6))


def _lettering(palette: Palette, rng: random.Random, at: Point, width: float, board: Rgb) -> None:
    path = next((f for f in FONTS if Path(f).exists()), None)
    if path is None:
        return
    words = rng.choice(SIGN_WORDS)
    text = bpy.data.curves.new("sign", "FONT")
    text.body = words
    loaded = next((f for f in bpy.data.fonts if f.filepath == path), None)
    text.font = loaded or bpy.data.fonts.load(path)
    text.size = min(1.0, 1.5 * (width - 0.8) / len(words))
    text.align_x, text.align_y = "CENTER", "CENTER"
    text.extrude = 0.01
    bright: Rgb = (0.85, 0.82, 0.7) if sum(board) < 1.2 else (0.5, 0.03, 0.03)
    text.materials.append(palette.lamp(bright, 1.6))
    thing = bpy.data.objects.new("sign", text)
    thing.location, thing.rotation_euler = at, (math.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(thing)


def _awning(shape: Shape, palette: Palette, rng: random.Random, x: float, width: float, front: float) -> None:
    one = palette.paint(rng.choice(SIGN_COLOURS), 0.8)
    two = palette.paint((0.7, 0.7, 0.68), 0.8)
    parts = max(4, int(width / 0.4))
    reach = rng.uniform(0.8, 1.4)
    for k in range(parts):
        a, b = x + 0.2 + (width - 0.4) * k / parts, x + 0.2 + (width - 0.4) * (k + 1) / parts
        skin = two if k % 2 else one
        shape.quad([(a, front - reach, 2.35), (b, front - reach, 2.35), (b, front, 2.8), (a, front, 2.8)], skin)
        shape.quad([(a, front - reach, 2.15), (b, front - reach, 2.15), (b, front - reach, 2.35),
                    (a, front - reach, 2.35)], skin)  # fmt: skip


def _windows(
    shape: Shape, palette: Palette, rng: random.Random, lot: tuple[float, float, float], height: float
) -> None:
    x, width, y = lot
    frame = palette.paint((0.6, 0.6, 0.6), 0.4)
    count = max(1, int(width / 2.2))
    for k in range(count):
        at = x + width * (k + 0.5) / count
        pane = palette.glass((0.04, 0.05, 0.06), 0.8 if rng.random() < 0.4 else 0.0)
        shape.box((at, y - 0.02, height), (1.4, 0.06, 1.5), pane)
        for dx in (-0.7, 0.0, 0.7):
            shape.box((at + dx, y - 0.05, height), (0.06, 0.06, 1.55), frame)
        shape.box((at, y - 0.08, height - 0.8), (1.6, 0.2, 0.08), frame)
        if rng.random() < 0.45:
            unit = palette.paint((0.62, 0.62, 0.6), 0.5)
            shape.box((at + 1.0, y - 0.2, height - 0.7), (0.75, 0.35, 0.55), unit)
            shape.ball((at + 0.95, y - 0.38, height - 0.7), (0.2, 0.02, 0.2), palette.paint((0.1, 0.1, 0.1), 0.6))


def _long_wall(palette: Palette, rng: random.Random, street: Street) -> None:
    """A boundary wall with piers and posters, and trees behind it."""
    shape = Shape("wall")
    face = _facade(palette, rng)
    left, right, y = street.left_x, street.right_x, street.front_y
    shape.box(((left + right) / 2, y + 0.15, 1.25), (right - left, 0.24, 2.3), face)
    cap = palette.worn((0.35, 0.34, 0.33), 0.8)
    shape.box(((left + right) / 2, y + 0.15, 2.45), (right - left, 0.4, 0.12), cap)
    x = left
    while x < right:
        shape.box((x, y + 0.12, 1.35), (0.45, 0.45, 2.5), face)
        if rng.random() < 0.35 and -20 < x < 25:
            poster = palette.paint(rng.choice(SIGN_COLOURS), 0.6)
            shape.box((x + 2.0, y + 0.02, 1.4), (rng.uniform(1.2, 2.6), 0.02, 1.1), poster)
        x += 4.0
    shape.box(((left + right) / 2, y + 11.0, 5.0), (right - left, 8.0, 10.0), palette.worn((0.4, 0.38, 0.36), 0.8))
    shape.done()
    for _ in range(9):
        _tree(palette, rng, (rng.uniform(-18, 24), y + rng.uniform(2.0, 4.0), 0.1), rng.uniform(2.0, 3.2))
    street.shops.append((street.bins_x - 12.0, street.bins_x + 12.0))


def _far_corner(palette: Palette, rng: random.Random, street: Street) -> None:
    """The side street at the right: its far pavement and the next building."""
    x = street.right_x + rng.uniform(6.0, 9.0)
    shape = Shape("corner")
    _slab(shape, (x, street.kerb_y + 0.15), (90.0, 90.0), palette.made["paving"])
    stone = palette.worn((0.42, 0.41, 0.39), 0.8, 1.5)
    for k in range(40):
        shape.box((x, street.kerb_y + 0.65 + k, 0.08), (0.15, 0.985, 0.17), stone)
        shape.box((street.right_x, street.kerb_y + 0.65 + k, 0.08), (0.15, 0.985, 0.17), stone)
        shape.box((x + 0.5 + k, street.kerb_y + 0.1, 0.08), (0.985, 0.15, 0.17), stone)
    white = palette.worn((0.62, 0.62, 0.6), 0.7, 3.0, 0.6)
    at = street.right_x + 0.6
    while at < x - 0.4:
        shape.box((at, street.kerb_y + 1.6, 0.003), (0.42, 3.0, 0.007), white)
        at += 0.9
    lot = x + 3.5
    for _ in range(4):
        width = rng.uniform(4.0, 6.0)
        _unit(shape, palette, rng, (lot, width, street.front_y), _facade(palette, rng), True)
        lot += width
    shape.box(((street.right_x + x) / 2, 55.0, 6.0), (30.0, 6.0, 12.0), _facade(palette, rng))
    shape.done()


def _across(palette: Palette, rng: random.Random) -> None:
    """Dark bulk of the houses behind the camera, for reflections and evening shade, and at both ends of the street."""
    shape = Shape("bulk")
    side = palette.worn((0.3, 0.29, 0.28), 0.9)
    shape.box((0, -22, 4.0), (200, 6, 8.0), side)
    shape.box((-75, 20, 7.0), (6, 120, 14.0), side)
    shape.box((95, 20, 7.0), (6, 120, 14.0), side)
    shape.done()


def _tree(palette: Palette, rng: random.Random, at: Point, reach: float) -> None:
    """A street tree: trunk, boughs and some two thousand leaves."""
    shape = Shape("tree")
    bark = palette.worn((0.12, 0.09, 0.06), 0.9, 6.0)
    fork = rng.uniform(2.4, 3.2)
    shape.limb(at, (at[0] + rng.uniform(-0.2, 0.2), at[1], fork), 0.17, 0.12, bark, 10, caps=False)
    greens = [palette.paint((g * 0.45, g, g * 0.18), 0.6) for g in (0.07, 0.11, 0.16)]
    for _ in range(7):
        angle, rise = rng.uniform(0, 6.283), rng.uniform(0.6, 2.6)
        tip = (at[0] + reach * 0.6 * math.cos(angle), at[1] + reach * 0.6 * math.sin(angle), fork + rise)
        shape.limb((at[0], at[1], fork - 0.2), tip, 0.07, 0.03, bark, 6, caps=False)
        size = reach * rng.uniform(0.35, 0.6)
        for _ in range(420):
            a, b, r = rng.uniform(0, 6.283), rng.uniform(-1, 1), size * rng.random() ** 0.4
            flat = math.sqrt(1 - b * b)
            p = (tip[0] + r * flat * math.cos(a), tip[1] + r * flat * math.sin(a), tip[2] + 0.7 * r * b)
            _leaf(shape, rng, p, greens[int(rng.random() * 3)])
    shape.done()


def _leaf(shape: Shape, rng: random.Random, p: Point, green: Any) -> None:
    size = rng.uniform(0.045, 0.1)
    u = [rng.uniform(-1, 1) * size for _ in range(3)]
    v = [rng.uniform(-1, 1) * size for _ in range(3)]
    corners = [tuple(p[i] + s * u[i] + t * v[i] for i in range(3)) for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    shape.add(corners, [(0, 1, 2, 3)], green)


def _kerbside(palette: Palette, rng: random.Random, street: Street) -> None:
    """Trees in pits, lamp posts, bollards or a bench along the kerb."""
    y = street.kerb_y + 0.6
    start, step = rng.uniform(-5.5, 1.0), rng.uniform(7.0, 10.0)
    trees = rng.random() < 0.75
    for k in range(-2, 4):
        x = start + k * step
        if x > street.right_x - 2:
            break
        if trees and not _blocks(street, x, y, 3.0):
            street.poles.append((x, y, 0.0))
            _pit(palette, x, y)
            _tree(palette, rng, (x, y, 0.1), rng.uniform(1.6, 2.4))
    for k in range(-1, 3):
        x = start + step * 0.5 + k * max(14.0, step * 1.5)
        if _blocks(street, x, y, 1.5):
            x += 2.4
        if x < street.right_x - 1:
            street.poles.append((x, street.kerb_y + 0.5, 0.0))
            _lamp(palette, rng, street, x)
    _furniture(palette, rng, street)


def _pit(palette: Palette, x: float, y: float) -> None:
    shape = Shape("pit")
    shape.box((x, y, 0.12), (1.0, 0.9, 0.07), palette.worn((0.1, 0.07, 0.05), 0.95, 5.0))
    rim = palette.worn((0.4, 0.4, 0.38), 0.8)
    for dx, dy, w, d in ((-0.52, 0, 0.07, 1.0), (0.52, 0, 0.07, 1.0), (0, -0.47, 1.1, 0.07), (0, 0.47, 1.1, 0.07)):
        shape.box((x + dx, y + dy, 0.14), (w, d, 0.08), rim)
    shape.done()


def _lamp(palette: Palette, rng: random.Random, street: Street, x: float) -> None:
    shape = Shape("lamp")
    steel = palette.paint((0.3, 0.31, 0.32), 0.4, 0.7)
    y = street.kerb_y + 0.5
    shape.limb((x, y, 0.1), (x, y, 6.8), 0.09, 0.06, steel, 10, caps=False)
    shape.limb((x, y, 6.7), (x, y - 1.6, 7.1), 0.045, 0.035, steel, 8, caps=False)
    shape.box((x, y - 1.7, 7.08), (0.22, 0.6, 0.09), palette.lamp((1.0, 0.8, 0.5), 20.0))
    shape.done()
    light = bpy.data.lights.new("lamp", "SPOT")
    light.spot_size, light.spot_blend, light.shadow_soft_size = 2.5, 0.6, 0.2
    light.color = rng.choice(((1.0, 0.72, 0.42), (1.0, 0.88, 0.7), (0.9, 0.95, 1.0)))
    thing = bpy.data.objects.new("lamp", light)
    thing.location = (x, y - 1.6, 6.9)
    bpy.context.scene.collection.objects.link(thing)
    street.lamps.append(light)


def _furniture(palette: Palette, rng: random.Random, street: Street) -> None:
    shape = Shape("furniture")
    steel = palette.paint((0.45, 0.45, 0.45), 0.4, 0.6)
    if rng.random() < 0.35:
        for k in range(-8, 12):
            if k * 1.6 < street.right_x - 1:
                shape.limb((k * 1.6, street.kerb_y + 0.3, 0.1), (k * 1.6, street.kerb_y + 0.3, 0.85), 0.06, 0.06, steel)
    if rng.random() < 0.4:
        x = street.bins_x + rng.choice((-1, 1)) * rng.uniform(5.5, 7.5)
        if x < street.right_x - 3:
            wood = palette.worn((0.3, 0.17, 0.08), 0.7, 5.0)
            for k in range(4):
                shape.box((x, street.front_y - 0.75 + k * 0.11, 0.6), (1.6, 0.09, 0.04), wood)
            shape.box((x, street.front_y - 0.34, 0.85), (1.6, 0.04, 0.35), wood)
            for dx in (-0.6, 0.6):
                shape.box((x + dx, street.front_y - 0.55, 0.36), (0.06, 0.45, 0.46), steel)
    if rng.random() < 0.4:
        green = palette.paint((0.06, 0.13, 0.03), 0.7)
        for x in (street.bins_x - 9.0, street.bins_x + 9.5):
            if x < street.right_x - 2:
                shape.box((x, street.front_y - 0.5, 0.4), (1.4, 0.5, 0.5), palette.worn((0.4, 0.3, 0.25), 0.8))
                for _ in range(160):
                    p = (
                        x + rng.uniform(-0.65, 0.65),
                        street.front_y - 0.5 + rng.uniform(-0.22, 0.22),
                        rng.uniform(0.65, 1.0),
                    )
                    _leaf(shape, rng, p, green)
    shape.done()
