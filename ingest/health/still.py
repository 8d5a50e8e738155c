"""Frozen: the picture stands still although this camera's pictures are known to differ (noise, life)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from ..frame import Grey
from ..said import Said
from .state import Limits

SAME_LEVEL = 0.02
"""Block means nearer than this (of 255) come from the same pixels: noise alone moves them by a tenth."""
REMEMBERED = 30
BAND_BLOCKS = 4
"""Clocks and names are written into the uppermost or lowest blocks: there something may change."""
MOST_ELSEWHERE = 0.01
"""Share of all blocks that may change elsewhere: coding smears a little."""


class Stillness:
    """Compares each picture with the one before, block by block, so that a clock that is written into the picture and
    ticks on hides nothing: the blocks that change may be few, at the upper or lower edge, and always the same few.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last: Grey | None = None
        self._stirred: NDArray[np.bool_] | None = None
        self._same = 0
        self._same_since: datetime | None = None
        self._usual: deque[float] = deque(maxlen=REMEMBERED)

    def saw(self, blocks: Grey, now: datetime) -> Said | None:
        """What to say when it is frozen."""
        last = self._last
        if last is None or self._same_since is None:
            self._last, self._same_since = blocks.copy(), now
            return None
        stirred = cv2.absdiff(blocks, last) > SAME_LEVEL
        np.copyto(last, blocks)
        still = 1.0 - int(np.count_nonzero(stirred)) / stirred.size
        elsewhere = int(np.count_nonzero(stirred[BAND_BLOCKS:-BAND_BLOCKS])) / stirred.size
        if still >= self._limits.still_share and elsewhere <= MOST_ELSEWHERE:
            # In a row, all blocks that ever changed must be few, as those of a clock are.
            stirred = stirred if self._stirred is None else stirred | self._stirred
            if int(np.count_nonzero(stirred)) <= (1.0 - self._limits.still_share) * stirred.size:
                self._same, self._stirred = self._same + 1, stirred
                return self._frozen(now)
        self._same, self._same_since, self._stirred = 0, now, None
        self._usual.append(still)
        return None

    def _frozen(self, now: datetime) -> Said | None:
        limits, since = self._limits, self._same_since or now
        stood_s = (now - since).total_seconds()
        long = self._same + 1 >= limits.looks_to_frozen and stood_s >= limits.frozen_s
        if not (long and self._never_still()):
            return None
        ticking = self._stirred is not None and bool(self._stirred.any())
        but = ", but for a clock written into them" if ticking else ""
        text = f"frozen: {self._same + 1} identical pictures in {stood_s:.0f} s{but}"
        return Said(text, "frozen_but_clock" if ticking else "frozen", pictures=self._same + 1, seconds=round(stood_s))

    def _never_still(self) -> bool:
        """Whether its pictures have lately differed, nearly all of them, nearly everywhere."""
        if len(self._usual) <= self._limits.looks_to_learn:
            return False
        return sorted(self._usual)[len(self._usual) * 9 // 10] < self._limits.usual_still_share

    @property
    def usual(self) -> list[float]:
        """The shares that stood still in the pictures before, oldest first."""
        return list(self._usual)

    def recall(self, usual: Iterable[float]) -> None:
        """Begin with what was usual before a restart."""
        self._usual.extend(usual)
