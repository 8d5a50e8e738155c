"""What a camera is used to showing in one kind of light: edges, texture and sharpness, learnt from good pictures."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..frame import Grey
from ..said import Said, percent
from . import measures
from .measures import HEIGHT_PX, WIDTH_PX
from .state import Limits, State

REMEMBERED = 30
_EDGE_STEPS = 127.0
_JPEG_QUALITY = 70


class View:
    """The reference of one kind of light. Its edges are kept as bytes: thousands of cameras have several views each."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._edges: NDArray[np.uint8] | None = None
        self._flat: deque[float] = deque(maxlen=REMEMBERED)
        self._sharp: deque[float] = deque(maxlen=REMEMBERED)
        self._learnt = 0

    @property
    def learnt(self) -> bool:
        """Whether enough was seen to judge by it."""
        return self._learnt >= self._limits.looks_to_learn

    def saw(self, grey: Grey, learn: bool) -> dict[State, Said]:
        """What is wrong with this picture; where nothing is, it is learnt from."""
        limits = self._limits
        flat, sharp, now = measures.flat_share(grey), measures.sharpness(grey), measures.edges(grey)
        found: dict[State, Said] = {}
        if self._edges is not None and self.learnt:
            found = self._compare(_as_edges(self._edges), now, flat, sharp)
        elif flat >= limits.covered_flat_share:
            text = f"covered: {flat:.0%} of the picture shows nothing"
            found[State.COVERED] = Said(text, "covered", share=percent(flat))
        if learn and not found:
            self._learn(now, flat, sharp)
        return found

    def _compare(self, reference: Grey, now: Grey, flat: float, sharp: float) -> dict[State, Said]:
        limits = self._limits
        usual_flat, usual_sharp = _middle(self._flat), _middle(self._sharp)
        alike = measures.likeness(reference, now)
        empty = flat >= limits.covered_flat_share and flat - usual_flat > 0.15
        if alike < limits.covered_likeness and (empty or flat - usual_flat > limits.covered_flat_more):
            text = f"covered: {flat:.0%} of the picture shows nothing, usually {usual_flat:.0%}"
            said = Said(text, "covered_unusually", share=percent(flat), usual=percent(usual_flat))
            return {State.COVERED: said}
        if alike < 0.6:
            dx, dy, response = measures.shift_px(reference, now)
            far = max(abs(dx), abs(dy)) > limits.moved_shift_px and response > 0.08
            if far and measures.likeness(reference, measures.moved_back(now, dx, dy)) > alike + 0.2:
                across, down = percent(dx / WIDTH_PX), percent(dy / HEIGHT_PX)
                text = f"moved: the view shifted by {across:+d}% across, {down:+d}% down"
                return {State.MOVED: Said(text, "moved_by", across=across, down=down)}
        if sharp < limits.blurred_share * usual_sharp:
            text = f"blurred: {sharp / usual_sharp:.0%} of its usual sharpness"
            return {State.BLURRED: Said(text, "blurred", share=percent(sharp / usual_sharp))}
        if alike < limits.moved_likeness:
            like = percent(max(0.0, alike))
            return {State.MOVED: Said(f"moved: the view is {like}% like its reference", "moved", share=like)}
        return {}

    def _learn(self, now: Grey, flat: float, sharp: float) -> None:
        self._learnt += 1
        self._flat.append(flat)
        self._sharp.append(sharp)
        if self._edges is None:
            self._edges = _as_bytes(now)
            return
        # As bytes, edges that hardly differ from the reference leave it as it is; those that do draw it on. In place:
        # what lasts for months must not wander through a heap where pictures come and go.
        share = max(1 / self._learnt, 0.03)
        before = _as_edges(self._edges)
        cv2.convertScaleAbs(cv2.addWeighted(before, 1 - share, now, share, 0.0), self._edges, alpha=_EDGE_STEPS)

    def to_json(self) -> dict[str, Any] | None:
        """A few kB; None before it is learnt."""
        if self._edges is None or not self.learnt:
            return None
        _ok, coded = cv2.imencode(".jpg", self._edges, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return {
            "learnt": self._learnt,
            "flat": [round(v, 4) for v in self._flat],
            "sharp": [round(v, 5) for v in self._sharp],
            "edges": base64.b64encode(coded.tobytes()).decode("ascii"),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], limits: Limits) -> View:
        """What `to_json` gave. Raises ValueError, KeyError, TypeError for anything else."""
        view = cls(limits)
        coded = np.frombuffer(base64.b64decode(stored["edges"], validate=True), np.uint8)
        picture = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE) if coded.size else None
        if picture is None or picture.shape != (HEIGHT_PX, WIDTH_PX):
            raise ValueError(f"edges: no picture of {WIDTH_PX} x {HEIGHT_PX}")
        view._edges = cast("NDArray[np.uint8]", picture)
        view._flat.extend(map(float, stored["flat"]))
        view._sharp.extend(map(float, stored["sharp"]))
        view._learnt = int(stored["learnt"])
        if not (view._flat and view._sharp and view.learnt):
            raise ValueError("flat, sharp: nothing learnt")
        return view


def _as_bytes(edges: Grey) -> NDArray[np.uint8]:
    return cast("NDArray[np.uint8]", cv2.convertScaleAbs(edges, alpha=_EDGE_STEPS))


def _as_edges(stored: NDArray[np.uint8]) -> Grey:
    return cast(Grey, cv2.multiply(stored, 1.0 / _EDGE_STEPS, dtype=cv2.CV_32F))


def _middle(values: deque[float]) -> float:
    return sorted(values)[len(values) // 2]
