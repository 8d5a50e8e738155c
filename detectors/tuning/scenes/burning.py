"""Flames and smoke made from layered noise at compose time: an open fire that moves, without any rendering."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from detectors.tuning.scenes.view import Box, Floats, Picture, View

TILE_PX = 256


@dataclass(frozen=True, slots=True)
class Fire:
    """An open fire on the ground at (x, y) metres: flames `size_m` high, and smoke; either part can be left out."""

    x_m: float
    y_m: float
    size_m: float = 0.8
    flames: bool = True
    smoke: bool = True
    wind: float = 0.25
    grey: float = 0.62


def draw_fire(picture: Picture, view: View, fire: Fire, t_s: float, dark: float) -> list[tuple[str, Box]]:
    """Paint `fire` at time `t_s` into `picture` in place; `dark` (0-1) is the night around it. Returns its labels."""
    ground = view.street.get("ground_z", 0.0) if fire.y_m > view.street.get("kerb_y", 0.0) else 0.0
    u, v, depth = view.project(fire.x_m, fire.y_m, ground)
    if depth <= 0.5:
        return []
    scale = view.metre_px(fire.x_m, fire.y_m)
    labels: list[tuple[str, Box]] = []
    if fire.smoke:
        labels += _paint_smoke(picture, fire, (u, v - 0.12 * fire.size_m * scale), scale, t_s, dark)
    if fire.flames:
        labels += _paint_flames(picture, fire, (u, v), scale, t_s, dark)
    return labels


def _paint_flames(
    picture: Picture, fire: Fire, foot: tuple[float, float], scale: float, t_s: float, dark: float
) -> list[tuple[str, Box]]:
    width, height = max(8, int(1.5 * fire.size_m * scale)), max(8, int(1.45 * fire.size_m * scale))
    heat = _heat(min(width, 160), min(height, 160), t_s, fire.x_m)
    heat = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    x0, y0 = int(foot[0] - width / 2), int(foot[1] - height * 0.93)
    colour = np.dstack([
        np.clip((heat - 0.72) * 3.2, 0, 1), np.clip((heat - 0.22) * 1.55, 0, 1), np.clip(heat * 3.0, 0, 1)
    ]).astype(np.float32)  # fmt: skip
    alpha = np.clip(heat * 2.2 - 0.1, 0, 1).astype(np.float32)
    char = _ellipse(width, height, 0.5, 0.93, 0.42, 0.09) * 0.75
    _blend(picture, np.zeros_like(colour), char, x0, y0)
    if dark > 0.2:
        glow = cv2.resize(_ellipse(64, 48, 0.5, 0.8, 0.5, 0.5), (width * 4, height * 3)).astype(np.float32)
        tint = np.full((*glow.shape, 3), (40.0, 120.0, 230.0), np.float32)
        _blend(picture, tint, glow * 0.35 * dark, int(foot[0] - 2 * width), int(foot[1] - 2.4 * height))
    _blend(picture, colour * 255.0, alpha, x0, y0)
    return _label("fire", alpha > 0.45, x0, y0, picture)


def _heat(width: int, height: int, t_s: float, seed: float) -> Floats:
    """Flame temperature 0-1: tongues under a cone, torn by noise that streams upward."""
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (u / width - 0.5) * 2.0, 1.0 - v / height
    tear = _sample(u * 0.30 + 0.13 * seed, -v * 0.20 + t_s * 0.50)
    fine = _sample(u * 0.62 + 0.37, -v * 0.42 + t_s * 0.95)
    sway = (_sample(u * 0.10 + 0.7, v * 0.16 - t_s * 0.35) - 0.5) * 1.5 * v
    reach = _sample(u * 0.42 + 0.05 * seed, np.full_like(v, 0.31) + t_s * 0.11)  # how high each tongue goes now
    tall = (0.25 + 0.95 * reach) * np.clip(1.15 - (u * 1.05) ** 2, 0.05, 1.0)
    side = np.clip((0.86 - np.abs(u + sway)) * 3.0, 0, 1)
    body = 1.15 - np.maximum(v - 0.05, 0.0) / np.maximum(tall, 0.05) * 0.95
    base = np.clip((v - 0.03 - 0.05 * u * u) / 0.08, 0, 1)
    return np.asarray(np.clip((body + (tear - 0.5) * 1.5 + (fine - 0.5) * 0.8) * base * side, 0, 1), np.float32)


def _paint_smoke(
    picture: Picture, fire: Fire, foot: tuple[float, float], scale: float, t_s: float, dark: float
) -> list[tuple[str, Box]]:
    width, height = max(16, int(4.2 * fire.size_m * scale)), max(16, int(4.8 * fire.size_m * scale))
    cols, rows = 80, 96
    v, u = np.mgrid[0:rows, 0:cols].astype(np.float32)
    u, v = (u / cols - 0.5) * 2.0, 1.0 - v / rows
    lean = fire.wind * v * 1.3 + 0.1 * np.sin(3.0 * v - t_s * 0.9) * v
    spread = 0.13 + 0.62 * v**0.8
    core = np.exp(-(((u - lean) / spread) ** 2) * 1.6)
    puffs = _sample(u * 0.3 - lean * 0.2 + fire.y_m * 0.1, -v * 0.38 + t_s * 0.16)
    detail = _sample(u * 0.8 + 0.2, -v * 0.9 + t_s * 0.3)
    density = core * np.clip(0.8 + 1.5 * (puffs - 0.42) + 0.9 * (detail - 0.5), 0, 1.3)
    density *= np.clip(v / 0.04, 0, 1) * np.clip((1.0 - v) / 0.5, 0, 1) ** 0.7
    alpha = np.clip(density * 1.45, 0, 0.95).astype(np.float32)
    shade = fire.grey * (0.72 + 0.6 * (detail - 0.5) + 0.5 * (puffs - 0.5) + 0.25 * (1 - core)) * (1.0 - 0.72 * dark)
    alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    tone = cv2.resize(shade.astype(np.float32), (width, height)).astype(np.float32) * 255.0
    x0, y0 = int(foot[0] - width / 2), int(foot[1] - height)
    _blend(picture, np.dstack([tone * 1.03, tone, tone * 0.98]).astype(np.float32), alpha.clip(0, 1), x0, y0)
    return _label("smoke", alpha > 0.22, x0, y0, picture)


def _label(kind: str, seen: np.ndarray, x0: int, y0: int, picture: Picture) -> list[tuple[str, Box]]:
    height, width = picture.shape[:2]
    ys, xs = np.nonzero(seen)
    if len(xs) == 0:
        return []
    left, right = max(0, x0 + int(xs.min())), min(width, x0 + int(xs.max()) + 1)
    top, bottom = max(0, y0 + int(ys.min())), min(height, y0 + int(ys.max()) + 1)
    if right - left < 6 or bottom - top < 6:
        return []
    return [(kind, (left / width, top / height, right / width, bottom / height))]


def _blend(picture: Picture, colour: Floats, alpha: Floats, x0: int, y0: int) -> None:
    """Lay `colour` (BGR 0-255) over the picture with `alpha` (0-1), cut at the picture's edges."""
    height, width = picture.shape[:2]
    left, top = max(0, x0), max(0, y0)
    right, bottom = min(width, x0 + alpha.shape[1]), min(height, y0 + alpha.shape[0])
    if right <= left or bottom <= top:
        return
    part = (slice(top - y0, bottom - y0), slice(left - x0, right - x0))
    below = picture[top:bottom, left:right].astype(np.float32)
    share = alpha[part][..., None]
    picture[top:bottom, left:right] = (below + (colour[part] - below) * share).clip(0, 255).astype(np.uint8)


