"""Who may stay on a platform that allows so many sessions."""

from __future__ import annotations

import pytest

from ingest.device import Camera, Watch
from ingest.sessions import share_out


def camera(name: str, watch: Watch = Watch.STAY, priority: int = 0, platform: str = "nvr") -> Camera:
    return Camera(name, name, f"rtsp://10.0.0.9/{name}", watch, priority=priority, platform=platform)


STAY, PATROL = Watch.STAY, Watch.PATROL


@pytest.mark.parametrize(
    ("sessions", "watches", "stays", "turns"),
    [
        (4, [STAY] * 3, 3, 1),
        (4, [STAY] * 4, 4, 0),
        (4, [STAY] * 4 + [PATROL], 3, 1),
        (4, [STAY] * 9, 3, 1),
        (4, [PATROL] * 9, 0, 4),
        (1, [STAY, STAY], 0, 1),
        (1, [STAY], 1, 0),
    ],
)
def test_sessions_are_never_more_than_allowed(sessions: int, watches: list[Watch], stays: int, turns: int) -> None:
    shares = share_out([camera(f"c{i}", watch) for i, watch in enumerate(watches)], {"nvr": sessions})
    assert sum(opened.watch is STAY for opened in shares.opened.values()) == stays
    assert shares.turns == {"nvr": turns}
    assert stays + turns <= sessions
    assert turns or stays == len(watches), "whoever may not stay gets turns"


def test_the_most_urgent_stay_and_the_others_say_why_not() -> None:
    cameras = [camera("a"), camera("b"), camera("gate", priority=2), camera("z", priority=1)]
    shares = share_out(cameras, {"nvr": 3})
    assert {name for name, opened in shares.opened.items() if opened.watch is STAY} == {"gate", "z"}
    assert set(shares.notes) == {"a", "b"}
    assert shares.notes["a"] == "takes turns: platform nvr allows 3 sessions, 4 cameras want to stay"


def test_other_platforms_and_none_are_not_touched() -> None:
    cameras = [camera(f"c{i}", platform=platform) for i, platform in enumerate(["", "other"] * 5)]
    shares = share_out(cameras, {"nvr": 1})
    assert list(shares.opened.values()) == cameras
    assert not shares.notes
    assert not shares.turns
