"""Writes crops for the second look at stalls, a folder a label: `stall`, `goods` before a shop, and everything `other`.

Out of rendered views, as a camera shows them; the same things laid onto real pictures, so that a real street alone says
nothing about the label; and real pictures themselves, which show neither stall nor goods:

python -m detectors.tuning.scenes.dataset_of_crops --views DIR --out DIR --count N --seed S [--real DATA.yaml:SPLIT ...]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from detectors.second_look import cut
from detectors.tuning.dataset import label_file, read_labels, read_picture, read_yolo_set
from detectors.tuning.scenes.compose import compose, traffic
from detectors.tuning.scenes.dataset import grade, touch
from detectors.tuning.scenes.view import Box, Overlay, Picture, Sprite, Standing, View, load_sprites, load_views

LABELS = ("stall", "goods", "other")
MARGIN = 0.25
"""Around the box, as the kinds' `check` has it."""
LEAST_M = (0.9, 0.4)
"""What is seen of a stall or of goods, across and up (metres); less of it is no example."""
LEAST_PX = 24
LEAST_CONTRAST = 12.0
"""Standard deviation of the crop in grey levels: what is darker or emptier shows nothing."""
MOST_BESIDE = 0.12
"""Share of a stall or of goods that the crop of something else may show."""

Crop = tuple[str, Picture]


def rendered(views: Sequence[View], sprites: Sequence[Sprite], rng: np.random.Generator) -> Iterator[Crop]:
    """Crops of one random picture: its stalls and goods, one other thing, and a place where nothing stands."""
    view = views[int(rng.integers(len(views)))]
    light = str(rng.choice(sorted(view.backgrounds)))
    chosen = _choose(view, rng)
    moving = traffic(view, sprites, float(rng.uniform(0, 900)), int(rng.integers(1 << 30)), float(rng.uniform(0, 1.4)))
    for name in chosen:
        moving += _people(view.overlays[name].ground, sprites, rng)
    picture, labels = compose(
        view,
        light,
        chosen,
        moving,
        t_s=float(rng.uniform(0, 1e4)),
        seed=int(rng.integers(1 << 30)),
        noise=0.0,
        drift=0.0,
    )
    picture = grade(picture, rng)
    wanted = [
        (view.overlays[name].kind, view.overlays[name].box) for name in chosen if _shows(view, view.overlays[name])
    ]
    for kind, box in wanted:
        if kind in LABELS:
            yield from _cut(picture, kind, box, wanted, rng)
    others = [box for kind, box in labels if kind not in LABELS and _area(box) > 0.002]
    if others:
        yield from _cut(picture, "other", others[int(rng.integers(len(others)))], wanted, rng)
    width, height = rng.uniform(0.08, 0.4), rng.uniform(0.1, 0.45)
    x, y = rng.uniform(0, 1 - width), rng.uniform(0.15, 1 - height)
    yield from _cut(picture, "other", (x, y, x + width, y + height), wanted, rng)


def pasted(
    views: Sequence[View], sprites: Sequence[Sprite], real: Sequence[Path], rng: np.random.Generator
) -> Iterator[Crop]:
    """A rendered thing, perhaps with people before it, laid onto a random window of a real picture."""
    view = views[int(rng.integers(len(views)))]
    kinds = sorted({overlay.kind for overlay in view.overlays.values()})
    kind = str(rng.choice(kinds))
    names = [name for name in sorted(view.overlays) if view.overlays[name].kind == kind]
    overlay = view.overlays[str(rng.choice(names))]
    if not _shows(view, overlay):
        return
    light = str(rng.choice(sorted(overlay.layers)))
    layer = overlay.layers[light]
    high, wide = layer.shape[:2]
    window = _window(real, (wide * 1.5, high * 1.5), rng)
    top, left = (window.shape[0] - high) // 2, (window.shape[1] - wide) // 2
    _lay(window, layer, left, top)
    scale = view.metre_px(*overlay.ground)
    for standing in _people(overlay.ground, sprites, rng):
        frame = standing.sprite.frames[0][0].pixels
        share = scale / standing.sprite.px_per_m
        size = (max(2, round(frame.shape[1] * share)), max(2, round(frame.shape[0] * share)))
        if size[0] < window.shape[1] and size[1] < window.shape[0]:
            x = int(rng.integers(0, window.shape[1] - size[0]))
            _lay(window, cv2.resize(frame, size, interpolation=cv2.INTER_AREA), x, max(0, top + high - size[1]))
    x0, y0, x1, y1 = overlay.box
    box = (
        (x0 * view.width_px - overlay.x_px + left) / window.shape[1],
        (y0 * view.height_px - overlay.y_px + top) / window.shape[0],
        (x1 * view.width_px - overlay.x_px + left) / window.shape[1],
        (y1 * view.height_px - overlay.y_px + top) / window.shape[0],
    )
    yield from _cut(grade(window, rng), kind if kind in LABELS else "other", box, (), rng)


