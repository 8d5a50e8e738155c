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
