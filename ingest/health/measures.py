"""What is measured on the grey thumbnail of 160 x 90: block brightness, light, edges, detail, shift."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from ..frame import GREY_HEIGHT_PX, GREY_WIDTH_PX, Grey

WIDTH_PX, HEIGHT_PX = GREY_WIDTH_PX, GREY_HEIGHT_PX
BLOCKS = (32, 18)
"""Across and down: blocks of 5 x 5 thumbnail pixels."""
_MOST_EDGE = 2.0
_WINDOW = cv2.createHanningWindow((WIDTH_PX, HEIGHT_PX), cv2.CV_32F)


def blocks(grey: Grey) -> Grey:
    """18 x 32 mean brightness: 2 kB that say whether anything is different, and whether anything is at all."""
    return cast(Grey, cv2.resize(grey, BLOCKS, interpolation=cv2.INTER_AREA))


def light(colour: float, grey: Grey) -> str:
    """The kind of light, "day", "dark" or "infrared" (no colour): one view looks different in each."""
    if colour < 2.5:
        return "infrared"
    return "dark" if mean(grey) < 50.0 else "day"


def mean(grey: Grey) -> float:
    """Mean brightness."""
    return float(cv2.mean(grey)[0])


def bright(grey: Grey) -> float:
    """The brightness that 1 % of the picture exceeds."""
    return float(np.percentile(grey, 99))


def edges(grey: Grey) -> Grey:
    """Where brightness changes, light taken out: gradient magnitude over the brightness around it; 0 to 2."""
    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    around = cv2.blur(grey, (21, 21)) + 20.0
    relative = cv2.magnitude(dx, dy) / around
    return cast(Grey, cv2.sqrt(cv2.min(relative, _MOST_EDGE**2)))


def likeness(a: Grey, b: Grey) -> float:
    """Correlation of two edge pictures, -1 to 1."""
    x, y = (a - cv2.mean(a)[0]).ravel(), (b - cv2.mean(b)[0]).ravel()
    norm = float(np.sqrt(float(x @ x) * float(y @ y)))
    return float(x @ y) / norm if norm > 1e-6 else 0.0


def shift_px(reference: Grey, now: Grey) -> tuple[float, float, float]:
    """(dx, dy, response 0-1) in thumbnail pixels by which the view moved: phase correlation of edge pictures."""
    # Copies, because OpenCV windows its arguments in place.
    (dx, dy), response = cv2.phaseCorrelate(reference.copy(), now.copy(), _WINDOW)
    return float(dx), float(dy), float(response)


def moved_back(now: Grey, dx: float, dy: float) -> Grey:
    """`now` moved back by (dx, dy)."""
    return np.roll(now, (-round(dy), -round(dx)), axis=(0, 1))


def flat_share(grey: Grey) -> float:
    """Share (0-1) of 10 x 10 blocks without detail: what is smooth, or no more than noise, at their brightness."""
    detail = grey - cv2.blur(grey, (9, 9))
    size = (WIDTH_PX // 10, HEIGHT_PX // 10)
    power = cv2.resize(detail * detail, size, interpolation=cv2.INTER_AREA)
    level = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float((power < (0.6 + 0.012 * level) ** 2).mean())


def sharpness(grey: Grey) -> float:
    """Energy of the finest detail over the energy of all detail; independent of brightness and contrast."""
    fine = (grey - cv2.GaussianBlur(grey, (3, 3), 0)).ravel()
    all_detail = (grey - cv2.blur(grey, (15, 15))).ravel()
    return float(fine @ fine) / (float(all_detail @ all_detail) + grey.size)
