"""What is wrong with a polygon that somebody drew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.polygon import fault

SQUARE = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)]


@pytest.mark.parametrize(
    ("points", "wrong"),
    [
        (SQUARE, None),
        ([(0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0)], None),
        (SQUARE[:2], {"code": "few", "n": 2}),
        ([*SQUARE, SQUARE[0]], {"code": "same", "a": 5, "b": 1}),
        ([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]], {"code": "crossed", "a": 1, "b": 2, "c": 3, "d": 4}),
        ([(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)], {"code": "flat"}),
        (
            [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.0), (0.0, 1.0)],
            {"code": "crossed", "a": 1, "b": 2, "c": 3, "d": 4},
        ),
    ],
)
def test_a_fault_is_named_by_its_points(points: list[tuple[float, float]], wrong: dict[str, Any] | None) -> None:
    assert fault(points) == wrong


@given(st.integers(3, 30), st.floats(0.05, 0.4))
def test_a_star_shaped_polygon_has_none(corners: int, least: float) -> None:
    from math import cos, pi, sin

    radius = [least if n % 2 else 0.45 for n in range(corners)]
    ring = [(0.5 + r * cos(2 * pi * n / corners), 0.5 + r * sin(2 * pi * n / corners)) for n, r in enumerate(radius)]
    assert fault(ring) is None
