"""The wheel: everyone is drained once a round, watched once in a while, and nobody waits for who left."""

from __future__ import annotations

import asyncio

from ingest.cameras.rtsp.wheel import SLOTS, WATCH_EVERY, Wheel, running_wheel

ROUND_S = 0.1


class Tally:
    def __init__(self) -> None:
        self.drained = 0
        self.watched = 0

    def drain(self, now_s: float) -> None:
        self.drained += 1

    def watch(self, now_s: float) -> None:
        self.watched += 1


def test_all_are_drained_in_turn_and_watched_seldom() -> None:
    async def run() -> tuple[list[Tally], int]:
        wheel = Wheel(ROUND_S)
        items = [Tally() for _ in range(3 * SLOTS)]
        for item in items:
            wheel.add(item)
        await asyncio.sleep(ROUND_S * 3 * WATCH_EVERY)
        return items, len(wheel)

    items, held = asyncio.run(run())
    assert held == len(items)
    counts = [item.drained for item in items]
    assert min(counts) >= WATCH_EVERY
    assert max(counts) - min(counts) <= 1
    assert all(1 <= item.watched <= item.drained // WATCH_EVERY + 1 for item in items)


def test_it_stands_still_without_work_and_starts_again() -> None:
    async def run() -> tuple[int, int]:
        wheel = Wheel(ROUND_S)
        first, second = Tally(), Tally()
        wheel.add(first)
        wheel.remove(first)
        wheel.remove(first)
        await asyncio.sleep(2 * ROUND_S)
        assert not asyncio.all_tasks() - {asyncio.current_task()}
        wheel.add(second)
        await asyncio.sleep(4 * ROUND_S)
        return first.drained, second.drained

    first, second = asyncio.run(run())
    assert first == 0
    assert second >= 2


def test_one_that_leaves_while_it_is_drained_harms_nobody() -> None:
    async def run() -> int:
        wheel = Wheel(ROUND_S)

        class Leaver(Tally):
            def drain(self, now_s: float) -> None:
                super().drain(now_s)
                wheel.remove(self)

        leaver, stayer = Leaver(), Tally()
        wheel.add(leaver)
        for _ in range(SLOTS):
            wheel.add(stayer if _ == 0 else Tally())
        await asyncio.sleep(4 * ROUND_S)
        assert stayer.drained >= 2
        return leaver.drained

    assert asyncio.run(run()) == 1


def test_each_loop_has_its_own() -> None:
    async def wheel() -> Wheel:
        assert running_wheel() is running_wheel()
        return running_wheel()

    assert asyncio.run(wheel()) is not asyncio.run(wheel())


def test_what_cannot_wait_is_drained_several_times_a_round() -> None:
    async def run() -> tuple[int, int, int]:
        wheel = Wheel(ROUND_S)
        seldom, often = Tally(), Tally()
        wheel.add(seldom)
        wheel.add(often, times=4)
        await asyncio.sleep(6 * ROUND_S)
        held = len(wheel)
        wheel.remove(often)
        return seldom.drained, often.drained, held

    seldom, often, held = asyncio.run(run())
    assert held == 2
    assert 3 * seldom <= often <= 4 * seldom + 4
