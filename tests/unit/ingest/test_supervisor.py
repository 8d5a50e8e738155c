"""Back-off, and the life of a standing source, with a small honest source that fails on demand."""

from __future__ import annotations

import asyncio
import random
import threading
from datetime import UTC, datetime

import pytest

from ingest.cameras import open_source
from ingest.cameras.source import Standing
from ingest.cameras.stream import StandingStream
from ingest.device import Camera
from ingest.errors import Lost, SignInRefused, SourceError, Unreachable
from ingest.frame import Frame
from ingest.loop import ReadingLoop
from ingest.media import Stream
from ingest.supervisor import Backoff, Supervisor, backoff_for
from tests.peers import wait_until


def test_waits_double_up_to_a_cap_and_are_jittered() -> None:
    waits = [[b.next_s() for _ in range(12)] for b in (Backoff(1.0, 60.0, random.Random(i)) for i in range(20))]
    for i in range(12):
        whole = min(60.0, 2.0**i)
        column = [w[i] for w in waits]
        assert all(whole / 2 <= w <= whole for w in column)
        assert len({round(w, 6) for w in column}) > 10, "not all at once"


def test_a_good_connection_resets() -> None:
    backoff = Backoff(1.0, 60.0, random.Random(1))
    for _ in range(8):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_wrong_passwords_are_tried_seldom() -> None:
    assert backoff_for(SignInRefused("x")).next_s() >= 30


def test_what_was_dropped_at_once_does_not_come_back_at_once() -> None:
    first = sorted(backoff_for(Lost("x")).next_s() for _ in range(1000))
    assert first[-1] <= 6
    in_a_second = max(sum(at <= wait < at + 1 for wait in first) for at in first)
    assert in_a_second < 300
    backoff = backoff_for(Lost("x"))
    backoff.next_s()
    assert backoff.next_s() <= 2


class Script:
    """Runs through `script`: an error to raise, or None to hold until stopped."""

    def __init__(self, *script: SourceError | None) -> None:
        self.camera = Camera("c", "c", "rtsp://h/x")
        self.via = "script"
        self.script = list(script)
        self.runs = 0

    def next_step(self) -> None:
        step = self.script[min(self.runs, len(self.script) - 1)]
        self.runs += 1
        if step is not None:
            raise step

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        raise Lost("not in this test")

    def refresh(self) -> None:
        """Nothing comes."""

    def doze(self, for_s: float) -> float:
        """Nothing is read."""
        return for_s

    def ready(self, not_before: datetime) -> bool:
        return False

    def clip(self, since: datetime, until: datetime) -> bytes | None:
        return None

    def close(self) -> None:
        return


class Threaded(Script):
    def run(self, stop: threading.Event) -> None:
        self.next_step()
        stop.wait()


class OnTheLoop(Script):
    async def stay(self) -> None:
        self.next_step()
        await asyncio.Event().wait()


Kind = type[Threaded] | type[OnTheLoop]
KINDS = pytest.mark.parametrize("kind", [Threaded, OnTheLoop])


@KINDS
def test_it_runs_again_after_every_failure_and_tells_of_each(kind: Kind) -> None:
    failures: list[str] = []
    supervisor = Supervisor(lambda _, error: failures.append(error.kind), pace=lambda _: Backoff(0.001, 0.01))
    source = kind(Unreachable("1"), Unreachable("2"), Lost("3"), None)
    supervisor.add(source)
    wait_until(lambda: source.runs == 4, 5)
    assert failures == ["unreachable", "unreachable", "lost"]
    supervisor.stop()
    assert source.runs == 4


@KINDS
@pytest.mark.parametrize("step", [None, Lost("again")])
def test_stop_ends_it_even_while_it_waits(kind: Kind, step: SourceError | None) -> None:
    before = threading.active_count()
    supervisor = Supervisor(lambda *_: None, pace=lambda _: Backoff(1000.0, 1000.0))
    source = kind(step)
    supervisor.add(source)
    wait_until(lambda: source.runs == 1, 5)
    supervisor.remove("c")
    supervisor.stop()
    wait_until(lambda: threading.active_count() <= before, 5)
    assert source.runs == 1


@KINDS
def test_a_defect_costs_its_own_camera_only(kind: Kind) -> None:
    failures: list[tuple[str, str]] = []
    supervisor = Supervisor(lambda id_, error: failures.append((id_, str(error))), pace=lambda _: Backoff(1000, 1000))
    odd, good = kind(None), kind(None)
    odd.camera = Camera("odd", "c", "rtsp://admin:pw123@h/x")
    odd.script = []
    supervisor.add(odd)
    supervisor.add(good)
    wait_until(lambda: failures and good.runs, 5)
    supervisor.stop()
    assert failures == [("odd", "rtsp://h/x: IndexError: list index out of range")]


def test_a_stopped_loop_takes_no_more() -> None:
    loop = ReadingLoop()
    assert loop.spawn(asyncio.sleep(0, "slept")).result(5) == "slept"
    loop.stop()
    assert loop.spawn(asyncio.sleep(0)).cancelled()


@pytest.mark.parametrize("url", ["rtmp://192.168..5/live", "tcp://.:9000"])
def test_a_host_that_is_no_name_is_a_failure_like_any_other(url: str) -> None:
    """It ended the thread, and with it the whole worker."""
    source = open_source(Camera("c", "c", url))
    assert isinstance(source, Standing)
    with pytest.raises(Unreachable, match="is unknown"):
        source.run(threading.Event())
    with pytest.raises(Unreachable, match="is unknown"):
        source.look(datetime.now(UTC), 0.0)


def test_whatever_ends_a_standing_stream_is_told_to_its_looks() -> None:
    def opener(network_s: float) -> Stream:
        raise MemoryError("no room")

    source = StandingStream(Camera("c", "c", "tcp://u:pw123@h:1"), opener)
    with pytest.raises(SourceError, match="tcp://h:1: MemoryError: no room"):
        source.run(threading.Event())
    with pytest.raises(SourceError, match="MemoryError"):
        source.look(datetime.now(UTC), 0.0)