def others(real: Sequence[Path], boxes: Mapping[Path, Sequence[Box]], rng: np.random.Generator) -> Iterator[Crop]:
    """A crop of a real picture that shows neither: around one of its labelled boxes, or somewhere."""
    path = real[int(rng.integers(len(real)))]
    picture, labelled = read_picture(path), boxes[path]
    if labelled and rng.random() < 0.5:
        box = labelled[int(rng.integers(len(labelled)))]
    else:
        width, height = rng.uniform(0.08, 0.5, 2)
        x, y = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        box = (x, y, x + width, y + height)
    yield from _cut(picture, "other", box, (), rng)


def boxed(data: Path, labels: Mapping[str, str]) -> Iterator[tuple[str, str, Picture]]:
    """Every labelled box of a set as (split, label, crop) with the margin: to measure on, nothing changed or drawn."""
    yolo = read_yolo_set(data)
    for split in yolo.splits:
        for path in yolo.pictures(split):
            picture = read_picture(path)
            for index, x, y, w, h in read_labels(label_file(path), len(yolo.names)):
                part = cut(picture, (x - w / 2, y - h / 2, x + w / 2, y + h / 2), MARGIN).picture
                if min(part.shape[:2]) >= LEAST_PX and yolo.names[index] in labels:
                    yield split, labels[yolo.names[index]], part


def _choose(view: View, rng: np.random.Generator) -> list[str]:
    """Up to four things that do not hide each other, stalls and goods first."""
    chosen: list[str] = []
    for kind, share in (("stall", 0.75), ("goods", 0.6), ("clutter", 0.4), ("garbage", 0.4), ("vehicle", 0.4)):
        names = [name for name in sorted(view.overlays) if view.overlays[name].kind == kind]
        free = [n for n in names if not any(touch(view.overlays[n].box, view.overlays[o].box) for o in chosen)]
        if free and rng.random() < share:
            chosen.append(str(rng.choice(free)))
    return chosen


def _people(ground: tuple[float, float], sprites: Sequence[Sprite], rng: np.random.Generator) -> list[Standing]:
    """Nobody, or up to three people around a thing, whatever it is: people alone say nothing about the label."""
    people = [sprite for sprite in sprites if sprite.kind == "person"]
    out = []
    for _ in range(int(rng.choice((0, 0, 1, 2, 3)))):
        angle, away = rng.uniform(0, 6.283), rng.uniform(0.9, 1.8)
        x, y = ground[0] + away * np.cos(angle), ground[1] + away * np.sin(angle)
        who = people[int(rng.integers(len(people)))]
        out.append(Standing(who, float(x), float(y), float(rng.uniform(0, 6.283)), float(rng.random())))
    return out


def _shows(view: View, overlay: Overlay) -> bool:
    """Whether enough of it is seen: large enough in metres, and not only through gaps."""
    scale = view.metre_px(*overlay.ground)
    wide, high = _sides_px(overlay.box, view)
    if overlay.kind in LABELS and (wide < LEAST_M[0] * scale or high < LEAST_M[1] * scale):
        return False
    alpha = next(iter(overlay.layers.values()))[..., 3]
    return float((alpha > 245).sum()) > 0.2 * wide * high and min(wide, high) >= LEAST_PX / 2


