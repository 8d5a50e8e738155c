"""Writes a labelled YOLO data set of composed pictures: random overlays, traffic, light, grading, blur and noise.

python -m detectors.tuning.scenes.dataset --views DIR --sprites DIR --out DIR --count N --seed S
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from detectors.tuning.scenes.burning import Fire
from detectors.tuning.scenes.compose import Label, compose, traffic
from detectors.tuning.scenes.view import Box, Picture, Sprite, Standing, View, load_sprites, load_views

CLASSES = ("garbage", "fire", "smoke", "vehicle", "person", "twowheeler")


def draw(views: Sequence[View], sprites: Sequence[Sprite], rng: np.random.Generator) -> tuple[Picture, list[Label]]:
    """One random labelled picture; about one in six shows no garbage, fire or smoke at all."""
    view = views[int(rng.integers(len(views)))]
    light = str(rng.choice(sorted(view.backgrounds)))
    chosen = _choose(view, rng)
    moving = traffic(view, sprites, float(rng.uniform(0, 900)), int(rng.integers(1 << 30)), float(rng.uniform(0, 1.6)))
    moving += _passers(view, sprites, rng)
    fires = [_fire(view, rng)] if rng.random() < 0.16 else []
    picture, labels = compose(
        view, light, chosen, moving, fires=fires, t_s=float(rng.uniform(0, 1e4)), seed=int(rng.integers(1 << 30)),
        noise=0.0, drift=0.0,
    )  # fmt: skip
    picture, labels = _frame_again(picture, labels, rng)
    return grade(picture, rng), labels


def _choose(view: View, rng: np.random.Generator) -> list[str]:
    names = sorted(view.overlays)
    kinds = {name: view.overlays[name].kind for name in names}
    chosen: list[str] = []
    for name in rng.permutation(names):
        share = {"garbage": 0.33, "vehicle": 0.45, "stall": 0.35, "goods": 0.4}.get(kinds[name], 0.3)
        if rng.random() < share and not any(touch(view.overlays[name].box, view.overlays[o].box) for o in chosen):
            chosen.append(str(name))
    if rng.random() < 0.17:
        chosen = [name for name in chosen if kinds[name] != "garbage"]
    return chosen


def touch(one: Box, two: Box) -> bool:
    """Whether two boxes share more than an eighth of the smaller one."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, two))
    return width > 0 and height > 0 and width * height > 0.12 * smaller


def _passers(view: View, sprites: Sequence[Sprite], rng: np.random.Generator) -> list[Standing]:
    """Sprites put anywhere on the ground, in any direction: what traffic() alone would not show."""
    out: list[Standing] = []
    for _ in range(int(rng.integers(0, 5))):
        which = sprites[int(rng.integers(len(sprites)))]
        on_road = which.kind != "person" or rng.random() < 0.2
        kerb, front, near = (view.street[k] for k in ("kerb_y", "front_y", "near_y"))
        y = rng.uniform(near + 0.8, kerb - 0.8) if on_road else rng.uniform(kerb + 0.5, front - 0.5)
        x = view.eye[0] + rng.uniform(-14.0, 14.0)
        out.append(Standing(which, float(x), float(y), float(rng.uniform(0, 6.283)), float(rng.random())))
    return out


def _fire(view: View, rng: np.random.Generator) -> Fire:
    kerb, front = view.street["kerb_y"], view.street["front_y"]
    what = rng.random()
    while True:
        x, y = view.eye[0] + rng.uniform(-12, 12), rng.uniform(kerb - 2.0, front - 0.4)
        u, v, depth = view.project(float(x), float(y), 0.1)
        if 0.08 < u / view.width_px < 0.92 and 0.3 < v / view.height_px < 0.95 and depth > 3:
            break
        kerb = max(view.street["near_y"], kerb - 0.2)
    return Fire(
        float(x), float(y), float(rng.uniform(0.35, 1.4)), flames=what > 0.2, smoke=what < 0.85,
        wind=float(rng.uniform(-0.6, 0.6)), grey=float(rng.uniform(0.25, 0.8)),
    )  # fmt: skip


