"""What the worker tells the hub: all of it once, then what changed, and all of it again when the hub does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.worker.status import ALL_EVERY_S, LOOKS_EVERY_S, News
from ingest.health import CameraState
from ingest.said import Said

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def camera(id_: str, **changes: Any) -> CameraState:
    seen = CameraState(id_, "online", T0, "", T0, {}, "RTSP/TCP h264", 1920, 1080)
    return replace(seen, **changes)


class Told:
    """A worker's cameras, and a hub that answers."""

    def __init__(self) -> None:
        self.news = News("w", "0/1")
        self.cameras = {id_: camera(id_) for id_ in ("a", "b", "c")}
        self.sensors: list[dict[str, Any]] = [{"id": "s", "state": "online", "values": {"fill_pct": 1}}]
        self.now_s = 0.0

    def report(self, after_s: float = 3.0, tell_all: bool = False) -> dict[str, Any]:
        self.now_s += after_s
        body = self.make()
        self.news.taken(tell_all)
        return body

    def make(self) -> dict[str, Any]:
        return self.news.report(self.cameras.values(), lambda _id: 10.04, self.sensors, {"looks": 3}, self.now_s)


@pytest.fixture
def told() -> Told:
    return Told()


def test_first_everything_then_nothing_while_nothing_changes(told: Told) -> None:
    first = told.report()
    assert (first["full"], first["first"], len(first["cameras"]), len(first["sensors"])) == (True, True, 3, 1)
    assert first["cameras"][0] | {"id": ""} == {
        "id": "", "state": "online", "since": T0.isoformat(), "message": "", "why": None,
        "via": "RTSP/TCP h264", "resolution": "1920x1080",
    }  # fmt: skip
    second = told.report()
    assert (second["full"], second["first"], second["cameras"], second["sensors"]) == (False, False, [], [])
    assert second["looks"] is None
    assert second["counters"] == {"looks": 3}
    assert second["session"] == first["session"]


def test_what_a_message_says_goes_with_it(told: Told) -> None:
    told.cameras["b"] = camera("b", state="black", message=Said("black: 3 of 255", "black", level=3, long="x" * 999))
    said = {c["id"]: (c["message"], c["why"]) for c in told.report()["cameras"]}
    assert said["a"] == ("", None)
    assert said["b"] == ("black: 3 of 255", {"code": "black", "values": {"level": 3, "long": "x" * 300}})


@pytest.mark.parametrize(
    "change", [{"state": "black"}, {"since": T0 + timedelta(1)}, {"via": "FFmpeg"}, {"width_px": 640}], ids=str
)
def test_what_changed_is_told_at_once(told: Told, change: dict[str, Any]) -> None:
    told.report()
    told.cameras["b"] = camera("b", **change)
    assert [c["id"] for c in told.report()["cameras"]] == ["b"]
    assert told.report()["cameras"] == []


def test_looks_and_wavering_words_can_wait(told: Told) -> None:
    told.report()
    told.cameras["b"] = camera("b", last_look_at=T0 + timedelta(seconds=10), message="blurred: 31%")
    told.cameras["c"] = camera("c", last_look_at=T0 + timedelta(seconds=9))
    quiet = told.report()
    assert (quiet["cameras"], quiet["looks"]) == ([], None)
    beat = told.report(LOOKS_EVERY_S)
    assert [c["message"] for c in beat["cameras"]] == ["blurred: 31%"]
    assert beat["looks"] == {
        "at": (T0 + timedelta(seconds=10)).isoformat(), "ids": ["b", "c"], "ago_ms": [0, 1000],
        "attained_s": [10.0, 10.0],
    }  # fmt: skip
    assert told.report(LOOKS_EVERY_S)["looks"] is None, "nobody was looked at since"


def test_everything_again_when_the_hub_asks_when_it_was_away_and_once_in_a_while(told: Told) -> None:
    told.report()
    assert not told.report(tell_all=True)["full"]
    assert told.report()["full"]
    assert not told.report()["full"]
    told.now_s += 3
    told.make()
    told.news.lost()
    assert told.report()["full"]
    assert not told.report()["full"]
    again = told.report(ALL_EVERY_S)
    assert (again["full"], again["first"], len(again["cameras"])) == (True, False, 3)


def test_what_was_not_looked_at_yet_is_left_as_the_hub_knows_it(told: Told) -> None:
    told.cameras["b"] = camera("b", state="unknown", last_look_at=None)
    assert [c["id"] for c in told.report()["cameras"]] == ["a", "c"]
    told.cameras["b"] = camera("b", state="offline", last_look_at=None, message="no answer")
    assert [c["message"] for c in told.report()["cameras"]] == ["no answer"]
