"""The hand-over in which the newest wins."""

from __future__ import annotations

import threading

from hub.worker.newest import Newest


def test_a_newer_item_replaces_the_one_that_waits_and_is_counted() -> None:
    newest: Newest[int] = Newest(4)
    newest.put("a", 1)
    newest.put("b", 2)
    newest.put("a", 3)
    assert newest.take(10) == [3, 2]
    assert newest.dropped == 1


def test_it_is_bounded() -> None:
    newest: Newest[int] = Newest(2)
    for number, key in enumerate("abc"):
        newest.put(key, number)
    assert newest.take(10) == [1, 2]
    assert newest.dropped == 1


def test_take_waits_and_close_wakes() -> None:
    newest: Newest[int] = Newest(2)
    seen: list[list[int] | None] = []
    thread = threading.Thread(target=lambda: seen.extend([newest.take(1), newest.take(1)]))
    thread.start()
    newest.put("a", 7)
    while not seen and thread.is_alive() and len(newest._items):
        thread.join(0.01)
    newest.close()
    thread.join(5)
    assert seen == [[7], None]


def test_who_puts_waits_for_room_and_then_pushes_out_the_oldest() -> None:
    newest: Newest[int] = Newest(1)
    assert newest.put("a", 1) is None
    assert newest.put("a", 2) == 1
    assert newest.put("b", 3, wait_s=0.05) == 2
    taker = threading.Timer(0.05, lambda: newest.take(1))
    taker.start()
    assert newest.put("c", 4, wait_s=10.0) is None
    taker.join()
    assert newest.take(9) == [4]
    assert newest.dropped == 2
