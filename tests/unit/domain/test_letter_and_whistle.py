"""The machines of letters and whistles over their whole product, and the whistle's indicators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain import letter, whistle
from hub.domain.letter import FORMS, LETTER, LetterAction, LetterKind, LetterState, number_text
from hub.domain.machine import IllegalMove
from hub.domain.whistle import WHISTLE, Call, WhistleAction, WhistleKind, WhistleState, indicators

PRODUCTS: list[tuple[Any, Any, Any, set[str]]] = [
    (LETTER, LetterState, LetterAction, {"done", "withdrawn"}),
    (WHISTLE, WhistleState, WhistleAction, {"closed", "refused", "withdrawn"}),
]


@pytest.mark.parametrize(("machine", "states", "actions", "ends"), PRODUCTS)
def test_the_whole_product(machine: Any, states: Any, actions: Any, ends: set[str]) -> None:
    for state in states:
        for action in actions:
            if (state, action) in machine.table:
                assert machine.next(state, action) in states
            else:
                with pytest.raises(IllegalMove):
                    machine.next(state, action)
        assert (not machine.allowed(state)) == (state.value in ends)
    reached = {next(iter(states))} | set(machine.table.values())
    assert reached == set(states)


def test_everything_has_a_name() -> None:
    assert set(letter.LETTER_STATE_NAMES) == set(LetterState)
    assert set(letter.LETTER_ACTION_NAMES) == set(LetterAction)
    assert set(whistle.WHISTLE_STATE_NAMES) == set(WhistleState)
    assert set(whistle.WHISTLE_ACTION_NAMES) == set(WhistleAction)
    assert set(whistle.WHISTLE_NAMES) == set(whistle.ARRIVAL_LIMITS) == set(WhistleKind)
    assert set(FORMS) == set(LetterKind)


def test_numbers_of_letters() -> None:
    assert number_text(FORMS[LetterKind.OFFICIAL], 2026, 12) == "西网督〔2026〕12号"
    assert number_text(FORMS[LetterKind.CONTACT], 2026, 1, "西网函") == "西网函〔2026〕1号"
    assert number_text(FORMS[LetterKind.PROBLEMS], 2026, 6) == "2026年第6批"


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def _call(due_h: float, came_h: float | None, resolved: bool | None = None) -> Call:
    came = None if came_h is None else NOW + timedelta(hours=came_h)
    return Call("d", NOW + timedelta(hours=due_h), came, resolved)


def test_indicators_count_only_what_is_due_or_done() -> None:
    calls = [
        _call(-2, -3, True),  # came in time, settled
        _call(-2, -1, False),  # came late, not settled
        _call(-2, None),  # never came
        _call(+2, None),  # still has time: in no denominator
        _call(+2, -1),  # came early, no result yet
    ]
    found = indicators(calls, NOW)
    assert (found.called, found.arrived, found.in_time, found.decided, found.resolved) == (4, 3, 2, 2, 1)
    assert (found.arrival_rate, found.in_time_rate, found.resolved_rate) == (Decimal("75.00"), Decimal("50.00"), 50)
    assert indicators([], NOW).arrival_rate is None
