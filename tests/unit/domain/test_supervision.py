"""The ladder of 三次督办 against worked examples."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import shipped
from hub.domain.clock import Calendar
from hub.domain.letter import LetterKind
from hub.domain.stage_clock import StageClock
from hub.domain.supervision import LADDER, LEVEL_NAMES, Cause, Level, due_at, next_due, reached
from hub.office import OfficeError, read_office

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(SHANGHAI)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def _due(limit: str, start: str) -> list[str]:
    clock = StageClock.begin(limit, _at(start), CALENDAR)
    found = [due_at(rung, clock, CALENDAR) for rung in LADDER]
    return [f"{at.astimezone(SHANGHAI):%m-%d %H:%M}" for at in found if at is not None]


@pytest.mark.parametrize(
    ("limit", "start", "wanted"),
    [
        # 4 working hours from 08:00: 3 h used at 11:00; +1 工作日 (more than 50 %), +3 工作日 (more than 100 %).
        ("4工作时", "2026-11-23 08:00", ["11-23 11:00", "11-23 12:00", "11-24 12:00", "11-26 12:00"]),
        # 5 working days: 50 % are 2.5, 100 % are 5 working days; both above the minima. Mon 08:00 to Fri 18:00.
        ("5工作日", "2026-11-23 08:00", ["11-26 16:00", "11-27 18:00", "12-02 12:00", "12-04 18:00"]),
        # 2 紧急工作时 at night: 90 min, 2 h, then +1 h (the minimum is 50 %), +2 h.
        ("2紧急工作时", "2026-11-21 23:00", ["11-22 00:30", "11-22 01:00", "11-22 02:00", "11-22 03:00"]),
        # 1 紧急工作时: 50 % are 30 min, at least 1 h; 100 % are 1 h, at least 2 h.
        ("1紧急工作时", "2026-11-21 23:00", ["11-21 23:45", "11-22 00:00", "11-22 01:00", "11-22 02:00"]),
        # 2 紧急工作日 run through the weekend: 36 h, 48 h, +24 h, +48 h.
        ("2紧急工作日", "2026-11-20 17:00", ["11-22 05:00", "11-22 17:00", "11-23 17:00", "11-24 17:00"]),
    ],
)
def test_vectors(limit: str, start: str, wanted: list[str]) -> None:
    assert _due(limit, start) == wanted


def test_a_pause_moves_the_ladder_and_stops_it() -> None:
    clock = StageClock.begin("4工作时", _at("2026-11-23 08:00"), CALENDAR)
    paused = clock.pause(_at("2026-11-23 09:00"), CALENDAR)
    assert next_due(LADDER, paused, None, CALENDAR) is None
    again = paused.resume(_at("2026-11-24 08:00"), CALENDAR)
    rung, at = next_due(LADDER, again, None, CALENDAR) or (None, None)
    assert rung is LADDER[0]
    assert at == _at("2026-11-24 10:00")  # 1 h was used, 2 more make 75 %
    # The pause does not count once the deadline has passed either.
    late = again.pause(_at("2026-11-24 12:00"), CALENDAR)
    resumed = late.resume(_at("2026-12-01 08:00"), CALENDAR)
    second = due_at(LADDER[2], resumed, CALENDAR)
    assert second is not None
    assert second >= _at("2026-12-01 17:00")


def test_an_extension_moves_it_by_the_limit() -> None:
    clock = StageClock.begin("4工作时", _at("2026-11-23 08:00"), CALENDAR).extend(_at("2026-11-23 09:00"), CALENDAR)
    assert due_at(LADDER[0], clock, CALENDAR) == _at("2026-11-23 16:00")  # 75 % of 8 h
    assert due_at(LADDER[1], clock, CALENDAR) == clock.deadline == _at("2026-11-23 18:00")


def test_after_an_outage_the_rungs_come_in_order() -> None:
    clock = StageClock.begin("2紧急工作时", _at("2026-11-23 08:00"), CALENDAR)
    found = reached(LADDER, clock, _at("2026-12-01 08:00"), CALENDAR)
    assert [rung.level for rung, _at in found] == list(Level)
    assert [at for _rung, at in found] == sorted(at for _rung, at in found)
    assert next_due(LADDER, clock, Level.THIRD, CALENDAR) is None
    done = clock.finish(_at("2026-11-23 09:00"), CALENDAR)
    assert reached(LADDER, done, _at("2026-12-01 08:00"), CALENDAR) == []


_STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20))  # noqa: DTZ001
_LIMITS = st.sampled_from(["1紧急工作时", "2工作时", "4工作时", "1工作日", "5工作日", "15天", "2紧急工作日"])


@given(_STARTS, _LIMITS)
def test_each_rung_comes_after_the_one_before(start: datetime, limit: str) -> None:
    holidays = Calendar(SHANGHAI, holidays=frozenset({date(2026, 10, day) for day in range(1, 8)}))
    clock = StageClock.begin(limit, start.replace(tzinfo=UTC), holidays)
    found = [due_at(rung, clock, holidays) for rung in LADDER]
    times = [at for at in found if at is not None]
    assert len(times) == 4
    assert times == sorted(times)
    assert times[1] == clock.deadline
    assert times[2] > times[1] + timedelta(minutes=29)


def test_names() -> None:
    assert [LEVEL_NAMES[level]["zh"] for level in Level] == ["提醒", "一次督办", "二次督办", "三次督办"]
    assert list(Cause) == ["timeout", "leader", "key"]


def test_the_shipped_office_is_the_default_ladder() -> None:
    office = read_office(shipped("configs") / "supervision.yaml")
    assert office.ladder == LADDER
    assert office.rung(Level.THIRD).letter is LetterKind.OFFICIAL
    assert not office.without_suspended


BAD = """
issuer: ""
leading_office: 办
reported_to: 府
contact: 科
phone: ""
bulletin: 动态
prefixes: {order: 西网督, official: 西网督, urgent: x}
ladder: {second: {over: -1, letter: love, reply: soon, colour: red}, fourth: {}}
whistles: {gather: 4 lightyears, loud: 1工作时}
without_suspended: maybe
words: {urge: {tone: harsh}}
wheels: 4
"""


def test_a_bad_office_names_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "supervision.yaml"
    path.write_text(BAD, encoding="utf-8")
    with pytest.raises(OfficeError) as caught:
        read_office(path)
    text = "\n".join(caught.value.problems)
    for word in (
        *("issuer: ''", "prefixes.order", "prefixes.urgent", "second.over: -1", "second.letter: 'love'"),
        *("second.reply", "second.colour", "ladder.fourth", "whistles.gather", "whistles.loud", "'maybe'"),
        *("words.urge.tone", "wheels"),
    ):
        assert word in text, word
    with pytest.raises(OfficeError, match="cannot be read"):
        read_office(tmp_path / "nowhere.yaml")
