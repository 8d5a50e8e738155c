"""A camera's pictures either train a model or judge it."""

from __future__ import annotations

import pytest

from hub.domain.splits import TooFewCameras, split_by_camera


def test_a_camera_is_on_one_side_and_stays_there() -> None:
    few = split_by_camera([f"c{n}" for n in range(40)])
    more = split_by_camera([f"c{n}" for n in range(400)])
    assert all(more[camera] == side for camera, side in few.items())
    assert 0.1 < sum(side == "val" for side in more.values()) / 400 < 0.3


@pytest.mark.parametrize("count", range(2, 12))
def test_no_side_is_empty(count: int) -> None:
    assert set(split_by_camera([f"c{n}" for n in range(count)]).values()) == {"train", "val"}


def test_one_camera_cannot_do_both() -> None:
    with pytest.raises(TooFewCameras, match="at least 2 cameras"):
        split_by_camera(["c1", "c1"])
