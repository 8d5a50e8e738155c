"""What of an event reaches somebody who is limited to some grids: whole, in part, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hub.feed_scope import Within

MINE = Within(frozenset({"g"}), frozenset({"c1"}), frozenset({"s1"}), frozenset({"g", "street"}))
CAMERAS = [{"id": "c1", "back_at": None}, {"id": "c2", "back_at": None}]


@pytest.mark.parametrize(
    ("event", "body", "shown"),
    [
        ("alert", {"id": "a", "grid": {"id": "g"}}, {"id": "a", "grid": {"id": "g"}}),
        ("alert", {"id": "a", "grid": {"id": "other"}}, None),
        ("case", {"id": "a", "grid": None}, None),
        ("cameras", {"items": [{"id": "c1"}, {"id": "c2"}]}, {"items": [{"id": "c1"}]}),
        ("cameras", {"items": [{"id": "c2"}]}, None),
        (
            "looks",
            {"at": "t", "ids": ["c2", "c1"], "ago_ms": [1, 2], "attained_s": [3, 4]},
            {"at": "t", "ids": ["c1"], "ago_ms": [2], "attained_s": [4]},
        ),
        ("looks", {"at": "t", "ids": ["c2"], "ago_ms": [1], "attained_s": [3]}, None),
        ("notice", {"cameras": CAMERAS, "out": 2, "total": 2}, {"cameras": CAMERAS[:1], "out": 1, "total": 1}),
        ("notice", {"cameras": CAMERAS[1:], "out": 1, "total": 1}, None),
        ("sensor_notice", {"sensor": "s1", "children": [{"id": "s2"}]}, {"sensor": "s1", "children": []}),
        ("sensor_notice", {"sensor": None, "children": [{"id": "s1"}]}, None),
        ("handover", {"note": "x", "grids": []}, {"note": "x", "grids": []}),
        ("handover", {"grids": [{"id": "street"}, {"id": "other"}]}, {"grids": [{"id": "street"}, {"id": "other"}]}),
        ("handover", {"note": "x", "grids": [{"id": "other"}]}, None),
        ("quarantine", {"waiting": 3}, None),
        ("something new", {"id": "a"}, None),
    ],
)
def test_of_an_event_only_what_lies_within_is_told(
    event: str, body: dict[str, Any], shown: dict[str, Any] | None
) -> None:
    assert MINE.part(event, body) == shown