def _frame_again(picture: Picture, labels: list[Label], rng: np.random.Generator) -> tuple[Picture, list[Label]]:
    """Cut, mirror and scale: another lens for the same street. 640x360, or a little smaller."""
    height, width = picture.shape[:2]
    share = float(rng.uniform(0.6, 1.0)) if rng.random() < 0.6 else 1.0
    w, h = int(width * share), int(height * share)
    x0, y0 = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    out = 640 if rng.random() < 0.8 else int(rng.integers(416, 640))
    picture = np.asarray(cv2.resize(picture[y0 : y0 + h, x0 : x0 + w], (out, out * 9 // 16),
                                    interpolation=cv2.INTER_AREA), np.uint8)  # fmt: skip
    kept: list[Label] = []
    flip = rng.random() < 0.5
    for kind, (a, b, c, d) in labels:
        box = [(a * width - x0) / w, (b * height - y0) / h, (c * width - x0) / w, (d * height - y0) / h]
        cut = [min(1.0, max(0.0, v)) for v in box]
        whole, seen = (box[2] - box[0]) * (box[3] - box[1]), (cut[2] - cut[0]) * (cut[3] - cut[1])
        if kind in CLASSES and seen > 0.4 * whole and (cut[2] - cut[0]) * out > 5 and (cut[3] - cut[1]) * out > 8:
            left, right = (1 - cut[2], 1 - cut[0]) if flip else (cut[0], cut[2])
            kept.append((kind, (left, cut[1], right, cut[3])))
    return (np.ascontiguousarray(picture[:, ::-1]) if flip else picture), kept


def grade(picture: Picture, rng: np.random.Generator) -> Picture:
    """A random camera: exposure, colour cast, contrast, saturation, haze, blur, grain, JPEG."""
    field = picture.astype(np.float32) / 255.0
    bright = field.mean()
    target = float(rng.uniform(0.24, 0.55)) if rng.random() < 0.75 else bright
    field = field ** float(np.clip(math.log(target) / math.log(max(0.02, bright)), 0.45, 1.6))
    field = (field - 0.45) * float(rng.uniform(0.75, 1.25)) + 0.45
    field *= (1.0 + rng.normal(0, 0.05, 3)).astype(np.float32)
    grey = field.mean(axis=2, keepdims=True)
    field = grey + (field - grey) * float(rng.uniform(0.35, 1.1))
    if rng.random() < 0.25:
        field = field * 0.82 + float(rng.uniform(0.05, 0.16))
    blur = float(rng.choice([0.0, 0.0, 0.5, 0.8, 1.2]))
    if blur:
        field = cv2.GaussianBlur(field, (0, 0), blur)
    field += rng.normal(0, float(rng.uniform(0.0, 0.03)), field.shape)
    out = np.clip(field * 255.0, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 92))])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def write_set(views: Sequence[View], sprites: Sequence[Sprite], out: Path, count: int, seed: int) -> Counter[str]:
    """Write `count` pictures and their labels below `out`; returns how many boxes of each class."""
    for part in ("images", "labels"):
        (out / part).mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    for k in range(count):
        picture, labels = draw(views, sprites, np.random.default_rng([seed, k]))
        name = f"scene_{seed}_{k:05d}"
        cv2.imwrite(str(out / "images" / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        lines = []
        for kind, (a, b, c, d) in labels:
            counts[kind] += 1
            lines.append(f"{CLASSES.index(kind)} {(a + c) / 2:.6f} {(b + d) / 2:.6f} {c - a:.6f} {d - b:.6f}")
        (out / "labels" / f"{name}.txt").write_text("\n".join(lines) + ("\n" if lines else ""), encoding="utf-8")
        counts["pictures"] += 1
        counts["empty"] += not lines
    names = "\n".join(f"  {k}: {name}" for k, name in enumerate(CLASSES))
    (out / "data.yaml").write_text(f"path: .\ntrain: images\nval: images\nnames:\n{names}\n", encoding="utf-8")
    return counts


def main() -> int:
    """Write a data set as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=Path, required=True, help="folder of rendered views")
    parser.add_argument("--sprites", type=Path, default=Path("configs/demo/scenes/sprites"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    views = load_views(args.views)
    if not views:
        parser.error(f"--views {args.views}: no scene.json below it")
    print(dict(write_set(views, load_sprites(args.sprites), args.out, args.count, args.seed)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
