"""Every camera comes to the screens in its turn."""

from __future__ import annotations

from collections import Counter

from hub.worker.showing import Showing


def test_turns_are_spread_evenly_and_bounded() -> None:
    showing, shown = Showing(per_s=5.0), Counter[str]()
    names = [f"c{i}" for i in range(100)]
    showing.assign(names)
    for tick in range(2000):  # each camera is looked at every ten seconds, for two hundred
        name = names[tick % 100]
        shown[name] += showing.wants(name, tick / 10)
    assert sum(shown.values()) <= 5.0 * 200 + 100
    assert max(shown.values()) - min(shown.values()) <= 1


def test_strangers_are_not_shown_and_new_ones_at_once() -> None:
    showing = Showing(per_s=1.0)
    showing.assign(["a"])
    assert showing.wants("a", 0.0)
    assert not showing.wants("a", 0.5)
    assert not showing.wants("b", 0.5)
    showing.assign(["a", "b"])
    assert showing.wants("b", 0.6)
    assert not showing.wants("a", 1.5)
    assert showing.wants("a", 2.0)
