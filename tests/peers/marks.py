"""A number and a time in the picture, for machines to read: whose picture is this, and how old is it?

The mark is 16 x 2 cells near the upper left corner; a cell is one bit, drawn as a chequerboard whose black and white
swap for the other value. So its average never changes: neither the gate nor health, which look at small grey pictures,
sees a clock ticking. It survives coding at 300 kb/s and scaling from larger pictures to 640 x 360.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 640, 360
"""The size at which the mark is read; on other sizes it is drawn in proportion."""
_LEFT_PX, _TOP_PX = 16, 8
_CELL_WIDTH_PX, _CELL_HEIGHT_PX, _SQUARE_PX = 16, 8, 2
_COLUMNS, _ROWS = 16, 2
_NUMBER_BITS, _POSITION_BITS, _CHECK_BITS = 9, 11, 12
_BLACK, _WHITE = 60, 190
_LEAST_CONTRAST = 20.0
"""Grey levels between the squares of a cell that counts as read."""

NUMBERS, POSITIONS = 1 << _NUMBER_BITS, 1 << _POSITION_BITS


class Mark(NamedTuple):
    """What the picture says of itself: the clip's number, and which of its pictures this is."""

    number: int
    position: int


def draw_mark(luma: Luma, mark: Mark) -> None:
    """Draw into a luma plane of 16:9, 640 x 360 or a whole multiple of it."""
    if not (0 <= mark.number < NUMBERS and 0 <= mark.position < POSITIONS):
        raise ValueError(f"{mark}: allowed are numbers below {NUMBERS} and positions below {POSITIONS}")
    scale = luma.shape[1] // WIDTH_PX
    top, left = _TOP_PX * scale, _LEFT_PX * scale
    small = np.where(_bits(mark)[:, None, :, None], _BOARD[:, None], -_BOARD[:, None]).reshape(_SHAPE)
    drawn = np.where(small > 0, _WHITE, _BLACK).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    luma[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn


def read_mark(picture: NDArray[np.uint8]) -> Mark | None:
    """The mark in a luma (H x W) or BGR (H x W x 3) picture; None where there is none or it cannot be trusted."""
    return read_marks([marked_part(picture)])[0]


def marked_part(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of what `read_marks` reads of the picture: a few kB, to be read when there is time."""
    height, width = picture.shape[:2]
    scale = max(1, width // WIDTH_PX)
    if (height, width) != (HEIGHT_PX * scale, WIDTH_PX * scale):
        picture, scale = np.asarray(cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)), 1
    part = picture[_TOP_PX * scale : (_TOP_PX + _SHAPE[0]) * scale, _LEFT_PX * scale : (_LEFT_PX + _SHAPE[1]) * scale]
    return part.copy()


def read_marks(parts: Sequence[NDArray[np.uint8]]) -> list[Mark | None]:
    """The marks of `marked_part`s, as `read_mark`."""
    if not parts:
        return []
    cells = np.stack([_luma(part) for part in parts]).reshape(-1, _ROWS, _CELL_HEIGHT_PX, _COLUMNS, _CELL_WIDTH_PX)
    contrast = 2 * np.einsum("nrhcw,hw->nrc", cells, _BOARD) / (_CELL_HEIGHT_PX * _CELL_WIDTH_PX)
    found = contrast.reshape(len(parts), _ROWS * _COLUMNS)
    words = (found > 0) @ (1 << np.arange(_ROWS * _COLUMNS - 1, -1, -1, dtype=np.int64))
    sure = np.abs(found).min(axis=1) >= _LEAST_CONTRAST
    return [_mark(int(word)) if is_sure else None for word, is_sure in zip(words, sure, strict=True)]


def _luma(part: NDArray[np.uint8]) -> NDArray[np.float32]:
    if part.shape[:2] != _SHAPE:
        part = np.asarray(cv2.resize(part, _SHAPE[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    if part.ndim == 3:
        return part.astype(np.float32) @ np.array([0.114, 0.587, 0.299], np.float32)
    return part.astype(np.float32)


def _mark(word: int) -> Mark | None:
    told, check = word >> _CHECK_BITS, word & ((1 << _CHECK_BITS) - 1)
    if check != _check(told):
        return None
    return Mark(told >> _POSITION_BITS, told & (POSITIONS - 1))


_SHAPE = (_ROWS * _CELL_HEIGHT_PX, _COLUMNS * _CELL_WIDTH_PX)
_SQUARES = np.add.outer(np.arange(_CELL_HEIGHT_PX) // _SQUARE_PX, np.arange(_CELL_WIDTH_PX) // _SQUARE_PX)
_BOARD = np.where(_SQUARES % 2 == 0, 1, -1).astype(np.float32)


def _bits(mark: Mark) -> NDArray[np.bool_]:
    told = mark.number << _POSITION_BITS | mark.position
    word = told << _CHECK_BITS | _check(told)
    text = f"{word:0{_COLUMNS * _ROWS}b}"
    return np.array([c == "1" for c in text]).reshape(_ROWS, _COLUMNS)


def _check(told: int) -> int:
    """CRC-12 (x^12 + x^11 + x^3 + x^2 + x + 1), begun with ones so that neither all black nor all white is a mark."""
    rest = 0xFFF
    for shift in range(_NUMBER_BITS + _POSITION_BITS - 1, -1, -1):
        top = (rest >> 11) ^ (told >> shift) & 1
        rest = (rest << 1) & 0xFFF
        if top:
            rest ^= 0x80F
    return rest
