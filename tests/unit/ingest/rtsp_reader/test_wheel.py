"""The wheel: everyone is drained after its own pause, or at once where asked, and nobody waits for who left."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from ingest.cameras.rtsp.collect import Key
from ingest.cameras.rtsp.dial import Line
from ingest.cameras.rtsp.feed import TcpFeed
from ingest.cameras.rtsp.sdp import Media
from ingest.cameras.rtsp.session import Playing, Session
from ingest.cameras.rtsp.wheel import SLOTS, Wheel, running_wheel
from ingest.cameras.rtsp.wire import Wire
from ingest.errors import Silent

STEP_S = 0.005


class Tally:
    def __init__(self, pause_s: float = 10 * STEP_S) -> None:
        self.pause_s = pause_s
        self.drained = 0
        self.watched = 0

    def drain(self, now_s: float) -> None:
        self.drained += 1

    def watch(self, now_s: float) -> None:
        self.watched += 1

    def fail(self, error: Exception) -> None:
        raise AssertionError("nothing fails here") from error


def test_all_are_drained_in_turn_and_watched_behind_it() -> None:
    async def run() -> tuple[list[Tally], int]:
        wheel = Wheel(STEP_S)
        items = [Tally() for _ in range(30)]
        for item in items:
            wheel.add(item)
        await asyncio.sleep(60 * STEP_S)
        return items, len(wheel)

    items, held = asyncio.run(run())
    assert held == len(items)
    counts = [item.drained for item in items]
    assert min(counts) >= 2
    assert max(counts) - min(counts) <= 1
    assert all(item.watched == item.drained for item in items)


def test_new_ones_are_spread_over_their_pause() -> None:
    async def run() -> list[int]:
        wheel = Wheel(STEP_S)
        items = [Tally() for _ in range(30)]
        for item in items:
            wheel.add(item)
        counts = []
        for _ in range(11):
            wheel._turn(asyncio.get_running_loop(), 1e9)
            counts.append(sum(item.drained for item in items))
        return counts

    counts = asyncio.run(run())
    assert max(b - a for a, b in zip([0, *counts], counts, strict=False)) <= 4


def test_pauses_are_each_items_own_and_bounded() -> None:
    async def run() -> tuple[int, int, int]:
        wheel = Wheel(STEP_S)
        seldom, often, never = Tally(40 * STEP_S), Tally(0.0), Tally(1e9)
        for item in (seldom, often, never):
            wheel.add(item)
        while often.drained < 4 * SLOTS:
            await asyncio.sleep(STEP_S)
        return seldom.drained, often.drained, never.drained

    seldom, often, never = asyncio.run(run())
    assert 1 <= seldom <= often // 20
    assert 1 <= never <= often // 30, "no pause is longer than a round"


def test_whoever_needs_it_is_drained_at_once_and_its_pause_begins_anew() -> None:
    async def run() -> tuple[int, int, int]:
        wheel = Wheel(STEP_S)
        item, other = Tally(20 * STEP_S), Tally(STEP_S)
        wheel.add(item)
        wheel.add(other)
        while other.drained < 60:
            wheel.now(item)
            await asyncio.sleep(STEP_S)
        asked = item.drained
        wheel.remove(item)
        wheel.now(item)
        return asked, item.drained, len(wheel)

    asked, after, held = asyncio.run(run())
    assert asked == after >= 10
    assert held == 1


def test_it_stands_still_without_work_and_starts_again() -> None:
    async def run() -> tuple[int, int]:
        wheel = Wheel(STEP_S)
        first, second = Tally(), Tally()
        wheel.add(first)
        wheel.remove(first)
        wheel.remove(first)
        await asyncio.sleep(20 * STEP_S)
        assert not asyncio.all_tasks() - {asyncio.current_task()}
        wheel.add(second)
        while second.drained < 2:
            await asyncio.sleep(STEP_S)
        return first.drained, second.drained

    first, second = asyncio.run(run())
    assert first == 0
    assert second >= 2


def test_one_that_leaves_while_it_is_drained_harms_nobody() -> None:
    async def run() -> int:
        wheel = Wheel(STEP_S)

        class Leaver(Tally):
            def drain(self, now_s: float) -> None:
                super().drain(now_s)
                wheel.remove(self)

        leaver, stayer = Leaver(), Tally()
        wheel.add(leaver)
        for item in (stayer, *(Tally() for _ in range(20))):
            wheel.add(item)
        while stayer.drained < 3:
            await asyncio.sleep(STEP_S)
        return leaver.drained

    assert asyncio.run(run()) == 1


def test_each_loop_has_its_own() -> None:
    async def wheel() -> Wheel:
        assert running_wheel() is running_wheel()
        return running_wheel()

    assert asyncio.run(wheel()) is not asyncio.run(wheel())


def test_a_defect_in_one_stream_costs_that_stream_only() -> None:
    class Defect(Tally):
        failed: list[str]

        def drain(self, now_s: float) -> None:
            raise IndexError("a bug")

        def fail(self, error: Exception) -> None:
            self.failed = [*getattr(self, "failed", []), str(error)]

    async def run() -> tuple[Defect, Tally]:
        wheel = Wheel(STEP_S)
        odd, good = Defect(STEP_S), Tally(STEP_S)
        wheel.add(odd)
        wheel.add(good)
        wheel.now(odd)
        await asyncio.sleep(40 * STEP_S)
        return odd, good

    odd, good = asyncio.run(run())
    assert odd.failed[:2] == ["a bug", "a bug"]
    assert good.drained > 5


def test_a_camera_is_kept_alive_when_the_clock_is_set_back() -> None:
    """Most cameras end a session that they hear nothing of for a minute."""
    sent: list[bytes] = []

    class FakeWire:
        in_records = False
        send = staticmethod(sent.append)

        def close(self) -> None:
            return

    async def run() -> TcpFeed:
        media = Media("video", "h264", 96, 90000, "rtsp://h/x")
        playing = Playing(media, 0, 1, None, None, None, 60)
        line = Line(cast(Wire, FakeWire()), Session("rtsp://h/x", None, None), playing, b"")
        feed = TcpFeed(line, "rtsp://h/x", lambda key: None)
        feed._began_s = feed._heard_s = feed._key_s = feed._alive_s = 28800.0
        feed.watch(28801.0)
        feed.watch(5.0)
        feed.watch(6.0)
        return feed

    feed = asyncio.run(run())
    assert len(sent) == 1
    assert sent[0].startswith(b"OPTIONS rtsp://h/x")
    assert not feed.failed


@pytest.mark.parametrize(
    ("after_s", "dozes_s", "asks"),
    [(23.0, -0.05, False), (25.0, 5.0, False), (25.0, -0.05, True), (35.0, 5.0, False), (37.0, 5.0, True)],
)
def test_a_dozing_camera_is_kept_alive_just_before_it_is_walked_again(
    after_s: float, dozes_s: float, asks: bool
) -> None:
    """The answer must be walked, and costs nothing where that is done for a look anyway; 30 s is half the session."""
    sent: list[bytes] = []

    class FakeWire:
        in_records = False
        send = staticmethod(sent.append)

        def throw_away(self, view: memoryview, address: int) -> int:
            return 100

    async def run() -> None:
        media = Media("video", "h264", 96, 90000, "rtsp://h/x")
        playing = Playing(media, 0, 1, None, None, None, 60)
        line = Line(cast(Wire, FakeWire()), Session("rtsp://h/x", None, None), playing, b"")
        feed = TcpFeed(line, "rtsp://h/x", lambda key: None)
        feed._began_s = feed._alive_s = 28800.0
        feed._key = cast(Key, object())
        feed.doze.until_s = time.monotonic() + dozes_s
        feed.drain(28800.0 + after_s)
        feed.watch(28800.0 + after_s)
        assert not feed.failed

    asyncio.run(run())
    assert len(sent) == asks


def test_silence_is_noticed_after_the_clock_was_set_back() -> None:
    async def run() -> tuple[bool, bool]:
        media = Media("video", "h264", 96, 90000, "rtsp://h/x")
        line = Line(
            cast(Wire, None), Session("rtsp://h/x", None, None), Playing(media, 0, 1, None, None, None, 60), b""
        )
        feed = TcpFeed(line, "rtsp://h/x", lambda key: None)
        feed.send = lambda data: None  # type: ignore[method-assign]
        feed._began_s = feed._heard_s = feed._key_s = feed._alive_s = 28800.0
        feed.watch(28801.0)
        feed.watch(5.0)
        before = feed.failed
        feed.watch(14.0)
        with pytest.raises(Silent):
            feed._ended.result()
        return before, feed.failed

    assert asyncio.run(run()) == (False, True)
