"""Zones and boxes: tables, and laws that hold for any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.geometry import Zone, centres, feet, iou

unit = st.floats(0, 1, width=32)
LOWER_HALF = Zone("lower", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
# A U: the notch between x 0.4 and 0.6 above y 0.6 is outside.
U_SHAPE = Zone("u", ((0.1, 0.1), (0.4, 0.1), (0.4, 0.6), (0.6, 0.6), (0.6, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)))


@st.composite
def boxes(draw: st.DrawFn, count: int = 4) -> np.ndarray:
    rows = [sorted([draw(unit), draw(unit)]) + sorted([draw(unit), draw(unit)]) for _ in range(count)]
    return np.array([[x1, y1, x2, y2] for x1, x2, y1, y2 in rows], np.float32)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_within_0_and_1(a: np.ndarray, b: np.ndarray) -> None:
    shared = iou(a, b)
    assert shared.shape == (4, 4)
    assert ((shared >= 0) & (shared <= 1 + 1e-6)).all()
    np.testing.assert_allclose(shared, iou(b, a).T, atol=1e-6)


@given(boxes())
def test_a_box_overlaps_itself_wholly(a: np.ndarray) -> None:
    areas = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    own = np.diag(iou(a, a))
    assert np.allclose(own[areas > 1e-6], 1, atol=1e-3)


@pytest.mark.parametrize(
    ("point", "inside"),
    [((0.2, 0.2), True), ((0.5, 0.3), False), ((0.5, 0.7), True), ((0.05, 0.5), False), ((0.8, 0.85), True)],
)
def test_a_concave_zone_contains_what_is_in_it(point: tuple[float, float], inside: bool) -> None:
    assert U_SHAPE.contains(np.array([point], np.float32))[0] == inside


@given(boxes())
def test_share_in_a_concave_zone_is_what_a_raster_says(a: np.ndarray) -> None:
    steps = (np.arange(40) + 0.5) / 40
    for box, share in zip(a, U_SHAPE.share_of(a), strict=True):
        x1, y1, x2, y2 = box
        if x2 - x1 < 0.01 or y2 - y1 < 0.01:
            continue
        xs, ys = np.meshgrid(x1 + steps * (x2 - x1), y1 + steps * (y2 - y1))
        counted = U_SHAPE.contains(np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float32)).mean()
        assert share == pytest.approx(counted, abs=0.06)


@given(boxes())
def test_everything_is_wholly_in_the_whole_picture(a: np.ndarray) -> None:
    areas = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    assert np.allclose(Zone.whole().share_of(a)[areas > 1e-6], 1, atol=1e-3)


def test_feet_and_centres() -> None:
    box = np.array([[0.2, 0.1, 0.4, 0.5]], np.float32)
    np.testing.assert_allclose(feet(box), [[0.3, 0.5]], atol=1e-6)
    np.testing.assert_allclose(centres(box), [[0.3, 0.3]], atol=1e-6)
    assert LOWER_HALF.share_of(box)[0] == 0


@pytest.mark.parametrize("points", [((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.0), (1.0, 0.0), (1.0, 1.2))])
def test_a_zone_that_is_none_is_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="zone z"):
        Zone("z", points)