def _ellipse(width: int, height: int, u: float, v: float, ru: float, rv: float) -> Floats:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = ((x / width - u) / ru) ** 2 + ((y / height - v) / rv) ** 2
    return np.asarray(np.clip(1.0 - away, 0, 1), np.float32)


def _sample(u: Floats, v: Floats) -> Floats:
    """Look the noise tile up at (u, v), wrapping; 1.0 is once around the tile."""
    x = np.mod(u, 1.0).astype(np.float32) * TILE_PX
    y = np.mod(v, 1.0).astype(np.float32) * TILE_PX
    return np.asarray(cv2.remap(_tile(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


@cache
def _tile() -> Floats:
    """Seamless fractal noise, 0-1, the same in every process."""
    rng = np.random.default_rng(20)
    total = np.zeros((TILE_PX, TILE_PX), np.float32)
    for octave, cells in enumerate((4, 8, 16, 32, 64)):
        coarse = rng.random((cells, cells), np.float32)
        wrapped = np.pad(coarse, 2, mode="wrap")
        step = TILE_PX // cells
        grown = cv2.resize(wrapped, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        total += grown[2 * step : 2 * step + TILE_PX, 2 * step : 2 * step + TILE_PX] * 0.55**octave
    low, high = np.percentile(total, (1, 99))
    return np.asarray(np.clip((total - low) / (high - low), 0, 1), np.float32)
