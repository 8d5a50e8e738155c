"""What the looks after an answer speak for."""

from __future__ import annotations

import pytest

from hub.domain.recheck import looks_most, proposal

CLEAN, THERE = False, True


@pytest.mark.parametrize(
    ("looks", "wanted", "speaks_for"),
    [
        ([], 3, None),
        ([CLEAN, CLEAN], 3, None),
        ([CLEAN, CLEAN, CLEAN], 3, "close"),
        ([THERE, THERE, THERE], 3, "rework"),
        ([CLEAN, THERE, THERE], 3, "rework"),
        ([THERE, CLEAN, CLEAN], 3, None),
        ([THERE, CLEAN, CLEAN, CLEAN], 3, "close"),
        ([CLEAN, CLEAN, THERE], 3, None),
        ([CLEAN], 1, "close"),
        ([THERE], 1, "rework"),
        ([THERE, CLEAN], 2, None),
        ([THERE, THERE], 2, "rework"),
    ],
)
def test_proposal(looks: list[bool], wanted: int, speaks_for: str | None) -> None:
    assert proposal(looks, wanted) == speaks_for


def test_it_does_not_look_for_ever() -> None:
    assert looks_most(3) == 12
    with pytest.raises(ValueError, match="at least 1"):
        proposal([], 0)