def _cut(
    picture: Picture, label: str, box: Box, wanted: Sequence[tuple[str, Box]], rng: np.random.Generator
) -> Iterator[Crop]:
    """The crop around `box`, which the rule would have found a little beside, larger or smaller; scaled down at times.

    None where it is too small, or shows too much of a stall or goods that its label does not name.
    """
    x0, y0, x1, y1 = box
    width, height = (x1 - x0) * rng.uniform(0.7, 1.4), (y1 - y0) * rng.uniform(0.7, 1.4)
    x = (x0 + x1) / 2 + rng.uniform(-0.15, 0.15) * (x1 - x0)
    y = (y0 + y1) / 2 + rng.uniform(-0.15, 0.15) * (y1 - y0)
    found = (max(0.0, x - width / 2), max(0.0, y - height / 2), min(1.0, x + width / 2), min(1.0, y + height / 2))
    grown = (
        found[0] - MARGIN * width, found[1] - MARGIN * height, found[2] + MARGIN * width, found[3] + MARGIN * height
    )  # fmt: skip
    hides = {"stall": (), "goods": ("stall",), "other": ("stall", "goods")}[label]
    if any(kind in hides and _share(seen, grown) > MOST_BESIDE for kind, seen in wanted):
        return
    part = cut(picture, found, MARGIN).picture
    if min(part.shape[:2]) < LEAST_PX or float(part.std()) < LEAST_CONTRAST:
        return
    if rng.random() < 0.4 and min(part.shape[:2]) > 2 * LEAST_PX:
        share = float(rng.uniform(0.5, 1.0))
        part = np.asarray(cv2.resize(part, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)
    yield label, part


def _window(real: Sequence[Path], least: tuple[float, float], rng: np.random.Generator) -> Picture:
    """A random window of a real picture, scaled to `least` (width, height in pixels)."""
    picture = read_picture(real[int(rng.integers(len(real)))])
    height, width = picture.shape[:2]
    fit = min(width / least[0], height / least[1]) * float(rng.uniform(0.4, 1.0))
    w, h = max(8, int(least[0] * fit)), max(8, int(least[1] * fit))
    x, y = int(rng.integers(0, max(1, width - w))), int(rng.integers(0, max(1, height - h)))
    size = (int(least[0]), int(least[1]))
    return np.asarray(cv2.resize(picture[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA), np.uint8)


def _lay(below: Picture, layer: Picture, x: int, y: int) -> None:
    part = below[y : y + layer.shape[0], x : x + layer.shape[1]]
    layer = layer[: part.shape[0], : part.shape[1]]
    share = layer[..., 3:].astype(np.uint16)
    mixed = layer[..., :3].astype(np.uint16) * share + part.astype(np.uint16) * (255 - share) + 127
    part[...] = (mixed // 255).astype(np.uint8)


def _sides_px(box: Box, view: View) -> tuple[float, float]:
    return (box[2] - box[0]) * view.width_px, (box[3] - box[1]) * view.height_px


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _share(thing: Box, where: Box) -> float:
    """How much of `thing` lies in `where`."""
    width = min(thing[2], where[2]) - max(thing[0], where[0])
    height = min(thing[3], where[3]) - max(thing[1], where[1])
    return width * height / _area(thing) if width > 0 and height > 0 else 0.0


def write_crops(draw: Callable[[np.random.Generator], Iterator[Crop]], out: Path, count: int, seed: int, name: str,
                quota: Mapping[str, float]) -> Counter[str]:  # fmt: skip
    """Write what `draw` gives below `out`/label until `count` are there, of each label its share in `quota` at most."""
    counts: Counter[str] = Counter()
    most = {label: round(count * share) for label, share in quota.items()}
    for k in range(50 * count):
        for label, picture in draw(np.random.default_rng([seed, k])):
            if counts[label] >= most.get(label, 0):
                continue
            (out / label).mkdir(parents=True, exist_ok=True)
            path = out / label / f"{name}_{seed}_{counts[label]:05d}.jpg"
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
            counts[label] += 1
        if all(counts[label] >= number for label, number in most.items()):
            break
    return counts


def _pictures(sources: Sequence[str]) -> tuple[list[Path], dict[Path, list[Box]]]:
    """The pictures of `DATA.yaml:SPLIT` sources, and their boxes; a folder is a source without boxes."""
    paths: list[Path] = []
    boxes: dict[Path, list[Box]] = {}
    for source in sources:
        file, _, split = source.partition(":")
        if Path(file).is_dir():
            found = sorted(p for p in Path(file).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
            boxes |= {path: [(0.15, 0.15, 0.85, 0.85)] for path in found}
        else:
            yolo = read_yolo_set(Path(file))
            found = yolo.pictures(split)
            for path in found:
                lines = read_labels(label_file(path), len(yolo.names), [])
                boxes[path] = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for _, x, y, w, h in lines]
        paths += found
    return paths, boxes


def main() -> int:
    """Write the crops that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=Path, help="folder of rendered views")
    parser.add_argument("--sprites", type=Path, default=Path("configs/demo/scenes/sprites"))
    parser.add_argument("--real", nargs="*", default=[], metavar="DATA.yaml:SPLIT", help="sets, or folders of pictures")
    parser.add_argument("--boxes", type=Path, help="only cut every box of this set out, as `stall`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=0, help="rendered crops")
    parser.add_argument("--pasted", type=int, default=0, help="rendered things on real pictures")
    parser.add_argument("--others", type=int, default=0, help="crops of real pictures")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    quota = {"stall": 0.42, "goods": 0.23, "other": 0.35}
    if args.boxes is not None:
        names = dict.fromkeys(read_yolo_set(args.boxes).names, "stall")
        counts = Counter[str]()
        for split, label, picture in boxed(args.boxes, names):
            (args.out / label).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(args.out / label / f"{split}_{counts[split]:04d}.png"), picture)
            counts[split] += 1
        print(dict(counts))
        return 0
    views = load_views(args.views) if args.views else []
    if (args.count or args.pasted) and not views:
        parser.error(f"--views {args.views}: no scene.json below it")
    if (args.pasted or args.others) and not args.real:
        parser.error("--pasted and --others need --real")
    sprites = load_sprites(args.sprites)
    real, boxes = _pictures(args.real)
    if args.count:
        told = write_crops(lambda rng: rendered(views, sprites, rng), args.out, args.count, args.seed, "scene", quota)
        print("rendered", dict(told))
    if args.pasted:
        told = write_crops(
            lambda rng: pasted(views, sprites, real, rng), args.out, args.pasted, args.seed, "laid", quota
        )
        print("pasted", dict(told))
    if args.others:
        told = write_crops(lambda rng: others(real, boxes, rng), args.out, args.others, args.seed, "real", {"other": 1})
        print("others", dict(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
