"""A number and a time in the picture, for machines to read: whose picture is this, and how old is it?

The mark is 16 x 2 cells near the upper left corner; a cell is one bit, drawn as a chequerboard whose black and white
swap for the other value. So its average never changes: neither the gate nor health, which look at small grey pictures,
sees a clock ticking. It survives coding at 300 kb/s and scaling from larger pictures to 640 x 360.
"""

from __future__ import annotations

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
    if picture.shape[:2] != (HEIGHT_PX, WIDTH_PX):
        picture = np.asarray(cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)
    part = picture[_TOP_PX : _TOP_PX + _SHAPE[0], _LEFT_PX : _LEFT_PX + _SHAPE[1]].astype(np.float32)
    if part.ndim == 3:
        part = part @ np.array([0.114, 0.587, 0.299], np.float32)
    cells = part.reshape(_ROWS, _CELL_HEIGHT_PX, _COLUMNS, _CELL_WIDTH_PX)
    contrast = 2 * np.einsum("rhcw,hw->rc", cells, _BOARD) / (_CELL_HEIGHT_PX * _CELL_WIDTH_PX)
    if float(np.abs(contrast).min()) < _LEAST_CONTRAST:
        return None
    word = int("".join("1" if bit else "0" for bit in (contrast > 0).ravel()), 2)
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
